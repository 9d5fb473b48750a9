// Reference-counted objects and the handle table.
#pragma once

#include <stdbool.h>

#include <wdm.h>

struct _OBJECT_TYPE {
    const char *name;
    void (*destroy)(void *object);  // frees what the object owns, not the object
};

extern struct _OBJECT_TYPE ntos_thread_type, ntos_process_type, ntos_file_type, ntos_device_type, ntos_driver_type,
    ntos_event_type, ntos_stream_type, ntos_key_type;

// Handles open at once. Windows allows 16 million; a driver with this many has lost count of them.
#define NTOS_HANDLES_MAX 4096

// A zeroed object of `size` bytes with one reference, or NULL.
void *ntos_object_new(struct _OBJECT_TYPE *type, size_t size);
struct _OBJECT_TYPE *ntos_object_type(void *object);
LONG64 ntos_object_references(void *object);

// Makes a handle, which takes a reference of its own. Returns STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
// `owner` is an address in the code that asked for it (who is told of a handle left open).
NTSTATUS ntos_handle_new(void *object, const void *owner, HANDLE *ret_handle);
// The object behind a handle with a new reference, or NULL. `type` NULL: any.
void *ntos_handle_object(HANDLE handle, struct _OBJECT_TYPE *type);
// Closes the handles whose owner lies within [start, end), reporting each. Returns their number.
unsigned ntos_handles_sweep(const void *start, const void *end);
