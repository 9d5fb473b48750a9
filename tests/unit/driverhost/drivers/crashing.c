/*
 * crashing: fails in the way the parameter `how` says, in a system thread, once the value `after` is set at load.
 *
 * how: 0 not at all, 1 writes to address 8, 2 bug check, 3 writes to address 8 inside __try, 4 waits at DISPATCH_LEVEL,
 * 5 takes a spin lock twice, 6 crashes in DriverEntry itself, 7 recurses until the stack is full.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static KSTART_ROUTINE Crash;

static ULONG How;
static KSPIN_LOCK Lock;

static volatile ULONG_PTR Nowhere = 8;

static VOID WriteToNowhere(VOID)
{
    *(volatile ULONG *)Nowhere = 1;
}

static ULONG Recurse(volatile ULONG *Above)
{
    volatile ULONG here[256];

    here[0] = *Above + 1;
    if (here[0] == 0)
        return 0;
    return Recurse(here) + here[0];
}

static VOID Crash(PVOID Context)
{
    KIRQL irql, again;
    KEVENT event;

    UNREFERENCED_PARAMETER(Context);
    switch (How) {
    case 1:
    case 6:
        WriteToNowhere();
        break;
    case 2:
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4);
        break;
    case 3:
        __try {
            WriteToNowhere();
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            DbgPrint("crashing: caught 0x%08X\n", GetExceptionCode());
        }
        break;
    case 4:
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        DbgPrint("crashing: wait returned 0x%08X\n",
                 KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL));
        KeLowerIrql(irql);
        break;
    case 5:
        KeInitializeSpinLock(&Lock);
        KeAcquireSpinLock(&Lock, &irql);
        KeAcquireSpinLock(&Lock, &again);
        break;
    case 7:
        DbgPrint("%u", Recurse(&How));
        break;
    default:
        break;
    }
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    DbgPrint("crashing: unloaded\n");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE table[2];
    HANDLE thread;
    NTSTATUS status;

    RtlZeroMemory(table, sizeof(table));
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = L"how";
    table[0].EntryContext = &How;
    status = RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, table, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;
    if (How == 6)
        Crash(NULL);
    DriverObject->DriverUnload = Unload;
    status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Crash, NULL);
    if (NT_SUCCESS(status))
        ZwClose(thread);
    return status;
}
