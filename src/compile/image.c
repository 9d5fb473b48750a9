#include "compile/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tables.bpf.h"

#define IMAGE_LIMIT_BYTES ((size_t)1 << 30)  // what node references reach

void wall_image_init(struct wall_image *image, size_t limit_bytes)
{
    memset(image, 0, sizeof(*image));
    if (limit_bytes > IMAGE_LIMIT_BYTES)
        limit_bytes = IMAGE_LIMIT_BYTES;
    image->page_limit = (uint32_t)(limit_bytes / WALL_PAGE_BYTES);
    image->nowhere = calloc(1, WALL_PAGE_BYTES);
    if (!image->nowhere)
        image->error = -ENOMEM;
}

void wall_image_done(struct wall_image *image)
{
    free(image->bytes);
    free(image->nowhere);
    memset(image, 0, sizeof(*image));
}

static int grow(struct wall_image *image, uint32_t count)
{
    if (count > image->page_limit - image->page_count)
        return -E2BIG;
    uint32_t needed = image->page_count + count;
    if (needed > image->page_capacity) {
        uint32_t capacity = image->page_capacity + image->page_capacity / 2 + 2;
        capacity = capacity < needed ? needed : capacity;
        uint8_t *bytes = realloc(image->bytes, (size_t)capacity * WALL_PAGE_BYTES);
        if (!bytes)
            return -ENOMEM;
        image->bytes = bytes;
        image->page_capacity = capacity;
    }
    memset(image->bytes + (size_t)image->page_count * WALL_PAGE_BYTES, 0, (size_t)count * WALL_PAGE_BYTES);
    image->page_count = needed;
    return 0;
}

static uint32_t room(uint32_t begin)
{
    return begin ? WALL_PAGE_BYTES - (begin - 1) % WALL_PAGE_BYTES - 1 : 0;
}

static uint32_t align_up(uint32_t value, size_t align)
{
    return (value + (uint32_t)align - 1) & ~((uint32_t)align - 1);
}

// Remembers the rest of a page: instead of the one with the least room, but never of the first page.
static void offer(struct wall_image *image, uint32_t begin)
{
    uint32_t least = 1;
    if (begin < WALL_PAGE_BYTES) {
        image->open[0] = begin;
        return;
    }
    for (uint32_t i = 2; i < WALL_IMAGE_OPEN_PAGES; i++)
        if (room(image->open[i]) < room(image->open[least]))
            least = i;
    if (begin % WALL_PAGE_BYTES && room(begin) > room(image->open[least]))
        image->open[least] = begin;
}

static uint32_t take_room(struct wall_image *image, size_t size, size_t align)
{
    for (uint32_t i = 0; i < WALL_IMAGE_OPEN_PAGES; i++) {
        if (!image->open[i])
            continue;
        uint32_t begin = align_up(image->open[i], align);
        if (begin / WALL_PAGE_BYTES != image->open[i] / WALL_PAGE_BYTES ||
            begin % WALL_PAGE_BYTES + size > WALL_PAGE_BYTES)
            continue;
        uint32_t end = begin + (uint32_t)size;
        image->open[i] = end % WALL_PAGE_BYTES ? end : 0;
        return begin;
    }
    return 0;
}

uint32_t wall_image_take(struct wall_image *image, size_t size, size_t align)
{
    if (image->error)
        return 0;
    uint32_t offset = size <= WALL_PAGE_BYTES ? take_room(image, size, align) : 0;
    if (offset)
        return offset;
    if (image->page_count == 0) {
        image->error = grow(image, 1);
        offer(image, sizeof(struct wall_table_head));
        return wall_image_take(image, size, align);
    }
    size_t count = (size + WALL_PAGE_BYTES - 1) / WALL_PAGE_BYTES;
    offset = image->page_count * WALL_PAGE_BYTES;
    image->error = count < image->page_limit ? grow(image, (uint32_t)count) : -E2BIG;
    if (image->error)
        return 0;
    offer(image, offset + (uint32_t)size);
    return offset;
}

void *wall_image_at(struct wall_image *image, uint32_t offset)
{
    return image->error || offset == 0 ? (void *)image->nowhere : image->bytes + offset;
}

void wall_image_put32(struct wall_image *image, uint32_t offset, uint32_t value)
{
    if (!image->error)
        memcpy(image->bytes + offset, &value, sizeof(value));
}
