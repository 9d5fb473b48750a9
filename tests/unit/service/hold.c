#include "hold_fixture.h"

static void no_filter_permits_at_once(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(lab->decided_count, 1);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
    assert_int_equal(wall_holds_count(&lab->holds), 0);
}

static void answers_come_in_any_order(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(lab_hold(lab, 2), 0);
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
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
    FWPS_CLASSIFY_OUT0 garbage = {.actionType = 0xDEADBEEF};
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &garbage, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
}

static void a_callout_that_goes_fails_closed(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
    lab->registered = false;
    assert_int_equal(wall_holds_unregistered(&lab->holds, lab->asked[0]), 0);
    assert_int_equal(lab_hold(lab, 2), 0);
    assert_int_equal(lab->decided_count, 2);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
    assert_int_equal(lab->decisions[1], WALL_FLOW_BLOCK);
}

static void a_callout_that_is_left_out_does_not_count(void **state)
{
    struct lab *lab = *state;
    lab->skips = true;
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 9);
    assert_int_equal(lab_hold(lab, 1), 0);
    assert_int_equal(lab->ask_count, 0);
    assert_int_equal(lab->decided_count, 1);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
    assert_int_equal(lab->holds.by_ask.count, 0);
}

static void several_callouts_are_asked_in_turn(void **state)
{
    struct lab *lab = *state;
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_UNKNOWN, 9);
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
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
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(lab_hold(lab, 1), 0);
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
        cmocka_unit_test_setup_teardown(no_filter_permits_at_once, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(answers_come_in_any_order, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(garbage_fails_closed, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(a_callout_that_goes_fails_closed, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(a_callout_that_is_left_out_does_not_count, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(several_callouts_are_asked_in_turn, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(a_flow_that_goes_is_forgotten, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(an_unknown_layer_is_refused, lab_setup, lab_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
