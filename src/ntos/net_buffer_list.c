// Pools of NET_BUFFER_LISTs and NET_BUFFERs. A pool is an account: each structure comes from the non-paged pool.
#include "ntos/net_buffer.h"
#include "ntos/pool.h"
#include "ntos/verify.h"

#define LIST_POOL_MAGIC 0x4c706f6fu
#define BUFFER_POOL_MAGIC 0x42706f6fu

struct pool {
    uint32_t magic;
    ULONG tag;
    ULONG data_size;
    USHORT context_size;
    bool with_buffer;
    LONG in_use;
};

// NdisReserved[0] of a list that came with a NET_BUFFER; of a NET_BUFFER that came with an MDL and data.
#define OWNS_FIRST ((PVOID)1)

static struct pool *pool_of(const char *function, NDIS_HANDLE handle, uint32_t magic)
{
    struct pool *pool = handle;
    if (!pool || pool->magic != magic)
        ntos_bugcheck(function, DRIVER_VERIFIER_DETECTED_VIOLATION, "%p is no such pool", handle);
    return pool;
}

static NDIS_HANDLE pool_new(const char *function, uint32_t magic, const NDIS_OBJECT_HEADER *header, SIZE_T least_size,
                            const struct pool *description, const void *owner)
{
    if (!ntos_irql_at_most(function, DISPATCH_LEVEL))
        return NULL;
    if (header->Type != NDIS_OBJECT_TYPE_DEFAULT || header->Revision < 1 || header->Size < least_size) {
        ntos_violation(function, "the header of the parameters is not filled in (type 0x%x, revision %u, size %u)",
                       header->Type, header->Revision, header->Size);
        return NULL;
    }
    struct pool *pool = ntos_pool_allocate(sizeof(*pool), description->tag ? description->tag : NTOS_NDIS_TAG, owner);
    if (!pool)
        return NULL;
    *pool = *description;
    pool->magic = magic;
    return pool;
}

static void pool_free(const char *function, NDIS_HANDLE handle, uint32_t magic)
{
    struct pool *pool = pool_of(function, handle, magic);
    LONG in_use = ReadAcquire(&pool->in_use);
    if (in_use > 0) {
        ntos_violation(function, "%d structures of the pool are still in use", in_use);
        return;
    }
    pool->magic = 0;
    ExFreePool(pool);
}

NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE handle, NET_BUFFER_LIST_POOL_PARAMETERS const *parameters)
{
    struct pool description = { .tag = parameters->PoolTag, .data_size = parameters->DataSize,
                                .context_size = parameters->ContextSize,
                                .with_buffer = parameters->fAllocateNetBuffer };
    return pool_new("NdisAllocateNetBufferListPool", LIST_POOL_MAGIC, &parameters->Header,
                    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, &description, __builtin_return_address(0));
}

VOID NdisFreeNetBufferListPool(NDIS_HANDLE pool)
{
    pool_free("NdisFreeNetBufferListPool", pool, LIST_POOL_MAGIC);
}

NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE handle, NET_BUFFER_POOL_PARAMETERS const *parameters)
{
    struct pool description = { .tag = parameters->PoolTag, .data_size = parameters->DataSize };
    return pool_new("NdisAllocateNetBufferPool", BUFFER_POOL_MAGIC, &parameters->Header,
                    NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1, &description, __builtin_return_address(0));
}

VOID NdisFreeNetBufferPool(NDIS_HANDLE pool)
{
    pool_free("NdisFreeNetBufferPool", pool, BUFFER_POOL_MAGIC);
}

// --- NET_BUFFERs ---

static PNET_BUFFER buffer_new(struct pool *pool, PMDL mdl_chain, ULONG data_offset, SIZE_T data_length,
                              const void *owner)
{
    if (data_length > MAXULONG)
        return NULL;
    PNET_BUFFER buffer = ntos_pool_allocate(sizeof(*buffer), pool && pool->tag ? pool->tag : NTOS_NDIS_TAG, owner);
    if (!buffer)
        return NULL;
    memset(buffer, 0, sizeof(*buffer));
    buffer->MdlChain = mdl_chain;
    buffer->DataOffset = data_offset;
    buffer->DataLength = (ULONG)data_length;
    buffer->NdisPoolHandle = pool;
    NdisAdjustNetBufferCurrentMdl(buffer);
    if (pool)
        (void)InterlockedIncrement(&pool->in_use);
    return buffer;
}

static void buffer_free(PNET_BUFFER buffer)
{
    struct pool *pool = buffer->NdisPoolHandle;
    if (buffer->NdisReserved[0] == OWNS_FIRST)
        ExFreePoolWithTag(buffer->NdisReserved[1], NTOS_NDIS_TAG);
    if (pool)
        (void)InterlockedDecrement(&pool->in_use);
    ExFreePool(buffer);
}

static PNET_BUFFER buffer_new_with_data(struct pool *pool, const void *owner)
{
    PMDL mdl = ntos_mdl_with_data(pool->data_size, owner);
    PNET_BUFFER buffer = mdl ? buffer_new(pool, mdl, 0, 0, owner) : NULL;
    if (buffer) {
        buffer->NdisReserved[0] = OWNS_FIRST;
        buffer->NdisReserved[1] = mdl;
    } else if (mdl) {
        ExFreePoolWithTag(mdl, NTOS_NDIS_TAG);
    }
    return buffer;
}

PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE pool, PMDL mdl_chain, ULONG data_offset, SIZE_T data_length)
{
    return buffer_new(pool_of("NdisAllocateNetBuffer", pool, BUFFER_POOL_MAGIC), mdl_chain, data_offset, data_length,
                      __builtin_return_address(0));
}

PNET_BUFFER NdisAllocateNetBufferMdlAndData(NDIS_HANDLE pool)
{
    return buffer_new_with_data(pool_of("NdisAllocateNetBufferMdlAndData", pool, BUFFER_POOL_MAGIC),
                                __builtin_return_address(0));
}

VOID NdisFreeNetBuffer(PNET_BUFFER buffer)
{
    buffer_free(buffer);
}

// --- Contexts ---

static NDIS_STATUS context_new(PNET_BUFFER_LIST list, USHORT size, USHORT backfill, ULONG tag, const void *owner)
{
    // Room behind the last context that an earlier one asked for is used first.
    NET_BUFFER_LIST_CONTEXT *first = list->Context;
    if (first && first->Offset >= size) {
        first->Offset = (USHORT)(first->Offset - size);
        return NDIS_STATUS_SUCCESS;
    }
    SIZE_T bytes = (SIZE_T)size + backfill;
    if (bytes > MAXUSHORT)
        return NDIS_STATUS_INVALID_PARAMETER;
    NET_BUFFER_LIST_CONTEXT *context = ntos_pool_allocate(sizeof(*context) + bytes, tag, owner);
    if (!context)
        return NDIS_STATUS_RESOURCES;
    memset(context, 0, sizeof(*context) + bytes);
    context->Next = first;
    context->Size = (USHORT)bytes;
    context->Offset = backfill;
    list->Context = context;
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NdisAllocateNetBufferListContext(PNET_BUFFER_LIST list, USHORT size, USHORT backfill, ULONG tag)
{
    return context_new(list, size, backfill, tag ? tag : NTOS_NDIS_TAG, __builtin_return_address(0));
}

VOID NdisFreeNetBufferListContext(PNET_BUFFER_LIST list, USHORT size)
{
    NET_BUFFER_LIST_CONTEXT *context = list->Context;
    if (!context || size > context->Size - context->Offset) {
        ntos_violation("NdisFreeNetBufferListContext", "the list has no context of %u bytes", size);
        return;
    }
    context->Offset = (USHORT)(context->Offset + size);
    if (context->Offset < context->Size)
        return;
    list->Context = context->Next;
    ExFreePool(context);
}

// --- NET_BUFFER_LISTs ---

static PNET_BUFFER_LIST list_new(struct pool *pool, USHORT context_size, USHORT context_backfill, const void *owner)
{
    ULONG tag = pool && pool->tag ? pool->tag : NTOS_NDIS_TAG;
    PNET_BUFFER_LIST list = ntos_pool_allocate(sizeof(*list), tag, owner);
    if (!list)
        return NULL;
    memset(list, 0, sizeof(*list));
    list->NdisPoolHandle = pool;
    if (context_size == 0 && pool)
        context_size = pool->context_size;
    if (context_size + context_backfill > 0 &&
        context_new(list, context_size, context_backfill, tag, owner) != NDIS_STATUS_SUCCESS) {
        ExFreePool(list);
        return NULL;
    }
    if (pool)
        (void)InterlockedIncrement(&pool->in_use);
    return list;
}

static void list_free(PNET_BUFFER_LIST list)
{
    struct pool *pool = list->NdisPoolHandle;
    if (list->NdisReserved[0] == OWNS_FIRST)
        buffer_free(list->NdisReserved[1]);
    while (list->Context) {
        NET_BUFFER_LIST_CONTEXT *context = list->Context;
        list->Context = context->Next;
        ExFreePool(context);
    }
    if (pool)
        (void)InterlockedDecrement(&pool->in_use);
    ExFreePool(list);
}

static PNET_BUFFER_LIST list_own(PNET_BUFFER_LIST list, PNET_BUFFER buffer)
{
    if (!buffer) {
        list_free(list);
        return NULL;
    }
    list->FirstNetBuffer = buffer;
    list->NdisReserved[0] = OWNS_FIRST;
    list->NdisReserved[1] = buffer;
    return list;
}

PNET_BUFFER_LIST NdisAllocateNetBufferList(NDIS_HANDLE handle, USHORT context_size, USHORT context_backfill)
{
    const void *owner = __builtin_return_address(0);
    struct pool *pool = pool_of("NdisAllocateNetBufferList", handle, LIST_POOL_MAGIC);
    PNET_BUFFER_LIST list = list_new(pool, context_size, context_backfill, owner);
    if (!list || !pool->with_buffer || pool->data_size == 0)
        return list;
    return list_own(list, buffer_new_with_data(pool, owner));
}

PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE handle, USHORT context_size, USHORT context_backfill,
                                                       PMDL mdl_chain, ULONG data_offset, SIZE_T data_length)
{
    const void *owner = __builtin_return_address(0);
    struct pool *pool = pool_of("NdisAllocateNetBufferAndNetBufferList", handle, LIST_POOL_MAGIC);
    if (!pool->with_buffer) {
        ntos_violation("NdisAllocateNetBufferAndNetBufferList", "the pool was made without fAllocateNetBuffer");
        return NULL;
    }
    PNET_BUFFER_LIST list = list_new(pool, context_size, context_backfill, owner);
    return list ? list_own(list, buffer_new(pool, mdl_chain, data_offset, data_length, owner)) : NULL;
}

VOID NdisFreeNetBufferList(PNET_BUFFER_LIST list)
{
    if (list->ChildRefCount > 0)
        ntos_violation("NdisFreeNetBufferList", "%d clones of the list are still in use", list->ChildRefCount);
    list_free(list);
}

// --- Clones ---

static void free_chain(PMDL mdl)
{
    while (mdl) {
        PMDL next = mdl->Next;
        IoFreeMdl(mdl);
        mdl = next;
    }
}

// MDLs of their own for the buffer's data, from its first byte on.
static PMDL clone_chain(const NET_BUFFER *buffer)
{
    PMDL first = NULL, *last = &first;
    ULONG left = buffer->DataLength, offset = buffer->CurrentMdlOffset;
    for (PMDL mdl = buffer->CurrentMdl; mdl && left > 0; mdl = mdl->Next, offset = 0) {
        if (offset >= mdl->ByteCount)
            continue;
        ULONG part = min(left, mdl->ByteCount - offset);
        PMDL copy = IoAllocateMdl((PUCHAR)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) + offset, part, FALSE,
                                  FALSE, NULL);
        if (!copy) {
            free_chain(first);
            return NULL;
        }
        MmBuildMdlForNonPagedPool(copy);
        *last = copy;
        last = &copy->Next;
        left -= part;
    }
    return first;
}

static PNET_BUFFER clone_buffer(const NET_BUFFER *original, struct pool *pool, ULONG flags, const void *owner)
{
    if (flags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS)
        return buffer_new(pool, original->MdlChain, original->DataOffset, original->DataLength, owner);
    PMDL chain = clone_chain(original);
    if (!chain && original->DataLength > 0)
        return NULL;
    PNET_BUFFER clone = buffer_new(pool, chain, 0, original->DataLength, owner);
    if (!clone)
        free_chain(chain);
    return clone;
}

VOID NdisFreeCloneNetBufferList(PNET_BUFFER_LIST clone, ULONG flags)
{
    while (clone->FirstNetBuffer) {
        PNET_BUFFER buffer = clone->FirstNetBuffer;
        clone->FirstNetBuffer = buffer->Next;
        if (!(flags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS))
            free_chain(buffer->MdlChain);
        buffer_free(buffer);
    }
    if (clone->ParentNetBufferList)
        (void)InterlockedDecrement(&clone->ParentNetBufferList->ChildRefCount);
    list_free(clone);
}

PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(PNET_BUFFER_LIST original, NDIS_HANDLE list_pool,
                                                NDIS_HANDLE buffer_pool, ULONG flags)
{
    const void *owner = __builtin_return_address(0);
    struct pool *lists = list_pool ? pool_of("NdisAllocateCloneNetBufferList", list_pool, LIST_POOL_MAGIC) : NULL;
    struct pool *buffers =
        buffer_pool ? pool_of("NdisAllocateCloneNetBufferList", buffer_pool, BUFFER_POOL_MAGIC) : NULL;
    PNET_BUFFER_LIST clone = list_new(lists, 0, 0, owner);
    if (!clone)
        return NULL;
    PNET_BUFFER *last = &clone->FirstNetBuffer;
    for (PNET_BUFFER buffer = original->FirstNetBuffer; buffer; buffer = buffer->Next) {
        PNET_BUFFER copy = clone_buffer(buffer, buffers, flags, owner);
        if (!copy) {
            NdisFreeCloneNetBufferList(clone, flags);
            return NULL;
        }
        *last = copy;
        last = &copy->Next;
    }
    memcpy(clone->NetBufferListInfo, original->NetBufferListInfo, sizeof(clone->NetBufferListInfo));
    clone->NblFlags = original->NblFlags;
    clone->Flags = original->Flags;
    clone->ParentNetBufferList = original;
    (void)InterlockedIncrement(&original->ChildRefCount);
    return clone;
}
