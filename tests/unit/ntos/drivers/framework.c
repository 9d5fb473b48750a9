/*
 * framework: a KMDF driver with a control device \\.\Framework and one queue of each kind.
 */
#include <ntddk.h>

#include <wdf.h>

#define IOCTL_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_PARK CTL_CODE(FILE_DEVICE_UNKNOWN, 0x901, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_RELEASE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x902, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_LATER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x903, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_CANCELABLE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x904, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_LIMIT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x905, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_DIRECT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x906, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)

typedef struct _DEVICE_CONTEXT {
    WDFQUEUE Manual;
    WDFTIMER Timer;
    WDFWORKITEM WorkItem;
    WDFSPINLOCK Lock;
    WDFREQUEST Later;
    ULONG Limit;
} DEVICE_CONTEXT, *PDEVICE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DEVICE_CONTEXT, GetDeviceContext)

typedef struct _FILE_CONTEXT {
    ULONG Requests;
} FILE_CONTEXT, *PFILE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE(FILE_CONTEXT)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_UNLOAD FrameworkUnload;
EVT_WDF_OBJECT_CONTEXT_CLEANUP FrameworkDeviceCleanup;
EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL FrameworkControl;
EVT_WDF_IO_QUEUE_IO_READ FrameworkRead;
EVT_WDF_REQUEST_CANCEL FrameworkCancel;
EVT_WDF_DEVICE_FILE_CREATE FrameworkCreate;
EVT_WDF_FILE_CLOSE FrameworkClose;
EVT_WDF_TIMER FrameworkTimer;
EVT_WDF_WORKITEM FrameworkWork;

VOID FrameworkUnload(WDFDRIVER Driver)
{
    DbgPrint("framework: unload of %ws\n", WdfDriverGetRegistryPath(Driver));
}

VOID FrameworkDeviceCleanup(WDFOBJECT Device)
{
    DbgPrint("framework: device cleanup, limit %u\n", GetDeviceContext(Device)->Limit);
}

VOID FrameworkCreate(WDFDEVICE Device, WDFREQUEST Request, WDFFILEOBJECT File)
{
    PUNICODE_STRING name = WdfFileObjectGetFileName(File);

    UNREFERENCED_PARAMETER(Device);
    WdfRequestComplete(Request, name->Length > 0 ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS);
}

VOID FrameworkClose(WDFFILEOBJECT File)
{
    DbgPrint("framework: closed after %u requests\n", WdfObjectGet_FILE_CONTEXT(File)->Requests);
}

VOID FrameworkTimer(WDFTIMER Timer)
{
    WDFDEVICE device = WdfTimerGetParentObject(Timer);

    WdfWorkItemEnqueue(GetDeviceContext(device)->WorkItem);
}

VOID FrameworkWork(WDFWORKITEM Item)
{
    PDEVICE_CONTEXT context = GetDeviceContext(WdfWorkItemGetParentObject(Item));
    WDFREQUEST request;
    PULONG answer;

    PAGED_CODE();
    WdfSpinLockAcquire(context->Lock);
    request = context->Later;
    context->Later = NULL;
    WdfSpinLockRelease(context->Lock);
    if (request == NULL)
        return;
    if (NT_SUCCESS(WdfRequestRetrieveOutputBuffer(request, sizeof(ULONG), (PVOID *)&answer, NULL)))
        *answer = 815;
    WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, sizeof(ULONG));
}

VOID FrameworkCancel(WDFREQUEST Request)
{
    WdfRequestComplete(Request, STATUS_CANCELLED);
}

static NTSTATUS Echo(WDFREQUEST Request, size_t Input)
{
    WDFMEMORY in, out;
    NTSTATUS status = WdfRequestRetrieveInputMemory(Request, &in);

    if (NT_SUCCESS(status))
        status = WdfRequestRetrieveOutputMemory(Request, &out);
    if (NT_SUCCESS(status))
        status = WdfMemoryCopyFromBuffer(out, 0, WdfMemoryGetBuffer(in, NULL), Input);
    if (NT_SUCCESS(status))
        WdfRequestSetInformation(Request, Input);
    return status;
}

VOID FrameworkControl(WDFQUEUE Queue, WDFREQUEST Request, size_t Output, size_t Input, ULONG Code)
{
    PDEVICE_CONTEXT context = GetDeviceContext(WdfIoQueueGetDevice(Queue));
    WDFREQUEST parked;
    PVOID buffer;
    size_t length;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Output);
    WdfObjectGet_FILE_CONTEXT(WdfRequestGetFileObject(Request))->Requests++;
    switch (Code) {
    case IOCTL_ECHO:
        status = Echo(Request, Input);
        break;
    case IOCTL_PARK:
        status = WdfRequestForwardToIoQueue(Request, context->Manual);
        if (NT_SUCCESS(status))
            return;
        break;
    case IOCTL_RELEASE:
        status = WdfIoQueueRetrieveNextRequest(context->Manual, &parked);
        if (NT_SUCCESS(status))
            WdfRequestComplete(parked, STATUS_SUCCESS);
        break;
    case IOCTL_LATER:
        WdfSpinLockAcquire(context->Lock);
        context->Later = Request;
        WdfSpinLockRelease(context->Lock);
        WdfTimerStart(context->Timer, WDF_REL_TIMEOUT_IN_MS(5));
        return;
    case IOCTL_CANCELABLE:
        WdfRequestMarkCancelable(Request, FrameworkCancel);
        return;
    case IOCTL_LIMIT:
        status = WdfRequestRetrieveOutputBuffer(Request, sizeof(ULONG), &buffer, &length);
        if (NT_SUCCESS(status)) {
            *(PULONG)buffer = context->Limit;
            WdfRequestSetInformation(Request, sizeof(ULONG));
        }
        break;
    case IOCTL_DIRECT:
        status = WdfRequestRetrieveOutputBuffer(Request, 1, &buffer, &length);
        if (NT_SUCCESS(status)) {
            RtlFillMemory(buffer, length, 'w');
            WdfRequestSetInformation(Request, length);
        }
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    WdfRequestComplete(Request, status);
}

VOID FrameworkRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PVOID buffer;
    NTSTATUS status = WdfRequestRetrieveOutputBuffer(Request, Length, &buffer, NULL);

    UNREFERENCED_PARAMETER(Queue);
    if (NT_SUCCESS(status))
        RtlFillMemory(buffer, Length, 'r');
    WdfRequestCompleteWithInformation(Request, status, NT_SUCCESS(status) ? Length : 0);
}

static ULONG ReadLimit(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(name, L"limit");
    WDFKEY key;
    ULONG value = 0;

    if (!NT_SUCCESS(WdfDriverOpenParametersRegistryKey(Driver, KEY_READ, WDF_NO_OBJECT_ATTRIBUTES, &key)))
        return 0;
    (void)WdfRegistryQueryULong(key, &name, &value);
    WdfRegistryClose(key);
    return value;
}

static NTSTATUS CreateHelpers(WDFDEVICE Device)
{
    PDEVICE_CONTEXT context = GetDeviceContext(Device);
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_TIMER_CONFIG timer;
    WDF_WORKITEM_CONFIG work;
    WDF_IO_QUEUE_CONFIG queue;
    NTSTATUS status;

    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = Device;
    WDF_TIMER_CONFIG_INIT(&timer, FrameworkTimer);
    status = WdfTimerCreate(&timer, &attributes, &context->Timer);
    if (!NT_SUCCESS(status))
        return status;
    WDF_WORKITEM_CONFIG_INIT(&work, FrameworkWork);
    status = WdfWorkItemCreate(&work, &attributes, &context->WorkItem);
    if (!NT_SUCCESS(status))
        return status;
    status = WdfSpinLockCreate(&attributes, &context->Lock);
    if (!NT_SUCCESS(status))
        return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchParallel);
    queue.EvtIoDeviceControl = FrameworkControl;
    status = WdfIoQueueCreate(Device, &queue, WDF_NO_OBJECT_ATTRIBUTES, NULL);
    if (!NT_SUCCESS(status))
        return status;
    WDF_IO_QUEUE_CONFIG_INIT(&queue, WdfIoQueueDispatchManual);
    return WdfIoQueueCreate(Device, &queue, WDF_NO_OBJECT_ATTRIBUTES, &context->Manual);
}

static NTSTATUS CreateControlDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(name, L"\\Device\\Framework");
    DECLARE_CONST_UNICODE_STRING(link, L"\\DosDevices\\Framework");
    DECLARE_CONST_UNICODE_STRING(sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(Driver, &sddl);
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_FILEOBJECT_CONFIG file;
    WDF_IO_QUEUE_CONFIG queue;
    WDFDEVICE device;
    WDFQUEUE sequential;
    NTSTATUS status;

    if (init == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    WdfDeviceInitSetDeviceType(init, FILE_DEVICE_NETWORK);
    WdfDeviceInitSetCharacteristics(init, FILE_DEVICE_SECURE_OPEN, FALSE);
    WdfDeviceInitSetExclusive(init, FALSE);
    WDF_FILEOBJECT_CONFIG_INIT(&file, FrameworkCreate, FrameworkClose, WDF_NO_EVENT_CALLBACK);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, FILE_CONTEXT);
    WdfDeviceInitSetFileObjectConfig(init, &file, &attributes);
    status = WdfDeviceInitAssignName(init, &name);
    if (NT_SUCCESS(status)) {
        WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DEVICE_CONTEXT);
        attributes.EvtCleanupCallback = FrameworkDeviceCleanup;
        status = WdfDeviceCreate(&init, &attributes, &device);
    }
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init);
        return status;
    }
    GetDeviceContext(device)->Limit = ReadLimit(Driver);
    status = WdfDeviceCreateSymbolicLink(device, &link);
    if (NT_SUCCESS(status))
        status = CreateHelpers(device);
    if (NT_SUCCESS(status)) {
        WDF_IO_QUEUE_CONFIG_INIT(&queue, WdfIoQueueDispatchSequential);
        queue.EvtIoRead = FrameworkRead;
        status = WdfIoQueueCreate(device, &queue, WDF_NO_OBJECT_ATTRIBUTES, &sequential);
    }
    if (NT_SUCCESS(status))
        status = WdfDeviceConfigureRequestDispatching(device, sequential, WdfRequestTypeRead);
    if (!NT_SUCCESS(status)) {
        WdfObjectDelete(device);
        return status;
    }
    WdfControlFinishInitializing(device);
    return STATUS_SUCCESS;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDFDRIVER driver;
    NTSTATUS status;

    WDF_DRIVER_CONFIG_INIT(&config, WDF_NO_EVENT_CALLBACK);
    config.DriverInitFlags |= WdfDriverInitNonPnpDriver;
    config.EvtDriverUnload = FrameworkUnload;
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (!NT_SUCCESS(status))
        return status;
    status = CreateControlDevice(driver);
    if (NT_SUCCESS(status) && ReadLimit(driver) == 99)
        status = STATUS_QUOTA_EXCEEDED;
    return status;
}
