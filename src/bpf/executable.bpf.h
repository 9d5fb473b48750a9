// Which program makes a socket call: its executable, and the number of its app id.
//
// The app id is the executable's path as the kernel knows it at the call. It is walked and looked up once for each
// executable at each place; after that the place is recognised by what it is made of, which costs some loads.
#pragma once

#include "log.bpf.h"
#include "owner.bpf.h"
#include "wire/path_hash.bpf.h"

struct executable {
    uint64_t id;
    uint32_t app;
};

struct path_hashing {
    const struct wall_flow_facts *facts;
    struct wall_path_hash hash;
};

static long path_hash_step(uint32_t step, void *context)
{
    struct path_hashing *hashing = context;
    uint64_t bytes = 0;
    uint32_t at = hashing->facts->path_start + 8 * step;
    if (at >= WALL_PATH_MAX)
        return 1;
    // Behind the text there are zeros.
    bpf_probe_read_kernel(&bytes, sizeof(bytes), &hashing->facts->path[at & (WALL_PATH_MAX - 1)]);
    wall_path_hash_add(&hashing->hash, bytes);
    return 0;
}

// The number of the app id that the path in `of` is.
static __noinline uint32_t app_of_path(const struct wall_state *at, const struct wall_flow_facts *of)
{
    if (!of)
        return WALL_APP_OTHER;
    struct path_hashing hashing = { .facts = of };
    uint64_t seed[2] = { at->path_seed[0], at->path_seed[1] };
    wall_path_hash_begin(&hashing.hash, seed, WALL_PATH_MAX - of->path_start);
    bpf_loop(WALL_PATH_MAX / 8, path_hash_step, &hashing, 0);
    uint32_t *number = bpf_map_lookup_elem(&apps, &hashing.hash);
    return number ? *number : WALL_APP_OTHER;
}

// The executable of the current task (place.bpf.h). Returns 0 when it cannot be told: then nothing may be decided
// by it.
extern int executable_find(struct executable *ret_executable);
// The same, of one that this CPU has found lately. Returns 0 when it has to be looked for.
extern int executable_near(struct executable *ret_executable);
