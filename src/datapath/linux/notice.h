// Notices: flows that are only told of, from the moment they are established until their end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_datapath;

// Tells what the kernel has left in its map `told`.
void wall_notices_fetch(struct wall_datapath *datapath, uint64_t handle);
// The connection is over. Returns false when nobody was told of it.
bool wall_notices_end(struct wall_datapath *datapath, uint64_t handle);
// The socket is closed: its datagram flows are over.
void wall_notices_end_socket(struct wall_datapath *datapath, uint64_t cookie);
// Ends the datagram flows that have been idle.
void wall_notices_expire(struct wall_datapath *datapath);
// Frees them, without telling.
void wall_notices_done(struct wall_datapath *datapath);
