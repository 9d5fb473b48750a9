/* misbehaving: each control code breaks one rule of the I/O manager. */
#include <ntddk.h>

#define CODE(function) CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_TOO_MUCH CODE(0x800)
#define IOCTL_NOT_MARKED CODE(0x801)
#define IOCTL_MARKED CODE(0x802)
#define IOCTL_RAISED CODE(0x803)
#define IOCTL_PENDING_STATUS CODE(0x804)
#define IOCTL_FORGOTTEN CODE(0x805)
#define IOCTL_FORGIVEN CODE(0x806)
#define IOCTL_CANCEL_LEFT CODE(0x807)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Open, Control;
static DRIVER_CANCEL Cancel;

static PIRP Forgotten;

static VOID Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static NTSTATUS Finish(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS Open(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Finish(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_TOO_MUCH:
        return Finish(Irp, STATUS_SUCCESS, stack->Parameters.DeviceIoControl.OutputBufferLength + 1000);
    case IOCTL_NOT_MARKED:
        Finish(Irp, STATUS_SUCCESS, 0);
        return STATUS_PENDING;
    case IOCTL_MARKED:
        IoMarkIrpPending(Irp);
        return Finish(Irp, STATUS_SUCCESS, 0);
    case IOCTL_RAISED:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        return Finish(Irp, STATUS_SUCCESS, 0);
    case IOCTL_PENDING_STATUS:
        return Finish(Irp, STATUS_PENDING, 0);
    case IOCTL_FORGOTTEN:
        Forgotten = Irp;
        return STATUS_SUCCESS;
    case IOCTL_FORGIVEN:
        if (Forgotten)
            Finish(Forgotten, STATUS_SUCCESS, 0);
        Forgotten = NULL;
        return Finish(Irp, STATUS_SUCCESS, 0);
    case IOCTL_CANCEL_LEFT:
        IoSetCancelRoutine(Irp, Cancel);
        return Finish(Irp, STATUS_SUCCESS, 0);
    default:
        return Finish(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\??\\Misbehaving");

    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Misbehaving");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\??\\Misbehaving");
    PDEVICE_OBJECT device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);
    status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    IoCreateSymbolicLink(&link, &name);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Open;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
