#include "client/ip_header.h"

#include "pend_script.h"

static NDIS_HANDLE pool;
static uint8_t data[64];

static NET_BUFFER_LIST *make(MDL **ret_mdl, ULONG offset, ULONG length)
{
    NET_BUFFER_LIST_POOL_PARAMETERS parameters = {
        .Header = { NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, sizeof(parameters) },
        .fAllocateNetBuffer = TRUE, .PoolTag = 'tseT',
    };
    NET_BUFFER_LIST *list;
    if (!pool)
        pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    memset(data, 0xee, sizeof(data));
    *ret_mdl = NdisAllocateMdl(NULL, data, sizeof(data));
    assert_int_equal(FwpsAllocateNetBufferAndNetBufferList0(pool, 0, 0, *ret_mdl, offset, length, &list),
                     STATUS_SUCCESS);
    return list;
}

static NTSTATUS construct(NET_BUFFER_LIST *list, ULONG include, ADDRESS_FAMILY family)
{
    static const UCHAR source[16] = { 192, 0, 2, 1 }, remote[16] = { 198, 51, 100, 7 };
    return FwpsConstructIpHeaderForTransportPacket0(list, include, family, source, remote, 17, 0, NULL, 0, 0, NULL, 0,
                                                    0);
}

static void a_v4_header_has_its_checksum(void **state)
{
    static const uint8_t expected[20] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x8e, 0x84,
                                          192, 0, 2, 1, 198, 51, 100, 7 };
    MDL *mdl;
    NET_BUFFER_LIST *list = make(&mdl, 32, 8);
    assert_int_equal(construct(list, 0, AF_INET), STATUS_SUCCESS);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(list)), 28);
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)data[12 + i] << 8 | data[13 + i];
    assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
    assert_memory_equal(data + 12, expected, 10);
    assert_memory_equal(data + 24, expected + 12, 8);
    FwpsFreeNetBufferList0(list);
    NdisFreeMdl(mdl);
}

static void a_v6_header_needs_room_in_front(void **state)
{
    MDL *mdl;
    NET_BUFFER_LIST *list = make(&mdl, 10, 8);
    assert_int_equal(construct(list, 0, AF_INET6), STATUS_SUCCESS);
    NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(list);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(buffer), 48);
    uint8_t packet[48], *at = NdisGetDataBuffer(buffer, 48, packet, 1, 0);
    assert_int_equal(at[0], 0x60);
    assert_int_equal(at[5], 8);
    assert_int_equal(at[6], 17);
    assert_int_equal(at[40], 0xee);
    NdisAdvanceNetBufferDataStart(buffer, 40, TRUE, NULL);
    FwpsFreeNetBufferList0(list);
    NdisFreeMdl(mdl);
}

static void an_included_header_is_replaced(void **state)
{
    MDL *mdl;
    NET_BUFFER_LIST *list = make(&mdl, 0, 28);
    assert_int_equal(construct(list, 40, AF_INET), STATUS_INVALID_PARAMETER);
    assert_int_equal(construct(list, 20, AF_INET), STATUS_SUCCESS);
    assert_int_equal(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(list)), 28);
    assert_int_equal(data[0], 0x45);
    assert_int_equal(data[20], 0xee);
    assert_int_equal(construct(list, 0, 99), STATUS_INVALID_PARAMETER);
    FwpsFreeNetBufferList0(list);
    NdisFreeMdl(mdl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_v4_header_has_its_checksum),
        cmocka_unit_test(a_v6_header_needs_room_in_front),
        cmocka_unit_test(an_included_header_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
