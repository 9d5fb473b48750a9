// Values: conditions of one field as a set of the values that fulfil them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/policy.h"

#include "base/vector.h"
#include "compile/apps.h"
#include "compile/field.h"
#include "compile/tables.h"
#include "compile/wide.h"

// Why a condition cannot be evaluated in the kernel.
enum wall_compile_reason {
    WALL_COMPILE_REASON_NONE,
    WALL_COMPILE_REASON_FIELD,      // the kernel does not know the field
    WALL_COMPILE_REASON_CONDITION,  // the field is known, but not this kind of test (groups, text, …)
    WALL_COMPILE_REASON_LIMIT,      // too many values, flags or classes
};

struct wall_values {
    struct wall_vector intervals;  // struct wall_interval, in any order
    bool empty;                    // FWP_EMPTY fulfils them
};

// An empty set; wall_values_done() releases what it has collected.
void wall_values_init(struct wall_values *values);
void wall_values_done(struct wall_values *values);

// Collects the values that fulfil any of `count` conditions of one field; what was in `values` before is dropped.
// FWP_CONDITION_FLAG_* are collected as numbers of `flags`, to which wall_values_flags() has added the conditions.
// Returns 0 with *ret_reason (NONE: `values` is exact), or -ENOMEM.
int wall_values_collect(struct wall_values *values, const struct wall_compile_field *field,
                        const struct wall_condition *conditions, uint32_t count, struct wall_apps *apps,
                        const struct wall_flags_layout *flags, enum wall_compile_reason *ret_reason);

// Takes the bits that conditions on the flags ask for into the layout, while there is room for all of a condition's.
void wall_values_flags(struct wall_flags_layout *flags, const struct wall_condition *condition);
