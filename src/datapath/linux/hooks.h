// The BPF side of the datapath: its maps and programs loaded or adopted, its links attached as needed and pinned.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/linux/pins.h"
#include "wire/cpu.bpf.h"
#include "wire/flow.bpf.h"

struct datapath_bpf;
struct wall_error;

// In the order of attaching.
enum wall_hook {
    WALL_HOOK_RELEASE,
    WALL_HOOK_ENDPOINT_RELEASE,
    WALL_HOOK_EGRESS,
    WALL_HOOK_ENDPOINTS,
    WALL_HOOK_BIND4,
    WALL_HOOK_BIND6,
    WALL_HOOK_CREATE,
    WALL_HOOK_INGRESS,
    WALL_HOOK_CONNECT4,
    WALL_HOOK_CONNECT6,
    WALL_HOOK_SENDMSG4,
    WALL_HOOK_SENDMSG6,
    WALL_HOOK_COUNT_,
};

// A policy that may hold what programs begin needs KEEP as well; one that judges what has no hook at its calls (ping,
// raw sockets), PACKETS.
#define WALL_LAYERS_KEEP 0x80000000u
#define WALL_LAYERS_PACKETS 0x40000000u

struct wall_hooks_config {
    const char *btf_path;  // NULL: the kernel's own
    uint32_t flows_max, facts_max, ring_bytes;
    int cgroup_fd;
};

struct wall_hooks {
    struct datapath_bpf *programs;  // only while they are loaded: libbpf keeps some MiB for them
    int program_fds[WALL_HOOK_COUNT_], survey_program_fd;
    int link_fds[WALL_HOOK_COUNT_];  // -1: not attached
    const struct wall_pins *pins;
    struct wall_state *state;  // the map of the same name
    struct wall_cpu *cpus;     // also
    uint32_t cpu_count;
    int cgroup_fd;
    int state_fd, cpus_fd, flows_fd, facts_fd, events_fd, releases_fd, injectors_fd;
    int policy_fd, apps_fd, executables_fd, log_fd, denials_fd;
    int owners_fd, spoken_fd, heard_fd, told_fd, redirects_fd, rebound_fd, bindings_fd, interfaces_fd;
    int contexts_fd;
    uint32_t layers;  // the hooks of these layers were attached by this instance, and are
    bool adopted;  // an earlier instance left its maps
};

// Loads the programs, with the maps pinned in `pins` when there are any. Links found are taken over and run the new
// programs. `pins` and the cgroup are borrowed. Returns 0 or -errno; see wall_datapath_open().
int wall_hooks_open(const struct wall_hooks_config *config, const struct wall_pins *pins, struct wall_hooks *ret_hooks,
                    struct wall_error *err);
// Lets go of everything; what is pinned goes on.
void wall_hooks_close(struct wall_hooks *hooks);

// Attaches what these layers need and is missing; who owns the sockets that are there already is learnt before packets
// are judged by it. The hooks that hold come after those that keep back. Returns 0 or -errno.
int wall_hooks_attach(struct wall_hooks *hooks, uint32_t layers, struct wall_error *err);
// Detaches the hooks at socket calls that these layers do not need: at the others no flow is held any more.
void wall_hooks_detach_calls(struct wall_hooks *hooks, uint32_t layers);
// Detaches the others that these layers do not need: nothing is kept back there any more. Only while no flow is held or
// blocked.
void wall_hooks_detach_rest(struct wall_hooks *hooks, uint32_t layers);
// The sum of what all CPUs have counted.
uint64_t wall_hooks_counter(const struct wall_hooks *hooks, enum wall_counter counter);

// Whether hooks are attached that these layers do not need.
bool wall_hooks_attached(const struct wall_hooks *hooks, uint32_t layers);
