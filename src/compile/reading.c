#include "compile/reading.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// Readings of filters that are gone may be as many as those of the others, and these.
#define SPARE 4096u

// No two readings that are kept have the same.
static uint32_t next_epoch(void)
{
    static atomic_uint last;
    uint32_t epoch = atomic_fetch_add(&last, 1) + 1;
    return epoch ? epoch : atomic_fetch_add(&last, 1) + 1;
}

struct wall_readings *wall_readings_new(uint16_t layer_id, struct wall_apps *apps, bool keeps)
{
    struct wall_readings *readings = calloc(1, sizeof(*readings));
    if (!readings)
        return NULL;
    readings->apps = apps;
    readings->epoch = keeps ? next_epoch() : 0;
    wall_arena_init(&readings->arena);
    wall_values_init(&readings->values);
    wall_vector_init(&readings->items, sizeof(struct wall_reading), 0);
    for (uint16_t id = 0; id < WALL_FIELDS_MAX; id++)
        readings->fields[id].is_compiled = wall_compile_field(layer_id, id, &readings->fields[id].field);
    int r = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        unsigned bits = wall_compile_dimension_bits(layer_id, d);
        int each = wall_partition_init(&readings->partitions[d], &readings->arena, bits);
        r = each < 0 ? each : r;
    }
    if (r == 0)
        return readings;
    wall_readings_free(readings);
    return NULL;
}

void wall_readings_free(struct wall_readings *readings)
{
    if (!readings)
        return;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        wall_partition_done(&readings->partitions[d]);
    wall_vector_done(&readings->items);
    wall_values_done(&readings->values);
    wall_arena_done(&readings->arena);
    free(readings);
}

const struct wall_compile_field *wall_readings_field(const struct wall_readings *readings, uint16_t field_id)
{
    return field_id < WALL_FIELDS_MAX && readings->fields[field_id].is_compiled ? &readings->fields[field_id].field
                                                                              : NULL;
}

// --- One filter ---

// Conditions of one field. The filter asks for their values; or, when the kernel cannot tell, for any value, and says
// that it needs user space.
static int read_field(struct wall_readings *readings, const struct wall_condition *conditions, uint32_t count,
                      const struct wall_flags_layout *flags, struct wall_reading *reading)
{
    enum wall_compile_reason reason = WALL_COMPILE_REASON_FIELD;
    const struct wall_compile_field *field = wall_readings_field(readings, conditions->field_id);
    struct wall_values *values = &readings->values;
    int r = field ? wall_values_collect(values, field, conditions, count, readings->apps, flags, &reason) : 0;
    if (r < 0)
        return r;
    if (reason != WALL_COMPILE_REASON_NONE) {
        reading->needs |= WALL_NEEDS_USER_SPACE;
        if (reading->reason == WALL_COMPILE_REASON_NONE) {
            reading->reason = (uint8_t)reason;
            reading->field_id = conditions->field_id;
        }
        return 0;
    }
    struct wall_partition *partition = &readings->partitions[field->dimension];
    uint32_t *set = &reading->sets[field->dimension];
    r = wall_partition_add(partition, values->intervals.items, (uint32_t)values->intervals.count, values->empty, set);
    if (r < 0)
        return r;
    if (*set != WALL_SET_ALL)
        reading->needs |= (uint32_t)1 << field->dimension;
    reading->is_void = reading->is_void || wall_partition_is_void(partition, *set);
    return 0;
}

int wall_readings_with_flags(struct wall_readings *readings, const struct wall_filter *filter,
                             const struct wall_flags_layout *flags, struct wall_reading *ret_reading)
{
    *ret_reading = (struct wall_reading){ .needs = 0 };
    for (uint32_t i = 0; i < filter->condition_count;) {
        uint32_t end = i + 1;
        while (end < filter->condition_count && filter->conditions[end].field_id == filter->conditions[i].field_id)
            end++;
        int r = read_field(readings, &filter->conditions[i], end - i, flags, ret_reading);
        if (r < 0)
            return r;
        i = end;
    }
    return 0;
}

static bool has_flags(const struct wall_readings *readings, const struct wall_filter *filter)
{
    for (uint32_t i = 0; i < filter->condition_count; i++) {
        const struct wall_compile_field *field = wall_readings_field(readings, filter->conditions[i].field_id);
        if (field && field->dimension == WALL_DIMENSION_FLAGS)
            return true;
    }
    return false;
}

int wall_readings_add(struct wall_readings *readings, const struct wall_filter *filter)
{
    bool keeps = readings->epoch && filter->memo;
    if (keeps && *filter->memo >> 32 == readings->epoch)
        return (int)(uint32_t)*filter->memo;
    struct wall_reading reading = { .has_flags = has_flags(readings, filter) };
    int r = reading.has_flags ? 0 : wall_readings_with_flags(readings, filter, NULL, &reading);
    r = r < 0 ? r : wall_vector_add(&readings->items, &reading);
    if (r < 0)
        return r;
    uint32_t place = (uint32_t)readings->items.count - 1;
    if (keeps)
        *filter->memo = (uint64_t)readings->epoch << 32 | place;
    return (int)place;
}

bool wall_readings_are_stale(const struct wall_readings *readings, uint32_t used)
{
    return readings->items.count > 2 * (size_t)used + SPARE;
}
