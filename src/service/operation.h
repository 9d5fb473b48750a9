// Operations: what callout drivers do with flows apart from answering: completing what they pended, injecting packets,
// contexts of flows, cutting flows. The handlers of these messages.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/hold.h"

struct wall_client;
struct wall_service;
struct wall_connection;

// A request to complete, whose reply comes when the classification it caused has ended.
struct wall_completion {
    struct wall_completion *next;
    uint64_t id;
    struct wall_client *client;  // NULL: gone meanwhile
    uint32_t serial;
};

// The completion `id` has ended: sends the reply.
// A callout has changed where a connection goes: in its answer to `id`, or for the operation it pended under it.
void wall_operation_redirected(struct wall_service *service, uint64_t id, const struct wall_redirect_version *version);
void wall_operation_completed(struct wall_service *service, uint64_t id);
// Whose completion `id` is: classifications for that connection run on the completing thread. NULL: nobody's.
const struct wall_connection *wall_operation_completer(const struct wall_service *service, uint64_t id);
// The client is gone: it gets no replies any more.
void wall_operations_drop(struct wall_service *service, const struct wall_client *client);
// Tells drivers that a flow has ended.
void wall_operation_flow_ended(struct wall_service *service, uint64_t handle);
