// A callout driver that misbehaves in classify, for the tests. The registry value `mode` tells how:
// permit, block, crash, hang, garbage (an action no callout may return), abort-entry (DriverEntry fails).
#include <initguid.h>

#include "callout.h"

DEFINE_GUID(MISBEHAVE_CALLOUT_V4, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x01);
DEFINE_GUID(MISBEHAVE_CALLOUT_V6, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x02);
DEFINE_GUID(MISBEHAVE_SUBLAYER, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x11, 0x03);

static WCHAR mode[32] = L"permit";
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

static const struct callout_table table = {
    .name = L"misbehave",
    .layers = { { &MISBEHAVE_CALLOUT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4 },
                { &MISBEHAVE_CALLOUT_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6 } },
    .classify = classify,
    .action = FWP_ACTION_CALLOUT_TERMINATING,
    .sublayer_key = &MISBEHAVE_SUBLAYER,
    .sublayer_weight = 0x4321,
};

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    (void)callouts_stop();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    (void)parameter_read(registry_path, L"mode", REG_SZ, mode, sizeof(mode));
    if (wcscmp(mode, L"abort-entry") == 0)
        return STATUS_UNSUCCESSFUL;
    driver->DriverUnload = unload;
    NTSTATUS status = callouts_start(driver, &table);
    if (!NT_SUCCESS(status)) {
        DbgPrint("misbehave: DriverEntry failed: 0x%08x\n", status);
        unload(driver);
    }
    return status;
}
