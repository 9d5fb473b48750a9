// Maps that the programs of redirected connections share with the others: loaded apart, they get the same ones.
#pragma once

#include "program.bpf.h"

#include "wire/cpu.bpf.h"
#include "wire/flow.bpf.h"
#include "wire/redirect.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct wall_state);
} state SEC(".maps") __weak;

// What each CPU has for itself; as many as there can be. Mapped, so that each begins with a page.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct wall_cpu);
} cpus SEC(".maps") __weak;

// Decisions of user space. Full: the call or packet is refused (ENOBUFS).
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct wall_flow_key);
    __type(value, struct wall_flow_entry);
} flows SEC(".maps") __weak;

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

// Contexts of redirected connections. Full: one that has a context is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, struct wall_redirect_context);
} contexts SEC(".maps") __weak;

// Interfaces where programs translate packets. Full: what needs another one is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 4096);
    __type(key, struct wall_interface_key);
    __type(value, struct wall_interface);
} interfaces SEC(".maps") __weak;

// Sockets whose binding was asked about. Full: a binding that is to be changed is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, uint64_t);
    __type(value, struct wall_rebinding);
} rebound SEC(".maps") __weak;

enum binding_state {
    BINDING_SETTLED,    // nothing to look up
    BINDING_UNDECIDED,  // bind() has no decision yet, or a bad one: it is in the table of flows
    BINDING_IMPLICIT,   // the socket has sent without bind(): whether its first flow is answered is in `rebound`
    BINDING_CHANGED,    // in `rebound`
    BINDING_REFUSED,    // the decision was bad; never in a mark
};

struct binding_mark {
    uint64_t cookie;  // of the socket
    uint64_t state;   // enum binding_state
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct binding_mark);
} bindings SEC(".maps") __weak;

static __always_inline struct wall_state *state_get(void)
{
    uint32_t zero = 0;
    return bpf_map_lookup_elem(&state, &zero);
}

// Of the CPU the program runs on, where it stays to its end; it may be interrupted there by other programs.
static __always_inline struct wall_cpu *cpu_get(void)
{
    uint32_t number = bpf_get_smp_processor_id();
    return bpf_map_lookup_elem(&cpus, &number);
}

// Without a call, for what every connection passes.
static __always_inline void count_here(enum wall_counter counter)
{
    struct wall_cpu *cpu = cpu_get();
    if (!cpu || counter >= WALL_COUNTER_COUNT_)
        return;
    forget(cpu);
    __sync_fetch_and_add(&cpu->counters[counter], 1);
}

static __noinline int count(enum wall_counter counter)
{
    count_here(counter);
    return 0;
}
