#include "ntos/work.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ntos/dispatcher.h"
#include "ntos/object.h"
#include "ntos/verify.h"

// Work may wait, also for other work: several threads. A driver that blocks all of them delays only itself.
#define WORKER_THREADS 4

struct _IO_WORKITEM {
    LIST_ENTRY entry;  // in `queue`
    LIST_ENTRY all;    // in `items`; for those from IoAllocateWorkItem
    PVOID io_object;
    PVOID context;
    PIO_WORKITEM_ROUTINE routine;
    PIO_WORKITEM_ROUTINE_EX routine_ex;
    PWORK_QUEUE_ITEM plain;  // from ExQueueWorkItem: this structure is then the library's own
    const void *owner;
    bool queued;
    bool allocated;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished;
static pthread_once_t started = PTHREAD_ONCE_INIT;
static LIST_ENTRY queue = { &queue, &queue };
static LIST_ENTRY items = { &items, &items };
static const void *running[WORKER_THREADS];

static const void *routine_of(PIO_WORKITEM item)
{
    if (item->plain)
        return (const void *)(ULONG_PTR)item->plain->WorkerRoutine;
    return item->routine ? (const void *)(ULONG_PTR)item->routine : (const void *)(ULONG_PTR)item->routine_ex;
}

// The item may be freed or queued again by its own routine, so nothing of it is touched afterwards.
static void run(PIO_WORKITEM item)
{
    struct _IO_WORKITEM copy = *item;
    if (copy.plain) {
        free(item);
        PWORKER_THREAD_ROUTINE routine = copy.plain->WorkerRoutine;
        routine(copy.plain->Parameter);
    } else if (copy.routine) {
        copy.routine(copy.io_object, copy.context);
    } else {
        copy.routine_ex(copy.io_object, copy.context, item);
    }
    if (ntos_thread.irql != PASSIVE_LEVEL) {
        ntos_violation("IoQueueWorkItem", "a work item returned at IRQL %u", ntos_thread.irql);
        ntos_thread.irql = PASSIVE_LEVEL;
    }
    if (!copy.plain && copy.io_object)
        ObDereferenceObject(copy.io_object);
}

static void *serve(void *argument)
{
    const void **slot = argument;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (IsListEmpty(&queue))
            pthread_cond_wait(&work, &lock);
        PIO_WORKITEM item = CONTAINING_RECORD(RemoveHeadList(&queue), struct _IO_WORKITEM, entry);
        item->queued = false;
        *slot = routine_of(item);
        pthread_mutex_unlock(&lock);
        run(item);
        pthread_mutex_lock(&lock);
        *slot = NULL;
        pthread_cond_broadcast(&finished);
    }
    return NULL;
}

static void start(void)
{
    ntos_condition_init(&finished);
    for (int i = 0; i < WORKER_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, &running[i]) == 0)
            pthread_detach(thread);
        else if (i == 0)
            ntos_bugcheck("IoQueueWorkItem", MANUALLY_INITIATED_CRASH, "no thread for work items");
    }
}

static bool enqueue(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine, PIO_WORKITEM_ROUTINE_EX routine_ex, PVOID context)
{
    pthread_once(&started, start);
    pthread_mutex_lock(&lock);
    bool free_to_queue = !item->queued;
    if (free_to_queue) {
        item->routine = routine;
        item->routine_ex = routine_ex;
        item->context = context;
        item->queued = true;
        if (item->io_object)
            ObReferenceObject(item->io_object);
        InsertTailList(&queue, &item->entry);
        pthread_cond_signal(&work);
    }
    pthread_mutex_unlock(&lock);
    return free_to_queue;
}

ULONG IoSizeofWorkItem(VOID)
{
    return sizeof(struct _IO_WORKITEM);
}

VOID IoInitializeWorkItem(PVOID io_object, PIO_WORKITEM item)
{
    *item = (struct _IO_WORKITEM){ .io_object = io_object, .owner = __builtin_return_address(0) };
}

VOID IoUninitializeWorkItem(PIO_WORKITEM item)
{
    if (item->queued)
        ntos_violation("IoUninitializeWorkItem", "the work item is still queued");
}

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT device)
{
    PIO_WORKITEM item = calloc(1, sizeof(*item));
    if (!item)
        return NULL;
    item->io_object = device;
    item->owner = __builtin_return_address(0);
    item->allocated = true;
    pthread_mutex_lock(&lock);
    InsertTailList(&items, &item->all);
    pthread_mutex_unlock(&lock);
    return item;
}

VOID IoFreeWorkItem(PIO_WORKITEM item)
{
    pthread_mutex_lock(&lock);
    bool queued = item->queued;
    if (!queued && item->allocated)
        RemoveEntryList(&item->all);
    pthread_mutex_unlock(&lock);
    if (queued) {
        ntos_violation("IoFreeWorkItem", "the work item is still queued");
        return;
    }
    free(item);
}

VOID IoQueueWorkItem(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine, WORK_QUEUE_TYPE type, PVOID context)
{
    (void)ntos_irql_at_most("IoQueueWorkItem", DISPATCH_LEVEL);
    if (!enqueue(item, routine, NULL, context))
        ntos_violation("IoQueueWorkItem", "the work item is already queued");
}

VOID IoQueueWorkItemEx(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE_EX routine, WORK_QUEUE_TYPE type, PVOID context)
{
    (void)ntos_irql_at_most("IoQueueWorkItemEx", DISPATCH_LEVEL);
    if (!enqueue(item, NULL, routine, context))
        ntos_violation("IoQueueWorkItemEx", "the work item is already queued");
}

BOOLEAN IoTryQueueWorkItem(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE_EX routine, WORK_QUEUE_TYPE type, PVOID context)
{
    (void)ntos_irql_at_most("IoTryQueueWorkItem", DISPATCH_LEVEL);
    return enqueue(item, NULL, routine, context);
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM plain, WORK_QUEUE_TYPE type)
{
    (void)ntos_irql_at_most("ExQueueWorkItem", DISPATCH_LEVEL);
    PIO_WORKITEM item = calloc(1, sizeof(*item));
    if (!item)
        ntos_bugcheck("ExQueueWorkItem", MANUALLY_INITIATED_CRASH, "no memory for a work item");
    item->plain = plain;
    (void)enqueue(item, NULL, NULL, NULL);
}

// --- Sweeping ---

static bool within(const void *address, const void *start_address, const void *end)
{
    return (const char *)address >= (const char *)start_address && (const char *)address < (const char *)end;
}

static bool busy(const void *start_address, const void *end)
{
    for (int i = 0; i < WORKER_THREADS; i++)
        if (within(running[i], start_address, end))
            return true;
    for (PLIST_ENTRY entry = queue.Flink; entry != &queue; entry = entry->Flink)
        if (within(routine_of(CONTAINING_RECORD(entry, struct _IO_WORKITEM, entry)), start_address, end))
            return true;
    return false;
}

unsigned ntos_work_sweep(const void *start_address, const void *end, uint32_t timeout_ms, bool *ret_running)
{
    pthread_once(&started, start);
    struct timespec until = ntos_clock_timespec(ntos_clock_now() + (uint64_t)timeout_ms * 10000);
    int error = 0;
    pthread_mutex_lock(&lock);
    while (busy(start_address, end) && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&finished, &lock, &until);
    *ret_running = busy(start_address, end);

    unsigned left = 0;
    for (PLIST_ENTRY entry = items.Flink, next; entry != &items && !*ret_running; entry = next) {
        next = entry->Flink;
        PIO_WORKITEM item = CONTAINING_RECORD(entry, struct _IO_WORKITEM, all);
        if (!within(item->owner, start_address, end))
            continue;
        RemoveEntryList(&item->all);
        free(item);
        left++;
    }
    pthread_mutex_unlock(&lock);
    if (*ret_running)
        ntos_leak("IoQueueWorkItem", "work items are still queued or running");
    if (left)
        ntos_leak("IoAllocateWorkItem", "%u work items were not freed", left);
    return left + *ret_running;
}
