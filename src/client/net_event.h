// The versions of net events: older programs get older structures.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fwpmtypes.h"

// Room for an event of any version.
union wall_net_event {
    FWPM_NET_EVENT0 v0;
    FWPM_NET_EVENT1 v1;
    FWPM_NET_EVENT2 v2;
    FWPM_NET_EVENT3 v3;
    FWPM_NET_EVENT4 v4;
    FWPM_NET_EVENT5 v5;
};

// Whether the version knows this type of event.
bool wall_net_event_known(FWPM_NET_EVENT_TYPE type, unsigned version);
// The event as an older version (0 … 5) has it; it points into `event`.
void wall_net_event_convert(const FWPM_NET_EVENT5 *event, unsigned version, union wall_net_event *ret_event);
