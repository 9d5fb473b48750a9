// Pool memory and its accounts.
#pragma once

#include <wdm.h>

#include "ntos/ntos.h"

// What one driver may hold: far beyond any callout driver's need, far below what would hurt the host.
#define NTOS_POOL_BYTES_MAX (1ull << 30)

// An allocation on behalf of the code at `owner`, as ExAllocatePoolWithTag(NonPagedPool).
void *ntos_pool_allocate(SIZE_T size, ULONG tag, const void *owner);
// Reports the blocks allocated by code within [start, end) and frees them. Returns their number.
unsigned ntos_pool_sweep(const void *start, const void *end);
void ntos_pool_count(struct ntos_counters *ret_counters);
