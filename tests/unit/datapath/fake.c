#include "datapath/fake/fake.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static uint64_t held_id, gone_id;
static unsigned held_count;

static void held(void *context, const struct wall_flow *flow)
{
    held_id = flow->id;
    held_count++;
    if (*(bool *)context)
        assert_int_equal(wall_datapath_decide(wall_fake_datapath(), flow->id, WALL_FLOW_BLOCK), 0);
}

static void gone(void *context, uint64_t flow_id)
{
    gone_id = flow_id;
}

static bool answers;

static struct wall_datapath *open_fake(void)
{
    struct wall_datapath *datapath = NULL;
    struct wall_datapath_config config = {
        .events = { .context = &answers, .flow_held = held, .flow_gone = gone },
    };
    held_id = gone_id = held_count = 0;
    answers = false;
    assert_int_equal(wall_datapath_open(&config, &datapath, NULL), 0);
    assert_ptr_equal(wall_fake_datapath(), datapath);
    return datapath;
}

static bool has_work(struct wall_datapath *datapath)
{
    struct pollfd polled = { .fd = wall_datapath_fd(datapath), .events = POLLIN };
    return poll(&polled, 1, 0) == 1;
}

static void reports_once_and_remembers(void **state)
{
    struct wall_datapath *datapath = open_fake();
    struct wall_flow flow = { .id = 7 };
    enum wall_flow_decision decision = WALL_FLOW_BLOCK;
    assert_false(has_work(datapath));
    assert_int_equal(wall_fake_hold(datapath, &flow), 0);
    assert_int_equal(wall_fake_hold(datapath, &flow), -EEXIST);
    assert_int_equal(wall_datapath_decide(datapath, 7, WALL_FLOW_PERMIT), -ENOENT);
    assert_true(has_work(datapath));
    wall_datapath_dispatch(datapath);
    wall_datapath_dispatch(datapath);
    assert_false(has_work(datapath));
    assert_int_equal(held_count, 1);
    assert_int_equal(held_id, 7);
    assert_false(wall_fake_decided(datapath, 7, &decision));
    assert_int_equal(wall_datapath_decide(datapath, 7, WALL_FLOW_PERMIT), 0);
    assert_int_equal(wall_datapath_decide(datapath, 7, WALL_FLOW_PERMIT), -ENOENT);
    assert_true(wall_fake_decided(datapath, 7, &decision));
    assert_int_equal(decision, WALL_FLOW_PERMIT);
    assert_int_equal(wall_fake_close(datapath, 7), -ENOENT);
    wall_datapath_close(datapath);
    assert_null(wall_fake_datapath());
}

static void tells_of_the_gone(void **state)
{
    struct wall_datapath *datapath = open_fake();
    struct wall_flow flow = { .id = 8 };
    struct wall_datapath_stats stats;
    assert_int_equal(wall_fake_close(datapath, 8), -ENOENT);
    wall_fake_hold(datapath, &flow);
    wall_datapath_dispatch(datapath);
    assert_int_equal(wall_fake_close(datapath, 8), 0);
    wall_datapath_dispatch(datapath);
    assert_int_equal(gone_id, 8);
    assert_int_equal(wall_datapath_decide(datapath, 8, WALL_FLOW_PERMIT), -ENOENT);
    wall_datapath_get_stats(datapath, &stats);
    assert_int_equal(stats.flows_held_now, 0);
    assert_int_equal(stats.flows_gone, 1);
    assert_int_equal(wall_datapath_remove(datapath, NULL), 0);
}

static void may_be_answered_in_the_callback(void **state)
{
    struct wall_datapath *datapath = open_fake();
    struct wall_flow flow = { .id = 9 };
    enum wall_flow_decision decision = WALL_FLOW_PERMIT;
    answers = true;
    wall_fake_hold(datapath, &flow);
    wall_datapath_dispatch(datapath);
    assert_true(wall_fake_decided(datapath, 9, &decision));
    assert_int_equal(decision, WALL_FLOW_BLOCK);
    wall_datapath_close(datapath);
}

static void fails_when_told(void **state)
{
    struct wall_datapath_config config = { 0 };
    struct wall_datapath *datapath = NULL;
    struct wall_error err = { 0 };
    wall_fake_fail_open(-ENOTSUP);
    assert_int_equal(wall_datapath_open(&config, &datapath, &err), -ENOTSUP);
    assert_null(datapath);
    assert_int_not_equal(strlen(err.text), 0);
    datapath = open_fake();
    assert_int_equal(wall_datapath_open(&config, &datapath, NULL), -EBUSY);
    wall_datapath_close(wall_fake_datapath());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_once_and_remembers),
        cmocka_unit_test(tells_of_the_gone),
        cmocka_unit_test(may_be_answered_in_the_callback),
        cmocka_unit_test(fails_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
