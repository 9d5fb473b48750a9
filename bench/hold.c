// A callout driver that never answers: it holds the connections of one program, as a question nobody has answered yet
// does. Parameter `app`: the program's path. It pends each connection; where that is not possible it waits in classify.
#include <ntddk.h>
#include <initguid.h>
#include <fwpmk.h>
#include <fwpsk.h>

DEFINE_GUID(HOLD_CALLOUT, 0x3c9a27d1, 0x44be, 0x4e0d, 0x8b, 0x1c, 0x5e, 0x02, 0x91, 0xd7, 0xaa, 0x01);
DEFINE_GUID(HOLD_SUBLAYER, 0x3c9a27d1, 0x44be, 0x4e0d, 0x8b, 0x1c, 0x5e, 0x02, 0x91, 0xd7, 0xaa, 0x02);

static PDEVICE_OBJECT device;
static HANDLE engine;
static UINT32 callout_id;

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(values);
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);

    HANDLE pended;
    if (FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_COMPLETION_HANDLE) &&
        NT_SUCCESS(FwpsPendOperation0(metadata->completionHandle, &pended))) {
        out->actionType = FWP_ACTION_BLOCK;
        out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
        out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
        return;
    }
    LARGE_INTEGER hour = { .QuadPart = -36000000000LL };
    if (KeGetCurrentIrql() == PASSIVE_LEVEL)
        KeDelayExecutionThread(KernelMode, FALSE, &hour);
    out->actionType = FWP_ACTION_BLOCK;
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

static NTSTATUS add_filter(PWCHAR path)
{
    // An app id is the path with its terminator.
    FWP_BYTE_BLOB app = { (UINT32)((wcslen(path) + 1) * sizeof(WCHAR)), (UINT8 *)path };
    FWPM_FILTER_CONDITION0 condition = { 0 };
    condition.fieldKey = FWPM_CONDITION_ALE_APP_ID;
    condition.matchType = FWP_MATCH_EQUAL;
    condition.conditionValue.type = FWP_BYTE_BLOB_TYPE;
    condition.conditionValue.byteBlob = &app;

    FWPM_FILTER0 filter = { 0 };
    filter.displayData.name = (wchar_t *)L"hold";
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    filter.subLayerKey = HOLD_SUBLAYER;
    filter.weight.type = FWP_EMPTY;
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
    filter.action.calloutKey = HOLD_CALLOUT;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

static NTSTATUS add_all(PWCHAR path)
{
    FWPS_CALLOUT3 registration = { 0 };
    registration.calloutKey = HOLD_CALLOUT;
    registration.classifyFn = classify;
    registration.notifyFn = notify;
    NTSTATUS status = FwpsCalloutRegister3(device, &registration, &callout_id);
    FWPM_CALLOUT0 callout = { 0 };
    callout.calloutKey = HOLD_CALLOUT;
    callout.displayData.name = (wchar_t *)L"hold";
    callout.applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    if (NT_SUCCESS(status))
        status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    FWPM_SUBLAYER0 sublayer = { 0 };
    sublayer.subLayerKey = HOLD_SUBLAYER;
    sublayer.displayData.name = (wchar_t *)L"hold";
    sublayer.weight = 0x7000;
    if (NT_SUCCESS(status))
        status = FwpmSubLayerAdd0(engine, &sublayer, NULL);
    return NT_SUCCESS(status) ? add_filter(path) : status;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (engine)
        FwpmEngineClose0(engine);  // the session is dynamic: its objects go with it
    if (callout_id)
        FwpsCalloutUnregisterById0(callout_id);
    if (device)
        IoDeleteDevice(device);
}

static NTSTATUS read_app(PUNICODE_STRING registry_path, PWCHAR path, ULONG path_bytes)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE key;
    UNICODE_STRING name;
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 1024];
    KEY_VALUE_PARTIAL_INFORMATION *value = (KEY_VALUE_PARTIAL_INFORMATION *)buffer;
    ULONG size;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    RtlInitUnicodeString(&name, L"app");
    status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer, sizeof(buffer), &size);
    ZwClose(key);
    if (NT_SUCCESS(status) && (value->Type != REG_SZ || value->DataLength > path_bytes))
        status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        RtlCopyMemory(path, value->Data, value->DataLength);
    return status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    WCHAR path[512] = { 0 };
    FWPM_SESSION0 session = { 0 };
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    driver->DriverUnload = unload;
    NTSTATUS status = read_app(registry_path, path, sizeof(path) - sizeof(WCHAR));
    if (NT_SUCCESS(status))
        status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (NT_SUCCESS(status))
        status = FwpmTransactionBegin0(engine, 0);
    if (NT_SUCCESS(status))
        status = add_all(path);
    if (NT_SUCCESS(status))
        status = FwpmTransactionCommit0(engine);
    if (!NT_SUCCESS(status)) {
        DbgPrint("hold: DriverEntry failed: 0x%08x\n", status);
        unload(driver);
    }
    return status;
}
