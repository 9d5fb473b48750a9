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
        page_count += layers[i]->page_count;
    if (page_count > PAGES_MAX)
        return -E2BIG;
    uint8_t *pages = malloc((size_t)page_count * WALL_PAGE_BYTES);
    if (!pages)
        return -ENOMEM;

    uint32_t base = count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *image = pages + (size_t)base * WALL_PAGE_BYTES;
        memcpy(image, layers[i]->image, (size_t)layers[i]->page_count * WALL_PAGE_BYTES);
        struct wall_table_head *head = (struct wall_table_head *)image;
        head->base = base;
        head->generation = (uint32_t)generation;
        memcpy(pages + (size_t)i * WALL_PAGE_BYTES, image, WALL_PAGE_BYTES);
        base += layers[i]->page_count;
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
