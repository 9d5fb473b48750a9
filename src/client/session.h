// What is behind an engine handle: its link, and its subscriptions with the thread that delivers to them.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/engine.h"
#include "client/handle.h"
#include "client/link.h"

struct subscription;
struct notification;

struct wall_client_engine {
    struct wall_handle_object object;
    struct wall_link *link;

    pthread_mutex_t lock;  // of what follows
    pthread_cond_t changed;
    struct subscription *subscriptions;
    struct notification *first, **last;  // not yet delivered
    uint32_t waiting;                    // their number
    uint64_t dropped;
    uint32_t subscribing;        // SUBSCRIBE calls under way: their notifications may be here before their handle
    struct subscription *running;  // whose callback runs
    pthread_t delivery;
    bool delivering;  // the delivery thread exists
    bool stopping;
};

// Calls the service. On success *ret_reply (unless NULL) is the reply, for free(). Returns the reply's status, or what
// the user-mode API returns when there is no reply.
uint32_t wall_client_call(struct wall_client_engine *engine, enum wall_message_type type, const void *request,
                          void **ret_reply);

// Takes over a notification of the link (type CHANGE or NET_EVENT). Called by the link's reader.
void wall_client_notified(struct wall_client_engine *engine, enum wall_message_type type, void *object);
// Ends the delivery thread; waits for the callback that runs, unless called by it.
void wall_client_stop_delivery(struct wall_client_engine *engine);
// Whether this is the delivery thread.
bool wall_client_is_delivery(const struct wall_client_engine *engine);
