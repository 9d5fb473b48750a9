/* failing: its DriverEntry fails, after it has taken something. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, 'liaF');
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}
