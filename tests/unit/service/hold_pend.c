// Pending: the steps of wfp-reference 4.4 to 4.6, and each mistake of its symptom table that the service can see.
#include "hold_fixture.h"

#define CONNECT (&FWPM_LAYER_ALE_AUTH_CONNECT_V4)
#define ACCEPT (&FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4)
#define REDIRECT (&FWPM_LAYER_ALE_CONNECT_REDIRECT_V4)

static int answer(struct lab *lab, unsigned question, const FWPS_CLASSIFY_OUT0 *out, enum wall_pended pended)
{
    return wall_holds_answer(&lab->holds, lab->asked[question], out, pended);
}

// A connect that its callout has pended.
static void pend_connect(struct lab *lab)
{
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_int_equal(lab->decided_count, 0);
    assert_int_equal(lab->fault_count, 0);
}

static void pend_accept(struct lab *lab)
{
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    lab_add_callout(lab, ACCEPT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_int_equal(lab->decided_count, 0);
}

static void assert_decided(const struct lab *lab, enum wall_flow_decision decision)
{
    assert_int_equal(lab->decided_count, 1);
    assert_int_equal(lab->decisions[0], decision);
    assert_int_equal(wall_holds_count(&lab->holds), 0);
    assert_int_equal(lab->holds.by_pend.count, 0);
    assert_int_equal(lab->holds.by_ask.count, 0);
    assert_false(wall_holds_waiting(&lab->holds));
}

static void completing_a_connect_judges_it_again(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    assert_false(lab->flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_true(lab->flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    assert_int_equal(lab->reason, FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION);
    assert_int_equal(lab->completed_count, 0);
    assert_int_equal(answer(lab, 1, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_PERMIT);
    assert_int_equal(lab->completed_count, 1);
    assert_int_equal(lab->completed[0], lab->asked[0]);
}

static void completing_happens_once(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), -ENOENT);
    assert_int_equal(answer(lab, 1, &answer_block, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), -ENOENT);
    assert_int_equal(lab->completed_count, 1);
}

static void no_verdict_at_completion_blocks(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    // The driver has no verdict, and pends once more: nothing can be pended now.
    assert_int_equal(answer(lab, 1, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(lab->fault_count, 1);
    assert_non_null(strstr(lab->fault, "nothing can be pended"));
}

static void pending_needs_block_and_absorb(void **state)
{
    static const struct {
        FWPS_CLASSIFY_OUT0 out;
        enum wall_flow_decision decision;
        const char *fault;
    } mistakes[] = {
        {{.actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE}, WALL_FLOW_PERMIT, "FWP_ACTION_BLOCK"},
        {{.actionType = FWP_ACTION_BLOCK}, WALL_FLOW_BLOCK, "ABSORB"},
        {{.actionType = FWP_ACTION_BLOCK, .rights = FWPS_RIGHT_ACTION_WRITE, .flags = FWPS_CLASSIFY_OUT_FLAG_ABSORB},
         WALL_FLOW_BLOCK, "FWPS_RIGHT_ACTION_WRITE"},
    };
    struct lab *lab = *state;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(lab_hold(lab, i + 1), 0);
        assert_int_equal(answer(lab, i, &mistakes[i].out, WALL_PENDED_OPERATION), 0);
        assert_int_equal(lab->decided_count, i + 1);
        assert_int_equal(lab->decisions[i], mistakes[i].decision);
        assert_int_equal(lab->fault_count, i + 1);
        assert_non_null(strstr(lab->fault, mistakes[i].fault));
        assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[i], false), -ENOENT);
    }
    assert_int_equal(lab->holds.by_pend.count, 0);
}

static void only_some_layers_pend(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4);
    lab_add_callout(lab, &FWPM_LAYER_ALE_FLOW_ESTABLISHED_V4, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, true), 0);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(lab->fault_count, 1);
}

static void an_accepted_packet_is_the_verdict(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    const struct wall_packet_mark mark = {true, lab, 7, 8};
    pend_accept(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], true), 0);
    assert_int_equal(lab->completed_count, 1);
    assert_int_equal(lab->ask_count, 1);  // no reauthorization
    assert_int_equal(wall_holds_inject(&lab->holds, lab->asked[0], &mark, flow.packet, flow.packet_bytes), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_true(lab->injected);
    assert_false(lab->reauthorizing);
    assert_int_equal(answer(lab, 1, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_PERMIT);
    assert_int_equal(lab->completed_count, 1);
}

static void a_packet_is_known_by_its_bytes(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    const struct wall_packet_mark mark = {true, lab, 7, 8};
    uint8_t other[28];
    pend_accept(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], true), 0);
    memcpy(other, flow.packet, sizeof(other));
    other[27]++;
    assert_int_equal(wall_holds_inject(&lab->holds, 0, &mark, other, sizeof(other)), -ENOENT);
    assert_int_equal(wall_holds_inject(&lab->holds, 0, &mark, flow.packet, flow.packet_bytes), 0);
    assert_int_equal(answer(lab, 1, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_PERMIT);
}

static void an_accept_without_its_packet_is_blocked(void **state)
{
    struct lab *lab = *state;
    pend_accept(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(lab->completed_count, 1);
}

static void a_dropped_packet_blocks(void **state)
{
    struct lab *lab = *state;
    pend_accept(lab);
    wall_holds_packet_dropped(&lab->holds, lab->asked[0]);  // not complete yet: nothing happens
    assert_int_equal(lab->decided_count, 0);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], true), 0);
    wall_holds_packet_dropped(&lab->holds, lab->asked[0]);
    assert_decided(lab, WALL_FLOW_BLOCK);
}

static void an_accept_treated_as_a_connect_ends_by_the_watchdog(void **state)
{
    struct lab *lab = *state;
    pend_accept(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], true), 0);
    wall_holds_expire(&lab->holds);
    assert_int_equal(lab->decided_count, 0);
    lab->now_ms = WALL_PACKET_AGE_MS;
    wall_holds_expire(&lab->holds);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_non_null(strstr(lab->fault, "never injected"));
}

static void injecting_before_completing_drops(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    const struct wall_packet_mark mark = {true, lab, 7, 8};
    pend_accept(lab);
    assert_int_equal(wall_holds_inject(&lab->holds, lab->asked[0], &mark, flow.packet, flow.packet_bytes), 0);
    assert_int_equal(lab->ask_count, 1);
    assert_int_equal(lab->fault_count, 1);
    assert_int_equal(lab->decided_count, 0);
}

static void repending_ones_own_packet_ends(void **state)
{
    struct lab *lab = *state;
    const struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    const struct wall_packet_mark mark = {true, lab, 7, 8};
    pend_accept(lab);
    for (unsigned i = 0; lab->decided_count == 0; i++) {
        assert_true(i < 10);
        assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[i], true), 0);
        assert_int_equal(wall_holds_inject(&lab->holds, lab->asked[i], &mark, flow.packet, flow.packet_bytes), 0);
        assert_int_equal(answer(lab, i + 1, &answer_absorb, WALL_PENDED_OPERATION), 0);
    }
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_non_null(strstr(lab->fault, "FwpsQueryPacketInjectionState0"));
}

static void completing_while_others_are_asked_waits(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab_add_lower_callout(lab, CONNECT);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_int_equal(lab->ask_count, 2);  // the lower sublayer is shown the block
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_int_equal(answer(lab, 1, &answer_block, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->ask_count, 3);  // judged again, from the top
    assert_int_equal(answer(lab, 2, &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(answer(lab, 3, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_PERMIT);
    assert_int_equal(lab->completed_count, 1);
}

static void pending_below_a_block_does_not_count(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab_add_lower_callout(lab, CONNECT);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(answer(lab, 0, &answer_block, WALL_PENDED_NOT), 0);
    assert_int_equal(answer(lab, 1, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_non_null(strstr(lab->fault, "decided above"));
}

static void a_crash_while_pending_blocks(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    lab->registered = false;
    wall_holds_callout_gone(&lab->holds, lab->callout_ids[0]);
    assert_decided(lab, WALL_FLOW_BLOCK);
}

// The session that added the filter was the driver's, and ended first.
static void a_crash_that_takes_the_filter_along_blocks(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    wall_session_close(lab->session);
    const struct wall_caller caller = {.may_write = true};
    assert_int_equal(wall_session_open(lab->engine, &(FWPM_SESSION0){0}, &caller, &lab->session), 0);
    assert_int_equal(lab_hold(lab, 2), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);  // there is no filter any more
    lab->registered = false;
    wall_holds_callout_gone(&lab->holds, lab->callout_ids[0]);
    assert_int_equal(lab->decided_count, 2);
    assert_int_equal(lab->decided_id[1], 1);
    assert_int_equal(lab->decisions[1], WALL_FLOW_BLOCK);
}

static void a_crash_while_others_are_asked_blocks(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab_add_lower_callout(lab, CONNECT);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    wall_holds_callout_gone(&lab->holds, lab->callout_ids[0]);
    assert_int_equal(lab->decided_count, 0);
    lab->registered = false;
    assert_int_equal(answer(lab, 1, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
}

static void never_completing_is_found(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    assert_int_equal(lab->wait_count, 1);  // somebody has to look after it
    lab->now_ms = WALL_PEND_AGE_MS - 1;
    wall_holds_expire(&lab->holds);
    assert_int_equal(lab->decided_count, 0);
    lab->now_ms = WALL_PEND_AGE_MS;
    wall_holds_expire(&lab->holds);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(lab->holds.overdue, 1);
    assert_non_null(strstr(lab->fault, "never completed"));
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), -ENOENT);
}

static void a_flow_that_goes_while_pended_is_forgotten(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    wall_holds_remove(&lab->holds, 1);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), -ENOENT);
    assert_int_equal(lab->decided_count, 0);
    assert_int_equal(wall_holds_count(&lab->holds), 0);
    assert_false(wall_holds_waiting(&lab->holds));
}

static void a_completion_ends_with_its_flow(void **state)
{
    struct lab *lab = *state;
    pend_connect(lab);
    assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[0], false), 0);
    wall_holds_remove(&lab->holds, 1);
    assert_int_equal(lab->completed_count, 1);
    assert_int_equal(lab->decided_count, 0);
}

static void a_pended_classify_is_answered_later(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    lab_add_callout(lab, REDIRECT, FWP_ACTION_CALLOUT_TERMINATING, 1);
    for (unsigned i = 0; i < 2; i++) {
        flow.id = i + 1;
        assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
        assert_int_equal(answer(lab, i, &answer_block, WALL_PENDED_CLASSIFY), 0);
        assert_int_equal(lab->decided_count, i);
        assert_int_equal(wall_holds_complete(&lab->holds, lab->asked[i], false), -EINVAL);
        assert_int_equal(wall_holds_complete_classify(&lab->holds, lab->asked[i], i ? &answer_block : &answer_permit),
                         0);
        assert_int_equal(lab->decisions[i], i ? WALL_FLOW_BLOCK : WALL_FLOW_PERMIT);
    }
    // Classified again: not a reauthorization, and it may be pended again.
    flow.id = 3;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(answer(lab, 2, &answer_block, WALL_PENDED_CLASSIFY), 0);
    assert_int_equal(wall_holds_complete_classify(&lab->holds, lab->asked[2], NULL), 0);
    assert_int_equal(lab->ask_count, 4);
    assert_false(lab->flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    assert_int_equal(answer(lab, 3, &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[2], WALL_FLOW_PERMIT);
    assert_int_equal(lab->fault_count, 0);
}

static void an_adopted_flow_waits_for_its_callout(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    flow.adopted = true;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab->registered = false;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    flow.id = 2;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(lab->decided_count, 0);
    wall_holds_callout_registered(&lab->holds);  // another callout
    assert_int_equal(lab->decided_count, 0);
    lab->registered = true;
    wall_holds_callout_registered(&lab->holds);
    assert_int_equal(lab->ask_count, 2);
    assert_int_equal(answer(lab, 0, &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);

    lab->registered = false;
    flow.id = 3;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    lab->now_ms = WALL_ADOPT_AGE_MS;
    wall_holds_expire(&lab->holds);
    assert_int_equal(lab->decided_count, 2);
    assert_int_equal(lab->decisions[1], WALL_FLOW_BLOCK);
}

// A restart must not cut what was permitted because the driver is not back yet.
static void a_live_flow_waits_for_its_callout_after_a_restart(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    flow.reauthorize_reason = FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab->registered = false;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(lab->decided_count, 0);
    lab->registered = true;
    wall_holds_callout_registered(&lab->holds);
    assert_true(lab->reauthorizing);
    assert_int_equal(answer(lab, 0, &answer_permit, WALL_PENDED_NOT), 0);
    assert_decided(lab, WALL_FLOW_PERMIT);
    // Later on it fails closed at once.
    lab->now_ms = WALL_ADOPT_AGE_MS;
    lab->registered = false;
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(lab->decided_count, 2);
    assert_int_equal(lab->decisions[1], WALL_FLOW_BLOCK);
}

static void a_live_flow_is_reauthorized(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    flow.reauthorize_reason = FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE;
    lab_add_callout(lab, CONNECT, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_true(lab->reauthorizing);
    assert_true(lab->flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE);
    assert_int_equal(lab->reason, FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE);
    assert_int_equal(answer(lab, 0, &answer_absorb, WALL_PENDED_OPERATION), 0);
    assert_decided(lab, WALL_FLOW_BLOCK);
    assert_int_equal(lab->fault_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(completing_a_connect_judges_it_again),
        TEST(completing_happens_once),
        TEST(no_verdict_at_completion_blocks),
        TEST(pending_needs_block_and_absorb),
        TEST(only_some_layers_pend),
        TEST(an_accepted_packet_is_the_verdict),
        TEST(a_packet_is_known_by_its_bytes),
        TEST(an_accept_without_its_packet_is_blocked),
        TEST(a_dropped_packet_blocks),
        TEST(an_accept_treated_as_a_connect_ends_by_the_watchdog),
        TEST(injecting_before_completing_drops),
        TEST(repending_ones_own_packet_ends),
        TEST(completing_while_others_are_asked_waits),
        TEST(pending_below_a_block_does_not_count),
        TEST(a_crash_while_pending_blocks),
        TEST(a_crash_that_takes_the_filter_along_blocks),
        TEST(a_crash_while_others_are_asked_blocks),
        TEST(never_completing_is_found),
        TEST(a_flow_that_goes_while_pended_is_forgotten),
        TEST(a_completion_ends_with_its_flow),
        TEST(a_pended_classify_is_answered_later),
        TEST(an_adopted_flow_waits_for_its_callout),
        TEST(a_live_flow_is_reauthorized),
        TEST(a_live_flow_waits_for_its_callout_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
