// Framework memory and collections.
#include <stdlib.h>

#include "ntos/pool.h"
#include "ntos/framework.h"

struct memory {
    struct ntos_wdf_object object;
    PVOID buffer;
    size_t size;
    bool owned;
};

static void release_memory(struct ntos_wdf_object *object)
{
    struct memory *memory = (struct memory *)object;
    if (memory->owned)
        ExFreePool(memory->buffer);
}

NTSTATUS WdfMemoryCreatePreallocated(PWDF_OBJECT_ATTRIBUTES attributes, PVOID buffer, size_t size,
                                     WDFMEMORY *ret_memory)
{
    if (!buffer || size == 0)
        return STATUS_INVALID_PARAMETER;
    struct memory *memory = ntos_wdf_new(NTOS_WDF_MEMORY, sizeof(*memory), attributes, NULL);
    if (!memory)
        return STATUS_INSUFFICIENT_RESOURCES;
    memory->buffer = buffer;
    memory->size = size;
    memory->object.release = release_memory;
    *ret_memory = (WDFMEMORY)memory;
    return STATUS_SUCCESS;
}

NTSTATUS WdfMemoryCreate(PWDF_OBJECT_ATTRIBUTES attributes, POOL_TYPE pool, ULONG tag, size_t size,
                         WDFMEMORY *ret_memory, PVOID *ret_buffer)
{
    if (size == 0)
        return STATUS_INVALID_PARAMETER;
    if (!ntos_irql_at_most("WdfMemoryCreate", pool & PagedPool ? APC_LEVEL : DISPATCH_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PVOID buffer = ntos_pool_allocate(size, tag ? tag : 0x72447846u /* 'FxDr' */, __builtin_return_address(0));
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = WdfMemoryCreatePreallocated(attributes, buffer, size, ret_memory);
    if (!NT_SUCCESS(status)) {
        ExFreePool(buffer);
        return status;
    }
    ((struct memory *)*ret_memory)->owned = true;
    if (ret_buffer)
        *ret_buffer = buffer;
    return STATUS_SUCCESS;
}

PVOID WdfMemoryGetBuffer(WDFMEMORY handle, size_t *size)
{
    struct memory *memory = ntos_wdf_of("WdfMemoryGetBuffer", handle, NTOS_WDF_MEMORY);
    if (size)
        *size = memory->size;
    return memory->buffer;
}

static NTSTATUS check_range(const struct memory *memory, size_t offset, size_t size)
{
    return offset <= memory->size && size <= memory->size - offset ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS WdfMemoryCopyFromBuffer(WDFMEMORY to, size_t offset, PVOID buffer, size_t size)
{
    struct memory *memory = ntos_wdf_of("WdfMemoryCopyFromBuffer", to, NTOS_WDF_MEMORY);
    NTSTATUS status = check_range(memory, offset, size);
    if (NT_SUCCESS(status))
        memmove((char *)memory->buffer + offset, buffer, size);
    return status;
}

NTSTATUS WdfMemoryCopyToBuffer(WDFMEMORY from, size_t offset, PVOID buffer, size_t size)
{
    struct memory *memory = ntos_wdf_of("WdfMemoryCopyToBuffer", from, NTOS_WDF_MEMORY);
    NTSTATUS status = check_range(memory, offset, size);
    if (NT_SUCCESS(status))
        memmove(buffer, (char *)memory->buffer + offset, size);
    return status;
}

// --- Collections: a list of references, not locked, as on Windows ---

struct collection {
    struct ntos_wdf_object object;
    struct ntos_wdf_object **items;
    ULONG count, capacity;
};

static void release_collection(struct ntos_wdf_object *object)
{
    struct collection *collection = (struct collection *)object;
    for (ULONG i = 0; i < collection->count; i++)
        WdfObjectDereferenceActual(collection->items[i]);
    free(collection->items);
}

NTSTATUS WdfCollectionCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFCOLLECTION *ret_collection)
{
    struct collection *collection = ntos_wdf_new(NTOS_WDF_COLLECTION, sizeof(*collection), attributes, NULL);
    if (!collection)
        return STATUS_INSUFFICIENT_RESOURCES;
    collection->object.release = release_collection;
    *ret_collection = (WDFCOLLECTION)collection;
    return STATUS_SUCCESS;
}

static struct collection *collection_of(const char *function, WDFCOLLECTION handle)
{
    return ntos_wdf_of(function, handle, NTOS_WDF_COLLECTION);
}

NTSTATUS WdfCollectionAdd(WDFCOLLECTION handle, WDFOBJECT object)
{
    struct collection *collection = collection_of("WdfCollectionAdd", handle);
    if (collection->count == collection->capacity) {
        ULONG capacity = collection->capacity ? 2 * collection->capacity : 8;
        void *items = reallocarray(collection->items, capacity, sizeof(*collection->items));
        if (!items)
            return STATUS_INSUFFICIENT_RESOURCES;
        collection->items = items;
        collection->capacity = capacity;
    }
    WdfObjectReferenceActual(object);
    collection->items[collection->count++] = object;
    return STATUS_SUCCESS;
}

VOID WdfCollectionRemoveItem(WDFCOLLECTION handle, ULONG index)
{
    struct collection *collection = collection_of("WdfCollectionRemoveItem", handle);
    if (index >= collection->count) {
        ntos_violation("WdfCollectionRemoveItem", "item %u of %u", index, collection->count);
        return;
    }
    struct ntos_wdf_object *object = collection->items[index];
    collection->count--;
    memmove(collection->items + index, collection->items + index + 1,
            (collection->count - index) * sizeof(*collection->items));
    WdfObjectDereferenceActual(object);
}

VOID WdfCollectionRemove(WDFCOLLECTION handle, WDFOBJECT object)
{
    struct collection *collection = collection_of("WdfCollectionRemove", handle);
    ULONG index = 0;
    while (index < collection->count && collection->items[index] != object)
        index++;
    WdfCollectionRemoveItem(handle, index);
}

ULONG WdfCollectionGetCount(WDFCOLLECTION handle)
{
    return collection_of("WdfCollectionGetCount", handle)->count;
}

WDFOBJECT WdfCollectionGetItem(WDFCOLLECTION handle, ULONG index)
{
    struct collection *collection = collection_of("WdfCollectionGetItem", handle);
    return index < collection->count ? collection->items[index] : NULL;
}

WDFOBJECT WdfCollectionGetFirstItem(WDFCOLLECTION handle)
{
    return WdfCollectionGetItem(handle, 0);
}

WDFOBJECT WdfCollectionGetLastItem(WDFCOLLECTION handle)
{
    struct collection *collection = collection_of("WdfCollectionGetLastItem", handle);
    return collection->count ? collection->items[collection->count - 1] : NULL;
}
