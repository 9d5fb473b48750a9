// Deferred procedure calls and timers.
#include "capture.h"

static struct {
    KEVENT done;
    KDPC dpc;
    LONG calls;
    KIRQL irql;
    PVOID context, first, second;
    bool again;
} seen;

static VOID note(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    seen.irql = KeGetCurrentIrql();
    seen.context = context;
    seen.first = first;
    seen.second = second;
    if (InterlockedIncrement(&seen.calls) < 3 && seen.again)
        (void)KeInsertQueueDpc(dpc, NULL, NULL);
    (void)KeSetEvent(&seen.done, IO_NO_INCREMENT, FALSE);
}

static int setup(void **state)
{
    memset(&seen, 0, sizeof(seen));
    KeInitializeEvent(&seen.done, SynchronizationEvent, FALSE);
    KeInitializeDpc(&seen.dpc, note, &seen);
    return capture_start(state);
}

static NTSTATUS wait_ms(PVOID object, LONGLONG ms)
{
    LARGE_INTEGER timeout = { .QuadPart = -ms * 10000 };
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static void dpcs_run_at_dispatch(void **state)
{
    assert_true(KeInsertQueueDpc(&seen.dpc, (PVOID)1, (PVOID)2));
    assert_int_equal(wait_ms(&seen.done, 5000), STATUS_SUCCESS);
    assert_int_equal(seen.irql, DISPATCH_LEVEL);
    assert_ptr_equal(seen.context, &seen);
    assert_ptr_equal(seen.first, (PVOID)1);
    assert_ptr_equal(seen.second, (PVOID)2);
    assert_false(KeRemoveQueueDpc(&seen.dpc));
}

static VOID block(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    while (!ReadAcquire((LONG *)context))
        KeStallExecutionProcessor(1000);
}

static void queued_once_and_removed(void **state)
{
    KDPC blocker;
    LONG go = 0;
    KeInitializeDpc(&blocker, block, &go);
    assert_true(KeInsertQueueDpc(&blocker, NULL, NULL));
    assert_true(KeInsertQueueDpc(&seen.dpc, NULL, NULL));
    assert_false(KeInsertQueueDpc(&seen.dpc, NULL, NULL));
    assert_true(KeRemoveQueueDpc(&seen.dpc));
    InterlockedExchange(&go, 1);
    KeFlushQueuedDpcs();
    assert_int_equal(seen.calls, 0);
}

static void a_dpc_may_queue_itself(void **state)
{
    seen.again = true;
    assert_true(KeInsertQueueDpc(&seen.dpc, NULL, NULL));
    for (int i = 0; i < 100 && ReadAcquire(&seen.calls) < 3; i++)
        (void)usleep(10000);
    assert_int_equal(seen.calls, 3);
    KeFlushQueuedDpcs();
}

static void timers_signal_and_call(void **state)
{
    KTIMER timer;
    KeInitializeTimer(&timer);
    LARGE_INTEGER due = { .QuadPart = -30 * 10000 };
    assert_false(KeSetTimer(&timer, due, &seen.dpc));
    assert_true(KeSetTimer(&timer, due, &seen.dpc));
    assert_false(KeReadStateTimer(&timer));
    assert_int_equal(wait_ms(&timer, 5000), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&seen.done, 5000), STATUS_SUCCESS);
    assert_true(KeReadStateTimer(&timer));
    assert_int_equal(seen.calls, 1);
    assert_false(KeCancelTimer(&timer));
}

static void timers_expire_in_order(void **state)
{
    KTIMER first, second;
    KeInitializeTimer(&first);
    KeInitializeTimer(&second);
    LARGE_INTEGER late = { .QuadPart = -100 * 10000000LL }, soon = { .QuadPart = -10 * 10000 };
    (void)KeSetTimer(&first, late, NULL);
    (void)KeSetTimer(&second, soon, NULL);
    assert_int_equal(wait_ms(&second, 5000), STATUS_SUCCESS);
    assert_true(KeCancelTimer(&first));
    assert_int_equal(wait_ms(&first, 20), STATUS_TIMEOUT);
}

static void periodic_timers_repeat(void **state)
{
    KTIMER timer;
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    LARGE_INTEGER now = { .QuadPart = -1 };
    (void)KeSetTimerEx(&timer, now, 5, &seen.dpc);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_ms(&seen.done, 5000), STATUS_SUCCESS);
    assert_true(KeCancelTimer(&timer));
    KeFlushQueuedDpcs();
    LONG calls = seen.calls;
    (void)usleep(30000);
    assert_int_equal(seen.calls, calls);
    assert_int_equal(wait_ms(&timer, 0), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&timer, 0), STATUS_TIMEOUT);  // one expiry, one wait
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dpcs_run_at_dispatch, setup),
        cmocka_unit_test_setup(queued_once_and_removed, setup),
        cmocka_unit_test_setup(a_dpc_may_queue_itself, setup),
        cmocka_unit_test_setup(timers_signal_and_call, setup),
        cmocka_unit_test_setup(timers_expire_in_order, setup),
        cmocka_unit_test_setup(periodic_timers_repeat, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
