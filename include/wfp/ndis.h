// The part of NDIS that callout drivers use: network data (nbl.h), its pools, and NDIS's names for kernel functions.
#pragma once

// The ndis.h of mingw-w64 does not compile, so its drivers take these declarations as well.
#if defined(_WIN32) && !defined(__MINGW32__)
#include_next <ndis.h>
#endif

#include "nbl.h"

#if !defined(_WIN32) || defined(__MINGW32__)

#ifdef _WIN32
typedef unsigned int UINT;
#define NTOS_DECLARATIONS_BEGIN
#define NTOS_DECLARATIONS_END
#endif

#define NDIS_STATUS_SUCCESS ((NDIS_STATUS)STATUS_SUCCESS)
#define NDIS_STATUS_PENDING ((NDIS_STATUS)STATUS_PENDING)
#define NDIS_STATUS_FAILURE ((NDIS_STATUS)STATUS_UNSUCCESSFUL)
#define NDIS_STATUS_RESOURCES ((NDIS_STATUS)STATUS_INSUFFICIENT_RESOURCES)
#define NDIS_STATUS_NOT_SUPPORTED ((NDIS_STATUS)STATUS_NOT_SUPPORTED)
#define NDIS_STATUS_INVALID_PARAMETER ((NDIS_STATUS)STATUS_INVALID_PARAMETER)
#define NDIS_STATUS_BUFFER_OVERFLOW ((NDIS_STATUS)STATUS_BUFFER_OVERFLOW)
#define NDIS_STATUS_INVALID_LENGTH ((NDIS_STATUS)0xC0010014)
#define NDIS_STATUS_INVALID_DATA ((NDIS_STATUS)0xC0010015)
#define NDIS_STATUS_BUFFER_TOO_SHORT ((NDIS_STATUS)0xC0010016)
#define NDIS_STATUS_MEDIA_DISCONNECTED ((NDIS_STATUS)0xC001001F)

typedef UNICODE_STRING NDIS_STRING, *PNDIS_STRING;
typedef LARGE_INTEGER NDIS_PHYSICAL_ADDRESS, *PNDIS_PHYSICAL_ADDRESS;
typedef ULONG NDIS_PORT_NUMBER, *PNDIS_PORT_NUMBER;
typedef ULONG NET_FRAME_TYPE, *PNET_FRAME_TYPE;
#define NDIS_DEFAULT_PORT_NUMBER ((NDIS_PORT_NUMBER)0)

typedef struct _NDIS_OBJECT_HEADER {
    UCHAR Type;
    UCHAR Revision;
    USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

#define NDIS_OBJECT_TYPE_DEFAULT 0x80
#define NDIS_PROTOCOL_ID_DEFAULT 0x00
#define NDIS_PROTOCOL_ID_TCP_IP 0x02
#define NDIS_PROTOCOL_ID_IPX 0x06
#define NDIS_PROTOCOL_ID_NBF 0x07

typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    UCHAR ProtocolId;
    BOOLEAN fAllocateNetBuffer;
    USHORT ContextSize;
    ULONG PoolTag;
    ULONG DataSize;
    ULONG Flags;
} NET_BUFFER_LIST_POOL_PARAMETERS, *PNET_BUFFER_LIST_POOL_PARAMETERS;
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 \
    RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize)

typedef struct _NET_BUFFER_POOL_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    ULONG PoolTag;
    ULONG DataSize;
} NET_BUFFER_POOL_PARAMETERS, *PNET_BUFFER_POOL_PARAMETERS;
#define NET_BUFFER_POOL_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 \
    RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_POOL_PARAMETERS, DataSize)

typedef PMDL NET_BUFFER_ALLOCATE_MDL(PULONG size);
typedef NET_BUFFER_ALLOCATE_MDL *NET_BUFFER_ALLOCATE_MDL_HANDLER;
typedef VOID NET_BUFFER_FREE_MDL(PMDL mdl);
typedef NET_BUFFER_FREE_MDL *NET_BUFFER_FREE_MDL_HANDLER;

#define NDIS_CLONE_FLAGS_RESERVED 0x00000001
#define NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS 0x00000002

typedef struct _NDIS_GENERIC_OBJECT {
    NDIS_OBJECT_HEADER Header;
    PVOID Caller;
    PVOID CallersCaller;
    PDRIVER_OBJECT DriverObject;
} NDIS_GENERIC_OBJECT, *PNDIS_GENERIC_OBJECT;

NTOS_DECLARATIONS_BEGIN

// --- Pools; all but these four at IRQL <= DISPATCH_LEVEL ---

NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE handle, NET_BUFFER_LIST_POOL_PARAMETERS const *parameters);
VOID NdisFreeNetBufferListPool(NDIS_HANDLE pool);
NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE handle, NET_BUFFER_POOL_PARAMETERS const *parameters);
VOID NdisFreeNetBufferPool(NDIS_HANDLE pool);

PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE pool, PMDL mdl_chain, ULONG data_offset, SIZE_T data_length);
// With an MDL and memory of the pool's DataSize.
PNET_BUFFER NdisAllocateNetBufferMdlAndData(NDIS_HANDLE pool);
VOID NdisFreeNetBuffer(PNET_BUFFER buffer);

PNET_BUFFER_LIST NdisAllocateNetBufferList(NDIS_HANDLE pool, USHORT context_size, USHORT context_backfill);
PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE pool, USHORT context_size, USHORT context_backfill,
                                                       PMDL mdl_chain, ULONG data_offset, SIZE_T data_length);
// Frees the list, its contexts and the NET_BUFFER that came with it, not further NET_BUFFERs.
VOID NdisFreeNetBufferList(PNET_BUFFER_LIST list);
NDIS_STATUS NdisAllocateNetBufferListContext(PNET_BUFFER_LIST list, USHORT size, USHORT backfill, ULONG tag);
VOID NdisFreeNetBufferListContext(PNET_BUFFER_LIST list, USHORT size);

// The clone describes the same bytes with MDLs of its own.
PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(PNET_BUFFER_LIST original, NDIS_HANDLE list_pool,
                                                NDIS_HANDLE buffer_pool, ULONG flags);
VOID NdisFreeCloneNetBufferList(PNET_BUFFER_LIST clone, ULONG flags);

// --- Data of a NET_BUFFER ---

// The next `bytes` in one piece: in place if they are and the alignment fits, else copied to `storage`; NULL when there
// are fewer, or `storage` is needed and NULL.
PVOID NdisGetDataBuffer(PNET_BUFFER buffer, ULONG bytes, PVOID storage, ULONG align_multiple, ULONG align_offset);
VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER buffer, ULONG delta, BOOLEAN free_mdl,
                                   NET_BUFFER_FREE_MDL_HANDLER free_handler);
NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER buffer, ULONG delta, ULONG backfill,
                                          NET_BUFFER_ALLOCATE_MDL_HANDLER allocate_handler);
VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST list, ULONG delta, BOOLEAN free_mdl,
                                       NET_BUFFER_FREE_MDL_HANDLER free_handler);
NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST list, ULONG delta, ULONG backfill,
                                              NET_BUFFER_ALLOCATE_MDL_HANDLER allocate_handler,
                                              NET_BUFFER_FREE_MDL_HANDLER free_handler);
NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(PNET_BUFFER to, ULONG to_offset, ULONG bytes, PNET_BUFFER from,
                                             ULONG from_offset, PULONG ret_copied);
VOID NdisAdjustNetBufferCurrentMdl(PNET_BUFFER buffer);

// --- Objects, memory ---

PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(PDRIVER_OBJECT driver, ULONG tag, USHORT size);
VOID NdisFreeGenericObject(PNDIS_GENERIC_OBJECT object);
PMDL NdisAllocateMdl(NDIS_HANDLE handle, PVOID address, UINT length);
VOID NdisFreeMdl(PMDL mdl);
PVOID NdisAllocateMemoryWithTagPriority(NDIS_HANDLE handle, UINT length, ULONG tag, EX_POOL_PRIORITY priority);
NDIS_STATUS NdisAllocateMemoryWithTag(PVOID *address, UINT length, ULONG tag);
VOID NdisFreeMemory(PVOID address, UINT length, UINT flags);

// --- Locks ---

typedef struct _NDIS_SPIN_LOCK {
    KSPIN_LOCK SpinLock;
    KIRQL OldIrql;
} NDIS_SPIN_LOCK, *PNDIS_SPIN_LOCK;

typedef struct _NDIS_RW_LOCK_EX NDIS_RW_LOCK_EX, *PNDIS_RW_LOCK_EX;
typedef struct _LOCK_STATE_EX {
    KIRQL OldIrql;
    UCHAR LockState;
    UCHAR Flags;
} LOCK_STATE_EX, *PLOCK_STATE_EX;
#define NDIS_RWL_AT_DISPATCH_LEVEL 1

typedef struct _NDIS_EVENT {
    KEVENT Event;
} NDIS_EVENT, *PNDIS_EVENT;

VOID NdisAllocateSpinLock(PNDIS_SPIN_LOCK lock);
VOID NdisFreeSpinLock(PNDIS_SPIN_LOCK lock);
VOID NdisAcquireSpinLock(PNDIS_SPIN_LOCK lock);
VOID NdisReleaseSpinLock(PNDIS_SPIN_LOCK lock);
VOID NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK lock);
VOID NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK lock);
PNDIS_RW_LOCK_EX NdisAllocateRWLock(NDIS_HANDLE handle);
VOID NdisFreeRWLock(PNDIS_RW_LOCK_EX lock);
VOID NdisAcquireRWLockRead(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state, UCHAR flags);
VOID NdisAcquireRWLockWrite(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state, UCHAR flags);
VOID NdisReleaseRWLock(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state);
VOID NdisInitializeEvent(PNDIS_EVENT event);
VOID NdisSetEvent(PNDIS_EVENT event);
VOID NdisResetEvent(PNDIS_EVENT event);
// Returns FALSE when the time is over; 0: waits for ever.
BOOLEAN NdisWaitEvent(PNDIS_EVENT event, UINT ms);
VOID NdisMSleep(ULONG microseconds);

NTOS_DECLARATIONS_END

#define NdisGetPoolFromNetBufferList(list) ((list)->NdisPoolHandle)
#define NdisGetPoolFromNetBuffer(buffer) ((buffer)->NdisPoolHandle)
#define NdisGetNextMdl(mdl, next) (*(next) = (mdl)->Next)
#define NdisQueryMdl(mdl, address, length, priority)                             \
    do {                                                                         \
        if (address)                                                             \
            *(PVOID *)(address) = MmGetSystemAddressForMdlSafe(mdl, priority);   \
        *(length) = MmGetMdlByteCount(mdl);                                      \
    } while (0)
#define NdisMoveMemory(to, from, size) RtlMoveMemory(to, from, size)
#define NdisCopyMemory(to, from, size) RtlCopyMemory(to, from, size)
#define NdisZeroMemory(to, size) RtlZeroMemory(to, size)
#define NdisFillMemory(to, size, byte) RtlFillMemory(to, size, byte)
#define NdisEqualMemory(a, b, size) RtlEqualMemory(a, b, size)
#define NdisInitializeListHead(head) InitializeListHead(head)
#define NdisInterlockedIncrement(target) InterlockedIncrement(target)
#define NdisInterlockedDecrement(target) InterlockedDecrement(target)
#define NdisInterlockedInsertHeadList(head, entry, lock) ExInterlockedInsertHeadList(head, entry, &(lock)->SpinLock)
#define NdisInterlockedInsertTailList(head, entry, lock) ExInterlockedInsertTailList(head, entry, &(lock)->SpinLock)
#define NdisInterlockedRemoveHeadList(head, lock) ExInterlockedRemoveHeadList(head, &(lock)->SpinLock)
#define NdisGetCurrentSystemTime(time) KeQuerySystemTime(time)
#define NdisStallExecution(microseconds) KeStallExecutionProcessor(microseconds)
#define NdisInitUnicodeString(string, text) RtlInitUnicodeString(string, text)
#define NDIS_STRING_CONST(text) RTL_CONSTANT_STRING(L##text)

#endif
