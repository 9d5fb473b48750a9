// Bundle: the compiled layers of one policy, as the pages of one kernel map (wire/tables.bpf.h).
#pragma once

#include <stdint.h>

#include "compile/compile.h"

struct wall_bundle {
    const struct wall_compiled *const *layers;
    uint32_t layer_count;
    uint32_t page_count;  // pages of WALL_PAGE_BYTES that it takes
    uint64_t generation;
};

// Puts layers together: `layers[i]` becomes layer i of the bundle; NULL leaves it without tables. They are borrowed as
// long as the bundle is used.
// Returns 0, or -E2BIG when together they reach 1 GiB.
int wall_bundle_init(struct wall_bundle *bundle, const struct wall_compiled *const *layers, uint32_t count,
                     uint64_t generation);

// Writes it into page_count pages, which are zero. What is zero in the bundle is not touched: a page of memory that
// nobody has touched costs nothing.
void wall_bundle_write(const struct wall_bundle *bundle, void *pages);
