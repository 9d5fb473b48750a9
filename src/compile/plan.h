// Plan: which entries lie in which slot of the tables, and by which dimension a slot is divided into groups.
#pragma once

#include "compile/entry.h"
#include "compile/group.h"

struct wall_plan_slot {
    uint32_t pivot;     // WALL_DIMENSION_COUNT_: one group of all
    uint32_t *indexes;  // `count` entries, ascending
    uint32_t count;
    // With a pivot: the entries of class c are members[begins[c]] … members[begins[c + 1] - 1], ascending.
    uint32_t group_count;  // classes of the pivot
    uint32_t *begins, *members;
};

struct wall_plan {
    uint32_t slot_count;
    struct wall_plan_slot slots[WALL_SLOTS_MAX];
};

// The entries of class `c` of a slot with a pivot. Groups are asked for one after the other.
struct wall_group wall_plan_group(const struct wall_entries *entries, const struct wall_plan_slot *slot, uint32_t c);

// Chooses the fewest slots whose tables are small: a decision visits every slot. Entries that name few values of a
// pivot dimension go to its slot, copied into the groups of these values; all others share the last one.
// `easy_bytes`: tables of this size are small enough; above it one more slot is tried. 0: the usual size.
// Returns 0 or -ENOMEM; wall_plan_done() in either case.
int wall_plan_make(uint16_t layer_id, const struct wall_entries *entries, uint64_t easy_bytes, struct wall_plan *plan);
void wall_plan_done(struct wall_plan *plan);
