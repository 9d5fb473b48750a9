// Locks that wait: fast mutexes, resources, push locks, rundown protection. None is on a hot path of a callout, so they
// share one lock and one condition variable, but for the event of fast mutexes and rundown protection.
#include <pthread.h>

#include "ntos/dispatcher.h"
#include "ntos/verify.h"

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void wait_event(PRKEVENT event)
{
    PVOID object = event;
    (void)ntos_dispatcher_wait(1, &object, WaitAny, NULL);
}

// --- Fast mutexes: Count is 1 when free, less when held and waited for ---

VOID ExInitializeFastMutex(PFAST_MUTEX mutex)
{
    *mutex = (FAST_MUTEX){ .Count = 1 };
    KeInitializeEvent(&mutex->Event, SynchronizationEvent, FALSE);
}

static bool acquire_fast(const char *function, PFAST_MUTEX mutex)
{
    if (!ntos_irql_at_most(function, APC_LEVEL))
        return false;
    if (ReadPointerNoFence(&mutex->Owner) == KeGetCurrentThread())
        ntos_bugcheck(function, DRIVER_VERIFIER_DETECTED_VIOLATION, "this thread already holds the fast mutex %p",
                      (void *)mutex);
    if (InterlockedDecrement(&mutex->Count) != 0) {
        mutex->Contention++;
        wait_event(&mutex->Event);
    }
    WritePointerNoFence(&mutex->Owner, KeGetCurrentThread());
    return true;
}

static void release_fast(const char *function, PFAST_MUTEX mutex)
{
    if (ReadPointerNoFence(&mutex->Owner) != KeGetCurrentThread()) {
        ntos_violation(function, "this thread does not hold the fast mutex %p", (void *)mutex);
        return;
    }
    WritePointerNoFence(&mutex->Owner, NULL);
    if (InterlockedIncrement(&mutex->Count) <= 0)
        (void)KeSetEvent(&mutex->Event, IO_NO_INCREMENT, FALSE);
}

VOID ExAcquireFastMutex(PFAST_MUTEX mutex)
{
    KIRQL old_irql = ntos_thread.irql;
    if (!acquire_fast("ExAcquireFastMutex", mutex))
        return;
    mutex->OldIrql = old_irql;
    ntos_thread.irql = APC_LEVEL;
}

VOID ExReleaseFastMutex(PFAST_MUTEX mutex)
{
    KIRQL old_irql = (KIRQL)mutex->OldIrql;
    if (ReadPointerNoFence(&mutex->Owner) == KeGetCurrentThread())
        ntos_thread.irql = old_irql;
    release_fast("ExReleaseFastMutex", mutex);
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX mutex)
{
    (void)acquire_fast("ExAcquireFastMutexUnsafe", mutex);
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX mutex)
{
    release_fast("ExReleaseFastMutexUnsafe", mutex);
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX mutex)
{
    if (!ntos_irql_at_most("ExTryToAcquireFastMutex", APC_LEVEL))
        return FALSE;
    if (InterlockedCompareExchange(&mutex->Count, 0, 1) != 1)
        return FALSE;
    WritePointerNoFence(&mutex->Owner, KeGetCurrentThread());
    mutex->OldIrql = ntos_thread.irql;
    ntos_thread.irql = APC_LEVEL;
    return TRUE;
}

// --- Resources ---

NTSTATUS ExInitializeResourceLite(PERESOURCE resource)
{
    *resource = (ERESOURCE){0};
    InitializeListHead(&resource->SystemResourcesList);
    return STATUS_SUCCESS;
}

NTSTATUS ExReinitializeResourceLite(PERESOURCE resource)
{
    return ExInitializeResourceLite(resource);
}

NTSTATUS ExDeleteResourceLite(PERESOURCE resource)
{
    (void)ntos_irql_at_most("ExDeleteResourceLite", APC_LEVEL);
    if (resource->Writer || resource->Readers)
        ntos_violation("ExDeleteResourceLite", "the resource %p is still held", (void *)resource);
    return STATUS_SUCCESS;
}

// The depth of this thread's entry among the readers; with `make`, of a free one that becomes its own. Or NULL.
static ULONG *find_reader(PERESOURCE resource, bool make)
{
    PVOID me = KeGetCurrentThread();
    int unused = -1;
    for (int i = 0; i < NTOS_RESOURCE_OWNERS; i++) {
        if (resource->ReaderTable[i].Depth == 0)
            unused = i;
        else if (resource->ReaderTable[i].Thread == me)
            return &resource->ReaderTable[i].Depth;
    }
    if (!make || unused < 0)
        return NULL;
    resource->ReaderTable[unused].Thread = me;
    return &resource->ReaderTable[unused].Depth;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE resource, BOOLEAN wait)
{
    if (!ntos_irql_at_most("ExAcquireResourceExclusiveLite", APC_LEVEL))
        return FALSE;
    PVOID me = KeGetCurrentThread();
    pthread_mutex_lock(&guard);
    bool got = resource->Writer == me || (!resource->Writer && !resource->Readers);
    if (!got && wait) {
        resource->WaitingWriters++;
        while (resource->Writer || resource->Readers)
            pthread_cond_wait(&changed, &guard);
        resource->WaitingWriters--;
        got = true;
    }
    if (got) {
        resource->Writer = me;
        resource->WriterDepth++;
    }
    pthread_mutex_unlock(&guard);
    return got;
}

static BOOLEAN acquire_shared(const char *function, PERESOURCE resource, BOOLEAN wait, bool starve_writers)
{
    if (!ntos_irql_at_most(function, APC_LEVEL))
        return FALSE;
    PVOID me = KeGetCurrentThread();
    pthread_mutex_lock(&guard);
    bool got = false;
    if (resource->Writer == me) {
        resource->WriterDepth++;
        got = true;
    } else {
        ULONG *depth = find_reader(resource, false);
        while (!depth && (resource->Writer || (resource->WaitingWriters && !starve_writers)) && wait) {
            resource->WaitingReaders++;
            pthread_cond_wait(&changed, &guard);
            resource->WaitingReaders--;
        }
        got = depth || (!resource->Writer && (starve_writers || !resource->WaitingWriters));
        if (got) {
            resource->Readers++;
            depth = find_reader(resource, true);
            if (depth)
                ++*depth;
        }
    }
    pthread_mutex_unlock(&guard);
    return got;
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE resource, BOOLEAN wait)
{
    return acquire_shared("ExAcquireResourceSharedLite", resource, wait, false);
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE resource, BOOLEAN wait)
{
    return acquire_shared("ExAcquireSharedStarveExclusive", resource, wait, true);
}

BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE resource, BOOLEAN wait)
{
    return acquire_shared("ExAcquireSharedWaitForExclusive", resource, wait, false);
}

VOID ExReleaseResourceLite(PERESOURCE resource)
{
    if (!ntos_irql_at_most("ExReleaseResourceLite", DISPATCH_LEVEL))
        return;
    bool held = true;
    pthread_mutex_lock(&guard);
    if (resource->Writer == KeGetCurrentThread()) {
        if (--resource->WriterDepth == 0)
            resource->Writer = NULL;
    } else if (resource->Readers) {
        ULONG *depth = find_reader(resource, false);
        if (depth)
            --*depth;
        resource->Readers--;
    } else {
        held = false;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&guard);
    if (!held)
        ntos_violation("ExReleaseResourceLite", "this thread does not hold the resource %p", (void *)resource);
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE resource)
{
    pthread_mutex_lock(&guard);
    bool held = resource->Writer == KeGetCurrentThread();
    if (held) {
        resource->Readers = resource->WriterDepth;
        resource->Writer = NULL;
        ULONG *depth = find_reader(resource, true);
        if (depth)
            *depth = resource->WriterDepth;
        resource->WriterDepth = 0;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&guard);
    if (!held)
        ntos_violation("ExConvertExclusiveToSharedLite", "this thread does not hold the resource %p exclusively",
                       (void *)resource);
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE resource)
{
    return (BOOLEAN)(__atomic_load_n(&resource->Writer, __ATOMIC_RELAXED) == KeGetCurrentThread());
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE resource)
{
    pthread_mutex_lock(&guard);
    ULONG *depth = find_reader(resource, false);
    ULONG count = resource->Writer == KeGetCurrentThread() ? resource->WriterDepth : depth ? *depth : 0;
    pthread_mutex_unlock(&guard);
    return count;
}

// --- Push locks ---

#define PUSH_EXCLUSIVE (~(ULONG_PTR)0)

VOID ExInitializePushLock(PEX_PUSH_LOCK lock)
{
    lock->State = 0;
}

VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK lock)
{
    if (!ntos_irql_at_most("ExAcquirePushLockExclusive", APC_LEVEL))
        return;
    pthread_mutex_lock(&guard);
    while (lock->State != 0)
        pthread_cond_wait(&changed, &guard);
    lock->State = PUSH_EXCLUSIVE;
    pthread_mutex_unlock(&guard);
}

VOID ExAcquirePushLockShared(PEX_PUSH_LOCK lock)
{
    if (!ntos_irql_at_most("ExAcquirePushLockShared", APC_LEVEL))
        return;
    pthread_mutex_lock(&guard);
    while (lock->State == PUSH_EXCLUSIVE)
        pthread_cond_wait(&changed, &guard);
    lock->State++;
    pthread_mutex_unlock(&guard);
}

static void release_push(const char *function, PEX_PUSH_LOCK lock, bool exclusive)
{
    pthread_mutex_lock(&guard);
    bool held = exclusive ? lock->State == PUSH_EXCLUSIVE : lock->State != 0 && lock->State != PUSH_EXCLUSIVE;
    if (held)
        lock->State = exclusive ? 0 : lock->State - 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&guard);
    if (!held)
        ntos_violation(function, "the push lock %p is not held that way", (void *)lock);
}

VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK lock)
{
    release_push("ExReleasePushLockExclusive", lock, true);
}

VOID ExReleasePushLockShared(PEX_PUSH_LOCK lock)
{
    release_push("ExReleasePushLockShared", lock, false);
}

// --- Rundown protection ---

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF rundown)
{
    rundown->Count = 0;
    KeInitializeEvent(&rundown->Drained, NotificationEvent, FALSE);
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF rundown)
{
    ExInitializeRundownProtection(rundown);
}

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count)
{
    LONG64 value = ReadNoFence64(&rundown->Count);
    for (;;) {
        if (value & 1)
            return FALSE;
        if (__atomic_compare_exchange_n(&rundown->Count, &value, value + 2 * (LONG64)count, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return TRUE;
    }
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF rundown)
{
    return ExAcquireRundownProtectionEx(rundown, 1);
}

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count)
{
    LONG64 left = __atomic_sub_fetch(&rundown->Count, 2 * (LONG64)count, __ATOMIC_SEQ_CST);
    if (left < 0)
        ntos_bugcheck("ExReleaseRundownProtection", REFERENCE_BY_POINTER, "more releases than acquisitions");
    if (left == 1)
        (void)KeSetEvent(&rundown->Drained, IO_NO_INCREMENT, FALSE);
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF rundown)
{
    ExReleaseRundownProtectionEx(rundown, 1);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF rundown)
{
    if (!ntos_irql_at_most("ExWaitForRundownProtectionRelease", APC_LEVEL))
        return;
    if (__atomic_or_fetch(&rundown->Count, 1, __ATOMIC_SEQ_CST) != 1)
        wait_event(&rundown->Drained);
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF rundown)
{
    (void)__atomic_fetch_or(&rundown->Count, 1, __ATOMIC_SEQ_CST);
}
