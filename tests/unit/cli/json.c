#include "cli/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/names.h"
#include "engine/shapes.h"

static void assert_json(json_t *json, const char *expected)
{
    assert_non_null(json);
    json_error_t error;
    json_t *wanted = json_loads(expected, 0, &error);
    if (!wanted)
        fail_msg("line %d: %s", error.line, error.text);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
    char *wanted_text = json_dumps(wanted, JSON_INDENT(2) | JSON_SORT_KEYS);
    assert_string_equal(text, wanted_text);
    free(text);
    free(wanted_text);
    json_decref(json);
    json_decref(wanted);
}

static GUID key_of(enum wall_name_kind kind, const char *name)
{
    const GUID *key = wall_name_find(kind, name);
    assert_non_null(key);
    return *key;
}

static const char filter_json[] = "{"
    "\"filterKey\": \"00000001-0000-0000-0000-000000000000\","
    "\"displayData\": {\"name\": \"a \u2603\", \"description\": null},"
    "\"flags\": [\"FWPM_FILTER_FLAG_PERSISTENT\", \"FWPM_FILTER_FLAG_INDEXED\", \"0x40000000\"],"
    "\"context\": 7,"
    "\"providerKey\": \"12345678-9abc-def0-0102-030405060708\","
    "\"providerData\": {\"hex\": \"\", \"text\": null},"
    "\"layerKey\": \"FWPM_LAYER_ALE_AUTH_CONNECT_V4\","
    "\"subLayerKey\": \"FWPM_SUBLAYER_UNIVERSAL\","
    "\"weight\": {\"type\": \"FWP_UINT8\", \"value\": 15},"
    "\"filterCondition\": ["
    "  {\"fieldKey\": \"FWPM_CONDITION_IP_REMOTE_ADDRESS\", \"matchType\": \"FWP_MATCH_EQUAL\","
    "   \"conditionValue\": {\"type\": \"FWP_V4_ADDR_MASK\", \"value\": \"10.0.0.0/8\"}},"
    "  {\"fieldKey\": \"FWPM_CONDITION_IP_LOCAL_ADDRESS\", \"matchType\": \"FWP_MATCH_NOT_EQUAL\","
    "   \"conditionValue\": {\"type\": \"FWP_UINT32\", \"value\": \"127.0.0.1\"}},"
    "  {\"fieldKey\": \"FWPM_CONDITION_IP_LOCAL_ADDRESS_TYPE\", \"matchType\": \"FWP_MATCH_EQUAL\","
    "   \"conditionValue\": {\"type\": \"FWP_UINT8\", \"value\": 1}},"
    "  {\"fieldKey\": \"FWPM_CONDITION_ALE_APP_ID\", \"matchType\": \"FWP_MATCH_EQUAL\","
    "   \"conditionValue\": {\"type\": \"FWP_BYTE_BLOB_TYPE\", \"value\": {\"text\": \"/usr/bin/cürl\","
    "     \"hex\": \"2f007500730072002f00620069006e002f006300fc0072006c000000\"}}},"
    "  {\"fieldKey\": \"FWPM_CONDITION_IP_REMOTE_PORT\", \"matchType\": \"FWP_MATCH_RANGE\","
    "   \"conditionValue\": {\"type\": \"FWP_RANGE_TYPE\", \"value\": {"
    "     \"valueLow\": {\"type\": \"FWP_UINT16\", \"value\": 80},"
    "     \"valueHigh\": {\"type\": \"FWP_UINT16\", \"value\": 90}}}}],"
    "\"action\": {\"type\": \"FWP_ACTION_BLOCK\", \"calloutKey\": \"00000000-0000-0000-0000-000000000000\"},"
    "\"reserved\": null, \"filterId\": 65537,"
    "\"effectiveWeight\": {\"type\": \"FWP_UINT64\", \"value\": \"0xf000000000000001\"}}";

static void test_filter(void **state)
{
    UINT64 weight = 0xF000000000000001u;
    FWP_V4_ADDR_AND_MASK mask = { 0x0A000000, 0xFF000000 };
    WCHAR path[] = L"/usr/bin/cürl";
    FWP_BYTE_BLOB app = { sizeof(path), (UINT8 *)path };
    FWP_RANGE0 range = { .valueLow = { .type = FWP_UINT16, .uint16 = 80 },
                         .valueHigh = { .type = FWP_UINT16, .uint16 = 90 } };
    FWPM_FILTER_CONDITION0 conditions[] = {
        { key_of(WALL_NAME_CONDITION, "IP_REMOTE_ADDRESS"), FWP_MATCH_EQUAL,
          { .type = FWP_V4_ADDR_MASK, .v4AddrMask = &mask } },
        { key_of(WALL_NAME_CONDITION, "IP_LOCAL_ADDRESS"), FWP_MATCH_NOT_EQUAL,
          { .type = FWP_UINT32, .uint32 = 0x7F000001 } },
        { key_of(WALL_NAME_CONDITION, "IP_LOCAL_ADDRESS_TYPE"), FWP_MATCH_EQUAL, { .type = FWP_UINT8, .uint8 = 1 } },
        { key_of(WALL_NAME_CONDITION, "ALE_APP_ID"), FWP_MATCH_EQUAL,
          { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &app } },
        { key_of(WALL_NAME_CONDITION, "IP_REMOTE_PORT"), FWP_MATCH_RANGE,
          { .type = FWP_RANGE_TYPE, .rangeValue = &range } },
    };
    WCHAR name[] = L"a \u2603";
    GUID provider = { 0x12345678, 0x9abc, 0xdef0, { 1, 2, 3, 4, 5, 6, 7, 8 } };
    FWPM_FILTER0 filter = {
        .filterKey = { 1, 0, 0, { 0 } },
        .displayData = { name, NULL },
        .flags = FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_INDEXED | 0x40000000,
        .providerKey = &provider,
        .layerKey = key_of(WALL_NAME_LAYER, "ALE_AUTH_CONNECT_V4"),
        .subLayerKey = key_of(WALL_NAME_SUBLAYER, "UNIVERSAL"),
        .weight = { .type = FWP_UINT8, .uint8 = 15 },
        .numFilterConditions = 5,
        .filterCondition = conditions,
        .action = { .type = FWP_ACTION_BLOCK },
        .rawContext = 7,
        .filterId = 65537,
        .effectiveWeight = { .type = FWP_UINT64, .uint64 = &weight },
    };
    assert_json(wall_json_from_object(&wall_shape_filter, &filter), filter_json);
}

static void test_values(void **state)
{
    FWP_VALUE0 empty = { .type = FWP_EMPTY };
    assert_json(wall_json_from_object(&wall_shape_value, &empty), "{\"type\": \"FWP_EMPTY\", \"value\": null}");
    FWP_VALUE0 negative = { .type = FWP_INT16, .int16 = -2 };
    assert_json(wall_json_from_object(&wall_shape_value, &negative), "{\"type\": \"FWP_INT16\", \"value\": -2}");
    FWP_VALUE0 unknown = { .type = (FWP_DATA_TYPE)200 };
    assert_json(wall_json_from_object(&wall_shape_value, &unknown), "{\"type\": 200, \"value\": null}");
    FWP_BYTE_ARRAY16 array = { { 0x20, 1, 0xd, 0xb8 } };
    FWP_VALUE0 bytes = { .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &array };
    assert_json(wall_json_from_object(&wall_shape_value, &bytes),
                "{\"type\": \"FWP_BYTE_ARRAY16_TYPE\", \"value\": \"20010db8000000000000000000000000\"}");
    SID user = { .Revision = 1, .SubAuthorityCount = 1, .IdentifierAuthority = { { 0, 0, 0, 0, 0, 1 } } };
    FWP_VALUE0 sid = { .type = FWP_SID, .sid = &user };
    assert_json(wall_json_from_object(&wall_shape_value, &sid), "{\"type\": \"FWP_SID\", \"value\": \"S-1-1-0\"}");
}

static void test_odd_blobs(void **state)
{
    // Not terminated, of odd size, with a terminator inside: no text.
    FWP_BYTE_BLOB blobs[] = { { 2, (UINT8 *)"a" }, { 3, (UINT8 *)"ab" }, { 6, (UINT8 *)"a\0\0\0\0" } };
    static const char *const expected[] = {
        "{\"hex\": \"6100\", \"text\": null}",
        "{\"hex\": \"616200\", \"text\": null}",
        "{\"hex\": \"610000000000\", \"text\": null}",
    };
    for (size_t i = 0; i < 3; i++)
        assert_json(wall_json_from_object(&wall_shape_blob, &blobs[i]), expected[i]);
}

static void test_net_event(void **state)
{
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop = { .filterId = 9, .layerId = 48, .isLoopback = 1 };
    FWPM_NET_EVENT5 event = {
        .header = {
            .timeStamp = { .dwLowDateTime = 0xD53E8000, .dwHighDateTime = 0x019DB1DE },  // 1970-01-01
            .flags = FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET,
            .ipVersion = FWP_IP_VERSION_V6,
            .ipProtocol = 6,
        },
        .type = FWPM_NET_EVENT_TYPE_CLASSIFY_DROP,
        .classifyDrop = &drop,
    };
    event.header.remoteAddrV6.byteArray16[15] = 1;
    json_t *json = wall_json_from_object(&wall_shape_net_event, &event);
    assert_non_null(json);
    json_t *header = json_object_get(json, "header");
    assert_string_equal(json_string_value(json_object_get(header, "timeStamp")), "1970-01-01T00:00:00.0000000Z");
    assert_string_equal(json_string_value(json_object_get(header, "ipVersion")), "FWP_IP_VERSION_V6");
    assert_string_equal(json_string_value(json_object_get(header, "localAddr")), "::");
    assert_string_equal(json_string_value(json_object_get(header, "remoteAddr")), "::1");
    assert_string_equal(json_string_value(json_object_get(json, "type")), "FWPM_NET_EVENT_TYPE_CLASSIFY_DROP");
    json_t *classify_drop = json_object_get(json, "event");
    assert_int_equal(json_integer_value(json_object_get(classify_drop, "filterId")), 9);
    assert_true(json_is_true(json_object_get(classify_drop, "isLoopback")));
    json_decref(json);

    event.header.ipVersion = FWP_IP_VERSION_V4;
    event.header.remoteAddrV4 = 0xC0000201;
    json = wall_json_from_object(&wall_shape_net_event, &event);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "header"), "remoteAddr")),
                        "192.0.2.1");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_odd_blobs),
        cmocka_unit_test(test_net_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
