#include "requests.h"

static void status_counts(void **state)
{
    struct lab_client *control = lab_hello(WALL_ROLE_CONTROL), *engine = open_session(0, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_PERMIT, 0);
    struct wall_status_reply *before = lab_call(control, WALL_MESSAGE_STATUS, NULL);
    assert_int_equal(add_object(engine, WALL_OBJECT_FILTER, &filter, NULL), 0);
    struct wall_status_reply *after = lab_call(control, WALL_MESSAGE_STATUS, NULL);
    assert_int_equal(after->filters, before->filters + 1);
    assert_true(after->generation > before->generation);
    assert_int_equal(after->connections, 2);
    assert_int_equal(after->sessions, 1);
    assert_int_equal(after->process_id, getpid());
    assert_true(after->sublayers > 0 && after->callouts > 0 && after->providers > 0);
    free(before);
    free(after);
    lab_close(control);
    lab_close(engine);
}

static void a_driver_that_is_none(void **state)
{
    struct lab_client *control = lab_hello(WALL_ROLE_CONTROL);
    const struct wall_driver_load_request missing = { .path = "/no/such/driver.so", .name = "missing" };
    struct wall_reply *reply = lab_call(control, WALL_MESSAGE_DRIVER_LOAD, &missing);
    assert_int_equal(reply->status, ENOENT);
    assert_non_null(strstr(reply->error, "/no/such/driver.so"));
    free(reply);
    const struct wall_driver_unload_request unload = { .name = "missing" };
    assert_int_equal(lab_status(control, WALL_MESSAGE_DRIVER_UNLOAD, &unload), ENOENT);
    struct wall_driver_list_reply *list = lab_call(control, WALL_MESSAGE_DRIVER_LIST, NULL);
    assert_int_equal(list->count, 0);
    free(list);
    lab_close(control);
}

// Everything is taken back before the command that asked for it hears of it, and it hears of it last.
static void who_stops_it_is_told_last(void **state)
{
    struct lab_client *first = lab_hello(WALL_ROLE_CONTROL), *second = lab_hello(WALL_ROLE_CONTROL);
    struct lab_client *other = lab_hello(WALL_ROLE_ENGINE);
    struct wall_frame frame;
    void *object = NULL;
    char runtime[256];
    (void)snprintf(runtime, sizeof(runtime), "%s", lab_service.runtime.directory);
    lab_send_message(first, WALL_MESSAGE_STOP, NULL);
    assert_false(lab_receive(first, &frame, &object));
    assert_false(service_lab_turn());
    lab_send_message(second, WALL_MESSAGE_STATUS, NULL);  // too late
    assert_int_equal(access(runtime, F_OK), 0);

    service_lab_restart();
    assert_true(lab_receive(first, &frame, &object));
    assert_int_equal(frame.type, WALL_MESSAGE_STOP);
    assert_int_equal(((struct wall_reply *)object)->status, 0);
    free(object);
    assert_true(lab_closed(first));
    assert_true(lab_closed(second));
    assert_true(lab_closed(other));
    lab_close(first);
    lab_close(second);
    lab_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_counts),
        cmocka_unit_test(a_driver_that_is_none),
        cmocka_unit_test(who_stops_it_is_told_last),
    };
    RUN_WITH_SERVICE(tests);
}
