// Holds against a real engine; the callouts are played here and answer when the test says so.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define INITGUID
#include "fwpmu.h"
#include "fwpslayers.h"

#include "service/hold.h"

struct lab {
    struct wall_engine *engine;
    struct wall_session *session;
    struct wall_holds holds;
    uint64_t asked[8];
    unsigned ask_count, cancel_count, decided_count;
    enum wall_flow_decision decisions[8];
    uint64_t completed[8];
    unsigned completed_count, fault_count;
    char fault[256];
    uint64_t now_ms;
    bool registered;
};

static uint64_t no_clock(void *context)
{
    return 0;
}

static bool on_ask(void *context, const struct wall_hold *hold)
{
    struct lab *lab = context;
    if (!lab->registered)
        return false;
    lab->asked[lab->ask_count++] = hold->ask_id;
    return true;
}

static void on_cancelled(void *context, uint64_t ask_id)
{
    ((struct lab *)context)->cancel_count++;
}

static void on_decided(void *context, const struct wall_hold *hold, enum wall_flow_decision decision)
{
    struct lab *lab = context;
    lab->decisions[lab->decided_count++] = decision;
}

static void on_completed(void *context, uint64_t id)
{
    struct lab *lab = context;
    lab->completed[lab->completed_count++] = id;
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

static void add_callout_filter(struct lab *lab, uint32_t action, uint8_t weight)
{
    FWPM_CALLOUT0 callout = {.displayData.name = (WCHAR *)L"callout",
                             .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4};
    GUID key;
    uint32_t id;
    assert_int_equal(wall_callout_add(lab->session, &callout, &key, &id), 0);
    FWPM_FILTER0 filter = {.displayData.name = (WCHAR *)L"ask", .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
                           .action = {.type = action, .calloutKey = key},
                           .weight = {.type = FWP_UINT8, .uint8 = weight}};
    assert_int_equal(wall_filter_add(lab->session, &filter, NULL, NULL), 0);
}

static int setup(void **state)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    const struct wall_caller caller = {.may_write = true};
    const FWPM_SESSION0 session = {0};
    assert_int_equal(wall_engine_new(&(struct wall_engine_events){0}, no_clock, &lab->engine), 0);
    assert_int_equal(wall_session_open(lab->engine, &session, &caller, &lab->session), 0);
    wall_holds_init(&lab->holds, &(struct wall_holds_events){lab, on_ask, on_cancelled, on_decided, on_completed, on_fault,
                                                             policy_now, time_now});
    lab->registered = true;
    *state = lab;
    return 0;
}

static int teardown(void **state)
{
    struct lab *lab = *state;
    wall_holds_done(&lab->holds);
    wall_session_close(lab->session);
    wall_engine_free(lab->engine);
    free(lab);
    return 0;
}

static int hold(struct lab *lab, uint64_t id)
{
    const struct wall_flow flow = {
        .id = id, .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V4, .family = AF_INET, .protocol = 6, .process_id = 42,
        .executable_path = "/usr/bin/curl", .process_name = "curl", .remote_address = {10, 9, 0, 2}, .remote_port = 80,
    };
    return wall_holds_add(&lab->holds, &flow, false);
}

static void no_filter_permits_at_once(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(hold(lab, 1), 0);
    assert_int_equal(lab->decided_count, 1);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
    assert_int_equal(wall_holds_count(&lab->holds), 0);
}

static void answers_come_in_any_order(void **state)
{
    struct lab *lab = *state;
    add_callout_filter(lab, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(hold(lab, 1), 0);
    assert_int_equal(hold(lab, 2), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_int_equal(wall_holds_count(&lab->holds), 2);
    FWPS_CLASSIFY_OUT0 permit = {.actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE};
    FWPS_CLASSIFY_OUT0 block = {.actionType = FWP_ACTION_BLOCK};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[1], &block, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[1], WALL_FLOW_PERMIT);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &permit, WALL_PENDED_NOT), -ENOENT);
    assert_int_equal(lab->decided_count, 2);
}

static void garbage_fails_closed(void **state)
{
    struct lab *lab = *state;
    add_callout_filter(lab, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(hold(lab, 1), 0);
    FWPS_CLASSIFY_OUT0 garbage = {.actionType = 0xDEADBEEF};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &garbage, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
}

static void a_callout_that_goes_fails_closed(void **state)
{
    struct lab *lab = *state;
    add_callout_filter(lab, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(hold(lab, 1), 0);
    lab->registered = false;
    assert_int_equal(wall_holds_unregistered(&lab->holds, lab->asked[0]), 0);
    assert_int_equal(hold(lab, 2), 0);
    assert_int_equal(lab->decided_count, 2);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
    assert_int_equal(lab->decisions[1], WALL_FLOW_BLOCK);
}

static void several_callouts_are_asked_in_turn(void **state)
{
    struct lab *lab = *state;
    add_callout_filter(lab, FWP_ACTION_CALLOUT_UNKNOWN, 9);
    add_callout_filter(lab, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(hold(lab, 1), 0);
    assert_int_equal(lab->ask_count, 1);
    FWPS_CLASSIFY_OUT0 go_on = {.actionType = FWP_ACTION_CONTINUE, .rights = FWPS_RIGHT_ACTION_WRITE};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &go_on, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_int_equal(lab->decided_count, 0);
    FWPS_CLASSIFY_OUT0 permit = {.actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[1], &permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
}

static void a_flow_that_goes_is_forgotten(void **state)
{
    struct lab *lab = *state;
    add_callout_filter(lab, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(hold(lab, 1), 0);
    wall_holds_remove(&lab->holds, 1);
    wall_holds_remove(&lab->holds, 1);
    assert_int_equal(lab->cancel_count, 1);
    FWPS_CLASSIFY_OUT0 permit = {.actionType = FWP_ACTION_PERMIT};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &permit, WALL_PENDED_NOT), -ENOENT);
    assert_int_equal(lab->decided_count, 0);
}

static void an_unknown_layer_is_refused(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = {.id = 1, .layer_id = FWPS_LAYER_STREAM_V4, .family = AF_INET,
                                   .executable_path = "/x", .process_name = "x"};
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), -ENOTSUP);
    assert_int_equal(lab->holds.refused, 1);
    assert_int_equal(lab->decided_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_filter_permits_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_come_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_fails_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_callout_that_goes_fails_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(several_callouts_are_asked_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flow_that_goes_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_layer_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
