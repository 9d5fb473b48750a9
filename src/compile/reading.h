// Readings: what the conditions of filters ask for, as sets of values. They are kept from one compilation to the next,
// so that a commit reads only the filters that are new; or none, when they have been read while they were added.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compile/partition.h"
#include "compile/values.h"

#define WALL_FIELDS_MAX 64u

struct wall_reading {
    uint32_t sets[WALL_DIMENSION_COUNT_];  // of the readings' partitions; WALL_SET_ALL: no condition
    uint32_t needs;                        // as in struct wall_table_filter
    uint16_t field_id;                     // that of `reason`
    uint8_t reason;                        // enum wall_compile_reason
    bool is_void;                          // no value fulfils the conditions
    bool has_flags;                        // it depends on the layout of the flags: not read yet
};

// Of the filters of one layer.
struct wall_readings {
    uint32_t epoch;  // marks the memos of filters that are in `items`; 0: nothing is kept
    struct wall_apps *apps;
    struct field {
        struct wall_compile_field field;
        bool is_compiled;  // the kernel knows the field
    } fields[WALL_FIELDS_MAX];  // of the layer, by their ids
    struct wall_arena arena;
    struct wall_partition partitions[WALL_DIMENSION_COUNT_];  // sets alone, never built
    struct wall_values values;
    struct wall_vector items;  // struct wall_reading
};

// `keeps`: filters are told where their readings are (struct wall_filter's memo), for later compilations; else they are
// for one. `apps`, borrowed, grows by the app ids that filters name. Returns NULL without memory.
struct wall_readings *wall_readings_new(uint16_t layer_id, struct wall_apps *apps, bool keeps);
void wall_readings_free(struct wall_readings *readings);

// Reads a filter of the layer, if it is not there yet. Returns its place in `items`, or -ENOMEM.
int wall_readings_add(struct wall_readings *readings, const struct wall_filter *filter);
// Reads a filter that has conditions on the flags. Returns 0 or -ENOMEM.
int wall_readings_with_flags(struct wall_readings *readings, const struct wall_filter *filter,
                             const struct wall_flags_layout *flags, struct wall_reading *ret_reading);
// Whether most readings are of filters that are gone, `used` are not: time to begin anew.
bool wall_readings_are_stale(const struct wall_readings *readings, uint32_t used);

// NULL: the kernel does not know the field.
const struct wall_compile_field *wall_readings_field(const struct wall_readings *readings, uint16_t field_id);
