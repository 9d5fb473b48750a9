// Memory descriptor lists. All memory of a driver host is one address space and always resident: locking and mapping
// are bookkeeping.
#pragma once

#include "pool.h"

typedef struct _MDL {
    struct _MDL *Next;
    CSHORT Size;
    CSHORT MdlFlags;
    struct _EPROCESS *Process;
    PVOID MappedSystemVa;
    PVOID StartVa;
    ULONG ByteCount;
    ULONG ByteOffset;
} MDL, *PMDL;

typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE 0x0008
#define MDL_PARTIAL 0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x0020
#define MDL_WRITE_OPERATION 0x0080

typedef enum _MM_PAGE_PRIORITY { LowPagePriority, NormalPagePriority = 16, HighPagePriority = 32 } MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
typedef enum _MEMORY_CACHING_TYPE { MmNonCached, MmCached, MmWriteCombined } MEMORY_CACHING_TYPE;
typedef enum _LOCK_OPERATION { IoReadAccess, IoWriteAccess, IoModifyAccess } LOCK_OPERATION;

struct _IRP;

NTOS_DECLARATIONS_BEGIN

PMDL IoAllocateMdl(PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN charge_quota, struct _IRP *irp);
VOID IoFreeMdl(PMDL mdl);
VOID IoBuildPartialMdl(PMDL source, PMDL target, PVOID address, ULONG length);
VOID MmBuildMdlForNonPagedPool(PMDL mdl);
VOID MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);
VOID MmUnlockPages(PMDL mdl);
PVOID MmMapLockedPages(PMDL mdl, KPROCESSOR_MODE mode);
PVOID MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE caching, PVOID address,
                                   ULONG bug_check, ULONG priority);
VOID MmUnmapLockedPages(PVOID address, PMDL mdl);
BOOLEAN MmIsAddressValid(PVOID address);
SIZE_T MmSizeOfMdl(PVOID address, SIZE_T length);

NTOS_DECLARATIONS_END

#define MmGetMdlByteCount(mdl) ((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl) ((mdl)->ByteOffset)
#define MmGetMdlVirtualAddress(mdl) ((PVOID)((PCHAR)(mdl)->StartVa + (mdl)->ByteOffset))
#define MmGetSystemAddressForMdlSafe(mdl, priority) ntos_mdl_address(mdl)
#define MmGetSystemAddressForMdl(mdl) ntos_mdl_address(mdl)
#define MmPrepareMdlForReuse(mdl) ((void)(mdl))
#define MmInitializeMdl(mdl, address, length) ntos_mdl_init((mdl), (address), (length))

FORCEINLINE PVOID ntos_mdl_address(PMDL mdl)
{
    return mdl->MappedSystemVa ? mdl->MappedSystemVa : MmGetMdlVirtualAddress(mdl);
}

FORCEINLINE VOID ntos_mdl_init(PMDL mdl, PVOID address, SIZE_T length)
{
    mdl->Next = NULL;
    mdl->Size = (CSHORT)sizeof(MDL);
    mdl->MdlFlags = 0;
    mdl->Process = NULL;
    mdl->MappedSystemVa = NULL;
    mdl->StartVa = PAGE_ALIGN(address);
    mdl->ByteCount = (ULONG)length;
    mdl->ByteOffset = BYTE_OFFSET(address);
}
