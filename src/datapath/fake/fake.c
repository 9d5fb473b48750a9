#include "datapath/fake/fake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/map.h"
#include "engine/engine.h"

struct fake_flow {
    struct wall_flow flow;
    bool reported, closed, decided;
    enum wall_flow_decision decision;
};

struct wall_datapath {
    struct wall_datapath_events events;
    struct wall_map flows;  // struct fake_flow by id
    struct wall_policy *policy;
    struct wall_datapath_stats stats;
    int wake_fd;
};

static struct wall_datapath *instance;
static int open_failure;

struct wall_datapath *wall_fake_datapath(void)
{
    return instance;
}

void wall_fake_fail_open(int code)
{
    open_failure = code;
}

int wall_datapath_open(const struct wall_datapath_config *config, struct wall_datapath **ret_datapath,
                       struct wall_error *err)
{
    static const uint64_t seed[2];
    int failure = open_failure;
    open_failure = 0;
    if (failure || instance)
        return wall_error_set(err, failure ? failure : -EBUSY, "the fake datapath was told to fail, or is open");
    struct wall_datapath *datapath = calloc(1, sizeof(*datapath));
    if (!datapath)
        return wall_error_set(err, -ENOMEM, "no memory for the datapath");
    datapath->events = config->events;
    datapath->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wall_map_init(&datapath->flows, seed);
    *ret_datapath = instance = datapath;
    return 0;
}

void wall_datapath_close(struct wall_datapath *datapath)
{
    if (!datapath)
        return;
    size_t cursor = 0;
    for (struct fake_flow *flow; (flow = wall_map_next(&datapath->flows, &cursor));)
        free(flow);
    wall_map_done(&datapath->flows);
    if (datapath->policy)
        wall_policy_unref(datapath->policy);
    close(datapath->wake_fd);
    free(datapath);
    instance = NULL;
}

int wall_datapath_remove(struct wall_datapath *datapath, struct wall_error *err)
{
    wall_datapath_close(datapath);
    return 0;
}

int wall_datapath_discard(const char *pin_path, struct wall_error *err)
{
    return 0;
}

int wall_datapath_fd(const struct wall_datapath *datapath)
{
    return datapath->wake_fd;
}

static struct fake_flow *find(const struct wall_datapath *datapath, uint64_t flow_id)
{
    return wall_map_get(&datapath->flows, &flow_id, sizeof(flow_id));
}

int wall_fake_hold(struct wall_datapath *datapath, const struct wall_flow *flow)
{
    struct fake_flow *held = calloc(1, sizeof(*held));
    if (!held)
        return -ENOMEM;
    held->flow = *flow;
    int r = wall_map_put(&datapath->flows, &held->flow.id, sizeof(held->flow.id), held);
    if (r < 0) {
        free(held);
        return r;
    }
    eventfd_write(datapath->wake_fd, 1);
    return 0;
}

int wall_fake_close(struct wall_datapath *datapath, uint64_t flow_id)
{
    struct fake_flow *held = find(datapath, flow_id);
    if (!held || held->decided || held->closed)
        return -ENOENT;
    held->closed = true;
    eventfd_write(datapath->wake_fd, 1);
    return 0;
}

bool wall_fake_decided(const struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision *ret_decision)
{
    const struct fake_flow *held = find(datapath, flow_id);
    if (!held || !held->decided)
        return false;
    *ret_decision = held->decision;
    return true;
}

struct wall_policy *wall_fake_policy(const struct wall_datapath *datapath)
{
    return datapath->policy;
}

static void tell(struct wall_datapath *datapath, struct fake_flow *held)
{
    if (!held->reported) {
        held->reported = true;
        datapath->stats.flows_seen++;
        datapath->stats.flows_held_now++;
        if (datapath->events.flow_held)
            datapath->events.flow_held(datapath->events.context, &held->flow);
    }
    if (!held->closed || held->decided)
        return;
    uint64_t flow_id = held->flow.id;
    datapath->stats.flows_held_now--;
    datapath->stats.flows_gone++;
    free(wall_map_remove(&datapath->flows, &flow_id, sizeof(flow_id)));
    if (datapath->events.flow_gone)
        datapath->events.flow_gone(datapath->events.context, flow_id);
}

int wall_datapath_dispatch(struct wall_datapath *datapath)
{
    eventfd_t wakes;
    eventfd_read(datapath->wake_fd, &wakes);
    size_t cursor = 0;
    for (struct fake_flow *held; (held = wall_map_next(&datapath->flows, &cursor));)
        tell(datapath, held);
    return 0;
}

int wall_datapath_set_policy(struct wall_datapath *datapath, struct wall_policy *policy, struct wall_error *err)
{
    struct wall_policy *old = datapath->policy;
    datapath->policy = wall_policy_ref(policy);
    if (old)
        wall_policy_unref(old);
    return 0;
}

int wall_datapath_decide(struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision decision)
{
    struct fake_flow *held = find(datapath, flow_id);
    if (!held || held->decided || held->closed || !held->reported)
        return -ENOENT;
    held->decided = true;
    held->decision = decision;
    datapath->stats.flows_held_now--;
    datapath->stats.flows_permitted += decision == WALL_FLOW_PERMIT;
    datapath->stats.flows_blocked += decision == WALL_FLOW_BLOCK;
    return 0;
}

void wall_datapath_get_stats(struct wall_datapath *datapath, struct wall_datapath_stats *ret_stats)
{
    *ret_stats = datapath->stats;
}

int wall_datapath_abort(struct wall_datapath *datapath, uint64_t handle)
{
    return -ENOENT;
}

int wall_datapath_inject(struct wall_datapath *datapath, const struct wall_injection *injection)
{
    return -ENOENT;
}

int wall_datapath_log_permits(struct wall_datapath *datapath, bool log_permits, struct wall_error *err)
{
    return 0;
}

const struct wall_compiled *wall_datapath_compiled(const struct wall_datapath *datapath, uint16_t layer_id)
{
    return NULL;
}
