#include "callout.h"

// In bytes: a long path with its terminator.
#define PARAMETER_MAX 1024

static struct {
    PDEVICE_OBJECT device;
    HANDLE engine;
    UINT32 ids[CALLOUT_LAYERS_MAX];
} state;

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

static NTSTATUS add_sublayer(const struct callout_table *table)
{
    FWPM_SUBLAYER0 sublayer = { 0 };
    if (!table->sublayer_key)
        return STATUS_SUCCESS;
    sublayer.subLayerKey = *table->sublayer_key;
    sublayer.displayData.name = (PWSTR)table->name;
    sublayer.weight = table->sublayer_weight;
    return FwpmSubLayerAdd0(state.engine, &sublayer, NULL);
}

static NTSTATUS add_callout(const struct callout_table *table, ULONG layer)
{
    FWPS_CALLOUT3 registration = { 0 };
    registration.calloutKey = *table->layers[layer].callout_key;
    registration.classifyFn = table->classify;
    registration.notifyFn = notify;
    registration.flowDeleteFn = table->flow_delete;
    NTSTATUS status = FwpsCalloutRegister3(state.device, &registration, &state.ids[layer]);
    if (!NT_SUCCESS(status))
        return status;

    FWPM_CALLOUT0 callout = { 0 };
    callout.calloutKey = *table->layers[layer].callout_key;
    callout.displayData.name = (PWSTR)table->name;
    callout.applicableLayer = *table->layers[layer].layer_key;
    return FwpmCalloutAdd0(state.engine, &callout, NULL, NULL);
}

static NTSTATUS add_filter(const struct callout_table *table, ULONG layer)
{
    FWPM_FILTER0 filter = { 0 };
    filter.displayData.name = (PWSTR)table->name;
    filter.layerKey = *table->layers[layer].layer_key;
    if (table->sublayer_key)
        filter.subLayerKey = *table->sublayer_key;
    filter.weight.type = FWP_EMPTY;
    filter.numFilterConditions = table->condition ? 1 : 0;
    filter.filterCondition = table->condition;
    filter.action.type = table->action;
    filter.action.calloutKey = *table->layers[layer].callout_key;
    return FwpmFilterAdd0(state.engine, &filter, NULL, NULL);
}

static NTSTATUS add_objects(const struct callout_table *table)
{
    NTSTATUS status = FwpmTransactionBegin0(state.engine, 0);
    if (NT_SUCCESS(status))
        status = add_sublayer(table);
    for (ULONG i = 0; i < CALLOUT_LAYERS_MAX && table->layers[i].layer_key; i++) {
        if (NT_SUCCESS(status))
            status = add_callout(table, i);
        if (NT_SUCCESS(status))
            status = add_filter(table, i);
    }
    return NT_SUCCESS(status) ? FwpmTransactionCommit0(state.engine) : status;
}

NTSTATUS callouts_start(PDRIVER_OBJECT driver, const struct callout_table *table)
{
    FWPM_SESSION0 session = { 0 };
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    NTSTATUS status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &state.device);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &state.engine);
    return NT_SUCCESS(status) ? add_objects(table) : status;
}

NTSTATUS callouts_stop(VOID)
{
    NTSTATUS result = STATUS_SUCCESS;
    if (state.engine)
        (void)FwpmEngineClose0(state.engine);  // an open transaction ends with it as well
    for (ULONG i = 0; i < CALLOUT_LAYERS_MAX; i++) {
        NTSTATUS status = state.ids[i] ? FwpsCalloutUnregisterById0(state.ids[i]) : STATUS_SUCCESS;
        if (!NT_SUCCESS(status))
            result = status;
    }
    if (state.device)
        IoDeleteDevice(state.device);
    return result;
}

UINT32 callout_id(ULONG layer)
{
    return state.ids[layer];
}

NTSTATUS parameter_read(PUNICODE_STRING registry_path, PCWSTR name, ULONG type, PVOID ret_value, ULONG value_bytes)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE key;
    UNICODE_STRING text;
    union {
        KEY_VALUE_PARTIAL_INFORMATION value;
        UCHAR bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + PARAMETER_MAX];
    } buffer;
    ULONG size;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    RtlInitUnicodeString(&text, name);
    status = ZwQueryValueKey(key, &text, KeyValuePartialInformation, &buffer, sizeof(buffer), &size);
    (void)ZwClose(key);
    if (!NT_SUCCESS(status))
        return status;
    if (buffer.value.Type != type || buffer.value.DataLength > value_bytes)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(ret_value, buffer.bytes + FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data), buffer.value.DataLength);
    return STATUS_SUCCESS;
}
