#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/shape.h"
#include "engine/limits.h"
#include "engine/net_event.h"
#include "engine/policy_build.h"
#include "engine/shapes.h"
#include "engine/state.h"
#include "engine/status.h"

static int init(struct wall_engine *engine)
{
    uint64_t seed[2];
    int r = wall_random_bytes(seed, sizeof(seed));
    if (r < 0)
        return r;
    for (int type = 0; type < WALL_OBJECT_COUNT_; type++)
        wall_index_init(&engine->index[type], seed);
    wall_map_init(&engine->bindings_by_key, seed);
    wall_map_init(&engine->bindings_by_id, seed);
    wall_arena_init(&engine->catalog);
    engine->loader = (struct wall_session){ .engine = engine, .kernel_mode = true, .may_write = true };
    engine->filters_max = WALL_FILTERS_MAX;
    engine->options[FWPM_ENGINE_COLLECT_NET_EVENTS] = 1;
    // Filter ids start well above the sublayer and layer numbers they stand beside in logs, as on Windows.
    engine->last_filter_id = 65536;

    engine->policy = wall_policy_new();
    engine->net_events = wall_net_events_new();
    if (!engine->policy || !engine->net_events)
        return -ENOMEM;
    return wall_builtin_add(engine);
}

int wall_engine_new(const struct wall_engine_events *events, wall_clock now_ms, struct wall_engine **ret_engine)
{
    struct wall_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return -ENOMEM;
    if (events)
        engine->events = *events;
    engine->now_ms = now_ms;
    int r = init(engine);
    if (r < 0) {
        wall_engine_free(engine);
        return r;
    }
    *ret_engine = engine;
    return 0;
}

static void free_objects(struct wall_engine *engine, enum wall_object_type type)
{
    struct wall_index *index = &engine->index[type];
    size_t cursor = 0;
    for (struct wall_object *object; (object = wall_map_next(&index->by_key, &cursor));) {
        while (object) {
            struct wall_object *older = object->older;
            if (type == WALL_OBJECT_SESSION)
                free(object->owner);
            wall_object_retire(engine, object);
            wall_object_release(object);
            object = older;
        }
    }
    wall_index_done(index);
}

void wall_engine_free(struct wall_engine *engine)
{
    if (!engine)
        return;
    wall_policy_unref(engine->policy);
    for (int type = 0; type < WALL_OBJECT_COUNT_; type++)
        free_objects(engine, (enum wall_object_type)type);
    size_t cursor = 0;
    for (struct wall_callout_binding *binding; (binding = wall_map_next(&engine->bindings_by_key, &cursor));)
        free(binding);
    wall_map_done(&engine->bindings_by_key);
    wall_map_done(&engine->bindings_by_id);
    wall_net_events_free(engine->net_events);
    wall_arena_done(&engine->catalog);
    free(engine);
}

struct wall_policy *wall_engine_policy(const struct wall_engine *engine)
{
    return engine->policy;
}

static wall_status load(struct wall_session *session, enum wall_object_type type, const void *object)
{
    switch (type) {
    case WALL_OBJECT_PROVIDER:
        return wall_provider_add(session, object, NULL);
    case WALL_OBJECT_PROVIDER_CONTEXT:
        return wall_provider_context_add(session, object, NULL, NULL);
    case WALL_OBJECT_SUBLAYER:
        return wall_sublayer_add(session, object, NULL);
    case WALL_OBJECT_CALLOUT:
        return wall_callout_add(session, object, NULL, NULL);
    case WALL_OBJECT_FILTER:
        return wall_filter_add(session, object, NULL, NULL);
    case WALL_OBJECT_LAYER:
    case WALL_OBJECT_SESSION:
    default:
        return FWP_E_INVALID_PARAMETER;
    }
}

wall_status wall_engine_load(struct wall_engine *engine, enum wall_object_type type, const void *object)
{
    struct wall_session *loader = &engine->loader;
    if (!wall_transaction_active(loader)) {
        wall_status status = wall_transaction_begin(loader, 0);
        if (status != 0)
            return status;
    }
    return load(loader, type, object);
}

wall_status wall_engine_load_done(struct wall_engine *engine)
{
    return wall_transaction_active(&engine->loader) ? wall_transaction_commit(&engine->loader) : 0;
}

static wall_status not_found(enum wall_object_type type)
{
    static const wall_status statuses[] = {
        [WALL_OBJECT_PROVIDER] = FWP_E_PROVIDER_NOT_FOUND,
        [WALL_OBJECT_PROVIDER_CONTEXT] = FWP_E_PROVIDER_CONTEXT_NOT_FOUND,
        [WALL_OBJECT_SUBLAYER] = FWP_E_SUBLAYER_NOT_FOUND,
        [WALL_OBJECT_LAYER] = FWP_E_LAYER_NOT_FOUND,
        [WALL_OBJECT_CALLOUT] = FWP_E_CALLOUT_NOT_FOUND,
        [WALL_OBJECT_FILTER] = FWP_E_FILTER_NOT_FOUND,
        [WALL_OBJECT_SESSION] = FWP_E_NOT_FOUND,
    };
    return statuses[type];
}

static wall_status find(const struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id,
                        struct wall_object **ret_object)
{
    const struct wall_engine *engine = session->engine;
    struct wall_view view = wall_session_view(session);
    struct wall_object *object = NULL;
    if ((unsigned int)type >= WALL_OBJECT_COUNT_)
        return FWP_E_INVALID_PARAMETER;

    if (!key && type == WALL_OBJECT_CALLOUT && id <= UINT32_MAX)
        key = wall_callout_key(engine, (uint32_t)id);
    if (key)
        object = wall_index_find(&engine->index[type], key, view);
    else if (type == WALL_OBJECT_LAYER)
        object = id < FWPS_BUILTIN_LAYER_MAX ? engine->layers[id] : NULL;
    else if (type == WALL_OBJECT_FILTER || type == WALL_OBJECT_PROVIDER_CONTEXT)
        object = wall_index_find_id(&engine->index[type], id, view);
    else if (type != WALL_OBJECT_CALLOUT)
        return FWP_E_NULL_POINTER;
    if (!object)
        return not_found(type);
    *ret_object = object;
    return 0;
}

static wall_status delete_object(struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id)
{
    struct wall_object *object;
    if (type == WALL_OBJECT_SESSION)
        return FWP_E_INVALID_PARAMETER;
    wall_status status = find(session, type, key, id, &object);
    if (status != 0)
        return status;
    if (object->lifetime == WALL_LIFETIME_BUILTIN)
        return FWP_E_BUILTIN_OBJECT;
    if (session->dynamic && object->lifetime != WALL_LIFETIME_DYNAMIC)
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    if (session->dynamic && object->owner != session)
        return FWP_E_WRONG_SESSION;
    if (object->reference_count > 0)
        return FWP_E_IN_USE;
    wall_object_remove(session->engine, object);
    return 0;
}

wall_status wall_object_delete(struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id)
{
    bool implicit;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    return wall_write_leave(session, implicit, delete_object(session, type, key, id));
}

void *wall_object_copy(const struct wall_object *object)
{
    void *copy = wall_shape_clone(wall_shape_of_object(object->type), object->data);
    if (copy && object->binding && object->binding->registered)
        ((FWPM_CALLOUT0 *)copy)->flags |= FWPM_CALLOUT_FLAG_REGISTERED;
    return copy;
}

wall_status wall_object_get(struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id,
                            void **ret_object)
{
    struct wall_object *object;
    wall_status status = wall_session_check(session);
    if (status == 0)
        status = find(session, type, key, id, &object);
    if (status != 0)
        return status;
    void *copy = wall_object_copy(object);
    if (!copy)
        return wall_status_of_copy();
    *ret_object = copy;
    return 0;
}
