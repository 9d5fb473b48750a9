// The data of a NET_BUFFER: contiguous access, moving its start, copying.
#include "capture.h"

#include <ndis.h>

static NDIS_HANDLE pool;

static int setup(void **state)
{
    NET_BUFFER_POOL_PARAMETERS parameters = {
        .Header = { NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                    NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 },
        .PoolTag = 'tseT',
    };
    (void)capture_start(state);
    pool = NdisAllocateNetBufferPool(NULL, &parameters);
    return pool ? 0 : -1;
}

static int teardown(void **state)
{
    NdisFreeNetBufferPool(pool);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    return counters.pool_blocks == 0 ? 0 : -1;
}

// Three MDLs over "abcdefghij": 3, 0 and 7 bytes.
static char bytes[11];
static MDL mdls[3];

static PNET_BUFFER make(ULONG offset, ULONG length)
{
    memcpy(bytes, "abcdefghij", 11);
    MmInitializeMdl(&mdls[0], bytes, 3);
    MmInitializeMdl(&mdls[1], bytes + 3, 0);
    MmInitializeMdl(&mdls[2], bytes + 3, 7);
    for (int i = 0; i < 3; i++) {
        MmBuildMdlForNonPagedPool(&mdls[i]);
        mdls[i].Next = i < 2 ? &mdls[i + 1] : NULL;
    }
    PNET_BUFFER buffer = NdisAllocateNetBuffer(pool, mdls, offset, length);
    assert_non_null(buffer);
    return buffer;
}

static void current_mdl(void **state)
{
    PNET_BUFFER buffer = make(2, 8);
    assert_ptr_equal(NET_BUFFER_CURRENT_MDL(buffer), &mdls[0]);
    assert_int_equal(NET_BUFFER_CURRENT_MDL_OFFSET(buffer), 2);
    NdisFreeNetBuffer(buffer);
    buffer = make(3, 7);
    assert_ptr_equal(NET_BUFFER_CURRENT_MDL(buffer), &mdls[2]);
    assert_int_equal(NET_BUFFER_CURRENT_MDL_OFFSET(buffer), 0);
    NdisFreeNetBuffer(buffer);
}

static void contiguous_data_is_used_in_place(void **state)
{
    char storage[16];
    PNET_BUFFER buffer = make(1, 9);
    assert_ptr_equal(NdisGetDataBuffer(buffer, 2, storage, 1, 0), bytes + 1);
    assert_ptr_equal(NdisGetDataBuffer(buffer, 2, NULL, 1, 0), bytes + 1);
    memset(storage, 0, sizeof(storage));
    assert_ptr_equal(NdisGetDataBuffer(buffer, 5, storage, 1, 0), storage);
    assert_string_equal(storage, "bcdef");
    assert_null(NdisGetDataBuffer(buffer, 5, NULL, 1, 0));
    assert_null(NdisGetDataBuffer(buffer, 10, storage, 1, 0));
    assert_null(NdisGetDataBuffer(buffer, 0, storage, 1, 0));
    // Wrongly aligned data is copied.
    PVOID at = NdisGetDataBuffer(buffer, 2, storage, 64, (ULONG)((ULONG_PTR)(bytes + 1) % 64));
    assert_ptr_equal(at, bytes + 1);
    at = NdisGetDataBuffer(buffer, 2, storage, 64, (ULONG)((ULONG_PTR)(bytes + 2) % 64));
    assert_ptr_equal(at, storage);
    NdisFreeNetBuffer(buffer);
}

static void a_length_beyond_the_chain_is_no_overread(void **state)
{
    char storage[32];
    PNET_BUFFER buffer = make(1, 9);
    buffer->DataLength = 30;
    assert_null(NdisGetDataBuffer(buffer, 20, storage, 1, 0));
    NdisFreeNetBuffer(buffer);
}

static void advance_and_retreat_within(void **state)
{
    PNET_BUFFER buffer = make(2, 8);
    NdisAdvanceNetBufferDataStart(buffer, 3, FALSE, NULL);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 5);
    assert_int_equal(NET_BUFFER_DATA_OFFSET(buffer), 5);
    assert_memory_equal(NdisGetDataBuffer(buffer, 5, NULL, 1, 0), "fghij", 5);
    assert_int_equal(NdisRetreatNetBufferDataStart(buffer, 5, 0, NULL), NDIS_STATUS_SUCCESS);
    assert_int_equal(NET_BUFFER_DATA_OFFSET(buffer), 0);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 10);
    assert_ptr_equal(NdisGetDataBuffer(buffer, 3, NULL, 1, 0), bytes);
    NdisFreeNetBuffer(buffer);
    assert_no_reports();
}

static void retreat_makes_room(void **state)
{
    PNET_BUFFER buffer = make(1, 9);
    assert_int_equal(NdisRetreatNetBufferDataStart(buffer, 21, 4, NULL), NDIS_STATUS_SUCCESS);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 30);
    assert_int_equal(NET_BUFFER_DATA_OFFSET(buffer), 4);
    assert_ptr_not_equal(NET_BUFFER_FIRST_MDL(buffer), &mdls[0]);
    assert_int_equal(MmGetMdlByteCount(NET_BUFFER_FIRST_MDL(buffer)), 24);
    char *header = NdisGetDataBuffer(buffer, 20, NULL, 1, 0);
    assert_non_null(header);
    memset(header, 'H', 20);
    char storage[31] = "";
    assert_ptr_equal(NdisGetDataBuffer(buffer, 30, storage, 1, 0), storage);
    assert_string_equal(storage, "HHHHHHHHHHHHHHHHHHHHabcdefghij");
    NdisAdvanceNetBufferDataStart(buffer, 21, TRUE, NULL);
    assert_ptr_equal(NET_BUFFER_FIRST_MDL(buffer), &mdls[0]);
    assert_int_equal(NET_BUFFER_DATA_OFFSET(buffer), 1);
    NdisFreeNetBuffer(buffer);
    assert_no_reports();
}

static PMDL no_mdl(PULONG size)
{
    return NULL;
}

static void failures_change_nothing(void **state)
{
    PNET_BUFFER buffer = make(1, 9);
    assert_int_equal(NdisRetreatNetBufferDataStart(buffer, 2, 0, no_mdl), NDIS_STATUS_RESOURCES);
    assert_int_equal(NdisRetreatNetBufferDataStart(buffer, 0xfffffff8, 0, NULL), NDIS_STATUS_INVALID_PARAMETER);
    assert_int_equal(NdisRetreatNetBufferDataStart(buffer, 2, 0xffffffff, NULL), NDIS_STATUS_INVALID_PARAMETER);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 9);
    assert_int_equal(NET_BUFFER_DATA_OFFSET(buffer), 1);
    NdisAdvanceNetBufferDataStart(buffer, 10, FALSE, NULL);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 0);
    assert_violation("NdisAdvanceNetBufferDataStart");
    NdisFreeNetBuffer(buffer);
}

static void lists_move_together(void **state)
{
    NET_BUFFER_LIST list = {0};
    PNET_BUFFER first = make(2, 8), second = NdisAllocateNetBuffer(pool, mdls, 4, 6);
    list.FirstNetBuffer = first;
    first->Next = second;
    assert_int_equal(NdisRetreatNetBufferListDataStart(&list, 2, 0, NULL, NULL), NDIS_STATUS_SUCCESS);
    assert_int_equal(first->DataOffset, 0);
    assert_int_equal(second->DataOffset, 2);
    // The second would need more memory than there is: the first is put back.
    assert_int_equal(NdisRetreatNetBufferListDataStart(&list, 1, 0, no_mdl, NULL), NDIS_STATUS_RESOURCES);
    NdisAdvanceNetBufferListDataStart(&list, 2, TRUE, NULL);
    assert_int_equal(first->DataOffset, 2);
    assert_int_equal(second->DataOffset, 4);
    first->DataOffset = 9;
    first->DataLength = 1;
    assert_int_equal(NdisRetreatNetBufferListDataStart(&list, 6, 0, no_mdl, NULL), NDIS_STATUS_RESOURCES);
    assert_int_equal(first->DataOffset, 9);
    assert_int_equal(second->DataOffset, 4);
    NdisFreeNetBuffer(second);
    NdisFreeNetBuffer(first);
}

static void copies(void **state)
{
    char target[16] = "................";
    MDL mdl;
    MmInitializeMdl(&mdl, target, 15);
    MmBuildMdlForNonPagedPool(&mdl);
    PNET_BUFFER from = make(1, 9), to = NdisAllocateNetBuffer(pool, &mdl, 1, 14);
    ULONG copied;
    assert_int_equal(NdisCopyFromNetBufferToNetBuffer(to, 2, 5, from, 1, &copied), NDIS_STATUS_SUCCESS);
    assert_int_equal(copied, 5);
    assert_memory_equal(target, "...cdefg........", 16);
    assert_int_equal(NdisCopyFromNetBufferToNetBuffer(to, 10, 100, from, 0, &copied), NDIS_STATUS_SUCCESS);
    assert_int_equal(copied, 4);
    assert_int_equal(NdisCopyFromNetBufferToNetBuffer(to, 15, 1, from, 0, &copied), NDIS_STATUS_INVALID_PARAMETER);
    NdisFreeNetBuffer(to);
    NdisFreeNetBuffer(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(current_mdl, setup, teardown),
        cmocka_unit_test_setup_teardown(contiguous_data_is_used_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_length_beyond_the_chain_is_no_overread, setup, teardown),
        cmocka_unit_test_setup_teardown(advance_and_retreat_within, setup, teardown),
        cmocka_unit_test_setup_teardown(retreat_makes_room, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_move_together, setup, teardown),
        cmocka_unit_test_setup_teardown(copies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
