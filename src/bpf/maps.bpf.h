// The maps, shared by all programs. Sizes marked 1 are set by user space before loading.
#pragma once

#include "address.bpf.h"
#include "shared_maps.bpf.h"
#include "wire/log.bpf.h"
#include "wire/tables.bpf.h"

// Facts of held flows, by flow id. Full: as `flows`.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, struct wall_flow_facts);
} facts SEC(".maps") __weak;

// All zero: what a new element of `facts` starts with. Too large for the stack, and a hook in process context can be
// preempted by another one on the same CPU, so there is no scratch memory to build the facts in.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_RDONLY_PROG);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct wall_flow_facts);
} blank SEC(".maps") __weak;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} events SEC(".maps") __weak;

// Releases of sockets the ring had no place for: cookie to flow id. Full: the flows stay in the tables (and refused).
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, uint64_t);
} releases SEC(".maps") __weak;

// The compiled policy (wire/tables.bpf.h): that of generation g in element g & 1. The other element is empty, or on its
// way out.
struct tables_pages {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(uint32_t));
    __uint(value_size, WALL_PAGE_BYTES);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __array(values, struct tables_pages);
} policy SEC(".maps") __weak;

// App ids that filters name, by the hash of their path.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct wall_path_hash);
    __type(value, uint32_t);
} apps SEC(".maps") __weak;

// Executables seen. Full: the one not seen for longest is forgotten, and walked again when it comes back.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct wall_executable_key);
    __type(value, struct wall_executable);
} executables SEC(".maps") __weak;

// Decisions for the log. Full: they are not told (LOG_LOST).
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} log SEC(".maps") __weak;

// Denials that were told, and how many like them were not. Full: the oldest are forgotten with their number.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct wall_denial_key);
    __type(value, struct wall_denial);
} denials SEC(".maps") __weak;

// A socket with this storage has, or had, a held flow. Sockets without it pay one failing lookup for a packet.
struct socket_mark {
    uint64_t flow_id;  // TCP: the flow of the connect() in progress; 0: none
    struct bpf_spin_lock lock;  // of what follows; datagrams are sent by several threads at once
    uint32_t sender;            // the thread whose sendto() came last …
    uint8_t address[16];        // … and where to: before NAT, which has been applied when the packet is seen
    uint16_t port;
    uint16_t permitted;   // the call to there was permitted by the tables …
    uint32_t generation;  // … of this generation, its low 32 bits
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct socket_mark);
} marks SEC(".maps") __weak;

// Who owns the sockets that peers can reach, by cookie: read at listen() and bind(), when a raw socket is made, and
// when a datagram socket without an address sends first. Full: what peers send to the others is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, struct wall_flow_facts);
} owners SEC(".maps") __weak;

// Datagram flows begun here, and begun by peers. When they are full, those unused for longest are forgotten, and judged
// again with their next packet. Two maps: a flood from outside must not displace what was begun here.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct wall_flow_key);
    __type(value, struct wall_conversation);
} spoken SEC(".maps") __weak;

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct wall_flow_key);
    __type(value, struct wall_conversation);
} heard SEC(".maps") __weak;

// Facts of what is only told of, by handle, until user space has fetched them. Full: it is not told (UNNOTICED).
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, struct wall_flow_facts);
} told SEC(".maps") __weak;

// A TCP connection whose end will be told.
struct stream_track {
    uint64_t handle;   // 0: nothing to tell
    uint64_t is_told;  // user space has heard that it is established
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct stream_track);
} tracks SEC(".maps") __weak;

struct arriving_key {
    uint64_t netns_cookie;
    uint8_t local_address[16], remote_address[16];
    uint16_t local_port, remote_port;
    uint32_t reserved;  // zero
};

struct arriving {
    uint64_t listener;  // cookie
    uint64_t handle;
};

// SYNs that were let through: the connection they become does not know its listening socket. Full, as by a flood: the
// oldest are forgotten, and those connections not told of (UNNOTICED).
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct arriving_key);
    __type(value, struct arriving);
} arrivals SEC(".maps") __weak;

// Whether flows can be held or sockets stopped, or were until a moment ago: otherwise no socket has a mark that
// matters.
static __always_inline bool may_hold(struct wall_state *at)
{
    return *(volatile uint32_t *)&at->can_hold;
}

static __always_inline int refuse_full(void)
{
    count(WALL_COUNTER_FAIL_CLOSED);
    return refuse(ENOBUFS);
}
