// Pools of NET_BUFFER_LISTs, contexts, clones; the layouts of Windows.
#include "capture.h"

#include <ndis.h>

#if UINTPTR_MAX > UINT32_MAX
_Static_assert(offsetof(NET_BUFFER, MdlChain) == 32, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER, DataOffset) == 40, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER, NdisPoolHandle) == 56, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER, ProtocolReserved) == 80, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER_LIST, Context) == 16, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER_LIST, Scratch) == 112, "as on 64-bit Windows");
_Static_assert(offsetof(NET_BUFFER_LIST, NetBufferListInfo) == 144, "as on 64-bit Windows");
#endif

static NET_BUFFER_LIST_POOL_PARAMETERS parameters = {
    .Header = { NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 },
    .PoolTag = 'tseT',
    .fAllocateNetBuffer = TRUE,
};

static int nothing_left(void **state)
{
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    return counters.pool_blocks == 0 ? 0 : -1;
}

static void pools(void **state)
{
    NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    assert_non_null(pool);
    char data[100];
    PMDL mdl = NdisAllocateMdl(NULL, data, sizeof(data));
    PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 10, 80);
    assert_non_null(list);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(list)), 80);
    assert_null(NET_BUFFER_LIST_NEXT_NBL(list));
    assert_null(NET_BUFFER_LIST_INFO(list, TcpIpChecksumNetBufferListInfo));
    assert_ptr_equal(NdisGetPoolFromNetBufferList(list), pool);
    NdisFreeNetBufferListPool(pool);
    assert_violation("NdisFreeNetBufferListPool");
    NdisFreeNetBufferList(list);
    NdisFreeMdl(mdl);
    NdisFreeNetBufferListPool(pool);
    assert_no_reports();
}

static void parameters_are_checked(void **state)
{
    NET_BUFFER_LIST_POOL_PARAMETERS wrong = parameters;
    wrong.Header.Size = 0;
    assert_null(NdisAllocateNetBufferListPool(NULL, &wrong));
    assert_violation("NdisAllocateNetBufferListPool");
    wrong = parameters;
    wrong.fAllocateNetBuffer = FALSE;
    NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &wrong);
    assert_null(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, NULL, 0, 0));
    assert_violation("NdisAllocateNetBufferAndNetBufferList");
    PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
    assert_null(NET_BUFFER_LIST_FIRST_NB(list));
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
}

static void use_another_pool(void)
{
    (void)NdisAllocateNetBuffer(NdisAllocateNetBufferListPool(NULL, &parameters), NULL, 0, 0);
}

static void the_wrong_pool_is_a_bug_check(void **state)
{
    assert_bugcheck(use_another_pool, "is no such pool");
}

static void pools_with_data(void **state)
{
    NET_BUFFER_LIST_POOL_PARAMETERS with_data = parameters;
    with_data.DataSize = 1500;
    NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &with_data);
    PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
    PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
    assert_int_equal(MmGetMdlByteCount(NET_BUFFER_FIRST_MDL(buffer)), 1500);
    memset(MmGetSystemAddressForMdlSafe(NET_BUFFER_FIRST_MDL(buffer), NormalPagePriority), 1, 1500);
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
}

static void contexts(void **state)
{
    NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 16, 32);
    PUCHAR first = NET_BUFFER_LIST_CONTEXT_DATA_START(list);
    memset(first, 1, 16);
    assert_int_equal(NET_BUFFER_LIST_CONTEXT_DATA_SIZE(list), 48);
    assert_int_equal(NdisAllocateNetBufferListContext(list, 32, 0, 'txtC'), NDIS_STATUS_SUCCESS);
    PUCHAR second = NET_BUFFER_LIST_CONTEXT_DATA_START(list);
    assert_ptr_equal(second + 32, first);  // from the room kept for it
    assert_int_equal(NdisAllocateNetBufferListContext(list, 64, 0, 'txtC'), NDIS_STATUS_SUCCESS);
    assert_non_null(list->Context->Next);
    NdisFreeNetBufferListContext(list, 64);
    NdisFreeNetBufferListContext(list, 32);
    assert_ptr_equal(NET_BUFFER_LIST_CONTEXT_DATA_START(list), first);
    assert_no_reports();
    NdisFreeNetBufferListContext(list, 64);
    assert_violation("NdisFreeNetBufferListContext");
    NdisFreeNetBufferList(list);
    NdisFreeNetBufferListPool(pool);
}

static void clones(void **state)
{
    char data[] = "0123456789";
    NDIS_HANDLE pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    PMDL mdl = NdisAllocateMdl(NULL, data, 10);
    PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 2, 6);
    NET_BUFFER_LIST_INFO(list, NetBufferListHashValue) = (PVOID)7;
    PNET_BUFFER_LIST clone = NdisAllocateCloneNetBufferList(list, pool, NULL, 0);
    PNET_BUFFER copy = NET_BUFFER_LIST_FIRST_NB(clone);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(copy), 6);
    assert_ptr_equal(NdisGetDataBuffer(copy, 6, NULL, 1, 0), data + 2);
    assert_ptr_not_equal(NET_BUFFER_FIRST_MDL(copy), mdl);
    assert_ptr_equal(NET_BUFFER_LIST_INFO(clone, NetBufferListHashValue), (PVOID)7);
    assert_ptr_equal(clone->ParentNetBufferList, list);
    assert_int_equal(list->ChildRefCount, 1);
    // The clone's start moves without the original's.
    NdisAdvanceNetBufferDataStart(copy, 3, FALSE, NULL);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(list)), 6);
    NdisFreeCloneNetBufferList(clone, 0);
    clone = NdisAllocateCloneNetBufferList(list, NULL, NULL, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);
    assert_ptr_equal(NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(clone)), mdl);
    NdisFreeCloneNetBufferList(clone, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);
    assert_int_equal(list->ChildRefCount, 0);
    NdisFreeNetBufferList(list);
    NdisFreeMdl(mdl);
    NdisFreeNetBufferListPool(pool);
    assert_no_reports();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pools, capture_start, nothing_left),
        cmocka_unit_test_setup_teardown(parameters_are_checked, capture_start, nothing_left),
        cmocka_unit_test_setup_teardown(the_wrong_pool_is_a_bug_check, capture_start, nothing_left),
        cmocka_unit_test_setup_teardown(pools_with_data, capture_start, nothing_left),
        cmocka_unit_test_setup_teardown(contexts, capture_start, nothing_left),
        cmocka_unit_test_setup_teardown(clones, capture_start, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
