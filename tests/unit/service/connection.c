#include "requests.h"

static void frames_come_in_pieces(void **state)
{
    struct lab_client *client = lab_hello(WALL_ROLE_CONTROL);
    struct wall_buffer buffer = { 0 };
    for (uint32_t serial = 100; serial < 103; serial++)
        assert_int_equal(wall_message_request(&buffer, WALL_MESSAGE_STATUS, serial, NULL), 0);
    for (size_t i = 0; i < buffer.size; i++)
        lab_send(client, buffer.data + i, 1);
    wall_buffer_done(&buffer);
    for (uint32_t serial = 100; serial < 103; serial++) {
        struct wall_frame frame;
        void *object = NULL;
        assert_true(lab_receive(client, &frame, &object));
        assert_int_equal(frame.serial, serial);
        free(object);
    }
    lab_close(client);
    assert_int_equal(lab_service.server.count, 0);
}

static void a_broken_stream_is_closed(void **state)
{
    struct lab_client *good = lab_hello(WALL_ROLE_CONTROL);
    static const char *const junk[] = { "GET / HTTP/1.0\r\n\r\n", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };
    for (size_t i = 0; i < 2; i++) {
        struct lab_client *client = lab_connect();
        lab_send(client, junk[i], strlen(junk[i]));
        assert_true(lab_closed(client));
        lab_close(client);
    }
    assert_int_equal(lab_status(good, WALL_MESSAGE_STATUS, NULL), 0);
    lab_close(good);
}

static void who_does_not_read_is_closed(void **state)
{
    struct lab_client *lazy = lab_hello(WALL_ROLE_ENGINE);
    const struct wall_session_open_request open = { NULL };
    assert_int_equal(lab_status(lazy, WALL_MESSAGE_SESSION_OPEN, &open), 0);
    const struct wall_enumeration_new_request new = { .template_ = { .type = WALL_OBJECT_LAYER } };
    // What the socket does not take is kept, up to the limit.
    for (uint64_t id = 1; id < 10000 && lab_service.server.first; id++) {
        const struct wall_enumeration_next_request next = { id, UINT32_MAX };
        const struct wall_enumeration_free_request end = { id };
        lab_send_message(lazy, WALL_MESSAGE_ENUMERATION_NEW, &new);
        lab_send_message(lazy, WALL_MESSAGE_ENUMERATION_NEXT, &next);
        lab_send_message(lazy, WALL_MESSAGE_ENUMERATION_FREE, &end);
    }
    assert_null(lab_service.server.first);
    lab_close(lazy);
}

static void strangers_have_a_limit_of_their_own(void **state)
{
    struct lab_client *clients[WALL_CONNECTIONS_PER_USER_MAX];
    for (unsigned i = 0; i < WALL_CONNECTIONS_PER_USER_MAX; i++) {
        clients[i] = lab_connect();
        lab_demote();
    }
    assert_int_equal(lab_service.server.count, WALL_CONNECTIONS_PER_USER_MAX);
    if (geteuid() == 0) {  // root is no stranger: it still gets in
        lab_close(lab_hello(WALL_ROLE_CONTROL));
        assert_int_equal(lab_service.server.refused, 0);
    }
    for (unsigned i = 0; i < WALL_CONNECTIONS_PER_USER_MAX; i++)
        lab_close(clients[i]);
    assert_int_equal(lab_service.server.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_pieces),
        cmocka_unit_test(a_broken_stream_is_closed),
        cmocka_unit_test(who_does_not_read_is_closed),
        cmocka_unit_test(strangers_have_a_limit_of_their_own),
    };
    RUN_WITH_SERVICE(tests);
}
