// Monitors: clients that watch decisions and the drivers' lines as they come.
#pragma once

#include <stdint.h>

#include "service/service.h"

// After a client began or ended to watch: the kernel tells permitted connections only while somebody does.
void wall_monitor_update(struct wall_service *service);
// To every monitor: one line of a driver, or of the service itself.
void wall_monitor_line(struct wall_service *service, const char *driver, const char *line);
// To every monitor: one decision. `hold` may be NULL: the kernel decided by itself.
void wall_monitor_decision(struct wall_service *service, const struct wall_flow *flow, const struct wall_hold *hold,
                           enum wall_flow_decision decision, uint64_t filter_id);
