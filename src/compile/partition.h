// Partition: the values of one dimension, grouped into classes that no filter tells apart.
//
// First every distinct set of values that a filter asks for is added; then the values are partitioned once. Class 0 is
// FWP_EMPTY, the absent value. The others are numbered by their first value, so that the classes of a set of k
// intervals are at most k ranges of class numbers (a class inside the set occurs nowhere else, so that it is first seen
// inside one of the intervals, where nothing but classes of the set is).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vector.h"

#include "compile/signature.h"
#include "compile/wide.h"

// The set of all values and FWP_EMPTY: "no condition". It is there from the beginning.
#define WALL_SET_ALL 0u

struct wall_class_range {
    uint32_t first, last;  // both belong to it
};

struct wall_value_set {
    const struct wall_interval *intervals;  // ascending, neither overlapping nor adjacent
    uint32_t interval_count;
    bool empty;  // FWP_EMPTY belongs to it
    // After wall_partition_build():
    const struct wall_class_range *ranges;  // ascending, not adjacent
    uint32_t range_count;
    uint32_t class_count;
};

struct wall_class_begin {
    struct wall_wide value;  // from here to the next begin
    uint32_t class_;
    uint32_t seen_before;  // classes first seen at smaller values, FWP_EMPTY included
};

struct wall_partition {
    struct wall_arena *arena;
    unsigned bits;
    struct wall_vector sets;  // struct wall_value_set
    struct wall_signature_table indexes;  // of the sets, by their content
    // After wall_partition_build():
    struct wall_vector begins;  // struct wall_class_begin; the first one at value 0
    uint32_t class_count;       // FWP_EMPTY included
};

// `bits`: 1 to 128. The arena outlives the partition. Returns 0 or -ENOMEM.
int wall_partition_init(struct wall_partition *partition, struct wall_arena *arena, unsigned bits);
void wall_partition_done(struct wall_partition *partition);

// Adds a set of values: `count` intervals in any order, which may overlap; they are sorted in place. Equal sets get one
// number. Returns 0 or -ENOMEM.
int wall_partition_add(struct wall_partition *partition, struct wall_interval *intervals, uint32_t count, bool empty,
                       uint32_t *ret_set);

// Adds a set as it is, although there may be an equal one: `set` is of another partition of the same bits, whose arena
// outlives this one. Returns 0 or -ENOMEM.
int wall_partition_copy(struct wall_partition *partition, const struct wall_value_set *set, uint32_t *ret_set);

// Borrowed until a set is added.
static inline const struct wall_value_set *wall_partition_set(const struct wall_partition *partition, uint32_t set)
{
    return (const struct wall_value_set *)partition->sets.items + set;
}

// Finds the classes and each set's ranges of them. Returns 0 or -ENOMEM.
// Cost: sorting all intervals' ends, and one walk over them.
int wall_partition_build(struct wall_partition *partition);

// Whether `set` holds no value at all; a filter that asks for it never matches.
bool wall_partition_is_void(const struct wall_partition *partition, uint32_t set);
