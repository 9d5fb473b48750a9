// A callout driver that never answers: it holds the connections of one program, as a question nobody has answered yet
// does. Parameter `app`: the program's path. It pends each connection; where that is not possible it waits in classify.
#include <initguid.h>

#include "callout.h"

DEFINE_GUID(HOLD_CALLOUT, 0x3c9a27d1, 0x44be, 0x4e0d, 0x8b, 0x1c, 0x5e, 0x02, 0x91, 0xd7, 0xaa, 0x01);
DEFINE_GUID(HOLD_SUBLAYER, 0x3c9a27d1, 0x44be, 0x4e0d, 0x8b, 0x1c, 0x5e, 0x02, 0x91, 0xd7, 0xaa, 0x02);

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

static NTSTATUS add_objects(PDRIVER_OBJECT driver, PWCHAR path)
{
    // An app id is the path with its terminator.
    FWP_BYTE_BLOB app = { (UINT32)((wcslen(path) + 1) * sizeof(WCHAR)), (UINT8 *)path };
    FWPM_FILTER_CONDITION0 condition = { 0 };
    condition.fieldKey = FWPM_CONDITION_ALE_APP_ID;
    condition.matchType = FWP_MATCH_EQUAL;
    condition.conditionValue.type = FWP_BYTE_BLOB_TYPE;
    condition.conditionValue.byteBlob = &app;
    const struct callout_table table = {
        .name = L"hold",
        .layers = { { &HOLD_CALLOUT, &FWPM_LAYER_ALE_AUTH_CONNECT_V4 } },
        .classify = classify,
        .action = FWP_ACTION_CALLOUT_TERMINATING,
        .condition = &condition,
        .sublayer_key = &HOLD_SUBLAYER,
        .sublayer_weight = 0x7000,
    };
    return callouts_start(driver, &table);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    (void)callouts_stop();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    WCHAR path[512] = { 0 };
    driver->DriverUnload = unload;
    NTSTATUS status = parameter_read(registry_path, L"app", REG_SZ, path, sizeof(path) - sizeof(WCHAR));
    if (NT_SUCCESS(status))
        status = add_objects(driver, path);
    if (!NT_SUCCESS(status)) {
        DbgPrint("hold: DriverEntry failed: 0x%08x\n", status);
        unload(driver);
    }
    return status;
}
