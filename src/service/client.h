// Clients: what the service keeps for each connection beyond its socket, and the way from a message to its handler.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/map.h"
#include "service/service.h"
#include "wire/messages.h"

// txnWaitTimeoutInMSec: no limit (INFINITE).
#define WALL_WAIT_FOREVER UINT32_MAX

// Enumerations and subscriptions one client may have open.
#define WALL_CLIENT_ENUMERATIONS_MAX 64u
#define WALL_CLIENT_SUBSCRIPTIONS_MAX 64u

struct wall_client_subscription {
    uint64_t id;
    uint32_t type;  // enum wall_object_type or WALL_ANY_NET_EVENT
    uint32_t flags;
    FWPM_NET_EVENT_ENUM_TEMPLATE0 *net_event;  // owned; NULL: every event
};

// A request that waits: for the write lock, or for a callout's notifyFn.
struct wall_client_pending {
    bool for_lock, for_notify;
    uint64_t sequence;     // order of waiting for the lock
    uint16_t type;
    uint32_t serial;
    void *request;         // decoded; owned
    uint64_t filter_id;    // for_notify: the filter just added
    GUID filter_key;
    uint32_t callout_id;
    bool implicit;         // for_notify: the transaction is the service's own
    sd_event_source *deadline;
};

struct wall_client {
    struct wall_client *next;
    struct wall_service *service;
    struct wall_connection *connection;
    uint32_t role;  // enum wall_role; 0 before HELLO
    char name[128];
    struct wall_session *session;
    struct wall_map enumerations, subscriptions;  // by id
    uint64_t next_id;
    struct wall_client_pending pending;
    struct wall_driver *awaited;  // DRIVER_LOAD or _UNLOAD waits for it
    uint16_t awaited_type;
    uint32_t awaited_serial;
    bool stops;  // STOP waits for the end of the service
    uint32_t stop_serial;
    uint32_t monitor;       // WALL_MONITOR_*
    uint64_t monitor_lost;  // records not sent since the last one that was
};

// The connection's handler (struct wall_server_events).
void wall_client_frame(void *context, struct wall_connection *connection, const struct wall_frame *frame);
void wall_client_closed(void *context, struct wall_connection *connection, const struct wall_error *err);

// Answers of the handlers.
void wall_client_reply(struct wall_client *client, uint16_t type, uint32_t serial, const void *reply);
void wall_client_status(struct wall_client *client, uint16_t type, uint32_t serial, uint32_t status,
                        const char *error);

// The write lock is free: tries the requests that wait for it, in the order they came.
void wall_client_retry(struct wall_service *service);

// A handler: sends exactly one reply, at once or later. Returns true when it must be tried again once the write lock
// is free (then it has sent nothing).
typedef bool (*wall_handler)(struct wall_client *client, uint32_t serial, const void *request);

struct wall_handler_row {
    uint16_t type;
    uint32_t role;     // enum wall_role that may use it
    bool changes;      // only for those who may write
    wall_handler run;
};
extern const struct wall_handler_row wall_management_handlers[];  // ends with type 0
extern const struct wall_handler_row wall_control_handlers[];
extern const struct wall_handler_row wall_operation_handlers[];
extern const struct wall_handler_row wall_file_handlers[];

// management.c
void wall_management_notified(struct wall_service *service, uint64_t connection_id, uint32_t status);
void wall_management_changed(struct wall_service *service, enum wall_object_type type, FWPM_CHANGE_TYPE change,
                             const GUID *key, uint64_t id, const struct wall_session *origin);
void wall_management_closed(struct wall_client *client);
void wall_management_net_event(struct wall_service *service, const FWPM_NET_EVENT5 *event);
