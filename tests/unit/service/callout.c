#include "requests.h"

#include "ntstatus.h"

static const GUID key = { 0x11111111, 0x2222, 0x3333, { 4 } };
static struct lab_client *engine;
static uint64_t filter_id;

static struct lab_client *register_callout(uint32_t *ret_id)
{
    struct lab_client *driver = lab_hello(WALL_ROLE_CALLOUTS);
    const struct wall_callout_register_request request = { .key = key };
    struct wall_callout_register_reply *reply = lab_call(driver, WALL_MESSAGE_CALLOUT_REGISTER, &request);
    assert_int_equal(reply->reply.status, 0);
    if (ret_id)
        *ret_id = reply->callout_id;
    free(reply);
    return driver;
}

static int add_policy(void **state)
{
    engine = open_session(FWPM_SESSION_FLAG_DYNAMIC, 0);
    FWPM_CALLOUT0 callout = { .calloutKey = key, .displayData.name = (WCHAR *)L"callout",
                              .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4 };
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_CALLOUT_TERMINATING, 0);
    filter.action.calloutKey = key;
    assert_int_equal(add_object(engine, WALL_OBJECT_CALLOUT, &callout, NULL), 0);
    assert_int_equal(add_object(engine, WALL_OBJECT_FILTER, &filter, &filter_id), 0);
    return 0;
}

static int remove_policy(void **state)
{
    lab_close(engine);
    return 0;
}

static void answer(struct lab_client *driver, uint32_t serial, uint32_t action)
{
    const struct wall_classify_reply reply = { .out = { .actionType = action, .rights = FWPS_RIGHT_ACTION_WRITE } };
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_message_reply(&buffer, WALL_MESSAGE_CLASSIFY, serial, &reply), 0);
    lab_send(driver, buffer.data, buffer.size);
    wall_buffer_done(&buffer);
}

static uint32_t expect_question(struct lab_client *driver, uint32_t callout_id)
{
    uint32_t serial = 0;
    struct wall_classify_request *question = expect_frame(driver, WALL_MESSAGE_CLASSIFY, &serial);
    assert_non_null(question);
    assert_int_equal(question->callout_id, callout_id);
    assert_int_equal(question->values.layerId, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_int_equal(question->metadata.process_id, 42);
    assert_int_equal(question->filter.filterId, filter_id);
    free(question);
    return serial;
}

static void the_callout_decides(void **state)
{
    uint32_t id = 0;
    struct lab_client *driver = register_callout(&id);
    connect_somewhere(1);
    connect_somewhere(2);
    uint32_t first = expect_question(driver, id), second = expect_question(driver, id);
    assert_int_equal(decision_of(1), -1);
    answer(driver, second, FWP_ACTION_BLOCK);
    answer(driver, first, FWP_ACTION_PERMIT);
    assert_int_equal(decision_of(1), WALL_FLOW_PERMIT);
    assert_int_equal(decision_of(2), WALL_FLOW_BLOCK);
    lab_close(driver);
}

static void without_a_callout_it_fails_closed(void **state)
{
    connect_somewhere(3);
    assert_int_equal(decision_of(3), WALL_FLOW_BLOCK);
    struct lab_client *driver = register_callout(NULL);
    connect_somewhere(4);
    assert_int_equal(decision_of(4), -1);
    lab_close(driver);  // it dies while it is asked
    assert_int_equal(decision_of(4), WALL_FLOW_BLOCK);
    driver = register_callout(NULL);
    connect_somewhere(5);
    lab_send(driver, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);  // garbage instead of an answer
    assert_int_equal(decision_of(5), WALL_FLOW_BLOCK);
    lab_close(driver);
}

// An answer to what nobody asked is a fault of the driver: whatever it holds fails closed.
static void only_the_asked_may_answer(void **state)
{
    uint32_t id = 0;
    struct lab_client *driver = register_callout(&id), *other = lab_hello(WALL_ROLE_CALLOUTS);
    connect_somewhere(6);
    uint32_t serial = expect_question(driver, id);
    answer(other, serial, FWP_ACTION_PERMIT);
    assert_true(lab_closed(other));
    assert_int_equal(decision_of(6), -1);
    answer(driver, serial, FWP_ACTION_PERMIT);
    assert_int_equal(decision_of(6), WALL_FLOW_PERMIT);
    answer(driver, serial, FWP_ACTION_PERMIT);
    assert_true(lab_closed(driver));
    lab_close(driver);
    lab_close(other);
}

static void a_key_has_one_owner(void **state)
{
    struct lab_client *driver = register_callout(NULL), *other = lab_hello(WALL_ROLE_CALLOUTS);
    const struct wall_callout_register_request request = { .key = key };
    assert_int_not_equal(lab_status(other, WALL_MESSAGE_CALLOUT_REGISTER, &request), 0);
    lab_close(driver);
    assert_int_equal(lab_status(other, WALL_MESSAGE_CALLOUT_REGISTER, &request), 0);
    lab_close(other);
}

// notifyFn refuses the filter: it is as if it had never been added.
static void notify_can_refuse_a_filter(void **state)
{
    struct lab_client *driver = register_callout(NULL);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_CALLOUT_TERMINATING, 0);
    filter.action.calloutKey = key;
    const struct wall_object_add_request request = { .object = { .type = WALL_OBJECT_FILTER, .pointer = &filter } };
    const uint32_t statuses[] = { (uint32_t)STATUS_ACCESS_DENIED, 0 };
    for (int i = 0; i < 2; i++) {
        lab_send_message(engine, WALL_MESSAGE_OBJECT_ADD, &request);
        uint32_t serial = 0;
        struct wall_notify_request *notify = expect_frame(driver, WALL_MESSAGE_NOTIFY, &serial);
        assert_non_null(notify);
        assert_int_equal(notify->type, FWPS_CALLOUT_NOTIFY_ADD_FILTER);
        uint64_t id = notify->filter.filterId;
        free(notify);
        const struct wall_notify_reply reply = { .reply.status = statuses[i] };
        struct wall_buffer buffer = { 0 };
        assert_int_equal(wall_message_reply(&buffer, WALL_MESSAGE_NOTIFY, serial, &reply), 0);
        lab_send(driver, buffer.data, buffer.size);
        wall_buffer_done(&buffer);
        struct wall_frame frame;
        void *object = NULL;
        assert_true(lab_receive(engine, &frame, &object));
        assert_int_equal(((struct wall_reply *)object)->status, i ? 0 : (uint32_t)FWP_E_CALLOUT_NOTIFICATION_FAILED);
        free(object);
        assert_int_equal(filter_exists(engine, id), i);
    }
    lab_close(driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_callout_decides, add_policy, remove_policy),
        cmocka_unit_test_setup_teardown(without_a_callout_it_fails_closed, add_policy, remove_policy),
        cmocka_unit_test_setup_teardown(only_the_asked_may_answer, add_policy, remove_policy),
        cmocka_unit_test_setup_teardown(a_key_has_one_owner, add_policy, remove_policy),
        cmocka_unit_test_setup_teardown(notify_can_refuse_a_filter, add_policy, remove_policy),
    };
    RUN_WITH_SERVICE(tests);
}
