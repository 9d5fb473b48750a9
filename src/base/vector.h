// Vector: a growing array of elements of one size, with an upper limit.
#pragma once

#include <stddef.h>

struct wall_vector {
    void *items;  // `count` elements, one after another; moves when the vector grows
    size_t count, capacity;
    size_t item_size;
    size_t limit;  // most elements it may hold
};

// `limit` 0: no limit but the address space.
void wall_vector_init(struct wall_vector *vector, size_t item_size, size_t limit);
void wall_vector_done(struct wall_vector *vector);

// Appends a copy of `*item`, or a zeroed element when `item` is NULL. Returns 0, -ENOMEM or -ENOSPC (limit reached).
int wall_vector_add(struct wall_vector *vector, const void *item);
// Makes room for `count` more elements, so that as many wall_vector_add() cannot fail. Returns as wall_vector_add().
int wall_vector_reserve(struct wall_vector *vector, size_t count);
// Borrowed until the vector changes. `index` must be below count.
void *wall_vector_at(const struct wall_vector *vector, size_t index);
// Removes one element; those behind it move down, keeping their order.
void wall_vector_remove(struct wall_vector *vector, size_t index);
// Keeps the first `count` elements.
void wall_vector_truncate(struct wall_vector *vector, size_t count);
