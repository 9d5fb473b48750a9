#include "engine/add.h"
#include "engine/limits.h"

static wall_status check(const FWPM_PROVIDER_CONTEXT3 *context)
{
    if (!context)
        return FWP_E_NULL_POINTER;
    if (context->flags & ~(uint32_t)(FWPM_PROVIDER_CONTEXT_FLAG_PERSISTENT | FWPM_PROVIDER_CONTEXT_FLAG_DOWNLEVEL))
        return FWP_E_INVALID_FLAGS;
    if ((unsigned int)context->type >= FWPM_PROVIDER_CONTEXT_TYPE_MAX)
        return FWP_E_INVALID_ENUMERATOR;
    wall_status status = wall_add_check_common(&context->displayData, &context->providerData);
    if (status != 0)
        return status;
    if (!context->dataBuffer)
        return FWP_E_NULL_POINTER;
    if (context->type == FWPM_GENERAL_CONTEXT && context->dataBuffer->size > 0 && !context->dataBuffer->data)
        return FWP_E_NULL_POINTER;
    return 0;
}

static wall_status add(struct wall_session *session, const FWPM_PROVIDER_CONTEXT3 *context, GUID *ret_key,
                       uint64_t *ret_id)
{
    wall_status status = check(context);
    if (status != 0)
        return status;

    FWPM_PROVIDER_CONTEXT3 data = *context;
    struct wall_add adding = {
        .session = session,
        .type = WALL_OBJECT_PROVIDER_CONTEXT,
        .lifetime = wall_add_lifetime(session, data.flags & FWPM_PROVIDER_CONTEXT_FLAG_PERSISTENT),
        .limit = WALL_PROVIDER_CONTEXTS_MAX,
    };
    status = wall_add_prepare(&adding, &data.providerContextKey, data.providerKey);
    if (status != 0)
        return status;
    adding.id = wall_add_take_id(&adding, &session->engine->last_provider_context_id, context->providerContextId);
    data.providerContextId = adding.id;
    status = wall_add_finish(&adding, &data);
    if (status != 0)
        return status;
    *ret_key = data.providerContextKey;
    *ret_id = data.providerContextId;
    return 0;
}

wall_status wall_provider_context_add(struct wall_session *session, const FWPM_PROVIDER_CONTEXT3 *context,
                                      GUID *ret_key, uint64_t *ret_id)
{
    bool implicit;
    GUID key;
    uint64_t id = 0;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    status = wall_write_leave(session, implicit, add(session, context, &key, &id));
    if (status == 0 && ret_key)
        *ret_key = key;
    if (status == 0 && ret_id)
        *ret_id = id;
    return status;
}
