// The engine and its sessions from inside (private to the room).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpstypes.h"

#include "base/arena.h"
#include "base/map.h"
#include "engine/engine.h"
#include "engine/object.h"

#define WALL_OPTION_COUNT 6  // FWPM_ENGINE_OPTION_*

struct wall_net_events;

// The run-time id of a callout key: kept while the callout is registered, or added, or both.
struct wall_callout_binding {
    GUID key;
    uint32_t id;
    uint32_t object_count;  // versions of the FWPM object
    bool registered;
    uint32_t flags;  // FWP_CALLOUT_FLAG_* of the registration
};

enum wall_transaction_state {
    WALL_TRANSACTION_NONE,
    WALL_TRANSACTION_READ,
    WALL_TRANSACTION_WRITE,
    WALL_TRANSACTION_ABORTED,  // by force; the session has not been told yet
};

struct wall_session {
    struct wall_engine *engine;
    struct wall_object *object;  // FWPM_SESSION0
    bool dynamic, kernel_mode, may_write;
    enum wall_transaction_state transaction;
    uint64_t transaction_began_ms;
    uint64_t read_generation;       // of a read-only transaction
    struct wall_object_list owned;  // a dynamic session's objects
};

struct wall_engine {
    struct wall_engine_events events;
    wall_clock now_ms;
    struct wall_index index[WALL_OBJECT_COUNT_];
    struct wall_object *layers[FWPS_BUILTIN_LAYER_MAX];  // by id, borrowed from the index
    struct wall_arena catalog;                           // the layers' structures

    uint64_t generation;  // of the last commit
    struct wall_session *writer;
    bool writer_explicit;
    struct wall_object_list added, deleted;  // by the writer
    struct wall_object_list graveyard;       // deleted, but seen by a read-only transaction; oldest first
    uint32_t reader_count;                   // read-only transactions
    uint32_t filters_max;                    // WALL_FILTERS_MAX

    struct wall_session loader;  // puts the persistent objects back
    uint64_t last_filter_id, last_provider_context_id;
    uint32_t last_callout_id;
    struct wall_map bindings_by_key, bindings_by_id;
    uint32_t registered_count;
    uint64_t sublayer_weights[65536 / 64];  // bit set: taken, in the writer's view

    struct wall_policy *policy;
    bool policy_stale;  // a policy could not be built for want of memory; the next commit builds it
    struct wall_net_events *net_events;
    uint32_t options[WALL_OPTION_COUNT];
};

// What `session` sees now.
struct wall_view wall_session_view(const struct wall_session *session);
// 0, or FWP_E_TXN_ABORTED after a forced abort: what every call that reads begins with.
wall_status wall_session_check(const struct wall_session *session);

// Begins a change: checks the session's rights and takes the write lock unless its transaction has it. On success
// wall_write_leave() must follow; *ret_implicit is for it.
wall_status wall_write_enter(struct wall_session *session, bool *ret_implicit);
// Ends a change: commits an implicit transaction (or drops it when `status` is an error). Returns the final status.
wall_status wall_write_leave(struct wall_session *session, bool implicit, wall_status status);

// Makes `object` visible to the writer; takes it over, also on failure. `id` and `references` are set.
wall_status wall_object_add(struct wall_session *session, struct wall_object *object);
// Takes `object` from the writer's view.
void wall_object_remove(struct wall_engine *engine, struct wall_object *object);
// Releases what one type holds besides its memory (a sublayer's weight, a callout's id).
void wall_object_retire(struct wall_engine *engine, struct wall_object *object);
// Frees what no reader sees any more.
void wall_graveyard_purge(struct wall_engine *engine);
// Deletes the objects of a dynamic session at once, whoever holds the write lock.
void wall_session_rundown(struct wall_session *session);

// Sublayers: the free weight nearest to `wanted`, below first. False when all are taken.
bool wall_sublayer_weight_find(const struct wall_engine *engine, uint16_t wanted, uint16_t *ret_weight);
void wall_sublayer_weight_set(struct wall_engine *engine, uint16_t weight, bool taken);  // takes it or gives it back

// The binding of a callout key, made when there is none; a new one gets `wanted_id` if that is not 0 and free.
// NULL: memory is short.
struct wall_callout_binding *wall_callout_binding_get(struct wall_engine *engine, const GUID *key, uint32_t wanted_id);
// Frees a binding that is neither registered nor added.
void wall_callout_binding_drop(struct wall_engine *engine, struct wall_callout_binding *binding);

// The key of a callout's run-time id, or NULL.
const GUID *wall_callout_key(const struct wall_engine *engine, uint32_t callout_id);

// A copy of an object's structure as a caller gets it, for free(). NULL as wall_shape_clone().
void *wall_object_copy(const struct wall_object *object);

// An enumeration of `count` items, which it frees one by one, and their array. NULL: memory is short.
struct wall_enumeration *wall_enumeration_of_copies(const void **items, size_t count);

// Adds the built-in objects to a new engine. Returns 0 or -ENOMEM.
int wall_builtin_add(struct wall_engine *engine);

// The status for a wall_shape_clone() that failed.
wall_status wall_status_of_copy(void);
