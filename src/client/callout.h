// Callouts of this process: the functions a driver registered, and the ids they go by.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpsk.h"

// Callouts one process may register; further ones are refused.
#define WALL_CALLOUTS_MAX 1024u

// Ids given out while there is no service: the service's own are below.
#define WALL_CALLOUT_ID_OFFLINE 0x80000000u

union wall_classify_function {
    FWPS_CALLOUT_CLASSIFY_FN0 v0;
    FWPS_CALLOUT_CLASSIFY_FN1 v1;
    FWPS_CALLOUT_CLASSIFY_FN2 v2;
    FWPS_CALLOUT_CLASSIFY_FN3 v3;
};

union wall_notify_function {
    FWPS_CALLOUT_NOTIFY_FN0 v0;
    FWPS_CALLOUT_NOTIFY_FN1 v1;
    FWPS_CALLOUT_NOTIFY_FN2 v2;
    FWPS_CALLOUT_NOTIFY_FN3 v3;
};

struct wall_known_filter;

struct wall_client_callout {
    struct wall_client_callout *next;
    GUID key;
    uint32_t flags;
    unsigned version;  // 0 … 3: which member of the unions
    union wall_classify_function classify;
    union wall_notify_function notify;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flow_delete;  // may be NULL

    // Under the registry's lock:
    uint32_t id;          // what the driver knows
    uint32_t service_id;  // what the service knows; 0: not registered there
    NTSTATUS refused;     // the service does not take it
    unsigned running;        // callbacks under way, and other uses
    unsigned flow_contexts;  // not deleted yet
    bool claimed;            // somebody is unregistering it
    bool leaving;            // no callback starts any more
    struct wall_known_filter *filters;  // told by ADD_FILTER
};

// A callout by the id the service knows, or that the driver knows; NULL when there is none, or it is leaving. It stays
// until wall_callout_unref().
struct wall_client_callout *wall_callout_find(uint32_t service_id);
struct wall_client_callout *wall_callout_find_own(uint32_t id);
void wall_callout_unref(struct wall_client_callout *callout);
// Around each callback: a driver cannot unregister a callout from within (STATUS_DEVICE_BUSY). Entering returns what
// leaving takes.
const struct wall_client_callout *wall_callout_enter(const struct wall_client_callout *callout);
void wall_callout_leave(const struct wall_client_callout *before);

// Contexts that drivers store in filters (FWPS_FILTER.context) belong to this process, so they are kept here.
// Returns 0 or -ENOMEM.
int wall_callout_filter_put(struct wall_client_callout *callout, uint64_t filter_id, uint64_t context);
// What was stored; `otherwise` for an unknown filter.
uint64_t wall_callout_filter_get(struct wall_client_callout *callout, uint64_t filter_id, uint64_t otherwise);
// The same, and forgets it.
uint64_t wall_callout_filter_take(struct wall_client_callout *callout, uint64_t filter_id, uint64_t otherwise);
// Counts flow contexts.
void wall_callout_flow_contexts(struct wall_client_callout *callout, int change);

// For the channel's keeper: registers with the service what is not registered there yet.
void wall_callouts_register_pending(void);
// The service is gone, and with it what it knew: flows lose their contexts and filters are deleted, so that drivers
// can release what they attached.
void wall_callouts_disconnected(void);
