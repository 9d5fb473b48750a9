#include "service/flow_event.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "base/sid.h"
#include "base/utf16.h"
#include "engine/net_event.h"

// FILETIME counts 100 ns from 1601; 1970 is this much later.
#define FILETIME_OF_1970 116444736000000000ull
// msFwpDirection (wfp-reference 1.9)
#define DIRECTION_IN 0x3900
#define DIRECTION_OUT 0x3901

static void fill_header(FWPM_NET_EVENT_HEADER3 *header, const struct wall_flow *flow, uint64_t time_us)
{
    uint64_t filetime = FILETIME_OF_1970 + time_us * 10;
    header->timeStamp.dwLowDateTime = (DWORD)filetime;
    header->timeStamp.dwHighDateTime = (DWORD)(filetime >> 32);
    header->flags = FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET | FWPM_NET_EVENT_FLAG_LOCAL_ADDR_SET |
                    FWPM_NET_EVENT_FLAG_REMOTE_ADDR_SET | FWPM_NET_EVENT_FLAG_LOCAL_PORT_SET |
                    FWPM_NET_EVENT_FLAG_REMOTE_PORT_SET | FWPM_NET_EVENT_FLAG_IP_VERSION_SET;
    header->ipProtocol = flow->protocol;
    header->localPort = flow->local_port;
    header->remotePort = flow->remote_port;
    if (flow->family == AF_INET) {
        uint32_t local, remote;
        memcpy(&local, flow->local_address, sizeof(local));
        memcpy(&remote, flow->remote_address, sizeof(remote));
        header->localAddrV4 = ntohl(local);
        header->remoteAddrV4 = ntohl(remote);
        header->ipVersion = FWP_IP_VERSION_V4;
        header->addressFamily = FWP_AF_INET;
        return;
    }
    memcpy(header->localAddrV6.byteArray16, flow->local_address, 16);
    memcpy(header->remoteAddrV6.byteArray16, flow->remote_address, 16);
    header->ipVersion = FWP_IP_VERSION_V6;
    header->addressFamily = FWP_AF_INET6;
}

void wall_flow_event_add(struct wall_engine *engine, const struct wall_flow *flow, enum wall_flow_decision decision,
                         uint64_t filter_id, uint64_t time_us)
{
    UINT32 direction = flow->inbound ? DIRECTION_IN : DIRECTION_OUT;
    if (decision == WALL_FLOW_PERMIT && !wall_net_event_wants_permits(engine))
        return;
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop = {.filterId = filter_id, .layerId = flow->layer_id,
                                          .reauthReason = flow->reauthorize_reason, .msFwpDirection = direction};
    FWPM_NET_EVENT_CLASSIFY_ALLOW0 allow = {.filterId = filter_id, .layerId = flow->layer_id,
                                            .reauthReason = flow->reauthorize_reason, .msFwpDirection = direction};
    FWPM_NET_EVENT5 event = {.type = FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, .classifyDrop = &drop};
    if (decision == WALL_FLOW_PERMIT) {
        event.type = FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW;
        event.classifyAllow = &allow;
    }
    fill_header(&event.header, flow, time_us);
    uint16_t *path = wall_utf16_new_from_path(flow->executable_path);
    if (path) {
        event.header.appId.data = (UINT8 *)path;
        event.header.appId.size = (UINT32)((wall_utf16_length(path) + 1) * sizeof(*path));
        event.header.flags |= FWPM_NET_EVENT_FLAG_APP_ID_SET;
    }
    union wall_sid user;
    wall_sid_from_user(flow->user_id, &user);
    event.header.userId = &user.sid;
    event.header.flags |= FWPM_NET_EVENT_FLAG_USER_ID_SET;
    wall_net_event_add(engine, &event);
    free(path);
}
