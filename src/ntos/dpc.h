// Deferred procedure calls and timers: one thread of the library runs them, at DISPATCH_LEVEL.
#pragma once

#include <stdbool.h>

#include <wdm.h>

// Removes what is queued or set and belongs to the code within [start, end): DPCs by their routine, timers by their DPC
// or by who set them. Reports each, waits for a running one. Returns their number.
unsigned ntos_dpcs_sweep(const void *start, const void *end);
// Removes timers and queued DPCs whose storage lies within [start, end), which is about to be freed, and reports them.
void ntos_dpcs_freed(const void *start, const void *end);
