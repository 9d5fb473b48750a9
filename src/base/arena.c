#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Large enough that small objects rarely reach malloc(), small enough that a nearly empty arena is cheap.
#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGNMENT ((size_t)16)

struct wall_arena_block {
    struct wall_arena_block *next;
    size_t used, size;
};

#define HEADER_BYTES ((sizeof(struct wall_arena_block) + ALIGNMENT - 1) & ~(ALIGNMENT - 1))

void wall_arena_init(struct wall_arena *arena)
{
    memset(arena, 0, sizeof(*arena));
}

void wall_arena_done(struct wall_arena *arena)
{
    for (struct wall_arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    wall_arena_init(arena);
}

static struct wall_arena_block *block_add(struct wall_arena *arena, size_t size)
{
    size_t block_size = size > BLOCK_BYTES / 4 ? size : BLOCK_BYTES - HEADER_BYTES;
    struct wall_arena_block *block = malloc(HEADER_BYTES + block_size);
    if (!block)
        return NULL;

    block->used = 0;
    block->size = block_size;
    // A block of its own for one big piece goes behind the current one, whose rest stays usable.
    if (arena->blocks && block_size == size) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *wall_arena_take(struct wall_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (size == 0)
        size = ALIGNMENT;

    struct wall_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = block_add(arena, size);
    if (!block)
        return NULL;

    char *piece = (char *)block + HEADER_BYTES + block->used;
    block->used += size;
    arena->used_bytes += size;
    memset(piece, 0, size);
    return piece;
}

void *wall_arena_take_array(struct wall_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return wall_arena_take(arena, count * size);
}

void *wall_arena_copy(struct wall_arena *arena, const void *data, size_t size)
{
    void *copy = wall_arena_take(arena, size);
    if (copy && size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *wall_arena_copy_text(struct wall_arena *arena, const char *text, size_t length)
{
    if (length == SIZE_MAX)
        return NULL;
    char *copy = wall_arena_take(arena, length + 1);
    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}
