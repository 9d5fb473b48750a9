// Frames: messages on a byte stream. No I/O here: bytes go in and out through buffers.
//
// A frame is { u32 length, u16 type, u16 flags, u32 serial } and `length` bytes of payload; little-endian. A request
// carries a serial of the sender's choice; its one reply has the same type and serial and WALL_FRAME_REPLY set. A
// notification has serial 0 and no reply.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/shape.h"

#include "wire/buffer.h"

#define WALL_FRAME_HEADER_SIZE 12u

// Header and payload together. The largest legitimate message is a page of an enumeration, which is cut to fit.
#define WALL_FRAME_SIZE_MAX (1u << 20)
#define WALL_FRAME_PAYLOAD_MAX (WALL_FRAME_SIZE_MAX - WALL_FRAME_HEADER_SIZE)

#define WALL_FRAME_REPLY 0x0001u

struct wall_frame {
    uint16_t type;   // enum wall_message_type
    uint16_t flags;  // WALL_FRAME_*
    uint32_t serial;
    const uint8_t *payload;  // borrowed from the reader
    size_t payload_size;
};

// Appends one frame. `shape` may be NULL: no payload.
// Returns 0, -EMSGSIZE when the frame would pass WALL_FRAME_SIZE_MAX, or what wall_encode() returns. On error the
// buffer is as it was.
int wall_frame_append(struct wall_buffer *buffer, uint16_t type, uint16_t flags, uint32_t serial,
                      const struct wall_shape *shape, const void *object);

// Collects bytes as they arrive and cuts them into frames. All zero: empty.
struct wall_frame_reader {
    struct wall_buffer buffer;
    size_t consumed;  // bytes of the buffer that returned frames took
};

// Releases the bytes collected; the reader is empty and usable afterwards.
void wall_frame_reader_done(struct wall_frame_reader *reader);

// Gives the reader `count` bytes as they came. Returns 0 or -ENOMEM. Frames got before are no longer valid.
int wall_frame_reader_feed(struct wall_frame_reader *reader, const void *bytes, size_t count);

// Cuts off the next frame. It stays valid until the next call of wall_frame_reader_feed().
// Returns 1 with a frame, 0 when bytes are missing, -EBADMSG when the stream is broken: a frame too large or with
// unknown flags. A broken stream never heals: close the connection.
int wall_frame_reader_next(struct wall_frame_reader *reader, struct wall_frame *ret_frame, struct wall_error *err);
