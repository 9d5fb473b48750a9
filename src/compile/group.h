// Group: entries that are searched together, written as boxes, bits or bit vectors (wire/tables.bpf.h).
#pragma once

#include "compile/entry.h"
#include "compile/image.h"

// Some entries, by index, ascending; and the dimension that has been decided before: WALL_DIMENSION_COUNT_ for none.
struct wall_group {
    const uint32_t *indexes;
    uint32_t count;
    uint32_t pivot;
};

// Fills in `boxes`, with which the next is found faster. After wall_partition_build().
void wall_entry_count_boxes(const struct wall_entries *entries, struct wall_entry *entry);

// Boxes that an entry takes in a group with this pivot: the product of the ranges of its dimensions' classes. Counts
// to WALL_BOXES_MAX + 1 and no further.
uint32_t wall_entry_boxes(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t pivot);

// Bytes a group takes, roughly.
uint64_t wall_group_estimate(const struct wall_entries *entries, const struct wall_group *group);

// Writes a group; a group of no entries is unit 0. A group of more than WALL_BOXES_MAX boxes whose entries ask for more
// than WALL_ROWS_MAX dimensions gives its least used ones up: their conditions are left to user space (`needs` of the
// entries grows).
// Returns 0 or -ENOMEM; the image has its own error.
int wall_group_write(struct wall_entries *entries, const struct wall_group *group, struct wall_image *image,
                     uint32_t *ret_unit);
