// NDIS's names for memory, objects and locks.
#include "capture.h"

#include <ndis.h>

static void memory(void **state)
{
    PVOID block;
    assert_int_equal(NdisAllocateMemoryWithTag(&block, 10, 'sidN'), NDIS_STATUS_SUCCESS);
    NdisFreeMemory(block, 10, 0);
    block = NdisAllocateMemoryWithTagPriority(NULL, 10, 'sidN', NormalPoolPriority);
    NdisZeroMemory(block, 10);
    NdisFreeMemory(block, 0, 0);
    PNDIS_GENERIC_OBJECT object = NdisAllocateGenericObject(NULL, 'sidN', 8);
    assert_int_equal(object->Header.Type, NDIS_OBJECT_TYPE_DEFAULT);
    NdisFreeGenericObject(object);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    assert_int_equal(counters.pool_blocks, 0);
}

static void locks(void **state)
{
    NDIS_SPIN_LOCK spin;
    NdisAllocateSpinLock(&spin);
    NdisAcquireSpinLock(&spin);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    NdisReleaseSpinLock(&spin);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    NdisFreeSpinLock(&spin);

    PNDIS_RW_LOCK_EX lock = NdisAllocateRWLock(NULL);
    LOCK_STATE_EX first, second;
    NdisAcquireRWLockRead(lock, &first, 0);
    NdisAcquireRWLockRead(lock, &second, NDIS_RWL_AT_DISPATCH_LEVEL);
    NdisReleaseRWLock(lock, &second);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    NdisReleaseRWLock(lock, &first);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    NdisAcquireRWLockWrite(lock, &first, 0);
    NdisReleaseRWLock(lock, &first);
    assert_no_reports();
    NdisReleaseRWLock(lock, &first);
    assert_violation("NdisReleaseRWLock");
    NdisFreeRWLock(lock);
}

static void events(void **state)
{
    NDIS_EVENT event;
    NdisInitializeEvent(&event);
    assert_false(NdisWaitEvent(&event, 5));
    NdisSetEvent(&event);
    assert_true(NdisWaitEvent(&event, 0));
    NdisResetEvent(&event);
    assert_false(NdisWaitEvent(&event, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory, capture_start),
        cmocka_unit_test_setup(locks, capture_start),
        cmocka_unit_test_setup(events, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
