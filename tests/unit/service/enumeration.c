#include "requests.h"

static uint64_t begin(struct lab_client *client, uint32_t type)
{
    const struct wall_enumeration_new_request request = { .template_ = { .type = type } };
    struct wall_enumeration_new_reply *reply = lab_call(client, WALL_MESSAGE_ENUMERATION_NEW, &request);
    assert_int_equal(reply->reply.status, 0);
    uint64_t id = reply->enumeration_id;
    free(reply);
    return id;
}

static uint32_t next(struct lab_client *client, uint64_t id, uint32_t count, bool *ret_finished)
{
    const struct wall_enumeration_next_request request = { id, count };
    struct wall_enumeration_next_reply *reply = lab_call(client, WALL_MESSAGE_ENUMERATION_NEXT, &request);
    assert_int_equal(reply->reply.status, 0);
    uint32_t got = reply->count;
    *ret_finished = reply->finished;
    free(reply);
    return got;
}

static void pages_hold_what_was_asked_for(void **state)
{
    struct lab_client *client = open_session(0, 0);
    uint64_t id = begin(client, WALL_OBJECT_LAYER);
    bool finished = false;
    uint32_t total = 0;
    while (!finished) {
        uint32_t got = next(client, id, 10, &finished);
        assert_true(got <= 10);
        assert_true(finished || got == 10);
        total += got;
    }
    assert_true(total >= 97);
    assert_int_equal(next(client, id, 10, &finished), 0);
    const struct wall_enumeration_free_request end = { id };
    assert_int_equal(lab_status(client, WALL_MESSAGE_ENUMERATION_FREE, &end), 0);
    assert_int_not_equal(lab_status(client, WALL_MESSAGE_ENUMERATION_FREE, &end), 0);
    lab_close(client);
}

// Objects that together do not fit into a message come in several; none is lost or comes twice.
static void a_page_fits_into_a_message(void **state)
{
    struct lab_client *client = open_session(FWPM_SESSION_FLAG_DYNAMIC, 0);
    enum { COUNT = 40, SIZE = 60000 };
    static uint8_t bytes[SIZE];
    for (int i = 0; i < COUNT; i++) {
        FWPM_FILTER0 filter = make_filter(FWP_ACTION_BLOCK, 0);
        filter.providerData = (FWP_BYTE_BLOB){ SIZE, bytes };
        assert_int_equal(add_object(client, WALL_OBJECT_FILTER, &filter, NULL), 0);
    }
    uint64_t id = begin(client, WALL_OBJECT_FILTER);
    bool finished = false;
    uint32_t total = 0, pages = 0;
    for (; !finished; pages++)
        total += next(client, id, UINT32_MAX, &finished);
    assert_int_equal(total, COUNT);
    assert_true(pages > 1);
    lab_close(client);
}

static void a_client_has_so_many(void **state)
{
    struct lab_client *client = open_session(0, 0);
    for (unsigned i = 0; i < WALL_CLIENT_ENUMERATIONS_MAX; i++)
        (void)begin(client, WALL_OBJECT_LAYER);
    const struct wall_enumeration_new_request request = { .template_ = { .type = WALL_OBJECT_LAYER } };
    assert_int_not_equal(lab_status(client, WALL_MESSAGE_ENUMERATION_NEW, &request), 0);
    lab_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_what_was_asked_for),
        cmocka_unit_test(a_page_fits_into_a_message),
        cmocka_unit_test(a_client_has_so_many),
    };
    RUN_WITH_SERVICE(tests);
}
