/*
 * echo: a device \\.\Echo that answers requests in every way a driver can.
 *
 * Parameters: greeting (text, printed at load), size (number).
 */
#include <ntddk.h>
#include <ntstrsafe.h>

#define DEVICE_NAME L"\\Device\\Echo"
#define LINK_NAME L"\\DosDevices\\Echo"
#define TAG 'ohcE'

#define IOCTL_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_NEITHER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
#define IOCTL_DIRECT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define IOCTL_WAIT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_WAKE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_WHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x805, METHOD_BUFFERED, FILE_READ_ACCESS)
#define IOCTL_LATER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x806, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _ECHO_EXTENSION {
    LIST_ENTRY Waiting;
    KSPIN_LOCK Lock;
    LONG Opened;
    PIO_WORKITEM Item;
    PIRP Later;
} ECHO_EXTENSION, *PECHO_EXTENSION;

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD EchoUnload;
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLOSE) DRIVER_DISPATCH EchoCreateClose;
_Dispatch_type_(IRP_MJ_DEVICE_CONTROL) DRIVER_DISPATCH EchoControl;
DRIVER_DISPATCH EchoRead;
DRIVER_CANCEL EchoCancel;
IO_WORKITEM_ROUTINE EchoWork;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, EchoUnload)
#endif

static PDEVICE_OBJECT EchoDevice;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS EchoCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PECHO_EXTENSION extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    if (stack->MajorFunction == IRP_MJ_CREATE) {
        InterlockedIncrement(&extension->Opened);
        stack->FileObject->FsContext = extension;
        if (stack->FileObject->FileName.Length > 0)
            DbgPrint("echo: opened %wZ\n", &stack->FileObject->FileName);
    } else {
        DbgPrint("echo: %s\n", stack->MajorFunction == IRP_MJ_CLEANUP ? "cleanup" : "close");
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

VOID EchoCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PECHO_EXTENSION extension = DeviceObject->DeviceExtension;
    KIRQL irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&extension->Lock, &irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&extension->Lock, irql);
    Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS EchoWait(PECHO_EXTENSION Extension, PIRP Irp)
{
    KIRQL irql;

    KeAcquireSpinLock(&Extension->Lock, &irql);
    IoMarkIrpPending(Irp);
    InsertTailList(&Extension->Waiting, &Irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(Irp, EchoCancel);
    KeReleaseSpinLock(&Extension->Lock, irql);
    return STATUS_PENDING;
}

static NTSTATUS EchoWake(PECHO_EXTENSION Extension, PIRP Irp)
{
    ULONG count = 0;
    KIRQL irql;

    KeAcquireSpinLock(&Extension->Lock, &irql);
    while (!IsListEmpty(&Extension->Waiting)) {
        PIRP waiting = CONTAINING_RECORD(RemoveHeadList(&Extension->Waiting), IRP, Tail.Overlay.ListEntry);

        if (IoSetCancelRoutine(waiting, NULL) == NULL)
            continue;
        KeReleaseSpinLock(&Extension->Lock, irql);
        RtlCopyMemory(waiting->AssociatedIrp.SystemBuffer, "woken", 5);
        Complete(waiting, STATUS_SUCCESS, 5);
        count++;
        KeAcquireSpinLock(&Extension->Lock, &irql);
    }
    KeReleaseSpinLock(&Extension->Lock, irql);
    return Complete(Irp, count ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES, 0);
}

VOID EchoWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PECHO_EXTENSION extension = DeviceObject->DeviceExtension;
    PIRP irp = Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(extension);
    *(PULONG)irp->AssociatedIrp.SystemBuffer = 4711;
    Complete(irp, STATUS_SUCCESS, sizeof(ULONG));
}

static NTSTATUS EchoNeither(PIRP Irp, PVOID Input, ULONG Length)
{
    NTSTATUS status = STATUS_SUCCESS;

    __try {
        ProbeForRead(Input, Length, 1);
        ProbeForWrite(Irp->UserBuffer, Length, 1);
        RtlCopyMemory(Irp->UserBuffer, Input, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return Complete(Irp, status, NT_SUCCESS(status) ? Length : 0);
}

NTSTATUS EchoControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PECHO_EXTENSION extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG in = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG out = stack->Parameters.DeviceIoControl.OutputBufferLength;

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_ECHO:
        if (out < in)
            return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
        return Complete(Irp, STATUS_SUCCESS, in);

    case IOCTL_NEITHER:
        return EchoNeither(Irp, stack->Parameters.DeviceIoControl.Type3InputBuffer, in);

    case IOCTL_DIRECT: {
        PVOID buffer;

        if (Irp->MdlAddress == NULL)
            return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
        buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
        if (buffer == NULL)
            return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        RtlFillMemory(buffer, MmGetMdlByteCount(Irp->MdlAddress), 'd');
        return Complete(Irp, STATUS_SUCCESS, out);
    }

    case IOCTL_WAIT:
        return EchoWait(extension, Irp);

    case IOCTL_WAKE:
        return EchoWake(extension, Irp);

    case IOCTL_WHO: {
        PULONG answer = Irp->AssociatedIrp.SystemBuffer;

        if (out < 2 * sizeof(ULONG))
            return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
        answer[0] = HandleToULong(PsGetCurrentProcessId());
        answer[1] = IoGetRequestorProcessId(Irp);
        return Complete(Irp, STATUS_SUCCESS, 2 * sizeof(ULONG));
    }

    case IOCTL_LATER:
        if (out < sizeof(ULONG))
            return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
        IoMarkIrpPending(Irp);
        IoQueueWorkItem(extension->Item, EchoWork, DelayedWorkQueue, Irp);
        return STATUS_PENDING;

    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

NTSTATUS EchoRead(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG length = stack->Parameters.Read.Length;
    PUCHAR buffer = Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(DeviceObject);
    for (ULONG i = 0; i < length; i++)
        buffer[i] = (UCHAR)(stack->Parameters.Read.ByteOffset.QuadPart + i);
    return Complete(Irp, STATUS_SUCCESS, length);
}

static VOID ReadParameters(PUNICODE_STRING RegistryPath)
{
    WCHAR path[200];
    UNICODE_STRING greeting = { 0 };
    ULONG size = 0;
    RTL_QUERY_REGISTRY_TABLE table[3];

    if (!NT_SUCCESS(RtlStringCbPrintfW(path, sizeof(path), L"%wZ\\Parameters", RegistryPath)))
        return;
    RtlZeroMemory(table, sizeof(table));
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = L"greeting";
    table[0].EntryContext = &greeting;
    table[1].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    table[1].Name = L"size";
    table[1].EntryContext = &size;
    table[1].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    if (NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path, table, NULL, NULL)))
        DbgPrint("echo: greeting='%wZ' size=%lu\n", &greeting, size);
    RtlFreeUnicodeString(&greeting);
}

VOID EchoUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link;
    PECHO_EXTENSION extension = EchoDevice->DeviceExtension;

    UNREFERENCED_PARAMETER(DriverObject);
    IoFreeWorkItem(extension->Item);
    RtlInitUnicodeString(&link, LINK_NAME);
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(EchoDevice);
    DbgPrint("echo: unloaded\n");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name, link;
    PECHO_EXTENSION extension;
    NTSTATUS status;

    DbgPrint("echo: DriverEntry at IRQL %d, path %wZ\n", KeGetCurrentIrql(), RegistryPath);
    ReadParameters(RegistryPath);
    RtlInitUnicodeString(&name, DEVICE_NAME);
    RtlInitUnicodeString(&link, LINK_NAME);
    status = IoCreateDevice(DriverObject, sizeof(ECHO_EXTENSION), &name, FILE_DEVICE_UNKNOWN,
                            FILE_DEVICE_SECURE_OPEN, FALSE, &EchoDevice);
    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(EchoDevice);
        return status;
    }
    extension = EchoDevice->DeviceExtension;
    InitializeListHead(&extension->Waiting);
    KeInitializeSpinLock(&extension->Lock);
    extension->Item = IoAllocateWorkItem(EchoDevice);
    EchoDevice->Flags |= DO_BUFFERED_IO;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = EchoCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = EchoCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = EchoCreateClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = EchoControl;
    DriverObject->MajorFunction[IRP_MJ_READ] = EchoRead;
    DriverObject->DriverUnload = EchoUnload;
    return STATUS_SUCCESS;
}
