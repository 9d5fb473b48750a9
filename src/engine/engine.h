// The filter engine: the WFP object store (what BFE does on Windows) and its run-time policy.
//
// Portable, no I/O, no threads: the caller serialises all calls. Statuses are the user-mode codes (0, FWP_E_*,
// ERROR_*); the client library gives kernel clients the STATUS_FWP_* twin. Functions take the public WFP structures
// and copy what they keep; what they return is one block that the caller releases with free().
// Reference: wfp-reference sections 1, 2, 5. `engine/` is the specification: every other evaluator must agree with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpmtypes.h"
#include "fwptypes.h"

struct wall_engine;
struct wall_filter;
struct wall_session;
struct wall_policy;

typedef uint32_t wall_status;

// The call must wait for another session's write transaction. It never reaches a client: the service queues the
// call, repeats it after `lock_released`, and answers FWP_E_TIMEOUT once the session's wait time is over.
#define WALL_STATUS_WAIT 0xFFFF0001u

enum wall_object_type {
    WALL_OBJECT_PROVIDER,
    WALL_OBJECT_PROVIDER_CONTEXT,
    WALL_OBJECT_SUBLAYER,
    WALL_OBJECT_LAYER,
    WALL_OBJECT_CALLOUT,
    WALL_OBJECT_FILTER,
    WALL_OBJECT_SESSION,
    WALL_OBJECT_COUNT_
};

// Who a session belongs to: established by the service from the peer's credentials, never told by the client.
struct wall_caller {
    uint32_t process_id;
    uint32_t user_id;       // Linux uid; the session's SID is S-1-22-1-<uid>
    const char *user_name;  // UTF-8, may be NULL
    bool kernel_mode;       // a driver: no access checks, no limit on how long a transaction is held
    bool may_write;         // others get ERROR_ACCESS_DENIED from every call that changes something
};

// Called by the engine while it is in a consistent state; the functions must not call back into it. Any may be NULL.
struct wall_engine_events {
    void *context;
    // A write transaction ended: queued calls may be tried again.
    void (*lock_released)(void *context);
    // Puts the run-time policy of a commit in force; `policy` is borrowed. Another status than 0 makes the commit fail
    // with it: then the policy before must still be in force.
    wall_status (*policy_enforce)(void *context, struct wall_policy *policy);
    // A filter was added, perhaps in a transaction that may yet be aborted. It is borrowed, and lives at least as long
    // as the transaction.
    void (*filter_added)(void *context, uint16_t layer_id, const struct wall_filter *filter);
    // A commit added or deleted an object. `origin` is the session that did it.
    void (*object_changed)(void *context, enum wall_object_type type, FWPM_CHANGE_TYPE change, const GUID *key,
                           uint64_t id, const struct wall_session *origin);
    // Persistent objects of one commit: begin, put (object == NULL: forget it) any number of times, commit. They run
    // before the commit takes effect; a non-zero status aborts the transaction and is what the caller gets.
    wall_status (*store_begin)(void *context);
    wall_status (*store_put)(void *context, enum wall_object_type type, const GUID *key, const void *object);
    wall_status (*store_commit)(void *context);
    // Whether the service that a persistent provider names would be started at boot; if not, the provider's objects are
    // kept but disabled. NULL: all are.
    bool (*provider_enabled)(void *context, const WCHAR *service_name);
    // A net event was taken into the buffer. `event` is borrowed.
    void (*net_event)(void *context, const FWPM_NET_EVENT5 *event);
};

// Milliseconds of a clock that never goes back (for transaction limits); seconds as FILETIME come with net events.
typedef uint64_t (*wall_clock)(void *context);

// Makes an engine with the built-in objects. Returns 0 or -ENOMEM.
int wall_engine_new(const struct wall_engine_events *events, wall_clock now_ms, struct wall_engine **ret_engine);
void wall_engine_free(struct wall_engine *engine);

// Puts back one persistent object read from the store, before any session is opened. References must be loaded first
// (providers, provider contexts, sublayers, callouts, filters, in this order). Ids are kept. Returns what Add would
// return; an object that is refused leaves the others as they are.
wall_status wall_engine_load(struct wall_engine *engine, enum wall_object_type type, const void *object);
// Makes what was loaded effective, in one commit. Opening a session does it, too.
wall_status wall_engine_load_done(struct wall_engine *engine);

// --- Sessions (FwpmEngineOpen0 …) ---
wall_status wall_session_open(struct wall_engine *engine, const FWPM_SESSION0 *session,
                              const struct wall_caller *caller, struct wall_session **ret_session);
// Ends a session as a client's death does: aborts its transaction, deletes the objects of a dynamic session (in one
// commit that cannot fail), frees it.
void wall_session_close(struct wall_session *session);
uint32_t wall_session_wait_ms(const struct wall_session *session);  // its txnWaitTimeoutInMSec, default applied
const FWPM_SESSION0 *wall_session_describe(const struct wall_session *session);

// --- Transactions ---
wall_status wall_transaction_begin(struct wall_session *session, uint32_t flags);
wall_status wall_transaction_commit(struct wall_session *session);
wall_status wall_transaction_abort(struct wall_session *session);
bool wall_transaction_active(const struct wall_session *session);
// Aborts user-mode transactions held longer than an hour (wfp-reference 1.4). Returns milliseconds until the next one
// could expire, or UINT64_MAX.
uint64_t wall_transaction_expire(struct wall_engine *engine);

// --- Objects: add. A zero key is replaced by a new one; `ret_id` and `ret_key` may be NULL. ---
wall_status wall_provider_add(struct wall_session *session, const FWPM_PROVIDER0 *provider, GUID *ret_key);
wall_status wall_provider_context_add(struct wall_session *session, const FWPM_PROVIDER_CONTEXT3 *context,
                                      GUID *ret_key, uint64_t *ret_id);
wall_status wall_sublayer_add(struct wall_session *session, const FWPM_SUBLAYER0 *sublayer, GUID *ret_key);
wall_status wall_callout_add(struct wall_session *session, const FWPM_CALLOUT0 *callout, GUID *ret_key,
                             uint32_t *ret_id);
wall_status wall_filter_add(struct wall_session *session, const FWPM_FILTER0 *filter, GUID *ret_key, uint64_t *ret_id);

// --- Objects: delete and get, by key (key != NULL) or by id. Providers, sublayers and sessions have no id. ---
wall_status wall_object_delete(struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id);
// `ret_object` is a copy of the type's structure (FWPM_PROVIDER0, FWPM_PROVIDER_CONTEXT3, FWPM_SUBLAYER0, FWPM_LAYER0,
// FWPM_CALLOUT0, FWPM_FILTER0).
wall_status wall_object_get(struct wall_session *session, enum wall_object_type type, const GUID *key, uint64_t id,
                            void **ret_object);

// --- Enumeration: a snapshot taken at creation; `template` is the type's FWPM_*_ENUM_TEMPLATE0 or NULL. ---
struct wall_enumeration;
wall_status wall_enumeration_new(struct wall_session *session, enum wall_object_type type, const void *template_,
                                 struct wall_enumeration **ret_enumeration);
// The next at most `count` objects, each a copy of the type's structure, borrowed until the enumeration is freed.
// *ret_count < count: there are no more.
wall_status wall_enumeration_next(struct wall_enumeration *enumeration, uint32_t count, const void *const **ret_objects,
                                  uint32_t *ret_count);
void wall_enumeration_free(struct wall_enumeration *enumeration);

// --- Options (FwpmEngineGetOption0 / SetOption0) ---
wall_status wall_option_get(struct wall_session *session, FWPM_ENGINE_OPTION option, FWP_VALUE0 *ret_value);
wall_status wall_option_set(struct wall_session *session, FWPM_ENGINE_OPTION option, const FWP_VALUE0 *value);

// --- Run-time registration of callouts (FwpsCalloutRegister): keyed by GUID, in any order with FwpmCalloutAdd ---
// `flags` are FWP_CALLOUT_FLAG_*; the id is the same one the FWPM object has or will get.
wall_status wall_callout_register(struct wall_engine *engine, const GUID *callout_key, uint32_t flags,
                                  uint32_t *ret_id);
wall_status wall_callout_unregister(struct wall_engine *engine, uint32_t callout_id);
bool wall_callout_registered(const struct wall_engine *engine, uint32_t callout_id);
// The run-time id of a callout key, registered or added or both; 0 when neither.
uint32_t wall_callout_id(const struct wall_engine *engine, const GUID *callout_key);

// --- Run-time policy: immutable, counted references ---
struct wall_policy *wall_engine_policy(const struct wall_engine *engine);  // the committed one, borrowed
struct wall_policy *wall_policy_ref(struct wall_policy *policy);
void wall_policy_unref(struct wall_policy *policy);
uint64_t wall_policy_generation(const struct wall_policy *policy);  // one more with every commit that changes it
