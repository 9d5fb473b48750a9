#include "requests.h"

static void nothing_without_a_session(void **state)
{
    struct lab_client *client = lab_hello(WALL_ROLE_ENGINE);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, NULL), ERROR_INVALID_HANDLE);
    assert_int_equal(lab_status(client, WALL_MESSAGE_TRANSACTION_COMMIT, NULL), ERROR_INVALID_HANDLE);
    lab_close(client);
}

static void objects_that_are_none(void **state)
{
    struct lab_client *client = open_session(0, 0);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, NULL, NULL), (uint32_t)FWP_E_NULL_POINTER);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    filter.layerKey = (GUID){ .Data1 = 1 };
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, NULL), (uint32_t)FWP_E_LAYER_NOT_FOUND);
    assert_int_equal(delete_filter(client, 123456789), (uint32_t)FWP_E_FILTER_NOT_FOUND);
    lab_close(client);
}

static void a_filter_takes_effect_at_once(void **state)
{
    struct lab_client *client = open_session(0, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    uint64_t id = 0;
    connect_somewhere(1);
    assert_int_equal(decision_of(1), WALL_FLOW_PERMIT);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, &id), 0);
    connect_somewhere(2);
    assert_int_equal(decision_of(2), WALL_FLOW_BLOCK);
    assert_int_equal(delete_filter(client, id), 0);
    connect_somewhere(3);
    assert_int_equal(decision_of(3), WALL_FLOW_PERMIT);
    lab_close(client);
}

static void a_dynamic_session_takes_its_objects_along(void **state)
{
    struct lab_client *dynamic = open_session(FWPM_SESSION_FLAG_DYNAMIC, 0), *other = open_session(0, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    uint64_t id = 0;
    assert_int_equal(add_object(dynamic, WALL_OBJECT_FILTER, &filter, &id), 0);
    assert_true(filter_exists(other, id));
    lab_close(dynamic);
    assert_false(filter_exists(other, id));
    lab_close(other);
}

static void changes_are_told_to_subscribers(void **state)
{
    struct lab_client *watcher = open_session(0, 0), *writer = open_session(0, 0);
    const struct wall_subscribe_request subscribe = { .template_ = { .type = WALL_OBJECT_FILTER },
                                                      .flags = FWPM_SUBSCRIPTION_FLAG_NOTIFY_ON_ADD |
                                                               FWPM_SUBSCRIPTION_FLAG_NOTIFY_ON_DELETE };
    struct wall_subscribe_reply *subscribed = lab_call(watcher, WALL_MESSAGE_SUBSCRIBE, &subscribe);
    assert_int_equal(subscribed->reply.status, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
    uint64_t id = 0;
    assert_int_equal(add_object(writer, WALL_OBJECT_FILTER, &filter, &id), 0);
    assert_int_equal(delete_filter(writer, id), 0);
    static const uint32_t changes[] = { FWPM_CHANGE_ADD, FWPM_CHANGE_DELETE };
    for (int i = 0; i < 2; i++) {
        struct wall_change_notification *change = expect_frame(watcher, WALL_MESSAGE_CHANGE, NULL);
        assert_non_null(change);
        assert_int_equal(change->subscription_id, subscribed->subscription_id);
        assert_int_equal(change->change, changes[i]);
        assert_int_equal(change->id, id);
        free(change);
    }
    const struct wall_unsubscribe_request end = { subscribed->subscription_id };
    assert_int_equal(lab_status(watcher, WALL_MESSAGE_UNSUBSCRIBE, &end), 0);
    assert_int_equal(add_object(writer, WALL_OBJECT_FILTER, &filter, &id), 0);
    assert_int_equal(delete_filter(writer, id), 0);
    assert_null(expect_frame(watcher, WALL_MESSAGE_CHANGE, NULL));
    free(subscribed);
    lab_close(watcher);
    lab_close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_without_a_session),
        cmocka_unit_test(objects_that_are_none),
        cmocka_unit_test(a_filter_takes_effect_at_once),
        cmocka_unit_test(a_dynamic_session_takes_its_objects_along),
        cmocka_unit_test(changes_are_told_to_subscribers),
    };
    RUN_WITH_SERVICE(tests);
}
