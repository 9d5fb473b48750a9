#include "ringwall/control.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_service.h"

static struct fake_service service;
static struct wall_control *control;
static char loaded[64];

static void send_stream(struct fake_connection *connection, uint32_t lines)
{
    struct wall_monitor_decision decision = {
        .time_us = 1000,
        .held_us = 5,
        .filter_id = 7,
        .action = 0x1001,
        .process_id = 42,
        .layer_id = 48,
        .remote_port = 443,
        .family = 2,
        .protocol = 6,
        .remote_address = { 10, 0, 0, 1 },
        .executable = "/usr/bin/curl",
        .filter_name = "no web",
    };
    fake_notify(connection, WALL_MESSAGE_MONITOR_DECISION, &decision);
    for (uint32_t i = 0; i < lines; i++)
        fake_notify(connection, WALL_MESSAGE_MONITOR_LINE, &(struct wall_monitor_line){ 2000, "wall", "hello" });
    fake_notify(connection, WALL_MESSAGE_MONITOR_LOST, &(struct wall_monitor_lost){ 3 });
}

static bool answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    const struct wall_driver_load_request *load = object;
    struct wall_driver_record drivers[] = { { .name = "wall", .path = "/wall.so", .state = "running", .process_id = 9 },
                                            { .name = "bad", .state = "failed", .failure = "it crashed" } };
    struct wall_coverage_record coverage[] = { { "TCP", "covered", "judged" },
                                               { "AF_PACKET", "open", "whole frames" } };
    switch (frame->type) {
    case WALL_MESSAGE_STATUS:
        fake_reply(connection, frame,
                   &(struct wall_status_reply){
                       .version = "1.2", .scope = "/sys/fs/cgroup", .filters = 12, .flows_blocked = 1ull << 40 });
        return true;
    case WALL_MESSAGE_DRIVER_LOAD:
        snprintf(loaded, sizeof(loaded), "%s %s %u %s", load->path, load->name, load->parameter_count,
                 load->parameter_count ? load->parameters[0].text : "");
        fake_reply(connection, frame, &(struct wall_driver_load_reply){ .process_id = 77 });
        return true;
    case WALL_MESSAGE_DRIVER_UNLOAD:
        fake_refuse(connection, frame, ENOENT, "no driver is called that");
        return true;
    case WALL_MESSAGE_DRIVER_LIST:
        fake_reply(connection, frame, &(struct wall_driver_list_reply){ .count = 2, .drivers = drivers });
        return true;
    case WALL_MESSAGE_COVERAGE:
        fake_reply(connection, frame, &(struct wall_coverage_reply){ .count = 2, .items = coverage });
        return true;
    case WALL_MESSAGE_STOP:
        fake_refuse(connection, frame, 0, NULL);
        fake_service_drop(&service);
        return true;
    case WALL_MESSAGE_MONITOR:
        fake_refuse(connection, frame, 0, NULL);
        send_stream(connection, ((struct wall_monitor_request *)object)->flags);
        return true;
    default:
        return false;
    }
}

static int start(void **state)
{
    service = (struct fake_service){ .handle = answer };
    fake_service_start(&service);
    return wall_control_open(NULL, &control, NULL);
}

static int stop(void **state)
{
    wall_control_close(control);
    fake_service_stop(&service);
    return 0;
}

static void coverage_is_told(void **state)
{
    struct wall_control_coverage *told;
    assert_int_equal(wall_control_coverage(control, &told, NULL), 0);
    assert_int_equal(told->count, 2);
    assert_string_equal(told->items[0].state, "covered");
    assert_string_equal(told->items[1].name, "AF_PACKET");
    assert_string_equal(told->items[1].detail, "whole frames");
    wall_control_free(told);
}

static void status_is_told(void **state)
{
    struct wall_control_status *status;
    assert_int_equal(wall_control_status(control, &status, NULL), 0);
    assert_string_equal(status->version, "1.2");
    assert_string_equal(status->scope, "/sys/fs/cgroup");
    assert_null(status->datapath);
    assert_int_equal(status->filters, 12);
    assert_int_equal(status->flows_blocked, 1ull << 40);
    wall_control_free(status);
}

static void drivers_are_loaded_and_listed(void **state)
{
    const char *const parameters[] = { "Block=1.2.3.4:80", NULL };
    uint32_t process_id = 0;
    assert_int_equal(wall_control_load(control, "/wall.so", "wall", parameters, &process_id, NULL), 0);
    assert_string_equal(loaded, "/wall.so wall 1 Block=1.2.3.4:80");
    assert_int_equal(process_id, 77);
    assert_int_equal(wall_control_load(control, "/wall.so", "wall", NULL, NULL, NULL), 0);
    assert_string_equal(loaded, "/wall.so wall 0 ");

    struct wall_control_drivers *drivers;
    assert_int_equal(wall_control_drivers(control, &drivers, NULL), 0);
    assert_int_equal(drivers->count, 2);
    assert_string_equal(drivers->drivers[0].state, "running");
    assert_int_equal(drivers->drivers[0].process_id, 9);
    assert_string_equal(drivers->drivers[1].failure, "it crashed");
    wall_control_free(drivers);
    wall_control_free(NULL);
}

static void refusals_have_a_text(void **state)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    assert_int_equal(wall_control_unload(control, "x", error), -ENOENT);
    assert_string_equal(error, "no driver is called that");
    struct wall_control *other;
    assert_int_equal(wall_control_open("/nonexistent", &other, error), -ENOENT);
    assert_non_null(strstr(error, "is ringwalld running?"));
}

static void stopping_waits_for_the_end(void **state)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    struct wall_control_status *status;
    assert_int_equal(wall_control_stop(control, NULL), 0);
    assert_int_equal(wall_control_status(control, &status, error), -ECONNRESET);
    assert_string_equal(error, "the service has closed the connection");
}

static void records_come_in_order(void **state)
{
    struct wall_control_record *record;
    assert_int_equal(wall_control_next(control, 0, &record), -EAGAIN);
    assert_int_equal(wall_control_monitor(control, WALL_CONTROL_MONITOR_DECISIONS, NULL), 0);

    struct pollfd readable = { .fd = wall_control_fd(control), .events = POLLIN };
    assert_int_equal(poll(&readable, 1, 5000), 1);
    assert_int_equal(wall_control_next(control, -1, &record), 0);
    assert_int_equal(record->kind, WALL_CONTROL_DECISION);
    assert_int_equal(record->decision.remote_port, 443);
    assert_int_equal(record->decision.remote_address[0], 10);
    assert_string_equal(record->decision.executable, "/usr/bin/curl");
    assert_null(record->decision.driver);
    wall_control_free(record);

    assert_int_equal(wall_control_next(control, 5000, &record), 0);
    assert_int_equal(record->kind, WALL_CONTROL_LINE);
    assert_string_equal(record->line.driver, "wall");
    assert_string_equal(record->line.line, "hello");
    wall_control_free(record);

    assert_int_equal(wall_control_next(control, 5000, &record), 0);
    assert_int_equal(record->kind, WALL_CONTROL_LOST);
    assert_int_equal(record->lost, 3);
    wall_control_free(record);

    assert_int_equal(poll(&readable, 1, 0), 0);
    assert_int_equal(wall_control_next(control, 10, &record), -EAGAIN);
    fake_service_drop(&service);
    assert_int_equal(wall_control_next(control, -1, &record), -ECONNRESET);
    assert_int_equal(poll(&readable, 1, 0), 1);
}

static void a_slow_reader_is_told_how_many_it_missed(void **state)
{
    const uint32_t lines = WALL_CONTROL_RECORDS_MAX + 9;  // and one decision before them
    struct wall_control_record *record;
    struct wall_control_status *status;
    assert_int_equal(wall_control_monitor(control, lines, NULL), 0);
    assert_int_equal(wall_control_status(control, &status, NULL), 0);  // everything before its reply has arrived
    wall_control_free(status);
    for (uint32_t i = 0; i < WALL_CONTROL_RECORDS_MAX; i++) {
        assert_int_equal(wall_control_next(control, 0, &record), 0);
        assert_int_not_equal(record->kind, WALL_CONTROL_LOST);
        wall_control_free(record);
    }
    assert_int_equal(wall_control_next(control, 0, &record), 0);
    assert_int_equal(record->kind, WALL_CONTROL_LOST);
    assert_int_equal(record->lost, 10 + 3);
    wall_control_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_is_told, start, stop),
        cmocka_unit_test_setup_teardown(coverage_is_told, start, stop),
        cmocka_unit_test_setup_teardown(drivers_are_loaded_and_listed, start, stop),
        cmocka_unit_test_setup_teardown(refusals_have_a_text, start, stop),
        cmocka_unit_test_setup_teardown(stopping_waits_for_the_end, start, stop),
        cmocka_unit_test_setup_teardown(records_come_in_order, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_told_how_many_it_missed, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
