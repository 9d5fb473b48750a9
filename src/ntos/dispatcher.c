#include "ntos/dispatcher.h"

#include <errno.h>
#include <time.h>

#include "ntos/object.h"
#include "ntos/verify.h"

pthread_mutex_t ntos_dispatcher_lock = PTHREAD_MUTEX_INITIALIZER;

struct waiter;

struct wait_block {
    LIST_ENTRY entry;  // in the object's WaitListHead
    struct waiter *waiter;
    DISPATCHER_HEADER *object;
    ULONG index;
};

struct waiter {
    pthread_cond_t condition;
    PKTHREAD thread;
    WAIT_TYPE type;
    ULONG count;
    struct wait_block *blocks;
    bool done;
    NTSTATUS status;
};

void ntos_dispatcher_init(DISPATCHER_HEADER *header, enum ntos_dispatcher_type type, size_t size, LONG state)
{
    *header = (DISPATCHER_HEADER){ .Type = (UCHAR)type, .Size = (UCHAR)(size / sizeof(LONG)), .SignalState = state };
    InitializeListHead(&header->WaitListHead);
}

static bool signaled(const DISPATCHER_HEADER *header, PKTHREAD thread)
{
    if (header->SignalState > 0)
        return true;
    return header->Type == NTOS_DISPATCHER_MUTANT && ((const KMUTANT *)header)->OwnerThread == thread;
}

// Takes the signal for `thread`. Returns true when it was an abandoned mutex.
static bool consume(DISPATCHER_HEADER *header, PKTHREAD thread)
{
    switch (header->Type) {
    case NTOS_DISPATCHER_EVENT_SYNCHRONIZATION:
    case NTOS_DISPATCHER_TIMER_SYNCHRONIZATION:
        WriteRelease(&header->SignalState, 0);
        return false;
    case NTOS_DISPATCHER_SEMAPHORE:
        WriteRelease(&header->SignalState, header->SignalState - 1);
        return false;
    case NTOS_DISPATCHER_MUTANT: {
        KMUTANT *mutant = CONTAINING_RECORD(header, KMUTANT, Header);
        WriteRelease(&header->SignalState, header->SignalState - 1);
        mutant->OwnerThread = thread;
        bool abandoned = mutant->Abandoned;
        mutant->Abandoned = FALSE;
        return abandoned;
    }
    default:
        return false;
    }
}

// Tries to satisfy the whole wait now.
static bool satisfy(struct waiter *waiter)
{
    if (waiter->type == WaitAny) {
        for (ULONG i = 0; i < waiter->count; i++) {
            if (!signaled(waiter->blocks[i].object, waiter->thread))
                continue;
            bool abandoned = consume(waiter->blocks[i].object, waiter->thread);
            waiter->status = (NTSTATUS)i + (abandoned ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0);
            waiter->done = true;
            return true;
        }
        return false;
    }
    for (ULONG i = 0; i < waiter->count; i++)
        if (!signaled(waiter->blocks[i].object, waiter->thread))
            return false;
    waiter->status = STATUS_WAIT_0;
    for (ULONG i = 0; i < waiter->count; i++)
        if (consume(waiter->blocks[i].object, waiter->thread))
            waiter->status = STATUS_ABANDONED_WAIT_0;
    waiter->done = true;
    return true;
}

void ntos_dispatcher_signal(DISPATCHER_HEADER *header, LONG state)
{
    WriteRelease(&header->SignalState, state);  // others read it without the lock
    for (PLIST_ENTRY entry = header->WaitListHead.Flink; entry != &header->WaitListHead; entry = entry->Flink) {
        if (header->SignalState <= 0)
            break;
        struct waiter *waiter = CONTAINING_RECORD(entry, struct wait_block, entry)->waiter;
        if (!waiter->done && satisfy(waiter))
            pthread_cond_signal(&waiter->condition);
    }
}

NTSTATUS ntos_dispatcher_wait(ULONG count, PVOID objects[], WAIT_TYPE type, PLARGE_INTEGER timeout)
{
    struct wait_block blocks[MAXIMUM_WAIT_OBJECTS];
    struct waiter waiter = { .thread = KeGetCurrentThread(), .type = type, .count = count, .blocks = blocks };
    uint64_t due = timeout ? ntos_clock_due(*timeout) : UINT64_MAX;
    for (ULONG i = 0; i < count; i++)
        blocks[i] = (struct wait_block){ .waiter = &waiter, .object = objects[i], .index = i };

    pthread_mutex_lock(&ntos_dispatcher_lock);
    if (satisfy(&waiter) || (timeout && timeout->QuadPart == 0)) {
        pthread_mutex_unlock(&ntos_dispatcher_lock);
        return waiter.done ? waiter.status : STATUS_TIMEOUT;
    }
    ntos_condition_init(&waiter.condition);
    for (ULONG i = 0; i < count; i++)
        InsertTailList(&blocks[i].object->WaitListHead, &blocks[i].entry);
    int error = 0;
    while (!waiter.done && error != ETIMEDOUT) {
        if (due == UINT64_MAX) {
            pthread_cond_wait(&waiter.condition, &ntos_dispatcher_lock);
        } else {
            struct timespec until = ntos_clock_timespec(due);
            error = pthread_cond_timedwait(&waiter.condition, &ntos_dispatcher_lock, &until);
        }
    }
    for (ULONG i = 0; i < count; i++)
        RemoveEntryList(&blocks[i].entry);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    pthread_cond_destroy(&waiter.condition);
    return waiter.done ? waiter.status : STATUS_TIMEOUT;
}

// --- The waiting functions of the API ---

static bool may_wait(const char *function, PLARGE_INTEGER timeout)
{
    return ntos_irql_at_most(function, timeout && timeout->QuadPart == 0 ? DISPATCH_LEVEL : APC_LEVEL);
}

NTSTATUS KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                               PLARGE_INTEGER timeout)
{
    if (!may_wait("KeWaitForSingleObject", timeout))
        return STATUS_UNSUCCESSFUL;
    return ntos_dispatcher_wait(1, &object, WaitAny, timeout);
}

NTSTATUS KeWaitForMultipleObjects(ULONG count, PVOID objects[], WAIT_TYPE type, KWAIT_REASON reason,
                                  KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout,
                                  PKWAIT_BLOCK blocks)
{
    if (!may_wait("KeWaitForMultipleObjects", timeout))
        return STATUS_UNSUCCESSFUL;
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS || (count > THREAD_WAIT_OBJECTS && !blocks)) {
        ntos_violation("KeWaitForMultipleObjects", "%u objects, and %s wait blocks", count, blocks ? "own" : "no");
        return STATUS_INVALID_PARAMETER;
    }
    return ntos_dispatcher_wait(count, objects, type, timeout);
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER interval)
{
    if (!may_wait("KeDelayExecutionThread", interval))
        return STATUS_UNSUCCESSFUL;
    struct timespec until = ntos_clock_timespec(ntos_clock_due(*interval));
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
    return STATUS_SUCCESS;
}

NTSTATUS ZwWaitForSingleObject(HANDLE handle, BOOLEAN alertable, PLARGE_INTEGER timeout)
{
    if (!ntos_irql_at_most("ZwWaitForSingleObject", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PVOID object = ntos_handle_object(handle, NULL);
    if (!object)
        return STATUS_INVALID_HANDLE;
    NTSTATUS status = STATUS_OBJECT_TYPE_MISMATCH;
    struct _OBJECT_TYPE *type = ntos_object_type(object);
    if (type == &ntos_thread_type || type == &ntos_event_type || type == &ntos_process_type)
        status = ntos_dispatcher_wait(1, &object, WaitAny, timeout);
    ObDereferenceObject(object);
    return status;
}

// --- Events ---

VOID KeInitializeEvent(PRKEVENT event, EVENT_TYPE type, BOOLEAN state)
{
    ntos_dispatcher_init(&event->Header,
                         type == NotificationEvent ? NTOS_DISPATCHER_EVENT_NOTIFICATION
                                                   : NTOS_DISPATCHER_EVENT_SYNCHRONIZATION,
                         sizeof(*event), state != 0);
}

static LONG change_event(const char *function, PRKEVENT event, LONG state, bool pulse)
{
    (void)ntos_irql_at_most(function, DISPATCH_LEVEL);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    LONG previous = event->Header.SignalState;
    if (state)
        ntos_dispatcher_signal(&event->Header, 1);
    if (!state || pulse)
        WriteRelease(&event->Header.SignalState, 0);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    return previous;
}

// `wait` TRUE promises a wait right after, with the dispatcher lock kept; here the two are simply separate.
LONG KeSetEvent(PRKEVENT event, KPRIORITY increment, BOOLEAN wait)
{
    if (wait)
        (void)ntos_irql_at_most("KeSetEvent", APC_LEVEL);
    return change_event("KeSetEvent", event, 1, false);
}

LONG KePulseEvent(PRKEVENT event, KPRIORITY increment, BOOLEAN wait)
{
    return change_event("KePulseEvent", event, 1, true);
}

LONG KeResetEvent(PRKEVENT event)
{
    return change_event("KeResetEvent", event, 0, false);
}

VOID KeClearEvent(PRKEVENT event)
{
    (void)change_event("KeClearEvent", event, 0, false);
}

LONG KeReadStateEvent(PRKEVENT event)
{
    return ReadAcquire(&event->Header.SignalState);
}

// --- Semaphores ---

VOID KeInitializeSemaphore(PRKSEMAPHORE semaphore, LONG count, LONG limit)
{
    ntos_dispatcher_init(&semaphore->Header, NTOS_DISPATCHER_SEMAPHORE, sizeof(*semaphore), count);
    semaphore->Limit = limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE semaphore, KPRIORITY increment, LONG adjustment, BOOLEAN wait)
{
    (void)ntos_irql_at_most("KeReleaseSemaphore", wait ? APC_LEVEL : DISPATCH_LEVEL);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    LONG previous = semaphore->Header.SignalState;
    bool fits = adjustment > 0 && adjustment <= semaphore->Limit - previous;
    if (fits)
        ntos_dispatcher_signal(&semaphore->Header, previous + adjustment);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    if (!fits)
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    return previous;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE semaphore)
{
    return ReadAcquire(&semaphore->Header.SignalState);
}

// --- Mutexes: the state is 1 when free, and one less with every acquisition of the owner ---

VOID KeInitializeMutex(PRKMUTEX mutex, ULONG level)
{
    *mutex = (KMUTEX){0};
    ntos_dispatcher_init(&mutex->Header, NTOS_DISPATCHER_MUTANT, sizeof(*mutex), 1);
}

LONG KeReleaseMutex(PRKMUTEX mutex, BOOLEAN wait)
{
    (void)ntos_irql_at_most("KeReleaseMutex", wait ? APC_LEVEL : DISPATCH_LEVEL);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    LONG previous = mutex->Header.SignalState;
    bool owned = mutex->OwnerThread == KeGetCurrentThread();
    if (owned) {
        if (previous + 1 == 1)
            mutex->OwnerThread = NULL;
        ntos_dispatcher_signal(&mutex->Header, previous + 1);
    }
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    if (!owned)
        ExRaiseStatus(STATUS_MUTANT_NOT_OWNED);
    return previous;
}

LONG KeReadStateMutex(PRKMUTEX mutex)
{
    return ReadAcquire(&mutex->Header.SignalState);
}
