// The management API (Fwpm*): from message to engine and back.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#include "winerror.h"

#include "engine/net_event.h"
#include "engine/shapes.h"
#include "service/enumeration.h"
#include "service/monitor.h"
#include "service/client.h"

static void reply_status(struct wall_client *client, uint16_t type, uint32_t serial, wall_status status)
{
    wall_client_status(client, type, serial, status, NULL);
}

static bool has_session(struct wall_client *client, uint16_t type, uint32_t serial)
{
    if (client->session)
        return true;
    wall_client_status(client, type, serial, ERROR_INVALID_HANDLE, "no session is open on this connection");
    return false;
}

// --- Sessions and transactions ---

static bool session_open(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_session_open_request *request = object;
    const struct wall_peer *peer = &client->connection->peer;
    struct wall_driver *driver = wall_driver_find_process(&client->service->drivers, peer->process_id);
    if (client->session) {
        reply_status(client, WALL_MESSAGE_SESSION_OPEN, serial, FWP_E_ALREADY_EXISTS);
        return false;
    }
    struct wall_caller caller = {
        .process_id = (uint32_t)peer->process_id,
        .user_id = peer->user_id,
        .user_name = peer->user_name,
        .kernel_mode = driver != NULL,
        .may_write = peer->may_write,
    };
    FWPM_SESSION0 defaults = { 0 };
    wall_status status = wall_session_open(client->service->engine, request->session ? request->session : &defaults,
                                           &caller, &client->session);
    reply_status(client, WALL_MESSAGE_SESSION_OPEN, serial, status);
    return false;
}

static bool session_close(struct wall_client *client, uint32_t serial, const void *object)
{
    if (!has_session(client, WALL_MESSAGE_SESSION_CLOSE, serial))
        return false;
    wall_management_closed(client);
    reply_status(client, WALL_MESSAGE_SESSION_CLOSE, serial, 0);
    return false;
}

static bool transaction_begin(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_transaction_begin_request *request = object;
    if (!has_session(client, WALL_MESSAGE_TRANSACTION_BEGIN, serial))
        return false;
    wall_status status = wall_transaction_begin(client->session, request->flags);
    if (status == WALL_STATUS_WAIT)
        return true;
    reply_status(client, WALL_MESSAGE_TRANSACTION_BEGIN, serial, status);
    return false;
}

static bool transaction_commit(struct wall_client *client, uint32_t serial, const void *object)
{
    if (!has_session(client, WALL_MESSAGE_TRANSACTION_COMMIT, serial))
        return false;
    wall_status status = wall_transaction_commit(client->session);
    if (!wall_transaction_active(client->session))
        wall_filter_notices_end(&client->service->notices, client->session, status == 0);
    reply_status(client, WALL_MESSAGE_TRANSACTION_COMMIT, serial, status);
    return false;
}

static bool transaction_abort(struct wall_client *client, uint32_t serial, const void *object)
{
    if (!has_session(client, WALL_MESSAGE_TRANSACTION_ABORT, serial))
        return false;
    wall_status status = wall_transaction_abort(client->session);
    if (status == 0)
        wall_filter_notices_end(&client->service->notices, client->session, false);
    reply_status(client, WALL_MESSAGE_TRANSACTION_ABORT, serial, status);
    return false;
}

// --- Adding ---

static void reply_added(struct wall_client *client, uint32_t serial, wall_status status, const GUID *key, uint64_t id)
{
    if (status != 0) {
        reply_status(client, WALL_MESSAGE_OBJECT_ADD, serial, status);
        return;
    }
    struct wall_object_add_reply reply = { .key = *key, .id = id };
    wall_client_reply(client, WALL_MESSAGE_OBJECT_ADD, serial, &reply);
}

// Asks the callout's notifyFn whether it wants the filter just added. Returns false when there is nobody to ask.
static bool ask_callout(struct wall_client *client, uint32_t serial, const FWPM_FILTER0 *filter, const GUID *key,
                        uint64_t id, bool implicit)
{
    struct wall_service *service = client->service;
    struct wall_notify_request request = {
        .callout_id = wall_callout_id(service->engine, &filter->action.calloutKey),
        .type = FWPS_CALLOUT_NOTIFY_ADD_FILTER,
        .filter_key = (GUID *)(uintptr_t)key,
        .filter = { .filterId = id, .action = { .type = filter->action.type }, .context = filter->rawContext },
    };
    request.filter.action.calloutId = request.callout_id;
    uint64_t sequence = service->wait_sequence++;
    if (!wall_callouts_notify(&service->callouts, sequence, &request))
        return false;
    client->pending = (struct wall_client_pending){ .for_notify = true,
                                                    .sequence = sequence,
                                                    .type = WALL_MESSAGE_OBJECT_ADD,
                                                    .serial = serial,
                                                    .filter_id = id,
                                                    .filter_key = *key,
                                                    .callout_id = request.callout_id,
                                                    .implicit = implicit };
    wall_connection_pause(client->connection);
    return true;
}

static bool filter_add(struct wall_client *client, uint32_t serial, const FWPM_FILTER0 *filter)
{
    struct wall_service *service = client->service;
    bool notifies = (filter->action.type & FWP_ACTION_FLAG_CALLOUT) &&
                    wall_callouts_find(&service->callouts,
                                       wall_callout_id(service->engine, &filter->action.calloutKey));
    bool implicit = notifies && !wall_transaction_active(client->session);
    wall_status status = implicit ? wall_transaction_begin(client->session, 0) : 0;
    if (status == WALL_STATUS_WAIT)
        return true;

    GUID key;
    uint64_t id = 0;
    if (status == 0)
        status = wall_filter_add(client->session, filter, &key, &id);
    if (status == WALL_STATUS_WAIT)
        return true;  // only without a transaction of our own
    if (status == 0 && notifies && ask_callout(client, serial, filter, &key, id, implicit))
        return false;
    if (implicit && status == 0)
        status = wall_transaction_commit(client->session);
    else if (implicit && wall_transaction_active(client->session))
        (void)wall_transaction_abort(client->session);
    reply_added(client, serial, status, &key, id);
    return false;
}

void wall_management_notified(struct wall_service *service, uint64_t sequence, uint32_t notify_status)
{
    struct wall_client *client = service->clients;
    while (client && !(client->pending.for_notify && client->pending.sequence == sequence))
        client = client->next;
    if (!client)
        return;
    struct wall_client_pending pending = client->pending;
    client->pending = (struct wall_client_pending){ 0 };
    bool refused = (notify_status & 0xC0000000u) == 0xC0000000u;  // NTSTATUS severity: error
    if (!refused)
        refused = wall_filter_notices_add(&service->notices, pending.filter_id, pending.callout_id,
                                          client->session) < 0;
    wall_status status = 0;
    if (refused) {
        (void)wall_object_delete(client->session, WALL_OBJECT_FILTER, NULL, pending.filter_id);
        status = FWP_E_CALLOUT_NOTIFICATION_FAILED;
    }
    if (pending.implicit && refused)
        (void)wall_transaction_abort(client->session);
    else if (pending.implicit)
        status = wall_transaction_commit(client->session);
    if (pending.implicit)
        wall_filter_notices_end(&service->notices, client->session, status == 0);
    reply_added(client, pending.serial, status, &pending.filter_key, pending.filter_id);
    wall_connection_resume(client->connection);
}

static bool object_add(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_object_add_request *request = object;
    const struct wall_any *any = &request->object;
    if (!has_session(client, WALL_MESSAGE_OBJECT_ADD, serial))
        return false;
    if (!any->pointer) {
        reply_status(client, WALL_MESSAGE_OBJECT_ADD, serial, FWP_E_NULL_POINTER);
        return false;
    }
    if (any->type == WALL_OBJECT_FILTER)
        return filter_add(client, serial, any->filter);

    GUID key = { 0 };
    uint64_t id = 0;
    uint32_t callout_id = 0;
    wall_status status = ERROR_INVALID_PARAMETER;
    if (any->type == WALL_OBJECT_PROVIDER)
        status = wall_provider_add(client->session, any->provider, &key);
    else if (any->type == WALL_OBJECT_PROVIDER_CONTEXT)
        status = wall_provider_context_add(client->session, any->provider_context, &key, &id);
    else if (any->type == WALL_OBJECT_SUBLAYER)
        status = wall_sublayer_add(client->session, any->sublayer, &key);
    else if (any->type == WALL_OBJECT_CALLOUT)
        status = wall_callout_add(client->session, any->callout, &key, &callout_id);
    if (status == WALL_STATUS_WAIT)
        return true;
    reply_added(client, serial, status, &key, any->type == WALL_OBJECT_CALLOUT ? callout_id : id);
    return false;
}

// --- Deleting, getting ---

static bool object_delete(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_object_find_request *request = object;
    if (!has_session(client, WALL_MESSAGE_OBJECT_DELETE, serial))
        return false;
    wall_status status =
        request->type < WALL_OBJECT_COUNT_
            ? wall_object_delete(client->session, (enum wall_object_type)request->type, request->key, request->id)
            : ERROR_INVALID_PARAMETER;
    if (status == WALL_STATUS_WAIT)
        return true;
    reply_status(client, WALL_MESSAGE_OBJECT_DELETE, serial, status);
    return false;
}

static bool object_get(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_object_find_request *request = object;
    struct wall_object_get_reply reply = { .object.type = request->type };
    if (!has_session(client, WALL_MESSAGE_OBJECT_GET, serial))
        return false;
    wall_status status = request->type < WALL_OBJECT_COUNT_
                             ? wall_object_get(client->session, (enum wall_object_type)request->type, request->key,
                                               request->id, &reply.object.pointer)
                             : ERROR_INVALID_PARAMETER;
    if (status == 0)
        wall_client_reply(client, WALL_MESSAGE_OBJECT_GET, serial, &reply);
    else
        reply_status(client, WALL_MESSAGE_OBJECT_GET, serial, status);
    free(reply.object.pointer);
    return false;
}

// --- Options ---

static bool option_get(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_option_get_request *request = object;
    struct wall_option_get_reply reply = { 0 };
    if (!has_session(client, WALL_MESSAGE_OPTION_GET, serial))
        return false;
    wall_status status = wall_option_get(client->session, (FWPM_ENGINE_OPTION)request->option, &reply.value);
    if (status == 0)
        wall_client_reply(client, WALL_MESSAGE_OPTION_GET, serial, &reply);
    else
        reply_status(client, WALL_MESSAGE_OPTION_GET, serial, status);
    return false;
}

static bool option_set(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_option_set_request *request = object;
    if (!has_session(client, WALL_MESSAGE_OPTION_SET, serial))
        return false;
    wall_status status = wall_option_set(client->session, (FWPM_ENGINE_OPTION)request->option, &request->value);
    if (status == WALL_STATUS_WAIT)
        return true;
    reply_status(client, WALL_MESSAGE_OPTION_SET, serial, status);
    return false;
}

// --- Subscriptions ---

static void free_subscription(struct wall_client_subscription *subscription)
{
    if (subscription)
        free(subscription->net_event);
    free(subscription);
}

// Copies what a subscription asks for. NULL with *ret_status telling why not.
static struct wall_client_subscription *
new_subscription(struct wall_client *client, const struct wall_subscribe_request *request, wall_status *ret_status)
{
    const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_ =
        request->template_.type == WALL_ANY_NET_EVENT ? request->template_.net_event : NULL;
    *ret_status = wall_net_event_template_check(template_);
    if (*ret_status != 0)
        return NULL;
    *ret_status = ERROR_NOT_ENOUGH_MEMORY;
    struct wall_client_subscription *subscription = calloc(1, sizeof(*subscription));
    if (!subscription)
        return NULL;
    *subscription = (struct wall_client_subscription){ .id = client->next_id++,
                                                       .type = request->template_.type,
                                                       .flags = request->flags };
    if (template_)
        subscription->net_event = wall_shape_clone(&wall_shape_net_event_template, template_);
    if ((template_ && !subscription->net_event) || client->subscriptions.count >= WALL_CLIENT_SUBSCRIPTIONS_MAX ||
        wall_map_put(&client->subscriptions, &subscription->id, sizeof(subscription->id), subscription) < 0) {
        free_subscription(subscription);
        return NULL;
    }
    *ret_status = 0;
    return subscription;
}

static bool subscribe(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_subscribe_request *request = object;
    if (!has_session(client, WALL_MESSAGE_SUBSCRIBE, serial))
        return false;
    if (wall_transaction_active(client->session)) {
        reply_status(client, WALL_MESSAGE_SUBSCRIBE, serial, FWP_E_TXN_IN_PROGRESS);
        return false;
    }
    wall_status status = 0;
    const struct wall_client_subscription *subscription = new_subscription(client, request, &status);
    if (!subscription) {
        reply_status(client, WALL_MESSAGE_SUBSCRIBE, serial, status);
        return false;
    }
    struct wall_subscribe_reply reply = { .subscription_id = subscription->id };
    wall_client_reply(client, WALL_MESSAGE_SUBSCRIBE, serial, &reply);
    return false;
}

static bool unsubscribe(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_unsubscribe_request *request = object;
    struct wall_client_subscription *subscription =
        wall_map_remove(&client->subscriptions, &request->subscription_id, sizeof(request->subscription_id));
    reply_status(client, WALL_MESSAGE_UNSUBSCRIBE, serial, subscription ? 0 : ERROR_INVALID_HANDLE);
    free_subscription(subscription);
    return false;
}

void wall_management_changed(struct wall_service *service, enum wall_object_type type, FWPM_CHANGE_TYPE change,
                             const GUID *key, uint64_t id, const struct wall_session *origin)
{
    struct wall_change_notification notification = { .change = (uint32_t)change, .key = *key, .id = id };
    uint32_t flag =
        change == FWPM_CHANGE_ADD ? FWPM_SUBSCRIPTION_FLAG_NOTIFY_ON_ADD : FWPM_SUBSCRIPTION_FLAG_NOTIFY_ON_DELETE;
    for (struct wall_client *client = service->clients; client; client = client->next) {
        size_t cursor = 0;
        const struct wall_client_subscription *subscription;
        while (client->session != origin && (subscription = wall_map_next(&client->subscriptions, &cursor))) {
            if (subscription->type != (uint32_t)type || !(subscription->flags & flag))
                continue;
            notification.subscription_id = subscription->id;
            // Notifications are unreliable by contract (wfp-reference 1.8): one that finds no room is dropped.
            (void)wall_connection_notify(client->connection, WALL_MESSAGE_CHANGE, &notification);
        }
    }
}

void wall_management_net_event(struct wall_service *service, const FWPM_NET_EVENT5 *event)
{
    struct wall_net_event_notification notification = { .event = (FWPM_NET_EVENT5 *)(uintptr_t)event };
    for (struct wall_client *client = service->clients; client; client = client->next) {
        size_t cursor = 0;
        const struct wall_client_subscription *subscription;
        while ((subscription = wall_map_next(&client->subscriptions, &cursor))) {
            if (subscription->type != WALL_ANY_NET_EVENT || !wall_net_event_matches(subscription->net_event, event))
                continue;
            notification.subscription_id = subscription->id;
            (void)wall_connection_notify(client->connection, WALL_MESSAGE_NET_EVENT, &notification);
        }
    }
}

void wall_management_closed(struct wall_client *client)
{
    wall_enumeration_drop(client);
    size_t cursor = 0;
    struct wall_client_subscription *subscription;
    while ((subscription = wall_map_next(&client->subscriptions, &cursor))) {
        (void)wall_map_remove(&client->subscriptions, &subscription->id, sizeof(subscription->id));
        free_subscription(subscription);
    }
    struct wall_session *session = client->session;
    client->session = NULL;
    if (!session)
        return;
    wall_filter_notices_end(&client->service->notices, session, false);
    wall_session_close(session);
}

// --- Callouts (Fwps*) ---

static bool callout_register(struct wall_client *client, uint32_t serial, const void *object)
{
    struct wall_callout_register_reply reply = { 0 };
    wall_status status =
        wall_callouts_register(&client->service->callouts, client->connection, object, &reply.callout_id);
    if (status == 0)
        wall_client_reply(client, WALL_MESSAGE_CALLOUT_REGISTER, serial, &reply);
    else
        wall_client_status(client, WALL_MESSAGE_CALLOUT_REGISTER, serial,
                           status == FWP_E_ALREADY_EXISTS ? (uint32_t)STATUS_FWP_ALREADY_EXISTS
                                                          : (uint32_t)STATUS_INSUFFICIENT_RESOURCES,
                           NULL);
    return false;
}

static bool callout_unregister(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_callout_unregister_request *request = object;
    wall_status status = wall_callouts_unregister(&client->service->callouts, client->connection, request->callout_id);
    wall_client_status(client, WALL_MESSAGE_CALLOUT_UNREGISTER, serial,
                       status == 0 ? 0 : (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND, NULL);
    return false;
}

static void log_text(struct wall_client *client, const char *text)
{
    const struct wall_driver *driver =
        wall_driver_find_process(&client->service->drivers, client->connection->peer.process_id);
    wall_monitor_line(client->service, driver ? driver->name : client->name, text ? text : "");
}

static bool log_line(struct wall_client *client, uint32_t serial, const void *object)
{
    log_text(client, ((const struct wall_log_notification *)object)->line);
    return false;
}

static bool report(struct wall_client *client, uint32_t serial, const void *object)
{
    log_text(client, ((const struct wall_report_notification *)object)->text);
    return false;
}

const struct wall_handler_row wall_management_handlers[] = {
    { WALL_MESSAGE_SESSION_OPEN, WALL_ROLE_ENGINE, false, session_open },
    { WALL_MESSAGE_SESSION_CLOSE, WALL_ROLE_ENGINE, false, session_close },
    { WALL_MESSAGE_TRANSACTION_BEGIN, WALL_ROLE_ENGINE, false, transaction_begin },
    { WALL_MESSAGE_TRANSACTION_COMMIT, WALL_ROLE_ENGINE, false, transaction_commit },
    { WALL_MESSAGE_TRANSACTION_ABORT, WALL_ROLE_ENGINE, false, transaction_abort },
    { WALL_MESSAGE_OBJECT_ADD, WALL_ROLE_ENGINE, false, object_add },
    { WALL_MESSAGE_OBJECT_DELETE, WALL_ROLE_ENGINE, false, object_delete },
    { WALL_MESSAGE_OBJECT_GET, WALL_ROLE_ENGINE, false, object_get },
    { WALL_MESSAGE_ENUMERATION_NEW, WALL_ROLE_ENGINE, false, wall_enumeration_handle_new },
    { WALL_MESSAGE_ENUMERATION_NEXT, WALL_ROLE_ENGINE, false, wall_enumeration_handle_next },
    { WALL_MESSAGE_ENUMERATION_FREE, WALL_ROLE_ENGINE, false, wall_enumeration_handle_free },
    { WALL_MESSAGE_OPTION_GET, WALL_ROLE_ENGINE, false, option_get },
    { WALL_MESSAGE_OPTION_SET, WALL_ROLE_ENGINE, false, option_set },
    { WALL_MESSAGE_SUBSCRIBE, WALL_ROLE_ENGINE, false, subscribe },
    { WALL_MESSAGE_UNSUBSCRIBE, WALL_ROLE_ENGINE, false, unsubscribe },
    { WALL_MESSAGE_CALLOUT_REGISTER, WALL_ROLE_CALLOUTS, true, callout_register },
    { WALL_MESSAGE_CALLOUT_UNREGISTER, WALL_ROLE_CALLOUTS, true, callout_unregister },
    { WALL_MESSAGE_LOG, WALL_ROLE_CALLOUTS, true, log_line },
    { WALL_MESSAGE_REPORT, WALL_ROLE_CALLOUTS, true, report },
    { 0 },
};
