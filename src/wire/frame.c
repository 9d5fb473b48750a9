#include "wire/frame.h"

#include <errno.h>
#include <string.h>

#include "wire/codec.h"

static void put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *to, uint32_t value)
{
    put_u16(to, (uint16_t)value);
    put_u16(to + 2, (uint16_t)(value >> 16));
}

static uint16_t get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)get_u16(from) | (uint32_t)get_u16(from + 2) << 16;
}

int wall_frame_append(struct wall_buffer *buffer, uint16_t type, uint16_t flags, uint32_t serial,
                      const struct wall_shape *shape, const void *object)
{
    size_t start = buffer->size;
    uint8_t *header;
    int r = wall_buffer_extend(buffer, WALL_FRAME_HEADER_SIZE, &header);
    if (r == 0 && shape)
        r = wall_encode(shape, object, buffer);

    size_t size = buffer->size - start;
    if (r == 0 && size > WALL_FRAME_SIZE_MAX)
        r = -EMSGSIZE;
    if (r < 0) {
        buffer->size = start;
        return r;
    }

    header = buffer->data + start;
    put_u32(header, (uint32_t)(size - WALL_FRAME_HEADER_SIZE));
    put_u16(header + 4, type);
    put_u16(header + 6, flags);
    put_u32(header + 8, serial);
    return 0;
}

void wall_frame_reader_done(struct wall_frame_reader *reader)
{
    wall_buffer_done(&reader->buffer);
    reader->consumed = 0;
}

int wall_frame_reader_feed(struct wall_frame_reader *reader, const void *bytes, size_t count)
{
    wall_buffer_consume(&reader->buffer, reader->consumed);
    reader->consumed = 0;
    return wall_buffer_append(&reader->buffer, bytes, count);
}

int wall_frame_reader_next(struct wall_frame_reader *reader, struct wall_frame *ret_frame, struct wall_error *err)
{
    size_t available = reader->buffer.size - reader->consumed;
    if (available < WALL_FRAME_HEADER_SIZE)
        return 0;

    const uint8_t *header = reader->buffer.data + reader->consumed;
    uint32_t payload_size = get_u32(header);
    uint16_t flags = get_u16(header + 6);
    if (payload_size > WALL_FRAME_PAYLOAD_MAX)
        return wall_error_set(err, -EBADMSG, "a frame of %u bytes is larger than allowed", (unsigned)payload_size);
    if (flags & ~WALL_FRAME_REPLY)
        return wall_error_set(err, -EBADMSG, "a frame has unknown flags 0x%x", (unsigned)flags);
    if (available - WALL_FRAME_HEADER_SIZE < payload_size)
        return 0;

    *ret_frame = (struct wall_frame){ .type = get_u16(header + 4), .flags = flags, .serial = get_u32(header + 8),
                                      .payload = header + WALL_FRAME_HEADER_SIZE, .payload_size = payload_size };
    reader->consumed += WALL_FRAME_HEADER_SIZE + payload_size;
    return 1;
}
