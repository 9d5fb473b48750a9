// Everything of one kind that the filter engine holds, fetched through the enumeration functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwptypes.h"

#include "base/shape.h"

enum wall_kind {
    WALL_KIND_PROVIDERS,
    WALL_KIND_SUBLAYERS,
    WALL_KIND_LAYERS,
    WALL_KIND_CALLOUTS,
    WALL_KIND_FILTERS,
    WALL_KIND_SESSIONS,
    WALL_KIND_NETEVENTS,
    WALL_KIND_COUNT_
};

struct wall_objects {
    const struct wall_shape *shape;  // FWPM_PROVIDER0 … FWPM_NET_EVENT5
    void **objects;
    size_t count;
    void **blocks;  // what FwpmFreeMemory0() releases
    size_t block_count;
};

extern const char *const wall_kind_names[];  // "providers" …; NULL-terminated

// Opens an engine session, a dynamic one if asked. Complains when that fails.
// Returns 0 or the exit code.
int wall_engine_open(bool dynamic, HANDLE *ret_engine);

// Returns a WFP status; on failure nothing has to be released.
uint32_t wall_objects_fetch(HANDLE engine, enum wall_kind kind, struct wall_objects *ret_objects);
void wall_objects_done(struct wall_objects *objects);

// A display name as UTF-8 for free(), "" when there is none; NULL when memory is short.
char *wall_display_name(const WCHAR *name);
