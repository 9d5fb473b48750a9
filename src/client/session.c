#include "client/session.h"

#include <errno.h>
#include <stdlib.h>

#include "winerror.h"

#include "client/status.h"

// The two that FwpmEngineOpen0 accepts (rpcdce.h has them; it is not a header of kernel mode).
#define AUTHENTICATION_WINNT 10u
#define AUTHENTICATION_DEFAULT 0xFFFFFFFFu

static uint32_t status_of_call(int r)
{
    if (r == -EFAULT)
        return FWP_E_NULL_POINTER;
    if (r == -EINVAL)
        return FWP_E_INVALID_ENUMERATOR;
    return wall_status_from_errno(r);
}

uint32_t wall_client_call(struct wall_client_engine *engine, enum wall_message_type type, const void *request,
                          void **ret_reply)
{
    struct wall_reply *reply;
    int r = wall_link_call(engine->link, type, request, (void **)&reply);
    if (r < 0)
        return status_of_call(r);

    uint32_t status = reply->status;
    if (status == ERROR_SUCCESS && ret_reply)
        *ret_reply = reply;
    else
        free(reply);
    return status;
}

static void link_message(void *context, enum wall_message_type type, uint32_t serial, void *object)
{
    if (serial == 0)
        wall_client_notified(context, type, object);
    else
        free(object);
}

static void free_owned(struct wall_client_engine *engine)
{
    void *owned;
    while ((owned = wall_handle_take_owned(engine)))
        wall_handle_unref(owned);
}

static void destroy_engine(struct wall_handle_object *object)
{
    struct wall_client_engine *engine = (struct wall_client_engine *)object;
    free_owned(engine);  // made by calls that were under way while the handle was closed
    if (engine->link)
        wall_link_close(engine->link);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
    free(engine);
}

static struct wall_client_engine *new_engine(void)
{
    struct wall_client_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return NULL;
    engine->object = (struct wall_handle_object){ .references = 1, .destroy = destroy_engine };
    engine->last = &engine->first;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->changed, NULL);
    return engine;
}

static uint32_t open_session(struct wall_client_engine *engine, const FWPM_SESSION0 *session, HANDLE *ret_engine)
{
    struct wall_link_events events = { .context = engine, .message = link_message };
    int r = wall_link_open(NULL, WALL_ROLE_ENGINE, NULL, &events, &engine->link, NULL);
    if (r < 0)
        return wall_status_from_errno(r);

    // The rest of the structure is the engine's to fill.
    FWPM_SESSION0 given = { 0 };
    struct wall_session_open_request request = { 0 };
    if (session) {
        given.sessionKey = session->sessionKey;
        given.displayData = session->displayData;
        given.flags = session->flags;
        given.txnWaitTimeoutInMSec = session->txnWaitTimeoutInMSec;
        request.session = &given;
    }
    uint32_t status = wall_client_call(engine, WALL_MESSAGE_SESSION_OPEN, &request, NULL);
    if (status != ERROR_SUCCESS)
        return status;
    return wall_status_from_errno(wall_handle_new(WALL_HANDLE_ENGINE, &engine->object, ret_engine));
}

uint32_t wall_client_open(const WCHAR *server, uint32_t authentication_service, const FWPM_SESSION0 *session,
                          HANDLE *ret_engine)
{
    if (!ret_engine)
        return FWP_E_NULL_POINTER;
    if (server)
        return ERROR_NOT_SUPPORTED;
    if (authentication_service != AUTHENTICATION_WINNT && authentication_service != AUTHENTICATION_DEFAULT)
        return ERROR_INVALID_PARAMETER;

    struct wall_client_engine *engine = new_engine();
    if (!engine)
        return ERROR_NOT_ENOUGH_MEMORY;
    uint32_t status = open_session(engine, session, ret_engine);
    if (status != ERROR_SUCCESS)
        wall_handle_unref(engine);
    return status;
}

uint32_t wall_client_close(HANDLE handle)
{
    struct wall_client_engine *engine = wall_handle_take(handle, WALL_HANDLE_ENGINE, NULL);
    if (!engine)
        return ERROR_INVALID_HANDLE;

    // Waited for, so that a dynamic session's objects are gone; a session that is dead is closed all the same.
    (void)wall_client_call(engine, WALL_MESSAGE_SESSION_CLOSE, NULL, NULL);
    wall_client_stop_delivery(engine);
    free_owned(engine);
    wall_link_shutdown(engine->link);
    wall_handle_unref(engine);
    return ERROR_SUCCESS;
}
