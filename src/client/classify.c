#include "client/classify.h"

#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "client/callout.h"
#include "client/channel.h"
#include "client/flow_context.h"
#include "client/irql.h"
#include "client/operation.h"
#include "client/packet.h"
#include "client/redirect.h"
#include "client/verifier.h"

#define PASSIVE 0u
#define DISPATCH 2u

struct call {
    const struct wall_client_callout *before;
    struct wall_irql_state irql;
};

static struct call begin_call(const struct wall_client_callout *callout, uint8_t irql, uint32_t process_id)
{
    struct call call = { .before = wall_callout_enter(callout) };
    call.irql = wall_irql_raise(irql, process_id);
    return call;
}

static void end_call(const struct call *call, const struct wall_client_callout *callout, uint8_t irql,
                     const char *function)
{
    uint8_t found;
    char key[WALL_GUID_TEXT_SIZE];
    bool good = wall_irql_restore(&call->irql, irql, &found);
    wall_callout_leave(call->before);
    if (good)
        return;
    wall_guid_print(&callout->key, key);
    wall_channel_report("%s of callout {%s} was called at IRQL %u and returned at IRQL %u", function, key, irql, found);
}

// --- classifyFn ---

#define FIELD(bit, member, value)                                                                                      \
    do {                                                                                                               \
        if (from->present & FWPS_METADATA_FIELD_##bit)                                                                 \
            ret_metadata->member = (value);                                                                            \
    } while (0)

static void fill_metadata(const struct wall_metadata *from, FWPS_INCOMING_METADATA_VALUES0 *ret_metadata)
{
    memset(ret_metadata, WALL_METADATA_POISON, sizeof(*ret_metadata));
    ret_metadata->currentMetadataValues = from->present;
    ret_metadata->flags = from->flags;
    ret_metadata->reserved = 0;
    ret_metadata->currentL2MetadataValues = 0;
    FIELD(DISCARD_REASON, discardMetadata, from->discard);
    FIELD(FLOW_HANDLE, flowHandle, from->flow_handle);
    FIELD(IP_HEADER_SIZE, ipHeaderSize, from->ip_header_size);
    FIELD(TRANSPORT_HEADER_SIZE, transportHeaderSize, from->transport_header_size);
    FIELD(PROCESS_PATH, processPath, from->process_path);
    FIELD(TOKEN, token, from->token);
    FIELD(PROCESS_ID, processId, from->process_id);
    FIELD(SOURCE_INTERFACE_INDEX, sourceInterfaceIndex, from->source_interface_index);
    FIELD(DESTINATION_INTERFACE_INDEX, destinationInterfaceIndex, from->destination_interface_index);
    FIELD(COMPARTMENT_ID, compartmentId, from->compartment_id);
    FIELD(FRAGMENT_DATA, fragmentMetadata, from->fragment);
    FIELD(PATH_MTU, pathMtu, from->path_mtu);
    FIELD(COMPLETION_HANDLE, completionHandle, (HANDLE)(uintptr_t)from->completion_handle);
    FIELD(TRANSPORT_ENDPOINT_HANDLE, transportEndpointHandle, from->transport_endpoint_handle);
    FIELD(REMOTE_SCOPE_ID, remoteScopeId, (SCOPE_ID){ .Value = from->remote_scope_id });
    FIELD(TRANSPORT_CONTROL_DATA, controlData, from->control_data ? (WSACMSGHDR *)from->control_data->data : NULL);
    FIELD(TRANSPORT_CONTROL_DATA, controlDataLength, from->control_data ? from->control_data->size : 0);
    FIELD(PACKET_DIRECTION, packetDirection, (FWP_DIRECTION)from->packet_direction);
    FIELD(PARENT_ENDPOINT_HANDLE, parentEndpointHandle, from->parent_endpoint_handle);
    FIELD(ICMP_ID_AND_SEQUENCE, icmpIdAndSequence, from->icmp_id_and_sequence);
    FIELD(LOCAL_REDIRECT_TARGET_PID, localRedirectTargetPID, from->local_redirect_target_pid);
}

// Bits whose members the message cannot carry are not believed.
#define KNOWN_METADATA                                                                                                 \
    ~(uint32_t)(FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER | FWPS_METADATA_FIELD_DESTINATION_PREFIX |         \
                FWPS_METADATA_FIELD_ETHER_FRAME_LENGTH | FWPS_METADATA_FIELD_SUB_PROCESS_TAG)

// `context` is what a callout hands back to FwpsAcquireClassifyHandle0.
static void call_classify(const struct wall_client_callout *callout, const struct wall_classify_request *request,
                          const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, void *context,
                          const FWPS_FILTER3 *filter, FWPS_CLASSIFY_OUT0 *out)
{
    uint64_t flow = request->flow_context;
    switch (callout->version) {
    case 0:
        callout->classify.v0(&request->values, metadata, packet, (const FWPS_FILTER0 *)filter, flow, out);
        break;
    case 1:
        callout->classify.v1(&request->values, metadata, packet, context, (const FWPS_FILTER1 *)filter, flow, out);
        break;
    case 2:
        callout->classify.v2(&request->values, metadata, packet, context, (const FWPS_FILTER2 *)filter, flow, out);
        break;
    default:
        callout->classify.v3(&request->values, metadata, packet, context, filter, flow, out);
        break;
    }
}

// An action that no classifyFn may return counts as BLOCK, and is reported.
static void check_action(const struct wall_client_callout *callout, FWPS_CLASSIFY_OUT0 *out)
{
    switch (out->actionType) {
    case FWP_ACTION_PERMIT:
    case FWP_ACTION_BLOCK:
    case FWP_ACTION_CONTINUE:
    case FWP_ACTION_NONE:
    case FWP_ACTION_NONE_NO_MATCH:
        return;
    default:
        break;
    }
    char key[WALL_GUID_TEXT_SIZE];
    wall_guid_print(&callout->key, key);
    wall_channel_report("classifyFn of callout {%s} answered with action 0x%x, which is none: taken as a block", key,
                        (unsigned)out->actionType);
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}

// A callout that broke a rule of the kernel must not have permitted anything by it.
static void fail_closed(const struct wall_client_callout *callout, FWPS_CLASSIFY_OUT0 *out)
{
    if (out->actionType == FWP_ACTION_BLOCK && !(out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;
    char key[WALL_GUID_TEXT_SIZE];
    wall_guid_print(&callout->key, key);
    wall_channel_report("classifyFn of callout {%s} broke a rule (see above): its filter blocks", key);
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}

static void run_classify(struct wall_client_callout *callout, const struct wall_classify_request *request,
                         NET_BUFFER_LIST *packet, struct wall_classifying *classifying, FWPS_CLASSIFY_OUT0 *out)
{
    struct wall_metadata known = request->metadata;
    known.present &= KNOWN_METADATA;
    FWPS_INCOMING_METADATA_VALUES0 metadata;
    fill_metadata(&known, &metadata);
    SOCKADDR_STORAGE original;
    wall_redirect_address(request->values.layerId == FWPS_LAYER_ALE_AUTH_CONNECT_V6, known.original_address,
                          known.original_port, &original);
    if (known.present & FWPS_METADATA_FIELD_ORIGINAL_DESTINATION)
        metadata.originalDestination = (SOCKADDR *)&original;
    if (known.present & FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE)
        metadata.redirectRecords = (HANDLE)request->versions;

    FWPS_FILTER3 filter = request->filter;
    filter.action.calloutId = callout->id;
    filter.context = wall_callout_filter_get(callout, filter.filterId, filter.context);

    uint64_t violations = wall_verifier_count();
    uint8_t irql = request->irql >= DISPATCH ? DISPATCH : PASSIVE;
    // A classification at PASSIVE_LEVEL runs in the process that called the socket function.
    bool in_process = irql == PASSIVE && known.present & FWPS_METADATA_FIELD_PROCESS_ID;
    struct call call = begin_call(callout, irql, in_process ? (uint32_t)known.process_id : 0);
    wall_operation_enter(classifying, request, callout);
    call_classify(callout, request, &metadata, packet, classifying, &filter, out);
    if (packet && !wall_packet_end(packet))
        wall_verifier_report("classifyFn", "returned with the packet's data moved: undo each retreat and advance");
    wall_operation_leave(classifying);
    end_call(&call, callout, irql, "classifyFn");
    check_action(callout, out);
    if (wall_verifier_count() != violations)
        fail_closed(callout, out);
}

static void classify(uint64_t generation, uint32_t serial, struct wall_client_callout *callout,
                     const struct wall_classify_request *request)
{
    bool failed;
    NET_BUFFER_LIST *packet = wall_packet_new(request, &failed);
    if (failed) {
        wall_channel_refuse(generation, WALL_MESSAGE_CLASSIFY, serial, (uint32_t)STATUS_INSUFFICIENT_RESOURCES);
        return;
    }
    struct wall_classify_reply reply = { .out = request->out };
    struct wall_classifying classifying;
    run_classify(callout, request, packet, &classifying, &reply.out);
    reply.pended = (uint8_t)classifying.pended;
    reply.redirect = classifying.redirect;
    wall_channel_reply(generation, WALL_MESSAGE_CLASSIFY, serial, &reply);
    free(classifying.redirect);
    wall_operation_settle(&classifying);
}

// --- notifyFn ---

static NTSTATUS call_notify(const struct wall_client_callout *callout, FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key,
                            FWPS_FILTER3 *filter)
{
    struct call call = begin_call(callout, PASSIVE, 0);
    NTSTATUS status;
    switch (callout->version) {
    case 0:
        status = callout->notify.v0(type, key, (FWPS_FILTER0 *)filter);
        break;
    case 1:
        status = callout->notify.v1(type, key, (FWPS_FILTER1 *)filter);
        break;
    case 2:
        status = callout->notify.v2(type, key, (FWPS_FILTER2 *)filter);
        break;
    default:
        status = callout->notify.v3(type, key, filter);
        break;
    }
    end_call(&call, callout, PASSIVE, "notifyFn");
    return status;
}

void wall_classify_filter_deleted(struct wall_client_callout *callout, uint64_t filter_id)
{
    FWPS_FILTER3 filter = { .filterId = filter_id, .action = { .calloutId = callout->id } };
    filter.context = wall_callout_filter_take(callout, filter_id, 0);
    (void)call_notify(callout, FWPS_CALLOUT_NOTIFY_DELETE_FILTER, NULL, &filter);
}

static void notify(uint64_t generation, uint32_t serial, struct wall_client_callout *callout,
                   const struct wall_notify_request *request)
{
    struct wall_notify_reply reply = { 0 };
    FWPS_FILTER3 filter = request->filter;
    filter.action.calloutId = callout->id;
    if (request->type == FWPS_CALLOUT_NOTIFY_DELETE_FILTER)
        filter.context = wall_callout_filter_take(callout, filter.filterId, filter.context);
    else
        filter.context = wall_callout_filter_get(callout, filter.filterId, filter.context);

    const GUID *key = request->type == FWPS_CALLOUT_NOTIFY_DELETE_FILTER ? NULL : request->filter_key;
    NTSTATUS status = call_notify(callout, (FWPS_CALLOUT_NOTIFY_TYPE)request->type, key, &filter);
    bool added = request->type != FWPS_CALLOUT_NOTIFY_DELETE_FILTER && NT_SUCCESS(status);
    if (added && wall_callout_filter_put(callout, filter.filterId, filter.context) < 0)
        status = STATUS_INSUFFICIENT_RESOURCES;
    reply.reply.status = NT_SUCCESS(status) ? 0 : (uint32_t)status;
    reply.filter_context = filter.context;
    wall_channel_reply(generation, WALL_MESSAGE_NOTIFY, serial, &reply);
}

// --- flowDeleteFn ---

void wall_classify_flow_deleted(struct wall_client_callout *callout, uint16_t layer_id, uint64_t context)
{
    // The highest IRQL it may be called at: what only works below is found early.
    struct call call = begin_call(callout, DISPATCH, 0);
    callout->flow_delete(layer_id, callout->id, context);
    end_call(&call, callout, DISPATCH, "flowDeleteFn");
}

static void flow_delete(uint64_t generation, uint32_t serial, struct wall_client_callout *callout,
                        const struct wall_flow_delete_request *request)
{
    uint64_t context;
    uint32_t status = (uint32_t)STATUS_NOT_FOUND;
    if (wall_flow_context_take(request->flow_handle, callout, request->layer_id, &context)) {
        wall_classify_flow_deleted(callout, request->layer_id, context);
        status = 0;
    }
    wall_channel_refuse(generation, WALL_MESSAGE_FLOW_DELETE, serial, status);
}

// --- Requests ---

static uint32_t callout_id_of(enum wall_message_type type, const void *object)
{
    if (type == WALL_MESSAGE_CLASSIFY)
        return ((const struct wall_classify_request *)object)->callout_id;
    if (type == WALL_MESSAGE_NOTIFY)
        return ((const struct wall_notify_request *)object)->callout_id;
    return ((const struct wall_flow_delete_request *)object)->callout_id;
}

void wall_classify_run(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object)
{
    bool known = type == WALL_MESSAGE_CLASSIFY || type == WALL_MESSAGE_NOTIFY || type == WALL_MESSAGE_FLOW_DELETE;
    struct wall_client_callout *callout = known ? wall_callout_find(callout_id_of(type, object)) : NULL;
    if (!callout) {
        wall_channel_refuse(generation, type, serial, (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND);
        return;
    }
    if (type == WALL_MESSAGE_CLASSIFY)
        classify(generation, serial, callout, object);
    else if (type == WALL_MESSAGE_NOTIFY)
        notify(generation, serial, callout, object);
    else
        flow_delete(generation, serial, callout, object);
    wall_callout_unref(callout);
}
