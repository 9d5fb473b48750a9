#include <stdlib.h>

#include "engine/add.h"
#include "engine/limits.h"

static wall_status check(const FWPM_PROVIDER0 *provider)
{
    if (!provider)
        return FWP_E_NULL_POINTER;
    if (provider->flags & ~(uint32_t)(FWPM_PROVIDER_FLAG_PERSISTENT | FWPM_PROVIDER_FLAG_DISABLED))
        return FWP_E_INVALID_FLAGS;
    return wall_add_check_common(&provider->displayData, &provider->providerData);
}

static bool is_enabled(const struct wall_engine *engine, const FWPM_PROVIDER0 *provider)
{
    const struct wall_engine_events *events = &engine->events;
    return !provider->serviceName || !events->provider_enabled ||
           events->provider_enabled(events->context, provider->serviceName);
}

static wall_status add(struct wall_session *session, const FWPM_PROVIDER0 *provider, GUID *ret_key)
{
    struct wall_engine *engine = session->engine;
    wall_status status = check(provider);
    if (status != 0)
        return status;

    FWPM_PROVIDER0 data = *provider;
    bool persistent = data.flags & FWPM_PROVIDER_FLAG_PERSISTENT;
    data.flags = persistent ? FWPM_PROVIDER_FLAG_PERSISTENT : 0;
    if (persistent && !is_enabled(engine, provider))
        data.flags |= FWPM_PROVIDER_FLAG_DISABLED;
    struct wall_add adding = { .session = session, .type = WALL_OBJECT_PROVIDER, .limit = WALL_PROVIDERS_MAX };
    adding.lifetime = wall_add_lifetime(session, persistent);
    status = wall_add_prepare(&adding, &data.providerKey, NULL);
    if (status == 0)
        status = wall_add_finish(&adding, &data);
    if (status == 0)
        *ret_key = data.providerKey;
    return status;
}

wall_status wall_provider_add(struct wall_session *session, const FWPM_PROVIDER0 *provider, GUID *ret_key)
{
    bool implicit;
    GUID key;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    status = wall_write_leave(session, implicit, add(session, provider, &key));
    if (status == 0 && ret_key)
        *ret_key = key;
    return status;
}
