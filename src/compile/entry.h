// Entry: one filter on its way into the tables, its conditions already sets of values.
#pragma once

#include <stdint.h>

#include "compile/partition.h"

#include "wire/tables.bpf.h"

struct wall_entry {
    uint64_t id;
    uint32_t needs;                        // as in struct wall_table_filter
    uint16_t sublayer;                     // index
    uint8_t effect;                        // enum wall_effect
    uint8_t boxes;                         // ranges of all dimensions, multiplied; 0: not known, or too many
    uint32_t sets[WALL_DIMENSION_COUNT_];  // WALL_SET_ALL: no condition
};

// The entries of one layer in arbitration order, and what their sets mean.
struct wall_entries {
    struct wall_entry *items;
    uint32_t count;
    uint16_t sublayer_count;
    struct wall_partition *partitions;  // WALL_DIMENSION_COUNT_ of them, built
};
