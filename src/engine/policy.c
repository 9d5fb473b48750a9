#include "engine/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/catalog.h"
#include "engine/policy_build.h"

#define LAYER_COUNT FWPS_BUILTIN_LAYER_MAX
// Filters lie far apart: those to come are on their way meanwhile.
#define AHEAD 8

// One block: this, the sublayers, and the filter pointers of all of them.
struct policy_part {
    atomic_uint reference_count;
    struct wall_policy_layer layer;
    const struct wall_filter **filters;  // all of the layer, in arbitration order
};

struct wall_policy {
    atomic_uint reference_count;
    uint64_t generation;
    struct policy_part *parts[LAYER_COUNT];
};

static struct wall_filter_entry *entry_of(const struct wall_filter *filter)
{
    return (struct wall_filter_entry *)((char *)filter - offsetof(struct wall_filter_entry, filter));
}

static int compare_conditions(const void *a, const void *b)
{
    const struct wall_condition *left = a, *right = b;
    return left->field_id < right->field_id ? -1 : left->field_id > right->field_id;
}

int wall_filter_entry_new(const FWPM_FILTER0 *data, uint16_t layer_id, struct wall_filter_entry **ret_entry)
{
    size_t conditions_bytes = data->numFilterConditions * sizeof(struct wall_condition);
    struct wall_filter_entry *entry = calloc(1, sizeof(*entry) + conditions_bytes);
    if (!entry)
        return -ENOMEM;

    struct wall_condition *conditions = (struct wall_condition *)(entry + 1);
    bool sorted = true;
    for (uint32_t i = 0; i < data->numFilterConditions; i++) {
        const FWPM_FILTER_CONDITION0 *condition = &data->filterCondition[i];
        conditions[i].match_type = condition->matchType;
        conditions[i].value = condition->conditionValue;
        if (i > 0 && IsEqualGUID(&condition->fieldKey, &condition[-1].fieldKey)) {  // a list of many
            conditions[i].field_id = conditions[i - 1].field_id;
            continue;
        }
        bool found = wall_catalog_field_find(layer_id, &condition->fieldKey, &conditions[i].field_id);
        assert(found);
        (void)found;
        sorted = sorted && (i == 0 || conditions[i - 1].field_id < conditions[i].field_id);
    }
    if (!sorted)
        qsort(conditions, data->numFilterConditions, sizeof(*conditions), compare_conditions);

    entry->filter = (struct wall_filter){
        .id = data->filterId,
        .key = data->filterKey,
        .weight = *data->effectiveWeight.uint64,
        .action = data->action.type,
        .flags = data->flags,
        .condition_count = data->numFilterConditions,
        .conditions = conditions,
        .object = data,
        .memo = &entry->memo,
    };
    if (!(data->flags & FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT))
        entry->filter.context = data->rawContext;
    entry->layer_id = layer_id;
    entry->active = !(data->flags & (FWPM_FILTER_FLAG_BOOTTIME | FWPM_FILTER_FLAG_DISABLED));
    atomic_init(&entry->reference_count, 1);
    *ret_entry = entry;
    return 0;
}

void wall_filter_entry_unref(struct wall_filter_entry *entry)
{
    if (atomic_fetch_sub(&entry->reference_count, 1) > 1)
        return;
    free((void *)entry->filter.object);
    free(entry);
}

static void part_unref(struct policy_part *part)
{
    if (!part || atomic_fetch_sub(&part->reference_count, 1) > 1)
        return;
    for (uint32_t i = 0; i < part->layer.filter_count; i++)
        wall_filter_entry_unref(entry_of(part->filters[i]));
    free(part);
}

// No two sublayers have the same weight.
static bool same_sublayer(const struct wall_filter *a, const struct wall_filter *b)
{
    return a->sublayer_weight == b->sublayer_weight;
}

// A part of `count` filters, which are in arbitration order.
static struct policy_part *part_new(uint16_t layer_id, uint64_t generation, const struct wall_filter *const *filters,
                                    uint32_t count)
{
    uint32_t sublayer_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(entry_of(filters[i + AHEAD]));
        sublayer_count += i == 0 || !same_sublayer(filters[i - 1], filters[i]);
    }
    struct policy_part *part = malloc(sizeof(*part) + sublayer_count * sizeof(struct wall_policy_sublayer) +
                                      count * sizeof(*filters));
    if (!part)
        return NULL;

    struct wall_policy_sublayer *sublayers = (struct wall_policy_sublayer *)(part + 1);
    part->filters = (const struct wall_filter **)(sublayers + sublayer_count);
    part->layer = (struct wall_policy_layer){
        .layer_id = layer_id,
        .generation = generation,
        .sublayer_count = sublayer_count,
        .sublayers = sublayers,
        .filter_count = count,
    };
    atomic_init(&part->reference_count, 1);

    struct wall_policy_sublayer *sublayer = sublayers - 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct wall_filter *filter = filters[i];
        part->filters[i] = filter;
        atomic_fetch_add(&entry_of(filter)->reference_count, 1);
        part->layer.callout_filter_count += (filter->action & FWP_ACTION_FLAG_CALLOUT) != 0;
        if (i == 0 || !same_sublayer(filters[i - 1], filter)) {
            *++sublayer = (struct wall_policy_sublayer){
                .key = filter->object->subLayerKey,
                .weight = filter->sublayer_weight,
                .filters = &part->filters[i],
            };
        }
        sublayer->filter_count++;
    }
    return part;
}

int wall_filter_compare(const struct wall_filter *a, const struct wall_filter *b)
{
    if (a->sublayer_weight != b->sublayer_weight)
        return a->sublayer_weight > b->sublayer_weight ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

// A filter that is added, with what it is sorted by.
struct added {
    uint32_t place;  // layer and sublayer
    uint64_t weight, id;
    struct wall_filter_entry *entry;
};

static struct added added_of(struct wall_filter_entry *entry)
{
    uint32_t place = (uint32_t)entry->layer_id << 16 | (uint16_t)(UINT16_MAX - entry->filter.sublayer_weight);
    return (struct added){ place, entry->filter.weight, entry->filter.id, entry };
}

// By layer and arbitration order, as wall_filter_compare() has it.
static int compare_added(const void *a, const void *b)
{
    const struct added *left = a, *right = b;
    if (left->place != right->place)
        return left->place < right->place ? -1 : 1;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

// What changes: the layers, and the added filters by layer and arbitration order.
struct changes {
    bool dirty[LAYER_COUNT];
    bool any;
    struct added *added;
    size_t added_count;
};

// The run-time filters of changed objects, one after the other, those that are part of the policy.
struct walk {
    const struct wall_object *object;  // as far as it has been looked ahead
    struct wall_filter_entry *ahead[AHEAD];
    uint32_t taken, known;
};

static void look_ahead(struct walk *walk)
{
    while (walk->object && walk->known - walk->taken < AHEAD) {
        struct wall_filter_entry *entry = walk->object->entry;
        __builtin_prefetch(walk->object->ahead);
        walk->object = walk->object->changed.next;
        if (!entry)
            continue;
        __builtin_prefetch(entry);
        walk->ahead[walk->known++ % AHEAD] = entry;
    }
}

// Returns NULL when there is no further one.
static struct wall_filter_entry *next_entry(struct walk *walk)
{
    for (;;) {
        look_ahead(walk);
        if (walk->taken == walk->known)
            return NULL;
        struct wall_filter_entry *entry = walk->ahead[walk->taken++ % AHEAD];
        if (entry->active)
            return entry;
    }
}

static int collect(const struct wall_engine *engine, const struct wall_object_list *added,
                   const struct wall_object_list *deleted, struct changes *ret_changes)
{
    struct changes changes = { .any = engine->policy_stale };
    struct wall_filter_entry *entry;
    memset(changes.dirty, engine->policy_stale, sizeof(changes.dirty));
    for (struct walk walk = { .object = deleted->first }; (entry = next_entry(&walk));) {
        entry->gone = true;
        changes.any = changes.dirty[entry->layer_id] = true;
    }

    changes.added = malloc((added->count + 1) * sizeof(*changes.added));
    if (!changes.added)
        return -ENOMEM;
    for (struct walk walk = { .object = added->first }; (entry = next_entry(&walk));) {
        changes.added[changes.added_count++] = added_of(entry);
        changes.any = changes.dirty[entry->layer_id] = true;
    }
    if (changes.added_count > 1)
        qsort(changes.added, changes.added_count, sizeof(*changes.added), compare_added);
    *ret_changes = changes;
    return 0;
}

// Merges the filters of `old` that are still there with `added`.
static struct policy_part *part_merge(const struct policy_part *old, uint64_t generation, const struct added *added,
                                      size_t added_count)
{
    const struct wall_filter **filters = malloc((old->layer.filter_count + added_count + 1) * sizeof(*filters));
    if (!filters)
        return NULL;

    uint32_t count = 0;
    size_t next = 0;
    for (uint32_t i = 0; i < old->layer.filter_count; i++) {
        const struct wall_filter *kept = old->filters[i];
        if (i + AHEAD < old->layer.filter_count)
            __builtin_prefetch(entry_of(old->filters[i + AHEAD]));
        if (entry_of(kept)->gone)
            continue;
        while (next < added_count && wall_filter_compare(&added[next].entry->filter, kept) < 0)
            filters[count++] = &added[next++].entry->filter;
        filters[count++] = kept;
    }
    while (next < added_count)
        filters[count++] = &added[next++].entry->filter;

    struct policy_part *part = part_new(old->layer.layer_id, generation, filters, count);
    free(filters);
    return part;
}

static struct wall_policy *policy_new(uint64_t generation)
{
    struct wall_policy *policy = calloc(1, sizeof(*policy));
    if (!policy)
        return NULL;
    atomic_init(&policy->reference_count, 1);
    policy->generation = generation;
    return policy;
}

struct wall_policy *wall_policy_new(void)
{
    struct wall_policy *policy = policy_new(0);
    for (uint16_t id = 0; policy && id < LAYER_COUNT; id++) {
        policy->parts[id] = part_new(id, 0, NULL, 0);
        if (!policy->parts[id]) {
            wall_policy_unref(policy);
            policy = NULL;
        }
    }
    return policy;
}

static struct wall_policy *build(const struct wall_policy *old, const struct changes *changes)
{
    struct wall_policy *policy = policy_new(old->generation + 1);
    if (!policy)
        return NULL;

    size_t first = 0;
    for (uint16_t id = 0; id < LAYER_COUNT; id++) {
        size_t end = first;
        while (end < changes->added_count && changes->added[end].place >> 16 == id)
            end++;
        if (changes->dirty[id]) {
            policy->parts[id] = part_merge(old->parts[id], policy->generation, changes->added + first, end - first);
            if (!policy->parts[id]) {
                wall_policy_unref(policy);
                return NULL;
            }
        } else {
            policy->parts[id] = old->parts[id];
            atomic_fetch_add(&policy->parts[id]->reference_count, 1);
        }
        first = end;
    }
    return policy;
}

int wall_policy_build(const struct wall_engine *engine, const struct wall_object_list *added,
                      const struct wall_object_list *deleted, struct wall_policy **ret_policy)
{
    struct changes changes;
    int r = collect(engine, added, deleted, &changes);
    if (r < 0)
        return r;

    struct wall_policy *policy = changes.any ? build(engine->policy, &changes) : wall_policy_ref(engine->policy);
    free(changes.added);
    if (!policy)
        return -ENOMEM;
    *ret_policy = policy;
    return 0;
}

struct wall_policy *wall_policy_ref(struct wall_policy *policy)
{
    atomic_fetch_add(&policy->reference_count, 1);
    return policy;
}

void wall_policy_unref(struct wall_policy *policy)
{
    if (!policy || atomic_fetch_sub(&policy->reference_count, 1) > 1)
        return;
    for (uint16_t id = 0; id < LAYER_COUNT; id++)
        part_unref(policy->parts[id]);
    free(policy);
}

uint64_t wall_policy_generation(const struct wall_policy *policy)
{
    return policy->generation;
}

const struct wall_policy_layer *wall_policy_layer(const struct wall_policy *policy, uint16_t layer_id)
{
    return layer_id < LAYER_COUNT ? &policy->parts[layer_id]->layer : NULL;
}
