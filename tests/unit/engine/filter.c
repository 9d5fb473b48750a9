// Filters: what is refused and with which code, what is filled in, references and lifetimes.
#include "base/guid.h"
#include "engine/limits.h"
#include "engine/policy_build.h"
#include "engine/state.h"
#include "fixture.h"

static wall_status try(struct fixture *fixture, const FWPM_FILTER0 *filter)
{
    uint64_t id = 77;
    GUID key = FWPM_LAYER_STREAM_V4;
    wall_status status = wall_filter_add(fixture->session, filter, &key, &id);
    // Nothing is written on failure.
    assert_int_equal(id == 77, status != 0);
    assert_int_equal(wall_guid_equal(&key, &FWPM_LAYER_STREAM_V4), status != 0);
    return status;
}

static void what_is_filled_in(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 condition = port_is(443);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    uint8_t data[] = { 1, 2, 3 };
    filter.providerData = (FWP_BYTE_BLOB){ 3, data };
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    filter.rawContext = 0x1234;
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 3 };
    filter.filterId = 999;
    GUID key;
    uint64_t id;
    assert_int_equal(wall_filter_add(fixture->session, &filter, &key, &id), 0);
    data[0] = 99;

    FWPM_FILTER0 *got = NULL;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_FILTER, &key, 0, (void **)&got), 0);
    assert_int_equal(got->filterId, id);
    assert_int_not_equal(id, 999);
    assert_true(wall_guid_equal(&got->filterKey, &key));
    assert_true(wall_guid_equal(&got->subLayerKey, &FWPM_SUBLAYER_UNIVERSAL));
    assert_int_equal(got->effectiveWeight.type, FWP_UINT64);
    assert_true(*got->effectiveWeight.uint64 == (UINT64_C(3) << 60 | UINT64_C(7) << 38));
    assert_int_equal(got->weight.type, FWP_UINT8);
    assert_int_equal(got->providerData.data[0], 1);
    assert_int_equal(got->rawContext, 0x1234);
    assert_int_equal(got->filterCondition[0].conditionValue.uint16, 443);
    free(got);
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_FILTER, NULL, id, (void **)&got), 0);
    assert_true(wall_guid_equal(&got->filterKey, &key));
    free(got);
}

static void a_key_of_ones_own(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    // Keys are unique within a type only.
    filter.filterKey = FWPM_SUBLAYER_UNIVERSAL;
    assert_int_equal(try(fixture, &filter), 0);
    assert_int_equal(try(fixture, &filter), FWP_E_ALREADY_EXISTS);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, &FWPM_SUBLAYER_UNIVERSAL, 0), 0);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, &FWPM_SUBLAYER_UNIVERSAL, 0),
                     FWP_E_FILTER_NOT_FOUND);
    assert_int_equal(try(fixture, &filter), 0);
}

// --- Refusals ---

static void structure(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try(fixture, NULL), FWP_E_NULL_POINTER);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.displayData.name = NULL;
    assert_int_equal(try(fixture, &filter), FWP_E_NULL_DISPLAY_NAME);

    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.providerData.size = 1;
    assert_int_equal(try(fixture, &filter), FWP_E_NULL_POINTER);

    GUID reserved = { 0 };
    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.reserved = &reserved;
    assert_int_equal(try(fixture, &filter), FWP_E_RESERVED);

    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.numFilterConditions = 1;
    assert_int_equal(try(fixture, &filter), FWP_E_NULL_POINTER);
    filter.numFilterConditions = WALL_CONDITIONS_MAX + 1;
    assert_int_equal(try(fixture, &filter), FWP_E_OUT_OF_BOUNDS);

    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 16 };
    assert_int_equal(try(fixture, &filter), FWP_E_INVALID_WEIGHT);
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT64 };
    assert_int_equal(try(fixture, &filter), FWP_E_NULL_POINTER);
}

static void flags(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    static const uint32_t bad[] = { 0x80000000, FWPM_FILTER_FLAG_RESERVED0,
                                    FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME,
                                    FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        filter.flags = bad[i];
        assert_int_equal(try(fixture, &filter), FWP_E_INVALID_FLAGS);
    }
    filter.flags = FWPM_FILTER_FLAG_INDEXED | FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    assert_int_equal(try(fixture, &filter), 0);

    // DISABLED is the engine's to say.
    filter.flags = FWPM_FILTER_FLAG_DISABLED;
    uint64_t id = add_filter(fixture->session, &filter);
    FWPM_FILTER0 *got = NULL;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_FILTER, NULL, id, (void **)&got), 0);
    assert_int_equal(got->flags, 0);
    free(got);
}

static void actions(void **state)
{
    struct fixture *fixture = *state;
    GUID callout = add_callout(fixture->session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    static const uint32_t bad[] = { 0, 1, FWP_ACTION_CONTINUE, FWP_ACTION_NONE, FWP_ACTION_FLAG_CALLOUT, 0x1003 };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        FWPM_FILTER0 filter = plain_filter(NULL, bad[i]);
        assert_int_equal(try(fixture, &filter), FWP_E_INVALID_ACTION_TYPE);
    }
    static const struct {
        FWP_ACTION_TYPE type;
        wall_status with_permit_if_unregistered;
    } good[] = {
        { FWP_ACTION_CALLOUT_TERMINATING, 0 },
        { FWP_ACTION_CALLOUT_UNKNOWN, 0 },
        { FWP_ACTION_CALLOUT_INSPECTION, FWP_E_INVALID_FLAGS },
        { FWP_ACTION_BLOCK, FWP_E_INVALID_FLAGS },
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        FWPM_FILTER0 filter = plain_filter(NULL, good[i].type);
        filter.action.calloutKey = callout;
        assert_int_equal(try(fixture, &filter), 0);
        filter.flags = FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
        assert_int_equal(try(fixture, &filter), good[i].with_permit_if_unregistered);
    }
}

static void what_it_refers_to_must_exist(void **state)
{
    struct fixture *fixture = *state;
    GUID unknown = { 1 };
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.layerKey = unknown;
    assert_int_equal(try(fixture, &filter), FWP_E_LAYER_NOT_FOUND);
    filter = plain_filter(&unknown, FWP_ACTION_PERMIT);
    assert_int_equal(try(fixture, &filter), FWP_E_SUBLAYER_NOT_FOUND);
    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.providerKey = &unknown;
    assert_int_equal(try(fixture, &filter), FWP_E_PROVIDER_NOT_FOUND);
    filter = plain_filter(NULL, FWP_ACTION_CALLOUT_UNKNOWN);
    filter.action.calloutKey = unknown;
    assert_int_equal(try(fixture, &filter), FWP_E_CALLOUT_NOT_FOUND);
    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.providerContextKey = unknown;
    assert_int_equal(try(fixture, &filter), FWP_E_PROVIDER_CONTEXT_NOT_FOUND);
}

static void what_does_not_go_together(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_CALLOUT_UNKNOWN);
    filter.action.calloutKey = add_callout(fixture->session, &FWPM_LAYER_ALE_AUTH_CONNECT_V6);
    assert_int_equal(try(fixture, &filter), FWP_E_ACTION_INCOMPATIBLE_WITH_LAYER);
    filter.layerKey = FWPM_LAYER_RPC_UM;
    filter.action.calloutKey = add_callout(fixture->session, &FWPM_LAYER_RPC_UM);
    assert_int_equal(try(fixture, &filter), FWP_E_ACTION_INCOMPATIBLE_WITH_LAYER);

    filter = plain_filter(&FWPM_SUBLAYER_INSPECTION, FWP_ACTION_BLOCK);
    assert_int_equal(try(fixture, &filter), FWP_E_ACTION_INCOMPATIBLE_WITH_SUBLAYER);
    filter.action.type = FWP_ACTION_CALLOUT_INSPECTION;
    filter.action.calloutKey = add_callout(fixture->session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(try(fixture, &filter), 0);

    filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.flags = FWPM_FILTER_FLAG_BOOTTIME;
    filter.layerKey = FWPM_LAYER_RPC_UM;
    assert_int_equal(try(fixture, &filter), FWP_E_INCOMPATIBLE_LAYER);
}

static GUID add_context(struct wall_session *session, uint64_t *ret_id)
{
    FWP_BYTE_BLOB blob = { 3, (UINT8 *)"abc" };
    const FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME, .type = FWPM_GENERAL_CONTEXT, .dataBuffer = &blob };
    GUID key;
    assert_int_equal(wall_provider_context_add(session, &context, &key, ret_id), 0);
    return key;
}

static void provider_contexts(void **state)
{
    struct fixture *fixture = *state;
    uint64_t context_id;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_CALLOUT_UNKNOWN);
    filter.flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.providerContextKey = add_context(fixture->session, &context_id);
    filter.action.calloutKey = add_callout(fixture->session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(try(fixture, &filter), FWP_E_CONTEXT_INCOMPATIBLE_WITH_CALLOUT);

    const FWPM_CALLOUT0 callout = {
        .displayData = NAME,
        .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
        .flags = FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT,
    };
    uint32_t callout_id;
    assert_int_equal(wall_callout_add(fixture->session, &callout, &filter.action.calloutKey, &callout_id), 0);
    uint64_t id = add_filter(fixture->session, &filter);
    const struct wall_policy_layer *layer = wall_policy_layer(wall_engine_policy(fixture->engine), 48);
    const struct wall_filter *run_time = layer->sublayers[0].filters[0];
    assert_int_equal(run_time->id, id);
    assert_int_equal(run_time->provider_context_id, context_id);
    assert_int_equal(run_time->callout_id, callout_id);
    assert_int_equal(run_time->context, 0);
    assert_int_equal(layer->callout_filter_count, 1);

    // Options of a connection belong where it is authorized.
    FWPM_CLASSIFY_OPTIONS0 options = { 0 };
    FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME, .type = FWPM_CLASSIFY_OPTIONS_CONTEXT };
    context.classifyOptions = &options;
    filter.action.type = FWP_ACTION_PERMIT;
    assert_int_equal(wall_provider_context_add(fixture->session, &context, &filter.providerContextKey, NULL), 0);
    assert_int_equal(try(fixture, &filter), 0);
    filter.layerKey = FWPM_LAYER_STREAM_V4;
    assert_int_equal(try(fixture, &filter), FWP_E_CONTEXT_INCOMPATIBLE_WITH_LAYER);
    FWPM_NETWORK_CONNECTION_POLICY_SETTINGS0 settings = { 0 };
    context.type = FWPM_NETWORK_CONNECTION_POLICY_CONTEXT;
    context.networkConnectionPolicy = &settings;
    assert_int_equal(wall_provider_context_add(fixture->session, &context, &filter.providerContextKey, NULL), 0);
    assert_int_equal(try(fixture, &filter), FWP_E_CONTEXT_INCOMPATIBLE_WITH_LAYER);
    filter.layerKey = FWPM_LAYER_OUTBOUND_NETWORK_CONNECTION_POLICY_V6;
    assert_int_equal(try(fixture, &filter), 0);
}

static void conditions_are_judged(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 conditions[2] = { port_is(1), port_is(2) };
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.numFilterConditions = 2;
    filter.filterCondition = conditions;
    conditions[1].fieldKey = FWPM_CONDITION_PIPE;
    assert_int_equal(try(fixture, &filter), FWP_E_CONDITION_NOT_FOUND);
    conditions[1] = port_is(2);
    conditions[1].conditionValue.type = FWP_UINT32;
    assert_int_equal(try(fixture, &filter), FWP_E_TYPE_MISMATCH);
    conditions[1] = port_is(2);
    conditions[1].matchType = FWP_MATCH_PREFIX;
    assert_int_equal(try(fixture, &filter), FWP_E_MATCH_TYPE_MISMATCH);
    conditions[1] = port_is(1);
    assert_int_equal(try(fixture, &filter), 0);
}

static void limits(void **state)
{
    struct fixture *fixture = *state;
    fixture->engine->filters_max = 3;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try(fixture, &filter), 0);
    assert_int_equal(try(fixture, &filter), WALL_STATUS_QUOTA);
    assert_int_equal(filter_count(fixture->engine), 3);
}

// --- Lifetimes ---

static wall_status try_flags(struct fixture *fixture, const GUID *sublayer, GUID *provider, uint32_t filter_flags)
{
    FWPM_FILTER0 filter = plain_filter(sublayer, FWP_ACTION_BLOCK);
    filter.flags = filter_flags;
    filter.providerKey = provider;
    return wall_filter_add(fixture->session, &filter, NULL, NULL);
}

static GUID add_provider(struct wall_session *session, uint32_t provider_flags)
{
    const FWPM_PROVIDER0 provider = { .displayData = NAME, .flags = provider_flags };
    GUID key;
    assert_int_equal(wall_provider_add(session, &provider, &key), 0);
    return key;
}

static void lifetimes(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID static_provider = add_provider(session, 0), one = add_provider(session, FWPM_PROVIDER_FLAG_PERSISTENT);
    GUID two = add_provider(session, FWPM_PROVIDER_FLAG_PERSISTENT);
    GUID static_sublayer = add_sublayer(session, 1), of_one, of_nobody;
    FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .flags = FWPM_SUBLAYER_FLAG_PERSISTENT, .providerKey = &one };
    assert_int_equal(wall_sublayer_add(session, &sublayer, &of_one), 0);
    sublayer.providerKey = NULL;
    assert_int_equal(wall_sublayer_add(session, &sublayer, &of_nobody), 0);
    const uint32_t persistent = FWPM_FILTER_FLAG_PERSISTENT, boottime = FWPM_FILTER_FLAG_BOOTTIME;

    assert_int_equal(try_flags(fixture, &of_one, &one, persistent), 0);
    assert_int_equal(try_flags(fixture, &of_one, &two, persistent), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, &of_one, NULL, persistent), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, &of_nobody, NULL, persistent), 0);
    assert_int_equal(try_flags(fixture, &of_nobody, &one, persistent), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, NULL, &one, persistent), 0);
    assert_int_equal(try_flags(fixture, NULL, &static_provider, persistent), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, &static_sublayer, NULL, persistent), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, &of_one, &two, 0), 0);
    assert_int_equal(try_flags(fixture, &static_sublayer, &static_provider, 0), 0);
    assert_int_equal(try_flags(fixture, NULL, NULL, boottime), 0);
    assert_int_equal(try_flags(fixture, &of_nobody, NULL, boottime), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(try_flags(fixture, NULL, &one, boottime), FWP_E_LIFETIME_MISMATCH);
}

static void what_is_referred_to_stays(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID provider = add_provider(session, 0), sublayer = add_sublayer(session, 1);
    uint64_t context_id;
    const FWPM_CALLOUT0 callout = {
        .displayData = NAME,
        .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
        .flags = FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT,
    };
    FWPM_FILTER0 filter = plain_filter(&sublayer, FWP_ACTION_CALLOUT_TERMINATING);
    filter.providerKey = &provider;
    filter.flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.providerContextKey = add_context(session, &context_id);
    uint32_t callout_id;
    assert_int_equal(wall_callout_add(session, &callout, &filter.action.calloutKey, &callout_id), 0);
    uint64_t id = add_filter(session, &filter);

    for (int round = 0; round < 2; round++) {
        wall_status expected = round == 0 ? FWP_E_IN_USE : 0;
        assert_int_equal(wall_object_delete(session, WALL_OBJECT_PROVIDER, &provider, 0), expected);
        assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &sublayer, 0), expected);
        assert_int_equal(wall_object_delete(session, WALL_OBJECT_CALLOUT, NULL, callout_id), expected);
        assert_int_equal(wall_object_delete(session, WALL_OBJECT_PROVIDER_CONTEXT, NULL, context_id), expected);
        if (round == 0)
            assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, id), 0);
    }
}

static void boot_time_filters_are_kept_but_not_enforced(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_flags(fixture, NULL, NULL, FWPM_FILTER_FLAG_BOOTTIME), 0);
    assert_int_equal(filter_count(fixture->engine), 0);
    assert_int_equal(fixture->store_put_count, 1);
    assert_int_equal(fixture->enforce_count, 0);
}

static void ids_are_not_used_again(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t first = add_filter(fixture->session, &filter);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, NULL, first), 0);
    uint64_t second = add_filter(fixture->session, &filter);
    assert_true(second > first);
    void *object;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_FILTER, NULL, first, &object),
                     FWP_E_FILTER_NOT_FOUND);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, NULL, first), FWP_E_FILTER_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_filled_in),
        TEST(a_key_of_ones_own),
        TEST(structure),
        TEST(flags),
        TEST(actions),
        TEST(what_it_refers_to_must_exist),
        TEST(what_does_not_go_together),
        TEST(provider_contexts),
        TEST(conditions_are_judged),
        TEST(limits),
        TEST(lifetimes),
        TEST(what_is_referred_to_stays),
        TEST(boot_time_filters_are_kept_but_not_enforced),
        TEST(ids_are_not_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
