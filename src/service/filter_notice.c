#include "service/filter_notice.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"

struct notice {
    uint64_t filter_id;
    uint32_t callout_id;
    const struct wall_session *adding;  // whose transaction is open; NULL once committed
};

int wall_filter_notices_init(struct wall_filter_notices *notices, struct wall_callouts *callouts)
{
    uint64_t seed[2] = {0};
    int r = wall_random_bytes(seed, sizeof(seed));
    notices->callouts = callouts;
    wall_map_init(&notices->by_filter, seed);
    return r;
}

void wall_filter_notices_done(struct wall_filter_notices *notices)
{
    size_t cursor = 0;
    struct notice *notice;
    while ((notice = wall_map_next(&notices->by_filter, &cursor))) {
        (void)wall_map_remove(&notices->by_filter, &notice->filter_id, sizeof(notice->filter_id));
        free(notice);
    }
    wall_map_done(&notices->by_filter);
}

int wall_filter_notices_add(struct wall_filter_notices *notices, uint64_t filter_id, uint32_t callout_id,
                            const struct wall_session *session)
{
    struct notice *notice = calloc(1, sizeof(*notice));
    if (!notice)
        return -ENOMEM;
    *notice = (struct notice){.filter_id = filter_id, .callout_id = callout_id, .adding = session};
    int r = wall_map_put(&notices->by_filter, &notice->filter_id, sizeof(notice->filter_id), notice);
    if (r < 0)
        free(notice);
    return r;
}

static void tell_deleted(struct wall_filter_notices *notices, struct notice *notice)
{
    struct wall_notify_request request = {
        .callout_id = notice->callout_id,
        .type = FWPS_CALLOUT_NOTIFY_DELETE_FILTER,
        .filter = {.filterId = notice->filter_id, .action = {.calloutId = notice->callout_id}},
    };
    (void)wall_map_remove(&notices->by_filter, &notice->filter_id, sizeof(notice->filter_id));
    (void)wall_callouts_notify(notices->callouts, 0, &request);  // its answer means nothing
    free(notice);
}

void wall_filter_notices_end(struct wall_filter_notices *notices, const struct wall_session *session, bool committed)
{
    size_t cursor = 0;
    struct notice *notice;
    while ((notice = wall_map_next(&notices->by_filter, &cursor))) {
        if (notice->adding != session)
            continue;
        if (committed)
            notice->adding = NULL;
        else
            tell_deleted(notices, notice);
    }
}

void wall_filter_notices_deleted(struct wall_filter_notices *notices, uint64_t filter_id)
{
    struct notice *notice = wall_map_get(&notices->by_filter, &filter_id, sizeof(filter_id));
    if (notice)
        tell_deleted(notices, notice);
}
