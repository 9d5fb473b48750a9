#include "engine/add.h"

#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "engine/policy_build.h"

wall_status wall_add_check_common(const FWPM_DISPLAY_DATA0 *display, const FWP_BYTE_BLOB *provider_data)
{
    if (!display->name)
        return FWP_E_NULL_DISPLAY_NAME;
    return provider_data->size > 0 && !provider_data->data ? FWP_E_NULL_POINTER : 0;
}

enum wall_lifetime wall_add_lifetime(const struct wall_session *session, bool persistent)
{
    if (persistent)
        return WALL_LIFETIME_PERSISTENT;
    return session->dynamic ? WALL_LIFETIME_DYNAMIC : WALL_LIFETIME_STATIC;
}

struct wall_object *wall_add_find(const struct wall_add *adding, enum wall_object_type type, const GUID *key)
{
    struct wall_engine *engine = adding->session->engine;
    return wall_index_find(&engine->index[type], key, (struct wall_view){ .writer = true });
}

// Who manages `object`: itself when it is a provider.
static const struct wall_object *provider_of(const struct wall_object *object)
{
    return object->type == WALL_OBJECT_PROVIDER ? object : object->references[WALL_REFERENCE_PROVIDER];
}

static bool may_refer(const struct wall_add *adding, const struct wall_object *target)
{
    if (target->lifetime == WALL_LIFETIME_BUILTIN)
        return true;
    switch (adding->lifetime) {
    case WALL_LIFETIME_PERSISTENT:
        return target->lifetime == WALL_LIFETIME_PERSISTENT &&
               provider_of(target) == adding->references[WALL_REFERENCE_PROVIDER];
    case WALL_LIFETIME_STATIC:
        return target->lifetime == WALL_LIFETIME_PERSISTENT || target->lifetime == WALL_LIFETIME_STATIC;
    case WALL_LIFETIME_DYNAMIC:
        return target->lifetime != WALL_LIFETIME_DYNAMIC || target->owner == adding->session;
    case WALL_LIFETIME_BUILTIN:
    case WALL_LIFETIME_BOOTTIME:
    default:
        return false;
    }
}

wall_status wall_add_prepare(struct wall_add *adding, GUID *key, const GUID *provider_key)
{
    struct wall_engine *engine = adding->session->engine;
    if (provider_key) {
        struct wall_object *provider = wall_add_find(adding, WALL_OBJECT_PROVIDER, provider_key);
        if (!provider)
            return FWP_E_PROVIDER_NOT_FOUND;
        adding->references[WALL_REFERENCE_PROVIDER] = provider;
    }
    if (adding->session->dynamic && adding->lifetime != WALL_LIFETIME_DYNAMIC)
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    for (int i = 0; i < WALL_REFERENCE_COUNT_; i++) {
        if (adding->references[i] && !may_refer(adding, adding->references[i]))
            return FWP_E_LIFETIME_MISMATCH;
    }

    if (wall_guid_is_zero(key)) {
        if (wall_guid_random(key) < 0)
            return ERROR_NOT_ENOUGH_MEMORY;
    } else if (wall_add_find(adding, adding->type, key)) {
        return FWP_E_ALREADY_EXISTS;
    }
    return engine->index[adding->type].by_key.count >= adding->limit ? WALL_STATUS_QUOTA : 0;
}

uint64_t wall_add_take_id(struct wall_add *adding, uint64_t *last_id, uint64_t wanted)
{
    struct wall_engine *engine = adding->session->engine;
    bool keep = adding->session == &engine->loader && wanted != 0 && wanted < UINT64_MAX / 2 &&
                !wall_map_get(&engine->index[adding->type].by_id, &wanted, sizeof(wanted));
    uint64_t id = keep ? wanted : *last_id + 1;
    if (id > *last_id)
        *last_id = id;
    return id;
}

// The filter's run-time form, which owns the object's data from then on.
static int make_entry(const struct wall_add *adding, struct wall_object *object)
{
    int r = wall_filter_entry_new(object->data, adding->layer_id, &object->entry);
    if (r < 0)
        return r;
    struct wall_filter *filter = &object->entry->filter;
    const struct wall_object *context = adding->references[WALL_REFERENCE_CONTEXT];
    filter->sublayer_weight = ((const FWPM_SUBLAYER0 *)adding->references[WALL_REFERENCE_SUBLAYER]->data)->weight;
    if (adding->references[WALL_REFERENCE_CALLOUT])
        filter->callout_id = (uint32_t)adding->references[WALL_REFERENCE_CALLOUT]->id;
    if (context)
        filter->provider_context_id = context->id;
    return 0;
}

wall_status wall_add_finish(struct wall_add *adding, const void *data)
{
    struct wall_object *object = wall_object_new(adding->type, data);
    if (!object)
        return wall_status_of_copy();
    if (adding->type == WALL_OBJECT_FILTER && make_entry(adding, object) < 0) {
        wall_object_release(object);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    // Every structure begins with its key.
    memcpy(&object->key, data, sizeof(object->key));
    object->lifetime = adding->lifetime;
    object->id = adding->id;
    memcpy(object->references, adding->references, sizeof(object->references));
    wall_status status = wall_object_add(adding->session, object);
    if (status == 0 && adding->binding) {
        object->binding = adding->binding;
        object->binding->object_count++;
    }
    const struct wall_engine_events *events = &adding->session->engine->events;
    if (status == 0 && object->entry && object->entry->active && events->filter_added)
        events->filter_added(events->context, adding->layer_id, &object->entry->filter);
    return status;
}
