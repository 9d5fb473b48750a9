// Enumerations: snapshots, templates of every type, best and sorted matches.
#include "base/guid.h"
#include "base/sid.h"
#include "fixture.h"

#define ALL_ACTIONS UINT32_MAX
#define FOUND_MAX 16

struct found {
    uint32_t count;
    uint64_t ids[FOUND_MAX];
};

static wall_status enumerate(struct wall_session *session, const FWPM_FILTER_ENUM_TEMPLATE0 *template_,
                             struct found *ret_found)
{
    struct wall_enumeration *enumeration;
    wall_status status = wall_enumeration_new(session, WALL_OBJECT_FILTER, template_, &enumeration);
    if (status != 0)
        return status;
    const void *const *objects;
    *ret_found = (struct found){ 0 };
    assert_int_equal(wall_enumeration_next(enumeration, FOUND_MAX, &objects, &ret_found->count), 0);
    for (uint32_t i = 0; i < ret_found->count; i++)
        ret_found->ids[i] = ((const FWPM_FILTER0 *)objects[i])->filterId;
    wall_enumeration_free(enumeration);
    return 0;
}

static void expect_found(struct wall_session *session, const FWPM_FILTER_ENUM_TEMPLATE0 *template_, uint32_t count,
                         const uint64_t *ids)
{
    struct found found;
    assert_int_equal(enumerate(session, template_, &found), 0);
    assert_int_equal(found.count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(found.ids[i], ids[i]);
}

static uint64_t add_port_filter(struct wall_session *session, const GUID *sublayer, FWP_ACTION_TYPE action,
                                FWP_MATCH_TYPE match, uint16_t port)
{
    FWPM_FILTER_CONDITION0 condition = port_is(port);
    condition.matchType = match;
    FWPM_FILTER0 filter = plain_filter(sublayer, action);
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    return add_filter(session, &filter);
}

static FWPM_FILTER_ENUM_TEMPLATE0 template_for(FWP_FILTER_ENUM_TYPE type, FWPM_FILTER_CONDITION0 *conditions,
                                               uint32_t count)
{
    return (FWPM_FILTER_ENUM_TEMPLATE0){
        .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
        .enumType = type,
        .numFilterConditions = count,
        .filterCondition = conditions,
        .actionMask = ALL_ACTIONS,
    };
}

static void a_snapshot_in_pieces(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = add_filter(fixture->session, &filter);
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_enumeration_new(fixture->session, WALL_OBJECT_FILTER, NULL, &enumeration), 0);
    // What happens now does not show.
    for (int i = 0; i < 5; i++)
        assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, NULL, ids[i]), 0);
    (void)add_filter(fixture->session, &filter);

    const void *const *objects;
    uint32_t count, seen = 0;
    do {
        assert_int_equal(wall_enumeration_next(enumeration, 2, &objects, &count), 0);
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(((const FWPM_FILTER0 *)objects[i])->filterId, ids[seen++]);
    } while (count == 2);
    assert_int_equal(seen, 5);
    assert_int_equal(wall_enumeration_next(enumeration, 2, &objects, &count), 0);
    assert_int_equal(count, 0);
    wall_enumeration_free(enumeration);
    wall_enumeration_free(NULL);
}

static void bad_templates(void **state)
{
    struct fixture *fixture = *state;
    struct found found;
    FWPM_FILTER_CONDITION0 conditions[65] = { port_is(1), port_is(2) };
    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_TYPE_MAX, NULL, 0);
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_INVALID_ENUMERATOR);
    asked.enumType = FWP_FILTER_ENUM_OVERLAPPING;
    asked.flags = 0x80;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_INVALID_FLAGS);
    asked.flags = 0;
    asked.actionMask = 0;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_NEVER_MATCH);
    asked.actionMask = ALL_ACTIONS;
    asked.layerKey.Data1++;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_LAYER_NOT_FOUND);
    asked.layerKey.Data1--;
    asked.numFilterConditions = 2;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_NULL_POINTER);
    asked.filterCondition = conditions;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_DUPLICATE_CONDITION);
    asked.numFilterConditions = 65;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_DUPLICATE_CONDITION);
    asked.numFilterConditions = 2;
    conditions[1].fieldKey = FWPM_CONDITION_PIPE;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_CONDITION_NOT_FOUND);
    conditions[1] = port_is(1);
    conditions[1].fieldKey = FWPM_CONDITION_IP_PROTOCOL;
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_TYPE_MISMATCH);
    // Fields mean nothing without a layer.
    asked.numFilterConditions = 1;
    asked.layerKey = (GUID){ 0 };
    assert_int_equal(enumerate(fixture->session, &asked, &found), FWP_E_CONDITION_NOT_FOUND);
}

static void contained_and_overlapping(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    uint64_t http = add_port_filter(session, NULL, FWP_ACTION_PERMIT, FWP_MATCH_EQUAL, 80);
    uint64_t high = add_port_filter(session, NULL, FWP_ACTION_PERMIT, FWP_MATCH_GREATER, 1000);
    uint64_t low = add_port_filter(session, NULL, FWP_ACTION_PERMIT, FWP_MATCH_LESS, 1024);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t any = add_filter(session, &filter);

    FWPM_FILTER_CONDITION0 below_1024 = port_is(1024);
    below_1024.matchType = FWP_MATCH_LESS;
    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_FULLY_CONTAINED, &below_1024, 1);
    expect_found(session, &asked, 2, (const uint64_t[]){ http, low });
    asked.enumType = FWP_FILTER_ENUM_OVERLAPPING;
    expect_found(session, &asked, 4, (const uint64_t[]){ http, high, low, any });
    FWPM_FILTER_CONDITION0 https = port_is(443);
    asked.filterCondition = &https;
    expect_found(session, &asked, 2, (const uint64_t[]){ low, any });
    asked.enumType = FWP_FILTER_ENUM_FULLY_CONTAINED;
    expect_found(session, &asked, 0, NULL);
    asked.numFilterConditions = 0;
    expect_found(session, &asked, 4, (const uint64_t[]){ http, high, low, any });
    asked.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    expect_found(session, &asked, 0, NULL);
    asked.layerKey = (GUID){ 0 };
    expect_found(session, &asked, 4, (const uint64_t[]){ http, high, low, any });
}

static void or_ed_conditions_of_a_filter(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 ports[] = { port_is(80), port_is(8080) };
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.numFilterConditions = 2;
    filter.filterCondition = ports;
    uint64_t id = add_filter(fixture->session, &filter);
    FWPM_FILTER_CONDITION0 http = port_is(8080), below = port_is(1024);
    below.matchType = FWP_MATCH_LESS;
    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_OVERLAPPING, &http, 1);
    expect_found(fixture->session, &asked, 1, &id);
    // Not all of its ports lie below 1024.
    asked = template_for(FWP_FILTER_ENUM_FULLY_CONTAINED, &below, 1);
    expect_found(fixture->session, &asked, 0, NULL);
    below.conditionValue.uint16 = 8081;
    expect_found(fixture->session, &asked, 1, &id);
}

static void by_user(void **state)
{
    struct fixture *fixture = *state;
    // D:(A;;1;;;S-1-22-1-1000)
    static uint8_t bytes[52] = { 1, 0, 4, 0x80, [16] = 20, [20] = 2, [22] = 32, [24] = 1, [30] = 24, [32] = 1 };
    union wall_sid sid;
    wall_sid_from_user(1000, &sid);
    memcpy(bytes + 36, sid.bytes, 16);
    FWP_BYTE_BLOB sd = { sizeof(bytes), bytes };
    FWPM_FILTER_CONDITION0 condition = { .fieldKey = FWPM_CONDITION_ALE_USER_ID };
    condition.conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_SECURITY_DESCRIPTOR_TYPE, .sd = &sd };
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    uint64_t id = add_filter(fixture->session, &filter);

    FWPM_FILTER_CONDITION0 user = { .fieldKey = FWPM_CONDITION_ALE_USER_ID };
    user.conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_SID, .sid = &sid.sid };
    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_OVERLAPPING, &user, 1);
    expect_found(fixture->session, &asked, 1, &id);
    wall_sid_from_user(1001, &sid);
    expect_found(fixture->session, &asked, 0, NULL);
}

static void by_action_callout_provider_and_context(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID provider, context_key;
    const FWPM_PROVIDER0 some_provider = { .displayData = NAME };
    assert_int_equal(wall_provider_add(session, &some_provider, &provider), 0);
    FWP_BYTE_BLOB blob = { 0, NULL };
    const FWPM_PROVIDER_CONTEXT3 context = {
        .displayData = NAME, .type = FWPM_GENERAL_CONTEXT, .dataBuffer = &blob, .providerKey = &provider
    };
    assert_int_equal(wall_provider_context_add(session, &context, &context_key, NULL), 0);
    GUID callout = add_callout(session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.providerKey = &provider;
    uint64_t block = add_filter(session, &filter);
    filter = plain_filter(NULL, FWP_ACTION_CALLOUT_INSPECTION);
    filter.action.calloutKey = callout;
    uint64_t inspection = add_filter(session, &filter);
    filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.providerContextKey = context_key;
    uint64_t permit = add_filter(session, &filter);

    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_OVERLAPPING, NULL, 0);
    asked.providerKey = &provider;
    expect_found(session, &asked, 1, &block);
    asked.providerKey = NULL;
    asked.calloutKey = &callout;
    expect_found(session, &asked, 1, &inspection);
    asked.calloutKey = NULL;
    asked.actionMask = FWP_ACTION_FLAG_CALLOUT;
    expect_found(session, &asked, 1, &inspection);
    asked.actionMask = FWP_ACTION_FLAG_TERMINATING;
    expect_found(session, &asked, 2, (const uint64_t[]){ block, permit });
    asked.actionMask = ALL_ACTIONS;
    FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 general = { &provider, FWPM_GENERAL_CONTEXT };
    asked.providerContextTemplate = &general;
    expect_found(session, &asked, 1, &permit);
    general.providerContextType = FWPM_CLASSIFY_OPTIONS_CONTEXT;
    expect_found(session, &asked, 0, NULL);
}

static void sorted(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID low = add_sublayer(session, 5);
    FWPM_FILTER0 filter = plain_filter(&low, FWP_ACTION_BLOCK);
    uint64_t ids[4];
    ids[2] = add_filter(session, &filter);
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    ids[3] = add_filter(session, &filter);
    ids[1] = add_port_filter(session, NULL, FWP_ACTION_BLOCK, FWP_MATCH_GREATER, 5);
    ids[0] = add_port_filter(session, NULL, FWP_ACTION_BLOCK, FWP_MATCH_EQUAL, 5);
    FWPM_FILTER_ENUM_TEMPLATE0 asked = { .actionMask = ALL_ACTIONS, .flags = FWP_FILTER_ENUM_FLAG_SORTED };
    expect_found(session, &asked, 4, ids);
}

static void the_best_match_is_the_one_that_decides(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID high = add_sublayer(session, 900), middle = add_sublayer(session, 800), low = add_sublayer(session, 700);
    GUID callout = add_callout(session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    uint64_t soft = add_port_filter(session, &high, FWP_ACTION_PERMIT, FWP_MATCH_LESS, 1000);
    (void)add_port_filter(session, &high, FWP_ACTION_BLOCK, FWP_MATCH_LESS, 1001);
    uint64_t block = add_port_filter(session, &middle, FWP_ACTION_BLOCK, FWP_MATCH_LESS, 100);
    (void)add_port_filter(session, &low, FWP_ACTION_BLOCK, FWP_MATCH_LESS, 50);
    FWPM_FILTER0 filter = plain_filter(&high, FWP_ACTION_CALLOUT_INSPECTION);
    filter.action.calloutKey = callout;
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 15 };
    (void)add_filter(session, &filter);

    static const struct {
        uint16_t port;
        int winner;  // 0: nobody, 1: soft permit, 2: block
    } rows[] = { { 40, 2 }, { 90, 2 }, { 500, 1 }, { 5000, 0 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        FWPM_FILTER_CONDITION0 condition = port_is(rows[i].port);
        FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_OVERLAPPING, &condition, 1);
        asked.flags = FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH;
        uint64_t winner = rows[i].winner == 2 ? block : soft;
        expect_found(session, &asked, rows[i].winner != 0, &winner);
    }

    // A hard permit lets nobody below decide; and each layer has its own best.
    GUID top = add_sublayer(session, 1000);
    filter = plain_filter(&top, FWP_ACTION_PERMIT);
    filter.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    uint64_t hard = add_filter(session, &filter);
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    uint64_t other_layer = add_filter(session, &filter);
    FWPM_FILTER_ENUM_TEMPLATE0 all = { .actionMask = ALL_ACTIONS };
    all.flags = FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH;
    expect_found(session, &all, 2, (const uint64_t[]){ hard, other_layer });
}

static void boot_time_filters(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t normal = add_filter(fixture->session, &filter);
    filter.flags = FWPM_FILTER_FLAG_BOOTTIME;
    uint64_t boot = add_filter(fixture->session, &filter);
    expect_found(fixture->session, NULL, 1, &normal);
    FWPM_FILTER_ENUM_TEMPLATE0 asked = template_for(FWP_FILTER_ENUM_OVERLAPPING, NULL, 0);
    expect_found(fixture->session, &asked, 1, &normal);
    asked.flags = FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME;
    expect_found(fixture->session, &asked, 2, (const uint64_t[]){ normal, boot });
    asked.flags = FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY;
    expect_found(fixture->session, &asked, 1, &boot);
}

static uint32_t count_of(struct wall_session *session, enum wall_object_type type, const void *template_)
{
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_enumeration_new(session, type, template_, &enumeration), 0);
    const void *const *objects;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, 1000, &objects, &count), 0);
    wall_enumeration_free(enumeration);
    return count;
}

static void templates_of_the_other_types(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    struct wall_enumeration *enumeration;
    GUID provider;
    const FWPM_PROVIDER0 some_provider = { .displayData = NAME };
    assert_int_equal(wall_provider_add(session, &some_provider, &provider), 0);
    const FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .providerKey = &provider };
    assert_int_equal(wall_sublayer_add(session, &sublayer, NULL), 0);
    const FWPM_CALLOUT0 callout = {
        .displayData = NAME, .providerKey = &provider, .applicableLayer = FWPM_LAYER_STREAM_V6
    };
    uint32_t callout_id;
    assert_int_equal(wall_callout_add(session, &callout, NULL, &callout_id), 0);

    FWPM_PROVIDER_ENUM_TEMPLATE0 providers = { 0 };
    assert_int_equal(count_of(session, WALL_OBJECT_PROVIDER, &providers), 10);
    providers.reserved = 1;
    assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_PROVIDER, &providers, &enumeration), FWP_E_RESERVED);
    FWPM_LAYER_ENUM_TEMPLATE0 layers = { 1 };
    assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_LAYER, &layers, &enumeration), FWP_E_RESERVED);
    FWPM_SUBLAYER_ENUM_TEMPLATE0 sublayers = { NULL };
    assert_int_equal(count_of(session, WALL_OBJECT_SUBLAYER, &sublayers), 19);
    sublayers.providerKey = &provider;
    assert_int_equal(count_of(session, WALL_OBJECT_SUBLAYER, &sublayers), 1);
    FWPM_CALLOUT_ENUM_TEMPLATE0 callouts = { NULL, { 0 } };
    assert_int_equal(count_of(session, WALL_OBJECT_CALLOUT, &callouts), 52);
    callouts.layerKey = FWPM_LAYER_STREAM_V6;
    assert_int_equal(count_of(session, WALL_OBJECT_CALLOUT, &callouts), 1);
    callouts.layerKey.Data1++;
    assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_CALLOUT, &callouts, &enumeration),
                     FWP_E_LAYER_NOT_FOUND);
    FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 contexts = { NULL, FWPM_GENERAL_CONTEXT };
    assert_int_equal(count_of(session, WALL_OBJECT_PROVIDER_CONTEXT, &contexts), 0);
    contexts.providerContextType = FWPM_PROVIDER_CONTEXT_TYPE_MAX;
    assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_PROVIDER_CONTEXT, &contexts, &enumeration),
                     FWP_E_INVALID_ENUMERATOR);
}

static void callouts_show_whether_they_are_registered(void **state)
{
    struct fixture *fixture = *state;
    GUID provider;
    const FWPM_PROVIDER0 some_provider = { .displayData = NAME };
    assert_int_equal(wall_provider_add(fixture->session, &some_provider, &provider), 0);
    const FWPM_CALLOUT0 callout = {
        .displayData = NAME, .providerKey = &provider, .applicableLayer = FWPM_LAYER_STREAM_V6
    };
    GUID key;
    assert_int_equal(wall_callout_add(fixture->session, &callout, &key, NULL), 0);
    assert_int_equal(wall_callout_register(fixture->engine, &key, 0, NULL), 0);
    const FWPM_CALLOUT_ENUM_TEMPLATE0 mine = { &provider, { 0 } };
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_enumeration_new(fixture->session, WALL_OBJECT_CALLOUT, &mine, &enumeration), 0);
    const void *const *objects;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, 5, &objects, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(((const FWPM_CALLOUT0 *)objects[0])->flags, FWPM_CALLOUT_FLAG_REGISTERED);
    wall_enumeration_free(enumeration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_in_pieces),
        TEST(bad_templates),
        TEST(contained_and_overlapping),
        TEST(or_ed_conditions_of_a_filter),
        TEST(by_user),
        TEST(by_action_callout_provider_and_context),
        TEST(sorted),
        TEST(the_best_match_is_the_one_that_decides),
        TEST(boot_time_filters),
        TEST(templates_of_the_other_types),
        TEST(callouts_show_whether_they_are_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
