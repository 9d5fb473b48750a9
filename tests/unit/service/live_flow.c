#include "service/live_flow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned ended_count;
static uint64_t ended_context;

static void on_ended(void *context, uint64_t handle, const struct wall_flow_context *ended)
{
    ended_count++;
    ended_context = ended->context;
}

static void a_context_ends_once(void **state)
{
    struct wall_live_flows flows;
    const struct wall_flow flow = {.handle = 7, .socket_cookie = 70, .netns_cookie = 700};
    const struct wall_flow_context fresh = {.callout_id = 1, .layer_id = 52, .context = 5};
    ended_count = 0;
    wall_live_flows_init(&flows);
    assert_int_equal(wall_flow_context_add(&flows, 7, &fresh), -ENOENT);
    wall_live_flows_add(&flows, &flow);
    wall_live_flows_add(&flows, &flow);
    assert_int_equal(wall_flow_context_add(&flows, 7, &fresh), 0);
    assert_int_equal(wall_flow_context_add(&flows, 7, &fresh), -EEXIST);
    assert_int_equal(wall_flow_context_find(&flows, 7, 1, 52), 5);
    assert_int_equal(wall_flow_context_find(&flows, 7, 1, 20), 0);
    assert_int_equal(wall_flow_context_find(&flows, 8, 1, 52), 0);
    wall_live_flows_end(&flows, 7, on_ended, NULL);
    wall_live_flows_end(&flows, 7, on_ended, NULL);
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_context, 5);
    assert_int_equal(flows.by_handle.count, 0);
    wall_live_flows_done(&flows);
}

static void what_is_taken_back_does_not_end(void **state)
{
    struct wall_live_flows flows;
    const struct wall_flow flow = {.handle = 7};
    ended_count = 0;
    wall_live_flows_init(&flows);
    wall_live_flows_add(&flows, &flow);
    for (uint16_t layer = 1; layer <= 3; layer++) {
        const struct wall_flow_context fresh = {.callout_id = layer == 3 ? 2 : 1, .layer_id = layer, .context = layer};
        assert_int_equal(wall_flow_context_add(&flows, 7, &fresh), 0);
    }
    assert_int_equal(wall_flow_context_remove(&flows, 7, 1, 2), 2);
    assert_int_equal(wall_flow_context_remove(&flows, 7, 1, 2), 0);
    wall_flow_contexts_drop(&flows, 1);
    wall_live_flows_end(&flows, 7, on_ended, NULL);
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_context, 3);
    wall_live_flows_done(&flows);
}

static void sockets_have_namespaces(void **state)
{
    struct wall_live_flows flows;
    const struct wall_flow flow = {.handle = 7, .socket_cookie = 70, .netns_cookie = 700};
    wall_live_flows_init(&flows);
    wall_live_flows_add(&flows, &(struct wall_flow){0});  // no connection yet
    wall_live_flows_add(&flows, &flow);
    assert_int_equal(flows.by_handle.count, 1);
    assert_int_equal(wall_live_flows_netns(&flows, 70), 700);
    assert_int_equal(wall_live_flows_netns(&flows, 71), 0);
    wall_live_flows_done(&flows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_ends_once),
        cmocka_unit_test(what_is_taken_back_does_not_end),
        cmocka_unit_test(sockets_have_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
