// The catalogue of layers against the numbers of the public headers, and the built-in objects.
#include "engine/catalog.h"

#include "base/guid.h"
#include "base/utf16.h"
#include "fixture.h"

static const struct {
    const GUID *key;
    uint16_t id, field_count;
    bool v6;
} layers[] = {
#define LAYER(name, v6) { &FWPM_LAYER_##name, FWPS_LAYER_##name, FWPS_FIELD_##name##_MAX, v6 }
#define PAIR(name) LAYER(name##_V4, false), LAYER(name##_V6, true)
    PAIR(INBOUND_IPPACKET),
    PAIR(OUTBOUND_IPPACKET),
    PAIR(IPFORWARD),
    PAIR(INBOUND_TRANSPORT),
    PAIR(OUTBOUND_TRANSPORT),
    PAIR(STREAM),
    PAIR(DATAGRAM_DATA),
    PAIR(INBOUND_ICMP_ERROR),
    PAIR(OUTBOUND_ICMP_ERROR),
    PAIR(ALE_RESOURCE_ASSIGNMENT),
    PAIR(ALE_AUTH_LISTEN),
    PAIR(ALE_AUTH_RECV_ACCEPT),
    PAIR(ALE_AUTH_CONNECT),
    PAIR(ALE_FLOW_ESTABLISHED),
    LAYER(INBOUND_MAC_FRAME_ETHERNET, false),
    LAYER(OUTBOUND_MAC_FRAME_ETHERNET, false),
    LAYER(INBOUND_MAC_FRAME_NATIVE, false),
    LAYER(OUTBOUND_MAC_FRAME_NATIVE, false),
    PAIR(NAME_RESOLUTION_CACHE),
    PAIR(ALE_RESOURCE_RELEASE),
    PAIR(ALE_ENDPOINT_CLOSURE),
    PAIR(ALE_CONNECT_REDIRECT),
    PAIR(ALE_BIND_REDIRECT),
    PAIR(STREAM_PACKET),
    LAYER(INGRESS_VSWITCH_ETHERNET, false),
    LAYER(EGRESS_VSWITCH_ETHERNET, false),
    PAIR(INGRESS_VSWITCH_TRANSPORT),
    PAIR(EGRESS_VSWITCH_TRANSPORT),
    LAYER(INBOUND_TRANSPORT_FAST, false),
    LAYER(OUTBOUND_TRANSPORT_FAST, false),
    LAYER(INBOUND_MAC_FRAME_NATIVE_FAST, false),
    LAYER(OUTBOUND_MAC_FRAME_NATIVE_FAST, false),
    LAYER(INBOUND_RESERVED2, false),
    PAIR(OUTBOUND_NETWORK_CONNECTION_POLICY),
    PAIR(IPSEC_KM_DEMUX),
    PAIR(IPSEC),
    PAIR(IKEEXT),
    LAYER(RPC_UM, false),
    LAYER(RPC_EPMAP, false),
    LAYER(RPC_EP_ADD, false),
    LAYER(RPC_PROXY_CONN, false),
    LAYER(RPC_PROXY_IF, false),
    LAYER(KM_AUTHORIZATION, false),
};

static void every_layer_has_its_header_number(void **state)
{
    for (size_t i = 0; i < COUNT_OF(layers); i++) {
        uint16_t id = 999;
        assert_true(wall_catalog_layer_find(layers[i].key, &id));
        assert_int_equal(id, layers[i].id);
        assert_true(wall_guid_equal(wall_catalog_layer_key(id), layers[i].key));
        assert_int_equal(wall_catalog_field_count(id), layers[i].field_count);
        assert_int_equal(wall_catalog_layer_is_v6(id), layers[i].v6);
    }
    // With the fourteen pairs of discard layers and the two that have no name these are all.
    assert_int_equal(COUNT_OF(layers) + 28 + 2, FWPS_BUILTIN_LAYER_MAX);
}

static void discard_layers_have_their_parents_fields(void **state)
{
    for (uint16_t id = 0; id < FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET; id += 2) {
        assert_int_equal(wall_catalog_field_count(id), wall_catalog_field_count(id + 1));
        struct wall_catalog_field parent, child;
        for (uint16_t field = 0; wall_catalog_field(id, field, &parent); field++) {
            assert_true(wall_catalog_field(id + 1, field, &child));
            assert_int_equal(parent.key, child.key);
            assert_int_equal(parent.data_type, child.data_type);
        }
    }
}

static void expect_field(uint16_t layer_id, uint16_t field_id, const GUID *key, FWPM_FIELD_TYPE type,
                         FWP_DATA_TYPE data_type)
{
    struct wall_catalog_field field;
    assert_true(wall_catalog_field(layer_id, field_id, &field));
    assert_true(wall_guid_equal(wall_key_guid(field.key), key));
    assert_int_equal(field.type, type);
    assert_int_equal(field.data_type, data_type);
    uint16_t found = 999;
    assert_true(wall_catalog_field_find(layer_id, key, &found));
    assert_int_equal(found, field_id);
}

static void fields_of_the_connect_layers(void **state)
{
#define V4(name) FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_FIELD_ALE_AUTH_CONNECT_V4_##name
#define V6(name) FWPS_LAYER_ALE_AUTH_CONNECT_V6, FWPS_FIELD_ALE_AUTH_CONNECT_V6_##name
    expect_field(V4(ALE_APP_ID), &FWPM_CONDITION_ALE_APP_ID, FWPM_FIELD_RAW_DATA, FWP_BYTE_BLOB_TYPE);
    expect_field(V4(ALE_USER_ID), &FWPM_CONDITION_ALE_USER_ID, FWPM_FIELD_RAW_DATA, FWP_TOKEN_ACCESS_INFORMATION_TYPE);
    expect_field(V4(IP_REMOTE_ADDRESS), &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWPM_FIELD_IP_ADDRESS, FWP_UINT32);
    expect_field(V6(IP_REMOTE_ADDRESS), &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWPM_FIELD_IP_ADDRESS,
                 FWP_BYTE_ARRAY16_TYPE);
    expect_field(V4(IP_REMOTE_PORT), &FWPM_CONDITION_ICMP_CODE, FWPM_FIELD_RAW_DATA, FWP_UINT16);
    expect_field(V4(FLAGS), &FWPM_CONDITION_FLAGS, FWPM_FIELD_FLAGS, FWP_UINT32);
    expect_field(V4(IP_LOCAL_INTERFACE), &FWPM_CONDITION_IP_LOCAL_INTERFACE, FWPM_FIELD_RAW_DATA, FWP_UINT64);
    expect_field(V6(ALE_PACKAGE_ID), &FWPM_CONDITION_ALE_PACKAGE_ID, FWPM_FIELD_RAW_DATA, FWP_SID);
    expect_field(V4(COMPARTMENT_ID), &FWPM_CONDITION_COMPARTMENT_ID, FWPM_FIELD_RAW_DATA, FWP_UINT32);
    expect_field(V4(PACKAGE_FAMILY_NAME), &FWPM_CONDITION_ALE_PACKAGE_FAMILY_NAME, FWPM_FIELD_RAW_DATA,
                 FWP_TOKEN_ACCESS_INFORMATION_TYPE);
    expect_field(FWPS_LAYER_RPC_UM, FWPS_FIELD_RPC_UM_REMOTE_USER_TOKEN, &FWPM_CONDITION_REMOTE_USER_TOKEN,
                 FWPM_FIELD_RAW_DATA, FWP_TOKEN_INFORMATION_TYPE);
    expect_field(FWPS_LAYER_RPC_UM, FWPS_FIELD_RPC_UM_LOCAL_ADDR_V6, &FWPM_CONDITION_IP_LOCAL_ADDRESS_V6,
                 FWPM_FIELD_IP_ADDRESS, FWP_BYTE_ARRAY16_TYPE);
    expect_field(FWPS_LAYER_RPC_UM, FWPS_FIELD_RPC_UM_LOCAL_ADDR_V4, &FWPM_CONDITION_IP_LOCAL_ADDRESS_V4,
                 FWPM_FIELD_IP_ADDRESS, FWP_UINT32);
    expect_field(FWPS_LAYER_INBOUND_MAC_FRAME_ETHERNET, FWPS_FIELD_INBOUND_MAC_FRAME_ETHERNET_MAC_LOCAL_ADDRESS,
                 &FWPM_CONDITION_MAC_LOCAL_ADDRESS, FWPM_FIELD_RAW_DATA, FWP_BYTE_ARRAY6_TYPE);
}

static void no_field_twice_in_a_layer(void **state)
{
    for (uint16_t id = 0; id < FWPS_BUILTIN_LAYER_MAX; id++) {
        struct wall_catalog_field field;
        for (uint16_t k = 0; wall_catalog_field(id, k, &field); k++) {
            uint16_t found = 999;
            assert_true(wall_catalog_field_find(id, wall_key_guid(field.key), &found));
            assert_int_equal(found, k);
        }
    }
}

static void unknown_ones(void **state)
{
    struct wall_catalog_field field;
    uint16_t id;
    assert_int_equal(wall_catalog_field_count(FWPS_BUILTIN_LAYER_MAX), 0);
    assert_false(wall_catalog_field(FWPS_BUILTIN_LAYER_MAX, 0, &field));
    assert_false(wall_catalog_field(0, 100, &field));
    assert_null(wall_catalog_layer_key(FWPS_BUILTIN_LAYER_MAX));
    assert_false(wall_catalog_layer_find(&FWPM_CONDITION_FLAGS, &id));
    assert_false(wall_catalog_field_find(0, &FWPM_LAYER_STREAM_V4, &id));
    assert_false(wall_catalog_layer_is_v6(FWPS_BUILTIN_LAYER_MAX));
}

static void flags_of_layers(void **state)
{
    const uint32_t kernel = FWPM_LAYER_FLAG_KERNEL | FWPM_LAYER_FLAG_BUILTIN | FWPM_LAYER_FLAG_CLASSIFY_MOSTLY;
    assert_int_equal(wall_catalog_layer_flags(FWPS_LAYER_ALE_AUTH_CONNECT_V4), kernel);
    assert_int_equal(wall_catalog_layer_flags(FWPS_LAYER_STREAM_V6), kernel | FWPM_LAYER_FLAG_BUFFERED);
    assert_int_equal(wall_catalog_layer_flags(FWPS_LAYER_STREAM_PACKET_V4), kernel);
    assert_int_equal(wall_catalog_layer_flags(FWPS_LAYER_RPC_UM), FWPM_LAYER_FLAG_BUILTIN);
}

// --- The objects made from it ---

static void layers_as_objects(void **state)
{
    struct fixture *fixture = *state;
    FWPM_LAYER0 *layer = NULL;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_LAYER, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 0,
                                     (void **)&layer), 0);
    assert_int_equal(layer->layerId, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(layer->numFields, FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX);
    assert_true(wall_guid_equal(layer->field[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].fieldKey,
                                &FWPM_CONDITION_IP_REMOTE_PORT));
    assert_true(wall_guid_equal(&layer->defaultSubLayerKey, &FWPM_SUBLAYER_UNIVERSAL));
    assert_int_equal(wall_utf16_compare((uint16_t *)layer->displayData.name,
                                        (const uint16_t *)L"FWPM_LAYER_ALE_AUTH_CONNECT_V4"), 0);
    free(layer);
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_LAYER, NULL, 83, (void **)&layer), 0);
    assert_int_equal(layer->layerId, 83);
    free(layer);
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_LAYER, NULL, FWPS_BUILTIN_LAYER_MAX,
                                     (void **)&layer), FWP_E_LAYER_NOT_FOUND);
}

static void sublayers_as_objects(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const GUID *key;
        uint16_t weight;
    } sublayers[] = {
        { &FWPM_SUBLAYER_RPC_AUDIT, 0xc000 },   { &FWPM_SUBLAYER_UNIVERSAL, 0x8000 },
        { &FWPM_SUBLAYER_LIPS, 0x7fff },        { &FWPM_SUBLAYER_MPSSVC_WSH, 3 },
        { &FWPM_SUBLAYER_TEREDO, 1 },           { &FWPM_SUBLAYER_INSPECTION, 0 },
        { &FWPM_SUBLAYER_TCP_TEMPLATES, 0x2200 },
    };
    for (size_t i = 0; i < COUNT_OF(sublayers); i++) {
        FWPM_SUBLAYER0 *sublayer = NULL;
        assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_SUBLAYER, sublayers[i].key, 0,
                                         (void **)&sublayer), 0);
        assert_int_equal(sublayer->weight, sublayers[i].weight);
        free(sublayer);
    }
}

static void all_built_in_objects_are_there_and_stay(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        enum wall_name_kind names;
        enum wall_object_type type;
        uint32_t count;
    } kinds[] = {
        { WALL_NAME_LAYER, WALL_OBJECT_LAYER, FWPS_BUILTIN_LAYER_MAX },
        { WALL_NAME_SUBLAYER, WALL_OBJECT_SUBLAYER, 18 },
        { WALL_NAME_PROVIDER, WALL_OBJECT_PROVIDER, 9 },
        { WALL_NAME_CALLOUT, WALL_OBJECT_CALLOUT, 51 },
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t count;
        const struct wall_name *names = wall_name_list(kinds[i].names, &count);
        for (size_t n = 0; n < count; n++) {
            void *object = NULL;
            assert_int_equal(wall_object_get(fixture->session, kinds[i].type, names[n].key, 0, &object), 0);
            free(object);
            assert_int_equal(wall_object_delete(fixture->session, kinds[i].type, names[n].key, 0),
                             FWP_E_BUILTIN_OBJECT);
        }
        struct wall_enumeration *enumeration;
        assert_int_equal(wall_enumeration_new(fixture->session, kinds[i].type, NULL, &enumeration), 0);
        const void *const *objects;
        uint32_t returned = 0;
        assert_int_equal(wall_enumeration_next(enumeration, 1000, &objects, &returned), 0);
        assert_int_equal(returned, kinds[i].count);
        wall_enumeration_free(enumeration);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_its_header_number),
        cmocka_unit_test(discard_layers_have_their_parents_fields),
        cmocka_unit_test(fields_of_the_connect_layers),
        cmocka_unit_test(no_field_twice_in_a_layer),
        cmocka_unit_test(unknown_ones),
        cmocka_unit_test(flags_of_layers),
        TEST(layers_as_objects),
        TEST(sublayers_as_objects),
        TEST(all_built_in_objects_are_there_and_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
