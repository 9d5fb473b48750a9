// Cancel-safe queues and remove locks: both keep a driver from completing an IRP twice or under its feet.
#include <wdm.h>

#include "ntos/verify.h"

enum { CSQ_IRP_CONTEXT = 1, CSQ_PLAIN = 2, CSQ_EX = 3 };

// --- Cancel-safe queues: Tail.Overlay.DriverContext[3] of a queued IRP is the queue, or its context ---

static PIO_CSQ queue_of(PIRP irp, PIO_CSQ_IRP_CONTEXT *ret_context)
{
    PVOID link = irp->Tail.Overlay.DriverContext[3];
    *ret_context = NULL;
    if (*(ULONG *)link != CSQ_IRP_CONTEXT)
        return link;
    *ret_context = link;
    return (*ret_context)->Csq;
}

static void cancel_queued(PDEVICE_OBJECT device, PIRP irp)
{
    IoReleaseCancelSpinLock(irp->CancelIrql);
    PIO_CSQ_IRP_CONTEXT context;
    PIO_CSQ csq = queue_of(irp, &context);
    KIRQL irql;
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqRemoveIrp(csq, irp);
    if (context)
        context->Irp = NULL;
    irp->Tail.Overlay.DriverContext[3] = NULL;
    csq->CsqReleaseLock(csq, irql);
    csq->CsqCompleteCanceledIrp(csq, irp);
}

NTSTATUS IoCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                         PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release,
                         PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    *csq = (IO_CSQ){ CSQ_PLAIN, insert, remove, peek, acquire, release, complete, NULL };
    return STATUS_SUCCESS;
}

NTSTATUS IoCsqInitializeEx(PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove,
                           PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release,
                           PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    *csq = (IO_CSQ){ CSQ_EX, NULL, remove, peek, acquire, release, complete, NULL };
    csq->ReservePointer = __extension__(PVOID) insert;
    return STATUS_SUCCESS;
}

NTSTATUS IoCsqInsertIrpEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert_context)
{
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql;
    csq->CsqAcquireLock(csq, &irql);
    if (context) {
        *context = (IO_CSQ_IRP_CONTEXT){ CSQ_IRP_CONTEXT, irp, csq };
        irp->Tail.Overlay.DriverContext[3] = context;
    } else {
        irp->Tail.Overlay.DriverContext[3] = csq;
    }
    if (csq->Type == CSQ_EX)
        status = (__extension__(PIO_CSQ_INSERT_IRP_EX) csq->ReservePointer)(csq, irp, insert_context);
    else
        csq->CsqInsertIrp(csq, irp);
    if (!NT_SUCCESS(status)) {
        irp->Tail.Overlay.DriverContext[3] = NULL;
        csq->CsqReleaseLock(csq, irql);
        return status;
    }
    IoMarkIrpPending(irp);
    (void)IoSetCancelRoutine(irp, cancel_queued);
    // Cancelled before the routine was set: whoever takes the routine back completes the request.
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL)) {
        csq->CsqRemoveIrp(csq, irp);
        if (context)
            context->Irp = NULL;
        irp->Tail.Overlay.DriverContext[3] = NULL;
        csq->CsqReleaseLock(csq, irql);
        csq->CsqCompleteCanceledIrp(csq, irp);
        return STATUS_SUCCESS;
    }
    csq->CsqReleaseLock(csq, irql);
    return STATUS_SUCCESS;
}

VOID IoCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context)
{
    (void)IoCsqInsertIrpEx(csq, irp, context, NULL);
}

// With the queue's lock held. False: the cancel routine has it.
static bool take(PIO_CSQ csq, PIRP irp)
{
    if (!IoSetCancelRoutine(irp, NULL))
        return false;
    csq->CsqRemoveIrp(csq, irp);
    PIO_CSQ_IRP_CONTEXT context;
    (void)queue_of(irp, &context);
    if (context)
        context->Irp = NULL;
    irp->Tail.Overlay.DriverContext[3] = NULL;
    return true;
}

PIRP IoCsqRemoveNextIrp(PIO_CSQ csq, PVOID context)
{
    KIRQL irql;
    csq->CsqAcquireLock(csq, &irql);
    PIRP irp = csq->CsqPeekNextIrp(csq, NULL, context);
    while (irp && !take(csq, irp))
        irp = csq->CsqPeekNextIrp(csq, irp, context);
    csq->CsqReleaseLock(csq, irql);
    return irp;
}

PIRP IoCsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context)
{
    KIRQL irql;
    csq->CsqAcquireLock(csq, &irql);
    PIRP irp = context->Irp;
    if (irp && !take(csq, irp))
        irp = NULL;
    csq->CsqReleaseLock(csq, irql);
    return irp;
}

// --- Remove locks ---

VOID IoInitializeRemoveLock(PIO_REMOVE_LOCK lock, ULONG tag, ULONG max_minutes, ULONG high_water)
{
    lock->Removed = FALSE;
    lock->IoCount = 1;
    KeInitializeEvent(&lock->RemoveEvent, SynchronizationEvent, FALSE);
}

NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK lock, PVOID tag)
{
    (void)InterlockedIncrement(&lock->IoCount);
    if (!lock->Removed)
        return STATUS_SUCCESS;
    IoReleaseRemoveLock(lock, tag);
    return STATUS_DELETE_PENDING;
}

VOID IoReleaseRemoveLock(PIO_REMOVE_LOCK lock, PVOID tag)
{
    LONG left = InterlockedDecrement(&lock->IoCount);
    if (left < 0)
        ntos_violation("IoReleaseRemoveLock", "more releases than acquisitions");
    else if (left == 0)
        (void)KeSetEvent(&lock->RemoveEvent, IO_NO_INCREMENT, FALSE);
}

VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK lock, PVOID tag)
{
    if (!ntos_irql_at_most("IoReleaseRemoveLockAndWait", PASSIVE_LEVEL))
        return;
    lock->Removed = TRUE;
    (void)InterlockedDecrement(&lock->IoCount);  // the caller's own
    if (InterlockedDecrement(&lock->IoCount) > 0)
        (void)KeWaitForSingleObject(&lock->RemoveEvent, Executive, KernelMode, FALSE, NULL);
}
