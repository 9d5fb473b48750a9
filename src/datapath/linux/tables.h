// Tables: compiled policies in the kernel, as maps that the programs decide by (wire/tables.bpf.h).
#pragma once

#include <stdint.h>

// A map of one bundle's kind, for the template of the ARRAY_OF_MAPS. Returns a descriptor or a negative errno.
int wall_tables_map_new(uint32_t page_count);

// Puts a bundle of `page_count` pages into a new map, and this map into element 0 of the ARRAY_OF_MAPS `policy_fd`:
// from then on every decision is made by it. The kernel keeps it; it goes when it is replaced.
// Returns 0 or a negative errno; then the policy is what it was. Cost: about 1 ms for 4 MiB, and a grace period of the
// kernel (5 to 20 ms), which begins when the policy already holds.
int wall_tables_load(int policy_fd, const void *pages, uint32_t page_count);
