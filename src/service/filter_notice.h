// Filter notices: which callouts were told of which filter (notifyFn ADD_FILTER), so that they are told once, and of
// the same filters, that a filter is gone (DELETE_FILTER).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "service/callout.h"

struct wall_session;

struct wall_filter_notices {
    struct wall_callouts *callouts;
    struct wall_map by_filter;  // filter id → record
};

// Nobody has been told of anything yet. Returns 0 or a negative errno.
int wall_filter_notices_init(struct wall_filter_notices *notices, struct wall_callouts *callouts);
void wall_filter_notices_done(struct wall_filter_notices *notices);

// A callout accepted the filter that `session` added in its transaction. Returns 0 or -ENOMEM.
int wall_filter_notices_add(struct wall_filter_notices *notices, uint64_t filter_id, uint32_t callout_id,
                            const struct wall_session *session);
// `session` ended its transaction: the filters it added stay, or were never there.
void wall_filter_notices_end(struct wall_filter_notices *notices, const struct wall_session *session, bool committed);
// A commit deleted the filter.
void wall_filter_notices_deleted(struct wall_filter_notices *notices, uint64_t filter_id);
