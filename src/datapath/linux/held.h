// The flows user space knows of: those held, with their captured packets, and the decided ones of datagram sockets.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "datapath/linux/namespace.h"
#include "datapath/linux/diagnosis.h"
#include "wire/flow.bpf.h"

struct wall_held_packet {
    struct wall_held_packet *next;
    uint32_t segment_bytes, flags;  // as in struct wall_record
    uint32_t length;
    uint8_t data[];
};

struct wall_held_socket;
struct wall_notice;

struct wall_held {
    uint64_t flow_id;
    struct wall_flow_key key;
    enum wall_flow_state state;
    uint8_t layer;  // enum wall_layer
    bool adopted;
    bool reported;
    bool is_redirected;  // it is to go elsewhere (redirect.h)
    bool is_socketless;  // its socket is closed; what it sent waits for the answer
    struct wall_socket_name name;
    struct wall_route route;
    struct wall_namespace *ns;  // NULL: not reachable
    struct wall_held_packet *packets, **packets_end;
    struct wall_held_socket *socket;
    struct wall_held *previous, *next;  // of the same socket
    struct wall_notice *notice;  // owned; of a flow that is only told of
};

struct wall_held_table {
    struct wall_map by_id;
    struct wall_map by_cookie;  // to struct wall_held_socket
    uint32_t held_count;        // those in state HELD
    uint64_t captured_bytes;
};

// An empty table.
void wall_held_init(struct wall_held_table *table);
// Frees all flows; their namespaces must have been released.
void wall_held_done(struct wall_held_table *table);
// Adds a flow with these facts, in state HELD. Returns NULL without memory.
struct wall_held *wall_held_add(struct wall_held_table *table, const struct wall_flow_facts *facts);
// Returns the flow, or NULL.
struct wall_held *wall_held_find(const struct wall_held_table *table, uint64_t flow_id);
// The first flow of a socket, or NULL; the others follow by `next`.
struct wall_held *wall_held_of_socket(const struct wall_held_table *table, uint64_t cookie);
// Keeps the number of held flows right.
void wall_held_set_state(struct wall_held_table *table, struct wall_held *held, enum wall_flow_state state);
// Takes the flow out and frees it with its packets.
void wall_held_remove(struct wall_held_table *table, struct wall_held *held);

// Puts a copy of a captured packet at the end of the flow's queue. Returns 0 or -ENOMEM.
int wall_held_queue(struct wall_held_table *table, struct wall_held *held, const struct wall_record *record);
// Frees the queue. Returns the bytes it held.
uint64_t wall_held_drop_packets(struct wall_held_table *table, struct wall_held *held);
