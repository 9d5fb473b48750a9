/*
 * leaky: leaves one of everything behind. With the parameter thread=1 also a thread that runs on for a while.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LeakyUnload;
static KDEFERRED_ROUTINE LeakyDpc;
static KSTART_ROUTINE LeakyThread;

static KTIMER Timer;
static KDPC Dpc;

static VOID LeakyDpc(PKDPC TimerDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TimerDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID LeakyThread(PVOID Context)
{
    LARGE_INTEGER interval;

    UNREFERENCED_PARAMETER(Context);
    interval.QuadPart = -5LL * 10000000;
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    DbgPrint("leaky: the thread is awake\n");
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID LeakyUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static ULONG ReadNumber(PUNICODE_STRING RegistryPath, PCWSTR Name)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE key;
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION information = (PKEY_VALUE_PARTIAL_INFORMATION)buffer;
    ULONG size, value = 0;

    InitializeObjectAttributes(&attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes)))
        return 0;
    RtlInitUnicodeString(&name, Name);
    if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, information, sizeof(buffer), &size)) &&
        information->Type == REG_DWORD)
        value = *(PULONG)information->Data;
    ZwClose(key);
    return value;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Leaky");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\??\\Leaky");
    PDEVICE_OBJECT device;
    LARGE_INTEGER due;
    HANDLE thread;

    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device)))
        return STATUS_UNSUCCESSFUL;
    IoCreateSymbolicLink(&link, &name);
    (void)ExAllocatePoolWithTag(NonPagedPool, 100, 'kaeL');
    (void)IoAllocateWorkItem(device);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, LeakyDpc, NULL);
    due.QuadPart = -3600LL * 10000000;
    KeSetTimer(&Timer, due, &Dpc);
    if (ReadNumber(RegistryPath, L"thread"))
        PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, LeakyThread, NULL);
    DriverObject->DriverUnload = LeakyUnload;
    return STATUS_SUCCESS;
}
