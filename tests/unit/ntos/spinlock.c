// Spin locks: mutual exclusion, IRQL, misuse; interlocked lists.
#include "capture.h"

#define ROUNDS 20000

static KSPIN_LOCK lock;
static EX_SPIN_LOCK shared_lock;
static volatile long counter;
static SLIST_HEADER slist;

static void *count_locked(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL irql;
        KeAcquireSpinLock(&lock, &irql);
        counter++;
        KeReleaseSpinLock(&lock, irql);
    }
    return NULL;
}

static void *count_exclusive(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL irql = ExAcquireSpinLockExclusive(&shared_lock);
        counter++;
        ExReleaseSpinLockExclusive(&shared_lock, irql);
        irql = ExAcquireSpinLockShared(&shared_lock);
        long first = counter, second = counter;
        if (first != second)
            abort();
        ExReleaseSpinLockShared(&shared_lock, irql);
    }
    return NULL;
}

static SLIST_ENTRY slist_entries[8];

// Each takes an entry and puts it back, again and again: none may get lost or be given out twice.
static void *push_and_pop(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        PSLIST_ENTRY entry = InterlockedPopEntrySList(&slist);
        if (!entry)
            abort();
        (void)InterlockedPushEntrySList(&slist, entry);
    }
    return NULL;
}

static void run_two(void *(*routine)(void *))
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, routine, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void one_at_a_time(void **state)
{
    KeInitializeSpinLock(&lock);
    counter = 0;
    run_two(count_locked);
    assert_int_equal(counter, 2 * ROUNDS);
    counter = 0;
    run_two(count_exclusive);
    assert_int_equal(counter, 2 * ROUNDS);
    assert_no_reports();
}

static void irql_follows(void **state)
{
    KIRQL irql;
    KLOCK_QUEUE_HANDLE handle;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    assert_int_equal(irql, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_false(KeTestSpinLock(&lock));
    KeReleaseSpinLock(&lock, irql);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeAcquireInStackQueuedSpinLock(&lock, &handle);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeReleaseInStackQueuedSpinLock(&handle);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    assert_true(KeTryToAcquireSpinLockAtDpcLevel(&lock));
    assert_false(KeTryToAcquireSpinLockAtDpcLevel(&lock));
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeLowerIrql(irql);
    assert_no_reports();
}

static void misuse_is_reported(void **state)
{
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLockAtDpcLevel(&lock);
    assert_violation("KeAcquireSpinLockAtDpcLevel");
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, irql);
    assert_no_reports();
    irql = KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, irql);
    assert_violation("KeReleaseSpinLock");
    irql = KeRaiseIrqlToDpcLevel();
    EX_SPIN_LOCK other = 0;
    ExReleaseSpinLockShared(&other, irql);
    assert_violation("ExReleaseSpinLockShared");
    assert_int_equal(other, 0);
}

static void take_twice(void)
{
    KIRQL irql;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeAcquireSpinLock(&lock, &irql);
}

static void taking_it_twice_is_a_bug_check(void **state)
{
    assert_bugcheck(take_twice, "0x0000000F: this thread already holds the spin lock");
}

static void readers_convert(void **state)
{
    EX_SPIN_LOCK other = 0;
    KIRQL irql = ExAcquireSpinLockShared(&other);
    assert_true(ExTryConvertSharedSpinLockExclusive(&other));
    ExReleaseSpinLockExclusive(&other, irql);
    irql = ExAcquireSpinLockShared(&other);
    ExAcquireSpinLockSharedAtDpcLevel(&other);
    assert_false(ExTryConvertSharedSpinLockExclusive(&other));
    ExReleaseSpinLockSharedFromDpcLevel(&other);
    ExReleaseSpinLockShared(&other, irql);
}

static void lists(void **state)
{
    LIST_ENTRY head, entries[3];
    KSPIN_LOCK guard = 0;
    InitializeListHead(&head);
    assert_null(ExInterlockedRemoveHeadList(&head, &guard));
    assert_null(ExInterlockedInsertTailList(&head, &entries[0], &guard));
    assert_ptr_equal(ExInterlockedInsertTailList(&head, &entries[1], &guard), &entries[0]);
    assert_ptr_equal(ExInterlockedInsertHeadList(&head, &entries[2], &guard), &entries[0]);
    assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &guard), &entries[2]);
    assert_ptr_equal(RemoveTailList(&head), &entries[1]);
    assert_true(RemoveEntryList(&entries[0]));
    assert_true(IsListEmpty(&head));

    SLIST_ENTRY a, b;
    InitializeSListHead(&slist);
    assert_null(InterlockedPopEntrySList(&slist));
    assert_null(InterlockedPushEntrySList(&slist, &a));
    assert_ptr_equal(InterlockedPushEntrySList(&slist, &b), &a);
    assert_int_equal(ExQueryDepthSList(&slist), 2);
    assert_ptr_equal(InterlockedPopEntrySList(&slist), &b);
    assert_ptr_equal(InterlockedFlushSList(&slist), &a);
    assert_int_equal(ExQueryDepthSList(&slist), 0);
    for (int i = 0; i < 8; i++)
        (void)InterlockedPushEntrySList(&slist, &slist_entries[i]);
    run_two(push_and_pop);
    assert_int_equal(ExQueryDepthSList(&slist), 8);
    unsigned found = 0;
    for (PSLIST_ENTRY entry; (entry = InterlockedPopEntrySList(&slist));)
        found |= 1u << (entry - slist_entries);
    assert_int_equal(found, 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_at_a_time, capture_start),
        cmocka_unit_test_setup(irql_follows, capture_start),
        cmocka_unit_test_setup(misuse_is_reported, capture_start),
        cmocka_unit_test_setup(taking_it_twice_is_a_bug_check, capture_start),
        cmocka_unit_test_setup(readers_convert, capture_start),
        cmocka_unit_test_setup(lists, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
