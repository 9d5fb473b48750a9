// A small universe, enumerated completely: 2 programs, 4 addresses, 4 ports and 2 protocols, and all policies of a few
// filters over them. For every policy and every flow the tables say what the reference classifier says, by the same
// filter. Every policy of two filters is tried in two arrangements (one sublayer, or one for each); of the 2,985,984
// with three filters every 251st, or all with WALL_TEST_UNIVERSE=all.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpslayers.h"

#include "compile/compile.h"
#include "compile/evaluate.h"
#include "engine/classify.h"

#define FIELD(name) FWPS_FIELD_ALE_AUTH_CONNECT_V4_##name
#define FILTERS_MAX 3
#define APPS 2
#define ADDRESSES 4
#define PORTS 4
#define PROTOCOLS 2
#define FLOWS (APPS * ADDRESSES * PORTS * PROTOCOLS)

// What a filter may ask for of each fact; 0 is nothing.
enum { ANY_APP, APP_0, APP_1, APP_CHOICES };
enum { ANY_ADDRESS, ADDRESS_0, LOWER_ADDRESSES, UPPER_ADDRESSES, ADDRESS_CHOICES };
enum { ANY_PORT, PORT_0, MIDDLE_PORTS, PORT_CHOICES };
enum { ANY_PROTOCOL, TCP, PROTOCOL_CHOICES };
#define ACTIONS 2
#define FILTER_KINDS (APP_CHOICES * ADDRESS_CHOICES * PORT_CHOICES * PROTOCOL_CHOICES * ACTIONS)

static const uint32_t addresses[ADDRESSES] = { 0x0a000000, 0x0a000001, 0x0a000002, 0x0a000003 };
static const uint16_t ports[PORTS] = { 80, 81, 82, 443 };
static const uint8_t protocols[PROTOCOLS] = { 6, 17 };

// A policy that consists of what the test puts there: what the classifier and the compiler ask of one.
static struct wall_policy_layer layer = { .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V4 };

const struct wall_policy_layer *wall_policy_layer(const struct wall_policy *policy, uint16_t layer_id)
{
    return &layer;
}

struct wall_policy *wall_policy_ref(struct wall_policy *policy)
{
    return policy;
}

void wall_policy_unref(struct wall_policy *policy)
{
}

static uint16_t app_texts[APPS][2] = { { 'a', 0 }, { 'b', 0 } };
static FWP_BYTE_BLOB app_ids[APPS];
static FWP_V4_ADDR_AND_MASK halves[2] = { { 0x0a000000, 0xfffffffe }, { 0x0a000002, 0xfffffffe } };
static FWP_RANGE0 middle_ports = { { .type = FWP_UINT16, .uint16 = 81 }, { .type = FWP_UINT16, .uint16 = 82 } };

struct kind {
    struct wall_condition conditions[4];
    uint32_t count;
    uint32_t action;
};

static struct kind kinds[FILTER_KINDS];

static void ask_for(struct kind *kind, uint16_t field_id, FWP_MATCH_TYPE match, FWP_CONDITION_VALUE0 value)
{
    kind->conditions[kind->count++] =
        (struct wall_condition){ .field_id = field_id, .match_type = match, .value = value };
}

// Conditions in the order of their fields, as the engine sorts them.
static void make_kind(struct kind *kind, unsigned number)
{
    unsigned app = number % APP_CHOICES, address = number / APP_CHOICES % ADDRESS_CHOICES;
    number /= APP_CHOICES * ADDRESS_CHOICES;
    unsigned port = number % PORT_CHOICES, protocol = number / PORT_CHOICES % PROTOCOL_CHOICES;
    kind->action = number / PORT_CHOICES / PROTOCOL_CHOICES ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT;
    if (app != ANY_APP)
        ask_for(kind, FIELD(ALE_APP_ID), FWP_MATCH_EQUAL,
                (FWP_CONDITION_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &app_ids[app - APP_0] });
    if (protocol != ANY_PROTOCOL)
        ask_for(kind, FIELD(IP_PROTOCOL), FWP_MATCH_EQUAL, (FWP_CONDITION_VALUE0){ .type = FWP_UINT8, .uint8 = 6 });
    if (address == ADDRESS_0)
        ask_for(kind, FIELD(IP_REMOTE_ADDRESS), FWP_MATCH_EQUAL,
                (FWP_CONDITION_VALUE0){ .type = FWP_UINT32, .uint32 = addresses[0] });
    else if (address != ANY_ADDRESS)
        ask_for(kind, FIELD(IP_REMOTE_ADDRESS), FWP_MATCH_EQUAL,
                (FWP_CONDITION_VALUE0){ .type = FWP_V4_ADDR_MASK, .v4AddrMask = &halves[address - LOWER_ADDRESSES] });
    if (port == PORT_0)
        ask_for(kind, FIELD(IP_REMOTE_PORT), FWP_MATCH_EQUAL,
                (FWP_CONDITION_VALUE0){ .type = FWP_UINT16, .uint16 = ports[0] });
    else if (port == MIDDLE_PORTS)
        ask_for(kind, FIELD(IP_REMOTE_PORT), FWP_MATCH_RANGE,
                (FWP_CONDITION_VALUE0){ .type = FWP_RANGE_TYPE, .rangeValue = &middle_ports });
}

// --- Flows ---

struct flow {
    FWPS_INCOMING_VALUE0 values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX];
    FWPS_INCOMING_VALUES0 incoming;
    struct wall_question question;
};

static struct flow flows[FLOWS];
static struct wall_apps apps;

static void make_flow(struct flow *flow, unsigned number)
{
    unsigned app = number % APPS, address = number / APPS % ADDRESSES;
    unsigned port = number / (APPS * ADDRESSES) % PORTS, protocol = number / (APPS * ADDRESSES * PORTS);
    flow->incoming = (FWPS_INCOMING_VALUES0){ FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX,
                                              flow->values };
    flow->values[FIELD(ALE_APP_ID)].value =
        (FWP_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &app_ids[app] };
    flow->values[FIELD(IP_PROTOCOL)].value = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = protocols[protocol] };
    flow->values[FIELD(IP_REMOTE_ADDRESS)].value = (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = addresses[address] };
    flow->values[FIELD(IP_REMOTE_PORT)].value = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = ports[port] };
    flow->question = (struct wall_question){
        .known = 1 << WALL_DIMENSION_APP | 1 << WALL_DIMENSION_PROTOCOL | 1 << WALL_DIMENSION_REMOTE_ADDRESS |
                 1 << WALL_DIMENSION_REMOTE_PORT,
        .app = wall_apps_number(&apps, &app_ids[app]),
        .remote_address = { addresses[address] },
        .remote_port = ports[port],
        .protocol = protocols[protocol],
    };
}

static int set_up(void **state)
{
    static const uint64_t seed[2] = { 1, 2 };
    wall_apps_init(&apps, seed);
    for (unsigned i = 0; i < APPS; i++)
        app_ids[i] = (FWP_BYTE_BLOB){ sizeof(app_texts[i]), (UINT8 *)app_texts[i] };
    for (unsigned i = 0; i < FILTER_KINDS; i++)
        make_kind(&kinds[i], i);
    for (unsigned i = 0; i < FLOWS; i++)
        make_flow(&flows[i], i);
    return 0;
}

static int tear_down(void **state)
{
    wall_apps_done(&apps);
    return 0;
}

// --- Policies ---

struct policy {
    struct wall_filter filters[FILTERS_MAX];
    const struct wall_filter *pointers[FILTERS_MAX];
    struct wall_policy_sublayer sublayers[FILTERS_MAX];
};

static struct policy policy;

// The filters `chosen`, in this order; all in one sublayer, or each in its own.
static void arrange(const unsigned *chosen, unsigned count, bool apart)
{
    for (unsigned i = 0; i < count; i++) {
        const struct kind *kind = &kinds[chosen[i]];
        policy.filters[i] = (struct wall_filter){
            .id = i + 1,
            .action = kind->action,
            .conditions = kind->conditions,
            .condition_count = kind->count,
        };
        policy.pointers[i] = &policy.filters[i];
        policy.sublayers[i] = (struct wall_policy_sublayer){
            .weight = (uint16_t)(100 - i),
            .filter_count = apart ? 1 : count,
            .filters = &policy.pointers[i],
        };
    }
    layer.sublayers = policy.sublayers;
    layer.sublayer_count = apart ? count : 1;
    layer.filter_count = count;
}

static void compare(const unsigned *chosen, unsigned count, bool apart)
{
    const struct wall_compile_options options = { .apps = &apps };
    struct wall_compiled *compiled;
    arrange(chosen, count, apart);
    assert_int_equal(wall_compile_layer(&layer, &options, &compiled), 0);
    for (unsigned i = 0; i < FLOWS; i++) {
        struct wall_classify_result result;
        struct wall_decision decision;
        assert_true(wall_classify((struct wall_policy *)&layer, &flows[i].incoming, NULL, NULL, &result));
        wall_pages_evaluate(compiled->image, compiled->page_count, 0, &flows[i].question, &decision);
        enum wall_verdict expected = result.action == FWP_ACTION_BLOCK ? WALL_VERDICT_BLOCK : WALL_VERDICT_PERMIT;
        if (decision.verdict != expected || decision.filter_id != result.filter_id)
            fail_msg("filters %u %u %u, %s, flow %u: verdict %u by %llu, expected %u by %llu", chosen[0], chosen[1],
                     count > 2 ? chosen[2] : 0, apart ? "apart" : "together", i, decision.verdict,
                     (unsigned long long)decision.filter_id, expected, (unsigned long long)result.filter_id);
    }
    wall_compiled_free(compiled);
}

static void all_policies_of_two(void **state)
{
    for (unsigned i = 0; i < FILTER_KINDS * FILTER_KINDS; i++) {
        const unsigned chosen[] = { i / FILTER_KINDS, i % FILTER_KINDS };
        compare(chosen, 2, false);
        compare(chosen, 2, true);
    }
}

static void policies_of_three(void **state)
{
    const char *text = getenv("WALL_TEST_UNIVERSE");
    unsigned step = text && strcmp(text, "all") == 0 ? 1 : 251, tried = 0;
    for (unsigned i = 0; i < FILTER_KINDS * FILTER_KINDS * FILTER_KINDS; i += step) {
        const unsigned chosen[] = { i / (FILTER_KINDS * FILTER_KINDS), i / FILTER_KINDS % FILTER_KINDS,
                                    i % FILTER_KINDS };
        compare(chosen, 3, false);
        compare(chosen, 3, true);
        tried++;
    }
    print_message("%u policies of three filters, in two arrangements, with %u flows each\n", tried, FLOWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_policies_of_two),
        cmocka_unit_test(policies_of_three),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
