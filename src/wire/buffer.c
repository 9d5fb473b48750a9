#include "wire/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Most messages fit, so most buffers are allocated once.
#define CAPACITY_FIRST 512u

void wall_buffer_done(struct wall_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = 0;
    buffer->capacity = 0;
}

int wall_buffer_extend(struct wall_buffer *buffer, size_t count, uint8_t **ret_bytes)
{
    if (count > SIZE_MAX / 2 - buffer->size)
        return -ENOMEM;
    size_t needed = buffer->size + count;
    if (buffer->limit && needed > buffer->limit)
        return -ENOBUFS;

    if (needed > buffer->capacity || !buffer->data) {
        size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;
        while (capacity < needed)
            capacity *= 2;
        uint8_t *data = realloc(buffer->data, capacity);
        if (!data)
            return -ENOMEM;
        buffer->data = data;
        buffer->capacity = capacity;
    }

    *ret_bytes = buffer->data + buffer->size;
    buffer->size = needed;
    return 0;
}

int wall_buffer_append(struct wall_buffer *buffer, const void *bytes, size_t count)
{
    uint8_t *to;
    int r = wall_buffer_extend(buffer, count, &to);
    if (r == 0 && count)
        memcpy(to, bytes, count);
    return r;
}

void wall_buffer_consume(struct wall_buffer *buffer, size_t count)
{
    if (count >= buffer->size) {
        buffer->size = 0;
        return;
    }
    memmove(buffer->data, buffer->data + count, buffer->size - count);
    buffer->size -= count;
}
