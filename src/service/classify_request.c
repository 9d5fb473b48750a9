#include "service/classify_request.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fwpsmetadata.h"

#include "service/flow_layer.h"
#include "service/runtime_filter.h"

// Clears the bits of what this flow does not have.
static uint32_t present_metadata(const struct wall_hold *hold, const struct wall_metadata *metadata)
{
    const struct wall_flow *flow = &hold->flow;
    uint32_t present = wall_flow_layer_metadata(flow->layer_id);
    if (!metadata->flow_handle)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_FLOW_HANDLE;
    if (!metadata->ip_header_size)
        present &= ~(uint32_t)(FWPS_METADATA_FIELD_IP_HEADER_SIZE | FWPS_METADATA_FIELD_ICMP_ID_AND_SEQUENCE);
    if (!metadata->transport_header_size)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE;
    if (!metadata->completion_handle)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_COMPLETION_HANDLE;
    if (!metadata->parent_endpoint_handle)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_PARENT_ENDPOINT_HANDLE;
    if (!metadata->remote_scope_id)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_REMOTE_SCOPE_ID;
    if (!metadata->local_redirect_target_pid)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_LOCAL_REDIRECT_TARGET_PID;
    if (!flow->redirected)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_ORIGINAL_DESTINATION;
    if (hold->redirect.count < 2)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE;
    if (!hold->reauthorizing)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_PACKET_DIRECTION;
    if (flow->protocol != IPPROTO_ICMP && flow->protocol != IPPROTO_ICMPV6)
        present &= ~(uint32_t)FWPS_METADATA_FIELD_ICMP_ID_AND_SEQUENCE;
    return present;
}

static void fill_metadata(const struct wall_hold *hold, struct wall_metadata *metadata)
{
    const struct wall_flow *flow = &hold->flow;
    bool pends = !hold->reauthorizing && wall_flow_layer_pends(flow->layer_id) == WALL_PENDED_OPERATION;
    *metadata = (struct wall_metadata){
        // A connection that no packet has been seen of goes by the number of its question.
        .flow_handle = flow->handle ? flow->handle : flow->id,
        .process_path = (FWP_BYTE_BLOB *)(uintptr_t)&hold->values.app_id,
        .process_id = flow->process_id,
        .compartment_id = WALL_COMPARTMENT_DEFAULT,
        .completion_handle = pends ? hold->ask_id : 0,
        .transport_endpoint_handle = flow->socket_cookie,
        .parent_endpoint_handle = flow->parent_cookie,
        .packet_direction = flow->inbound ? FWP_DIRECTION_INBOUND : FWP_DIRECTION_OUTBOUND,
        .remote_scope_id = flow->family == AF_INET6 ? flow->interface_index : 0,
    };
    const struct wall_redirect_version *redirected = wall_redirect_current(&hold->redirect);
    if (redirected && flow->redirected) {
        const struct wall_redirect_version *wanted = &hold->redirect.versions[0];
        metadata->local_redirect_target_pid = redirected->target_process_id;
        memcpy(metadata->original_address, wanted->remote_address, sizeof(metadata->original_address));
        metadata->original_port = wanted->remote_port;
    }
    uint32_t ip, transport;
    if (wall_flow_packet_headers(flow, &ip, &transport)) {
        metadata->ip_header_size = ip;
        metadata->transport_header_size = transport;
        if (flow->packet_bytes >= ip + 8u)
            memcpy(&metadata->icmp_id_and_sequence, flow->packet + ip + 4, sizeof(metadata->icmp_id_and_sequence));
    }
    metadata->present = present_metadata(hold, metadata);
}

int wall_classify_request_init(const struct wall_hold *hold, struct wall_classify_request *ret_request)
{
    const struct wall_flow *flow = &hold->flow;
    struct wall_classify_request request = {
        .classify_id = hold->ask_id,
        .callout_id = hold->classification.filter->callout_id,
        .irql = flow->irql,
        .values = hold->values.incoming,
        .out = hold->classification.out,
        .netns_cookie = flow->netns_cookie,
        .injected = hold->packet.injected,
        .injection_handle = hold->packet.handle,
        .injection_context = hold->packet.context,
        .version_count = hold->redirect.count,
        .versions = hold->redirect.versions,
    };
    int r = wall_runtime_filter_init(hold->classification.filter, &request.filter);
    if (r < 0)
        return r;
    fill_metadata(hold, &request.metadata);
    if (wall_flow_layer_data(flow, &request.packet_offset)) {
        request.packet = malloc(sizeof(*request.packet));
        if (!request.packet) {
            wall_classify_request_done(&request);
            return -ENOMEM;
        }
        *request.packet = (FWP_BYTE_BLOB){.size = (UINT32)flow->packet_bytes, .data = (UINT8 *)(uintptr_t)flow->packet};
    }
    *ret_request = request;
    return 0;
}

void wall_classify_request_done(struct wall_classify_request *request)
{
    free(request->filter.filterCondition);
    free(request->packet);
}
