#include "base/vector.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void wall_vector_init(struct wall_vector *vector, size_t item_size, size_t limit)
{
    assert(item_size > 0);
    size_t address_limit = SIZE_MAX / 2 / item_size;
    *vector = (struct wall_vector){
        .item_size = item_size,
        .limit = limit > 0 && limit < address_limit ? limit : address_limit,
    };
}

void wall_vector_done(struct wall_vector *vector)
{
    free(vector->items);
    vector->items = NULL;
    vector->count = vector->capacity = 0;
}

int wall_vector_reserve(struct wall_vector *vector, size_t count)
{
    if (count > vector->limit - vector->count)
        return -ENOSPC;
    size_t needed = vector->count + count;
    if (needed <= vector->capacity)
        return 0;

    size_t capacity = vector->capacity < 8 ? 8 : vector->capacity + vector->capacity / 2;
    if (capacity < needed)
        capacity = needed;
    if (capacity > vector->limit)
        capacity = vector->limit;
    void *items = realloc(vector->items, capacity * vector->item_size);
    if (!items)
        return -ENOMEM;
    vector->items = items;
    vector->capacity = capacity;
    return 0;
}

int wall_vector_add(struct wall_vector *vector, const void *item)
{
    int r = wall_vector_reserve(vector, 1);
    if (r < 0)
        return r;

    void *place = (char *)vector->items + vector->count * vector->item_size;
    if (item)
        memcpy(place, item, vector->item_size);
    else
        memset(place, 0, vector->item_size);
    vector->count++;
    return 0;
}

void *wall_vector_at(const struct wall_vector *vector, size_t index)
{
    assert(index < vector->count);
    return (char *)vector->items + index * vector->item_size;
}

void wall_vector_remove(struct wall_vector *vector, size_t index)
{
    char *place = wall_vector_at(vector, index);
    memmove(place, place + vector->item_size, (vector->count - index - 1) * vector->item_size);
    vector->count--;
}

void wall_vector_truncate(struct wall_vector *vector, size_t count)
{
    assert(count <= vector->count);
    vector->count = count;
}
