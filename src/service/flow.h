// Flows on their way through the service: from the datapath through holds and callouts to a decision, and its record.
#pragma once

#include "service/service.h"

// Sets up the look after flows that wait. Returns 0 or a negative errno.
int wall_flows_init(struct wall_service *service);

// What the datapath, the holds and the callouts of `service` are to call.
struct wall_datapath_events wall_flows_datapath_events(struct wall_service *service);
struct wall_holds_events wall_flows_holds_events(struct wall_service *service);
struct wall_callouts_events wall_flows_callouts_events(struct wall_service *service);
