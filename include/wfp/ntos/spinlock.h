// Spin locks. Acquiring raises to DISPATCH_LEVEL; a lock remembers its owner, so that taking it twice is a bug check
// (SPIN_LOCK_ALREADY_OWNED) and not a hang.
#pragma once

#include "irql.h"

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _KSPIN_LOCK_QUEUE {
    struct _KSPIN_LOCK_QUEUE *volatile Next;
    PKSPIN_LOCK volatile Lock;
} KSPIN_LOCK_QUEUE, *PKSPIN_LOCK_QUEUE;

typedef struct _KLOCK_QUEUE_HANDLE {
    KSPIN_LOCK_QUEUE LockQueue;
    KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

// Readers and one writer.
typedef volatile LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK;

NTOS_DECLARATIONS_BEGIN

VOID KeInitializeSpinLock(PKSPIN_LOCK lock);
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock);
#define KeAcquireSpinLock(lock, old_irql) (*(old_irql) = KeAcquireSpinLockRaiseToDpc(lock))
VOID KeReleaseSpinLock(PKSPIN_LOCK lock, KIRQL new_irql);
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock);
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock);
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock);
BOOLEAN KeTestSpinLock(PKSPIN_LOCK lock);
KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK lock);
VOID KeReleaseSpinLockForDpc(PKSPIN_LOCK lock, KIRQL old_irql);

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle);
VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE handle);
VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle);
VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE handle);
#define KeAcquireInStackQueuedSpinLockForDpc KeAcquireInStackQueuedSpinLock
#define KeReleaseInStackQueuedSpinLockForDpc KeReleaseInStackQueuedSpinLock

KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK lock);
KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK lock);
VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK lock, KIRQL old_irql);
VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK lock, KIRQL old_irql);
VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK lock);
VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK lock);
VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK lock);
VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK lock);
LONG ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK lock);

NTOS_DECLARATIONS_END
