#include "wire/messages.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/random_object.h"
#include "wire/codec.h"

static const struct wall_message *messages;
static size_t message_count;

static void every_member_is_described(void **state)
{
    for (size_t i = 0; i < message_count; i++) {
        const struct wall_shape *shapes[] = { messages[i].request, messages[i].reply };
        for (size_t j = 0; j < 2; j++) {
            const char *name = NULL;
            const char *flaw = shapes[j] ? wall_shape_flaw(shapes[j], &name) : NULL;
            if (flaw)
                fail_msg("%s: %s: %s", messages[i].name, name, flaw);
        }
    }
}

static void table_is_sound(void **state)
{
    for (size_t i = 0; i < message_count; i++) {
        if (i > 0)
            assert_true(messages[i].type > messages[i - 1].type);
        assert_ptr_equal(wall_message_find(messages[i].type), &messages[i]);
        assert_int_equal(messages[i].notification, messages[i].reply == NULL);
        if (messages[i].reply) {
            assert_int_equal(messages[i].reply->fields[0].offset, 0);
            assert_string_equal(messages[i].reply->fields[0].shape->name, "struct wall_reply");
        }
    }
    assert_null(wall_message_find(0));
    assert_null(wall_message_find(0xFFFF));
}

static struct wall_frame first_frame(struct wall_frame_reader *reader, const struct wall_buffer *buffer)
{
    struct wall_frame frame;
    assert_int_equal(wall_frame_reader_feed(reader, buffer->data, buffer->size), 0);
    assert_int_equal(wall_frame_reader_next(reader, &frame, NULL), 1);
    return frame;
}

static void round_trip(const struct wall_message *message, bool is_reply, uint64_t seed)
{
    struct random random = { seed };
    struct wall_arena arena;
    wall_arena_init(&arena);
    const struct wall_shape *shape = is_reply ? message->reply : message->request;
    void *object = shape ? random_object(&random, &arena, shape) : NULL;

    struct wall_buffer buffer = { 0 };
    int r = is_reply                ? wall_message_reply(&buffer, message->type, 5, object)
            : message->notification ? wall_message_notify(&buffer, message->type, object)
                                    : wall_message_request(&buffer, message->type, 5, object);
    assert_int_equal(r, 0);

    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame = first_frame(&reader, &buffer);
    enum wall_message_direction other =
        message->direction == WALL_MESSAGE_TO_SERVICE ? WALL_MESSAGE_TO_CLIENT : WALL_MESSAGE_TO_SERVICE;
    struct wall_error err = { 0 };
    void *decoded;
    r = wall_message_decode(&frame, is_reply ? other : message->direction, &decoded, &err);
    if (r < 0)
        fail_msg("%s: %s", message->name, err.text);
    assert_int_equal(decoded != NULL, shape != NULL);
    assert_int_equal(wall_message_decode(&frame, is_reply ? message->direction : other, &decoded, NULL), -EPROTO);

    if (shape) {
        struct wall_buffer again = { 0 };
        assert_int_equal(wall_encode(shape, decoded, &again), 0);
        assert_int_equal(again.size, frame.payload_size);
        assert_memory_equal(again.data, frame.payload, frame.payload_size);
        assert_int_equal(wall_encoded_size(shape, object), frame.payload_size);

        void *clone = wall_shape_clone(shape, object);
        struct wall_buffer cloned = { 0 };
        assert_int_equal(wall_encode(shape, clone, &cloned), 0);
        assert_int_equal(cloned.size, again.size);
        assert_memory_equal(cloned.data, again.data, again.size);
        wall_buffer_done(&cloned);
        wall_buffer_done(&again);
        free(clone);
        free(decoded);
    }
    wall_frame_reader_done(&reader);
    wall_buffer_done(&buffer);
    wall_arena_done(&arena);
}

static void random_objects_survive_the_round_trip(void **state)
{
    for (size_t i = 0; i < message_count; i++) {
        for (uint64_t seed = 0; seed < 60; seed++) {
            round_trip(&messages[i], false, seed);
            if (messages[i].reply)
                round_trip(&messages[i], true, seed);
        }
    }
}

static void any_request_can_be_refused(void **state)
{
    for (size_t i = 0; i < message_count; i++) {
        if (messages[i].notification)
            continue;
        struct wall_buffer buffer = { 0 };
        assert_int_equal(wall_message_refuse(&buffer, messages[i].type, 9, 0x80320009, "already there"), 0);
        struct wall_frame_reader reader = { 0 };
        struct wall_frame frame = first_frame(&reader, &buffer);
        assert_int_equal(frame.serial, 9);
        assert_int_equal(frame.flags, WALL_FRAME_REPLY);
        enum wall_message_direction back =
            messages[i].direction == WALL_MESSAGE_TO_SERVICE ? WALL_MESSAGE_TO_CLIENT : WALL_MESSAGE_TO_SERVICE;
        struct wall_reply *reply;
        assert_int_equal(wall_message_decode(&frame, back, (void **)&reply, NULL), 0);
        assert_int_equal(reply->status, 0x80320009);
        assert_string_equal(reply->error, "already there");
        free(reply);
        wall_frame_reader_done(&reader);
        wall_buffer_done(&buffer);
    }
}

// What a stranger sends may name any type.
static void what_is_no_request_has_no_refusal(void **state)
{
    struct wall_buffer buffer = {0};
    assert_int_equal(wall_message_refuse(&buffer, (enum wall_message_type)0, 9, 5, "x"), -EPROTO);
    assert_int_equal(wall_message_refuse(&buffer, WALL_MESSAGE_LOG, 9, 5, "x"), -EPROTO);
    assert_int_equal(buffer.size, 0);
    wall_buffer_done(&buffer);
}

static void content_of_empty_messages_is_refused(void **state)
{
    struct wall_frame frame = { .type = WALL_MESSAGE_STOP, .payload = (const uint8_t *)"x", .payload_size = 1 };
    void *object;
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL), -EBADMSG);
    frame.payload_size = 0;
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL), 0);
    assert_null(object);
    frame.type = 0x7777;
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL), -EPROTO);
}

static void replies_to_notifications_are_refused(void **state)
{
    struct wall_frame frame = { .type = WALL_MESSAGE_LOG, .flags = WALL_FRAME_REPLY };
    void *object;
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_CLIENT, &object, NULL), -EPROTO);
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL), -EPROTO);
}

// What was added must fit into an enumeration's reply, so adding has a lower limit than the frame.
static void added_objects_leave_room(void **state)
{
    uint32_t size = WALL_MESSAGE_ADD_SIZE_MAX;
    uint8_t *data = calloc(1, size);
    FWPM_PROVIDER0 provider = { .providerData = { size, data } };
    struct wall_object_add_request request = { { WALL_OBJECT_PROVIDER, { .provider = &provider } } };
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_message_request(&buffer, WALL_MESSAGE_OBJECT_ADD, 1, &request), -EMSGSIZE);
    assert_int_equal(buffer.size, 0);

    provider.providerData.size = size - 100;
    assert_int_equal(wall_message_request(&buffer, WALL_MESSAGE_OBJECT_ADD, 1, &request), 0);
    buffer.size = 0;
    struct wall_any any = request.object;
    struct wall_enumeration_next_reply reply = { .count = 1, .objects = &any, .finished = 1 };
    assert_int_equal(wall_message_reply(&buffer, WALL_MESSAGE_ENUMERATION_NEXT, 1, &reply), 0);

    struct wall_frame frame = { .type = WALL_MESSAGE_OBJECT_ADD, .payload = data, .payload_size = size + 1 };
    void *object;
    assert_int_equal(wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL), -EMSGSIZE);
    wall_buffer_done(&buffer);
    free(data);
}

int main(void)
{
    message_count = wall_message_list(&messages);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_described),
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(random_objects_survive_the_round_trip),
        cmocka_unit_test(any_request_can_be_refused),
        cmocka_unit_test(what_is_no_request_has_no_refusal),
        cmocka_unit_test(content_of_empty_messages_is_refused),
        cmocka_unit_test(replies_to_notifications_are_refused),
        cmocka_unit_test(added_objects_leave_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
