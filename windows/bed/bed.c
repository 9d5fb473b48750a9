// bed.sys: gives fwpkclnt.sys, which Windows loads as a library of drivers, a driver object and so a device.
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry, bed_start;

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    return bed_start(driver, registry_path);
}
