/* unresolved: calls a function that no kernel has. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
NTSTATUS KeDoWhatIMean(PDRIVER_OBJECT DriverObject);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return KeDoWhatIMean(DriverObject);
}
