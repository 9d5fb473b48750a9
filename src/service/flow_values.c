#include "service/flow_values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "base/utf16.h"
#include "engine/token.h"

// The V4 and V6 layers number their fields alike (wfp-reference 3.3).
#define FIELD(name) FWPS_FIELD_ALE_AUTH_CONNECT_V4_##name
_Static_assert((int)FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX == (int)FWPS_FIELD_ALE_AUTH_CONNECT_V6_MAX, "same fields");

// NL_ADDRESS_TYPE
enum { ADDRESS_UNSPECIFIED, ADDRESS_UNICAST, ADDRESS_ANYCAST, ADDRESS_MULTICAST, ADDRESS_BROADCAST };

// IANA interface types
enum { INTERFACE_ETHERNET = 6, INTERFACE_LOOPBACK = 24 };

// The only compartment: network namespaces are told by Ringwall's own conditions.
#define COMPARTMENT_DEFAULT 1

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

static void set_u8(struct wall_flow_values *values, unsigned field, uint8_t value)
{
    values->values[field].value = (FWP_VALUE0){.type = FWP_UINT8, .uint8 = value};
}

static void set_u16(struct wall_flow_values *values, unsigned field, uint16_t value)
{
    values->values[field].value = (FWP_VALUE0){.type = FWP_UINT16, .uint16 = value};
}

static void set_u32(struct wall_flow_values *values, unsigned field, uint32_t value)
{
    values->values[field].value = (FWP_VALUE0){.type = FWP_UINT32, .uint32 = value};
}

static void set_address(struct wall_flow_values *values, unsigned field, const struct wall_flow *flow,
                        const uint8_t *address, FWP_BYTE_ARRAY16 *storage)
{
    if (flow->family == AF_INET) {
        uint32_t value;
        memcpy(&value, address, sizeof(value));
        set_u32(values, field, ntohl(value));
        return;
    }
    memcpy(storage->byteArray16, address, 16);
    values->values[field].value = (FWP_VALUE0){.type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = storage};
}

static void set_blob(struct wall_flow_values *values, unsigned field, FWP_DATA_TYPE type, FWP_BYTE_BLOB *blob)
{
    values->values[field].value = (FWP_VALUE0){.type = type, .byteBlob = blob};
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

static void set_interface(struct wall_flow_values *values, const struct wall_flow *flow)
{
    if (!flow->interface_index)
        return;
    uint32_t type = is_loopback(flow) ? INTERFACE_LOOPBACK : INTERFACE_ETHERNET;
    // NET_LUID: interface type in the upper 16 bits, the index 24 bits below
    values->local_interface = (UINT64)type << 48 | (UINT64)flow->interface_index << 24;
    values->values[FIELD(IP_LOCAL_INTERFACE)].value =
        (FWP_VALUE0){.type = FWP_UINT64, .uint64 = &values->local_interface};
    values->values[FIELD(IP_NEXTHOP_INTERFACE)].value = values->values[FIELD(IP_LOCAL_INTERFACE)].value;
    set_u32(values, FIELD(INTERFACE_TYPE), type);
    set_u32(values, FIELD(INTERFACE_INDEX), flow->interface_index);
    set_u32(values, FIELD(NEXTHOP_INTERFACE_TYPE), type);
    set_u32(values, FIELD(NEXTHOP_INTERFACE_INDEX), flow->interface_index);
}

int wall_flow_values_init(struct wall_flow_values *values, const struct wall_flow *flow)
{
    *values = (struct wall_flow_values){
        .incoming = {.layerId = flow->layer_id, .valueCount = FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX},
    };
    _Static_assert(sizeof(values->values) / sizeof(values->values[0]) >= FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX, "room");
    values->incoming.incomingValue = values->values;
    if (flow->layer_id != FWPS_LAYER_ALE_AUTH_CONNECT_V4 && flow->layer_id != FWPS_LAYER_ALE_AUTH_CONNECT_V6)
        return -ENOTSUP;
    int r = make_identity(values, flow);
    if (r < 0) {
        wall_flow_values_done(values);
        return r;
    }
    set_blob(values, FIELD(ALE_APP_ID), FWP_BYTE_BLOB_TYPE, &values->app_id);
    set_blob(values, FIELD(ALE_ORIGINAL_APP_ID), FWP_BYTE_BLOB_TYPE, &values->app_id);
    set_blob(values, FIELD(ALE_USER_ID), FWP_TOKEN_ACCESS_INFORMATION_TYPE, &values->token);
    set_address(values, FIELD(IP_LOCAL_ADDRESS), flow, flow->local_address, &values->local_address);
    set_address(values, FIELD(IP_REMOTE_ADDRESS), flow, flow->remote_address, &values->remote_address);
    set_u8(values, FIELD(IP_LOCAL_ADDRESS_TYPE), address_type(flow, flow->local_address));
    set_u8(values, FIELD(IP_DESTINATION_ADDRESS_TYPE), address_type(flow, flow->remote_address));
    set_u8(values, FIELD(IP_PROTOCOL), flow->protocol);
    set_u16(values, FIELD(IP_LOCAL_PORT), flow->local_port);
    set_u16(values, FIELD(IP_REMOTE_PORT), flow->remote_port);
    if (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6)
        set_u16(values, FIELD(ORIGINAL_ICMP_TYPE), flow->local_port);
    set_interface(values, flow);
    set_u32(values, FIELD(TUNNEL_TYPE), 0);
    set_u32(values, FIELD(FLAGS), is_loopback(flow) ? FWP_CONDITION_FLAG_IS_LOOPBACK : 0);
    set_u32(values, FIELD(REAUTHORIZE_REASON), 0);
    set_u32(values, FIELD(COMPARTMENT_ID), COMPARTMENT_DEFAULT);
    return 0;
}

void wall_flow_values_done(struct wall_flow_values *values)
{
    free(values->app_id.data);
    free(values->token.data);
    *values = (struct wall_flow_values){0};
}
