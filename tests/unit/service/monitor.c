#include "requests.h"

static void decisions_and_lines_are_told(void **state)
{
    struct lab_client *watcher = lab_hello(WALL_ROLE_CONTROL), *lines = lab_hello(WALL_ROLE_CONTROL);
    struct lab_client *engine = open_session(0, 0);
    const struct wall_monitor_request decisions_only = { WALL_MONITOR_DECISIONS }, lines_only = { WALL_MONITOR_LINES };
    assert_int_equal(lab_status(watcher, WALL_MESSAGE_MONITOR, &decisions_only), 0);
    assert_int_equal(lab_status(lines, WALL_MESSAGE_MONITOR, &lines_only), 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    uint64_t id = 0;
    assert_int_equal(add_object(engine, WALL_OBJECT_FILTER, &filter, &id), 0);
    connect_somewhere(1);

    struct wall_monitor_decision *decision = expect_frame(watcher, WALL_MESSAGE_MONITOR_DECISION, NULL);
    assert_non_null(decision);
    assert_int_equal(decision->action, FWP_ACTION_BLOCK);
    assert_int_equal(decision->filter_id, id);
    assert_string_equal(decision->filter_name, "test filter");
    assert_string_equal(decision->executable, "/usr/bin/curl");
    assert_int_equal(decision->process_id, 42);
    assert_int_equal(decision->remote_port, 80);
    assert_memory_equal(decision->remote_address, ((uint8_t[]){ 10, 9, 0, 2 }), 4);
    free(decision);
    assert_null(expect_frame(lines, WALL_MESSAGE_MONITOR_DECISION, NULL));

    wall_service_log(&lab_service, "a line");
    struct wall_monitor_line *line = expect_frame(lines, WALL_MESSAGE_MONITOR_LINE, NULL);
    assert_non_null(line);
    assert_string_equal(line->line, "a line");
    free(line);
    assert_null(expect_frame(watcher, WALL_MESSAGE_MONITOR_LINE, NULL));
    lab_close(watcher);
    lab_close(lines);
    lab_close(engine);
}

// A watcher that does not read loses records, is told how many, and holds nobody up.
static void a_slow_watcher_loses_records(void **state)
{
    struct lab_client *slow = lab_hello(WALL_ROLE_CONTROL);
    assert_int_equal(lab_status(slow, WALL_MESSAGE_MONITOR, &(struct wall_monitor_request){ WALL_MONITOR_LINES }), 0);
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    unsigned lines = 0;
    for (; lines < 100000 && lab_service.monitor_lost < 10; lines++)
        wall_monitor_line(&lab_service, "test", text);
    assert_int_equal(lab_service.monitor_lost, 10);

    // The losses are told with what comes next, in one record or several.
    unsigned got = 0;
    uint64_t lost = 0;
    struct wall_frame frame;
    for (void *object = NULL; lab_receive(slow, &frame, &object); free(object))
        if (frame.type == WALL_MESSAGE_MONITOR_LINE)
            got++;
        else if (frame.type == WALL_MESSAGE_MONITOR_LOST)
            lost += ((struct wall_monitor_lost *)object)->count;
    assert_int_equal(got, lines - 10);
    wall_monitor_line(&lab_service, "test", "the next one");
    for (void *object = NULL; lab_receive(slow, &frame, &object); free(object))
        if (frame.type == WALL_MESSAGE_MONITOR_LOST)
            lost += ((struct wall_monitor_lost *)object)->count;
    assert_int_equal(lost, 10);
    lab_close(slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_and_lines_are_told),
        cmocka_unit_test(a_slow_watcher_loses_records),
    };
    RUN_WITH_SERVICE(tests);
}
