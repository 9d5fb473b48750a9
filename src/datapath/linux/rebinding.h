// Sockets whose binding callouts were asked about: where they are bound instead, for as long as they live.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_datapath;
struct wall_error;
struct wall_held;
struct wall_rebinding;

struct wall_rebindings {
    uint32_t count;    // entries of the kernel's map
    uint32_t changed;  // those that are bound elsewhere
};

// Takes over what an earlier instance left.
void wall_rebindings_adopt(struct wall_datapath *datapath);
// From now on the socket of a held binding, or of the first flow of one without bind(), is bound to `address` (16
// bytes, IPv4 mapped; zeros: all of its family) and `port` (0: it keeps its own). Of several first flows the one that
// is answered first counts. Returns 0, or -errno with `err` telling why that cannot be; then nothing has changed.
int wall_rebindings_add(struct wall_datapath *datapath, const struct wall_held *held, const uint8_t *address,
                        uint16_t port, struct wall_error *err);
// The socket of a permitted first flow stays where it is. Returns 0 or -errno: its next flow is asked about again.
int wall_rebindings_settle(struct wall_datapath *datapath, const struct wall_held *held);
// Where a socket is bound. Returns false for one that is where its program put it.
bool wall_rebindings_find(const struct wall_datapath *datapath, uint64_t cookie, struct wall_rebinding *ret_rebinding);
// The socket is closed. `sends`: something of it may still go out, so that it is forgotten later.
void wall_rebindings_close(struct wall_datapath *datapath, uint64_t cookie, bool sends);
// Forgets closed sockets that send nothing any more. To be called from time to time while there are any.
void wall_rebindings_expire(struct wall_datapath *datapath);
