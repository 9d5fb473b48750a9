// Compile: the filters of one layer of a policy, as tables that the kernel decides by.
//
// A pure function: the same filters, app numbers and registrations give the same bytes. The tables are proven equal to
// the reference classifier (engine/classify.h): they permit or block only what it permits or blocks, by the same
// filter, and hold the rest.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/policy.h"

#include "compile/apps.h"
#include "compile/tables.h"
#include "compile/values.h"

// Tables of one layer may grow to this; what does not fit is left to user space (a block list of 1,350,000 addresses
// takes about 40 MiB).
#define WALL_COMPILE_LIMIT_BYTES ((size_t)256 << 20)

struct wall_readings;

struct wall_compile_options {
    struct wall_apps *apps;  // grows by the app ids that filters name
    struct wall_readings *readings;  // of the layer, with the same `apps`, kept for the next time; NULL: none are
    // Whether a callout is registered now. A filter of one that is not gets its final action in the tables, so that
    // they must be made anew when that changes. NULL: all are registered.
    bool (*callout_registered)(void *context, uint32_t callout_id);
    void *context;
    size_t limit_bytes;   // 0: WALL_COMPILE_LIMIT_BYTES
    uint64_t easy_bytes;  // see wall_plan_make(); 0: the usual size
};

enum wall_compiled_kind {
    WALL_COMPILED_DECIDES,       // permits or blocks in the kernel
    WALL_COMPILED_HOLDS,         // a callout must be asked: its match holds the flow
    WALL_COMPILED_UNREGISTERED,  // its callout is not registered: blocks, or permits, in the kernel
    WALL_COMPILED_IGNORED,       // an inspection callout that is not registered: does nothing
    WALL_COMPILED_NEVER,         // no value fulfils its conditions
    WALL_COMPILED_CUT,           // the tables are full: a flow that gets as far as this filter is held
};

// What became of one filter.
struct wall_compiled_filter {
    uint64_t id;
    enum wall_compiled_kind kind;
    enum wall_compile_reason reason;  // not NONE: only user space can tell whether it matches, because of …
    uint16_t field_id;                // … its conditions on this field (the first such)
    uint32_t needs;                   // the facts it asks for: bit per enum wall_dimension
};

struct wall_compiled {
    void *image;  // page_count pages of WALL_PAGE_BYTES: the contents of the layer's map
    uint32_t page_count;
    uint16_t layer_id;
    uint32_t filter_count;
    struct wall_compiled_filter *filters;  // in arbitration order
    struct wall_tables_layout layout;
};

// Compiles `layer`, which is only read during the call. Returns 0, or -ENOMEM. Never fails for what the filters ask.
int wall_compile_layer(const struct wall_policy_layer *layer, const struct wall_compile_options *options,
                       struct wall_compiled **ret_compiled);
void wall_compiled_free(struct wall_compiled *compiled);
