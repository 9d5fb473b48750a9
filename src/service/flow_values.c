#include "service/flow_values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "base/utf16.h"
#include "engine/catalog.h"
#include "engine/token.h"
#include "service/flow_layer.h"

// NL_ADDRESS_TYPE
enum { ADDRESS_UNSPECIFIED, ADDRESS_UNICAST, ADDRESS_ANYCAST, ADDRESS_MULTICAST, ADDRESS_BROADCAST };

// IANA interface types
enum { INTERFACE_ETHERNET = 6, INTERFACE_LOOPBACK = 24 };

static bool is_loopback(const struct wall_flow *flow)
{
    if (flow->family == AF_INET)
        return flow->remote_address[0] == 127;
    struct in6_addr address;
    memcpy(&address, flow->remote_address, sizeof(address));
    return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && flow->remote_address[12] == 127);
}

static uint8_t address_type(const struct wall_flow *flow, const uint8_t *address)
{
    static const uint8_t zero[16];
    size_t bytes = flow->family == AF_INET ? 4 : 16;
    if (memcmp(address, zero, bytes) == 0)
        return ADDRESS_UNSPECIFIED;
    if (flow->family == AF_INET6)
        return address[0] == 0xff ? ADDRESS_MULTICAST : ADDRESS_UNICAST;
    uint32_t value;
    memcpy(&value, address, sizeof(value));
    if (value == htonl(INADDR_BROADCAST))
        return ADDRESS_BROADCAST;
    return IN_MULTICAST(ntohl(value)) ? ADDRESS_MULTICAST : ADDRESS_UNICAST;
}

static FWP_VALUE0 u8(uint8_t value)
{
    return (FWP_VALUE0){.type = FWP_UINT8, .uint8 = value};
}

static FWP_VALUE0 u16(uint16_t value)
{
    return (FWP_VALUE0){.type = FWP_UINT16, .uint16 = value};
}

static FWP_VALUE0 u32(uint32_t value)
{
    return (FWP_VALUE0){.type = FWP_UINT32, .uint32 = value};
}

static FWP_VALUE0 address_value(const struct wall_flow *flow, const uint8_t *address, FWP_BYTE_ARRAY16 *storage)
{
    if (flow->family == AF_INET) {
        uint32_t value;
        memcpy(&value, address, sizeof(value));
        return u32(ntohl(value));
    }
    memcpy(storage->byteArray16, address, 16);
    return (FWP_VALUE0){.type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = storage};
}

static FWP_VALUE0 blob(FWP_DATA_TYPE type, FWP_BYTE_BLOB *bytes)
{
    return (FWP_VALUE0){.type = type, .byteBlob = bytes};
}

static int make_identity(struct wall_flow_values *values, const struct wall_flow *flow)
{
    uint16_t *path = wall_utf16_new_from_path(flow->executable_path);
    if (!path)
        return -ENOMEM;
    values->app_id.data = (UINT8 *)path;
    values->app_id.size = (UINT32)((wall_utf16_length(path) + 1) * sizeof(*path));
    values->token.size = (UINT32)wall_token_build(flow->user_id, &flow->group_id, 1, NULL, 0);
    values->token.data = malloc(values->token.size);
    if (!values->token.data)
        return -ENOMEM;
    (void)wall_token_build(flow->user_id, &flow->group_id, 1, values->token.data, values->token.size);
    return 0;
}

static bool is_assignment(const struct wall_flow *flow)
{
    return flow->layer_id == FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4 ||
           flow->layer_id == FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6;
}

static uint32_t flags_of(const struct wall_flow *flow)
{
    uint32_t flags = is_loopback(flow) ? FWP_CONDITION_FLAG_IS_LOOPBACK : 0;
    if (flow->reauthorize_reason)
        flags |= FWP_CONDITION_FLAG_IS_REAUTHORIZE;
    if (flow->redirected)
        flags |= FWP_CONDITION_FLAG_IS_CONNECTION_REDIRECTED;
    if (is_assignment(flow) && flow->local_port == 0)
        flags |= FWP_CONDITION_FLAG_IS_WILDCARD_BIND;
    return flags;
}

// The interface a packet came from or goes to; a reauthorization does not know it (wfp-reference 3.7).
static FWP_VALUE0 interface_value(struct wall_flow_values *values, const struct wall_flow *flow, enum wall_key key)
{
    const FWP_VALUE0 unknown = {.type = FWP_EMPTY};
    uint32_t type = is_loopback(flow) ? INTERFACE_LOOPBACK : INTERFACE_ETHERNET;
    bool is_arrival = key == WALL_KEY_IP_ARRIVAL_INTERFACE || key == WALL_KEY_ARRIVAL_INTERFACE_TYPE ||
                      key == WALL_KEY_ARRIVAL_INTERFACE_INDEX;
    bool is_next_hop = key == WALL_KEY_IP_NEXTHOP_INTERFACE || key == WALL_KEY_NEXTHOP_INTERFACE_TYPE ||
                       key == WALL_KEY_NEXTHOP_INTERFACE_INDEX;
    if (!flow->interface_index || (is_arrival && !flow->inbound) || (is_next_hop && flow->inbound))
        return unknown;
    switch (key) {
    case WALL_KEY_IP_LOCAL_INTERFACE:
    case WALL_KEY_IP_ARRIVAL_INTERFACE:
    case WALL_KEY_IP_NEXTHOP_INTERFACE:
        // NET_LUID: interface type in the upper 16 bits, the index 24 bits below
        values->local_interface = (UINT64)type << 48 | (UINT64)flow->interface_index << 24;
        return (FWP_VALUE0){.type = FWP_UINT64, .uint64 = &values->local_interface};
    case WALL_KEY_INTERFACE_TYPE:
    case WALL_KEY_ARRIVAL_INTERFACE_TYPE:
    case WALL_KEY_NEXTHOP_INTERFACE_TYPE:
        return u32(type);
    default:
        return u32(flow->interface_index);
    }
}

// What this host knows of a field; FWP_EMPTY for what it does not.
static FWP_VALUE0 value_of(struct wall_flow_values *values, const struct wall_flow *flow, enum wall_key key)
{
    bool icmp = flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
    FWP_VALUE0 unknown = {.type = FWP_EMPTY};
    switch (key) {
    case WALL_KEY_ALE_APP_ID:
    case WALL_KEY_ALE_ORIGINAL_APP_ID:
        return blob(FWP_BYTE_BLOB_TYPE, &values->app_id);
    case WALL_KEY_ALE_USER_ID:
        return blob(FWP_TOKEN_ACCESS_INFORMATION_TYPE, &values->token);
    case WALL_KEY_IP_LOCAL_ADDRESS:
        if ((is_assignment(flow) || wall_flow_layer_binds(flow->layer_id)) &&
            address_type(flow, flow->local_address) == ADDRESS_UNSPECIFIED)
            return unknown;
        return address_value(flow, flow->local_address, &values->local_address);
    case WALL_KEY_IP_REMOTE_ADDRESS:
        return address_value(flow, flow->remote_address, &values->remote_address);
    case WALL_KEY_IP_LOCAL_ADDRESS_TYPE:
        return u8(address_type(flow, flow->local_address));
    case WALL_KEY_IP_DESTINATION_ADDRESS_TYPE:
        return u8(address_type(flow, flow->inbound ? flow->local_address : flow->remote_address));
    case WALL_KEY_IP_PROTOCOL:
        return u8(flow->protocol);
    case WALL_KEY_IP_LOCAL_PORT:
        return u16(flow->local_port);
    case WALL_KEY_IP_REMOTE_PORT:
        return u16(flow->remote_port);
    case WALL_KEY_ORIGINAL_ICMP_TYPE:
        return icmp ? u16(flow->local_port) : unknown;
    case WALL_KEY_DIRECTION:
        return u32(flow->inbound ? FWP_DIRECTION_INBOUND : FWP_DIRECTION_OUTBOUND);
    case WALL_KEY_FLAGS:
        return u32(flags_of(flow));
    case WALL_KEY_REAUTHORIZE_REASON:
        return u32(flow->reauthorize_reason);
    case WALL_KEY_TUNNEL_TYPE:
    case WALL_KEY_ALE_PROMISCUOUS_MODE:
        return u32(0);
    case WALL_KEY_COMPARTMENT_ID:
        return u32(WALL_COMPARTMENT_DEFAULT);
    case WALL_KEY_IP_LOCAL_INTERFACE:
    case WALL_KEY_INTERFACE_TYPE:
    case WALL_KEY_INTERFACE_INDEX:
    case WALL_KEY_IP_ARRIVAL_INTERFACE:
    case WALL_KEY_ARRIVAL_INTERFACE_TYPE:
    case WALL_KEY_ARRIVAL_INTERFACE_INDEX:
    case WALL_KEY_IP_NEXTHOP_INTERFACE:
    case WALL_KEY_NEXTHOP_INTERFACE_TYPE:
    case WALL_KEY_NEXTHOP_INTERFACE_INDEX:
        return interface_value(values, flow, key);
    default:
        return unknown;
    }
}

int wall_flow_values_init(struct wall_flow_values *values, const struct wall_flow *flow)
{
    uint16_t count = wall_catalog_field_count(flow->layer_id);
    *values = (struct wall_flow_values){.incoming = {.layerId = flow->layer_id, .valueCount = count}};
    values->incoming.incomingValue = values->values;
    if (!wall_flow_layer_metadata(flow->layer_id) || count > sizeof(values->values) / sizeof(values->values[0]) ||
        wall_catalog_layer_is_v6(flow->layer_id) != (flow->family == AF_INET6))
        return -ENOTSUP;
    int r = make_identity(values, flow);
    if (r < 0) {
        wall_flow_values_done(values);
        return r;
    }
    for (uint16_t i = 0; i < count; i++) {
        struct wall_catalog_field field;
        if (wall_catalog_field(flow->layer_id, i, &field))
            values->values[i].value = value_of(values, flow, field.key);
    }
    return 0;
}

void wall_flow_values_reauthorize(struct wall_flow_values *values, uint32_t reason)
{
    for (uint16_t i = 0; i < values->incoming.valueCount; i++) {
        struct wall_catalog_field field;
        if (!wall_catalog_field(values->incoming.layerId, i, &field))
            continue;
        if (field.key == WALL_KEY_FLAGS)
            values->values[i].value.uint32 |= FWP_CONDITION_FLAG_IS_REAUTHORIZE;
        if (field.key == WALL_KEY_REAUTHORIZE_REASON)
            values->values[i].value.uint32 = reason;
    }
}

void wall_flow_values_done(struct wall_flow_values *values)
{
    free(values->app_id.data);
    free(values->token.data);
    *values = (struct wall_flow_values){0};
}
