// Work items: a few threads of the library run them, at PASSIVE_LEVEL.
#pragma once

#include <stdbool.h>

#include <wdm.h>

// Waits at most `timeout_ms` until no work item with a routine within [start, end) is queued or running, and reports
// the ones that remain, and work items not freed. Returns their number; `ret_running` tells of code that still runs.
unsigned ntos_work_sweep(const void *start, const void *end, uint32_t timeout_ms, bool *ret_running);
