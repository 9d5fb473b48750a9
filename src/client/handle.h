// Handles: what the API gives out instead of pointers, so that garbage and closed handles are errors, not crashes.
#pragma once

#include <stdint.h>

#include "ntdef.h"

enum wall_handle_kind {
    WALL_HANDLE_FREE,
    WALL_HANDLE_ENGINE,
    WALL_HANDLE_ENUMERATION,
    WALL_HANDLE_SUBSCRIPTION,
    WALL_HANDLE_STATE,  // a subscription to the service's state
};

// Handles of one process at once; more are refused with -EMFILE. Programs hold a handful.
#define WALL_HANDLES_MAX 65536u

// Begins every object behind a handle. Counted references: one is the table's.
struct wall_handle_object {
    uint32_t references;
    void (*destroy)(struct wall_handle_object *object);
    const struct wall_handle_object *owner;  // an enumeration's or subscription's engine; NULL otherwise
};

// Enters an object with its first reference, which the table then holds. Returns 0, -EMFILE or -ENOMEM; then the
// reference stays the caller's.
int wall_handle_new(enum wall_handle_kind kind, struct wall_handle_object *object, HANDLE *ret_handle);
// Takes a reference. NULL when the handle is not of this kind, or `owner` (unless NULL) is not its owner.
void *wall_handle_ref(HANDLE handle, enum wall_handle_kind kind, const void *owner);
// Takes the handle out of the table, with the table's reference. NULL as above.
void *wall_handle_take(HANDLE handle, enum wall_handle_kind kind, const void *owner);
// Takes one handle of `owner` out of the table, whatever its kind; NULL when it has none left.
void *wall_handle_take_owned(const void *owner);
// Takes one more reference, for who has one already.
void wall_handle_object_ref(void *object);
// Drops a reference; the last one destroys the object. `object` may be NULL.
void wall_handle_unref(void *object);
