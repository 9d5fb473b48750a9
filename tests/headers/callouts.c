// A callout driver's use of the headers, with the callout version that NTDDI_VERSION chooses and with literal ones.
#include <string.h>

#include <fwpsk.h>
#include <fwpmk.h>

NTSTATUS register_all(void *device, const GUID *key, UINT32 *id);

static void NTAPI classify(_In_ const FWPS_INCOMING_VALUES0 *values,
                           _In_ const FWPS_INCOMING_METADATA_VALUES0 *metadata, _Inout_opt_ void *packet,
#if NTDDI_VERSION >= NTDDI_WIN7
                           _In_opt_ const void *classifyContext,
#endif
                           _In_ const FWPS_FILTER *filter, _In_ UINT64 flowContext, _Inout_ FWPS_CLASSIFY_OUT *out)
{
    HANDLE pended;

    (void)packet;
    (void)filter;
    (void)flowContext;
#if NTDDI_VERSION >= NTDDI_WIN7
    (void)classifyContext;
#endif
    if (values->layerId != FWPS_LAYER_ALE_AUTH_CONNECT_V4 || !(out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;
    if (values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value.uint16 == 25)
        out->actionType = FWP_ACTION_BLOCK;
    if (FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_COMPLETION_HANDLE) &&
        NT_SUCCESS(FwpsPendOperation(metadata->completionHandle, &pended)))
        FwpsCompleteOperation0(pended, NULL);
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER *filter)
{
    (void)type;
    (void)key;
    (void)filter;
    return STATUS_SUCCESS;
}

NTSTATUS register_all(void *device, const GUID *key, UINT32 *id)
{
    FWPS_CALLOUT callout;
    FWPS_CALLOUT1 literal;
    NTSTATUS status;

    memset(&callout, 0, sizeof(callout));
    memset(&literal, 0, sizeof(literal));
    callout.calloutKey = *key;
    callout.classifyFn = classify;
    callout.notifyFn = notify;
    status = FwpsCalloutRegister(device, &callout, id);
    return status == STATUS_FWP_ALREADY_EXISTS ? FwpsCalloutRegister1(device, &literal, id) : status;
}
