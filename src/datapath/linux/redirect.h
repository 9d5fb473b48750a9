// Redirected connections: their translations in the kernel.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_datapath;
struct wall_endpoints;
struct wall_error;
struct wall_flow;
struct wall_held;

struct wall_redirects {
    uint32_t count;  // redirected connections
};

// Takes over what an earlier instance left.
void wall_redirects_adopt(struct wall_datapath *datapath);
// From now on the packets of a held TCP connection or flow of UDP datagrams go from and to `to`, where `flow`'s context
// is told. Returns 0, or -errno with `err` telling why that cannot be; then nothing has changed.
int wall_redirects_add(struct wall_datapath *datapath, struct wall_held *held, const struct wall_endpoints *to,
                       const struct wall_flow *flow, struct wall_error *err);
// From and to where a connection goes that was redirected, and is held again. Returns false for one that was not.
bool wall_redirects_find(const struct wall_datapath *datapath, const struct wall_held *held,
                         struct wall_endpoints *ret_ends);
// Where a datagram goes instead that is an answer from a loopback address to a redirected flow. Returns false for
// another.
bool wall_redirects_find_answer(const struct wall_datapath *datapath, const struct wall_held *held,
                                struct wall_endpoints *ret_ends);
// The connection goes where its program wanted: nothing is left of an earlier one between the same ends.
void wall_redirects_forget(struct wall_datapath *datapath, const struct wall_held *held);
// Forgets connections that are over. To be called from time to time while there are any.
void wall_redirects_expire(struct wall_datapath *datapath);
// Aborts every redirected connection: without translations its packets would go where its program wanted.
void wall_redirects_abort_all(struct wall_datapath *datapath);
