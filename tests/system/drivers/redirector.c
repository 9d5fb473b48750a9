// A callout driver that sends the connections of one program to a proxy, in the API of WFP alone. Its registry values
// are those of rewriter.h, with the address and the port of the proxy; without an address it is on this host.
// `context`: the bytes of the context, at least those of an address. `protocol`: TCP unless given.
#include <initguid.h>

#include "callout.h"
#include "rewriter.h"

DEFINE_GUID(REDIRECTOR_V4, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x01);
DEFINE_GUID(REDIRECTOR_V6, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x02);
DEFINE_GUID(REDIRECTOR_PROVIDER, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x03);

#define CONTEXT_TAG 'rdRW'

static HANDLE redirect_handle;
static ULONG context_size = sizeof(SOCKADDR_STORAGE);
static ULONG redirected_protocol = IPPROTO_TCP;

// The proxy is told the address that the program asked for.
static VOID set_context(FWPS_CONNECT_REQUEST0 *request)
{
    SOCKADDR_STORAGE *original = (SOCKADDR_STORAGE *)ExAllocatePoolWithTag(NonPagedPool, context_size, CONTEXT_TAG);
    if (!original)
        return;
    RtlZeroMemory(original, context_size);
    *original = request->remoteAddressAndPort;
    request->localRedirectContext = original;
    request->localRedirectContextSize = context_size;
}

static VOID set_proxy(PVOID data)
{
    FWPS_CONNECT_REQUEST0 *request = (FWPS_CONNECT_REQUEST0 *)data;
    set_context(request);
    rewriter_set_address(&request->remoteAddressAndPort);
    request->localRedirectTargetPID = 1;
    request->localRedirectHandle = redirect_handle;
}

static VOID NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(flow_context);
    // The fields of both layers have the same numbers.
    const FWP_VALUE0 *app = &values->incomingValue[FWPS_FIELD_ALE_CONNECT_REDIRECT_V4_ALE_APP_ID].value;
    const FWP_VALUE0 *protocol = &values->incomingValue[FWPS_FIELD_ALE_CONNECT_REDIRECT_V4_IP_PROTOCOL].value;
    HANDLE records = FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE)
                         ? metadata->redirectRecords : NULL;
    out->actionType = FWP_ACTION_PERMIT;
    if (protocol->uint8 == redirected_protocol && rewriter_wants(app->byteBlob) &&
        FwpsQueryConnectionRedirectState0(records, redirect_handle, NULL) == FWPS_CONNECTION_NOT_REDIRECTED)
        rewriter_classify(context, filter, out);
}

static const struct callout_table table = {
    .name = L"redirector",
    .layers = { { &REDIRECTOR_V4, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4 },
                { &REDIRECTOR_V6, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V6 } },
    .classify = classify,
    .action = FWP_ACTION_CALLOUT_TERMINATING,
};

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    rewriter_stop();
    if (!NT_SUCCESS(callouts_stop()))
        DbgPrint("redirector: a callout is busy\n");
    if (redirect_handle)
        FwpsRedirectHandleDestroy0(redirect_handle);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    driver->DriverUnload = unload;
    (void)parameter_read(registry_path, L"context", REG_DWORD, &context_size, sizeof(context_size));
    (void)parameter_read(registry_path, L"protocol", REG_DWORD, &redirected_protocol, sizeof(redirected_protocol));
    NTSTATUS status = rewriter_start(registry_path, L"127.0.0.1", L"::1", set_proxy);
    if (NT_SUCCESS(status))
        status = FwpsRedirectHandleCreate0(&REDIRECTOR_PROVIDER, 0, &redirect_handle);
    if (NT_SUCCESS(status))
        status = callouts_start(driver, &table);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
