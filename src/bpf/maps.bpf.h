// The maps, shared by all programs. Sizes marked 1 are set by user space before loading.
#pragma once

#include "program.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct wall_state);
} state SEC(".maps") __weak;

// Decisions of user space. Full: the call or packet is refused (ENOBUFS).
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct wall_flow_key);
    __type(value, struct wall_flow_entry);
} flows SEC(".maps") __weak;

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

// Cookies of the datapath's own raw sockets, which re-send permitted packets.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, uint64_t);
} injectors SEC(".maps") __weak;

// A socket with this storage has, or had, a held flow. Sockets without it pay one failing lookup for a packet.
struct socket_mark {
    uint64_t flow_id;  // TCP: the flow of the connect() in progress; 0: none
    struct bpf_spin_lock lock;  // of what follows; datagrams are sent by several threads at once
    uint32_t sender;            // the thread whose sendto() came last …
    uint8_t address[16];        // … and where to: before NAT, which has been applied when the packet is seen
    uint16_t port;
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct socket_mark);
} marks SEC(".maps") __weak;

static __always_inline struct wall_state *state_get(void)
{
    uint32_t zero = 0;
    return bpf_map_lookup_elem(&state, &zero);
}

static __always_inline void count(struct wall_state *at, enum wall_counter counter)
{
    __sync_fetch_and_add(&at->counters[counter], 1);
}

static __always_inline int refuse_full(struct wall_state *at)
{
    count(at, WALL_COUNTER_FAIL_CLOSED);
    return refuse(ENOBUFS);
}
