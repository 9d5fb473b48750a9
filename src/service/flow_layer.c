#include "service/flow_layer.h"

#include <netinet/in.h>

#include "fwpslayers.h"
#include "fwpsmetadata.h"

#include "datapath/datapath.h"

enum kind { NONE, ASSIGNMENT, LISTEN, ACCEPT, CONNECT, ESTABLISHED, RELEASE, CLOSURE, CONNECT_REDIRECT, BIND_REDIRECT };

static enum kind kind_of(uint16_t layer_id)
{
    switch (layer_id) {
#define CASE(name, kind)                                                                                               \
    case FWPS_LAYER_ALE_##name##_V4:                                                                                   \
    case FWPS_LAYER_ALE_##name##_V6:                                                                                   \
        return kind
    CASE(RESOURCE_ASSIGNMENT, ASSIGNMENT);
    CASE(AUTH_LISTEN, LISTEN);
    CASE(AUTH_RECV_ACCEPT, ACCEPT);
    CASE(AUTH_CONNECT, CONNECT);
    CASE(FLOW_ESTABLISHED, ESTABLISHED);
    CASE(RESOURCE_RELEASE, RELEASE);
    CASE(ENDPOINT_CLOSURE, CLOSURE);
    CASE(CONNECT_REDIRECT, CONNECT_REDIRECT);
    CASE(BIND_REDIRECT, BIND_REDIRECT);
#undef CASE
    default:
        return NONE;
    }
}

enum wall_pended wall_flow_layer_pends(uint16_t layer_id)
{
    switch (kind_of(layer_id)) {
    case ASSIGNMENT:
    case LISTEN:
    case ACCEPT:
    case CONNECT:
        return WALL_PENDED_OPERATION;
    case CLOSURE:
    case CONNECT_REDIRECT:
    case BIND_REDIRECT:
        return WALL_PENDED_CLASSIFY;
    default:
        return WALL_PENDED_NOT;
    }
}

bool wall_flow_layer_accepts(uint16_t layer_id)
{
    return kind_of(layer_id) == ACCEPT;
}

bool wall_flow_layer_establishes(uint16_t layer_id)
{
    return kind_of(layer_id) == ESTABLISHED;
}

bool wall_flow_layer_redirects(uint16_t layer_id)
{
    return kind_of(layer_id) == CONNECT_REDIRECT || wall_flow_layer_binds(layer_id);
}

bool wall_flow_layer_binds(uint16_t layer_id)
{
    return kind_of(layer_id) == BIND_REDIRECT;
}

#define FIELD(name) FWPS_METADATA_FIELD_##name

uint32_t wall_flow_layer_metadata(uint16_t layer_id)
{
    const uint32_t process = FIELD(PROCESS_PATH) | FIELD(PROCESS_ID) | FIELD(TRANSPORT_ENDPOINT_HANDLE);
    const uint32_t authorized = process | FIELD(FLOW_HANDLE) | FIELD(COMPARTMENT_ID) | FIELD(TRANSPORT_HEADER_SIZE) |
                                FIELD(COMPLETION_HANDLE) | FIELD(PACKET_DIRECTION) | FIELD(PARENT_ENDPOINT_HANDLE) |
                                FIELD(ICMP_ID_AND_SEQUENCE);
    switch (kind_of(layer_id)) {
    case ASSIGNMENT:
    case LISTEN:
        return process | FIELD(COMPLETION_HANDLE);
    case ACCEPT:
        return authorized | FIELD(IP_HEADER_SIZE);
    case CONNECT:
        return authorized | FIELD(REMOTE_SCOPE_ID) | FIELD(LOCAL_REDIRECT_TARGET_PID) | FIELD(ORIGINAL_DESTINATION);
    case ESTABLISHED:
        return process | FIELD(FLOW_HANDLE) | FIELD(PARENT_ENDPOINT_HANDLE) | FIELD(ICMP_ID_AND_SEQUENCE);
    case RELEASE:
        return FIELD(PROCESS_ID) | FIELD(COMPARTMENT_ID) | FIELD(TRANSPORT_ENDPOINT_HANDLE);
    case CLOSURE:
        return FIELD(PROCESS_ID) | FIELD(COMPARTMENT_ID) | FIELD(TRANSPORT_ENDPOINT_HANDLE) |
               FIELD(PARENT_ENDPOINT_HANDLE);
    case CONNECT_REDIRECT:
        return FIELD(PROCESS_ID) | FIELD(TRANSPORT_ENDPOINT_HANDLE) | FIELD(PARENT_ENDPOINT_HANDLE) |
               FIELD(ICMP_ID_AND_SEQUENCE) | FIELD(REDIRECT_RECORD_HANDLE);
    case BIND_REDIRECT:
        return FIELD(PROCESS_ID) | FIELD(TRANSPORT_ENDPOINT_HANDLE);
    default:
        return 0;
    }
}

// The fixed IPv6 header and its extension headers. Returns false when the packet ends before.
static bool skip_ipv6(const uint8_t *packet, size_t bytes, uint32_t *ret_size)
{
    uint32_t at = 40;
    uint8_t next = bytes >= at ? packet[6] : IPPROTO_NONE;
    while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) {
        if (bytes < at + 8)
            return false;
        next = packet[at];
        at += next == IPPROTO_FRAGMENT ? 8 : ((uint32_t)packet[at + 1] + 1) * 8;
    }
    *ret_size = at;
    return bytes >= at;
}

bool wall_flow_packet_headers(const struct wall_flow *flow, uint32_t *ret_ip_size, uint32_t *ret_transport_size)
{
    const uint8_t *packet = flow->packet;
    size_t bytes = flow->packet_bytes;
    uint32_t ip = 0, transport = 0;
    bool good = packet && bytes >= 20;
    if (good && packet[0] >> 4 == 4) {
        ip = (uint32_t)(packet[0] & 15) * 4;
        good = ip >= 20 && bytes >= ip;
    } else if (good) {
        good = skip_ipv6(packet, bytes, &ip);
    }
    if (good && flow->protocol == IPPROTO_TCP && (good = bytes >= ip + 20))
        transport = (uint32_t)(packet[ip + 12] >> 4) * 4;
    else if (good && flow->protocol == IPPROTO_UDP)
        transport = 8;
    good = good && bytes >= ip + transport;
    *ret_ip_size = good ? ip : 0;
    *ret_transport_size = good ? transport : 0;
    return good;
}

bool wall_flow_layer_data(const struct wall_flow *flow, uint32_t *ret_offset)
{
    uint32_t ip, transport;
    enum kind kind = kind_of(flow->layer_id);
    if ((kind != ACCEPT && kind != CONNECT && kind != ESTABLISHED) || !wall_flow_packet_headers(flow, &ip, &transport))
        return false;
    if (kind == CONNECT && flow->protocol == IPPROTO_TCP)
        return false;
    bool outbound = kind == CONNECT || (kind == ESTABLISHED && !flow->inbound);
    *ret_offset = outbound ? ip : ip + transport;
    return true;
}
