// Tables: the entries of one layer, laid out as the image that the evaluator reads (wire/tables.bpf.h).
#pragma once

#include "compile/entry.h"
#include "compile/image.h"

// How the entries came to lie, for `ringwall show compile`.
struct wall_tables_slot {
    uint32_t pivot;  // enum wall_dimension; WALL_DIMENSION_COUNT_: none
    uint32_t entry_count;
    uint32_t group_count;
    uint32_t largest;  // entries in the largest group
};

struct wall_tables_layout {
    uint32_t class_counts[WALL_DIMENSION_COUNT_];  // 1 or 0: nobody asks
    uint32_t slot_count;
    struct wall_tables_slot slots[WALL_SLOTS_MAX];
};

// What the flags dimension's values are made of; filled while the conditions are read.
struct wall_flags_layout {
    uint8_t bits[WALL_FLAG_BITS_MAX];
    uint32_t bit_count;
    bool rest;  // a filter asks for flags that are equal to something: the other bits count too
};

// What one group of bit vectors holds: whatever the filters are, they fit one.
#define WALL_ENTRIES_MAX (64 * WALL_WORDS_MAX)

// Writes the tables. Conditions on a dimension with more classes than a lane can number, or beyond the dimensions of
// one group, are left to user space (`needs` of the entries grows).
// `easy_bytes`: see wall_plan_make(). Returns 0, -ENOMEM, or -E2BIG when the image's limit is reached.
int wall_tables_write(uint16_t layer_id, struct wall_entries *entries, const struct wall_flags_layout *flags,
                      uint64_t easy_bytes, struct wall_image *image, struct wall_tables_layout *ret_layout);
