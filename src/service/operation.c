#include "service/operation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"

#include "service/client.h"

// --- Completing ---

static struct wall_completion **find_completion(struct wall_service *service, uint64_t id)
{
    struct wall_completion **at = &service->completions;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

void wall_operation_completed(struct wall_service *service, uint64_t id)
{
    struct wall_completion **at = find_completion(service, id), *completion = *at;
    if (!completion)
        return;
    *at = completion->next;
    if (completion->client)
        wall_client_status(completion->client, WALL_MESSAGE_OPERATION_COMPLETE, completion->serial, 0, NULL);
    free(completion);
}

const struct wall_connection *wall_operation_completer(const struct wall_service *service, uint64_t id)
{
    const struct wall_completion *completion = service->completions;
    while (completion && completion->id != id)
        completion = completion->next;
    return completion && completion->client ? completion->client->connection : NULL;
}

void wall_operations_drop(struct wall_service *service, const struct wall_client *client)
{
    for (struct wall_completion *completion = service->completions; completion; completion = completion->next) {
        if (completion->client == client)
            completion->client = NULL;
    }
}

// A driver completes only what its own callouts pended.
static bool owns(const struct wall_client *client, uint64_t id)
{
    const struct wall_service *service = client->service;
    const struct wall_hold *hold = wall_map_get(&service->holds.by_pend, &id, sizeof(id));
    const struct wall_callout_entry *entry =
        hold ? wall_callouts_find(&service->callouts, hold->pend.callout_id) : NULL;
    return entry && entry->connection == client->connection;
}

static uint32_t status_of(int r)
{
    switch (r) {
    case 0:
        return 0;
    case -ENOENT:
        return (uint32_t)STATUS_NOT_FOUND;
    case -EEXIST:
        return (uint32_t)STATUS_OBJECT_NAME_EXISTS;
    case -ENOMEM:
        return (uint32_t)STATUS_INSUFFICIENT_RESOURCES;
    default:
        return (uint32_t)STATUS_INVALID_PARAMETER;
    }
}

void wall_operation_redirected(struct wall_service *service, uint64_t id, const struct wall_redirect_version *version)
{
    int r = wall_holds_redirect(&service->holds, id, version);
    if (r < 0 && r != -ENOENT)
        wall_service_log(service, "a callout's redirection was not taken: %s", strerror(-r));
}

static bool operation_complete(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_operation_complete_request *request = object;
    struct wall_service *service = client->service;
    struct wall_completion *completion = NULL;
    int r = owns(client, request->classify_id) ? 0 : -ENOENT;
    if (r == 0 && !(completion = malloc(sizeof(*completion))))
        r = -ENOMEM;
    if (r == 0) {
        *completion = (struct wall_completion){service->completions, request->classify_id, client, serial};
        service->completions = completion;
        r = wall_holds_complete(&service->holds, request->classify_id, request->packet_follows);
        if (r == 0)
            return false;
        *find_completion(service, request->classify_id) = completion->next;
        free(completion);
    }
    wall_client_status(client, WALL_MESSAGE_OPERATION_COMPLETE, serial, status_of(r), NULL);
    return false;
}

static bool classify_complete(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_classify_complete_request *request = object;
    int r = -ENOENT;
    if (owns(client, request->classify_id)) {
        if (request->redirect)
            wall_operation_redirected(client->service, request->classify_id, request->redirect);
        r = wall_holds_complete_classify(&client->service->holds, request->classify_id,
                                         request->again ? NULL : &request->out);
    }
    wall_client_status(client, WALL_MESSAGE_CLASSIFY_COMPLETE, serial, status_of(r), NULL);
    return false;
}

// --- Packets ---

static int send_packet(struct wall_service *service, const struct wall_inject_request *request)
{
    struct wall_injection injection = {
        .netns_cookie = request->netns_cookie,
        .receive = request->receive,
        .interface_index = request->interface_index,
        .packet = request->packet.data,
        .packet_bytes = request->packet.size,
    };
    if (!injection.netns_cookie && request->endpoint_handle)
        injection.netns_cookie = wall_live_flows_netns(&service->live_flows, request->endpoint_handle);
    return wall_datapath_inject(service->datapath, &injection);
}

// The datapath itself sends what it held of a flow that is permitted: such a packet must not be sent twice, and one
// of a flow that is blocked not at all.
static bool inject(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_inject_request *request = object;
    struct wall_service *service = client->service;
    const struct wall_packet_mark mark = {true, client->connection, request->handle, request->context};
    int r = -ENOENT;
    if (request->receive && (!request->origin_id || request->unmodified))
        r = wall_holds_inject(&service->holds, request->origin_id, &mark, request->packet.data, request->packet.size);
    if (r == -ENOENT)
        r = request->origin_id && request->unmodified ? 0 : send_packet(service, request);
    wall_client_status(client, WALL_MESSAGE_INJECT, serial, status_of(r), NULL);
    return false;
}

static bool packet_dropped(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_packet_dropped_notification *dropped = object;
    if (owns(client, dropped->origin_id))
        wall_holds_packet_dropped(&client->service->holds, dropped->origin_id);
    return false;
}

// --- Flows ---

static const struct wall_callout_entry *own_callout(const struct wall_client *client, uint32_t callout_id)
{
    const struct wall_callout_entry *entry = wall_callouts_find(&client->service->callouts, callout_id);
    return entry && entry->connection == client->connection ? entry : NULL;
}

static bool flow_associate(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_flow_associate_request *request = object;
    const struct wall_callout_entry *entry = own_callout(client, request->callout_id);
    const struct wall_flow_context fresh = {.callout_id = request->callout_id, .layer_id = request->layer_id,
                                            .context = request->flow_context};
    int r = entry && entry->flow_delete && request->flow_context ? 0 : -EINVAL;
    if (r == 0)
        r = wall_flow_context_add(&client->service->live_flows, request->flow_handle, &fresh);
    wall_client_status(client, WALL_MESSAGE_FLOW_ASSOCIATE, serial, status_of(r), NULL);
    return false;
}

static bool flow_remove(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_flow_remove_request *request = object;
    struct wall_flow_remove_reply reply = {.reply.status = (uint32_t)STATUS_UNSUCCESSFUL};
    if (own_callout(client, request->callout_id))
        reply.flow_context = wall_flow_context_remove(&client->service->live_flows, request->flow_handle,
                                                      request->callout_id, request->layer_id);
    if (reply.flow_context)
        reply.reply.status = 0;
    wall_client_reply(client, WALL_MESSAGE_FLOW_REMOVE, serial, &reply);
    return false;
}

static bool flow_abort(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_flow_abort_request *request = object;
    int r = wall_datapath_abort(client->service->datapath, request->flow_handle);
    wall_client_status(client, WALL_MESSAGE_FLOW_ABORT, serial, status_of(r), NULL);
    return false;
}

static void context_ended(void *context, uint64_t handle, const struct wall_flow_context *ended)
{
    struct wall_service *service = context;
    const struct wall_flow_delete_request request = {.flow_handle = handle, .flow_context = ended->context,
                                                     .callout_id = ended->callout_id, .layer_id = ended->layer_id};
    (void)wall_callouts_flow_delete(&service->callouts, &request);  // without its callout the context is gone anyway
}

void wall_operation_flow_ended(struct wall_service *service, uint64_t handle)
{
    wall_live_flows_end(&service->live_flows, handle, context_ended, service);
}

const struct wall_handler_row wall_operation_handlers[] = {
    {WALL_MESSAGE_OPERATION_COMPLETE, WALL_ROLE_CALLOUTS, true, operation_complete},
    {WALL_MESSAGE_CLASSIFY_COMPLETE, WALL_ROLE_CALLOUTS, true, classify_complete},
    {WALL_MESSAGE_INJECT, WALL_ROLE_CALLOUTS, true, inject},
    {WALL_MESSAGE_PACKET_DROPPED, WALL_ROLE_CALLOUTS, true, packet_dropped},
    {WALL_MESSAGE_FLOW_ASSOCIATE, WALL_ROLE_CALLOUTS, true, flow_associate},
    {WALL_MESSAGE_FLOW_REMOVE, WALL_ROLE_CALLOUTS, true, flow_remove},
    {WALL_MESSAGE_FLOW_ABORT, WALL_ROLE_CALLOUTS, true, flow_abort},
    {0},
};
