// Cancel-safe queues, of which Wine has the names only. Tail.Overlay.DriverContext[3] of a queued IRP is its queue.
#include <ntddk.h>

#include "csq.h"

static VOID NTAPI cancel_queued(DEVICE_OBJECT *device, IRP *irp)
{
    IO_CSQ *queue = irp->Tail.Overlay.DriverContext[3];
    KIRQL irql;
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    queue->CsqAcquireLock(queue, &irql);
    queue->CsqRemoveIrp(queue, irp);
    queue->CsqReleaseLock(queue, irql);
    queue->CsqCompleteCanceledIrp(queue, irp);
}

NTSTATUS NTAPI bed_IoCsqInitialize(IO_CSQ *queue, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                                   PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                                   PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    RtlZeroMemory(queue, sizeof(*queue));
    queue->CsqInsertIrp = insert;
    queue->CsqRemoveIrp = remove;
    queue->CsqPeekNextIrp = peek;
    queue->CsqAcquireLock = acquire;
    queue->CsqReleaseLock = release;
    queue->CsqCompleteCanceledIrp = complete;
    return STATUS_SUCCESS;
}

VOID NTAPI bed_IoCsqInsertIrp(IO_CSQ *queue, IRP *irp, IO_CSQ_IRP_CONTEXT *context)
{
    KIRQL irql;
    if (context)
        bed_violation("IoCsqInsertIrp with a context: the bed does not have it");
    queue->CsqAcquireLock(queue, &irql);
    irp->Tail.Overlay.DriverContext[3] = queue;
    queue->CsqInsertIrp(queue, irp);
    IoMarkIrpPending(irp);
    (void)IoSetCancelRoutine(irp, cancel_queued);
    BOOLEAN cancelled = irp->Cancel && IoSetCancelRoutine(irp, NULL);
    if (cancelled)
        queue->CsqRemoveIrp(queue, irp);
    queue->CsqReleaseLock(queue, irql);
    if (cancelled)
        queue->CsqCompleteCanceledIrp(queue, irp);
}

IRP *NTAPI bed_IoCsqRemoveNextIrp(IO_CSQ *queue, PVOID context)
{
    KIRQL irql;
    queue->CsqAcquireLock(queue, &irql);
    IRP *irp = queue->CsqPeekNextIrp(queue, NULL, context);
    while (irp && !IoSetCancelRoutine(irp, NULL))
        irp = queue->CsqPeekNextIrp(queue, irp, context);
    if (irp)
        queue->CsqRemoveIrp(queue, irp);
    queue->CsqReleaseLock(queue, irql);
    return irp;
}
