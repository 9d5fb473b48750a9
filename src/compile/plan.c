#include "compile/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "compile/group.h"

// An entry lies in at most this many groups of a slot; one that names more values would cost more in copies than it
// gains by a short group.
#define COPIES_MAX 8
// Below this load a group takes any entry; above it the entry goes where fewer are.
#define LOAD_EASY 8
// The usual size that is small enough: 10,000 filters of 1,000 apps shall fit in 4 MiB.
#define SIZE_EASY(entry_count) (256 * 1024 + 256 * (uint64_t)(entry_count))
#define CANDIDATES_MAX 3
// Entries of a group lie far apart: those to come are on their way meanwhile.
#define AHEAD 16

// Facts that are always known when a flow is classified at this layer: a pivot that is a missing fact holds the flow.
static bool is_always_known(uint16_t layer_id, uint32_t dimension)
{
    // ALE_AUTH_CONNECT and ALE_CONNECT_REDIRECT run before the local address and port are chosen.
    bool connects = layer_id == FWPS_LAYER_ALE_AUTH_CONNECT_V4 || layer_id == FWPS_LAYER_ALE_AUTH_CONNECT_V6 ||
                    layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V4 || layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V6;
    switch (dimension) {
    case WALL_DIMENSION_REMOTE_ADDRESS:
    case WALL_DIMENSION_APP:
    case WALL_DIMENSION_USER:
    case WALL_DIMENSION_REMOTE_PORT:
    case WALL_DIMENSION_CGROUP:
        return true;
    case WALL_DIMENSION_LOCAL_ADDRESS:
    case WALL_DIMENSION_LOCAL_PORT:
        return !connects;
    default:
        return false;
    }
}

static bool is_narrow(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t dimension)
{
    return entry->sets[dimension] != WALL_SET_ALL &&
           wall_partition_set(&entries->partitions[dimension], entry->sets[dimension])->class_count <= COPIES_MAX;
}

// The dimensions that most entries name few values of, the most useful first.
static uint32_t find_candidates(uint16_t layer_id, const struct wall_entries *entries, uint32_t *candidates)
{
    uint32_t narrow[WALL_DIMENSION_COUNT_] = { 0 };
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        for (uint32_t i = 0; i < entries->count && is_always_known(layer_id, d); i++)
            narrow[d] += is_narrow(entries, &entries->items[i], d);
    uint32_t count = 0;
    while (count < CANDIDATES_MAX) {
        uint32_t most = 0;
        for (uint32_t d = 1; d < WALL_DIMENSION_COUNT_; d++)
            most = narrow[d] > narrow[most] ? d : most;
        if (!narrow[most])
            break;
        candidates[count++] = most;
        narrow[most] = 0;
    }
    return count;
}

static uint32_t greatest_load(const struct wall_value_set *set, const uint32_t *loads)
{
    uint32_t greatest = 0;
    for (uint32_t r = 0; r < set->range_count; r++)
        for (uint32_t c = set->ranges[r].first; c <= set->ranges[r].last; c++)
            greatest = loads[c] > greatest ? loads[c] : greatest;
    return greatest;
}

static void add_load(const struct wall_value_set *set, uint32_t *loads, uint32_t boxes)
{
    for (uint32_t r = 0; r < set->range_count; r++)
        for (uint32_t c = set->ranges[r].first; c <= set->ranges[r].last; c++)
            loads[c] += boxes;
}

// The slot of one entry: the first pivot's with an easy group, else the one with the easiest, else the last slot.
static uint32_t choose_slot(const struct wall_entries *entries, const struct wall_entry *entry,
                            const struct wall_plan *plan, uint32_t *const *loads)
{
    uint32_t chosen = plan->slot_count - 1, least = UINT32_MAX;
    for (uint32_t s = 0; s + 1 < plan->slot_count; s++) {
        uint32_t pivot = plan->slots[s].pivot;
        if (!is_narrow(entries, entry, pivot))
            continue;
        uint32_t load = greatest_load(wall_partition_set(&entries->partitions[pivot], entry->sets[pivot]), loads[s]);
        load = load < LOAD_EASY ? 0 : load;
        if (load < least) {
            least = load;
            chosen = s;
        }
    }
    if (least != UINT32_MAX) {
        uint32_t pivot = plan->slots[chosen].pivot;
        add_load(wall_partition_set(&entries->partitions[pivot], entry->sets[pivot]), loads[chosen],
                 wall_entry_boxes(entries, entry, pivot));
    }
    return chosen;
}

// Lists the members of each class of the slot's pivot.
static int divide(const struct wall_entries *entries, struct wall_plan_slot *slot)
{
    const struct wall_partition *partition = &entries->partitions[slot->pivot];
    slot->group_count = partition->class_count;
    slot->begins = calloc((size_t)slot->group_count + 1, sizeof(*slot->begins));
    uint32_t *next = calloc((size_t)slot->group_count + 1, sizeof(*next));
    if (!slot->begins || !next) {
        free(next);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < slot->count; i++)
        add_load(wall_partition_set(partition, entries->items[slot->indexes[i]].sets[slot->pivot]), slot->begins + 1,
                 1);
    for (uint32_t c = 0; c < slot->group_count; c++) {
        slot->begins[c + 1] += slot->begins[c];
        next[c] = slot->begins[c];
    }
    slot->members = calloc((size_t)slot->begins[slot->group_count] + 1, sizeof(*slot->members));
    for (uint32_t i = 0; slot->members && i < slot->count; i++) {
        const struct wall_value_set *set =
            wall_partition_set(partition, entries->items[slot->indexes[i]].sets[slot->pivot]);
        for (uint32_t r = 0; r < set->range_count; r++)
            for (uint32_t c = set->ranges[r].first; c <= set->ranges[r].last; c++)
                slot->members[next[c]++] = slot->indexes[i];
    }
    free(next);
    return slot->members ? 0 : -ENOMEM;
}

static int distribute(const struct wall_entries *entries, struct wall_plan *plan, uint32_t *const *loads)
{
    for (uint32_t s = 0; s < plan->slot_count; s++) {
        plan->slots[s].indexes = calloc((size_t)entries->count + 1, sizeof(uint32_t));
        if (!plan->slots[s].indexes)
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < entries->count; i++) {
        struct wall_plan_slot *slot = &plan->slots[choose_slot(entries, &entries->items[i], plan, loads)];
        slot->indexes[slot->count++] = i;
    }
    int r = 0;
    for (uint32_t s = 0; r == 0 && s + 1 < plan->slot_count; s++)
        r = divide(entries, &plan->slots[s]);
    return r;
}

static int make_with(const struct wall_entries *entries, const uint32_t *pivots, uint32_t pivot_count,
                     struct wall_plan *plan)
{
    uint32_t *loads[WALL_SLOTS_MAX] = { NULL };
    int r = 0;
    memset(plan, 0, sizeof(*plan));
    plan->slot_count = pivot_count + 1;
    plan->slots[pivot_count].pivot = WALL_DIMENSION_COUNT_;
    for (uint32_t s = 0; s < pivot_count; s++) {
        plan->slots[s].pivot = pivots[s];
        loads[s] = calloc(entries->partitions[pivots[s]].class_count, sizeof(uint32_t));
        if (!loads[s])
            r = -ENOMEM;
    }
    if (r == 0)
        r = distribute(entries, plan, loads);
    for (uint32_t s = 0; s < pivot_count; s++)
        free(loads[s]);
    // A last slot that nothing is left for need not be visited.
    if (r == 0 && plan->slot_count > 1 && plan->slots[plan->slot_count - 1].count == 0)
        free(plan->slots[--plan->slot_count].indexes);
    return r;
}

struct wall_group wall_plan_group(const struct wall_entries *entries, const struct wall_plan_slot *slot, uint32_t c)
{
    uint32_t begin = slot->begins[c], end = slot->begins[c + 1], last = slot->begins[slot->group_count];
    for (uint32_t i = begin + AHEAD; i < end + AHEAD && i < last; i++)
        __builtin_prefetch(&entries->items[slot->members[i]]);
    return (struct wall_group){ slot->members + begin, end - begin, slot->pivot };
}

// Bytes the tables will take, roughly; or at least `limit`, when they are not fewer.
static uint64_t estimate(const struct wall_entries *entries, const struct wall_plan *plan, uint64_t limit)
{
    uint64_t size = 0;
    for (uint32_t s = 0; s < plan->slot_count && size < limit; s++) {
        const struct wall_plan_slot *slot = &plan->slots[s];
        if (slot->pivot == WALL_DIMENSION_COUNT_) {
            struct wall_group group = { slot->indexes, slot->count, slot->pivot };
            size += wall_group_estimate(entries, &group);
            continue;
        }
        size += 4 * (uint64_t)slot->group_count;
        for (uint32_t c = 0; c < slot->group_count && size < limit; c++) {
            struct wall_group group = wall_plan_group(entries, slot, c);
            size += wall_group_estimate(entries, &group);
        }
    }
    return size;
}

void wall_plan_done(struct wall_plan *plan)
{
    for (uint32_t s = 0; s < plan->slot_count; s++) {
        free(plan->slots[s].indexes);
        free(plan->slots[s].begins);
        free(plan->slots[s].members);
    }
    memset(plan, 0, sizeof(*plan));
}

// Makes the plan with these pivots the best one when its tables are smaller.
static int try_pivots(const struct wall_entries *entries, const uint32_t *pivots, uint32_t pivot_count,
                      struct wall_plan *best, uint64_t *best_size)
{
    struct wall_plan plan;
    int r = make_with(entries, pivots, pivot_count, &plan);
    uint64_t size = r == 0 ? estimate(entries, &plan, *best_size) : UINT64_MAX;
    if (size < *best_size) {
        wall_plan_done(best);
        *best = plan;
        *best_size = size;
    } else {
        wall_plan_done(&plan);
    }
    return r;
}

int wall_plan_make(uint16_t layer_id, const struct wall_entries *entries, uint64_t easy_bytes, struct wall_plan *plan)
{
    uint32_t candidates[CANDIDATES_MAX];
    uint32_t count = find_candidates(layer_id, entries, candidates);
    uint64_t size = UINT64_MAX, easy = easy_bytes ? easy_bytes : SIZE_EASY(entries->count);
    memset(plan, 0, sizeof(*plan));
    int r = try_pivots(entries, NULL, 0, plan, &size);
    for (uint32_t i = 0; r == 0 && size > easy && i < count; i++)
        r = try_pivots(entries, &candidates[i], 1, plan, &size);
    for (uint32_t i = 0; r == 0 && size > easy && i + 1 < count; i++) {
        for (uint32_t j = i + 1; r == 0 && j < count; j++) {
            uint32_t pair[2] = { candidates[i], candidates[j] };
            r = try_pivots(entries, pair, 2, plan, &size);
        }
    }
    return r;
}
