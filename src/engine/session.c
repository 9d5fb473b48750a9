#include <stdlib.h>

#include "base/guid.h"
#include "base/sid.h"
#include "base/utf16.h"
#include "engine/limits.h"
#include "engine/state.h"
#include "engine/status.h"

static wall_status make_object(struct wall_session *session, const FWPM_SESSION0 *asked,
                               const struct wall_caller *caller)
{
    FWPM_SESSION0 data = { 0 };
    if (asked)
        data = *asked;
    if (wall_guid_is_zero(&data.sessionKey) && wall_guid_random(&data.sessionKey) < 0)
        return ERROR_NOT_ENOUGH_MEMORY;

    union wall_sid sid;
    wall_sid_from_user(caller->user_id, &sid);
    uint16_t *user_name = caller->user_name ? wall_utf16_new_from_path(caller->user_name) : NULL;
    if (caller->user_name && !user_name)
        return ERROR_NOT_ENOUGH_MEMORY;
    data.processId = caller->process_id;
    data.sid = &sid.sid;
    data.username = (WCHAR *)user_name;
    data.kernelMode = caller->kernel_mode;

    struct wall_object *object = wall_object_new(WALL_OBJECT_SESSION, &data);
    wall_status status = object ? 0 : wall_status_of_copy();
    free(user_name);
    if (status != 0)
        return status;
    object->key = data.sessionKey;
    object->born = 0;
    object->owner = session;
    session->object = object;
    return 0;
}

wall_status wall_session_open(struct wall_engine *engine, const FWPM_SESSION0 *session,
                              const struct wall_caller *caller, struct wall_session **ret_session)
{
    struct wall_index *index = &engine->index[WALL_OBJECT_SESSION];
    if (session && (session->flags & ~(uint32_t)(FWPM_SESSION_FLAG_DYNAMIC | FWPM_SESSION_FLAG_RESERVED)))
        return FWP_E_INVALID_FLAGS;
    if (session && wall_map_get(&index->by_key, &session->sessionKey, sizeof(session->sessionKey)))
        return FWP_E_ALREADY_EXISTS;
    if (index->by_key.count >= WALL_SESSIONS_MAX)
        return WALL_STATUS_QUOTA;
    wall_status status = wall_engine_load_done(engine);
    if (status != 0)
        return status;

    struct wall_session *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return ERROR_NOT_ENOUGH_MEMORY;
    opened->engine = engine;
    opened->dynamic = session && (session->flags & FWPM_SESSION_FLAG_DYNAMIC);
    opened->kernel_mode = caller->kernel_mode;
    opened->may_write = caller->may_write || caller->kernel_mode;
    status = make_object(opened, session, caller);
    if (status == 0 && wall_index_put(index, opened->object) < 0) {
        wall_object_release(opened->object);
        status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status != 0) {
        free(opened);
        return status;
    }
    *ret_session = opened;
    return 0;
}

void wall_session_close(struct wall_session *session)
{
    if (!session)
        return;
    if (session->transaction != WALL_TRANSACTION_NONE)
        (void)wall_transaction_abort(session);
    wall_session_rundown(session);
    wall_index_remove(&session->engine->index[WALL_OBJECT_SESSION], session->object);
    free(session);
}

uint32_t wall_session_wait_ms(const struct wall_session *session)
{
    uint32_t wait_ms = wall_session_describe(session)->txnWaitTimeoutInMSec;
    return wait_ms == 0 ? WALL_TRANSACTION_WAIT_MS : wait_ms;
}

const FWPM_SESSION0 *wall_session_describe(const struct wall_session *session)
{
    return session->object->data;
}
