#include "client/net_event.h"

#include <string.h>

// Each structure begins with the older ones, so an older event points to the newer one's parts.
#define SAME_OFFSET(older, newer, member)                                                                              \
    _Static_assert(offsetof(older, member) == offsetof(newer, member), "versions share their beginning")
SAME_OFFSET(FWPM_NET_EVENT_HEADER0, FWPM_NET_EVENT_HEADER3, userId);
SAME_OFFSET(FWPM_NET_EVENT_HEADER1, FWPM_NET_EVENT_HEADER3, userId);
SAME_OFFSET(FWPM_NET_EVENT_HEADER2, FWPM_NET_EVENT_HEADER3, packageSid);
SAME_OFFSET(FWPM_NET_EVENT_CLASSIFY_DROP0, FWPM_NET_EVENT_CLASSIFY_DROP2, layerId);
SAME_OFFSET(FWPM_NET_EVENT_CLASSIFY_DROP1, FWPM_NET_EVENT_CLASSIFY_DROP2, isLoopback);
_Static_assert(sizeof(FWPM_NET_EVENT3) == sizeof(FWPM_NET_EVENT5), "versions 3 to 5 have one layout");

// Validity bits of header members that an older header lacks.
#define FLAGS_OF_HEADER2 (FWPM_NET_EVENT_FLAG_PACKAGE_ID_SET)
#define FLAGS_OF_HEADER3                                                                                               \
    (FWPM_NET_EVENT_FLAG_ENTERPRISE_ID_SET | FWPM_NET_EVENT_FLAG_POLICY_FLAGS_SET |                                    \
     FWPM_NET_EVENT_FLAG_EFFECTIVE_NAME_SET)

bool wall_net_event_known(FWPM_NET_EVENT_TYPE type, unsigned version)
{
    if (type <= FWPM_NET_EVENT_TYPE_IPSEC_DOSP_DROP)
        return true;
    if (type <= FWPM_NET_EVENT_TYPE_CLASSIFY_DROP_MAC)
        return version >= 2;
    return version >= 5;
}

void wall_net_event_convert(const FWPM_NET_EVENT5 *event, unsigned version, union wall_net_event *ret_event)
{
    memset(ret_event, 0, sizeof(*ret_event));
    if (version == 0) {
        memcpy(&ret_event->v0.header, &event->header, sizeof(FWPM_NET_EVENT_HEADER0));
        ret_event->v0.header.flags &= ~(FLAGS_OF_HEADER2 | FLAGS_OF_HEADER3);
        ret_event->v0.type = event->type;
        ret_event->v0.classifyDrop = (FWPM_NET_EVENT_CLASSIFY_DROP0 *)event->classifyDrop;
    } else if (version == 1) {
        memcpy(&ret_event->v1.header, &event->header, sizeof(FWPM_NET_EVENT_HEADER0));
        ret_event->v1.header.flags &= ~(FLAGS_OF_HEADER2 | FLAGS_OF_HEADER3);
        ret_event->v1.type = event->type;
        ret_event->v1.classifyDrop = (FWPM_NET_EVENT_CLASSIFY_DROP1 *)event->classifyDrop;
    } else if (version == 2) {
        memcpy(&ret_event->v2.header, &event->header, sizeof(FWPM_NET_EVENT_HEADER2));
        ret_event->v2.header.flags &= ~FLAGS_OF_HEADER3;
        ret_event->v2.type = event->type;
        ret_event->v2.classifyDrop = event->classifyDrop;
    } else {
        ret_event->v5 = *event;
    }
}
