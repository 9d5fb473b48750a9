#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "base/vector.h"
#include "engine/catalog.h"
#include "engine/condition.h"
#include "engine/condition_set.h"
#include "engine/limits.h"
#include "engine/policy_build.h"
#include "engine/state.h"
#include "engine/status.h"

struct wall_enumeration {
    struct wall_vector objects;  // struct wall_object *, held
    const void **items;          // what the caller gets
    size_t item_count;
    bool copies;  // the items are copies of our own
    size_t position;
};

#define FILTER_FLAGS \
    (FWP_FILTER_ENUM_VALID_FLAGS | FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY | FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME | \
     FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED)

// A filter template, judged.
struct filter_template {
    const FWPM_FILTER_ENUM_TEMPLATE0 *template_;  // NULL: all filters
    bool any_layer;
    uint16_t layer_id;
    uint32_t flags;
    struct wall_condition *conditions;
};

static struct wall_condition make_condition(const FWPM_FILTER_CONDITION0 *condition, uint16_t field_id)
{
    return (struct wall_condition){ field_id, condition->matchType, condition->conditionValue };
}

static wall_status read_conditions(struct filter_template *judged)
{
    const FWPM_FILTER_ENUM_TEMPLATE0 *asked = judged->template_;
    for (uint32_t i = 0; i < asked->numFilterConditions; i++) {
        uint16_t field_id;
        wall_status status = judged->any_layer
            ? FWP_E_CONDITION_NOT_FOUND
            : wall_condition_check(judged->layer_id, &asked->filterCondition[i], true, &field_id);
        if (status != 0)
            return status;
        for (uint32_t k = 0; k < i; k++) {
            if (judged->conditions[k].field_id == field_id)
                return FWP_E_DUPLICATE_CONDITION;
        }
        judged->conditions[i] = make_condition(&asked->filterCondition[i], field_id);
    }
    return 0;
}

static wall_status check_filter_template(const FWPM_FILTER_ENUM_TEMPLATE0 *asked, struct filter_template *judged)
{
    if ((unsigned int)asked->enumType >= FWP_FILTER_ENUM_TYPE_MAX)
        return FWP_E_INVALID_ENUMERATOR;
    if (asked->flags & ~(uint32_t)FILTER_FLAGS)
        return FWP_E_INVALID_FLAGS;
    if (asked->actionMask == 0)
        return FWP_E_NEVER_MATCH;
    // Fields must differ, and no layer has more than 64 of them.
    if (asked->numFilterConditions > 64)
        return FWP_E_DUPLICATE_CONDITION;
    if (asked->numFilterConditions > 0 && !asked->filterCondition)
        return FWP_E_NULL_POINTER;
    judged->any_layer = wall_guid_is_zero(&asked->layerKey);
    if (!judged->any_layer && !wall_catalog_layer_find(&asked->layerKey, &judged->layer_id))
        return FWP_E_LAYER_NOT_FOUND;
    judged->flags = asked->flags;
    judged->template_ = asked;
    return 0;
}

static bool matches_lifetime(uint32_t flags, const struct wall_object *object)
{
    const FWPM_FILTER0 *filter = object->data;
    bool boottime = filter->flags & FWPM_FILTER_FLAG_BOOTTIME;
    if (flags & FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY)
        return boottime;
    if (boottime && !(flags & FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME))
        return false;
    return !(filter->flags & FWPM_FILTER_FLAG_DISABLED) || (flags & FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED);
}

static bool matches_provider(const GUID *asked, const struct wall_object *object)
{
    const struct wall_object *provider = object->references[WALL_REFERENCE_PROVIDER];
    return !asked || (provider && wall_guid_equal(asked, &provider->key));
}

static bool matches_context(const FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 *asked, const struct wall_object *context)
{
    if (!asked)
        return true;
    return context && matches_provider(asked->providerKey, context) &&
           ((const FWPM_PROVIDER_CONTEXT3 *)context->data)->type == asked->providerContextType;
}

// One condition of the template against those of the filter on the same field.
static bool matches_condition(FWP_FILTER_ENUM_TYPE type, const struct wall_condition *asked,
                              const struct wall_filter *filter)
{
    bool found = false;
    for (uint32_t i = 0; i < filter->condition_count; i++) {
        const struct wall_condition *own = &filter->conditions[i];
        if (own->field_id != asked->field_id)
            continue;
        found = true;
        if (type == FWP_FILTER_ENUM_OVERLAPPING && wall_condition_overlaps(own, asked))
            return true;
        if (type == FWP_FILTER_ENUM_FULLY_CONTAINED && !wall_condition_contains(asked, own))
            return false;
    }
    // A filter that does not ask about the field matches all its values.
    return found == (type == FWP_FILTER_ENUM_FULLY_CONTAINED);
}

static bool matches_filter(const struct filter_template *judged, const struct wall_object *object)
{
    const FWPM_FILTER_ENUM_TEMPLATE0 *asked = judged->template_;
    const FWPM_FILTER0 *filter = object->data;
    if (!matches_lifetime(judged->flags, object))
        return false;
    if (!asked)
        return true;
    if (!judged->any_layer && object->entry->layer_id != judged->layer_id)
        return false;
    if (!matches_provider(asked->providerKey, object) || !(filter->action.type & asked->actionMask))
        return false;
    if (asked->calloutKey && (!(filter->action.type & FWP_ACTION_FLAG_CALLOUT) ||
                              !wall_guid_equal(asked->calloutKey, &filter->action.calloutKey)))
        return false;
    if (!matches_context(asked->providerContextTemplate, object->references[WALL_REFERENCE_CONTEXT]))
        return false;
    for (uint32_t i = 0; i < asked->numFilterConditions; i++) {
        if (!matches_condition(asked->enumType, &judged->conditions[i], &object->entry->filter))
            return false;
    }
    return true;
}

static bool matches_callout(const FWPM_CALLOUT_ENUM_TEMPLATE0 *asked, const struct wall_object *object)
{
    return matches_provider(asked->providerKey, object) &&
           (wall_guid_is_zero(&asked->layerKey) ||
            wall_guid_equal(&asked->layerKey, &((const FWPM_CALLOUT0 *)object->data)->applicableLayer));
}

// Templates of the other types; they have little to be wrong about.
static wall_status check_template(enum wall_object_type type, const void *template_)
{
    const FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 *context;
    uint16_t layer_id;
    const FWPM_CALLOUT_ENUM_TEMPLATE0 *callout;
    switch (type) {
    case WALL_OBJECT_PROVIDER:
    case WALL_OBJECT_LAYER:
    case WALL_OBJECT_SESSION:
        // All three hold one reserved number.
        return ((const FWPM_PROVIDER_ENUM_TEMPLATE0 *)template_)->reserved != 0 ? FWP_E_RESERVED : 0;
    case WALL_OBJECT_PROVIDER_CONTEXT:
        context = template_;
        return (unsigned int)context->providerContextType >= FWPM_PROVIDER_CONTEXT_TYPE_MAX ? FWP_E_INVALID_ENUMERATOR
                                                                                           : 0;
    case WALL_OBJECT_CALLOUT:
        callout = template_;
        return wall_guid_is_zero(&callout->layerKey) || wall_catalog_layer_find(&callout->layerKey, &layer_id)
            ? 0
            : FWP_E_LAYER_NOT_FOUND;
    default:
        return 0;
    }
}

static bool matches_template(enum wall_object_type type, const void *template_, const struct wall_object *object)
{
    if (!template_)
        return true;
    switch (type) {
    case WALL_OBJECT_PROVIDER_CONTEXT:
        return matches_context(template_, object);
    case WALL_OBJECT_SUBLAYER:
        return matches_provider(((const FWPM_SUBLAYER_ENUM_TEMPLATE0 *)template_)->providerKey, object);
    case WALL_OBJECT_CALLOUT:
        return matches_callout(template_, object);
    default:
        return true;
    }
}

static int compare_filters(const void *a, const void *b)
{
    const struct wall_filter_entry *left = (*(struct wall_object *const *)a)->entry;
    const struct wall_filter_entry *right = (*(struct wall_object *const *)b)->entry;
    if (left->layer_id != right->layer_id)
        return left->layer_id < right->layer_id ? -1 : 1;
    return wall_filter_compare(&left->filter, &right->filter);
}

// Whether `next`, a lower terminating filter, takes the decision from `best`: only a soft permit lets go of it, and
// only to what may block. A callout that must answer is counted as a block.
static bool overrides(const struct wall_filter *best, const struct wall_filter *next)
{
    return best->action == FWP_ACTION_PERMIT && !(best->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT) &&
           next->action != FWP_ACTION_PERMIT;
}

// Of the sorted filters, keeps for each layer the one that would decide.
static void keep_best(struct wall_vector *objects)
{
    struct wall_object **items = objects->items;
    size_t kept = 0;
    uint32_t last = UINT32_MAX;  // layer and sublayer of the last terminating filter
    for (size_t i = 0; i < objects->count; i++) {
        struct wall_object *object = items[i];
        const struct wall_filter *filter = &object->entry->filter;
        uint32_t place = (uint32_t)object->entry->layer_id << 16 | filter->sublayer_weight;
        if (!(filter->action & FWP_ACTION_FLAG_TERMINATING) || place == last) {
            wall_object_release(object);
            continue;
        }
        bool new_layer = last == UINT32_MAX || place >> 16 != last >> 16;
        last = place;
        if (new_layer) {
            items[kept++] = object;
        } else if (overrides(&items[kept - 1]->entry->filter, filter)) {
            wall_object_release(items[kept - 1]);
            items[kept - 1] = object;
        } else {
            wall_object_release(object);
        }
    }
    wall_vector_truncate(objects, kept);
}

static wall_status collect(const struct wall_session *session, enum wall_object_type type, const void *template_,
                           const struct filter_template *judged, struct wall_vector *objects)
{
    const struct wall_index *index = &session->engine->index[type];
    struct wall_view view = wall_session_view(session);
    size_t cursor = 0;
    for (struct wall_object *object = NULL; (object = wall_index_next(index, &cursor, object));) {
        if (!wall_object_is_visible(object, view))
            continue;
        if (!(type == WALL_OBJECT_FILTER ? matches_filter(judged, object) : matches_template(type, template_, object)))
            continue;
        if (wall_vector_add(objects, &object) < 0)
            return ERROR_NOT_ENOUGH_MEMORY;
        wall_object_hold(object);
    }
    uint32_t sorted = FWP_FILTER_ENUM_FLAG_SORTED | FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH;
    if ((judged->flags & sorted) && objects->count > 0)
        qsort(objects->items, objects->count, objects->item_size, compare_filters);
    if (judged->flags & FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH)
        keep_best(objects);
    return 0;
}

static wall_status make_items(enum wall_object_type type, struct wall_enumeration *enumeration)
{
    size_t count = enumeration->objects.count;
    enumeration->items = calloc(count + 1, sizeof(*enumeration->items));
    if (!enumeration->items)
        return ERROR_NOT_ENOUGH_MEMORY;
    // Whether a callout is registered is not part of the stored structure.
    enumeration->copies = type == WALL_OBJECT_CALLOUT;
    for (size_t i = 0; i < count; i++) {
        const struct wall_object *object = *(struct wall_object **)wall_vector_at(&enumeration->objects, i);
        enumeration->items[i] = enumeration->copies ? wall_object_copy(object) : object->data;
        if (!enumeration->items[i])
            return wall_status_of_copy();
        enumeration->item_count++;
    }
    return 0;
}

static wall_status fill(const struct wall_session *session, enum wall_object_type type, const void *template_,
                        struct filter_template *judged, struct wall_enumeration *enumeration)
{
    wall_status status = 0;
    if (template_ && type == WALL_OBJECT_FILTER) {
        status = check_filter_template(template_, judged);
        if (status == 0 && judged->template_->numFilterConditions > 0) {
            judged->conditions = calloc(judged->template_->numFilterConditions, sizeof(*judged->conditions));
            status = judged->conditions ? read_conditions(judged) : ERROR_NOT_ENOUGH_MEMORY;
        }
    } else if (template_) {
        status = check_template(type, template_);
    }
    if (status == 0)
        status = collect(session, type, template_, judged, &enumeration->objects);
    return status == 0 ? make_items(type, enumeration) : status;
}

wall_status wall_enumeration_new(struct wall_session *session, enum wall_object_type type, const void *template_,
                                 struct wall_enumeration **ret_enumeration)
{
    wall_status status = wall_session_check(session);
    if (status != 0)
        return status;
    if ((unsigned int)type >= WALL_OBJECT_COUNT_)
        return FWP_E_INVALID_PARAMETER;
    struct wall_enumeration *enumeration = calloc(1, sizeof(*enumeration));
    if (!enumeration)
        return ERROR_NOT_ENOUGH_MEMORY;
    wall_vector_init(&enumeration->objects, sizeof(struct wall_object *), 0);

    struct filter_template judged = { .any_layer = true };
    status = fill(session, type, template_, &judged, enumeration);
    free(judged.conditions);
    if (status != 0) {
        wall_enumeration_free(enumeration);
        return status;
    }
    *ret_enumeration = enumeration;
    return 0;
}

struct wall_enumeration *wall_enumeration_of_copies(const void **items, size_t count)
{
    struct wall_enumeration *enumeration = calloc(1, sizeof(*enumeration));
    if (!enumeration)
        return NULL;
    wall_vector_init(&enumeration->objects, sizeof(struct wall_object *), 0);
    enumeration->items = items;
    enumeration->item_count = count;
    enumeration->copies = true;
    return enumeration;
}

wall_status wall_enumeration_next(struct wall_enumeration *enumeration, uint32_t count, const void *const **ret_objects,
                                  uint32_t *ret_count)
{
    size_t left = enumeration->item_count - enumeration->position;
    uint32_t taken = left < count ? (uint32_t)left : count;
    *ret_objects = enumeration->items + enumeration->position;
    *ret_count = taken;
    enumeration->position += taken;
    return 0;
}

void wall_enumeration_free(struct wall_enumeration *enumeration)
{
    if (!enumeration)
        return;
    for (size_t i = 0; enumeration->copies && i < enumeration->item_count; i++)
        free((void *)enumeration->items[i]);
    free(enumeration->items);
    for (size_t i = 0; i < enumeration->objects.count; i++)
        wall_object_release(*(struct wall_object **)wall_vector_at(&enumeration->objects, i));
    wall_vector_done(&enumeration->objects);
    free(enumeration);
}
