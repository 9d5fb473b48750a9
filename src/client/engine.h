// The management API behind its names: every Fwpm function of either mode is one call of these.
//
// They return user-mode statuses and may be called from any thread. Outputs are written only on success; objects and
// arrays returned are one block of memory each, released with FwpmFreeMemory0(). A handle that is not of the kind
// asked for, or is closed, gives ERROR_INVALID_HANDLE.
#pragma once

#include <stdint.h>

#include "fwpmtypes.h"

#include "engine/engine.h"
#include "wire/messages.h"

// --- Engine handles ---

// `server` must be NULL: the engine of this machine. A dynamic session ends with the handle or the process.
uint32_t wall_client_open(const WCHAR *server, uint32_t authentication_service, const FWPM_SESSION0 *session,
                          HANDLE *ret_engine);
// Objects of a dynamic session are gone, and no callback runs any more, when it returns (unless it is called by one).
uint32_t wall_client_close(HANDLE engine);

// `type` is WALL_MESSAGE_TRANSACTION_*; `flags` are for BEGIN.
uint32_t wall_client_transaction(HANDLE engine, enum wall_message_type type, uint32_t flags);

// The value is the caller's, one block.
uint32_t wall_client_option_get(HANDLE engine, FWPM_ENGINE_OPTION option, FWP_VALUE0 **ret_value);
uint32_t wall_client_option_set(HANDLE engine, FWPM_ENGINE_OPTION option, const FWP_VALUE0 *value);

// --- Objects. `version` is the digit of the structure: what that version cannot hold is refused or left out. ---

// The newest of all versions.
#define WALL_CLIENT_VERSION_NEWEST 9u

// `descriptor` must be NULL: objects have no security descriptors of their own (ERROR_CALL_NOT_IMPLEMENTED).
// `ret_id` may be NULL.
uint32_t wall_client_add(HANDLE engine, enum wall_object_type type, unsigned version, const void *object,
                         const void *descriptor, uint64_t *ret_id);
uint32_t wall_client_delete_key(HANDLE engine, enum wall_object_type type, const GUID *key);
uint32_t wall_client_delete_id(HANDLE engine, enum wall_object_type type, uint64_t id);
uint32_t wall_client_get_key(HANDLE engine, enum wall_object_type type, unsigned version, const GUID *key,
                             void **ret_object);
uint32_t wall_client_get_id(HANDLE engine, enum wall_object_type type, unsigned version, uint64_t id,
                            void **ret_object);

// --- Enumerations; `type` is an enum wall_object_type or WALL_ANY_NET_EVENT ---

// `template_` is the type's FWPM_*_ENUM_TEMPLATE0, or NULL for everything.
uint32_t wall_client_enumerate(HANDLE engine, uint32_t type, const void *template_, HANDLE *ret_enumeration);
uint32_t wall_client_enumeration_next(HANDLE engine, HANDLE enumeration, uint32_t type, unsigned version,
                                      uint32_t count, void ***ret_entries, uint32_t *ret_count);
uint32_t wall_client_enumeration_free(HANDLE engine, HANDLE enumeration, uint32_t type);

// --- Subscriptions. Callbacks run one at a time, on a thread of the engine handle; they may call any function. ---

// The member named for the type is valid; net_event[n] takes an FWPM_NET_EVENT<n>.
struct wall_client_callback {
    void *context;
    union {
        void (*provider)(void *context, const FWPM_PROVIDER_CHANGE0 *change);
        void (*provider_context)(void *context, const FWPM_PROVIDER_CONTEXT_CHANGE0 *change);
        void (*sublayer)(void *context, const FWPM_SUBLAYER_CHANGE0 *change);
        void (*callout)(void *context, const FWPM_CALLOUT_CHANGE0 *change);
        void (*filter)(void *context, const FWPM_FILTER_CHANGE0 *change);
        void (*net_event1)(void *context, const FWPM_NET_EVENT1 *event);
        void (*net_event2)(void *context, const FWPM_NET_EVENT2 *event);
        void (*net_event3)(void *context, const FWPM_NET_EVENT3 *event);
        void (*net_event4)(void *context, const FWPM_NET_EVENT4 *event);
        void (*net_event5)(void *context, const FWPM_NET_EVENT5 *event);
    };
};

// Changes waiting for a slow callback of one engine handle; further ones are dropped (WFP calls notifications
// unreliable) and counted in wall_client_dropped().
#define WALL_CLIENT_NOTIFICATIONS_MAX 8192u

// `template_` and `flags` are those of the type's FWPM_*_SUBSCRIPTION0.
uint32_t wall_client_subscribe(HANDLE engine, uint32_t type, unsigned version, const void *template_, uint32_t flags,
                               const struct wall_client_callback *callback, HANDLE *ret_subscription);
// No callback of the subscription runs any more when it returns, unless it is called by one.
uint32_t wall_client_unsubscribe(HANDLE engine, HANDLE subscription, uint32_t type);
// Notifications dropped so far, for tests.
uint64_t wall_client_dropped(HANDLE engine);
