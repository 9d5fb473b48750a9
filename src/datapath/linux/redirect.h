// Redirected connections: their translations in the kernel, and the programs at interfaces that apply them. A program
// is attached to an interface once a connection is redirected there, and until no redirected connection is left.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct wall_datapath;
struct wall_error;
struct wall_held;

struct wall_redirects {
    struct wall_map by_cookie;  // of network namespaces: the programs loaded for them
    uint32_t count;             // redirected connections
};

// No connection is redirected yet.
void wall_redirects_init(struct wall_redirects *redirects);
// Lets go of the programs; those attached go on.
void wall_redirects_done(struct wall_datapath *datapath);

// Takes over what an earlier instance left.
void wall_redirects_adopt(struct wall_datapath *datapath);
// From now on the packets of a held TCP connection go to `address` (16 bytes, IPv4 mapped) and `port`. Returns 0, or
// -errno with `err` telling why that cannot be; then nothing has changed.
int wall_redirects_add(struct wall_datapath *datapath, const struct wall_held *held, const uint8_t *address,
                       uint16_t port, struct wall_error *err);
// Where a connection goes that was redirected, and is held again. Returns false for one that was not.
bool wall_redirects_find(const struct wall_datapath *datapath, const struct wall_held *held, uint8_t *ret_address,
                         uint16_t *ret_port);
// The connection goes where its program wanted: nothing is left of an earlier one between the same ends.
void wall_redirects_forget(struct wall_datapath *datapath, const struct wall_held *held);
// Forgets connections that are over. To be called from time to time while there are any.
void wall_redirects_expire(struct wall_datapath *datapath);
// Aborts every redirected connection: without translations its packets would go where its program wanted.
void wall_redirects_abort_all(struct wall_datapath *datapath);
