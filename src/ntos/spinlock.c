#include <sched.h>

#include "ntos/verify.h"

// Spins before giving the processor away: a spin lock is held for some hundred instructions, unless its holder was
// preempted, and then spinning on only takes the time its holder needs.
#define SPINS_BEFORE_YIELD 100

// The lock word is the owner's address: unique for each thread, never 0.
static KSPIN_LOCK self(void)
{
    return (KSPIN_LOCK)&ntos_thread;
}

static void pause_spinning(unsigned *spins)
{
    if (++*spins < SPINS_BEFORE_YIELD) {
        YieldProcessor();
        return;
    }
    *spins = 0;
    (void)sched_yield();
}

static void acquire(const char *function, PKSPIN_LOCK lock)
{
    KSPIN_LOCK me = self();
    unsigned spins = 0;
    for (;;) {
        KSPIN_LOCK owner = 0;
        if (__atomic_compare_exchange_n(lock, &owner, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        if (owner == me)
            ntos_bugcheck(function, SPIN_LOCK_ALREADY_OWNED, "this thread already holds the spin lock %p",
                          (void *)lock);
        pause_spinning(&spins);
    }
}

static void release(const char *function, PKSPIN_LOCK lock)
{
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != self())
        ntos_violation(function, "this thread does not hold the spin lock %p", (void *)lock);
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static KIRQL raise(const char *function)
{
    KIRQL old_irql = ntos_thread.irql;
    if (old_irql > DISPATCH_LEVEL)
        ntos_violation(function, "called at IRQL %u, allowed up to 2", old_irql);
    else
        ntos_thread.irql = DISPATCH_LEVEL;
    return old_irql;
}

static void lower(const char *function, KIRQL irql)
{
    if (ntos_thread.irql < DISPATCH_LEVEL)
        ntos_violation(function, "called at IRQL %u, allowed from 2", ntos_thread.irql);
    if (irql > ntos_thread.irql)
        ntos_violation(function, "cannot lower from IRQL %u to %u", ntos_thread.irql, irql);
    else
        ntos_thread.irql = irql;
}

VOID KeInitializeSpinLock(PKSPIN_LOCK lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELAXED);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock)
{
    KIRQL old_irql = raise("KeAcquireSpinLock");
    acquire("KeAcquireSpinLock", lock);
    return old_irql;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK lock, KIRQL new_irql)
{
    release("KeReleaseSpinLock", lock);
    lower("KeReleaseSpinLock", new_irql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock)
{
    (void)ntos_irql_at_least("KeAcquireSpinLockAtDpcLevel", DISPATCH_LEVEL);
    acquire("KeAcquireSpinLockAtDpcLevel", lock);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock)
{
    (void)ntos_irql_at_least("KeReleaseSpinLockFromDpcLevel", DISPATCH_LEVEL);
    release("KeReleaseSpinLockFromDpcLevel", lock);
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock)
{
    (void)ntos_irql_at_least("KeTryToAcquireSpinLockAtDpcLevel", DISPATCH_LEVEL);
    KSPIN_LOCK owner = 0;
    return __atomic_compare_exchange_n(lock, &owner, self(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK lock)
{
    return (BOOLEAN)(__atomic_load_n(lock, __ATOMIC_RELAXED) == 0);
}

KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK lock)
{
    return KeAcquireSpinLockRaiseToDpc(lock);
}

VOID KeReleaseSpinLockForDpc(PKSPIN_LOCK lock, KIRQL old_irql)
{
    KeReleaseSpinLock(lock, old_irql);
}

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle)
{
    handle->OldIrql = raise("KeAcquireInStackQueuedSpinLock");
    handle->LockQueue.Next = NULL;
    handle->LockQueue.Lock = lock;
    acquire("KeAcquireInStackQueuedSpinLock", lock);
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE handle)
{
    release("KeReleaseInStackQueuedSpinLock", handle->LockQueue.Lock);
    lower("KeReleaseInStackQueuedSpinLock", handle->OldIrql);
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle)
{
    handle->LockQueue.Next = NULL;
    handle->LockQueue.Lock = lock;
    KeAcquireSpinLockAtDpcLevel(lock);
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE handle)
{
    KeReleaseSpinLockFromDpcLevel(handle->LockQueue.Lock);
}

// --- Reader-writer spin locks: the number of readers, plus one bit for the writer ---

#define WRITER ((LONG)0x80000000)

static void acquire_shared(PEX_SPIN_LOCK lock)
{
    unsigned spins = 0;
    for (;;) {
        LONG value = __atomic_load_n(lock, __ATOMIC_RELAXED);
        if (!(value & WRITER) &&
            __atomic_compare_exchange_n(lock, &value, value + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        pause_spinning(&spins);
    }
}

// The writer takes its bit first, which keeps new readers out, then waits for the others to leave.
static void acquire_exclusive(PEX_SPIN_LOCK lock)
{
    unsigned spins = 0;
    while (__atomic_fetch_or(lock, WRITER, __ATOMIC_ACQUIRE) & WRITER)
        pause_spinning(&spins);
    while (__atomic_load_n(lock, __ATOMIC_ACQUIRE) != WRITER)
        pause_spinning(&spins);
}

static void release_shared(const char *function, PEX_SPIN_LOCK lock)
{
    if ((__atomic_fetch_sub(lock, 1, __ATOMIC_RELEASE) & ~WRITER) == 0) {
        ntos_violation(function, "the spin lock %p is not held shared", (void *)lock);
        __atomic_fetch_add(lock, 1, __ATOMIC_RELAXED);
    }
}

static void release_exclusive(const char *function, PEX_SPIN_LOCK lock)
{
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != WRITER)
        ntos_violation(function, "the spin lock %p is not held exclusively", (void *)lock);
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK lock)
{
    KIRQL old_irql = raise("ExAcquireSpinLockShared");
    acquire_shared(lock);
    return old_irql;
}

KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK lock)
{
    KIRQL old_irql = raise("ExAcquireSpinLockExclusive");
    acquire_exclusive(lock);
    return old_irql;
}

VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK lock, KIRQL old_irql)
{
    release_shared("ExReleaseSpinLockShared", lock);
    lower("ExReleaseSpinLockShared", old_irql);
}

VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK lock, KIRQL old_irql)
{
    release_exclusive("ExReleaseSpinLockExclusive", lock);
    lower("ExReleaseSpinLockExclusive", old_irql);
}

VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK lock)
{
    (void)ntos_irql_at_least("ExAcquireSpinLockSharedAtDpcLevel", DISPATCH_LEVEL);
    acquire_shared(lock);
}

VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK lock)
{
    (void)ntos_irql_at_least("ExAcquireSpinLockExclusiveAtDpcLevel", DISPATCH_LEVEL);
    acquire_exclusive(lock);
}

VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK lock)
{
    release_shared("ExReleaseSpinLockSharedFromDpcLevel", lock);
}

VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK lock)
{
    release_exclusive("ExReleaseSpinLockExclusiveFromDpcLevel", lock);
}

LONG ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK lock)
{
    LONG one = 1;
    return __atomic_compare_exchange_n(lock, &one, WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

// --- Lists under spin locks, and with interlocked heads ---

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry, ULONG_PTR *lock)
{
    acquire("ExInterlockedInsertHeadList", lock);
    PLIST_ENTRY first = IsListEmpty(head) ? NULL : head->Flink;
    InsertHeadList(head, entry);
    release("ExInterlockedInsertHeadList", lock);
    return first;
}

PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry, ULONG_PTR *lock)
{
    acquire("ExInterlockedInsertTailList", lock);
    PLIST_ENTRY last = IsListEmpty(head) ? NULL : head->Blink;
    InsertTailList(head, entry);
    release("ExInterlockedInsertTailList", lock);
    return last;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY head, ULONG_PTR *lock)
{
    acquire("ExInterlockedRemoveHeadList", lock);
    PLIST_ENTRY entry = IsListEmpty(head) ? NULL : RemoveHeadList(head);
    release("ExInterlockedRemoveHeadList", lock);
    return entry;
}

PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY head, PSINGLE_LIST_ENTRY entry, ULONG_PTR *lock)
{
    acquire("ExInterlockedPushEntryList", lock);
    PSINGLE_LIST_ENTRY first = head->Next;
    PushEntryList(head, entry);
    release("ExInterlockedPushEntryList", lock);
    return first;
}

PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY head, ULONG_PTR *lock)
{
    acquire("ExInterlockedPopEntryList", lock);
    PSINGLE_LIST_ENTRY entry = PopEntryList(head);
    release("ExInterlockedPopEntryList", lock);
    return entry;
}

VOID InitializeSListHead(PSLIST_HEADER head)
{
    *head = (SLIST_HEADER){0};
}

static void enter_slist(PSLIST_HEADER head)
{
    unsigned spins = 0;
    while (__atomic_exchange_n(&head->Busy, 1, __ATOMIC_ACQUIRE))
        pause_spinning(&spins);
}

static void leave_slist(PSLIST_HEADER head)
{
    __atomic_store_n(&head->Busy, 0, __ATOMIC_RELEASE);
}

PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER head, PSLIST_ENTRY entry)
{
    enter_slist(head);
    PSLIST_ENTRY first = head->First;
    entry->Next = first;
    head->First = entry;
    head->Depth++;
    leave_slist(head);
    return first;
}

PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER head)
{
    enter_slist(head);
    PSLIST_ENTRY entry = head->First;
    if (entry) {
        head->First = entry->Next;
        head->Depth--;
    }
    leave_slist(head);
    return entry;
}

PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER head)
{
    enter_slist(head);
    PSLIST_ENTRY first = head->First;
    head->First = NULL;
    head->Depth = 0;
    leave_slist(head);
    return first;
}
