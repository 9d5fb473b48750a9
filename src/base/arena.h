// Arena: memory for things that are born together and die together.
#pragma once

#include <stddef.h>

struct wall_arena_block;

struct wall_arena {
    struct wall_arena_block *blocks;  // newest first
    size_t used_bytes;                // handed out so far, padding included
};

// An all-zero arena is an empty one; this says so in words.
void wall_arena_init(struct wall_arena *arena);

// Releases everything taken from the arena and leaves it empty.
void wall_arena_done(struct wall_arena *arena);

// Zeroed memory, aligned for any type, valid until wall_arena_done(). Returns NULL when memory is short.
// Cost: a pointer step, and one malloc() per 64 KiB.
void *wall_arena_take(struct wall_arena *arena, size_t size);

// `count` elements of `size` bytes; NULL also when the product does not fit a size_t.
void *wall_arena_take_array(struct wall_arena *arena, size_t count, size_t size);

// A copy of `size` bytes.
void *wall_arena_copy(struct wall_arena *arena, const void *data, size_t size);

// A copy of `length` bytes of `text` with a NUL after them.
char *wall_arena_copy_text(struct wall_arena *arena, const char *text, size_t length);
