#include <initguid.h>

#include "objects.h"

// Below the sublayer of the wall driver: what is blocked there is not asked about.
#define SUBLAYER_WEIGHT 0xE000
#define WEIGHT_ASK 1
#define WEIGHT_REMEMBERED 8
// A path of the longest name, with the terminator counted.
#define PATH_BYTES_MAX 65534

// {5f0a2b64-8a1e-4b1c-9d3b-6a4f6f0a7e10} …
DEFINE_GUID(ASK_SUBLAYER, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x10);
DEFINE_GUID(ASK_CALLOUT_CONNECT_V4, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x11);
DEFINE_GUID(ASK_CALLOUT_CONNECT_V6, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x12);
DEFINE_GUID(ASK_CALLOUT_ACCEPT_V4, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x13);
DEFINE_GUID(ASK_CALLOUT_ACCEPT_V6, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x14);
DEFINE_GUID(ASK_FILTER_CONNECT_V4, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x21);
DEFINE_GUID(ASK_FILTER_CONNECT_V6, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x22);
DEFINE_GUID(ASK_FILTER_ACCEPT_V4, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x23);
DEFINE_GUID(ASK_FILTER_ACCEPT_V6, 0x5f0a2b64, 0x8a1e, 0x4b1c, 0x9d, 0x3b, 0x6a, 0x4f, 0x6f, 0x0a, 0x7e, 0x24);

#define FIELDS(layer)                                                                                                  \
    FWPS_FIELD_ALE_AUTH_##layer##_IP_LOCAL_ADDRESS, FWPS_FIELD_ALE_AUTH_##layer##_IP_LOCAL_PORT,                       \
        FWPS_FIELD_ALE_AUTH_##layer##_IP_REMOTE_ADDRESS, FWPS_FIELD_ALE_AUTH_##layer##_IP_REMOTE_PORT,                 \
        FWPS_FIELD_ALE_AUTH_##layer##_IP_PROTOCOL, FWPS_FIELD_ALE_AUTH_##layer##_FLAGS,                                \
        FWPS_FIELD_ALE_AUTH_##layer##_REAUTHORIZE_REASON, FWPS_FIELD_ALE_AUTH_##layer##_INTERFACE_INDEX

const struct ask_layer ask_layers[ASK_LAYERS] = {
    { FWPS_LAYER_ALE_AUTH_CONNECT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, &ASK_CALLOUT_CONNECT_V4, &ASK_FILTER_CONNECT_V4,
      FALSE, FALSE, FIELDS(CONNECT_V4), L"ask: outgoing IPv4" },
    { FWPS_LAYER_ALE_AUTH_CONNECT_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, &ASK_CALLOUT_CONNECT_V6, &ASK_FILTER_CONNECT_V6,
      FALSE, TRUE, FIELDS(CONNECT_V6), L"ask: outgoing IPv6" },
    { FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, &ASK_CALLOUT_ACCEPT_V4,
      &ASK_FILTER_ACCEPT_V4, TRUE, FALSE, FIELDS(RECV_ACCEPT_V4), L"ask: incoming IPv4" },
    { FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, &ASK_CALLOUT_ACCEPT_V6,
      &ASK_FILTER_ACCEPT_V6, TRUE, TRUE, FIELDS(RECV_ACCEPT_V6), L"ask: incoming IPv6" },
};

const struct ask_layer *ask_layer_find(UINT16 id)
{
    for (ULONG i = 0; i < ASK_LAYERS; i++)
        if (ask_layers[i].id == id)
            return &ask_layers[i];
    return NULL;
}

// One transaction: connections meet either none of the changes or all of them.
static NTSTATUS finish(HANDLE engine, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        status = FwpmTransactionCommit0(engine);
    if (!NT_SUCCESS(status))
        (void)FwpmTransactionAbort0(engine);
    return status;
}

static NTSTATUS add_sublayer(HANDLE engine)
{
    FWPM_SUBLAYER0 sublayer;
    RtlZeroMemory(&sublayer, sizeof(sublayer));
    sublayer.subLayerKey = ASK_SUBLAYER;
    sublayer.displayData.name = (PWSTR)L"ask";
    sublayer.displayData.description = (PWSTR)L"Questions about connections, and the answers that are remembered";
    sublayer.flags = FWPM_SUBLAYER_FLAG_PERSISTENT;
    sublayer.weight = SUBLAYER_WEIGHT;
    NTSTATUS status = FwpmSubLayerAdd0(engine, &sublayer, NULL);
    return status == STATUS_FWP_ALREADY_EXISTS ? STATUS_SUCCESS : status;
}

static NTSTATUS add_layer(HANDLE engine, const struct ask_layer *layer)
{
    FWPM_CALLOUT0 callout;
    RtlZeroMemory(&callout, sizeof(callout));
    callout.calloutKey = *layer->callout_key;
    callout.displayData.name = (PWSTR)layer->name;
    callout.displayData.description = (PWSTR)L"Holds a connection until it is allowed or blocked";
    callout.flags = FWPM_CALLOUT_FLAG_PERSISTENT;
    callout.applicableLayer = *layer->layer_key;
    NTSTATUS status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;

    FWPM_FILTER0 filter;
    RtlZeroMemory(&filter, sizeof(filter));
    filter.filterKey = *layer->filter_key;
    filter.displayData.name = (PWSTR)layer->name;
    filter.displayData.description = (PWSTR)L"Asks about connections that no answer is remembered for";
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    filter.layerKey = *layer->layer_key;
    filter.subLayerKey = ASK_SUBLAYER;
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = WEIGHT_ASK;
    filter.action.type = FWP_ACTION_CALLOUT_UNKNOWN;
    filter.action.calloutKey = *layer->callout_key;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

// Those that do not exist are no error.
static void delete_objects(HANDLE engine)
{
    for (ULONG i = 0; i < ASK_LAYERS; i++)
        (void)FwpmFilterDeleteByKey0(engine, ask_layers[i].filter_key);
    for (ULONG i = 0; i < ASK_LAYERS; i++)
        (void)FwpmCalloutDeleteByKey0(engine, ask_layers[i].callout_key);
}

NTSTATUS ask_objects_add(HANDLE engine)
{
    NTSTATUS status = FwpmTransactionBegin0(engine, 0);
    if (!NT_SUCCESS(status))
        return status;
    delete_objects(engine);
    status = add_sublayer(engine);
    for (ULONG i = 0; NT_SUCCESS(status) && i < ASK_LAYERS; i++)
        status = add_layer(engine, &ask_layers[i]);
    return finish(engine, status);
}

NTSTATUS ask_objects_remove(HANDLE engine)
{
    NTSTATUS status = FwpmTransactionBegin0(engine, 0);
    if (!NT_SUCCESS(status))
        return status;
    delete_objects(engine);
    return finish(engine, STATUS_SUCCESS);
}

NTSTATUS ask_objects_remember(HANDLE engine, const WCHAR *path, ULONG path_bytes, BOOLEAN inbound, BOOLEAN allow)
{
    FWP_BYTE_BLOB app;
    FWPM_FILTER_CONDITION0 condition;
    FWPM_FILTER0 filter;
    if (path_bytes == 0 || path_bytes > PATH_BYTES_MAX)
        return STATUS_INVALID_PARAMETER;

    app.size = path_bytes;
    app.data = (UINT8 *)(ULONG_PTR)path;
    RtlZeroMemory(&condition, sizeof(condition));
    condition.fieldKey = FWPM_CONDITION_ALE_APP_ID;
    condition.matchType = FWP_MATCH_EQUAL;
    condition.conditionValue.type = FWP_BYTE_BLOB_TYPE;
    condition.conditionValue.byteBlob = &app;
    RtlZeroMemory(&filter, sizeof(filter));
    filter.displayData.name = (PWSTR)(allow ? L"ask: allowed" : L"ask: blocked");
    filter.displayData.description = (PWSTR)L"An answer that was to be remembered";
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    filter.subLayerKey = ASK_SUBLAYER;
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = WEIGHT_REMEMBERED;
    filter.action.type = allow ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;

    NTSTATUS status = FwpmTransactionBegin0(engine, 0);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; NT_SUCCESS(status) && i < ASK_LAYERS; i++) {
        if (ask_layers[i].inbound != inbound)
            continue;
        filter.layerKey = *ask_layers[i].layer_key;
        status = FwpmFilterAdd0(engine, &filter, NULL, NULL);
    }
    return finish(engine, status);
}
