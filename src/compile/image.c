#include "compile/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tables.bpf.h"

// A page's free room: [begin, WALL_PAGE_BYTES).
struct wall_image_page {
    uint32_t begin;
    uint32_t next;  // page number plus 1 of the next page in the same list; 0: none
};

#define IMAGE_LIMIT_BYTES ((size_t)1 << 30)  // what node references reach

void wall_image_init(struct wall_image *image, size_t limit_bytes)
{
    memset(image, 0, sizeof(*image));
    if (limit_bytes > IMAGE_LIMIT_BYTES)
        limit_bytes = IMAGE_LIMIT_BYTES;
    image->page_limit = (uint32_t)(limit_bytes / WALL_PAGE_BYTES);
}

void wall_image_done(struct wall_image *image)
{
    free(image->bytes);
    free(image->pages);
    memset(image, 0, sizeof(*image));
}

static int grow(struct wall_image *image, uint32_t count)
{
    if (count > image->page_limit - image->page_count)
        return -E2BIG;
    uint32_t needed = image->page_count + count;
    if (needed > image->page_capacity) {
        uint32_t capacity = image->page_capacity ? 2 * image->page_capacity : 16;
        capacity = capacity < needed ? needed : capacity;
        uint8_t *bytes = realloc(image->bytes, (size_t)capacity * WALL_PAGE_BYTES);
        if (!bytes)
            return -ENOMEM;
        image->bytes = bytes;
        struct wall_image_page *pages = realloc(image->pages, capacity * sizeof(*pages));
        if (!pages)
            return -ENOMEM;
        image->pages = pages;
        image->page_capacity = capacity;
    }
    memset(image->bytes + (size_t)image->page_count * WALL_PAGE_BYTES, 0, (size_t)count * WALL_PAGE_BYTES);
    image->page_count = needed;
    return 0;
}

// Puts a page's room into the list for its size, rounded down to 64 bytes.
static void offer(struct wall_image *image, uint32_t page, uint32_t begin)
{
    uint32_t list = (WALL_PAGE_BYTES - begin) / 64;
    if (list == 0)
        return;
    list--;
    image->pages[page].begin = begin;
    image->pages[page].next = image->lists[list];
    image->lists[list] = page + 1;
    image->list_mask |= (uint64_t)1 << list;
}

static uint32_t lowest_bit(uint64_t mask)
{
    uint32_t bit = 0;
    while (!(mask >> bit & 1))
        bit++;
    return bit;
}

static uint32_t align_up(uint32_t value, size_t align)
{
    return (value + (uint32_t)align - 1) & ~((uint32_t)align - 1);
}

// The page with the least room that is enough; the most recent one of these.
static uint32_t take_room(struct wall_image *image, size_t size, size_t align)
{
    size_t worst = size + (align > 64 ? align - 64 : 0);
    uint32_t list = (uint32_t)((worst + 63) / 64);
    uint64_t fitting = list <= 64 ? image->list_mask & ~(uint64_t)0 << (list ? list - 1 : 0) : 0;
    if (!fitting)
        return 0;
    list = lowest_bit(fitting);
    uint32_t page = image->lists[list] - 1;
    image->lists[list] = image->pages[page].next;
    if (!image->lists[list])
        image->list_mask &= ~((uint64_t)1 << list);
    uint32_t begin = align_up(image->pages[page].begin, align);
    offer(image, page, align_up(begin + (uint32_t)size, 64));
    return page * WALL_PAGE_BYTES + begin;
}

uint32_t wall_image_take(struct wall_image *image, size_t size, size_t align)
{
    if (image->error)
        return 0;
    uint32_t offset = size <= WALL_PAGE_BYTES ? take_room(image, size, align) : 0;
    if (offset)
        return offset;
    size_t count = (size + WALL_PAGE_BYTES - 1) / WALL_PAGE_BYTES;
    uint32_t page = image->page_count;
    uint32_t head = page == 0;
    image->error = count < image->page_limit ? grow(image, (uint32_t)count + head) : -E2BIG;
    if (image->error)
        return 0;
    if (head)
        offer(image, 0, align_up(sizeof(struct wall_table_head), 64));
    page += head;
    uint32_t end = (uint32_t)(size - (count - 1) * WALL_PAGE_BYTES);
    offer(image, page + (uint32_t)count - 1, align_up(end, 64));
    return page * WALL_PAGE_BYTES;
}

void *wall_image_at(struct wall_image *image, uint32_t offset)
{
    if (!image->error)
        return image->bytes + offset;
    memset(image->nowhere, 0, sizeof(image->nowhere));
    return image->nowhere;
}

void wall_image_put32(struct wall_image *image, uint32_t offset, uint32_t value)
{
    if (!image->error)
        memcpy(image->bytes + offset, &value, sizeof(value));
}
