// Net events: options, the buffer, templates.
#include "engine/net_event.h"

#include "base/sid.h"
#include "engine/limits.h"
#include "fixture.h"

struct event {
    FWPM_NET_EVENT5 event;
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop;
    FWPM_NET_EVENT_CLASSIFY_ALLOW0 allow;
    union wall_sid user;
};

static void set_time(FILETIME *time, uint64_t number)
{
    time->dwLowDateTime = (DWORD)number;
    time->dwHighDateTime = (DWORD)(number >> 32);
}

// A drop of traffic to 10.0.0.<n>:<n>, at time n.
static void make_event(struct event *made, FWPM_NET_EVENT_TYPE type, uint8_t n)
{
    memset(made, 0, sizeof(*made));
    FWPM_NET_EVENT_HEADER3 *header = &made->event.header;
    set_time(&header->timeStamp, n);
    header->flags = FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET | FWPM_NET_EVENT_FLAG_LOCAL_ADDR_SET |
                    FWPM_NET_EVENT_FLAG_REMOTE_ADDR_SET | FWPM_NET_EVENT_FLAG_LOCAL_PORT_SET |
                    FWPM_NET_EVENT_FLAG_REMOTE_PORT_SET | FWPM_NET_EVENT_FLAG_APP_ID_SET |
                    FWPM_NET_EVENT_FLAG_USER_ID_SET | FWPM_NET_EVENT_FLAG_IP_VERSION_SET;
    header->ipVersion = FWP_IP_VERSION_V4;
    header->ipProtocol = 6;
    header->localAddrV4 = 0x0a000100;
    header->remoteAddrV4 = 0x0a000000u + n;
    header->localPort = 40000;
    header->remotePort = n;
    header->appId = (FWP_BYTE_BLOB){ 10, (UINT8 *)L"curl" };
    wall_sid_from_user(n, &made->user);
    header->userId = &made->user.sid;
    made->event.type = type;
    made->drop = (FWPM_NET_EVENT_CLASSIFY_DROP2){ .filterId = n, .layerId = 48, .msFwpDirection = 0x3901 };
    made->allow = (FWPM_NET_EVENT_CLASSIFY_ALLOW0){ .filterId = n, .layerId = 48 };
    if (type == FWPM_NET_EVENT_TYPE_CLASSIFY_DROP)
        made->event.classifyDrop = &made->drop;
    else
        made->event.classifyAllow = &made->allow;
}

static void add_event(struct fixture *fixture, uint8_t n)
{
    struct event made;
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, n);
    wall_net_event_add(fixture->engine, &made.event);
}

static uint32_t count_events(struct fixture *fixture, const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_)
{
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_net_event_enumeration_new(fixture->session, template_, &enumeration), 0);
    const void *const *events;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, UINT32_MAX, &events, &count), 0);
    wall_enumeration_free(enumeration);
    return count;
}

static void set_option(struct fixture *fixture, FWPM_ENGINE_OPTION option, uint32_t number)
{
    const FWP_VALUE0 value = { .type = FWP_UINT32, .uint32 = number };
    assert_int_equal(wall_option_set(fixture->session, option, &value), 0);
}

static void events_are_kept_in_order(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t n = 1; n <= 5; n++)
        add_event(fixture, n);
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_net_event_enumeration_new(fixture->session, NULL, &enumeration), 0);
    add_event(fixture, 6);
    const void *const *events;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, 100, &events, &count), 0);
    assert_int_equal(count, 5);
    for (uint32_t i = 0; i < count; i++) {
        const FWPM_NET_EVENT5 *event = events[i];
        assert_int_equal(event->type, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP);
        assert_int_equal(event->classifyDrop->filterId, i + 1);
        assert_int_equal(event->header.remotePort, i + 1);
        assert_memory_equal(event->header.appId.data, L"curl", 10);
    }
    wall_enumeration_free(enumeration);
    assert_int_equal(wall_net_event_counts(fixture->engine).added, 6);
}

static void the_oldest_go_first(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < WALL_NET_EVENTS_MAX + 10; i++)
        add_event(fixture, (uint8_t)i);
    assert_int_equal(count_events(fixture, NULL), WALL_NET_EVENTS_MAX);
    assert_int_equal(wall_net_event_counts(fixture->engine).forgotten, 10);

    // Big ones push out many.
    struct event made;
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 1);
    made.event.header.appId.size = WALL_NET_EVENTS_BYTES_MAX - 1000;
    made.event.header.appId.data = calloc(1, WALL_NET_EVENTS_BYTES_MAX + 1);
    wall_net_event_add(fixture->engine, &made.event);
    assert_in_range(count_events(fixture, NULL), 1, 10);
    // One that is bigger than the buffer is not kept at all.
    made.event.header.appId.size = WALL_NET_EVENTS_BYTES_MAX + 1;
    uint64_t forgotten = wall_net_event_counts(fixture->engine).forgotten;
    uint32_t before = count_events(fixture, NULL);
    wall_net_event_add(fixture->engine, &made.event);
    assert_int_equal(count_events(fixture, NULL), before);
    assert_int_equal(wall_net_event_counts(fixture->engine).forgotten, forgotten + 1);
    free(made.event.header.appId.data);
}

static void options_say_what_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct event made;
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, 1);
    wall_net_event_add(fixture->engine, &made.event);
    assert_int_equal(count_events(fixture, NULL), 0);
    set_option(fixture, FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS, FWPM_NET_EVENT_KEYWORD_CLASSIFY_ALLOW);
    wall_net_event_add(fixture->engine, &made.event);
    assert_int_equal(count_events(fixture, NULL), 1);

    static const FWPM_NET_EVENT_TYPE capabilities[] = { FWPM_NET_EVENT_TYPE_CAPABILITY_DROP,
                                                        FWPM_NET_EVENT_TYPE_CAPABILITY_ALLOW };
    for (size_t i = 0; i < COUNT_OF(capabilities); i++) {
        FWPM_NET_EVENT_CAPABILITY_DROP0 capability = { 0 };
        make_event(&made, capabilities[i], 1);
        made.event.capabilityDrop = &capability;
        wall_net_event_add(fixture->engine, &made.event);
        assert_int_equal(count_events(fixture, NULL), 1);
    }
    assert_int_equal(wall_net_event_counts(fixture->engine).ignored, 3);

    set_option(fixture, FWPM_ENGINE_COLLECT_NET_EVENTS, 0);
    add_event(fixture, 1);
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_net_event_enumeration_new(fixture->session, NULL, &enumeration), FWP_E_NET_EVENTS_DISABLED);
    set_option(fixture, FWPM_ENGINE_COLLECT_NET_EVENTS, 1);
    assert_int_equal(count_events(fixture, NULL), 1);
}

static void inbound_noise_needs_a_keyword(void **state)
{
    static const struct {
        uint32_t local;
        uint16_t layer_id;
        uint32_t direction, keyword;
    } rows[] = {
        { 0xe00000fb, 44, 0x3900, FWPM_NET_EVENT_KEYWORD_INBOUND_MCAST },
        { 0xffffffff, 44, 0x3900, FWPM_NET_EVENT_KEYWORD_INBOUND_BCAST },
        { 0x0a000001, FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD, 0x3900, FWPM_NET_EVENT_KEYWORD_PORT_SCANNING_DROP },
        { 0x0a000001, 44, 0x3900, 0 },
        { 0xe00000fb, 44, 0x3901, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *fresh;
        fixture_setup(&fresh);
        struct fixture *fixture = fresh;
        struct event made;
        make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 1);
        made.event.header.localAddrV4 = rows[i].local;
        made.drop.layerId = rows[i].layer_id;
        made.drop.msFwpDirection = rows[i].direction;
        wall_net_event_add(fixture->engine, &made.event);
        assert_int_equal(count_events(fixture, NULL), rows[i].keyword == 0);
        set_option(fixture, FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS, rows[i].keyword);
        wall_net_event_add(fixture->engine, &made.event);
        assert_int_equal(count_events(fixture, NULL), rows[i].keyword == 0 ? 2 : 1);

        made.event.header.ipVersion = FWP_IP_VERSION_V6;
        made.event.header.localAddrV6 = (FWP_BYTE_ARRAY16){ { 0xff, 0x02 } };
        made.drop.layerId = 46;
        made.drop.msFwpDirection = 0x3900;
        set_option(fixture, FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS, 0);
        uint32_t before = count_events(fixture, NULL);
        wall_net_event_add(fixture->engine, &made.event);
        assert_int_equal(count_events(fixture, NULL), before);
        fixture_teardown(&fresh);
    }
}

static FWPM_FILTER_CONDITION0 asks(const GUID *key, FWP_CONDITION_VALUE0 value)
{
    return (FWPM_FILTER_CONDITION0){ .fieldKey = *key, .matchType = FWP_MATCH_EQUAL, .conditionValue = value };
}

static uint32_t count_matching(struct fixture *fixture, FWPM_FILTER_CONDITION0 condition)
{
    const FWPM_NET_EVENT_ENUM_TEMPLATE0 asked = { .numFilterConditions = 1, .filterCondition = &condition };
    return count_events(fixture, &asked);
}

static void templates_select(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t n = 1; n <= 20; n++)
        add_event(fixture, n);
    FWPM_NET_EVENT_ENUM_TEMPLATE0 asked = { 0 };
    set_time(&asked.startTime, 5);
    assert_int_equal(count_events(fixture, &asked), 16);
    set_time(&asked.endTime, 7);
    assert_int_equal(count_events(fixture, &asked), 3);

    union wall_sid sid;
    wall_sid_from_user(7, &sid);
    FWP_BYTE_BLOB curl = { 10, (UINT8 *)L"curl" }, wget = { 10, (UINT8 *)L"wget" };
    FWP_V4_ADDR_AND_MASK mask = { 0x0a000010, 0xfffffff0 };
#define VALUE(...) ((FWP_CONDITION_VALUE0){ __VA_ARGS__ })
    const struct {
        const GUID *key;
        FWP_CONDITION_VALUE0 value;
        uint32_t count;
    } rows[] = {
        { &FWPM_CONDITION_NET_EVENT_TYPE, VALUE(.type = FWP_UINT32, .uint32 = 3), 20 },
        { &FWPM_CONDITION_NET_EVENT_TYPE, VALUE(.type = FWP_UINT32, .uint32 = 6), 0 },
        { &FWPM_CONDITION_IP_PROTOCOL, VALUE(.type = FWP_UINT8, .uint8 = 6), 20 },
        { &FWPM_CONDITION_IP_LOCAL_PORT, VALUE(.type = FWP_UINT16, .uint16 = 40000), 20 },
        { &FWPM_CONDITION_IP_REMOTE_PORT, VALUE(.type = FWP_UINT16, .uint16 = 9), 1 },
        { &FWPM_CONDITION_IP_REMOTE_ADDRESS, VALUE(.type = FWP_UINT32, .uint32 = 0x0a000009), 1 },
        { &FWPM_CONDITION_IP_REMOTE_ADDRESS, VALUE(.type = FWP_V4_ADDR_MASK, .v4AddrMask = &mask), 5 },
        { &FWPM_CONDITION_IP_LOCAL_ADDRESS, VALUE(.type = FWP_UINT32, .uint32 = 0x0a000100), 20 },
        { &FWPM_CONDITION_ALE_APP_ID, VALUE(.type = FWP_BYTE_BLOB_TYPE, .byteBlob = &curl), 20 },
        { &FWPM_CONDITION_ALE_APP_ID, VALUE(.type = FWP_BYTE_BLOB_TYPE, .byteBlob = &wget), 0 },
        { &FWPM_CONDITION_ALE_USER_ID, VALUE(.type = FWP_SID, .sid = &sid.sid), 1 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(count_matching(fixture, asks(rows[i].key, rows[i].value)), rows[i].count);

    FWP_RANGE0 range = { { .type = FWP_UINT32, .uint32 = 0x0a000003 }, { .type = FWP_UINT32, .uint32 = 0x0a000005 } };
    FWPM_FILTER_CONDITION0 between = asks(&FWPM_CONDITION_IP_REMOTE_ADDRESS, VALUE(.type = FWP_RANGE_TYPE));
    between.conditionValue.rangeValue = &range;
    between.matchType = FWP_MATCH_RANGE;
    assert_int_equal(count_matching(fixture, between), 3);
}

static void facts_that_are_not_known_match_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct event made;
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 0);
    made.event.header.flags = 0;
    wall_net_event_add(fixture->engine, &made.event);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_REMOTE_PORT, VALUE(.type = FWP_UINT16))), 0);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_LOCAL_PORT, VALUE(.type = FWP_UINT16))), 0);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_PROTOCOL, VALUE(.type = FWP_UINT8))), 0);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_REMOTE_ADDRESS, VALUE(.type = FWP_UINT32))), 0);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_REMOTE_PORT, VALUE(.type = FWP_EMPTY))), 1);

    FWP_BYTE_ARRAY16 address = { { 0x20, 0x01, [15] = 1 } };
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 0);
    made.event.header.ipVersion = FWP_IP_VERSION_V6;
    made.event.header.localAddrV6 = made.event.header.remoteAddrV6 = address;
    wall_net_event_add(fixture->engine, &made.event);
    FWP_V6_ADDR_AND_MASK mask = { { 0x20, 0x01 }, 16 };
    const FWP_CONDITION_VALUE0 exact = { .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &address };
    const FWP_CONDITION_VALUE0 prefix = { .type = FWP_V6_ADDR_MASK, .v6AddrMask = &mask };
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_REMOTE_ADDRESS, exact)), 1);
    assert_int_equal(count_matching(fixture, asks(&FWPM_CONDITION_IP_LOCAL_ADDRESS, prefix)), 1);
}

static void bad_templates(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 conditions[2] = { port_is(1), port_is(2) };
    FWPM_NET_EVENT_ENUM_TEMPLATE0 asked = { .numFilterConditions = 2 };
    assert_int_equal(wall_net_event_template_check(NULL), 0);
    assert_int_equal(wall_net_event_template_check(&asked), FWP_E_NULL_POINTER);
    asked.filterCondition = conditions;
    assert_int_equal(wall_net_event_template_check(&asked), FWP_E_DUPLICATE_CONDITION);
    conditions[1].fieldKey = FWPM_CONDITION_FLAGS;
    assert_int_equal(wall_net_event_template_check(&asked), FWP_E_CONDITION_NOT_FOUND);
    conditions[1].fieldKey = FWPM_CONDITION_IP_PROTOCOL;
    assert_int_equal(wall_net_event_template_check(&asked), FWP_E_TYPE_MISMATCH);
    asked.numFilterConditions = 1;
    set_time(&asked.startTime, 5);
    set_time(&asked.endTime, 4);
    assert_int_equal(wall_net_event_template_check(&asked), FWP_E_INVALID_INTERVAL);
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_net_event_enumeration_new(fixture->session, &asked, &enumeration), FWP_E_INVALID_INTERVAL);

    assert_int_equal(wall_transaction_begin(fixture->session, FWPM_TXN_READ_ONLY), 0);
    assert_int_equal(wall_net_event_enumeration_new(fixture->session, NULL, &enumeration), FWP_E_TXN_IN_PROGRESS);
    assert_int_equal(wall_transaction_abort(fixture->session), 0);
}

static void count_event(void *context, const FWPM_NET_EVENT5 *event)
{
    (*(unsigned int *)context)++;
    assert_int_equal(event->header.remotePort, 3);
}

static void the_hook_is_told(void **state)
{
    unsigned int count = 0;
    const struct wall_engine_events events = { .context = &count, .net_event = count_event };
    struct wall_engine *engine;
    assert_int_equal(wall_engine_new(&events, NULL, &engine), 0);
    struct event made;
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 3);
    wall_net_event_add(engine, &made.event);
    make_event(&made, FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, 3);
    wall_net_event_add(engine, &made.event);
    assert_int_equal(count, 1);
    wall_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_are_kept_in_order),
        TEST(the_oldest_go_first),
        TEST(options_say_what_is_kept),
        cmocka_unit_test(inbound_noise_needs_a_keyword),
        TEST(templates_select),
        TEST(facts_that_are_not_known_match_nothing),
        TEST(bad_templates),
        cmocka_unit_test(the_hook_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
