// Fuzzes everything that bytes from a socket reach first: the frame reader and the decoder of every message.
//
// Input: any bytes, taken as a stream of frames. What decodes must encode to the same bytes again, in both directions.
#include "fuzz/standalone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/random_object.h"
#include "wire/codec.h"
#include "wire/messages.h"

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void decode(const struct wall_frame *frame, enum wall_message_direction direction)
{
    struct wall_error err = { 0 };
    void *object = NULL;
    if (wall_message_decode(frame, direction, &object, &err) < 0) {
        check(err.code < 0 && err.text[0], "an error says what is wrong");
        check(!object, "nothing is returned with an error");
        return;
    }
    if (!object)
        return;

    const struct wall_message *message = wall_message_find(frame->type);
    const struct wall_shape *shape = frame->flags & WALL_FRAME_REPLY ? message->reply : message->request;
    struct wall_buffer again = { 0 };
    check(wall_encode(shape, object, &again) == 0, "what was decoded can be encoded");
    check(again.size == frame->payload_size, "as many bytes");
    check(memcmp(again.data, frame->payload, again.size) == 0, "the same bytes");
    wall_buffer_done(&again);

    void *clone = wall_shape_clone(shape, object);
    check(clone != NULL, "what was decoded can be copied");
    free(clone);
    free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    struct wall_error err = { 0 };
    // In two pieces, so that frames are also met incomplete.
    size_t first = size / 2;
    for (unsigned piece = 0; piece < 2; piece++) {
        check(wall_frame_reader_feed(&reader, data + (piece ? first : 0), piece ? size - first : first) == 0, "memory");
        while (wall_frame_reader_next(&reader, &frame, &err) == 1) {
            decode(&frame, WALL_MESSAGE_TO_SERVICE);
            decode(&frame, WALL_MESSAGE_TO_CLIENT);
        }
    }
    wall_frame_reader_done(&reader);
    return 0;
}

size_t fuzz_make_input(struct random *random, uint8_t *data, size_t capacity)
{
    const struct wall_message *messages;
    size_t count = wall_message_list(&messages);
    struct wall_arena arena;
    wall_arena_init(&arena);
    struct wall_buffer buffer = { .limit = capacity };
    for (uint32_t frames = 1 + random_below(random, 2); frames > 0; frames--) {
        const struct wall_message *message = &messages[random_below(random, (uint32_t)count)];
        bool is_reply = message->reply && random_below(random, 2);
        const struct wall_shape *shape = is_reply ? message->reply : message->request;
        const void *object = shape ? random_object(random, &arena, shape) : NULL;
        (void)wall_frame_append(&buffer, message->type, is_reply ? WALL_FRAME_REPLY : 0, 1, shape, object);
    }
    if (buffer.size)
        memcpy(data, buffer.data, buffer.size);
    size_t size = buffer.size;
    wall_buffer_done(&buffer);
    wall_arena_done(&arena);
    return size;
}
