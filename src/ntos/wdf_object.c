#include "ntos/framework.h"

#include <stdlib.h>

#include "ntos/driver.h"

#define OBJECT_MAGIC 0x4f464457u

struct ntos_wdf_context {
    struct ntos_wdf_context *next;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO type;
    max_align_t data[];
};

// Guards parents, children and contexts of all objects.
static KSPIN_LOCK tree_lock;

void *ntos_wdf_of(const char *function, WDFOBJECT handle, enum ntos_wdf_type type)
{
    struct ntos_wdf_object *object = handle;
    if (!object || (ULONG_PTR)object % sizeof(void *) != 0 || object->magic != OBJECT_MAGIC ||
        (type && object->type != type))
        ntos_bugcheck(function, DRIVER_VERIFIER_DETECTED_VIOLATION,
                      "%p is not a handle of the kind this function takes", handle);
    return object;
}

static struct ntos_wdf_context *context_new(const WDF_OBJECT_ATTRIBUTES *attributes)
{
    size_t size = attributes->ContextTypeInfo->ContextSize;
    if (attributes->ContextSizeOverride > size)
        size = attributes->ContextSizeOverride;
    struct ntos_wdf_context *context = calloc(1, sizeof(*context) + size);
    if (context)
        context->type = attributes->ContextTypeInfo->UniqueType;
    return context;
}

void *ntos_wdf_new(enum ntos_wdf_type type, size_t size, const WDF_OBJECT_ATTRIBUTES *attributes,
                   struct ntos_wdf_object *parent)
{
    struct ntos_wdf_object *object = calloc(1, size);
    bool has_context = attributes && attributes->ContextTypeInfo;
    struct ntos_wdf_context *context = has_context ? context_new(attributes) : NULL;
    if (!object || (has_context && !context)) {
        free(object);
        free(context);
        return NULL;
    }
    object->magic = OBJECT_MAGIC;
    object->type = type;
    object->references = 1;
    object->contexts = context;
    InitializeListHead(&object->children);
    InitializeListHead(&object->sibling);
    if (attributes) {
        object->cleanup = attributes->EvtCleanupCallback;
        object->destroy = attributes->EvtDestroyCallback;
        if (attributes->ParentObject)
            parent = ntos_wdf_of("WDF_OBJECT_ATTRIBUTES.ParentObject", attributes->ParentObject, 0);
    }
    if (!parent && type != NTOS_WDF_DRIVER) {
        // Objects without a parent belong to the driver.
        struct ntos_driver *loaded = ntos_driver_of(NULL);
        parent = loaded ? (struct ntos_wdf_object *)ntos_wdf_driver_of(loaded->object) : NULL;
    }
    if (parent) {
        KIRQL irql;
        KeAcquireSpinLock(&tree_lock, &irql);
        object->parent = parent;
        InsertTailList(&parent->children, &object->sibling);
        KeReleaseSpinLock(&tree_lock, irql);
    }
    return object;
}

void *ntos_wdf_above(struct ntos_wdf_object *object, enum ntos_wdf_type type)
{
    while (object && object->type != type)
        object = object->parent;
    return object;
}

// --- References ---

VOID WdfObjectReferenceActual(WDFOBJECT handle)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectReference", handle, 0);
    (void)InterlockedIncrement(&object->references);
}

VOID WdfObjectDereferenceActual(WDFOBJECT handle)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectDereference", handle, 0);
    LONG left = InterlockedDecrement(&object->references);
    if (left > 0)
        return;
    if (left < 0 || !object->deleted)
        ntos_bugcheck("WdfObjectDereference", REFERENCE_BY_POINTER, "%p was dereferenced more often than referenced",
                      handle);
    if (object->destroy)
        object->destroy(object);
    if (object->release)
        object->release(object);
    while (object->contexts) {
        struct ntos_wdf_context *context = object->contexts;
        object->contexts = context->next;
        free(context);
    }
    object->magic = 0;
    free(object);
}

// --- Deletion: children first, as the framework does ---

static struct ntos_wdf_object *first_child(struct ntos_wdf_object *object)
{
    struct ntos_wdf_object *child = NULL;
    KIRQL irql;
    KeAcquireSpinLock(&tree_lock, &irql);
    for (PLIST_ENTRY entry = object->children.Flink; entry != &object->children && !child; entry = entry->Flink) {
        struct ntos_wdf_object *at = CONTAINING_RECORD(entry, struct ntos_wdf_object, sibling);
        if (!at->deleted)
            child = at;
    }
    KeReleaseSpinLock(&tree_lock, irql);
    return child;
}

static bool mark_deleted(struct ntos_wdf_object *object)
{
    KIRQL irql;
    KeAcquireSpinLock(&tree_lock, &irql);
    bool first = !object->deleted;
    object->deleted = true;
    KeReleaseSpinLock(&tree_lock, irql);
    return first;
}

void ntos_wdf_delete(struct ntos_wdf_object *object)
{
    if (!mark_deleted(object)) {
        ntos_violation("WdfObjectDelete", "the object %p was deleted before", (void *)object);
        return;
    }
    if (object->stop)
        object->stop(object);
    for (struct ntos_wdf_object *child; (child = first_child(object));)
        ntos_wdf_delete(child);
    if (object->cleanup)
        object->cleanup(object);
    KIRQL irql;
    KeAcquireSpinLock(&tree_lock, &irql);
    RemoveEntryList(&object->sibling);
    InitializeListHead(&object->sibling);
    object->parent = NULL;
    KeReleaseSpinLock(&tree_lock, irql);
    WdfObjectDereferenceActual(object);
}

VOID WdfObjectDelete(WDFOBJECT handle)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectDelete", handle, 0);
    bool framework_owns = object->type == NTOS_WDF_DRIVER || object->type == NTOS_WDF_FILE ||
                          object->type == NTOS_WDF_REQUEST;
    if (framework_owns) {
        ntos_violation("WdfObjectDelete", "drivers do not delete drivers, files or requests");
        return;
    }
    ntos_wdf_delete(object);
}

// --- Contexts ---

static struct ntos_wdf_context *find_context(struct ntos_wdf_object *object, PCWDF_OBJECT_CONTEXT_TYPE_INFO type)
{
    struct ntos_wdf_context *context = object->contexts;
    while (context && context->type != type)
        context = context->next;
    return context;
}

PVOID WdfObjectGetTypedContextWorker(WDFOBJECT handle, PCWDF_OBJECT_CONTEXT_TYPE_INFO type)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectGetTypedContext", handle, 0);
    struct ntos_wdf_context *context = find_context(object, type);
    return context ? context->data : NULL;
}

NTSTATUS WdfObjectAllocateContext(WDFOBJECT handle, PWDF_OBJECT_ATTRIBUTES attributes, PVOID *ret_context)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectAllocateContext", handle, 0);
    if (!attributes->ContextTypeInfo)
        return STATUS_OBJECT_NAME_INVALID;
    struct ntos_wdf_context *made = context_new(attributes);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    KIRQL irql;
    KeAcquireSpinLock(&tree_lock, &irql);
    struct ntos_wdf_context *there = find_context(object, made->type);
    if (!there) {
        made->next = object->contexts;
        object->contexts = made;
    }
    KeReleaseSpinLock(&tree_lock, irql);
    if (there)
        free(made);
    if (ret_context)
        *ret_context = there ? there->data : made->data;
    return there ? STATUS_OBJECT_NAME_EXISTS : STATUS_SUCCESS;
}

// --- Objects that are nothing but a context, and the lock of any object ---

NTSTATUS WdfObjectCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFOBJECT *ret_object)
{
    struct ntos_wdf_object *object = ntos_wdf_new(NTOS_WDF_GENERAL, sizeof(*object), attributes, NULL);
    if (!object)
        return STATUS_INSUFFICIENT_RESOURCES;
    *ret_object = object;
    return STATUS_SUCCESS;
}

VOID WdfObjectAcquireLock(WDFOBJECT handle)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectAcquireLock", handle, 0);
    KIRQL irql;
    KeAcquireSpinLock(&object->lock, &irql);
    object->lock_irql = irql;
}

VOID WdfObjectReleaseLock(WDFOBJECT handle)
{
    struct ntos_wdf_object *object = ntos_wdf_of("WdfObjectReleaseLock", handle, 0);
    KeReleaseSpinLock(&object->lock, object->lock_irql);
}
