// What adding an object has in common for all types (private to the room).
#pragma once

#include "engine/object.h"
#include "engine/state.h"
#include "engine/status.h"

// An object on its way into the engine. The caller sets the first four members, and `references` of its type.
struct wall_add {
    struct wall_session *session;
    enum wall_object_type type;
    enum wall_lifetime lifetime;
    size_t limit;  // most objects of the type, of all versions
    uint64_t id;
    struct wall_object *references[WALL_REFERENCE_COUNT_];
    struct wall_callout_binding *binding;
    uint16_t layer_id;  // of a filter
};

// FWP_E_NULL_DISPLAY_NAME; FWP_E_NULL_POINTER for a size without data.
wall_status wall_add_check_common(const FWPM_DISPLAY_DATA0 *display, const FWP_BYTE_BLOB *provider_data);

// The lifetime of what `session` adds.
enum wall_lifetime wall_add_lifetime(const struct wall_session *session, bool persistent);

// Finds the provider, judges lifetimes against session and references, limits, and the key: a zero one is replaced.
// `provider_key` may be NULL. Returns 0, PROVIDER_NOT_FOUND, LIFETIME_MISMATCH, DYNAMIC_SESSION_IN_PROGRESS,
// ALREADY_EXISTS, WALL_STATUS_QUOTA or ERROR_NOT_ENOUGH_MEMORY.
wall_status wall_add_prepare(struct wall_add *adding, GUID *key, const GUID *provider_key);

// Copies `data` and makes it visible to the writer.
wall_status wall_add_finish(struct wall_add *adding, const void *data);

// A new id. While persistent objects are loaded they keep the one they had (`wanted`), if it is free.
uint64_t wall_add_take_id(struct wall_add *adding, uint64_t *last_id, uint64_t wanted);

// The object of `key` that the session's writer sees, or NULL.
struct wall_object *wall_add_find(const struct wall_add *adding, enum wall_object_type type, const GUID *key);
