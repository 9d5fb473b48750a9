#include "requests.h"

static void hello_comes_first(void **state)
{
    struct lab_client *client = lab_connect();
    assert_int_equal(lab_status(client, WALL_MESSAGE_STATUS, NULL), ERROR_INVALID_DATA);
    assert_true(lab_closed(client));
    lab_close(client);
}

static void another_protocol_is_refused(void **state)
{
    struct lab_client *client = lab_connect();
    const struct wall_hello_request hello = { WALL_PROTOCOL_VERSION + 1, WALL_ROLE_CONTROL, 1, "old" };
    struct wall_hello_reply *reply = lab_call(client, WALL_MESSAGE_HELLO, &hello);
    assert_int_equal(reply->reply.status, ERROR_INVALID_PARAMETER);
    assert_int_equal(reply->protocol, WALL_PROTOCOL_VERSION);
    assert_non_null(strstr(reply->reply.error, "protocol"));
    free(reply);
    assert_true(lab_closed(client));
    lab_close(client);
}

static void a_second_hello_ends_it(void **state)
{
    struct lab_client *client = lab_hello(WALL_ROLE_CONTROL);
    const struct wall_hello_request hello = { WALL_PROTOCOL_VERSION, WALL_ROLE_ENGINE, 1, "twice" };
    assert_int_equal(lab_status(client, WALL_MESSAGE_HELLO, &hello), ERROR_INVALID_PARAMETER);
    assert_true(lab_closed(client));
    lab_close(client);
}

static void a_role_has_its_own_messages(void **state)
{
    struct lab_client *client = lab_hello(WALL_ROLE_CONTROL);
    assert_int_equal(lab_status(client, WALL_MESSAGE_SESSION_OPEN, &(struct wall_session_open_request){ 0 }),
                     ERROR_INVALID_FUNCTION);
    assert_int_equal(lab_status(client, WALL_MESSAGE_STATUS, NULL), 0);
    lab_close(client);
}

static void strangers_may_only_look(void **state)
{
    struct lab_client *client = lab_hello(WALL_ROLE_ENGINE);
    lab_demote();
    assert_int_equal(lab_status(client, WALL_MESSAGE_SESSION_OPEN, &(struct wall_session_open_request){ 0 }), 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, NULL), ERROR_ACCESS_DENIED);
    const struct wall_enumeration_new_request new = { .template_ = { .type = WALL_OBJECT_LAYER } };
    assert_int_equal(lab_status(client, WALL_MESSAGE_ENUMERATION_NEW, &new), 0);
    lab_close(client);

    client = lab_hello(WALL_ROLE_CONTROL);
    lab_demote();
    assert_int_equal(lab_status(client, WALL_MESSAGE_STOP, NULL), EACCES);
    assert_int_equal(lab_status(client, WALL_MESSAGE_MONITOR, &(struct wall_monitor_request){ 3 }), EACCES);
    assert_int_equal(lab_status(client, WALL_MESSAGE_STATUS, NULL), 0);
    assert_false(lab_service.stop_requested);
    lab_close(client);
}

static void begin(struct lab_client *client)
{
    const struct wall_transaction_begin_request request = { 0 };
    lab_send_message(client, WALL_MESSAGE_TRANSACTION_BEGIN, &request);
}

static uint32_t next_status(struct lab_client *client)
{
    struct wall_frame frame;
    void *object = NULL;
    assert_true(lab_receive(client, &frame, &object));
    uint32_t status = ((struct wall_reply *)object)->status;
    free(object);
    return status;
}

// The second writer waits, its later requests with it; it gets its turn when the first is done.
static void writers_take_turns(void **state)
{
    struct lab_client *first = open_session(0, 0), *second = open_session(0, UINT32_MAX);
    struct wall_frame frame;
    void *object = NULL;
    begin(first);
    assert_int_equal(next_status(first), 0);
    begin(second);
    lab_send_message(second, WALL_MESSAGE_TRANSACTION_COMMIT, NULL);
    assert_false(lab_receive(second, &frame, &object));
    assert_int_equal(lab_status(first, WALL_MESSAGE_TRANSACTION_COMMIT, NULL), 0);
    assert_int_equal(next_status(second), 0);
    assert_int_equal(next_status(second), 0);
    lab_close(first);
    lab_close(second);
}

static void waiting_has_an_end(void **state)
{
    struct lab_client *first = open_session(0, 0), *second = open_session(0, 20);
    begin(first);
    assert_int_equal(next_status(first), 0);
    begin(second);
    struct wall_frame frame;
    void *object = NULL;
    for (int i = 0; i < 1000 && !lab_receive(second, &frame, &object); i++)
        assert_true(sd_event_run(lab_service.event, 10000) >= 0);
    assert_non_null(object);
    assert_int_equal(((struct wall_reply *)object)->status, (uint32_t)FWP_E_TIMEOUT);
    free(object);
    lab_close(first);
    lab_close(second);
}

static void a_writer_that_dies_lets_go(void **state)
{
    struct lab_client *first = open_session(0, 0), *second = open_session(0, UINT32_MAX);
    begin(first);
    assert_int_equal(next_status(first), 0);
    begin(second);
    lab_close(first);
    assert_int_equal(next_status(second), 0);
    lab_close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_comes_first),
        cmocka_unit_test(another_protocol_is_refused),
        cmocka_unit_test(a_second_hello_ends_it),
        cmocka_unit_test(a_role_has_its_own_messages),
        cmocka_unit_test(strangers_may_only_look),
        cmocka_unit_test(writers_take_turns),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(a_writer_that_dies_lets_go),
    };
    RUN_WITH_SERVICE(tests);
}
