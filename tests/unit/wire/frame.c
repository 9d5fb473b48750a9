#include "wire/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct blob {
    uint32_t size;
    uint8_t *data;
};
static const struct wall_shape_field blob_fields[] = { WALL_FIELD_DATA(struct blob, data, size) };
static WALL_SHAPE(blob_shape, struct blob, blob_fields);

static void layout_is_fixed(void **state)
{
    struct wall_buffer buffer = { 0 };
    uint8_t data[] = { 0xAA, 0xBB };
    assert_int_equal(wall_frame_append(&buffer, 0x1234, WALL_FRAME_REPLY, 0xDEADBEEF, &blob_shape,
                                       &(struct blob){ 2, data }), 0);
    static const uint8_t expected[] = { 6, 0, 0, 0, 0x34, 0x12, 1, 0, 0xEF, 0xBE, 0xAD, 0xDE, 2, 0, 0, 0, 0xAA, 0xBB };
    assert_int_equal(buffer.size, sizeof(expected));
    assert_memory_equal(buffer.data, expected, sizeof(expected));
    wall_buffer_done(&buffer);
}

static void frames_arrive_in_any_pieces(void **state)
{
    struct wall_buffer stream = { 0 };
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t data[5] = { (uint8_t)i };
        struct blob blob = { i, data };
        assert_int_equal(wall_frame_append(&stream, (uint16_t)(i + 1), 0, i, &blob_shape, &blob), 0);
    }
    assert_int_equal(wall_frame_append(&stream, 6, 0, 5, NULL, NULL), 0);

    for (size_t piece = 1; piece <= stream.size; piece++) {
        struct wall_frame_reader reader = { 0 };
        struct wall_frame frame;
        uint32_t count = 0;
        for (size_t at = 0; at < stream.size; at += piece) {
            size_t left = stream.size - at;
            assert_int_equal(wall_frame_reader_feed(&reader, stream.data + at, left < piece ? left : piece), 0);
            while (wall_frame_reader_next(&reader, &frame, NULL) == 1) {
                assert_int_equal(frame.type, count + 1);
                assert_int_equal(frame.serial, count);
                assert_int_equal(frame.payload_size, count < 5 ? 4 + count : 0);
                if (count > 0 && count < 5)
                    assert_int_equal(frame.payload[4], count);
                count++;
            }
        }
        assert_int_equal(count, 6);
        wall_frame_reader_done(&reader);
    }
    wall_buffer_done(&stream);
}

static void broken_streams_are_refused(void **state)
{
    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    struct wall_error err = { 0 };
    static const uint8_t large[] = { 0xF5, 0xFF, 0x0F, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
    assert_int_equal(wall_frame_reader_feed(&reader, large, sizeof(large)), 0);
    assert_int_equal(wall_frame_reader_next(&reader, &frame, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "1048565"));
    assert_int_equal(wall_frame_reader_next(&reader, &frame, &err), -EBADMSG);
    wall_frame_reader_done(&reader);

    static const uint8_t flags[] = { 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0 };
    assert_int_equal(wall_frame_reader_feed(&reader, flags, sizeof(flags)), 0);
    assert_int_equal(wall_frame_reader_next(&reader, &frame, &err), -EBADMSG);
    wall_frame_reader_done(&reader);
}

static void too_large_messages_are_refused(void **state)
{
    struct wall_buffer buffer = { 0 };
    uint8_t *data = calloc(1, WALL_FRAME_SIZE_MAX);
    struct blob blob = { WALL_FRAME_PAYLOAD_MAX - 4, data };
    assert_int_equal(wall_frame_append(&buffer, 1, 0, 1, &blob_shape, &blob), 0);
    assert_int_equal(buffer.size, WALL_FRAME_SIZE_MAX);

    blob.size++;
    assert_int_equal(wall_frame_append(&buffer, 1, 0, 1, &blob_shape, &blob), -EMSGSIZE);
    assert_int_equal(buffer.size, WALL_FRAME_SIZE_MAX);

    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    assert_int_equal(wall_frame_reader_feed(&reader, buffer.data, buffer.size), 0);
    assert_int_equal(wall_frame_reader_next(&reader, &frame, NULL), 1);
    assert_int_equal(frame.payload_size, WALL_FRAME_PAYLOAD_MAX);
    wall_frame_reader_done(&reader);
    wall_buffer_done(&buffer);
    free(data);
}

static void unencodable_objects_leave_no_trace(void **state)
{
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_frame_append(&buffer, 1, 0, 1, &blob_shape, &(struct blob){ 1, NULL }), -EFAULT);
    assert_int_equal(buffer.size, 0);
    wall_buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_fixed),
        cmocka_unit_test(frames_arrive_in_any_pieces),
        cmocka_unit_test(broken_streams_are_refused),
        cmocka_unit_test(too_large_messages_are_refused),
        cmocka_unit_test(unencodable_objects_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
