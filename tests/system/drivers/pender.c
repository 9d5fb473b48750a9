// A callout driver that breaks one rule of pending, for the tests. The registry value `mode` tells which:
// good, twice, never, inside, no-absorb, permit, no-verdict, crash, dispatch. What is pended is completed 300 ms later.
#include <ntddk.h>
#include <initguid.h>
#include <fwpmk.h>
#include <fwpsk.h>

DEFINE_GUID(PENDER_CALLOUT, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x22, 0x01);

static WCHAR mode[32] = L"good";
static PDEVICE_OBJECT device;
static HANDLE engine;
static UINT32 callout_id;
static KEVENT wake, stop;
static PVOID thread;
static HANDLE pended[64];
static volatile LONG pended_count;
static volatile LONG verdict_known;
static int *volatile nowhere;

static BOOLEAN is(PCWSTR name)
{
    return wcscmp(mode, name) == 0;
}

static VOID complete(HANDLE context)
{
    LARGE_INTEGER delay;
    delay.QuadPart = -3000000;
    (void)KeDelayExecutionThread(KernelMode, FALSE, &delay);
    if (is(L"crash"))
        *nowhere = 1;
    if (is(L"never"))
        return;
    if (!is(L"no-verdict"))
        InterlockedExchange(&verdict_known, 1);
    FwpsCompleteOperation0(context, NULL);
    if (is(L"twice"))
        FwpsCompleteOperation0(context, NULL);
}

static VOID NTAPI run(PVOID unused)
{
    PVOID events[2] = { &stop, &wake };
    LONG done = 0;
    UNREFERENCED_PARAMETER(unused);
    while (KeWaitForMultipleObjects(2, events, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_1)
        while (done < pended_count)
            complete(pended[done++ % 64]);
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);
    LARGE_INTEGER soon;
    HANDLE operation = NULL;
    KIRQL irql;
    UINT32 flags = values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS].value.uint32;
    if (is(L"dispatch")) {
        soon.QuadPart = -10000;
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        (void)KeWaitForSingleObject(&stop, Executive, KernelMode, FALSE, &soon);
        KeLowerIrql(irql);
        out->actionType = FWP_ACTION_PERMIT;
        return;
    }
    if ((flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE) && verdict_known) {
        out->actionType = FWP_ACTION_PERMIT;
        return;
    }
    // Without a verdict this driver pends once more, which is wrong at a reauthorization.
    NTSTATUS status = FwpsPendOperation0(metadata->completionHandle, &operation);
    out->actionType = is(L"permit") ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
    if (!is(L"no-absorb") && !is(L"permit"))
        out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    if (!NT_SUCCESS(status))
        return;
    if (is(L"inside")) {
        InterlockedExchange(&verdict_known, 1);
        FwpsCompleteOperation0(operation, NULL);
        return;
    }
    pended[pended_count % 64] = operation;
    InterlockedIncrement(&pended_count);
    (void)KeSetEvent(&wake, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

static NTSTATUS add_objects(VOID)
{
    FWPS_CALLOUT3 registration = {0};
    registration.calloutKey = PENDER_CALLOUT;
    registration.classifyFn = classify;
    registration.notifyFn = notify;
    NTSTATUS status = FwpsCalloutRegister3(device, &registration, &callout_id);
    if (!NT_SUCCESS(status))
        return status;
    FWPM_CALLOUT0 callout = {0};
    callout.calloutKey = PENDER_CALLOUT;
    callout.displayData.name = (wchar_t *)L"pender";
    callout.applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;
    FWPM_FILTER0 filter = {0};
    filter.displayData.name = (wchar_t *)L"pender";
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    filter.weight.type = FWP_EMPTY;
    filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
    filter.action.calloutKey = PENDER_CALLOUT;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    (void)KeSetEvent(&stop, IO_NO_INCREMENT, FALSE);
    if (thread) {
        (void)KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(thread);
    }
    if (engine)
        FwpmEngineClose0(engine);  // the session is dynamic: its objects go with it
    if (callout_id && FwpsCalloutUnregisterById0(callout_id) == STATUS_DEVICE_BUSY)
        DbgPrint("pender: the callout is busy\n");
    if (device)
        IoDeleteDevice(device);
}

static VOID read_mode(PUNICODE_STRING registry_path)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE key;
    UNICODE_STRING name;
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(mode)];
    ULONG size;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes)))
        return;
    RtlInitUnicodeString(&name, L"mode");
    if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer, sizeof(buffer), &size))) {
        KEY_VALUE_PARTIAL_INFORMATION *value = (KEY_VALUE_PARTIAL_INFORMATION *)buffer;
        if (value->Type == REG_SZ && value->DataLength <= sizeof(mode))
            RtlCopyMemory(mode, value->Data, value->DataLength);
    }
    ZwClose(key);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    HANDLE handle;
    FWPM_SESSION0 session = {0};
    read_mode(registry_path);
    KeInitializeEvent(&wake, SynchronizationEvent, FALSE);
    KeInitializeEvent(&stop, NotificationEvent, FALSE);
    driver->DriverUnload = unload;
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    NTSTATUS status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (NT_SUCCESS(status))
        status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, NULL);
    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &thread, NULL);
        ZwClose(handle);
    }
    if (NT_SUCCESS(status))
        status = add_objects();
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
