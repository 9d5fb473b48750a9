#include "datapath/fake/fake.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/map.h"
#include "engine/engine.h"

struct fake_notice {
    struct fake_notice *next;
    struct wall_flow flow;
    uint64_t ended;  // a handle: the end of a flow instead
};

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
    struct fake_notice *notices, **last_notice;
    struct wall_map live;  // handles that a notice told of, as struct fake_notice
    struct wall_fake_deeds deeds;
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
    wall_map_init(&datapath->live, seed);
    datapath->last_notice = &datapath->notices;
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
    cursor = 0;
    for (struct fake_notice *live; (live = wall_map_next(&datapath->live, &cursor));)
        free(live);
    wall_map_done(&datapath->live);
    while (datapath->notices) {
        struct fake_notice *next = datapath->notices->next;
        free(datapath->notices);
        datapath->notices = next;
    }
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

static int add_notice(struct wall_datapath *datapath, const struct fake_notice *given)
{
    struct fake_notice *notice = malloc(sizeof(*notice));
    if (!notice)
        return -ENOMEM;
    *notice = *given;
    notice->next = NULL;
    *datapath->last_notice = notice;
    datapath->last_notice = &notice->next;
    eventfd_write(datapath->wake_fd, 1);
    return 0;
}

int wall_fake_notice(struct wall_datapath *datapath, const struct wall_flow *flow)
{
    return add_notice(datapath, &(struct fake_notice){.flow = *flow});
}

int wall_fake_end(struct wall_datapath *datapath, uint64_t handle)
{
    return add_notice(datapath, &(struct fake_notice){.ended = handle});
}

const struct wall_fake_deeds *wall_fake_deeds(const struct wall_datapath *datapath)
{
    return &datapath->deeds;
}

static void tell_notice(struct wall_datapath *datapath, struct fake_notice *notice)
{
    uint64_t handle = notice->ended ? notice->ended : notice->flow.handle;
    const struct wall_datapath_events *events = &datapath->events;
    if (notice->ended) {
        free(wall_map_remove(&datapath->live, &handle, sizeof(handle)));
        if (events->flow_ended)
            events->flow_ended(events->context, handle);
        free(notice);
        return;
    }
    bool known = wall_map_put(&datapath->live, &notice->flow.handle, sizeof(handle), notice) < 0;
    if (events->flow_noticed)
        events->flow_noticed(events->context, &notice->flow);
    if (known)
        free(notice);
}

int wall_datapath_dispatch(struct wall_datapath *datapath)
{
    eventfd_t wakes;
    eventfd_read(datapath->wake_fd, &wakes);
    size_t cursor = 0;
    for (struct fake_flow *held; (held = wall_map_next(&datapath->flows, &cursor));)
        tell(datapath, held);
    while (datapath->notices) {
        struct fake_notice *notice = datapath->notices;
        if (!(datapath->notices = notice->next))
            datapath->last_notice = &datapath->notices;
        tell_notice(datapath, notice);
    }
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

void wall_datapath_expect(struct wall_datapath *datapath, uint16_t layer_id, const struct wall_filter *filter)
{
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

int wall_datapath_redirect(struct wall_datapath *datapath, const struct wall_flow *flow, struct wall_error *err)
{
    if (flow->redirected && flow->remote_port == 0)
        return wall_error_set(err, -EOPNOTSUPP, "no port");
    int r = wall_datapath_decide(datapath, flow->id, WALL_FLOW_PERMIT);
    if (r < 0)
        return wall_error_set(err, r, "no such flow");
    datapath->deeds.redirections++;
    datapath->deeds.redirect_port = flow->remote_port;
    memcpy(datapath->deeds.redirect_address, flow->remote_address, flow->family == AF_INET ? 4 : 16);
    return 0;
}

void wall_datapath_get_stats(struct wall_datapath *datapath, struct wall_datapath_stats *ret_stats)
{
    *ret_stats = datapath->stats;
}

void wall_datapath_noticed(struct wall_datapath *datapath, uint64_t handle)
{
    datapath->deeds.noticed++;
}

int wall_datapath_abort(struct wall_datapath *datapath, uint64_t handle)
{
    if (!wall_map_get(&datapath->live, &handle, sizeof(handle)))
        return -ENOENT;
    datapath->deeds.aborts++;
    datapath->deeds.aborted = handle;
    return 0;
}

int wall_datapath_inject(struct wall_datapath *datapath, const struct wall_injection *injection)
{
    if (!injection->packet_bytes || (injection->packet[0] >> 4 != 4 && injection->packet[0] >> 4 != 6))
        return -EINVAL;
    struct wall_fake_deeds *deeds = &datapath->deeds;
    deeds->injections++;
    deeds->injection = *injection;
    deeds->injection.packet = NULL;
    memcpy(deeds->packet, injection->packet,
           injection->packet_bytes < sizeof(deeds->packet) ? injection->packet_bytes : sizeof(deeds->packet));
    return 0;
}

int wall_datapath_log_permits(struct wall_datapath *datapath, bool log_permits, struct wall_error *err)
{
    return 0;
}

const struct wall_compiled *wall_datapath_compiled(const struct wall_datapath *datapath, uint16_t layer_id)
{
    return NULL;
}
