#include <fcntl.h>
#include <unistd.h>

#include <wdm.h>

#include "ntos/pool.h"
#include "ntos/verify.h"

#define MDL_TAG 0x206c644du  // 'Mdl '

SIZE_T MmSizeOfMdl(PVOID address, SIZE_T length)
{
    return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length) * sizeof(PFN_NUMBER);
}

PMDL IoAllocateMdl(PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN charge_quota, PIRP irp)
{
    if (!ntos_irql_at_most("IoAllocateMdl", DISPATCH_LEVEL))
        return NULL;
    PMDL mdl = ntos_pool_allocate(MmSizeOfMdl(address, length), MDL_TAG, __builtin_return_address(0));
    if (!mdl)
        return NULL;
    MmInitializeMdl(mdl, address, length);
    if (irp && !secondary) {
        irp->MdlAddress = mdl;
    } else if (irp) {
        PMDL last = irp->MdlAddress;
        while (last && last->Next)
            last = last->Next;
        if (last)
            last->Next = mdl;
        else
            irp->MdlAddress = mdl;
    }
    return mdl;
}

VOID IoFreeMdl(PMDL mdl)
{
    if (mdl->MdlFlags & MDL_PAGES_LOCKED)
        ntos_violation("IoFreeMdl", "the MDL's pages are still locked");
    ExFreePoolWithTag(mdl, MDL_TAG);
}

VOID IoBuildPartialMdl(PMDL source, PMDL target, PVOID address, ULONG length)
{
    ULONG_PTR start = (ULONG_PTR)MmGetMdlVirtualAddress(source), at = (ULONG_PTR)address;
    if (at < start || at - start > source->ByteCount || length > source->ByteCount - (at - start)) {
        ntos_violation("IoBuildPartialMdl", "the range lies outside of the source MDL");
        return;
    }
    if (length == 0)
        length = source->ByteCount - (ULONG)(at - start);
    MmInitializeMdl(target, address, length);
    target->MdlFlags = MDL_PARTIAL;
    if (source->MappedSystemVa) {
        target->MappedSystemVa = (PCHAR)source->MappedSystemVa + (at - start);
        target->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    }
}

VOID MmBuildMdlForNonPagedPool(PMDL mdl)
{
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
}

// The kernel reads the bytes for us, so that a wrong address is an error and no fault.
static bool readable(const void *address, size_t length)
{
    ULONG_PTR at = (ULONG_PTR)address, end = at + length;
    int pipe_ends[2];
    if (length == 0)
        return true;
    if (end < at || pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    bool good = true;
    for (; at < end && good; at = (at & ~(ULONG_PTR)(PAGE_SIZE - 1)) + PAGE_SIZE) {
        char drain;
        good = write(pipe_ends[1], (const void *)at, 1) == 1 && read(pipe_ends[0], &drain, 1) == 1;
    }
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    return good;
}

VOID MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    (void)ntos_irql_at_most("MmProbeAndLockPages", mode == UserMode ? APC_LEVEL : DISPATCH_LEVEL);
    if (!readable(MmGetMdlVirtualAddress(mdl), mdl->ByteCount))
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
    if (operation != IoReadAccess)
        mdl->MdlFlags |= MDL_WRITE_OPERATION;
}

VOID MmUnlockPages(PMDL mdl)
{
    if (!(mdl->MdlFlags & MDL_PAGES_LOCKED))
        ntos_violation("MmUnlockPages", "the MDL's pages are not locked");
    mdl->MdlFlags &= (CSHORT)~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION);
    mdl->MappedSystemVa = NULL;
}

PVOID MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE caching, PVOID address,
                                   ULONG bug_check, ULONG priority)
{
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    return mdl->MappedSystemVa;
}

PVOID MmMapLockedPages(PMDL mdl, KPROCESSOR_MODE mode)
{
    return MmMapLockedPagesSpecifyCache(mdl, mode, MmCached, NULL, FALSE, NormalPagePriority);
}

VOID MmUnmapLockedPages(PVOID address, PMDL mdl)
{
    mdl->MdlFlags &= (CSHORT)~MDL_MAPPED_TO_SYSTEM_VA;
    mdl->MappedSystemVa = NULL;
}

BOOLEAN MmIsAddressValid(PVOID address)
{
    return readable(address, 1);
}
