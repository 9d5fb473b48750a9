// A growing run of bytes with a limit: what encoders write to and what waits to be sent.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wall_buffer {
    uint8_t *data;  // owned; NULL while empty
    size_t size;    // bytes in use
    size_t capacity;
    size_t limit;   // `size` never grows past it; 0: no limit
};

// Releases the bytes; the buffer is empty and usable afterwards, its limit kept.
void wall_buffer_done(struct wall_buffer *buffer);

// Makes room for `count` more bytes and takes them into use, uninitialised.
// Returns 0, -ENOBUFS when the limit would be passed, or -ENOMEM; then nothing changed.
int wall_buffer_extend(struct wall_buffer *buffer, size_t count, uint8_t **ret_bytes);
int wall_buffer_append(struct wall_buffer *buffer, const void *bytes, size_t count);
// Drops the first `count` bytes (at most all).
void wall_buffer_consume(struct wall_buffer *buffer, size_t count);
