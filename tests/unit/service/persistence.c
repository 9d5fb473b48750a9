#include "requests.h"

static void what_is_persistent_survives(void **state)
{
    struct lab_client *client = open_session(0, 0);
    FWPM_FILTER0 kept = make_filter(FWP_ACTION_BLOCK, FWPM_FILTER_FLAG_PERSISTENT);
    FWPM_FILTER0 lost = make_filter(FWP_ACTION_BLOCK, 0);
    uint64_t kept_id = 0, lost_id = 0;
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &kept, &kept_id), 0);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &lost, &lost_id), 0);
    lab_close(client);

    service_lab_restart();
    client = open_session(0, 0);
    assert_true(filter_exists(client, kept_id));
    assert_false(filter_exists(client, lost_id));
    connect_somewhere(1);
    assert_int_equal(decision_of(1), WALL_FLOW_BLOCK);

    assert_int_equal(delete_filter(client, kept_id), 0);
    lab_close(client);
    service_lab_restart();
    client = open_session(0, 0);
    assert_false(filter_exists(client, kept_id));
    connect_somewhere(2);
    assert_int_equal(decision_of(2), WALL_FLOW_PERMIT);
    lab_close(client);
}

static void an_abort_stores_nothing(void **state)
{
    struct lab_client *client = open_session(0, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, FWPM_FILTER_FLAG_PERSISTENT);
    const struct wall_transaction_begin_request begin = { 0 };
    uint64_t id = 0;
    assert_int_equal(lab_status(client, WALL_MESSAGE_TRANSACTION_BEGIN, &begin), 0);
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, &id), 0);
    lab_close(client);  // it dies in its transaction
    service_lab_restart();
    client = open_session(0, 0);
    assert_false(filter_exists(client, id));
    lab_close(client);
}

// A stored value that is no object any more is left out and told; the rest is taken.
static void a_damaged_object_is_left_out(void **state)
{
    struct lab_client *client = open_session(0, 0);
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, FWPM_FILTER_FLAG_PERSISTENT);
    uint64_t id = 0;
    assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, &id), 0);
    lab_close(client);
    struct wall_error err = { 0 };
    assert_int_equal(wall_store_begin(lab_service.store, &err), 0);
    assert_int_equal(wall_store_put(lab_service.store, WALL_OBJECT_FILTER, &(GUID){ .Data1 = 1 }, "junk", 4, &err), 0);
    assert_int_equal(wall_store_commit(lab_service.store, &err), 0);
    service_lab_restart();
    client = open_session(0, 0);
    assert_true(filter_exists(client, id));
    assert_int_equal(delete_filter(client, id), 0);
    lab_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_persistent_survives),
        cmocka_unit_test(an_abort_stores_nothing),
        cmocka_unit_test(a_damaged_object_is_left_out),
    };
    RUN_WITH_SERVICE(tests);
}
