#include "hold_fixture.h"

#include "service/redirect.h"

static const struct wall_redirect_version proxy = {.remote_address = {127, 0, 0, 1}, .remote_port = 9000,
                                                   .target_process_id = 7};

static void what_a_callout_leaves_is_authorized(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    lab_add_callout(lab, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[0], &proxy), 0);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decided_count, 0);
    assert_int_equal(lab->ask_count, 2);
    assert_true(lab->flags & FWP_CONDITION_FLAG_IS_CONNECTION_REDIRECTED);
    assert_true(lab->flags & FWP_CONDITION_FLAG_IS_LOOPBACK);  // of the new destination
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[1], &proxy), -EINVAL);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[1], &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
}

static void without_a_change_it_goes_on(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    lab_add_callout(lab, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &answer_permit, WALL_PENDED_NOT), 0);
    assert_false(lab->flags & FWP_CONDITION_FLAG_IS_CONNECTION_REDIRECTED);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[1], &answer_block, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
}

// What FwpsAcquireWritableLayerDataPointer0 leaves in classifyOut is no block; a block without a change is one.
static void a_block_counts_where_nothing_is_changed(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    lab_add_callout(lab, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    for (unsigned i = 0; i < 2; i++) {
        flow.id = i + 1;
        assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
        if (i == 0)
            assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[i], &proxy), 0);
        assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[i], &answer_block, WALL_PENDED_NOT), 0);
        assert_int_equal(lab->decisions[i], i == 0 ? WALL_FLOW_PERMIT : WALL_FLOW_BLOCK);
    }
}

static void a_pended_one_is_changed_later(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V6);
    flow.family = AF_INET6;
    lab_add_callout(lab, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V6, FWP_ACTION_CALLOUT_TERMINATING, 1);
    lab_add_callout(lab, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &answer_block, WALL_PENDED_CLASSIFY), 0);
    assert_int_equal(wall_holds_redirect(&lab->holds, 1000, &proxy), -ENOENT);
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[0], &proxy), 0);
    assert_int_equal(wall_holds_complete_classify(&lab->holds, lab->asked[0], &answer_permit), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_true(lab->flags & FWP_CONDITION_FLAG_IS_CONNECTION_REDIRECTED);
}

static void a_version_without_a_place_blocks(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    lab_add_callout(lab, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    for (unsigned i = 1; i < WALL_REDIRECT_VERSIONS_MAX; i++)
        assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[0], &proxy), 0);
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[0], &proxy), -ENOSPC);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_BLOCK);
}

static void versions_keep_their_contexts(void **state)
{
    uint8_t bytes[] = {1, 2, 3};
    struct wall_redirect redirect = {0};
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    struct wall_redirect_version version = proxy;
    version.context = (FWP_BYTE_BLOB){sizeof(bytes), bytes};
    assert_int_equal(wall_redirect_begin(&redirect, &flow), 0);
    assert_null(wall_redirect_current(&redirect));
    assert_int_equal(wall_redirect_add(&redirect, &version, 4), 0);
    bytes[0] = 9;
    assert_int_equal(wall_redirect_current(&redirect)->context.data[0], 1);
    assert_int_equal(wall_redirect_current(&redirect)->filter_id, 4);
    wall_redirect_apply(&redirect, &flow);
    assert_int_equal(flow.layer_id, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(flow.remote_port, 9000);
    assert_true(flow.redirected);
    wall_redirect_done(&redirect);
}

static const struct wall_redirect_version elsewhere = {.local_address = {10, 9, 0, 7}, .local_port = 9000};

// bind() is asked about as it was made, and authorized as it is left.
static void a_binding_is_authorized_where_it_ends(void **state)
{
    struct lab *lab = *state;
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_BIND_REDIRECT_V4);
    flow.handle = 0;
    flow.local_port = 8000;
    lab_add_callout(lab, &FWPM_LAYER_ALE_BIND_REDIRECT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    lab_add_callout(lab, &FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWP_ACTION_CALLOUT_TERMINATING, 1);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[0], &elsewhere), 0);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[0], &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->ask_count, 2);
    assert_int_equal(lab->decided_count, 0);
    assert_int_equal(wall_holds_redirect(&lab->holds, lab->asked[1], &elsewhere), -EINVAL);
    assert_int_equal(wall_holds_answer(&lab->holds, lab->asked[1], &answer_permit, WALL_PENDED_NOT), 0);
    assert_int_equal(lab->decisions[0], WALL_FLOW_PERMIT);
}

static void next_is(struct wall_redirect *redirect, struct wall_flow *flow, uint16_t layer_id)
{
    assert_int_equal(wall_redirect_apply(redirect, flow), 0);
    assert_int_equal(flow->layer_id, layer_id);
}

static void a_connection_goes_through_both_layers(void **state)
{
    static const uint8_t chosen[4] = {10, 9, 0, 1}, none[4] = {0};
    struct wall_redirect redirect = {0};
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_BIND_REDIRECT_V4);
    struct wall_redirect_version version = elsewhere;
    flow.protocol = 6;
    memcpy(flow.local_address, chosen, sizeof(chosen));
    flow.local_port = 40000;
    assert_int_equal(wall_redirect_begin(&redirect, &flow), 0);
    assert_memory_equal(flow.local_address, none, 4);  // callouts do not know what the kernel has chosen
    assert_int_equal(flow.local_port, 0);
    version.local_port = 0;  // and leave it to the kernel
    assert_int_equal(wall_redirect_add(&redirect, &version, 1), 0);
    next_is(&redirect, &flow, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    assert_memory_equal(flow.local_address, elsewhere.local_address, 4);
    assert_int_equal(flow.local_port, 40000);
    assert_true(flow.rebound);
    assert_null(wall_redirect_current(&redirect));
    assert_memory_equal(redirect.versions[0].local_address, elsewhere.local_address, 4);
    assert_int_equal(wall_redirect_add(&redirect, &proxy, 2), 0);
    next_is(&redirect, &flow, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_true(flow.redirected && flow.rebound);
    assert_memory_equal(flow.local_address, elsewhere.local_address, 4);
    wall_redirect_done(&redirect);
}

static void what_is_left_alone_is_what_the_kernel_chose(void **state)
{
    static const uint8_t chosen[16] = {0xfd, [15] = 1};
    struct wall_redirect redirect = {0};
    struct wall_flow flow = lab_flow(1, FWPS_LAYER_ALE_BIND_REDIRECT_V6);
    flow.family = AF_INET6;
    memcpy(flow.local_address, chosen, sizeof(chosen));
    flow.local_port = 40000;
    assert_int_equal(wall_redirect_begin(&redirect, &flow), 0);
    next_is(&redirect, &flow, FWPS_LAYER_ALE_CONNECT_REDIRECT_V6);
    assert_memory_equal(flow.local_address, chosen, sizeof(chosen));
    assert_int_equal(flow.local_port, 40000);
    assert_false(flow.rebound);
    wall_redirect_done(&redirect);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_callout_leaves_is_authorized),
        TEST(without_a_change_it_goes_on),
        TEST(a_block_counts_where_nothing_is_changed),
        TEST(a_pended_one_is_changed_later),
        TEST(a_version_without_a_place_blocks),
        cmocka_unit_test(versions_keep_their_contexts),
        TEST(a_binding_is_authorized_where_it_ends),
        cmocka_unit_test(a_connection_goes_through_both_layers),
        cmocka_unit_test(what_is_left_alone_is_what_the_kernel_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
