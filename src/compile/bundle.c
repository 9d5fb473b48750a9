#include "compile/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX ((1u << 30) / WALL_PAGE_BYTES)

int wall_bundle_new(const struct wall_compiled *const *layers, uint32_t count, uint64_t generation,
                    struct wall_bundle *ret_bundle)
{
    uint64_t page_count = count;
    for (uint32_t i = 0; i < count; i++)
        page_count += layers[i] ? layers[i]->page_count - 1 : 0;
    if (page_count > PAGES_MAX)
        return -E2BIG;
    uint8_t *pages = calloc(page_count, WALL_PAGE_BYTES);
    if (!pages)
        return -ENOMEM;

    uint32_t next = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!layers[i])
            continue;
        const uint8_t *image = layers[i]->image;
        uint8_t *first = pages + (size_t)i * WALL_PAGE_BYTES;
        memcpy(first, image, WALL_PAGE_BYTES);
        struct wall_table_head *head = (struct wall_table_head *)first;
        head->base = next - 1;
        head->generation = (uint32_t)generation;
        memcpy(pages + (size_t)next * WALL_PAGE_BYTES, image + WALL_PAGE_BYTES,
               (size_t)(layers[i]->page_count - 1) * WALL_PAGE_BYTES);
        next += layers[i]->page_count - 1;
    }
    ret_bundle->pages = pages;
    ret_bundle->page_count = (uint32_t)page_count;
    return 0;
}

void wall_bundle_done(struct wall_bundle *bundle)
{
    free(bundle->pages);
    memset(bundle, 0, sizeof(*bundle));
}
