#include "service/flow_layer.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fwpslayers.h"
#include "fwpsmetadata.h"

#include "datapath/datapath.h"

static void the_layers_pend_as_the_reference_says(void **state)
{
    static const struct {
        uint16_t layer_id;
        enum wall_pended pends;
    } rows[] = {
        {FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, WALL_PENDED_OPERATION},
        {FWPS_LAYER_ALE_AUTH_LISTEN_V6, WALL_PENDED_OPERATION},
        {FWPS_LAYER_ALE_AUTH_CONNECT_V4, WALL_PENDED_OPERATION},
        {FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6, WALL_PENDED_OPERATION},
        {FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, WALL_PENDED_NOT},
        {FWPS_LAYER_ALE_RESOURCE_RELEASE_V4, WALL_PENDED_NOT},
        {FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V6, WALL_PENDED_CLASSIFY},
        {FWPS_LAYER_ALE_CONNECT_REDIRECT_V4, WALL_PENDED_CLASSIFY},
        {FWPS_LAYER_ALE_BIND_REDIRECT_V6, WALL_PENDED_CLASSIFY},
        {FWPS_LAYER_STREAM_V4, WALL_PENDED_NOT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(wall_flow_layer_pends(rows[i].layer_id), rows[i].pends);
        bool has_handle = wall_flow_layer_metadata(rows[i].layer_id) & FWPS_METADATA_FIELD_COMPLETION_HANDLE;
        assert_int_equal(has_handle, rows[i].pends == WALL_PENDED_OPERATION);
    }
    assert_true(wall_flow_layer_accepts(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4));
    assert_false(wall_flow_layer_accepts(FWPS_LAYER_ALE_AUTH_CONNECT_V4));
    assert_true(wall_flow_layer_establishes(FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6));
    assert_int_equal(wall_flow_layer_metadata(FWPS_LAYER_STREAM_V4), 0);
}

static struct wall_flow make_flow(uint16_t layer_id, uint8_t protocol, const uint8_t *packet, size_t bytes)
{
    return (struct wall_flow){.layer_id = layer_id, .protocol = protocol, .packet = packet, .packet_bytes = bytes,
                              .family = packet[0] >> 4 == 4 ? AF_INET : AF_INET6};
}

static uint32_t offset_of(uint16_t layer_id, uint8_t protocol, const uint8_t *packet, size_t bytes)
{
    const struct wall_flow flow = make_flow(layer_id, protocol, packet, bytes);
    uint32_t offset;
    return wall_flow_layer_data(&flow, &offset) ? offset : UINT32_MAX;
}

static void data_begins_where_the_layer_has_it(void **state)
{
    static const uint8_t v4[48] = {0x46, [32] = 0}, v6[64] = {0x60, [6] = IPPROTO_UDP};
    static const uint8_t tcp[44] = {0x45, [32] = 0x60};
    // Outbound: the transport header; inbound: the payload; ICMP: its header.
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, IPPROTO_UDP, v4, sizeof(v4)), 24);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V6, IPPROTO_UDP, v6, sizeof(v6)), 40);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, IPPROTO_UDP, v4, sizeof(v4)), 32);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6, IPPROTO_UDP, v6, sizeof(v6)), 48);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, IPPROTO_ICMP, v4, sizeof(v4)), 24);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, IPPROTO_TCP, tcp, sizeof(tcp)), 44);
    // A TCP connect has no layer data, a bind has no packet.
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, IPPROTO_TCP, tcp, sizeof(tcp)), UINT32_MAX);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, IPPROTO_UDP, v4, sizeof(v4)), UINT32_MAX);
}

static void extension_headers_are_the_ip_header(void **state)
{
    static const uint8_t packet[72] = {0x60, [6] = IPPROTO_HOPOPTS, [40] = IPPROTO_FRAGMENT, [41] = 1,
                                       [56] = IPPROTO_UDP};
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V6, IPPROTO_UDP, packet, sizeof(packet)), 64);
}

static void short_packets_have_no_headers(void **state)
{
    static const uint8_t packet[72] = {0x45, [32] = 0xf0}, extended[72] = {0x60, [6] = IPPROTO_HOPOPTS, [41] = 255};
    for (size_t bytes = 0; bytes < 28; bytes++)
        assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, IPPROTO_UDP, packet, bytes), UINT32_MAX);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, IPPROTO_TCP, packet, sizeof(packet)), UINT32_MAX);
    assert_int_equal(offset_of(FWPS_LAYER_ALE_AUTH_CONNECT_V6, IPPROTO_UDP, extended, sizeof(extended)), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layers_pend_as_the_reference_says),
        cmocka_unit_test(data_begins_where_the_layer_has_it),
        cmocka_unit_test(extension_headers_are_the_ip_header),
        cmocka_unit_test(short_packets_have_no_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
