#define INITGUID
#include "hold_fixture.h"

#include "engine/catalog.h"

static uint64_t no_clock(void *context)
{
    return 0;
}

static uint32_t value_of(const struct wall_hold *hold, const GUID *key)
{
    uint16_t field;
    if (!wall_catalog_field_find(hold->flow.layer_id, key, &field))
        return 0;
    return hold->values.values[field].value.uint32;
}

static enum wall_asking on_ask(void *context, const struct wall_hold *hold)
{
    struct lab *lab = context;
    if (lab->skips)
        return WALL_ASK_SKIPPED;
    if (!lab->registered)
        return WALL_ASK_UNREGISTERED;
    lab->asked[lab->ask_count++ % 64] = hold->ask_id;
    lab->flags = value_of(hold, &FWPM_CONDITION_FLAGS);
    lab->reason = value_of(hold, &FWPM_CONDITION_REAUTHORIZE_REASON);
    lab->reauthorizing = hold->reauthorizing;
    lab->injected = hold->packet.injected;
    return WALL_ASKED;
}

static void on_cancelled(void *context, uint64_t ask_id)
{
    ((struct lab *)context)->cancel_count++;
}

static void on_decided(void *context, const struct wall_hold *hold, enum wall_flow_decision decision)
{
    struct lab *lab = context;
    lab->decided_id[lab->decided_count % 64] = hold->flow.id;
    lab->decisions[lab->decided_count++ % 64] = decision;
}

static void on_completed(void *context, uint64_t id)
{
    struct lab *lab = context;
    lab->completed[lab->completed_count++ % 64] = id;
}

static void on_fault(void *context, const struct wall_hold *hold, uint32_t callout_id, const char *text)
{
    struct lab *lab = context;
    lab->fault_count++;
    (void)snprintf(lab->fault, sizeof(lab->fault), "%s", text);
}

static struct wall_policy *policy_now(void *context)
{
    return wall_engine_policy(((struct lab *)context)->engine);
}

static uint64_t time_now(void *context)
{
    return ((struct lab *)context)->now_ms;
}

static void on_waits(void *context)
{
    ((struct lab *)context)->wait_count++;
}

static void add_filter(struct lab *lab, const GUID *layer, const GUID *sublayer, uint32_t action, uint8_t weight)
{
    FWPM_CALLOUT0 callout = {.displayData.name = (WCHAR *)L"callout", .applicableLayer = *layer};
    GUID key;
    assert_int_equal(wall_callout_add(lab->session, &callout, &key, &lab->callout_ids[lab->callout_count++]), 0);
    FWPM_FILTER0 filter = {.displayData.name = (WCHAR *)L"ask", .layerKey = *layer,
                           .action = {.type = action, .calloutKey = key},
                           .weight = {.type = FWP_UINT8, .uint8 = weight}};
    if (sublayer)
        filter.subLayerKey = *sublayer;
    assert_int_equal(wall_filter_add(lab->session, &filter, NULL, NULL), 0);
}

void lab_add_callout(struct lab *lab, const GUID *layer, uint32_t action, uint8_t weight)
{
    add_filter(lab, layer, NULL, action, weight);
}

void lab_add_lower_callout(struct lab *lab, const GUID *layer)
{
    FWPM_SUBLAYER0 sublayer = {.displayData.name = (WCHAR *)L"lower", .weight = 0};
    GUID key;
    assert_int_equal(wall_sublayer_add(lab->session, &sublayer, &key), 0);
    add_filter(lab, layer, &key, FWP_ACTION_CALLOUT_UNKNOWN, 1);
}

int lab_setup(void **state)
{
    static const struct wall_caller caller = {.may_write = true};
    static const FWPM_SESSION0 session = {.flags = FWPM_SESSION_FLAG_DYNAMIC};
    struct lab *lab = calloc(1, sizeof(*lab));
    assert_int_equal(wall_engine_new(&(struct wall_engine_events){0}, no_clock, &lab->engine), 0);
    assert_int_equal(wall_session_open(lab->engine, &session, &caller, &lab->session), 0);
    const struct wall_holds_events events = {lab, on_ask, on_cancelled, on_decided, on_completed, on_fault, policy_now,
                                             time_now, on_waits};
    wall_holds_init(&lab->holds, &events);
    lab->registered = true;
    *state = lab;
    return 0;
}

int lab_teardown(void **state)
{
    struct lab *lab = *state;
    wall_holds_done(&lab->holds);
    wall_session_close(lab->session);
    wall_engine_free(lab->engine);
    free(lab);
    return 0;
}

struct wall_flow lab_flow(uint64_t id, uint16_t layer_id)
{
    static const uint8_t packet[28] = {0x45, [9] = 17, 10, 9, 0, 2, [25] = 8};
    return (struct wall_flow){
        .id = id, .handle = id + 1000, .layer_id = layer_id, .family = AF_INET, .protocol = 17, .process_id = 42,
        .executable_path = "/usr/bin/curl", .process_name = "curl", .remote_address = {10, 9, 0, 2}, .remote_port = 80,
        .packet = packet, .packet_bytes = sizeof(packet),
        .inbound = layer_id == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
    };
}

int lab_hold(struct lab *lab, uint64_t id)
{
    struct wall_flow flow = lab_flow(id, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    flow.protocol = 6;
    flow.packet = NULL;
    flow.packet_bytes = 0;
    return wall_holds_add(&lab->holds, &flow, false);
}
