// The fake body: holds whatever a test tells it to, and remembers the decisions. One instance at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"

// The open instance, or NULL.
struct wall_datapath *wall_fake_datapath(void);
// The next dispatch reports `flow` as held. What it points to is borrowed until the flow is decided or gone.
// Returns 0, -ENOMEM, or -EEXIST (its id is held already).
int wall_fake_hold(struct wall_datapath *datapath, const struct wall_flow *flow);
// The program of a held flow closes its socket: the next dispatch reports it. Returns 0 or -ENOENT.
int wall_fake_close(struct wall_datapath *datapath, uint64_t flow_id);
// True when the flow has been decided.
bool wall_fake_decided(const struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision *ret_decision);
// The next dispatch tells of `flow` at a layer that only tells, or of the end of a flow. Borrowed until then.
int wall_fake_notice(struct wall_datapath *datapath, const struct wall_flow *flow);
int wall_fake_end(struct wall_datapath *datapath, uint64_t handle);
// What the service did: flows it cut, packets it injected, and the last of each. Only a noticed flow can be cut.
struct wall_fake_deeds {
    unsigned aborts, injections, noticed;
    uint64_t aborted;  // handle
    struct wall_injection injection;  // without its packet
    uint8_t packet[256];
    unsigned redirections;
    uint8_t redirect_address[16];
    uint16_t redirect_port;
};
const struct wall_fake_deeds *wall_fake_deeds(const struct wall_datapath *datapath);
// The policy last set, borrowed; NULL: none yet.
struct wall_policy *wall_fake_policy(const struct wall_datapath *datapath);
// The next wall_datapath_open() fails with `code` (a negative errno).
void wall_fake_fail_open(int code);
