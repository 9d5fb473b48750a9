#include "service/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#include "winerror.h"

#include "base/random.h"
#include "service/monitor.h"
#include "service/operation.h"

void wall_client_reply(struct wall_client *client, uint16_t type, uint32_t serial, const void *reply)
{
    wall_connection_reply(client->connection, (enum wall_message_type)type, serial, reply);
}

void wall_client_status(struct wall_client *client, uint16_t type, uint32_t serial, uint32_t status,
                        const char *error)
{
    wall_connection_refuse(client->connection, (enum wall_message_type)type, serial, status, error);
}

static struct wall_client *add_client(struct wall_service *service, struct wall_connection *connection)
{
    struct wall_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    client->service = service;
    client->connection = connection;
    client->next_id = 1;
    wall_map_init(&client->enumerations, seed);
    wall_map_init(&client->subscriptions, seed);
    client->next = service->clients;
    service->clients = client;
    connection->state = client;
    return client;
}

static void end_waiting(struct wall_client *client)
{
    client->pending.deadline = sd_event_source_disable_unref(client->pending.deadline);
    free(client->pending.request);
    client->pending = (struct wall_client_pending){0};
}

void wall_client_closed(void *context, struct wall_connection *connection, const struct wall_error *err)
{
    struct wall_service *service = context;
    struct wall_client *client = connection->state;
    if (err)
        wall_service_log(service, "client %d (%s): closed: %s", (int)connection->peer.process_id,
                         connection->peer.user_name, err->text);
    if (!client)
        return;
    for (struct wall_client **link = &service->clients; *link; link = &(*link)->next) {
        if (*link == client) {
            *link = client->next;
            break;
        }
    }
    connection->state = NULL;
    if (client->monitor)
        wall_monitor_update(service);
    wall_operations_drop(service, client);
    wall_files_drop(service, client);
    wall_callouts_drop(&service->callouts, connection);
    wall_management_closed(client);
    end_waiting(client);
    wall_map_done(&client->enumerations);
    wall_map_done(&client->subscriptions);
    free(client);
}

static int on_lock_timeout(sd_event_source *source, uint64_t time_us, void *context)
{
    struct wall_client *client = context;
    struct wall_connection *connection = client->connection;
    uint16_t type = client->pending.type;
    uint32_t serial = client->pending.serial;
    end_waiting(client);
    wall_connection_refuse(connection, (enum wall_message_type)type, serial, FWP_E_TIMEOUT,
                           "another session holds the write transaction");
    wall_connection_resume(connection);
    return 0;
}

static void wait_for_lock(struct wall_client *client, uint16_t type, uint32_t serial, void *request)
{
    struct wall_service *service = client->service;
    uint32_t wait_ms = client->session ? wall_session_wait_ms(client->session) : 0;
    client->pending = (struct wall_client_pending){.for_lock = true, .sequence = service->wait_sequence++,
                                                   .type = type, .serial = serial, .request = request};
    wall_connection_pause(client->connection);
    if (wait_ms != WALL_WAIT_FOREVER)
        (void)sd_event_add_time_relative(service->event, &client->pending.deadline, CLOCK_MONOTONIC,
                                         wait_ms * 1000ull, 0, on_lock_timeout, client);
}

static const struct wall_handler_row *find_handler(uint16_t type)
{
    const struct wall_handler_row *const tables[] = {wall_management_handlers, wall_control_handlers,
                                                     wall_operation_handlers, wall_file_handlers};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct wall_handler_row *row = tables[i]; row->type; row++) {
            if (row->type == type)
                return row;
        }
    }
    return NULL;
}

void wall_client_retry(struct wall_service *service)
{
    for (;;) {
        struct wall_client *first = NULL;
        for (struct wall_client *client = service->clients; client; client = client->next) {
            if (client->pending.for_lock && (!first || client->pending.sequence < first->pending.sequence))
                first = client;
        }
        if (!first)
            return;
        const struct wall_handler_row *row = find_handler(first->pending.type);
        struct wall_client_pending pending = first->pending;
        first->pending = (struct wall_client_pending){0};
        if (row->run(first, pending.serial, pending.request)) {
            first->pending = pending;  // still locked: it stays first
            return;
        }
        (void)sd_event_source_disable_unref(pending.deadline);
        free(pending.request);
        if (!first->pending.for_notify)
            wall_connection_resume(first->connection);
    }
}

static void say_hello(struct wall_client *client, const struct wall_frame *frame, const void *object)
{
    const struct wall_hello_request *hello = object;
    struct wall_connection *connection = client->connection;
    struct wall_error err;
    struct wall_hello_reply reply = {.protocol = WALL_PROTOCOL_VERSION, .version = RINGWALL_VERSION};
    if (client->role || hello->protocol != WALL_PROTOCOL_VERSION || hello->role < WALL_ROLE_ENGINE ||
        hello->role > WALL_ROLE_CONTROL) {
        (void)wall_error_set(&err, -EPROTO, "HELLO: protocol %u, role %u; this service speaks protocol %u",
                             hello->protocol, hello->role, WALL_PROTOCOL_VERSION);
        reply.reply = (struct wall_reply){.status = ERROR_INVALID_PARAMETER, .error = err.text};
        wall_client_reply(client, frame->type, frame->serial, &reply);
        wall_connection_close(connection, &err);
        return;
    }
    client->role = hello->role;
    (void)snprintf(client->name, sizeof(client->name), "%s", hello->name ? hello->name : "");
    wall_client_reply(client, frame->type, frame->serial, &reply);
}

// In the numbers of the client's channel (struct wall_reply).
static uint32_t denied_status(uint32_t role)
{
    switch (role) {
    case WALL_ROLE_CONTROL:
        return EACCES;
    case WALL_ROLE_CALLOUTS:
        return (uint32_t)STATUS_ACCESS_DENIED;
    default:
        return ERROR_ACCESS_DENIED;
    }
}

static void run_request(struct wall_client *client, const struct wall_frame *frame, void *object)
{
    const struct wall_handler_row *row = find_handler(frame->type);
    if (!row || (row->role != client->role)) {
        wall_client_status(client, frame->type, frame->serial, ERROR_INVALID_FUNCTION,
                           "this message is not for a connection of this role");
        free(object);
        return;
    }
    if (row->changes && !client->connection->peer.may_write) {
        wall_client_status(client, frame->type, frame->serial, denied_status(client->role),
                           "only root and members of the group " WALL_ACCOUNT_GROUP " may do this");
        free(object);
        return;
    }
    if (row->run(client, frame->serial, object))
        wait_for_lock(client, frame->type, frame->serial, object);
    else
        free(object);
}

void wall_client_frame(void *context, struct wall_connection *connection, const struct wall_frame *frame)
{
    struct wall_service *service = context;
    struct wall_client *client = connection->state;
    if (!client)
        client = add_client(service, connection);
    if (!client) {
        wall_connection_close(connection, NULL);
        return;
    }
    struct wall_error err = {0};
    if (frame->flags & WALL_FRAME_REPLY) {
        bool is_device = frame->type == WALL_MESSAGE_DEVICE_OPEN || frame->type == WALL_MESSAGE_DEVICE_CONTROL;
        int good = is_device ? wall_files_reply(service, connection, frame, &err)
                             : wall_callouts_reply(&service->callouts, connection, frame, &err);
        if (good < 0)
            wall_connection_close(connection, &err);
        return;
    }
    void *object = NULL;
    int r = wall_message_decode(frame, WALL_MESSAGE_TO_SERVICE, &object, &err);
    if (r == 0 && !client->role && frame->type != WALL_MESSAGE_HELLO)
        r = wall_error_set(&err, -EPROTO, "the first message must be HELLO");
    if (r < 0) {
        wall_client_status(client, frame->type, frame->serial, ERROR_INVALID_DATA, err.text);
        wall_connection_close(connection, &err);
        free(object);
        return;
    }
    if (frame->type == WALL_MESSAGE_HELLO) {
        say_hello(client, frame, object);
        free(object);
    } else {
        run_request(client, frame, object);
        wall_service_watch_transactions(service);
    }
}
