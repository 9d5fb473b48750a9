// Notices: flows that are only told of, from the moment they are established until their end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct wall_datapath;
struct wall_notice_waiting;

// Flows the user has not been told of yet, since he is busy with others. Their facts stay in the kernel's map `told`,
// which bounds their number.
struct wall_notice_queue {
    struct wall_notice_waiting *first, *last;
    struct wall_map by_handle;
    uint32_t owed;  // calls of wall_datapath_noticed()
    bool draining;
};

// Nobody waits and nothing is owed.
void wall_notices_init(struct wall_datapath *datapath);

// Tells what the kernel has left in its map `told`, now or when the user has time.
void wall_notices_fetch(struct wall_datapath *datapath, uint64_t handle);
// The connection is over; that is told after its beginning has been dealt with.
// Returns false when nobody was told of it.
bool wall_notices_end(struct wall_datapath *datapath, uint64_t handle);
// The socket is closed: its datagram flows are over.
void wall_notices_end_socket(struct wall_datapath *datapath, uint64_t cookie);
// Ends the datagram flows that have been idle.
void wall_notices_expire(struct wall_datapath *datapath);
// Frees them, without telling.
void wall_notices_done(struct wall_datapath *datapath);
