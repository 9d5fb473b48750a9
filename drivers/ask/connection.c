#include "connection.h"

#include "objects.h"

#define PROTOCOL_TCP 6

static struct {
    HANDLE injection_v4, injection_v6;
    UINT32 callout_ids[ASK_LAYERS];
    ULONG callout_count;
    volatile LONG closing;
} state;

// --- Classification: any thread, IRQL <= DISPATCH_LEVEL, non-paged memory only, no waiting ---

static void block(FWPS_CLASSIFY_OUT0 *out)
{
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
}

static void permit(FWPS_CLASSIFY_OUT0 *out, const FWPS_FILTER1 *filter)
{
    out->actionType = FWP_ACTION_PERMIT;
    if (filter->flags & FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT)
        out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
}

// An address may be missing (FWP_EMPTY) while the stack has not chosen it.
static void copy_address(const FWP_VALUE0 *value, UCHAR ret_address[16])
{
    if (value->type == FWP_BYTE_ARRAY16_TYPE && value->byteArray16) {
        RtlCopyMemory(ret_address, value->byteArray16->byteArray16, 16);
    } else if (value->type == FWP_UINT32) {
        ret_address[0] = (UCHAR)(value->uint32 >> 24);
        ret_address[1] = (UCHAR)(value->uint32 >> 16);
        ret_address[2] = (UCHAR)(value->uint32 >> 8);
        ret_address[3] = (UCHAR)value->uint32;
    }
}

// The address and port of this host may not be known yet when a connection is judged first, but are when it is judged
// again: the endpoint tells connections apart as well.
static void read_key(const struct ask_layer *layer, const FWPS_INCOMING_VALUES0 *values,
                     const FWPS_INCOMING_METADATA_VALUES0 *meta, struct ask_key *ret_key)
{
    const FWPS_INCOMING_VALUE0 *value = values->incomingValue;
    RtlZeroMemory(ret_key, sizeof(*ret_key));
    copy_address(&value[layer->local_address].value, ret_key->local);
    copy_address(&value[layer->remote_address].value, ret_key->remote);
    ret_key->local_port = value[layer->local_port].value.uint16;
    ret_key->remote_port = value[layer->remote_port].value.uint16;
    ret_key->protocol = value[layer->protocol].value.uint8;
    ret_key->layer_id = values->layerId;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE))
        ret_key->endpoint = meta->transportEndpointHandle;
}

// The path with its terminator; NULL when there is none.
static const WCHAR *find_path(const FWPS_INCOMING_METADATA_VALUES0 *meta, ULONG *ret_bytes)
{
    *ret_bytes = 0;
    if (!FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_PROCESS_PATH) || !meta->processPath ||
        !meta->processPath->data || meta->processPath->size < sizeof(WCHAR))
        return NULL;
    *ret_bytes = meta->processPath->size;
    return (const WCHAR *)(const void *)meta->processPath->data;
}

// The headers in front of the data of an inbound packet: the clone has to begin with the IP header.
static ULONG header_bytes(const struct ask_layer *layer, const FWPS_INCOMING_METADATA_VALUES0 *meta)
{
    ULONG bytes = 0;
    if (!layer->inbound)
        return 0;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_IP_HEADER_SIZE))
        bytes += meta->ipHeaderSize;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE))
        bytes += meta->transportHeaderSize;
    return bytes;
}

static NTSTATUS clone_packet(const struct ask_layer *layer, const FWPS_INCOMING_METADATA_VALUES0 *meta,
                             NET_BUFFER_LIST *packet, NET_BUFFER_LIST **ret_clone)
{
    ULONG bytes = header_bytes(layer, meta);
    NTSTATUS status = STATUS_SUCCESS;
    if (bytes)
        status = NdisRetreatNetBufferListDataStart(packet, bytes, 0, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = FwpsAllocateCloneNetBufferList0(packet, NULL, NULL, 0, ret_clone);
    if (bytes)
        NdisAdvanceNetBufferListDataStart(packet, bytes, FALSE, NULL);
    return status;
}

// A connection judged again: its verdict if there is one. Without one it goes on as it was, unless another callout had
// kept it waiting: then nobody has been asked, and nothing can wait any more.
static void classify_again(const struct ask_layer *layer, const FWPS_INCOMING_VALUES0 *values,
                           const struct ask_key *key, const FWPS_FILTER1 *filter, FWPS_CLASSIFY_OUT0 *out)
{
    UCHAR verdict = ask_question_take_verdict(key);
    const FWP_VALUE0 *reason = &values->incomingValue[layer->reason].value;
    BOOLEAN completion = reason->type == FWP_UINT32 &&
                         (reason->uint32 & FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION) != 0;
    if (verdict == ASK_ALLOW || (verdict == 0 && !completion && !state.closing))
        permit(out, filter);
    else
        block(out);
}

// Makes the question and pends the connection. The question is published last: it cannot be answered before.
static BOOLEAN ask(const struct ask_layer *layer, const FWPS_INCOMING_VALUES0 *values,
                   const FWPS_INCOMING_METADATA_VALUES0 *meta, NET_BUFFER_LIST *packet, const struct ask_key *key)
{
    ULONG path_bytes;
    const WCHAR *path = find_path(meta, &path_bytes);
    if (!path || !FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_COMPLETION_HANDLE))
        return FALSE;
    struct ask_item *item = ask_question_new(path, path_bytes);
    if (!item)
        return FALSE;
    item->key = *key;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_PROCESS_ID))
        item->process_id = (UINT32)meta->processId;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_COMPARTMENT_ID))
        item->compartment = (COMPARTMENT_ID)meta->compartmentId;
    const FWP_VALUE0 *interface_index = &values->incomingValue[layer->interface_index].value;
    item->interface_index = interface_index->type == FWP_UINT32 ? interface_index->uint32 : 0;

    NTSTATUS status = packet ? clone_packet(layer, meta, packet, &item->packet) : STATUS_SUCCESS;
    if (NT_SUCCESS(status))
        status = FwpsPendOperation0(meta->completionHandle, &item->operation);
    if (NT_SUCCESS(status)) {
        ask_question_publish(item);
        (void)KeSetEvent(&item->unwound, IO_NO_INCREMENT, FALSE);
    }
    ask_question_release(item);
    return NT_SUCCESS(status);
}

static HANDLE injection_of(const struct ask_layer *layer)
{
    return layer->is_v6 ? state.injection_v6 : state.injection_v4;
}

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *meta,
                           void *layer_data, const void *classify_context, const FWPS_FILTER1 *filter,
                           UINT64 flow_context, FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(classify_context);
    UNREFERENCED_PARAMETER(flow_context);

    // Without the right it has been decided above us, or waits there.
    const struct ask_layer *layer = ask_layer_find(values->layerId);
    if (!layer || !(out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;

    NET_BUFFER_LIST *packet = (NET_BUFFER_LIST *)layer_data;
    if (packet) {
        FWPS_PACKET_INJECTION_STATE injected = FwpsQueryPacketInjectionState0(injection_of(layer), packet, NULL);
        if (injected == FWPS_PACKET_INJECTED_BY_SELF || injected == FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF) {
            permit(out, filter);
            return;
        }
    }

    struct ask_key key;
    read_key(layer, values, meta, &key);
    if (values->incomingValue[layer->flags].value.uint32 & FWP_CONDITION_FLAG_IS_REAUTHORIZE) {
        classify_again(layer, values, &key, filter, out);
        return;
    }
    block(out);
    if (!state.closing && ask(layer, values, meta, packet, &key))
        out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *filter_key, FWPS_FILTER1 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(filter_key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

// No flow contexts are ever associated, so there is nothing to release.
static void NTAPI flow_delete(UINT16 layer_id, UINT32 callout_id, UINT64 flow_context)
{
    UNREFERENCED_PARAMETER(layer_id);
    UNREFERENCED_PARAMETER(callout_id);
    UNREFERENCED_PARAMETER(flow_context);
}

// --- Answers ---

static void NTAPI injected(void *context, NET_BUFFER_LIST *packet, BOOLEAN dispatch_level)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(dispatch_level);
    FwpsFreeCloneNetBufferList0(packet, 0);
}

// The injection takes the clone over.
static void inject(struct ask_item *item, const struct ask_layer *layer)
{
    NET_BUFFER_LIST *packet = item->packet;
    ADDRESS_FAMILY family = layer->is_v6 ? AF_INET6 : AF_INET;
    NTSTATUS status;
    item->packet = NULL;
    if (layer->inbound) {
        status = FwpsInjectTransportReceiveAsync0(injection_of(layer), NULL, NULL, 0, family, item->compartment,
                                                  item->interface_index, 0, packet, injected, NULL);
    } else {
        FWPS_TRANSPORT_SEND_PARAMS0 parameters;
        RtlZeroMemory(&parameters, sizeof(parameters));
        parameters.remoteAddress = item->key.remote;
        status = FwpsInjectTransportSendAsync0(injection_of(layer), NULL, item->key.endpoint, 0, &parameters, family,
                                               item->compartment, packet, injected, NULL);
    }
    if (!NT_SUCCESS(status))
        FwpsFreeCloneNetBufferList0(packet, 0);
}

BOOLEAN ask_connection_answer(struct ask_item *item, UCHAR verdict)
{
    const struct ask_layer *layer = ask_layer_find(item->key.layer_id);
    if (!ask_question_decide(item, verdict))
        return FALSE;
    // The classification that pended must have returned, or the first packet would be lost.
    (void)KeWaitForSingleObject(&item->unwound, Executive, KernelMode, FALSE, NULL);

    BOOLEAN allow = verdict == ASK_ALLOW;
    if (layer->inbound) {
        FwpsCompleteOperation0(item->operation, allow ? item->packet : NULL);
        (void)ask_question_take_verdict(&item->key);  // no classification will
    } else {
        FwpsCompleteOperation0(item->operation, NULL);
    }
    if (allow && item->packet) {
        inject(item, layer);
    } else if (item->packet) {
        FwpsFreeCloneNetBufferList0(item->packet, 0);
        item->packet = NULL;
    }
    return TRUE;
}

// --- Start and stop ---

static NTSTATUS register_callouts(DEVICE_OBJECT *device)
{
    for (ULONG i = 0; i < ASK_LAYERS; i++) {
        FWPS_CALLOUT1 callout;
        RtlZeroMemory(&callout, sizeof(callout));
        callout.calloutKey = *ask_layers[i].callout_key;
        callout.classifyFn = classify;
        callout.notifyFn = notify;
        callout.flowDeleteFn = flow_delete;
        NTSTATUS status = FwpsCalloutRegister1(device, &callout, &state.callout_ids[i]);
        if (!NT_SUCCESS(status))
            return status;
        state.callout_count++;
    }
    return STATUS_SUCCESS;
}

NTSTATUS ask_connections_start(DEVICE_OBJECT *device)
{
    RtlZeroMemory(&state, sizeof(state));
    NTSTATUS status = FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_TRANSPORT, &state.injection_v4);
    if (NT_SUCCESS(status))
        status = FwpsInjectionHandleCreate0(AF_INET6, FWPS_INJECTION_TYPE_TRANSPORT, &state.injection_v6);
    if (NT_SUCCESS(status))
        status = register_callouts(device);
    return status;
}

void ask_connections_close(void)
{
    struct ask_item *item;
    (void)InterlockedExchange(&state.closing, 1);
    while ((item = ask_question_next(0)) != NULL) {
        (void)ask_connection_answer(item, ASK_BLOCK);
        ask_question_release(item);
    }
}

void ask_connections_stop(void)
{
    // A classification may have published a last question before it saw that we are closing.
    ask_connections_close();
    if (state.injection_v4)
        (void)FwpsInjectionHandleDestroy0(state.injection_v4);
    if (state.injection_v6)
        (void)FwpsInjectionHandleDestroy0(state.injection_v6);
    while (state.callout_count > 0) {
        NTSTATUS status = FwpsCalloutUnregisterById0(state.callout_ids[--state.callout_count]);
        if (!NT_SUCCESS(status))
            DbgPrint("[ask] a callout could not be unregistered (0x%08X)\n", (unsigned)status);
    }
    RtlZeroMemory(&state, sizeof(state));
}
