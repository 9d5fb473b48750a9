// Bundle: the compiled layers of one policy, as the pages of one kernel map (wire/tables.bpf.h).
#pragma once

#include <stdint.h>

#include "compile/compile.h"

struct wall_bundle {
    void *pages;  // page_count pages of WALL_PAGE_BYTES
    uint32_t page_count;
};

// Puts layers together: `layers[i]` becomes layer i of the bundle; NULL leaves it without tables. They are only read
// during the call.
// Returns 0, -ENOMEM, or -E2BIG when together they reach 1 GiB.
int wall_bundle_new(const struct wall_compiled *const *layers, uint32_t count, uint64_t generation,
                    struct wall_bundle *ret_bundle);
// Releases the pages and leaves the bundle empty.
void wall_bundle_done(struct wall_bundle *bundle);
