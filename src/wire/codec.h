// The codec: described structures (base/shape.h) to bytes and back. Messages and stored objects use the same one.
//
// Equal objects give equal bytes. Numbers are little-endian and unaligned:
//   U8 … U64, BYTES     as they are
//   STRUCT              its fields, in the order of the description
//   TEXT, TEXT8         u32: 0 for NULL, else the length in units plus 1; then the units without the NUL
//   POINTER             u8: 0 for NULL, else 1 and the structure
//   SID                 u8: 0 for NULL, else 1 and the SID
//   ARRAY, POINTERS     u32 count, then the elements
//   DATA                u32 count, then the bytes
//   UNION               u32 selector, then the chosen case
// A count or selector that an earlier field of the same structure carried is not written again.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/shape.h"

#include "wire/buffer.h"

// A decoded object never takes more than this: 1 MiB of bytes can stand for more memory than they take (a NULL
// pointer is one byte on the wire), but nothing legitimate grows by more than 16.
#define WALL_DECODED_SIZE_MAX (16u << 20)

// Appends the bytes of `object` to `buffer`.
// Returns 0; -EFAULT for a NULL array or element with a count, -EINVAL for what else cannot be encoded (see
// wall_shape_measure), or what wall_buffer_extend() returns. On error the buffer is as it was.
int wall_encode(const struct wall_shape *shape, const void *object, struct wall_buffer *buffer);

// Bytes that wall_encode() would append; 0 when the object cannot be encoded. Cost: encodes it.
size_t wall_encoded_size(const struct wall_shape *shape, const void *object);

// Makes an object of exactly `size` bytes: one block, released with one free(). Any bytes are safe to give.
// Returns 0, -EBADMSG with `err` telling which member is wrong, or -ENOMEM.
int wall_decode(const struct wall_shape *shape, const void *bytes, size_t size, void **ret_object,
                struct wall_error *err);
