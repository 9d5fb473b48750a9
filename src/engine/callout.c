#include <errno.h>
#include <stdlib.h>

#include "base/guid.h"
#include "engine/add.h"
#include "engine/limits.h"

static struct wall_callout_binding *find(const struct wall_engine *engine, const GUID *key)
{
    return wall_map_get(&engine->bindings_by_key, key, sizeof(*key));
}

static struct wall_callout_binding *find_id(const struct wall_engine *engine, uint32_t id)
{
    return wall_map_get(&engine->bindings_by_id, &id, sizeof(id));
}

struct wall_callout_binding *wall_callout_binding_get(struct wall_engine *engine, const GUID *key, uint32_t wanted_id)
{
    struct wall_callout_binding *binding = find(engine, key);
    if (binding)
        return binding;
    if (wall_map_reserve(&engine->bindings_by_key, 1) < 0 || wall_map_reserve(&engine->bindings_by_id, 1) < 0)
        return NULL;
    binding = calloc(1, sizeof(*binding));
    if (!binding)
        return NULL;

    binding->key = *key;
    binding->id = wanted_id;
    // Ids come round after 2^32 callouts; then those in use are passed over.
    while (binding->id == 0 || find_id(engine, binding->id))
        binding->id = ++engine->last_callout_id;
    (void)wall_map_put(&engine->bindings_by_key, &binding->key, sizeof(binding->key), binding);
    (void)wall_map_put(&engine->bindings_by_id, &binding->id, sizeof(binding->id), binding);
    return binding;
}

void wall_callout_binding_drop(struct wall_engine *engine, struct wall_callout_binding *binding)
{
    if (binding->registered || binding->object_count > 0)
        return;
    wall_map_remove(&engine->bindings_by_key, &binding->key, sizeof(binding->key));
    wall_map_remove(&engine->bindings_by_id, &binding->id, sizeof(binding->id));
    free(binding);
}

wall_status wall_callout_register(struct wall_engine *engine, const GUID *callout_key, uint32_t flags, uint32_t *ret_id)
{
    if (!callout_key)
        return FWP_E_NULL_POINTER;
    if (wall_guid_is_zero(callout_key))
        return FWP_E_INVALID_PARAMETER;
    if (engine->registered_count >= WALL_CALLOUTS_MAX)
        return FWP_E_TOO_MANY_CALLOUTS;
    struct wall_callout_binding *binding = wall_callout_binding_get(engine, callout_key, 0);
    if (!binding)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (binding->registered)
        return FWP_E_ALREADY_EXISTS;

    binding->registered = true;
    binding->flags = flags;
    engine->registered_count++;
    if (ret_id)
        *ret_id = binding->id;
    return 0;
}

wall_status wall_callout_unregister(struct wall_engine *engine, uint32_t callout_id)
{
    struct wall_callout_binding *binding = find_id(engine, callout_id);
    if (!binding || !binding->registered)
        return FWP_E_CALLOUT_NOT_FOUND;
    binding->registered = false;
    engine->registered_count--;
    wall_callout_binding_drop(engine, binding);
    return 0;
}

bool wall_callout_registered(const struct wall_engine *engine, uint32_t callout_id)
{
    const struct wall_callout_binding *binding = find_id(engine, callout_id);
    return binding && binding->registered;
}

uint32_t wall_callout_id(const struct wall_engine *engine, const GUID *callout_key)
{
    const struct wall_callout_binding *binding = find(engine, callout_key);
    return binding ? binding->id : 0;
}

const GUID *wall_callout_key(const struct wall_engine *engine, uint32_t callout_id)
{
    const struct wall_callout_binding *binding = find_id(engine, callout_id);
    return binding ? &binding->key : NULL;
}

static wall_status check(const FWPM_CALLOUT0 *callout)
{
    const uint32_t known = FWPM_CALLOUT_FLAG_PERSISTENT | FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT |
                           FWPM_CALLOUT_FLAG_REGISTERED;
    if (!callout)
        return FWP_E_NULL_POINTER;
    if (callout->flags & ~known)
        return FWP_E_INVALID_FLAGS;
    return wall_add_check_common(&callout->displayData, &callout->providerData);
}

static wall_status add(struct wall_session *session, const FWPM_CALLOUT0 *callout, GUID *ret_key, uint32_t *ret_id)
{
    struct wall_engine *engine = session->engine;
    wall_status status = check(callout);
    if (status != 0)
        return status;

    FWPM_CALLOUT0 data = *callout;
    struct wall_add adding = {
        .session = session,
        .type = WALL_OBJECT_CALLOUT,
        .lifetime = wall_add_lifetime(session, data.flags & FWPM_CALLOUT_FLAG_PERSISTENT),
        .limit = WALL_CALLOUTS_MAX,
    };
    if (!wall_add_find(&adding, WALL_OBJECT_LAYER, &data.applicableLayer))
        return FWP_E_LAYER_NOT_FOUND;
    status = wall_add_prepare(&adding, &data.calloutKey, data.providerKey);
    if (status != 0)
        return status == WALL_STATUS_QUOTA ? FWP_E_TOO_MANY_CALLOUTS : status;

    bool loading = session == &engine->loader;
    adding.binding = wall_callout_binding_get(engine, &data.calloutKey, loading ? callout->calloutId : 0);
    if (!adding.binding)
        return ERROR_NOT_ENOUGH_MEMORY;
    adding.id = data.calloutId = adding.binding->id;
    data.flags &= ~(uint32_t)FWPM_CALLOUT_FLAG_REGISTERED;
    status = wall_add_finish(&adding, &data);
    if (status != 0) {
        wall_callout_binding_drop(engine, adding.binding);
        return status;
    }
    *ret_key = data.calloutKey;
    *ret_id = data.calloutId;
    return 0;
}

wall_status wall_callout_add(struct wall_session *session, const FWPM_CALLOUT0 *callout, GUID *ret_key,
                             uint32_t *ret_id)
{
    bool implicit;
    GUID key;
    uint32_t id = 0;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    status = wall_write_leave(session, implicit, add(session, callout, &key, &id));
    if (status == 0 && ret_key)
        *ret_key = key;
    if (status == 0 && ret_id)
        *ret_id = id;
    return status;
}
