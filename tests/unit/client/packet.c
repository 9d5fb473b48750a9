#include "client/packet.h"

#include <errno.h>

#include "pend_script.h"

#define ACCEPT FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4
#define CONNECT FWPS_LAYER_ALE_AUTH_CONNECT_V4

// 10.9.0.2 → 10.9.0.1, UDP, "hello"
static const uint8_t packet[33] = {
    0x45, 0, 0, 33, 0, 1, 0, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1, 0, 80, 0x30, 0x39, 0, 13, 0, 0,
    'h', 'e', 'l', 'l', 'o',
};

static NET_BUFFER_LIST *copy;
static HANDLE context;
static char seen[64];
static ULONG seen_bytes;

static void pend(const FWPS_INCOMING_METADATA_VALUES0 *metadata, FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(FwpsPendOperation0(metadata->completionHandle, &context), STATUS_SUCCESS);
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
    out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

static void look(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *given, const void *unused,
                 FWPS_CLASSIFY_OUT0 *out)
{
    NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(given);
    seen_bytes = NET_BUFFER_DATA_LENGTH(buffer);
    const char *data = NdisGetDataBuffer(buffer, seen_bytes, seen, 1, 0);
    memmove(seen, data, seen_bytes);
    assert_int_equal(FwpsQueryPacketInjectionState0((HANDLE)1, given, NULL), FWPS_PACKET_NOT_INJECTED);
    out->actionType = FWP_ACTION_PERMIT;
}

static void clone_whole(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *given, const void *unused,
                        FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(NdisRetreatNetBufferListDataStart(given, 28, 0, NULL, NULL), NDIS_STATUS_SUCCESS);
    assert_int_equal(FwpsAllocateCloneNetBufferList0(given, NULL, NULL, 0, &copy), STATUS_SUCCESS);
    NdisAdvanceNetBufferListDataStart(given, 28, FALSE, NULL);
    pend(metadata, out);
}

static void layer_data_is_a_packet(void **state)
{
    script.classify = look;
    script_ask(1, ACCEPT, false, packet, sizeof(packet), 28);
    assert_int_equal(script_reply(1)->out.actionType, FWP_ACTION_PERMIT);
    assert_int_equal(seen_bytes, 5);
    assert_memory_equal(seen, "hello", 5);
    script_ask(2, CONNECT, false, packet, sizeof(packet), 20);
    assert_int_equal(script_reply(2)->out.actionType, FWP_ACTION_PERMIT);
    assert_int_equal(seen_bytes, 13);
    assert_nothing_reported();
}

static void move_and_forget(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *given,
                            const void *unused, FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(NdisRetreatNetBufferListDataStart(given, 28, 0, NULL, NULL), NDIS_STATUS_SUCCESS);
    out->actionType = FWP_ACTION_PERMIT;
}

static void a_retreat_must_be_undone(void **state)
{
    script.classify = move_and_forget;
    script_ask(1, ACCEPT, false, packet, sizeof(packet), 28);
    assert_int_equal(script_reply(1)->out.actionType, FWP_ACTION_BLOCK);
    assert_reported("classifyFn", "undo each retreat");
}

static void the_last_clone_is_told(void **state)
{
    script.classify = clone_whole;
    script_ask(1, ACCEPT, false, packet, sizeof(packet), 28);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_OPERATION);
    NET_BUFFER_LIST *second;
    assert_int_equal(FwpsAllocateCloneNetBufferList0(copy, NULL, NULL, 0, &second), STATUS_SUCCESS);
    FwpsCompleteOperation0(context, NULL);
    assert_true(script.complete.packet_follows);
    FwpsFreeCloneNetBufferList0(second, 0);
    assert_int_equal(script.drops, 0);
    FwpsFreeCloneNetBufferList0(copy, 0);
    script_wait(&script.drops, 1);
    assert_int_equal(script.dropped, 1001);
    assert_nothing_reported();
}

static void without_a_clone_nothing_follows(void **state)
{
    script.classify = clone_whole;
    script_ask(1, ACCEPT, false, packet, sizeof(packet), 28);
    (void)script_reply(1);
    FwpsFreeCloneNetBufferList0(copy, 0);
    FwpsCompleteOperation0(context, NULL);
    assert_false(script.complete.packet_follows);
    assert_int_equal(script.drops, 0);
}

static void clone_transport(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *given,
                            const void *unused, FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(FwpsAllocateCloneNetBufferList0(given, NULL, NULL, 0, &copy), STATUS_SUCCESS);
    pend(metadata, out);
}

static void a_clone_is_read_back(void **state)
{
    struct wall_packet_bytes bytes;
    script.classify = clone_transport;
    script_ask(1, CONNECT, false, packet, sizeof(packet), 20);
    (void)script_reply(1);
    assert_int_equal(wall_packet_read(copy, false, &bytes), 0);
    assert_int_equal(bytes.size, sizeof(packet));
    assert_true(bytes.unmodified);
    assert_int_equal(bytes.origin_id, 1001);
    assert_int_equal(bytes.netns_cookie, 55);
    assert_memory_equal(bytes.bytes + 12, packet + 12, sizeof(packet) - 12);
    free(bytes.bytes);

    char *data = NdisGetDataBuffer(NET_BUFFER_LIST_FIRST_NB(copy), 13, NULL, 1, 0);
    data[8] = 'j';
    assert_int_equal(wall_packet_read(copy, false, &bytes), 0);
    assert_false(bytes.unmodified);
    assert_int_equal(bytes.bytes[28], 'j');
    free(bytes.bytes);
    assert_int_equal(wall_packet_read(copy, true, &bytes), -EINVAL);  // it has no IP header
    FwpsFreeCloneNetBufferList0(copy, 0);
    FwpsCompleteOperation0(context, NULL);
}

static void references_are_counted(void **state)
{
    script.classify = look;
    script_ask(1, ACCEPT, false, packet, sizeof(packet), 28);
    (void)script_reply(1);
    FwpsDereferenceNetBufferList0((NET_BUFFER_LIST *)seen, FALSE);
    assert_reported("FwpsDereferenceNetBufferList0", "not referenced");
    FwpsReferenceNetBufferList0((NET_BUFFER_LIST *)seen, FALSE);
    assert_reported("FwpsReferenceNetBufferList0", "no packet");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_start, script_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(layer_data_is_a_packet),
        TEST(a_retreat_must_be_undone),
        TEST(the_last_clone_is_told),
        TEST(without_a_clone_nothing_follows),
        TEST(a_clone_is_read_back),
        TEST(references_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
