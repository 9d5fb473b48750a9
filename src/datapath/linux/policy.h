// The committed policy on its way into the kernel: compiled, put beside the one in force, and switched to by one store.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compile/apps.h"
#include "compile/bundle.h"
#include "compile/compile.h"
#include "datapath/linux/tables.h"
#include "wire/flow.bpf.h"

struct wall_filter;
struct wall_hooks;
struct wall_policy;
struct wall_error;

// App ids that filters may name at once.
#define WALL_KERNEL_APPS_MAX 65536u

// What the tables of a policy ask of the hooks.
struct wall_policy_needs {
    uint32_t layers;  // WALL_LAYERS() of those with tables
    bool holds;       // a flow may be held: the hooks that keep packets back
    bool packets;     // ping and raw sockets may be refused or held: they are judged by their packets
};

struct wall_kernel_policy {
    struct wall_state *state;  // borrowed
    int apps_fd;               // borrowed
    struct wall_tables_switch tables;
    struct wall_apps apps;
    size_t apps_loaded;  // of `apps`, in the kernel's map
    struct wall_readings *readings[WALL_LAYER_COUNT_];  // of filters, for the next compilation; NULL: none
    struct wall_compiled *compiled[WALL_LAYER_COUNT_];  // in force; NULL: none
    struct wall_compiled *next[WALL_LAYER_COUNT_];      // prepared
    uint64_t generations[WALL_LAYER_COUNT_];            // of the layer that `compiled` was made from …
    uint64_t next_generations[WALL_LAYER_COUNT_];       // … and `next`
    uint64_t next_word;                                 // the policy word that puts `next` in force
    uint32_t page_count;                                // of the bundle that was made last
    uint64_t compile_us, load_us;                       // how long that took
};

// The map descriptors are borrowed. Chooses the seed for the hashes of paths, when the state has none yet.
// Returns 0 or -errno.
int wall_kernel_policy_init(struct wall_kernel_policy *kernel, struct wall_state *state, int policy_fd, int apps_fd);
void wall_kernel_policy_done(struct wall_kernel_policy *kernel);

struct wall_kernel_policy_options {
    bool (*callout_registered)(void *context, uint32_t callout_id);  // NULL: all are
    void *context;
    bool everything;  // the connect layers get tables also without filters, so that their decisions are told
};

// Reads a filter that the next policy may have.
void wall_kernel_policy_expect(struct wall_kernel_policy *kernel, uint16_t layer_id, const struct wall_filter *filter);
// Compiles what has changed and brings it into the kernel, not yet in force; wall_kernel_policy_switch() must follow a
// success. Returns 0, or -errno with nothing changed: the policy in force stays.
int wall_kernel_policy_prepare(struct wall_kernel_policy *kernel, const struct wall_policy *policy,
                               const struct wall_kernel_policy_options *options, struct wall_policy_needs *ret_needs,
                               struct wall_error *err);
// From here on every decision is made by what was prepared; or, without `commit`, it is thrown away.
void wall_kernel_policy_switch(struct wall_kernel_policy *kernel, bool commit);

// The WFP number of a layer, and back: WALL_LAYER_COUNT_ for one that the kernel does not know.
uint16_t wall_kernel_policy_layer_id(enum wall_layer layer);
enum wall_layer wall_kernel_policy_layer(uint16_t layer_id);
