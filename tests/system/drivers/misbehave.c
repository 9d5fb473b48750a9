// A callout driver that misbehaves in classify, for the tests. The registry value `mode` tells how:
// permit, block, crash, hang, garbage (an action no callout may return), abort-entry (DriverEntry fails).
#include <ntddk.h>
#include <initguid.h>
#include <fwpmk.h>
#include <fwpsk.h>

DEFINE_GUID(MISBEHAVE_CALLOUT_V4, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x01);
DEFINE_GUID(MISBEHAVE_CALLOUT_V6, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x02);
DEFINE_GUID(MISBEHAVE_SUBLAYER, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x03);

static WCHAR mode[32] = L"permit";
static PDEVICE_OBJECT device;
static HANDLE engine;
static UINT32 callout_ids[2];
static int *volatile nowhere;

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(values);
    UNREFERENCED_PARAMETER(metadata);
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);

    if (wcscmp(mode, L"crash") == 0)
        *nowhere = 1;
    while (wcscmp(mode, L"hang") == 0)
        YieldProcessor();
    out->actionType = FWP_ACTION_PERMIT;
    if (wcscmp(mode, L"block") == 0) {
        out->actionType = FWP_ACTION_BLOCK;
        out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
    }
    if (wcscmp(mode, L"garbage") == 0)
        out->actionType = 0xDEADBEEF;
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

static NTSTATUS add_layer(const GUID *callout_key, const GUID *layer_key, UINT32 *ret_id)
{
    FWPS_CALLOUT3 registration = {0};
    registration.calloutKey = *callout_key;
    registration.classifyFn = classify;
    registration.notifyFn = notify;
    NTSTATUS status = FwpsCalloutRegister3(device, &registration, ret_id);
    if (!NT_SUCCESS(status))
        return status;

    FWPM_CALLOUT0 callout = {0};
    callout.calloutKey = *callout_key;
    callout.displayData.name = (wchar_t *)L"misbehave";
    callout.applicableLayer = *layer_key;
    status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;

    FWPM_FILTER0 filter = {0};
    filter.displayData.name = (wchar_t *)L"misbehave";
    filter.layerKey = *layer_key;
    filter.subLayerKey = MISBEHAVE_SUBLAYER;
    filter.weight.type = FWP_EMPTY;
    filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
    filter.action.calloutKey = *callout_key;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (engine)
        FwpmEngineClose0(engine);  // the session is dynamic: its objects go with it
    for (int i = 0; i < 2; i++) {
        if (callout_ids[i])
            FwpsCalloutUnregisterById0(callout_ids[i]);
    }
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
    read_mode(registry_path);
    if (wcscmp(mode, L"abort-entry") == 0)
        return STATUS_UNSUCCESSFUL;
    driver->DriverUnload = unload;
    NTSTATUS status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;

    FWPM_SESSION0 session = {0};
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (NT_SUCCESS(status))
        status = FwpmTransactionBegin0(engine, 0);
    if (NT_SUCCESS(status)) {
        FWPM_SUBLAYER0 sublayer = {0};
        sublayer.subLayerKey = MISBEHAVE_SUBLAYER;
        sublayer.displayData.name = (wchar_t *)L"misbehave";
        sublayer.weight = 0x4321;
        status = FwpmSubLayerAdd0(engine, &sublayer, NULL);
    }
    if (NT_SUCCESS(status))
        status = add_layer(&MISBEHAVE_CALLOUT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, &callout_ids[0]);
    if (NT_SUCCESS(status))
        status = add_layer(&MISBEHAVE_CALLOUT_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, &callout_ids[1]);
    if (NT_SUCCESS(status))
        status = FwpmTransactionCommit0(engine);
    if (!NT_SUCCESS(status)) {
        DbgPrint("misbehave: DriverEntry failed: 0x%08x\n", status);
        unload(driver);
    }
    return status;
}
