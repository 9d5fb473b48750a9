#include "ntos/dpc.h"

#include <errno.h>
#include <stdlib.h>

#include "ntos/dispatcher.h"
#include "ntos/verify.h"

#define DPC_TYPE 19  // DpcObject

// All below is guarded by the dispatcher lock, which timers need anyway.
static pthread_once_t started = PTHREAD_ONCE_INIT;
static pthread_cond_t work, idle;
static LIST_ENTRY queue = { &queue, &queue };
static LIST_ENTRY timers = { &timers, &timers };  // by due time
static PKDPC running;
static uint64_t completed;  // DPCs run so far

static void insert_timer(PKTIMER timer)
{
    PLIST_ENTRY before = &timers;
    while (before->Blink != &timers &&
           CONTAINING_RECORD(before->Blink, KTIMER, TimerListEntry)->DueTime > timer->DueTime)
        before = before->Blink;
    InsertTailList(before, &timer->TimerListEntry);
    timer->Inserted = TRUE;
}

static void remove_timer(PKTIMER timer)
{
    RemoveEntryList(&timer->TimerListEntry);
    timer->Inserted = FALSE;
}

static bool queue_dpc(PKDPC dpc, PVOID argument1, PVOID argument2)
{
    if (dpc->DpcData)
        return false;
    dpc->DpcData = &queue;
    dpc->SystemArgument1 = argument1;
    dpc->SystemArgument2 = argument2;
    if (dpc->Importance == HighImportance)
        InsertHeadList(&queue, &dpc->DpcListEntry);
    else
        InsertTailList(&queue, &dpc->DpcListEntry);
    pthread_cond_signal(&work);
    return true;
}

static void unqueue_dpc(PKDPC dpc)
{
    RemoveEntryList(&dpc->DpcListEntry);
    dpc->DpcData = NULL;
}

static void expire_timer(PKTIMER timer, uint64_t now)
{
    remove_timer(timer);
    if (timer->Period > 0) {
        timer->DueTime = now + (uint64_t)timer->Period * 10000;
        insert_timer(timer);
    }
    LARGE_INTEGER time;
    ntos_system_time(&time);
    if (timer->Dpc)
        (void)queue_dpc(timer->Dpc, (PVOID)(ULONG_PTR)time.LowPart, (PVOID)(LONG_PTR)time.HighPart);
    ntos_dispatcher_signal(&timer->Header, 1);
}

// Called with the lock held, which it gives up while the routine runs.
static void run_dpc(PKDPC dpc)
{
    unqueue_dpc(dpc);
    running = dpc;
    KDPC copy = *dpc;
    pthread_mutex_unlock(&ntos_dispatcher_lock);

    ntos_thread.irql = DISPATCH_LEVEL;
    copy.DeferredRoutine(dpc, copy.DeferredContext, copy.SystemArgument1, copy.SystemArgument2);
    if (ntos_thread.irql != DISPATCH_LEVEL)
        ntos_violation("KeInsertQueueDpc", "a DPC routine returned at IRQL %u", ntos_thread.irql);
    ntos_thread.irql = PASSIVE_LEVEL;

    pthread_mutex_lock(&ntos_dispatcher_lock);
    running = NULL;
    completed++;
    pthread_cond_broadcast(&idle);
}

static void *serve(void *argument)
{
    pthread_mutex_lock(&ntos_dispatcher_lock);
    for (;;) {
        uint64_t now = ntos_clock_now();
        while (!IsListEmpty(&timers)) {
            PKTIMER first = CONTAINING_RECORD(timers.Flink, KTIMER, TimerListEntry);
            if (first->DueTime > now)
                break;
            expire_timer(first, now);
        }
        if (!IsListEmpty(&queue)) {
            run_dpc(CONTAINING_RECORD(queue.Flink, KDPC, DpcListEntry));
            continue;
        }
        if (IsListEmpty(&timers)) {
            pthread_cond_wait(&work, &ntos_dispatcher_lock);
        } else {
            struct timespec until =
                ntos_clock_timespec(CONTAINING_RECORD(timers.Flink, KTIMER, TimerListEntry)->DueTime);
            (void)pthread_cond_timedwait(&work, &ntos_dispatcher_lock, &until);
        }
    }
    return NULL;
}

static void start(void)
{
    ntos_condition_init(&work);
    ntos_condition_init(&idle);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, NULL) != 0)
        ntos_bugcheck("KeInsertQueueDpc", MANUALLY_INITIATED_CRASH, "no thread for DPCs and timers");
    pthread_detach(thread);
}

// --- DPCs ---

VOID KeInitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context)
{
    *dpc = (KDPC){ .Type = DPC_TYPE, .Importance = MediumImportance, .DeferredRoutine = routine,
                   .DeferredContext = context };
}

BOOLEAN KeInsertQueueDpc(PRKDPC dpc, PVOID argument1, PVOID argument2)
{
    pthread_once(&started, start);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    bool inserted = queue_dpc(dpc, argument1, argument2);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    return inserted;
}

BOOLEAN KeRemoveQueueDpc(PRKDPC dpc)
{
    return KeRemoveQueueDpcEx(dpc, FALSE);
}

BOOLEAN KeRemoveQueueDpcEx(PRKDPC dpc, BOOLEAN wait)
{
    if (wait && !ntos_irql_at_most("KeRemoveQueueDpcEx", APC_LEVEL))
        wait = FALSE;
    pthread_mutex_lock(&ntos_dispatcher_lock);
    bool removed = dpc->DpcData != NULL;
    if (removed)
        unqueue_dpc(dpc);
    while (wait && running == dpc)
        pthread_cond_wait(&idle, &ntos_dispatcher_lock);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    return removed;
}

// Waits for what was queued before the call, not for what DPCs queue meanwhile.
VOID KeFlushQueuedDpcs(VOID)
{
    if (!ntos_irql_at_most("KeFlushQueuedDpcs", APC_LEVEL))
        return;
    pthread_once(&started, start);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    uint64_t target = completed + (running != NULL);
    for (PLIST_ENTRY entry = queue.Flink; entry != &queue; entry = entry->Flink)
        target++;
    while (completed < target && (running || !IsListEmpty(&queue)))
        pthread_cond_wait(&idle, &ntos_dispatcher_lock);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
}

VOID KeSetImportanceDpc(PRKDPC dpc, KDPC_IMPORTANCE importance)
{
    dpc->Importance = (UCHAR)importance;
}

VOID KeSetTargetProcessorDpc(PRKDPC dpc, CCHAR number)
{
    dpc->Number = (USHORT)number;
}

NTSTATUS KeSetTargetProcessorDpcEx(PRKDPC dpc, PPROCESSOR_NUMBER number)
{
    dpc->Number = number->Number;
    return STATUS_SUCCESS;
}

// --- Timers ---

VOID KeInitializeTimer(PKTIMER timer)
{
    KeInitializeTimerEx(timer, NotificationTimer);
}

VOID KeInitializeTimerEx(PKTIMER timer, TIMER_TYPE type)
{
    *timer = (KTIMER){0};
    ntos_dispatcher_init(&timer->Header,
                         type == NotificationTimer ? NTOS_DISPATCHER_TIMER_NOTIFICATION
                                                   : NTOS_DISPATCHER_TIMER_SYNCHRONIZATION,
                         sizeof(*timer), 0);
}

static BOOLEAN set_timer(PKTIMER timer, LARGE_INTEGER due_time, LONG period_ms, PKDPC dpc, PVOID setter)
{
    (void)ntos_irql_at_most("KeSetTimer", DISPATCH_LEVEL);
    pthread_once(&started, start);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    bool was_set = timer->Inserted;
    if (was_set)
        remove_timer(timer);
    timer->DueTime = ntos_clock_due(due_time);
    timer->Period = period_ms;
    timer->Dpc = dpc;
    timer->Setter = setter;
    WriteRelease(&timer->Header.SignalState, 0);
    insert_timer(timer);
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    return was_set;
}

BOOLEAN KeSetTimer(PKTIMER timer, LARGE_INTEGER due_time, PKDPC dpc)
{
    return set_timer(timer, due_time, 0, dpc, __builtin_return_address(0));
}

BOOLEAN KeSetTimerEx(PKTIMER timer, LARGE_INTEGER due_time, LONG period_ms, PKDPC dpc)
{
    return set_timer(timer, due_time, period_ms, dpc, __builtin_return_address(0));
}

BOOLEAN KeSetCoalescableTimer(PKTIMER timer, LARGE_INTEGER due_time, ULONG period_ms, ULONG tolerance_ms, PKDPC dpc)
{
    return set_timer(timer, due_time, (LONG)period_ms, dpc, __builtin_return_address(0));
}

BOOLEAN KeCancelTimer(PKTIMER timer)
{
    (void)ntos_irql_at_most("KeCancelTimer", DISPATCH_LEVEL);
    pthread_mutex_lock(&ntos_dispatcher_lock);
    bool was_set = timer->Inserted;
    if (was_set)
        remove_timer(timer);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    return was_set;
}

BOOLEAN KeReadStateTimer(PKTIMER timer)
{
    return (BOOLEAN)(ReadAcquire(&timer->Header.SignalState) > 0);
}

// --- Sweeping ---

static bool within(const void *address, const void *start_address, const void *end)
{
    return (const char *)address >= (const char *)start_address && (const char *)address < (const char *)end;
}

static bool belongs(const KTIMER *timer, const KDPC *dpc, const void *start_address, const void *end, bool by_storage)
{
    if (by_storage)
        return within(timer ? (const void *)timer : (const void *)dpc, start_address, end);
    if (timer && within(timer->Setter, start_address, end))
        return true;
    const KDPC *routine_of = timer ? timer->Dpc : dpc;
    return routine_of && within((const void *)(ULONG_PTR)routine_of->DeferredRoutine, start_address, end);
}

static void remove_matching(const void *start_address, const void *end, bool by_storage, unsigned *ret_timers,
                            unsigned *ret_dpcs)
{
    *ret_timers = *ret_dpcs = 0;
    for (PLIST_ENTRY entry = timers.Flink, next; entry != &timers; entry = next) {
        next = entry->Flink;
        PKTIMER timer = CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
        if (!belongs(timer, NULL, start_address, end, by_storage))
            continue;
        remove_timer(timer);
        ++*ret_timers;
    }
    for (PLIST_ENTRY entry = queue.Flink, next; entry != &queue; entry = next) {
        next = entry->Flink;
        PKDPC dpc = CONTAINING_RECORD(entry, KDPC, DpcListEntry);
        if (!belongs(NULL, dpc, start_address, end, by_storage))
            continue;
        unqueue_dpc(dpc);
        ++*ret_dpcs;
    }
}

unsigned ntos_dpcs_sweep(const void *start_address, const void *end)
{
    unsigned timer_count, dpc_count;
    pthread_mutex_lock(&ntos_dispatcher_lock);
    remove_matching(start_address, end, false, &timer_count, &dpc_count);
    while (running)
        pthread_cond_wait(&idle, &ntos_dispatcher_lock);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    if (timer_count)
        ntos_leak("KeSetTimer", "%u timers are still set", timer_count);
    if (dpc_count)
        ntos_leak("KeInsertQueueDpc", "%u DPCs are still queued", dpc_count);
    return timer_count + dpc_count;
}

void ntos_dpcs_freed(const void *start_address, const void *end)
{
    unsigned timer_count = 0, dpc_count = 0;
    pthread_mutex_lock(&ntos_dispatcher_lock);
    if (!IsListEmpty(&timers) || !IsListEmpty(&queue))
        remove_matching(start_address, end, true, &timer_count, &dpc_count);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    if (timer_count || dpc_count)
        ntos_violation("ExFreePool", "the block holds %u timers that are set and %u DPCs that are queued", timer_count,
                       dpc_count);
}
