#include "ntos/irp.h"

#include <stdlib.h>

#include "ntos/object.h"
#include "ntos/thread.h"
#include "ntos/verify.h"

#define ALLOCATED_BY_DRIVER 1

struct ntos_irp *ntos_irp_of(PIRP irp)
{
    return CONTAINING_RECORD(irp, struct ntos_irp, irp);
}

USHORT IoSizeOfIrp(CCHAR stack_size)
{
    return (USHORT)(sizeof(IRP) + (size_t)(UCHAR)stack_size * sizeof(IO_STACK_LOCATION));
}

// Stack locations lie behind the IRP; the current one starts past the last.
VOID IoInitializeIrp(PIRP irp, USHORT size, CCHAR stack_size)
{
    memset(irp, 0, size);
    irp->Type = IO_TYPE_IRP;
    irp->Size = size;
    irp->StackCount = stack_size;
    irp->CurrentLocation = (CHAR)(stack_size + 1);
    irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(void *)(irp + 1) + stack_size;
    InitializeListHead(&irp->ThreadListEntry);
}

struct ntos_irp *ntos_irp_new(CCHAR stack_size)
{
    struct ntos_irp *packet = calloc(1, sizeof(*packet) + (size_t)stack_size * sizeof(IO_STACK_LOCATION));
    if (!packet)
        return NULL;
    packet->stack_size = (uint8_t)stack_size;
    IoInitializeIrp(&packet->irp, IoSizeOfIrp(stack_size), stack_size);
    return packet;
}

void ntos_irp_free(struct ntos_irp *packet)
{
    packet->irp.Type = 0;
    free(packet);
}

PIRP IoAllocateIrp(CCHAR stack_size, BOOLEAN charge_quota)
{
    if (!ntos_irql_at_most("IoAllocateIrp", DISPATCH_LEVEL) || stack_size < 1)
        return NULL;
    struct ntos_irp *packet = ntos_irp_new(stack_size);
    if (!packet)
        return NULL;
    packet->irp.AllocationFlags = ALLOCATED_BY_DRIVER;
    return &packet->irp;
}

VOID IoFreeIrp(PIRP irp)
{
    if (irp->Type != IO_TYPE_IRP || !(irp->AllocationFlags & ALLOCATED_BY_DRIVER)) {
        ntos_violation("IoFreeIrp", "the IRP %p is not one from IoAllocateIrp", (void *)irp);
        return;
    }
    if (irp->Flags & IRP_DEALLOCATE_BUFFER)
        free(irp->AssociatedIrp.SystemBuffer);
    ntos_irp_free(ntos_irp_of(irp));
}

VOID IoReuseIrp(PIRP irp, NTSTATUS status)
{
    UCHAR flags = irp->AllocationFlags;
    CHAR stack_size = irp->StackCount;
    IoInitializeIrp(irp, IoSizeOfIrp(stack_size), stack_size);
    irp->AllocationFlags = flags;
    irp->IoStatus.Status = status;
}

static PIO_STACK_LOCATION first_location(PIRP irp)
{
    return (PIO_STACK_LOCATION)(void *)(irp + 1) + irp->StackCount - 1;
}

// --- Sending ---

NTSTATUS IofCallDriver(PDEVICE_OBJECT device, PIRP irp)
{
    (void)ntos_irql_at_most("IoCallDriver", DISPATCH_LEVEL);
    irp->CurrentLocation--;
    if (irp->CurrentLocation <= 0)
        ntos_bugcheck("IoCallDriver", NO_MORE_IRP_STACK_LOCATIONS, "the IRP %p has no stack location left",
                      (void *)irp);
    PIO_STACK_LOCATION stack = --irp->Tail.Overlay.CurrentStackLocation;
    stack->DeviceObject = device;
    return device->DriverObject->MajorFunction[stack->MajorFunction](device, irp);
}

NTSTATUS ntos_irp_send(PDEVICE_OBJECT device, struct ntos_irp *packet, bool (*is_complete)(struct ntos_irp *packet))
{
    uint32_t previous = ntos_process_enter(packet->process_id);
    KIRQL irql = ntos_thread.irql;
    UCHAR major = first_location(&packet->irp)->MajorFunction;
    NTSTATUS status = IofCallDriver(device, &packet->irp);
    if (ntos_thread.irql != irql) {
        ntos_violation("IoCallDriver", "the dispatch routine of IRP_MJ 0x%02x returned at IRQL %u, called at %u", major,
                       ntos_thread.irql, irql);
        ntos_thread.irql = irql;
    }
    if (status != STATUS_PENDING && !is_complete(packet))
        ntos_violation("IoCompleteRequest",
                       "the dispatch routine of IRP_MJ 0x%02x returned 0x%08X without completing the request", major,
                       (unsigned)status);
    else if (status == STATUS_PENDING && is_complete(packet) && !packet->pending_returned)
        ntos_violation("IoMarkIrpPending",
                       "IRP_MJ 0x%02x returned STATUS_PENDING for a request it did not mark pending", major);
    else if (status != STATUS_PENDING && packet->pending_returned)
        ntos_violation("IoMarkIrpPending", "IRP_MJ 0x%02x marked a request pending and returned 0x%08X", major,
                       (unsigned)status);
    (void)ntos_process_enter(previous);
    return status;
}

// --- Completion ---

static bool wants_call(const IO_STACK_LOCATION *stack, const IRP *irp)
{
    if (!stack->CompletionRoutine)
        return false;
    if (irp->Cancel && (stack->Control & SL_INVOKE_ON_CANCEL))
        return true;
    return stack->Control & (NT_SUCCESS(irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR);
}

static void check_completion(PIRP irp)
{
    if (irp->Type != IO_TYPE_IRP || irp->CurrentLocation > irp->StackCount + 1)
        ntos_bugcheck("IoCompleteRequest", MULTIPLE_IRP_COMPLETE_REQUESTS, "the IRP %p was completed before",
                      (void *)irp);
    if (irp->IoStatus.Status == STATUS_PENDING)
        ntos_violation("IoCompleteRequest", "the request is completed with STATUS_PENDING");
    if (irp->CancelRoutine) {
        ntos_violation("IoCompleteRequest", "the request still has a cancel routine");
        irp->CancelRoutine = NULL;
    }
}

static void finish_driver_irp(PIRP irp)
{
    if (irp->UserIosb)
        *irp->UserIosb = irp->IoStatus;
    if (irp->AssociatedIrp.SystemBuffer && irp->Flags & IRP_INPUT_OPERATION && irp->UserBuffer &&
        !NT_ERROR(irp->IoStatus.Status))
        memcpy(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer, irp->IoStatus.Information);
    PKEVENT event = irp->UserEvent;
    if (event || irp->UserIosb)  // from IoBuildDeviceIoControlRequest: freed by the I/O manager
        IoFreeIrp(irp);
    if (event)
        (void)KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

VOID IofCompleteRequest(PIRP irp, CCHAR boost)
{
    (void)ntos_irql_at_most("IoCompleteRequest", DISPATCH_LEVEL);
    check_completion(irp);
    struct ntos_irp *packet = ntos_irp_of(irp);
    while (irp->CurrentLocation <= irp->StackCount) {
        PIO_STACK_LOCATION stack = irp->Tail.Overlay.CurrentStackLocation++;
        irp->CurrentLocation++;
        irp->PendingReturned = (BOOLEAN)((stack->Control & SL_PENDING_RETURNED) != 0);
        bool last = irp->CurrentLocation > irp->StackCount;
        if (last)
            packet->pending_returned = irp->PendingReturned;
        if (wants_call(stack, irp)) {
            PDEVICE_OBJECT device = last ? NULL : irp->Tail.Overlay.CurrentStackLocation->DeviceObject;
            if (stack->CompletionRoutine(device, irp, stack->Context) == STATUS_MORE_PROCESSING_REQUIRED)
                return;
        } else if (irp->PendingReturned && !last) {
            IoMarkIrpPending(irp);
        }
    }
    irp->CurrentLocation++;  // so that a second completion is found out
    if (packet->finish && !(irp->AllocationFlags & ALLOCATED_BY_DRIVER))
        packet->finish(packet);
    else
        finish_driver_irp(irp);
}

NTSTATUS IoSetCompletionRoutineEx(PDEVICE_OBJECT device, PIRP irp, PIO_COMPLETION_ROUTINE routine, PVOID context,
                                  BOOLEAN on_success, BOOLEAN on_error, BOOLEAN on_cancel)
{
    IoSetCompletionRoutine(irp, routine, context, on_success, on_error, on_cancel);
    return STATUS_SUCCESS;
}

PIRP IoBuildDeviceIoControlRequest(ULONG code, PDEVICE_OBJECT device, PVOID input, ULONG input_length, PVOID output,
                                   ULONG output_length, BOOLEAN internal, PKEVENT event, PIO_STATUS_BLOCK status)
{
    if (!ntos_irql_at_most("IoBuildDeviceIoControlRequest", PASSIVE_LEVEL))
        return NULL;
    PIRP irp = IoAllocateIrp(device->StackSize, FALSE);
    if (!irp)
        return NULL;
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = internal ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.OutputBufferLength = output_length;
    stack->Parameters.DeviceIoControl.InputBufferLength = input_length;
    stack->Parameters.DeviceIoControl.IoControlCode = code;
    irp->UserEvent = event;
    irp->UserIosb = status;
    irp->UserBuffer = output;
    if (METHOD_FROM_CTL_CODE(code) == METHOD_NEITHER) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = input;
        return irp;
    }
    ULONG size = input_length > output_length ? input_length : output_length;
    if (size > 0) {
        irp->AssociatedIrp.SystemBuffer = calloc(1, size);
        if (!irp->AssociatedIrp.SystemBuffer) {
            IoFreeIrp(irp);
            return NULL;
        }
        irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (output_length ? IRP_INPUT_OPERATION : 0);
        if (input_length > 0)
            memcpy(irp->AssociatedIrp.SystemBuffer, input, input_length);
    }
    return irp;
}

// --- Cancellation ---

static KSPIN_LOCK cancel_lock;

VOID IoAcquireCancelSpinLock(PKIRQL irql)
{
    KeAcquireSpinLock(&cancel_lock, irql);
}

VOID IoReleaseCancelSpinLock(KIRQL irql)
{
    KeReleaseSpinLock(&cancel_lock, irql);
}

BOOLEAN IoCancelIrp(PIRP irp)
{
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    irp->Cancel = TRUE;
    PDRIVER_CANCEL routine = IoSetCancelRoutine(irp, NULL);
    if (!routine) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    irp->CancelIrql = irql;
    PDEVICE_OBJECT device =
        irp->CurrentLocation <= irp->StackCount ? IoGetCurrentIrpStackLocation(irp)->DeviceObject : NULL;
    routine(device, irp);  // gives the lock back
    if (ntos_thread.irql != irql) {
        ntos_violation("IoReleaseCancelSpinLock", "a cancel routine returned at IRQL %u, called at %u",
                       ntos_thread.irql, irql);
        if (cancel_lock == (KSPIN_LOCK)&ntos_thread)
            KeReleaseSpinLockFromDpcLevel(&cancel_lock);
        ntos_thread.irql = irql;
    }
    return TRUE;
}

// --- Whose request ---

BOOLEAN IoIs32bitProcess(PIRP irp)
{
    return FALSE;
}

ULONG IoGetRequestorProcessId(PIRP irp)
{
    uint32_t id = irp->AllocationFlags & ALLOCATED_BY_DRIVER ? 0 : ntos_irp_of(irp)->process_id;
    return id ? id : (ULONG)(ULONG_PTR)PsGetProcessId(PsInitialSystemProcess);
}

PEPROCESS IoGetRequestorProcess(PIRP irp)
{
    PEPROCESS process = ntos_process_reference(IoGetRequestorProcessId(irp));
    ObDereferenceObject(process);  // the table of processes keeps it
    return process;
}
