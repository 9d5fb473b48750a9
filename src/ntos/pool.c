#include "ntos/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "ntos/dpc.h"
#include "ntos/verify.h"

#define LIVE_MAGIC 0x4c697665u
#define FREED_MAGIC 0x46726565u
#define TAIL_MAGIC 0x5441494c5441494cull
#define UNINITIALIZED_BYTE 0xCD
#define FREED_BYTE 0xDD

// Before every block; the block itself is 16-byte aligned, from a page upwards page aligned.
struct header {
    LIST_ENTRY entry;
    void *allocation;  // what malloc gave
    size_t size;
    const void *owner;
    uint32_t tag;
    uint32_t magic;
} __attribute__((aligned(16)));

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_ENTRY blocks = { &blocks, &blocks };
static uint64_t block_count, byte_count, refused_count;

static void format_tag(uint32_t tag, char ret_text[5])
{
    for (int i = 0; i < 4; i++) {
        char c = (char)(tag >> (8 * i));
        ret_text[i] = c >= ' ' && c < 127 ? c : '.';
    }
    ret_text[4] = '\0';
}

static bool account(size_t size)
{
    pthread_mutex_lock(&pool_lock);
    bool fits = size <= NTOS_POOL_BYTES_MAX && byte_count + size <= NTOS_POOL_BYTES_MAX;
    if (fits) {
        byte_count += size;
        block_count++;
    } else {
        refused_count++;
    }
    pthread_mutex_unlock(&pool_lock);
    return fits;
}

static void unaccount(size_t size)
{
    pthread_mutex_lock(&pool_lock);
    byte_count -= size;
    block_count--;
    pthread_mutex_unlock(&pool_lock);
}

void *ntos_pool_allocate(SIZE_T size, ULONG tag, const void *owner)
{
    if (!account(size))
        return NULL;
    size_t alignment = size >= PAGE_SIZE ? PAGE_SIZE : 16;
    size_t before = alignment > sizeof(struct header) ? alignment : sizeof(struct header);
    uint64_t tail = TAIL_MAGIC;
    void *allocation;
    if (posix_memalign(&allocation, alignment, before + size + sizeof(tail)) != 0) {
        unaccount(size);
        return NULL;
    }
    char *block = (char *)allocation + before;
    struct header *header = (struct header *)(void *)block - 1;
    *header = (struct header){ .allocation = allocation, .size = size, .owner = owner, .tag = tag,
                               .magic = LIVE_MAGIC };
    memcpy(block + size, &tail, sizeof(tail));
    pthread_mutex_lock(&pool_lock);
    InsertTailList(&blocks, &header->entry);
    pthread_mutex_unlock(&pool_lock);
    return block;
}

static void release(const char *function, void *block, ULONG tag)
{
    (void)ntos_irql_at_most(function, DISPATCH_LEVEL);
    struct header *header = (struct header *)block - 1;
    bool aligned = block && (ULONG_PTR)block % 16 == 0;
    if (!aligned || header->magic != LIVE_MAGIC)
        ntos_bugcheck(function, BAD_POOL_CALLER, "%p is not an allocated block%s", block,
                      aligned && header->magic == FREED_MAGIC ? ": it was freed before" : "");
    char have[5], want[5];
    format_tag(header->tag, have);
    format_tag(tag, want);
    if (tag && tag != header->tag)
        ntos_bugcheck(function, BAD_POOL_CALLER, "the block %p has the tag '%s', not '%s'", block, have, want);
    uint64_t tail;
    memcpy(&tail, (char *)block + header->size, sizeof(tail));
    if (tail != TAIL_MAGIC)
        ntos_bugcheck(function, BAD_POOL_HEADER, "the driver wrote past the end of the %zu bytes with the tag '%s'",
                      header->size, have);
    ntos_dpcs_freed(block, (char *)block + header->size);

    pthread_mutex_lock(&pool_lock);
    RemoveEntryList(&header->entry);
    pthread_mutex_unlock(&pool_lock);
    unaccount(header->size);
    header->magic = FREED_MAGIC;
    memset(block, FREED_BYTE, header->size);
    free(header->allocation);
}

unsigned ntos_pool_sweep(const void *start, const void *end)
{
    unsigned count = 0;
    for (;;) {
        struct header *found = NULL;
        pthread_mutex_lock(&pool_lock);
        for (PLIST_ENTRY entry = blocks.Flink; entry != &blocks && !found; entry = entry->Flink) {
            struct header *header = CONTAINING_RECORD(entry, struct header, entry);
            if ((const char *)header->owner >= (const char *)start && (const char *)header->owner < (const char *)end)
                found = header;
        }
        pthread_mutex_unlock(&pool_lock);
        if (!found)
            return count;
        char tag[5];
        format_tag(found->tag, tag);
        ntos_leak("ExAllocatePoolWithTag", "%zu bytes with the tag '%s', allocated at driver+0x%zx, were not freed",
                  found->size, tag, (size_t)((const char *)found->owner - (const char *)start));
        release("ExFreePool", found + 1, found->tag);
        count++;
    }
}

void ntos_pool_count(struct ntos_counters *ret_counters)
{
    pthread_mutex_lock(&pool_lock);
    ret_counters->pool_blocks = block_count;
    ret_counters->pool_bytes = byte_count;
    ret_counters->pool_refused = refused_count;
    pthread_mutex_unlock(&pool_lock);
}

// --- The API ---

static bool may_allocate(const char *function, bool paged)
{
    return ntos_irql_at_most(function, paged ? APC_LEVEL : DISPATCH_LEVEL);
}

static PVOID allocate2(const char *function, POOL_FLAGS flags, SIZE_T size, ULONG tag, const void *owner)
{
    POOL_FLAGS kind = flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED);
    void *block = NULL;
    if (kind == 0 || (kind & (kind - 1)) != 0)
        ntos_violation(function, "the flags 0x%llx must name one kind of pool", (unsigned long long)flags);
    else if (tag == 0)
        ntos_violation(function, "the tag is 0");
    else if (size == 0)
        ntos_violation(function, "the size is 0");
    else if (may_allocate(function, kind == POOL_FLAG_PAGED))
        block = ntos_pool_allocate(size, tag, owner);
    if (block)
        memset(block, flags & POOL_FLAG_UNINITIALIZED ? UNINITIALIZED_BYTE : 0, size);
    else if (flags & POOL_FLAG_RAISE_ON_FAILURE)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return block;
}

static PVOID allocate(const char *function, POOL_TYPE type, SIZE_T size, ULONG tag, bool zero, const void *owner)
{
    void *block = NULL;
    if (may_allocate(function, type & PagedPool))
        block = ntos_pool_allocate(size, tag, owner);
    if (block)
        memset(block, zero ? 0 : UNINITIALIZED_BYTE, size);
    else if (type & POOL_RAISE_IF_ALLOCATION_FAILURE)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return block;
}

#define NO_TAG 0x656e6f4eu  // 'None', as Windows tags what ExAllocatePool gives

PVOID ExAllocatePool2(POOL_FLAGS flags, SIZE_T size, ULONG tag)
{
    return allocate2("ExAllocatePool2", flags, size, tag, __builtin_return_address(0));
}

PVOID ExAllocatePool3(POOL_FLAGS flags, SIZE_T size, ULONG tag, PVOID parameters, ULONG parameter_count)
{
    return allocate2("ExAllocatePool3", flags, size, tag, __builtin_return_address(0));
}

PVOID ExAllocatePool(POOL_TYPE type, SIZE_T size)
{
    return allocate("ExAllocatePool", type, size, NO_TAG, false, __builtin_return_address(0));
}

PVOID ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    return allocate("ExAllocatePoolWithTag", type, size, tag, false, __builtin_return_address(0));
}

PVOID ExAllocatePoolWithTagPriority(POOL_TYPE type, SIZE_T size, ULONG tag, EX_POOL_PRIORITY priority)
{
    return allocate("ExAllocatePoolWithTagPriority", type, size, tag, false, __builtin_return_address(0));
}

PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    if (!(type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE))
        type = (POOL_TYPE)(type | POOL_RAISE_IF_ALLOCATION_FAILURE);
    return allocate("ExAllocatePoolWithQuotaTag", type, size, tag, false, __builtin_return_address(0));
}

PVOID ExAllocatePoolZero(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    return allocate("ExAllocatePoolZero", type, size, tag, true, __builtin_return_address(0));
}

PVOID ExAllocatePoolUninitialized(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    return allocate("ExAllocatePoolUninitialized", type, size, tag, false, __builtin_return_address(0));
}

PVOID ExAllocatePoolQuotaZero(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    return allocate("ExAllocatePoolQuotaZero", type, size, tag, true, __builtin_return_address(0));
}

PVOID ExAllocatePoolPriorityZero(POOL_TYPE type, SIZE_T size, ULONG tag, EX_POOL_PRIORITY priority)
{
    return allocate("ExAllocatePoolPriorityZero", type, size, tag, true, __builtin_return_address(0));
}

VOID ExFreePool(PVOID block)
{
    release("ExFreePool", block, 0);
}

VOID ExFreePoolWithTag(PVOID block, ULONG tag)
{
    release("ExFreePoolWithTag", block, tag);
}

VOID ExFreePool2(PVOID block, ULONG tag, PVOID parameters, ULONG parameter_count)
{
    release("ExFreePool2", block, tag);
}

PVOID MmAllocateNonCachedMemory(SIZE_T size)
{
    return allocate("MmAllocateNonCachedMemory", NonPagedPool, ROUND_TO_PAGES(size), NO_TAG, true,
                    __builtin_return_address(0));
}

VOID MmFreeNonCachedMemory(PVOID base, SIZE_T size)
{
    release("MmFreeNonCachedMemory", base, 0);
}

PVOID MmAllocateContiguousMemory(SIZE_T size, LARGE_INTEGER highest_address)
{
    return allocate("MmAllocateContiguousMemory", NonPagedPool, ROUND_TO_PAGES(size), NO_TAG, true,
                    __builtin_return_address(0));
}

VOID MmFreeContiguousMemory(PVOID base)
{
    release("MmFreeContiguousMemory", base, 0);
}

// --- Lookaside lists ---

static NTSTATUS init_lookaside(PNPAGED_LOOKASIDE_LIST list, POOL_TYPE type, SIZE_T size, ULONG tag)
{
    *list = (NPAGED_LOOKASIDE_LIST){ .L = { .Type = type, .Tag = tag, .Size = size } };
    return STATUS_SUCCESS;
}

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST list, PALLOCATE_FUNCTION allocate_function,
                                     PFREE_FUNCTION free_function, ULONG flags, SIZE_T size, ULONG tag, USHORT depth)
{
    (void)init_lookaside(list, NonPagedPoolNx, size, tag);
    list->L.Allocate = allocate_function;
    list->L.Free = free_function;
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST list, PALLOCATE_FUNCTION allocate_function,
                                    PFREE_FUNCTION free_function, ULONG flags, SIZE_T size, ULONG tag, USHORT depth)
{
    (void)init_lookaside(list, PagedPool, size, tag);
    list->L.Allocate = allocate_function;
    list->L.Free = free_function;
}

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX list, PALLOCATE_FUNCTION_EX allocate_function,
                                     PFREE_FUNCTION_EX free_function, POOL_TYPE type, ULONG flags, SIZE_T size,
                                     ULONG tag, USHORT depth)
{
    (void)init_lookaside(list, type, size, tag);
    list->L.AllocateEx = allocate_function;
    list->L.FreeEx = free_function;
    return STATUS_SUCCESS;
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST list)
{
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST list)
{
    if (list->L.AllocateEx)
        return list->L.AllocateEx(list->L.Type, list->L.Size, list->L.Tag, list);
    if (list->L.Allocate)
        return list->L.Allocate(list->L.Type, list->L.Size, list->L.Tag);
    return allocate("ExAllocateFromLookasideList", list->L.Type, list->L.Size, list->L.Tag, false,
                    __builtin_return_address(0));
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST list, PVOID block)
{
    if (list->L.FreeEx)
        list->L.FreeEx(block, list);
    else if (list->L.Free)
        list->L.Free(block);
    else
        release("ExFreeToLookasideList", block, list->L.Tag);
}
