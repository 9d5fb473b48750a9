// Maps that the programs of redirected connections share with the others: loaded apart, they get the same ones.
#pragma once

#include "program.bpf.h"

#include "wire/flow.bpf.h"
#include "wire/redirect.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct wall_state);
} state SEC(".maps") __weak;

// Cookies of the datapath's own raw sockets, which re-send permitted packets.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, uint64_t);
} injectors SEC(".maps") __weak;

// Redirected connections (redirect.bpf.c). Full: a connection that is to be redirected is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct wall_translation_key);
    __type(value, struct wall_translation);
} redirects SEC(".maps") __weak;

static __always_inline struct wall_state *state_get(void)
{
    uint32_t zero = 0;
    return bpf_map_lookup_elem(&state, &zero);
}

static __always_inline void count(struct wall_state *at, enum wall_counter counter)
{
    __sync_fetch_and_add(&at->counters[counter], 1);
}
