#include "compile/bundle.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PAGES_MAX ((1u << 30) / WALL_PAGE_BYTES)
// Of memory: what is touched at once.
#define BLOCK_BYTES 4096u

int wall_bundle_init(struct wall_bundle *bundle, const struct wall_compiled *const *layers, uint32_t count,
                     uint64_t generation)
{
    uint64_t page_count = count;
    for (uint32_t i = 0; i < count; i++)
        page_count += layers[i] ? layers[i]->page_count - 1 : 0;
    if (page_count > PAGES_MAX)
        return -E2BIG;
    *bundle = (struct wall_bundle){ layers, count, (uint32_t)page_count, generation };
    return 0;
}

static bool is_zero(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, BLOCK_BYTES - 1) == 0;
}

static void copy_pages(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (size_t at = 0; at < (size_t)count * WALL_PAGE_BYTES; at += BLOCK_BYTES)
        if (!is_zero(from + at))
            memcpy(to + at, from + at, BLOCK_BYTES);
}

void wall_bundle_write(const struct wall_bundle *bundle, void *pages)
{
    uint8_t *first = pages, *next = first + (size_t)bundle->layer_count * WALL_PAGE_BYTES;
    for (uint32_t i = 0; i < bundle->layer_count; i++, first += WALL_PAGE_BYTES) {
        const struct wall_compiled *layer = bundle->layers[i];
        if (!layer)
            continue;
        const uint8_t *image = layer->image;
        copy_pages(first, image, 1);
        struct wall_table_head *head = (struct wall_table_head *)first;
        head->base = (uint32_t)((next - (uint8_t *)pages) / WALL_PAGE_BYTES) - 1;
        head->generation = (uint32_t)bundle->generation;
        copy_pages(next, image + WALL_PAGE_BYTES, layer->page_count - 1);
        next += (size_t)(layer->page_count - 1) * WALL_PAGE_BYTES;
    }
}
