#include "engine/shapes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpstypes.h"

static const struct wall_shape *const shapes[] = {
    &wall_shape_guid, &wall_shape_blob, &wall_shape_value, &wall_shape_condition_value, &wall_shape_display_data,
    &wall_shape_session, &wall_shape_provider, &wall_shape_provider_context, &wall_shape_sublayer, &wall_shape_field,
    &wall_shape_layer, &wall_shape_callout, &wall_shape_condition, &wall_shape_filter,
    &wall_shape_provider_template, &wall_shape_provider_context_template, &wall_shape_sublayer_template,
    &wall_shape_layer_template, &wall_shape_callout_template, &wall_shape_filter_template,
    &wall_shape_session_template, &wall_shape_provider_subscription, &wall_shape_provider_context_subscription,
    &wall_shape_sublayer_subscription, &wall_shape_callout_subscription, &wall_shape_filter_subscription,
    &wall_shape_provider_change, &wall_shape_provider_context_change, &wall_shape_sublayer_change,
    &wall_shape_callout_change, &wall_shape_filter_change, &wall_shape_net_event, &wall_shape_net_event_template,
    &wall_shape_net_event_subscription, &wall_shape_fwps_condition, &wall_shape_fwps_filter, &wall_shape_fwps_values,
    &wall_shape_classify_out,
};

static void every_member_is_described(void **state)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const char *name = NULL;
        const char *flaw = wall_shape_flaw(shapes[i], &name);
        if (flaw)
            fail_msg("%s: %s: %s", shapes[i]->name, name, flaw);
    }
}

static void every_type_has_its_shape(void **state)
{
    for (unsigned type = 0; type < WALL_OBJECT_COUNT_; type++) {
        assert_non_null(wall_shape_of_object(type));
        assert_non_null(wall_shape_of_template(type));
    }
    assert_ptr_equal(wall_shape_of_object(WALL_OBJECT_FILTER), &wall_shape_filter);
    assert_null(wall_shape_of_object(WALL_OBJECT_COUNT_));
    assert_null(wall_shape_of_template((enum wall_object_type)-1));
}

static WCHAR text[] = { 'r', 'u', 'l', 'e', 0 };

static void filter_is_cloned_whole(void **state)
{
    UINT64 low = 100, high = 200, weight = 7, effective = 9;
    FWP_RANGE0 range = { .valueLow = { .type = FWP_UINT64, .uint64 = &low },
                         .valueHigh = { .type = FWP_UINT64, .uint64 = &high } };
    FWP_V6_ADDR_AND_MASK mask = { .addr = { 0xFE, 0x80 }, .prefixLength = 10 };
    UINT8 path[] = { '/', 0, 'a', 0, 0, 0 };
    FWP_BYTE_BLOB app = { sizeof(path), path };
    FWPM_FILTER_CONDITION0 conditions[] = {
        { .matchType = FWP_MATCH_RANGE, .conditionValue = { .type = FWP_RANGE_TYPE, .rangeValue = &range } },
        { .matchType = FWP_MATCH_EQUAL, .conditionValue = { .type = FWP_V6_ADDR_MASK, .v6AddrMask = &mask } },
        { .matchType = FWP_MATCH_EQUAL, .conditionValue = { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &app } },
    };
    GUID provider = { .Data1 = 0x1234 };
    FWPM_FILTER0 filter = {
        .filterKey = { .Data1 = 1 }, .displayData = { text, NULL }, .flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT,
        .providerKey = &provider, .layerKey = { .Data1 = 2 }, .subLayerKey = { .Data1 = 3 },
        .weight = { .type = FWP_UINT64, .uint64 = &weight }, .numFilterConditions = 3, .filterCondition = conditions,
        .action = { .type = FWP_ACTION_CALLOUT_TERMINATING, .calloutKey = { .Data1 = 4 } },
        .providerContextKey = { .Data1 = 5, .Data4 = { 0, 1, 2, 3, 4, 5, 6, 7 } }, .filterId = 77,
        .effectiveWeight = { .type = FWP_UINT64, .uint64 = &effective },
    };

    FWPM_FILTER0 *copy = wall_shape_clone(&wall_shape_filter, &filter);
    assert_non_null(copy);
    assert_memory_equal(&copy->filterKey, &filter.filterKey, sizeof(GUID));
    assert_memory_equal(copy->displayData.name, text, sizeof(text));
    assert_int_equal(copy->flags, filter.flags);
    assert_memory_equal(copy->providerKey, &provider, sizeof(GUID));
    assert_int_equal(copy->layerKey.Data1, 2);
    assert_int_equal(copy->subLayerKey.Data1, 3);
    assert_int_equal(*copy->weight.uint64, 7);
    assert_int_equal(copy->numFilterConditions, 3);
    const FWP_RANGE0 *cloned = copy->filterCondition[0].conditionValue.rangeValue;
    assert_int_equal(*cloned->valueLow.uint64, 100);
    assert_int_equal(*cloned->valueHigh.uint64, 200);
    assert_memory_equal(copy->filterCondition[1].conditionValue.v6AddrMask, &mask, sizeof(mask));
    assert_memory_equal(copy->filterCondition[2].conditionValue.byteBlob->data, path, sizeof(path));
    assert_int_equal(copy->action.type, FWP_ACTION_CALLOUT_TERMINATING);
    assert_int_equal(copy->action.calloutKey.Data1, 4);
    assert_memory_equal(&copy->providerContextKey, &filter.providerContextKey, sizeof(GUID));
    assert_int_equal(copy->filterId, 77);
    assert_int_equal(*copy->effectiveWeight.uint64, 9);
    free(copy);
}

// Without HAS_PROVIDER_CONTEXT only rawContext counts; what lies behind it is the caller's garbage.
static void raw_context_hides_the_rest_of_its_union(void **state)
{
    FWPM_FILTER0 filter = { .providerContextKey = { .Data4 = { 1, 2, 3, 4, 5, 6, 7, 8 } } };
    filter.rawContext = 0x1122334455667788;
    FWPM_FILTER0 *copy = wall_shape_clone(&wall_shape_filter, &filter);
    assert_int_equal(copy->rawContext, 0x1122334455667788);
    assert_int_equal(copy->providerContextKey.Data4[0], 0);
    free(copy);
}

static void every_value_type_is_cloned(void **state)
{
    UINT64 number = 0x0102030405060708;
    double floating = 1.5;
    FWP_BYTE_ARRAY16 array16 = { { 1, 2, 3 } };
    FWP_BYTE_ARRAY6 array6 = { { 4, 5, 6 } };
    FWP_BYTE_BLOB blob = { 3, array16.byteArray16 };
    struct { SID sid; DWORD more[2]; } sid = { { 1, 3, { { 0, 0, 0, 0, 0, 22 } }, { 1 } }, { 1000, 7 } };
    SID_AND_ATTRIBUTES group = { &sid, 4 };
    FWP_TOKEN_INFORMATION token = { 1, &group, 0, NULL };
    FWP_V4_ADDR_AND_MASK v4 = { 0x7F000001, 0xFF000000 };

    const struct {
        FWP_CONDITION_VALUE0 value;
        const void *bytes;
        size_t size;
    } values[] = {
        { { .type = FWP_UINT64, .uint64 = &number }, &number, sizeof(number) },
        { { .type = FWP_INT64, .int64 = (INT64 *)&number }, &number, sizeof(number) },
        { { .type = FWP_DOUBLE, .double64 = &floating }, &floating, sizeof(floating) },
        { { .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &array16 }, &array16, sizeof(array16) },
        { { .type = FWP_BYTE_ARRAY6_TYPE, .byteArray6 = &array6 }, &array6, sizeof(array6) },
        { { .type = FWP_SID, .sid = &sid.sid }, &sid, 20 },
        { { .type = FWP_UNICODE_STRING_TYPE, .unicodeString = text }, text, sizeof(text) },
        { { .type = FWP_V4_ADDR_MASK, .v4AddrMask = &v4 }, &v4, sizeof(v4) },
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        FWP_CONDITION_VALUE0 *copy = wall_shape_clone(&wall_shape_condition_value, &values[i].value);
        assert_non_null(copy);
        assert_int_equal(copy->type, values[i].value.type);
        assert_ptr_not_equal(copy->byteBlob, values[i].value.byteBlob);
        assert_memory_equal(copy->byteBlob, values[i].bytes, values[i].size);
        free(copy);
    }

    static const FWP_DATA_TYPE blobs[] = { FWP_BYTE_BLOB_TYPE, FWP_SECURITY_DESCRIPTOR_TYPE,
                                           FWP_TOKEN_ACCESS_INFORMATION_TYPE };
    for (size_t i = 0; i < 3; i++) {
        FWP_VALUE0 *copy = wall_shape_clone(&wall_shape_value, &(FWP_VALUE0){ .type = blobs[i], .byteBlob = &blob });
        assert_non_null(copy);
        assert_int_equal(copy->byteBlob->size, 3);
        assert_memory_equal(copy->byteBlob->data, array16.byteArray16, 3);
        free(copy);
    }

    FWP_VALUE0 *copy = wall_shape_clone(
        &wall_shape_value, &(FWP_VALUE0){ .type = FWP_TOKEN_INFORMATION_TYPE, .tokenInformation = &token });
    assert_non_null(copy);
    assert_int_equal(copy->tokenInformation->sidCount, 1);
    assert_memory_equal(copy->tokenInformation->sids[0].Sid, &sid, 20);
    assert_int_equal(copy->tokenInformation->sids[0].Attributes, 4);
    free(copy);
}

static void conditions_only_types_are_refused_in_values(void **state)
{
    FWP_V4_ADDR_AND_MASK v4 = { 0 };
    FWP_CONDITION_VALUE0 value = { .type = FWP_V4_ADDR_MASK, .v4AddrMask = &v4 };
    assert_true(wall_shape_measure(&wall_shape_condition_value, &value) > 0);
    assert_int_equal(wall_shape_measure(&wall_shape_value, &value), 0);
    assert_int_equal(wall_shape_measure(&wall_shape_value, &(FWP_VALUE0){ .type = FWP_DATA_TYPE_MAX }), 0);
}

static void other_provider_contexts_are_refused(void **state)
{
    for (unsigned type = 0; type < FWPM_PROVIDER_CONTEXT_TYPE_MAX; type++) {
        FWPM_PROVIDER_CONTEXT3 context = { .type = type };
        bool known = type == FWPM_GENERAL_CONTEXT || type == FWPM_CLASSIFY_OPTIONS_CONTEXT ||
                     type == FWPM_NETWORK_CONNECTION_POLICY_CONTEXT;
        assert_int_equal(wall_shape_measure(&wall_shape_provider_context, &context) != 0, known);
    }
}

static void net_event_addresses_follow_the_version(void **state)
{
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop = { .filterId = 5, .layerId = 48 };
    FWPM_NET_EVENT5 event = { .header = { .ipVersion = FWP_IP_VERSION_V4, .localAddrV6 = { { 1, 2, 3, 4, 5, 6 } },
                                          .remoteAddrV4 = 0x0A000001 },
                              .type = FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, .classifyDrop = &drop };
    FWPM_NET_EVENT5 *copy = wall_shape_clone(&wall_shape_net_event, &event);
    assert_non_null(copy);
    assert_int_equal(copy->header.localAddrV4, event.header.localAddrV4);
    assert_int_equal(copy->header.localAddrV6.byteArray16[4], 0);
    assert_int_equal(copy->header.remoteAddrV4, 0x0A000001);
    assert_int_equal(copy->classifyDrop->filterId, 5);
    assert_int_equal(copy->classifyDrop->layerId, 48);
    free(copy);

    event.header.ipVersion = FWP_IP_VERSION_V6;
    copy = wall_shape_clone(&wall_shape_net_event, &event);
    assert_int_equal(copy->header.localAddrV6.byteArray16[5], 6);
    free(copy);

    event.type = FWPM_NET_EVENT_TYPE_IKEEXT_MM_FAILURE;
    assert_int_equal(wall_shape_measure(&wall_shape_net_event, &event), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_described),
        cmocka_unit_test(every_type_has_its_shape),
        cmocka_unit_test(filter_is_cloned_whole),
        cmocka_unit_test(raw_context_hides_the_rest_of_its_union),
        cmocka_unit_test(every_value_type_is_cloned),
        cmocka_unit_test(conditions_only_types_are_refused_in_values),
        cmocka_unit_test(other_provider_contexts_are_refused),
        cmocka_unit_test(net_event_addresses_follow_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
