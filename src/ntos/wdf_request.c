#include "ntos/framework.h"

struct ntos_wdf_request *ntos_wdf_request_new(struct ntos_wdf_device *device, PIRP irp)
{
    const WDF_OBJECT_ATTRIBUTES *attributes = device->request_attributes.Size ? &device->request_attributes : NULL;
    struct ntos_wdf_request *request = ntos_wdf_new(NTOS_WDF_REQUEST, sizeof(*request), attributes, &device->object);
    if (!request)
        return NULL;
    request->device = device;
    request->irp = irp;
    request->file = ntos_wdf_file_of(device, IoGetCurrentIrpStackLocation(irp)->FileObject);
    InitializeListHead(&request->entry);
    return request;
}

NTSTATUS ntos_wdf_complete_irp(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

// A request object stays until its last reference; the IRP is gone once completed.
static struct ntos_wdf_request *request_of(const char *function, WDFREQUEST handle)
{
    struct ntos_wdf_request *request = ntos_wdf_of(function, handle, NTOS_WDF_REQUEST);
    if (request->completed)
        ntos_bugcheck(function, DRIVER_VERIFIER_DETECTED_VIOLATION, "the request %p is completed", (void *)handle);
    return request;
}

// --- Completion ---

VOID WdfRequestCompleteWithInformation(WDFREQUEST handle, NTSTATUS status, ULONG_PTR information)
{
    struct ntos_wdf_request *request = request_of("WdfRequestComplete", handle);
    struct ntos_wdf_queue *queue = request->queue;
    (void)ntos_irql_at_most("WdfRequestComplete", DISPATCH_LEVEL);
    if (request->cancel && WdfRequestUnmarkCancelable(handle) == STATUS_SUCCESS)
        ntos_violation("WdfRequestComplete", "the request is still marked cancelable");
    PIRP irp = request->irp;
    bool failed_create = IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CREATE && !NT_SUCCESS(status);
    struct ntos_wdf_file *file = request->file;
    request->completed = true;
    request->irp = NULL;
    if (failed_create && file)
        ntos_wdf_delete(&file->object);
    if (queue)
        WdfObjectReferenceActual(queue);
    (void)ntos_wdf_complete_irp(irp, status, information);
    ntos_wdf_delete(&request->object);
    if (queue) {
        ntos_wdf_queue_leave(queue);
        WdfObjectDereferenceActual(queue);
    }
}

VOID WdfRequestComplete(WDFREQUEST handle, NTSTATUS status)
{
    WdfRequestCompleteWithInformation(handle, status, request_of("WdfRequestComplete", handle)->information);
}

VOID WdfRequestCompleteWithPriorityBoost(WDFREQUEST handle, NTSTATUS status, CCHAR boost)
{
    WdfRequestComplete(handle, status);
}

// --- What is asked for ---

VOID WdfRequestSetInformation(WDFREQUEST handle, ULONG_PTR information)
{
    request_of("WdfRequestSetInformation", handle)->information = information;
}

ULONG_PTR WdfRequestGetInformation(WDFREQUEST handle)
{
    return request_of("WdfRequestGetInformation", handle)->information;
}

NTSTATUS WdfRequestGetStatus(WDFREQUEST handle)
{
    return request_of("WdfRequestGetStatus", handle)->irp->IoStatus.Status;
}

VOID WdfRequestGetParameters(WDFREQUEST handle, PWDF_REQUEST_PARAMETERS parameters)
{
    const IO_STACK_LOCATION *stack =
        IoGetCurrentIrpStackLocation(request_of("WdfRequestGetParameters", handle)->irp);
    parameters->Type = (WDF_REQUEST_TYPE)stack->MajorFunction;
    parameters->MinorFunction = stack->MinorFunction;
    switch (stack->MajorFunction) {
    case IRP_MJ_CREATE:
        parameters->Parameters.Create.SecurityContext = stack->Parameters.Create.SecurityContext;
        parameters->Parameters.Create.Options = stack->Parameters.Create.Options;
        parameters->Parameters.Create.ShareAccess = stack->Parameters.Create.ShareAccess;
        break;
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        parameters->Parameters.Read.Length = stack->Parameters.Read.Length;
        parameters->Parameters.Read.Key = stack->Parameters.Read.Key;
        parameters->Parameters.Read.DeviceOffset = stack->Parameters.Read.ByteOffset.QuadPart;
        break;
    default:
        break;
    }
    if (stack->MajorFunction != IRP_MJ_DEVICE_CONTROL && stack->MajorFunction != IRP_MJ_INTERNAL_DEVICE_CONTROL)
        return;
    parameters->Parameters.DeviceIoControl.OutputBufferLength = stack->Parameters.DeviceIoControl.OutputBufferLength;
    parameters->Parameters.DeviceIoControl.InputBufferLength = stack->Parameters.DeviceIoControl.InputBufferLength;
    parameters->Parameters.DeviceIoControl.IoControlCode = stack->Parameters.DeviceIoControl.IoControlCode;
    parameters->Parameters.DeviceIoControl.Type3InputBuffer = stack->Parameters.DeviceIoControl.Type3InputBuffer;
}

WDFFILEOBJECT WdfRequestGetFileObject(WDFREQUEST handle)
{
    return (WDFFILEOBJECT)request_of("WdfRequestGetFileObject", handle)->file;
}

KPROCESSOR_MODE WdfRequestGetRequestorMode(WDFREQUEST handle)
{
    return request_of("WdfRequestGetRequestorMode", handle)->irp->RequestorMode;
}

PIRP WdfRequestWdmGetIrp(WDFREQUEST handle)
{
    return request_of("WdfRequestWdmGetIrp", handle)->irp;
}

// --- Cancellation of requests the driver has ---

static void cancel_marked(PDEVICE_OBJECT device_object, PIRP irp)
{
    struct ntos_wdf_request *request = irp->Tail.Overlay.DriverContext[0];
    IoReleaseCancelSpinLock(irp->CancelIrql);
    PFN_WDF_REQUEST_CANCEL cancel = request->cancel;
    request->cancel = NULL;
    cancel((WDFREQUEST)request);
}

NTSTATUS WdfRequestMarkCancelableEx(WDFREQUEST handle, PFN_WDF_REQUEST_CANCEL cancel)
{
    struct ntos_wdf_request *request = request_of("WdfRequestMarkCancelable", handle);
    PIRP irp = request->irp;
    request->cancel = cancel;
    irp->Tail.Overlay.DriverContext[0] = request;
    (void)IoSetCancelRoutine(irp, cancel_marked);
    if (!irp->Cancel || !IoSetCancelRoutine(irp, NULL))
        return STATUS_SUCCESS;
    request->cancel = NULL;
    return STATUS_CANCELLED;
}

VOID WdfRequestMarkCancelable(WDFREQUEST handle, PFN_WDF_REQUEST_CANCEL cancel)
{
    if (WdfRequestMarkCancelableEx(handle, cancel) == STATUS_CANCELLED)
        cancel(handle);
}

NTSTATUS WdfRequestUnmarkCancelable(WDFREQUEST handle)
{
    struct ntos_wdf_request *request = request_of("WdfRequestUnmarkCancelable", handle);
    if (!request->cancel && !request->irp->Cancel)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!IoSetCancelRoutine(request->irp, NULL))
        return STATUS_CANCELLED;
    request->cancel = NULL;
    return STATUS_SUCCESS;
}

BOOLEAN WdfRequestIsCanceled(WDFREQUEST handle)
{
    return request_of("WdfRequestIsCanceled", handle)->irp->Cancel;
}

// --- Buffers ---

struct buffer {
    PVOID address;
    size_t length;
    PMDL mdl;
};

static PVOID address_of(PMDL mdl)
{
    return mdl ? MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) : NULL;
}

static NTSTATUS transfer_buffer(const struct ntos_wdf_request *request, struct buffer *ret_buffer)
{
    PIRP irp = request->irp;
    ULONG flags = request->device->device_object->Flags;
    *ret_buffer = (struct buffer){ .length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length };
    if (flags & DO_BUFFERED_IO) {
        ret_buffer->address = irp->AssociatedIrp.SystemBuffer;
    } else if (flags & DO_DIRECT_IO) {
        ret_buffer->mdl = irp->MdlAddress;
        ret_buffer->address = address_of(irp->MdlAddress);
    } else {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS control_buffer(const struct ntos_wdf_request *request, bool output, struct buffer *ret_buffer)
{
    PIRP irp = request->irp;
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG method = METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode);
    if (method == METHOD_NEITHER)
        return STATUS_INVALID_DEVICE_REQUEST;
    *ret_buffer = (struct buffer){ .address = irp->AssociatedIrp.SystemBuffer,
                                   .length = output ? stack->Parameters.DeviceIoControl.OutputBufferLength
                                                    : stack->Parameters.DeviceIoControl.InputBufferLength };
    if (output && method != METHOD_BUFFERED) {
        ret_buffer->mdl = irp->MdlAddress;
        ret_buffer->address = address_of(irp->MdlAddress);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS find_buffer(const struct ntos_wdf_request *request, bool output, size_t minimum,
                            struct buffer *ret_buffer)
{
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
    switch (IoGetCurrentIrpStackLocation(request->irp)->MajorFunction) {
    case IRP_MJ_READ:
        status = output ? transfer_buffer(request, ret_buffer) : status;
        break;
    case IRP_MJ_WRITE:
        status = output ? status : transfer_buffer(request, ret_buffer);
        break;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        status = control_buffer(request, output, ret_buffer);
        break;
    default:
        break;
    }
    if (NT_SUCCESS(status) && (ret_buffer->length == 0 || ret_buffer->length < minimum))
        return STATUS_BUFFER_TOO_SMALL;
    return status;
}

static NTSTATUS give_buffer(const char *function, WDFREQUEST handle, bool output, size_t minimum, PVOID *address,
                            size_t *length)
{
    struct buffer buffer;
    NTSTATUS status = find_buffer(request_of(function, handle), output, minimum, &buffer);
    *address = NT_SUCCESS(status) ? buffer.address : NULL;
    if (length)
        *length = NT_SUCCESS(status) ? buffer.length : 0;
    return status;
}

NTSTATUS WdfRequestRetrieveInputBuffer(WDFREQUEST handle, size_t minimum, PVOID *buffer, size_t *length)
{
    return give_buffer("WdfRequestRetrieveInputBuffer", handle, false, minimum, buffer, length);
}

NTSTATUS WdfRequestRetrieveOutputBuffer(WDFREQUEST handle, size_t minimum, PVOID *buffer, size_t *length)
{
    return give_buffer("WdfRequestRetrieveOutputBuffer", handle, true, minimum, buffer, length);
}

NTSTATUS WdfRequestRetrieveOutputWdmMdl(WDFREQUEST handle, PMDL *mdl)
{
    struct buffer buffer;
    NTSTATUS status = find_buffer(request_of("WdfRequestRetrieveOutputWdmMdl", handle), true, 0, &buffer);
    *mdl = NT_SUCCESS(status) ? buffer.mdl : NULL;
    return NT_SUCCESS(status) && !buffer.mdl ? STATUS_INVALID_DEVICE_REQUEST : status;
}

static NTSTATUS give_unsafe(const char *function, WDFREQUEST handle, bool output, size_t minimum, PVOID *address,
                            size_t *length)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request_of(function, handle)->irp);
    PIRP irp = request_of(function, handle)->irp;
    *address = NULL;
    if (stack->MajorFunction != IRP_MJ_DEVICE_CONTROL ||
        METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode) != METHOD_NEITHER)
        return STATUS_INVALID_DEVICE_REQUEST;
    size_t size = output ? stack->Parameters.DeviceIoControl.OutputBufferLength
                         : stack->Parameters.DeviceIoControl.InputBufferLength;
    if (length)
        *length = size;
    if (size == 0 || size < minimum)
        return STATUS_BUFFER_TOO_SMALL;
    *address = output ? irp->UserBuffer : stack->Parameters.DeviceIoControl.Type3InputBuffer;
    return STATUS_SUCCESS;
}

NTSTATUS WdfRequestRetrieveUnsafeUserInputBuffer(WDFREQUEST handle, size_t minimum, PVOID *buffer, size_t *length)
{
    return give_unsafe("WdfRequestRetrieveUnsafeUserInputBuffer", handle, false, minimum, buffer, length);
}

NTSTATUS WdfRequestRetrieveUnsafeUserOutputBuffer(WDFREQUEST handle, size_t minimum, PVOID *buffer, size_t *length)
{
    return give_unsafe("WdfRequestRetrieveUnsafeUserOutputBuffer", handle, true, minimum, buffer, length);
}

static NTSTATUS give_memory(const char *function, WDFREQUEST handle, bool output, WDFMEMORY *ret_memory)
{
    struct ntos_wdf_request *request = request_of(function, handle);
    struct ntos_wdf_object **slot = output ? &request->output : &request->input;
    struct buffer buffer;
    NTSTATUS status = find_buffer(request, output, 0, &buffer);
    if (NT_SUCCESS(status) && !*slot) {
        WDF_OBJECT_ATTRIBUTES attributes;
        WDFMEMORY memory;
        WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
        attributes.ParentObject = handle;
        status = WdfMemoryCreatePreallocated(&attributes, buffer.address, buffer.length, &memory);
        if (NT_SUCCESS(status))
            *slot = (struct ntos_wdf_object *)memory;
    }
    *ret_memory = NT_SUCCESS(status) ? (WDFMEMORY)*slot : NULL;
    return status;
}

NTSTATUS WdfRequestRetrieveInputMemory(WDFREQUEST handle, WDFMEMORY *memory)
{
    return give_memory("WdfRequestRetrieveInputMemory", handle, false, memory);
}

NTSTATUS WdfRequestRetrieveOutputMemory(WDFREQUEST handle, WDFMEMORY *memory)
{
    return give_memory("WdfRequestRetrieveOutputMemory", handle, true, memory);
}
