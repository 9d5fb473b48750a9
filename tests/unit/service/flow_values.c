#include "service/flow_values.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fwpslayers.h"

#include "engine/catalog.h"
#include "service/flow_layer.h"

static struct wall_flow make_flow(uint16_t layer_id)
{
    bool v6 = wall_catalog_layer_is_v6(layer_id);
    struct wall_flow flow = {
        .id = 1, .layer_id = layer_id, .family = v6 ? AF_INET6 : AF_INET, .protocol = IPPROTO_TCP, .process_id = 42,
        .executable_path = "/usr/bin/curl", .process_name = "curl", .local_address = {10, 9, 0, 1},
        .remote_address = {10, 9, 0, 2}, .local_port = 4711, .remote_port = 80, .interface_index = 3,
    };
    return flow;
}

static const FWP_VALUE0 *value_of(const struct wall_flow_values *values, enum wall_key key)
{
    for (uint16_t i = 0; i < values->incoming.valueCount; i++) {
        struct wall_catalog_field field;
        if (wall_catalog_field(values->incoming.layerId, i, &field) && field.key == key)
            return &values->values[i].value;
    }
    return NULL;
}

// Every ALE layer: each value is empty or of the type its field has.
static void values_have_the_types_of_their_fields(void **state)
{
    unsigned layers = 0;
    for (uint16_t layer_id = 0; layer_id < 100; layer_id++) {
        if (!wall_flow_layer_metadata(layer_id))
            continue;
        struct wall_flow_values values;
        const struct wall_flow flow = make_flow(layer_id);
        assert_int_equal(wall_flow_values_init(&values, &flow), 0);
        assert_int_equal(values.incoming.valueCount, wall_catalog_field_count(layer_id));
        for (uint16_t i = 0; i < values.incoming.valueCount; i++) {
            struct wall_catalog_field field;
            assert_true(wall_catalog_field(layer_id, i, &field));
            FWP_DATA_TYPE type = values.values[i].value.type;
            if (type != FWP_EMPTY && type != field.data_type)
                fail_msg("layer %u, field %u: type %d, expected %d", layer_id, i, type, field.data_type);
        }
        assert_non_null(value_of(&values, WALL_KEY_ALE_APP_ID));
        assert_int_equal(value_of(&values, WALL_KEY_ALE_APP_ID)->type, FWP_BYTE_BLOB_TYPE);
        wall_flow_values_done(&values);
        layers++;
    }
    assert_int_equal(layers, 18);
}

static void a_connect_tells_both_ends(void **state)
{
    struct wall_flow_values values;
    const struct wall_flow flow = make_flow(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS].value.uint32, 0x0a090002);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value.uint16, 80);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_NEXTHOP_INTERFACE_INDEX].value.uint32, 3);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_ARRIVAL_INTERFACE_INDEX].value.type, FWP_EMPTY);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS].value.uint32, 0);
    wall_flow_values_done(&values);
}

static void an_accept_tells_where_it_came_from(void **state)
{
    struct wall_flow_values values;
    struct wall_flow flow = make_flow(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    flow.inbound = true;
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_ARRIVAL_INTERFACE_INDEX].value.uint32, 3);
    assert_int_equal(values.values[FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_NEXTHOP_INTERFACE_INDEX].value.type, FWP_EMPTY);
    wall_flow_values_done(&values);
    flow.layer_id = FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4;
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    assert_int_equal(value_of(&values, WALL_KEY_DIRECTION)->uint32, FWP_DIRECTION_INBOUND);
    wall_flow_values_done(&values);
}

static void a_bind_to_anything_is_a_wildcard(void **state)
{
    struct wall_flow_values values;
    struct wall_flow flow = make_flow(FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4);
    memset(flow.local_address, 0, sizeof(flow.local_address));
    flow.local_port = 0;
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    assert_int_equal(value_of(&values, WALL_KEY_IP_LOCAL_ADDRESS)->type, FWP_EMPTY);
    assert_int_equal(value_of(&values, WALL_KEY_FLAGS)->uint32, FWP_CONDITION_FLAG_IS_WILDCARD_BIND);
    wall_flow_values_done(&values);
}

static void a_reauthorization_says_why(void **state)
{
    struct wall_flow_values values;
    struct wall_flow flow = make_flow(FWPS_LAYER_ALE_AUTH_CONNECT_V6);
    flow.reauthorize_reason = FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE;
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    assert_int_equal(value_of(&values, WALL_KEY_FLAGS)->uint32, FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    assert_int_equal(value_of(&values, WALL_KEY_REAUTHORIZE_REASON)->uint32, 1);
    wall_flow_values_reauthorize(&values, FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION);
    assert_int_equal(value_of(&values, WALL_KEY_REAUTHORIZE_REASON)->uint32, 0x10);
    wall_flow_values_done(&values);
    flow.layer_id = FWPS_LAYER_ALE_AUTH_LISTEN_V6;
    flow.reauthorize_reason = 0;
    assert_int_equal(wall_flow_values_init(&values, &flow), 0);
    wall_flow_values_reauthorize(&values, 0x10);
    assert_int_equal(value_of(&values, WALL_KEY_FLAGS)->uint32, FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    wall_flow_values_done(&values);
}

static void other_layers_and_families_are_refused(void **state)
{
    struct wall_flow_values values;
    struct wall_flow flow = make_flow(FWPS_LAYER_STREAM_V4);
    assert_int_equal(wall_flow_values_init(&values, &flow), -ENOTSUP);
    flow = make_flow(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    flow.family = AF_INET6;
    assert_int_equal(wall_flow_values_init(&values, &flow), -ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_the_types_of_their_fields),
        cmocka_unit_test(a_connect_tells_both_ends),
        cmocka_unit_test(an_accept_tells_where_it_came_from),
        cmocka_unit_test(a_bind_to_anything_is_a_wildcard),
        cmocka_unit_test(a_reauthorization_says_why),
        cmocka_unit_test(other_layers_and_families_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
