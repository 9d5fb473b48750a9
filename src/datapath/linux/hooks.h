// The BPF side of the datapath: its maps and programs loaded or adopted, its links attached as needed and pinned.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/linux/pins.h"
#include "wire/flow.bpf.h"

struct bpf_link;
struct datapath_bpf;
struct wall_error;

enum wall_hook {
    WALL_HOOK_RELEASE,
    WALL_HOOK_EGRESS,
    WALL_HOOK_CONNECT4,
    WALL_HOOK_CONNECT6,
    WALL_HOOK_SENDMSG4,
    WALL_HOOK_SENDMSG6,
    WALL_HOOK_COUNT_,
};

// Sets of hooks that are attached and detached together.
enum wall_hook_set {
    WALL_HOOKS_HOLD,  // those that keep packets back, and see sockets close
    WALL_HOOKS_CALL,  // those at socket calls
};

struct wall_hooks_config {
    const char *btf_path;  // NULL: the kernel's own
    uint32_t flows_max, facts_max, ring_bytes;
    int cgroup_fd;
};

struct wall_hooks {
    struct datapath_bpf *programs;
    struct bpf_link *links[WALL_HOOK_COUNT_];
    const struct wall_pins *pins;
    struct wall_state *state;  // the map of the same name
    int cgroup_fd;
    int state_fd, flows_fd, facts_fd, events_fd, releases_fd, injectors_fd;
    int policy_fd, apps_fd, executables_fd, log_fd, denials_fd;
    bool adopted;  // an earlier instance left its maps
};

// Loads the programs, with the maps pinned in `pins` when there are any. Links found are taken over and run the new
// programs. `pins` and the cgroup are borrowed. Returns 0 or -errno; see wall_datapath_open().
int wall_hooks_open(const struct wall_hooks_config *config, const struct wall_pins *pins, struct wall_hooks *ret_hooks,
                    struct wall_error *err);
// Lets go of everything; what is pinned goes on.
void wall_hooks_close(struct wall_hooks *hooks);

// Attaches what of a set is missing. Flows may be held as soon as all of WALL_HOOKS_HOLD are attached.
// Returns 0 or -errno.
int wall_hooks_attach(struct wall_hooks *hooks, enum wall_hook_set set, struct wall_error *err);
// Detaches a set. WALL_HOOKS_HOLD only while no flow is held or blocked: nothing is kept back any more.
void wall_hooks_detach(struct wall_hooks *hooks, enum wall_hook_set set);
bool wall_hooks_attached(const struct wall_hooks *hooks, enum wall_hook_set set);  // any of them
