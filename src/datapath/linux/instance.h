// The eBPF body of the datapath: its state, and what its files call of each other.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/linux/held.h"
#include "datapath/linux/hooks.h"
#include "datapath/linux/log.h"
#include "datapath/linux/namespace.h"
#include "datapath/linux/notice.h"
#include "datapath/linux/pins.h"
#include "datapath/linux/policy.h"
#include "datapath/linux/rebinding.h"
#include "datapath/linux/redirect.h"
#include "datapath/linux/translator.h"
#include "wire/flow.bpf.h"

struct ring_buffer;

struct wall_datapath {
    struct wall_datapath_events events;
    struct wall_pins pins;
    struct wall_hooks hooks;
    struct wall_namespaces namespaces;
    struct wall_held_table table;
    struct wall_held_table live;  // established flows, with their notices
    struct wall_notice_queue notices;
    struct wall_redirects redirects;
    struct wall_rebindings rebindings;
    struct wall_translators translators;
    struct ring_buffer *ring;
    struct wall_policy *policy;     // referenced; NULL: none yet
    struct wall_kernel_policy kernel_policy;
    struct wall_log log;
    struct wall_flow_facts *facts;  // room for one element of the map
    int cgroup_fd, epoll_fd, timer_fd, log_timer_fd, wake_fd;
    bool ticking, log_ticking;
    bool log_permits;
    bool survey_due;  // live flows are still to be judged by the policy in force
    uint32_t layers;  // what the policy needs: their hooks must stay
    bool adopting;    // flows found now were held before this instance was opened
    bool unreported;  // the table holds flows the user has not been told of
    uint32_t quiet_ticks, expire_ticks;
    uint32_t budget;  // records this dispatch may still handle
    uint64_t releases_seen;
    uint32_t socketless_count;
    struct wall_datapath_stats stats;  // the part counted here
};

// --- flows.c: what the kernel tells of flows, and what it is told ---

// CLOCK_BOOTTIME, by which the programs tell time.
uint64_t wall_boot_time_ns(void);
// The V4 layer of a pair.
static inline enum wall_layer wall_layer_pair(uint8_t layer)
{
    return (enum wall_layer)(layer & ~1u);
}
// Handles one record of the ring. Returns 0, or -EAGAIN when the budget is used up.
int wall_flows_record(void *datapath, void *data, size_t size);
// Takes over what an earlier instance left in the maps.
int wall_flows_adopt(struct wall_datapath *datapath);
// Lets the kernel capture again what an earlier instance had captured and lost.
void wall_flows_ask_again(struct wall_datapath *datapath);
// Tells the user of flows that were adopted.
void wall_flows_report(struct wall_datapath *datapath);
// Handles socket releases the ring had no place for.
void wall_flows_sweep_releases(struct wall_datapath *datapath);
// Forgets decided datagram flows that have been idle, and what peers began and have given up.
void wall_flows_expire(struct wall_datapath *datapath);
// Refuses every held flow, without telling the user.
void wall_flows_refuse_all(struct wall_datapath *datapath);
// Whether the kernel keeps no flow. `inbound_only`: none begun by a peer, and nothing against a socket itself.
bool wall_flows_none(const struct wall_datapath *datapath, bool inbound_only);
void wall_flows_done(struct wall_datapath *datapath);        // frees the table and its namespaces
