// Enumerations of a client: snapshots of the engine's objects, handed out in pages that fit into a message.
#pragma once

#include "service/client.h"

struct wall_client_enumeration {
    uint64_t id;
    uint32_t type;  // enum wall_object_type or WALL_ANY_NET_EVENT
    struct wall_enumeration *objects;
    const void *held;  // the next object, when it did not fit into the last page
};

// The handlers of ENUMERATION_NEW, _NEXT and _FREE (struct wall_handler_row).
bool wall_enumeration_handle_new(struct wall_client *client, uint32_t serial, const void *request);
bool wall_enumeration_handle_next(struct wall_client *client, uint32_t serial, const void *request);
bool wall_enumeration_handle_free(struct wall_client *client, uint32_t serial, const void *request);
// Frees all of the client's.
void wall_enumeration_drop(struct wall_client *client);
