// NDIS's own names for memory, objects and locks.
#include <ndis.h>

#include "ntos/net_buffer.h"
#include "ntos/pool.h"
#include "ntos/verify.h"

PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(PDRIVER_OBJECT driver, ULONG tag, USHORT size)
{
    PNDIS_GENERIC_OBJECT object =
        ntos_pool_allocate(sizeof(*object) + size, tag ? tag : NTOS_NDIS_TAG, __builtin_return_address(0));
    if (!object)
        return NULL;
    memset(object, 0, sizeof(*object) + size);
    object->Header = (NDIS_OBJECT_HEADER){ NDIS_OBJECT_TYPE_DEFAULT, 1, (USHORT)(sizeof(*object) + size) };
    object->DriverObject = driver;
    return object;
}

VOID NdisFreeGenericObject(PNDIS_GENERIC_OBJECT object)
{
    ExFreePool(object);
}

PMDL NdisAllocateMdl(NDIS_HANDLE handle, PVOID address, UINT length)
{
    PMDL mdl = ntos_pool_allocate(sizeof(MDL), NTOS_NDIS_TAG, __builtin_return_address(0));
    if (!mdl)
        return NULL;
    MmInitializeMdl(mdl, address, length);
    MmBuildMdlForNonPagedPool(mdl);
    return mdl;
}

VOID NdisFreeMdl(PMDL mdl)
{
    ExFreePoolWithTag(mdl, NTOS_NDIS_TAG);
}

PVOID NdisAllocateMemoryWithTagPriority(NDIS_HANDLE handle, UINT length, ULONG tag, EX_POOL_PRIORITY priority)
{
    return ntos_pool_allocate(length, tag, __builtin_return_address(0));
}

NDIS_STATUS NdisAllocateMemoryWithTag(PVOID *address, UINT length, ULONG tag)
{
    *address = ntos_pool_allocate(length, tag, __builtin_return_address(0));
    return *address ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
}

VOID NdisFreeMemory(PVOID address, UINT length, UINT flags)
{
    ExFreePool(address);
}

// --- Spin locks ---

VOID NdisAllocateSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeInitializeSpinLock(&lock->SpinLock);
}

VOID NdisFreeSpinLock(PNDIS_SPIN_LOCK lock)
{
}

VOID NdisAcquireSpinLock(PNDIS_SPIN_LOCK lock)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&lock->SpinLock);
    lock->OldIrql = irql;  // the lock guards it
}

VOID NdisReleaseSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeReleaseSpinLock(&lock->SpinLock, lock->OldIrql);
}

VOID NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeAcquireSpinLockAtDpcLevel(&lock->SpinLock);
    lock->OldIrql = DISPATCH_LEVEL;
}

VOID NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeReleaseSpinLockFromDpcLevel(&lock->SpinLock);
}

// --- Reader-writer locks ---

enum lock_state { LOCK_FREE, LOCK_READ, LOCK_WRITE };

struct _NDIS_RW_LOCK_EX {
    EX_SPIN_LOCK lock;
};

PNDIS_RW_LOCK_EX NdisAllocateRWLock(NDIS_HANDLE handle)
{
    PNDIS_RW_LOCK_EX lock = ntos_pool_allocate(sizeof(*lock), NTOS_NDIS_TAG, __builtin_return_address(0));
    if (lock)
        lock->lock = 0;
    return lock;
}

VOID NdisFreeRWLock(PNDIS_RW_LOCK_EX lock)
{
    if (lock->lock != 0)
        ntos_violation("NdisFreeRWLock", "the lock is still held");
    ExFreePoolWithTag(lock, NTOS_NDIS_TAG);
}

VOID NdisAcquireRWLockRead(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state, UCHAR flags)
{
    *state = (LOCK_STATE_EX){ ExAcquireSpinLockShared(&lock->lock), LOCK_READ, flags };
}

VOID NdisAcquireRWLockWrite(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state, UCHAR flags)
{
    *state = (LOCK_STATE_EX){ ExAcquireSpinLockExclusive(&lock->lock), LOCK_WRITE, flags };
}

VOID NdisReleaseRWLock(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state)
{
    UCHAR held = state->LockState;
    state->LockState = LOCK_FREE;
    if (held == LOCK_WRITE)
        ExReleaseSpinLockExclusive(&lock->lock, state->OldIrql);
    else if (held == LOCK_READ)
        ExReleaseSpinLockShared(&lock->lock, state->OldIrql);
    else
        ntos_violation("NdisReleaseRWLock", "the lock is not held");
}

// --- Events ---

VOID NdisInitializeEvent(PNDIS_EVENT event)
{
    KeInitializeEvent(&event->Event, NotificationEvent, FALSE);
}

VOID NdisSetEvent(PNDIS_EVENT event)
{
    (void)KeSetEvent(&event->Event, IO_NO_INCREMENT, FALSE);
}

VOID NdisResetEvent(PNDIS_EVENT event)
{
    KeClearEvent(&event->Event);
}

BOOLEAN NdisWaitEvent(PNDIS_EVENT event, UINT ms)
{
    LARGE_INTEGER timeout = { .QuadPart = -(LONGLONG)ms * 10000 };
    return (BOOLEAN)(KeWaitForSingleObject(&event->Event, Executive, KernelMode, FALSE, ms ? &timeout : NULL) ==
                     STATUS_SUCCESS);
}

VOID NdisMSleep(ULONG microseconds)
{
    LARGE_INTEGER interval = { .QuadPart = -(LONGLONG)microseconds * 10 };
    (void)KeDelayExecutionThread(KernelMode, FALSE, &interval);
}
