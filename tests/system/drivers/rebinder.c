// A callout driver that binds the sockets of one program elsewhere, in the API of WFP alone. Its registry values are
// those of rewriter.h; an address or a port that is absent stays.
#include <initguid.h>

#include "callout.h"
#include "rewriter.h"

DEFINE_GUID(REBINDER_V4, 0x9d0d1ce2, 0x41f7, 0x4a0b, 0x9c, 0x21, 0x5b, 0x0e, 0x7a, 0x33, 0x90, 0x01);
DEFINE_GUID(REBINDER_V6, 0x9d0d1ce2, 0x41f7, 0x4a0b, 0x9c, 0x21, 0x5b, 0x0e, 0x7a, 0x33, 0x90, 0x02);

static VOID set_local(PVOID data)
{
    rewriter_set_address(&((FWPS_BIND_REQUEST0 *)data)->localAddressAndPort);
}

static VOID NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(metadata);
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(flow_context);
    // The fields of both layers have the same numbers.
    const FWP_VALUE0 *app = &values->incomingValue[FWPS_FIELD_ALE_BIND_REDIRECT_V4_ALE_APP_ID].value;
    out->actionType = FWP_ACTION_PERMIT;
    if (rewriter_wants(app->byteBlob))
        rewriter_classify(context, filter, out);
}

static const struct callout_table table = {
    .name = L"rebinder",
    .layers = { { &REBINDER_V4, &FWPM_LAYER_ALE_BIND_REDIRECT_V4 },
                { &REBINDER_V6, &FWPM_LAYER_ALE_BIND_REDIRECT_V6 } },
    .classify = classify,
    .action = FWP_ACTION_CALLOUT_TERMINATING,
};

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    rewriter_stop();
    if (!NT_SUCCESS(callouts_stop()))
        DbgPrint("rebinder: a callout is busy\n");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    driver->DriverUnload = unload;
    NTSTATUS status = rewriter_start(registry_path, L"", L"", set_local);
    if (NT_SUCCESS(status))
        status = callouts_start(driver, &table);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
