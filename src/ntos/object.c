#include "ntos/object.h"

#include <pthread.h>
#include <stdlib.h>

#include "ntos/verify.h"

#define OBJECT_MAGIC 0x6a7c5b2e

struct header {
    uint32_t magic;
    struct _OBJECT_TYPE *type;
    LONG64 references;
} __attribute__((aligned(16)));

struct handle {
    void *object;
    const void *owner;
};

static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle handles[NTOS_HANDLES_MAX];
static unsigned handle_hint;

static void destroy_event(void *object)
{
}

struct _OBJECT_TYPE ntos_event_type = { "Event", destroy_event };
static POBJECT_TYPE event_type = &ntos_event_type, thread_type = &ntos_thread_type, process_type = &ntos_process_type,
                    file_type = &ntos_file_type, device_type = &ntos_device_type, driver_type = &ntos_driver_type;
static struct _OBJECT_TYPE token_type_body = { "Token", destroy_event };
static POBJECT_TYPE token_type = &token_type_body;
POBJECT_TYPE *ExEventObjectType = &event_type;
POBJECT_TYPE *PsThreadType = &thread_type;
POBJECT_TYPE *PsProcessType = &process_type;
POBJECT_TYPE *IoFileObjectType = &file_type;
POBJECT_TYPE *IoDeviceObjectType = &device_type;
POBJECT_TYPE *IoDriverObjectType = &driver_type;
POBJECT_TYPE *SeTokenObjectType = &token_type;

static struct header *header_of(const char *function, void *object)
{
    struct header *header = (struct header *)object - 1;
    if (!object || header->magic != OBJECT_MAGIC)
        ntos_bugcheck(function, REFERENCE_BY_POINTER, "%p is not an object", object);
    return header;
}

void *ntos_object_new(struct _OBJECT_TYPE *type, size_t size)
{
    struct header *header = calloc(1, sizeof(*header) + size);
    if (!header)
        return NULL;
    header->magic = OBJECT_MAGIC;
    header->type = type;
    header->references = 1;
    return header + 1;
}

struct _OBJECT_TYPE *ntos_object_type(void *object)
{
    return header_of("ObReferenceObject", object)->type;
}

LONG64 ntos_object_references(void *object)
{
    return ReadAcquire64(&header_of("ObReferenceObject", object)->references);
}

LONG_PTR ObfReferenceObject(PVOID object)
{
    return InterlockedIncrement64(&header_of("ObReferenceObject", object)->references);
}

LONG_PTR ObfDereferenceObject(PVOID object)
{
    struct header *header = header_of("ObDereferenceObject", object);
    LONG64 left = InterlockedDecrement64(&header->references);
    if (left < 0)
        ntos_bugcheck("ObDereferenceObject", REFERENCE_BY_POINTER, "%s %p has no reference left", header->type->name,
                      object);
    if (left > 0)
        return left;
    header->type->destroy(object);
    header->magic = 0;
    free(header);
    return 0;
}

VOID ObDereferenceObjectDeferDelete(PVOID object)
{
    (void)ObfDereferenceObject(object);
}

// --- Handles: (index + 1) * 4, as Windows numbers them ---

static bool find_index(HANDLE handle, size_t *ret_index)
{
    ULONG_PTR value = (ULONG_PTR)handle;
    if (value == 0 || value % 4 != 0 || value / 4 > NTOS_HANDLES_MAX)
        return false;
    *ret_index = value / 4 - 1;
    return true;
}

NTSTATUS ntos_handle_new(void *object, const void *owner, HANDLE *ret_handle)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&handles_lock);
    for (unsigned i = 0; i < NTOS_HANDLES_MAX; i++) {
        unsigned index = (handle_hint + i) % NTOS_HANDLES_MAX;
        if (handles[index].object)
            continue;
        ObReferenceObject(object);
        handles[index] = (struct handle){ object, owner };
        handle_hint = index + 1;
        *ret_handle = (HANDLE)(ULONG_PTR)((index + 1) * 4);
        status = STATUS_SUCCESS;
        break;
    }
    pthread_mutex_unlock(&handles_lock);
    return status;
}

void *ntos_handle_object(HANDLE handle, struct _OBJECT_TYPE *type)
{
    size_t index;
    if (!find_index(handle, &index))
        return NULL;
    pthread_mutex_lock(&handles_lock);
    void *object = handles[index].object;
    if (object && type && ntos_object_type(object) != type)
        object = NULL;
    if (object)
        ObReferenceObject(object);
    pthread_mutex_unlock(&handles_lock);
    return object;
}

NTSTATUS ZwClose(HANDLE handle)
{
    if (!ntos_irql_at_most("ZwClose", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    size_t index;
    void *object = NULL;
    if (find_index(handle, &index)) {
        pthread_mutex_lock(&handles_lock);
        object = handles[index].object;
        handles[index] = (struct handle){0};
        pthread_mutex_unlock(&handles_lock);
    }
    if (!object) {
        ntos_violation("ZwClose", "handle %p is not open", handle);
        return STATUS_INVALID_HANDLE;
    }
    ObDereferenceObject(object);
    return STATUS_SUCCESS;
}

unsigned ntos_handles_sweep(const void *start, const void *end)
{
    unsigned count = 0;
    for (size_t i = 0; i < NTOS_HANDLES_MAX; i++) {
        pthread_mutex_lock(&handles_lock);
        struct handle handle = handles[i];
        bool ours = handle.object && (const char *)handle.owner >= (const char *)start &&
                    (const char *)handle.owner < (const char *)end;
        if (ours)
            handles[i] = (struct handle){0};
        pthread_mutex_unlock(&handles_lock);
        if (!ours)
            continue;
        ntos_leak("ZwClose", "a handle to a %s object is still open", ntos_object_type(handle.object)->name);
        ObDereferenceObject(handle.object);
        count++;
    }
    return count;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                                   PVOID *object, POBJECT_HANDLE_INFORMATION information)
{
    *object = NULL;
    if (!ntos_irql_at_most("ObReferenceObjectByHandle", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;

    void *found;
    if (handle == NtCurrentThread()) {
        found = KeGetCurrentThread();
        ObReferenceObject(found);
    } else if (handle == NtCurrentProcess()) {
        found = PsGetCurrentProcess();
        ObReferenceObject(found);
    } else {
        found = ntos_handle_object(handle, NULL);
    }
    if (!found)
        return STATUS_INVALID_HANDLE;
    if (type && ntos_object_type(found) != type) {
        ObDereferenceObject(found);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (information)
        *information = (OBJECT_HANDLE_INFORMATION){ 0, access };
    *object = found;
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByPointer(PVOID object, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode)
{
    if (type && ntos_object_type(object) != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    ObReferenceObject(object);
    return STATUS_SUCCESS;
}

NTSTATUS ObOpenObjectByPointer(PVOID object, ULONG attributes, PVOID access_state, ACCESS_MASK access,
                               POBJECT_TYPE type, KPROCESSOR_MODE mode, PHANDLE handle)
{
    if (!ntos_irql_at_most("ObOpenObjectByPointer", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    if (type && ntos_object_type(object) != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    return ntos_handle_new(object, __builtin_return_address(0), handle);
}

// --- Event objects ---

static PKEVENT event_new(EVENT_TYPE type, BOOLEAN state)
{
    PKEVENT event = ntos_object_new(&ntos_event_type, sizeof(KEVENT));
    if (event)
        KeInitializeEvent(event, type, state);
    return event;
}

NTSTATUS ZwCreateEvent(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, EVENT_TYPE type,
                       BOOLEAN state)
{
    if (!ntos_irql_at_most("ZwCreateEvent", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PKEVENT event = event_new(type, state);
    if (!event)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ntos_handle_new(event, __builtin_return_address(0), handle);
    ObDereferenceObject(event);
    return status;
}

NTSTATUS ZwSetEvent(HANDLE handle, PLONG previous)
{
    if (!ntos_irql_at_most("ZwSetEvent", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PKEVENT event = ntos_handle_object(handle, &ntos_event_type);
    if (!event)
        return STATUS_INVALID_HANDLE;
    LONG state = KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    if (previous)
        *previous = state;
    ObDereferenceObject(event);
    return STATUS_SUCCESS;
}

static PKEVENT create_event(PUNICODE_STRING name, EVENT_TYPE type, const void *owner, PHANDLE handle)
{
    PKEVENT event = event_new(type, TRUE);
    if (!event)
        return NULL;
    NTSTATUS status = ntos_handle_new(event, owner, handle);
    ObDereferenceObject(event);  // the handle keeps it
    return NT_SUCCESS(status) ? event : NULL;
}

PKEVENT IoCreateNotificationEvent(PUNICODE_STRING name, PHANDLE handle)
{
    if (!ntos_irql_at_most("IoCreateNotificationEvent", PASSIVE_LEVEL))
        return NULL;
    return create_event(name, NotificationEvent, __builtin_return_address(0), handle);
}

PKEVENT IoCreateSynchronizationEvent(PUNICODE_STRING name, PHANDLE handle)
{
    if (!ntos_irql_at_most("IoCreateSynchronizationEvent", PASSIVE_LEVEL))
        return NULL;
    return create_event(name, SynchronizationEvent, __builtin_return_address(0), handle);
}
