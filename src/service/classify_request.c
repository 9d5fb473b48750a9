#include "service/classify_request.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "fwpsmetadata.h"

#include "service/runtime_filter.h"

// The only compartment (see flow_values.c).
#define COMPARTMENT_DEFAULT 1

static void fill_metadata(const struct wall_hold *hold, struct wall_metadata *metadata)
{
    const struct wall_flow *flow = &hold->flow;
    *metadata = (struct wall_metadata){
        .present = FWPS_METADATA_FIELD_FLOW_HANDLE | FWPS_METADATA_FIELD_PROCESS_PATH |
                   FWPS_METADATA_FIELD_PROCESS_ID | FWPS_METADATA_FIELD_COMPARTMENT_ID |
                   FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE,
        .flow_handle = flow->id,
        .process_path = (FWP_BYTE_BLOB *)(uintptr_t)&hold->values.app_id,
        .process_id = flow->process_id,
        .compartment_id = COMPARTMENT_DEFAULT,
        .transport_endpoint_handle = flow->socket_cookie,
    };
    if (flow->family == AF_INET6 && flow->interface_index) {
        metadata->present |= FWPS_METADATA_FIELD_REMOTE_SCOPE_ID;
        metadata->remote_scope_id = flow->interface_index;
    }
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
    };
    int r = wall_runtime_filter_init(hold->classification.filter, &request.filter);
    if (r < 0)
        return r;
    fill_metadata(hold, &request.metadata);
    // At ALE_AUTH_CONNECT layerData is NULL for TCP (wfp-reference 3.1).
    if (flow->packet && flow->protocol != IPPROTO_TCP) {
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
