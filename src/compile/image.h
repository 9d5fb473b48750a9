// Image: the bytes of one layer's tables while they are written (layout: wire/tables.bpf.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

// Pages that still have room at their end: the first one, where decisions find things for free, and the latest ones.
#define WALL_IMAGE_OPEN_PAGES 8

// After a failure (`error`) every function goes on harmlessly, so that only the end needs a check.
struct wall_image {
    uint8_t *bytes;  // page_count pages; moves when the image grows
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t page_limit;
    int error;  // 0, -ENOMEM, or -E2BIG: page_limit reached
    // Private:
    uint32_t open[WALL_IMAGE_OPEN_PAGES];  // byte offsets where their room begins, the oldest page first; 0: none
    uint64_t *nowhere;                     // what is written to after a failure: one page
};

// `limit_bytes`: the size the image may reach, at most 1 GiB.
void wall_image_init(struct wall_image *image, size_t limit_bytes);
void wall_image_done(struct wall_image *image);

// Zeroed room for `size` bytes, aligned to `align` (a power of 2 up to a page). Up to a page it does not cross pages;
// more begins at a page. What is taken first lies in the first page, as long as it has room.
// Returns its byte offset, never 0 (page 0 begins with the head), or 0 after a failure.
uint32_t wall_image_take(struct wall_image *image, size_t size, size_t align);

// Where an offset lies now; borrowed until the next wall_image_take(). After a failure, or for offset 0, it is a page
// of no account: at most a page may be written there, whatever was asked for.
void *wall_image_at(struct wall_image *image, uint32_t offset);

// Writes one number into an array of them that wall_image_take() gave.
void wall_image_put32(struct wall_image *image, uint32_t offset, uint32_t value);
