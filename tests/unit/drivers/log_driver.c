// A driver with nothing but the wall driver's log: what is written to its second device becomes a line.
#include <ntddk.h>

#include "log.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD unload;
static DRIVER_DISPATCH write_line;
static DEVICE_OBJECT *device;
static DRIVER_DISPATCH *log_control;

static VOID NTAPI unload(DRIVER_OBJECT *driver)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\Log");
    wall_log_stop();
    (void)IoDeleteSymbolicLink(&link);
    IoDeleteDevice(device);
}

#define IOCTL_WRITE_LINE CTL_CODE(FILE_DEVICE_NETWORK, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)

static NTSTATUS NTAPI write_line(DEVICE_OBJECT *this_device, IRP *irp)
{
    IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    if (location->Parameters.DeviceIoControl.IoControlCode != IOCTL_WRITE_LINE)
        return log_control(this_device, irp);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);  // as a classification may
    wall_log_print("%.*s\n", (int)location->Parameters.DeviceIoControl.InputBufferLength,
                   (char *)irp->AssociatedIrp.SystemBuffer);
    KeLowerIrql(irql);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Log"), link = RTL_CONSTANT_STRING(L"\\DosDevices\\Log");
    NTSTATUS status = wall_log_start(driver);
    if (NT_SUCCESS(status))
        status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&link, &name);
    log_control = driver->MajorFunction[IRP_MJ_DEVICE_CONTROL];
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = write_line;
    driver->DriverUnload = unload;
    return status;
}
