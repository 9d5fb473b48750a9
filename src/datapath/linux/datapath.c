#include "datapath/datapath.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "datapath/linux/cutter.h"
#include "datapath/linux/environment.h"
#include "datapath/linux/instance.h"
#include "datapath/linux/packet.h"
#include "datapath/linux/survey.h"
#include "engine/engine.h"
#include "engine/policy.h"
#include "wire/tables.bpf.h"

// Defaults of struct wall_datapath_config. One element of `facts` takes 4.6 KB, one of `flows` 0.1 KB.
#define FLOWS_MAX 65536u
#define HELD_MAX 16384u
#define RING_BYTES (4u << 20)  // 60 of the largest packets, or 13,000 SYNs
#define CAPTURED_BYTES (16u << 20)
#define IDLE_MS 60000u         // what WFP does
#define QUEUE_PACKETS 32u      // datagrams of one held flow: what a client sends before it wants an answer
#define QUEUE_BYTES (128u << 10)

// Layers whose live flows are judged again when the policy has changed.
#define REAUTHORIZED                                                                      \
    (WALL_LAYERS(WALL_LAYER_CONNECT_V4) | WALL_LAYERS(WALL_LAYER_ACCEPT_V4) |             \
     WALL_LAYERS(WALL_LAYER_LISTEN_V4))

#define RECORDS_PER_DISPATCH 512u  // then the caller's other work gets its turn
#define RECORDS_ALL UINT32_MAX
#define LOG_RECORDS_PER_DISPATCH 8192u  // more than the log holds at once
#define TICK_MS 1000
#define EXPIRE_TICKS 5  // expiring asks the kernel about every decided flow; the programs know the exact time anyway
#define QUIET_TICKS 2  // a hook that began before the policy was emptied has long ended then

static uint32_t or_default(uint32_t value, uint32_t standard)
{
    return value ? value : standard;
}

static int watch(int epoll_fd, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_descriptors(struct wall_datapath *datapath, struct wall_error *err)
{
    datapath->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    datapath->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    datapath->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    datapath->log_timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (datapath->epoll_fd < 0 || datapath->timer_fd < 0 || datapath->wake_fd < 0 || datapath->log_timer_fd < 0)
        return wall_error_set(err, -errno, "no descriptors for the datapath: %s", strerror(errno));
    int r = watch(datapath->epoll_fd, datapath->timer_fd);
    r = r ? r : watch(datapath->epoll_fd, datapath->log_timer_fd);
    r = r ? r : watch(datapath->epoll_fd, datapath->wake_fd);
    return r ? wall_error_set(err, r, "the datapath's descriptors cannot be watched: %s", strerror(-r)) : 0;
}

// Maps what the programs write to. Only while hooks are attached: the rings are most of what an idle service would
// hold.
static int open_rings(struct wall_datapath *datapath, struct wall_error *err)
{
    if (datapath->ring)
        return 0;
    datapath->ring = ring_buffer__new(datapath->hooks.events_fd, wall_flows_record, datapath, NULL);
    int r = datapath->ring ? watch(datapath->epoll_fd, ring_buffer__epoll_fd(datapath->ring)) : -errno;
    r = r ? r : wall_log_open(&datapath->log, datapath->hooks.log_fd);
    r = r ? r : watch(datapath->epoll_fd, wall_log_fd(&datapath->log));
    return r ? wall_error_set(err, r, "the rings of events cannot be mapped: %s", strerror(-r)) : 0;
}

static void close_rings(struct wall_datapath *datapath)
{
    ring_buffer__free(datapath->ring);
    datapath->ring = NULL;
    wall_log_close(&datapath->log);
}

static int set_limits(struct wall_state *state, const struct wall_datapath_config *config)
{
    state->queue_packets_max = QUEUE_PACKETS;
    state->queue_bytes_max = QUEUE_BYTES;
    state->captured_bytes_max = or_default(config->captured_bytes, CAPTURED_BYTES);
    state->inbound_flows_max = or_default(config->flows_max, FLOWS_MAX) / 2;
    state->idle_ns = (uint64_t)or_default(config->idle_ms, IDLE_MS) * 1000000;
    int r = 0;
    while (r == 0 && !state->pass_mark)
        r = wall_random_bytes(&state->pass_mark, sizeof(state->pass_mark));
    return r;
}

static void set_timer(int timer_fd, uint32_t interval_ms)
{
    const struct timespec interval = { interval_ms / 1000, interval_ms % 1000 * 1000000l };
    const struct itimerspec when = { interval, interval };
    timerfd_settime(timer_fd, 0, &when, NULL);
}

static void set_ticking(struct wall_datapath *datapath, bool ticking)
{
    if (datapath->ticking == ticking)
        return;
    datapath->ticking = ticking;
    datapath->quiet_ticks = 0;
    set_timer(datapath->timer_fd, ticking ? TICK_MS : 0);
}

static void set_log_ticking(struct wall_datapath *datapath, bool ticking)
{
    if (datapath->log_ticking == ticking)
        return;
    datapath->log_ticking = ticking;
    set_timer(datapath->log_timer_fd, ticking ? WALL_LOG_TICK_MS : 0);
}

// Reads what the ring holds. Returns 0 or -errno.
static int consume(struct wall_datapath *datapath, uint32_t budget)
{
    datapath->budget = budget;
    int r = datapath->ring ? ring_buffer__consume(datapath->ring) : 0;
    wall_flows_sweep_releases(datapath);
    return r < 0 && r != -EAGAIN ? r : 0;
}

static void adopt(struct wall_datapath *datapath)
{
    struct wall_state *state = datapath->hooks.state;
    datapath->adopting = true;
    wall_flows_adopt(datapath);
    wall_redirects_adopt(datapath);
    wall_rebindings_adopt(datapath);
    datapath->translators.is_attached = wall_pins_contain(&datapath->pins, "redirect_guard");
    consume(datapath, RECORDS_ALL);
    datapath->adopting = false;
    // What the instance before had captured and not yet let go of is lost with its memory.
    __atomic_store_n(&state->captured_bytes, datapath->table.captured_bytes, __ATOMIC_RELAXED);
    wall_flows_ask_again(datapath);
    datapath->layers = ~0u;  // until the policy is known
    set_ticking(datapath, true);
    if (datapath->unreported)
        eventfd_write(datapath->wake_fd, 1);
}

static int start(struct wall_datapath *datapath, const struct wall_datapath_config *config, struct wall_error *err)
{
    struct wall_hooks_config hooks = {
        .btf_path = config->btf_path,
        .flows_max = or_default(config->flows_max, FLOWS_MAX),
        .facts_max = or_default(config->held_max, HELD_MAX),
        .ring_bytes = or_default(config->ring_bytes, RING_BYTES),
    };
    int r = wall_environment_check(config->btf_path, err);
    r = r ? r : wall_environment_open_cgroup(config->cgroup_path, &datapath->cgroup_fd, err);
    r = r ? r : wall_pins_open(config->pin_path, &datapath->pins, err);
    hooks.cgroup_fd = datapath->cgroup_fd;
    r = r ? r : wall_hooks_open(&hooks, &datapath->pins, &datapath->hooks, err);
    if (r < 0)
        return r;
    r = wall_namespaces_init(&datapath->namespaces, datapath->hooks.injectors_fd);
    if (r < 0)
        return wall_error_set(err, r, "the network namespace of this process cannot be read: %s", strerror(-r));
    r = wall_kernel_policy_init(&datapath->kernel_policy, datapath->hooks.state, datapath->hooks.policy_fd,
                                datapath->hooks.apps_fd);
    if (r < 0)
        return wall_error_set(err, r, "the policy's tables cannot be set up: %s", strerror(-r));
    wall_log_init(&datapath->log, datapath->hooks.state, datapath->hooks.executables_fd, datapath->hooks.denials_fd,
                  &datapath->events);
    r = open_descriptors(datapath, err);
    if (r < 0)
        return r;
    r = set_limits(datapath->hooks.state, config);
    if (r < 0)
        return wall_error_set(err, r, "no randomness for the mark of packets: %s", strerror(-r));
    if (!datapath->hooks.adopted)
        return 0;
    r = open_rings(datapath, err);
    if (r == 0)
        adopt(datapath);
    return r;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

// Frees all but the lock on the pins.
static void release(struct wall_datapath *datapath)
{
    wall_flows_done(datapath);
    wall_translators_done(datapath);
    if (datapath->hooks.state) {
        wall_namespaces_done(&datapath->namespaces);
        close_rings(datapath);
        wall_log_done(&datapath->log);
        wall_kernel_policy_done(&datapath->kernel_policy);
        wall_hooks_close(&datapath->hooks);
    }
    if (datapath->policy)
        wall_policy_unref(datapath->policy);
    close_fd(&datapath->cgroup_fd);
    close_fd(&datapath->epoll_fd);
    close_fd(&datapath->timer_fd);
    close_fd(&datapath->log_timer_fd);
    close_fd(&datapath->wake_fd);
    free(datapath->facts);
}

int wall_datapath_open(const struct wall_datapath_config *config, struct wall_datapath **ret_datapath,
                       struct wall_error *err)
{
    struct wall_datapath *datapath = calloc(1, sizeof(*datapath));
    struct wall_flow_facts *facts = calloc(1, sizeof(*facts));
    if (!datapath || !facts) {
        free(datapath);
        free(facts);
        return wall_error_set(err, -ENOMEM, "no memory for the datapath");
    }
    datapath->events = config->events;
    datapath->facts = facts;
    datapath->pins.lock_fd = datapath->cgroup_fd = datapath->epoll_fd = datapath->timer_fd = -1;
    datapath->log_timer_fd = datapath->wake_fd = -1;
    datapath->namespaces.own_fd = -1;
    wall_held_init(&datapath->table);
    wall_held_init(&datapath->live);
    wall_notices_init(datapath);
    wall_translators_init(&datapath->translators);
    int r = start(datapath, config, err);
    if (r < 0) {
        // A start that made the pins takes them away; what another instance left stays, and keeps refusing.
        bool ours = datapath->pins.lock_fd >= 0 && !datapath->hooks.adopted && !wall_pins_contain(&datapath->pins,
                                                                                             "map_state");
        release(datapath);
        if (ours)
            wall_pins_remove(&datapath->pins, NULL);
        wall_pins_close(&datapath->pins);
        free(datapath);
        return r;
    }
    *ret_datapath = datapath;
    return 0;
}

void wall_datapath_close(struct wall_datapath *datapath)
{
    if (!datapath)
        return;
    release(datapath);
    wall_pins_close(&datapath->pins);
    free(datapath);
}

int wall_datapath_remove(struct wall_datapath *datapath, struct wall_error *err)
{
    wall_hooks_detach_calls(&datapath->hooks, 0);
    wall_flows_adopt(datapath);  // those the ring had no place for
    consume(datapath, RECORDS_ALL);
    wall_flows_refuse_all(datapath);
    wall_redirects_abort_all(datapath);
    wall_hooks_detach_rest(&datapath->hooks, 0);
    release(datapath);
    int r = wall_pins_remove(&datapath->pins, err);
    wall_pins_close(&datapath->pins);
    free(datapath);
    return r;
}

int wall_datapath_discard(const char *pin_path, struct wall_error *err)
{
    struct wall_pins pins;
    if (access(pin_path, F_OK))
        return 0;
    int r = wall_pins_open(pin_path, &pins, err);
    if (r < 0)
        return r;
    r = wall_pins_remove(&pins, err);
    wall_pins_close(&pins);
    return r;
}

int wall_datapath_fd(const struct wall_datapath *datapath)
{
    return datapath->epoll_fd;
}

// Whether there is something to look after from time to time.
static bool has_work(const struct wall_datapath *datapath)
{
    return datapath->survey_due || datapath->table.by_id.count > 0 || datapath->live.by_id.count > 0 ||
           datapath->namespaces.idle_count > 0 || datapath->translators.is_attached ||
           wall_hooks_attached(&datapath->hooks, datapath->layers);
}

static void cut(void *context, const struct wall_survey_socket *sockets, uint32_t count)
{
    wall_cutter_add(context, sockets, count);
}

// Judges live flows by the policy that is now in force. What cannot be done now is tried again with the next tick.
static void survey(struct wall_datapath *datapath)
{
    struct wall_cutter *cutter = datapath->survey_due ? wall_cutter_new(&datapath->namespaces) : NULL;
    if (!cutter)
        return;
    if (wall_survey_flows(&datapath->hooks, cut, cutter, NULL) == 0)
        datapath->survey_due = false;
    datapath->stats.flows_blocked += wall_cutter_finish(cutter);
}

// The programs at interfaces stay as long as there is anything to translate.
static void look_after_translations(struct wall_datapath *datapath)
{
    wall_redirects_expire(datapath);
    wall_rebindings_expire(datapath);
    bool is_needed = datapath->redirects.count || datapath->rebindings.changed;
    if (is_needed)
        wall_translators_refresh(datapath);
    else if (datapath->translators.is_attached)
        wall_translators_detach(datapath);
}

static void tick(struct wall_datapath *datapath)
{
    survey(datapath);
    if (++datapath->expire_ticks >= EXPIRE_TICKS) {
        datapath->expire_ticks = 0;
        wall_flows_expire(datapath);
        look_after_translations(datapath);
        wall_namespaces_trim(&datapath->namespaces);
    }
    if (!wall_hooks_attached(&datapath->hooks, datapath->layers)) {
        set_ticking(datapath, has_work(datapath));
        if (!datapath->layers && !datapath->ticking && !datapath->log_ticking)
            close_rings(datapath);
        return;
    }
    bool is_needed = datapath->rebindings.changed ||  // where the socket's program put it, packets are refused
                     !wall_flows_none(datapath, datapath->layers & WALL_LAYERS_KEEP);
    if (is_needed)
        datapath->quiet_ticks = 0;
    else if (++datapath->quiet_ticks >= QUIET_TICKS)
        wall_hooks_detach_rest(&datapath->hooks, datapath->layers);
}

int wall_datapath_dispatch(struct wall_datapath *datapath)
{
    uint64_t count;
    if (read(datapath->wake_fd, &count, sizeof(count)) == sizeof(count) && datapath->unreported)
        wall_flows_report(datapath);
    int r = consume(datapath, RECORDS_PER_DISPATCH);
    if (has_work(datapath))
        set_ticking(datapath, true);
    if (read(datapath->timer_fd, &count, sizeof(count)) == sizeof(count))
        tick(datapath);
    if (read(datapath->log_timer_fd, &count, sizeof(count)) == sizeof(count))
        set_log_ticking(datapath, wall_log_tick(&datapath->log, LOG_RECORDS_PER_DISPATCH));
    else if (wall_log_read(&datapath->log, LOG_RECORDS_PER_DISPATCH))
        set_log_ticking(datapath, true);
    return r;
}

static int enforce(struct wall_datapath *datapath, const struct wall_policy *policy, struct wall_error *err)
{
    const struct wall_kernel_policy_options options = {
        .callout_registered = datapath->events.callout_registered,
        .context = datapath->events.context,
        .everything = datapath->log_permits,
    };
    struct wall_policy_needs needs;
    int r = wall_kernel_policy_prepare(&datapath->kernel_policy, policy, &options, &needs, err);
    if (r < 0)
        return r;
    uint32_t layers = needs.layers;
    layers |= needs.holds ? WALL_LAYERS_KEEP : 0;
    layers |= needs.packets ? WALL_LAYERS_PACKETS : 0;
    // Before the new policy can hold a flow, its packets can be kept back.
    r = layers ? open_rings(datapath, err) : 0;
    r = r < 0 ? r : wall_hooks_attach(&datapath->hooks, layers, err);
    wall_kernel_policy_switch(&datapath->kernel_policy, r == 0);
    if (r < 0)
        return r;
    datapath->layers = layers;
    datapath->quiet_ticks = 0;
    wall_hooks_detach_calls(&datapath->hooks, layers);
    return 0;
}

int wall_datapath_set_policy(struct wall_datapath *datapath, struct wall_policy *policy, struct wall_error *err)
{
    int r = enforce(datapath, policy, err);
    if (r < 0)
        return r;
    struct wall_policy *old = datapath->policy;
    datapath->policy = wall_policy_ref(policy);
    if (old)
        wall_policy_unref(old);
    datapath->survey_due = datapath->layers & REAUTHORIZED;
    survey(datapath);
    set_ticking(datapath, has_work(datapath));
    return 0;
}

void wall_datapath_expect(struct wall_datapath *datapath, uint16_t layer_id, const struct wall_filter *filter)
{
    wall_kernel_policy_expect(&datapath->kernel_policy, layer_id, filter);
}

int wall_datapath_log_permits(struct wall_datapath *datapath, bool log_permits, struct wall_error *err)
{
    if (datapath->log_permits == log_permits)
        return 0;
    datapath->log_permits = log_permits;
    int r = datapath->policy ? enforce(datapath, datapath->policy, err) : 0;
    if (r < 0)
        datapath->log_permits = !log_permits;
    __atomic_store_n(&datapath->hooks.state->log_permits, datapath->log_permits, __ATOMIC_RELEASE);
    return r;
}

const struct wall_compiled *wall_datapath_compiled(const struct wall_datapath *datapath, uint16_t layer_id)
{
    enum wall_layer layer = wall_kernel_policy_layer(layer_id);
    return layer < WALL_LAYER_COUNT_ ? datapath->kernel_policy.compiled[layer] : NULL;
}

void wall_datapath_get_stats(struct wall_datapath *datapath, struct wall_datapath_stats *ret_stats)
{
    const struct wall_hooks *hooks = &datapath->hooks;
    struct wall_datapath_stats stats = datapath->stats;
    stats.flows_held_now = datapath->table.held_count;
    stats.flows_permitted += wall_hooks_counter(hooks, WALL_COUNTER_PERMITTED);
    stats.flows_blocked += wall_hooks_counter(hooks, WALL_COUNTER_BLOCKED);
    stats.flows_seen = stats.flows_permitted + stats.flows_blocked + stats.flows_held_now + stats.flows_gone;
    stats.events_lost = wall_hooks_counter(hooks, WALL_COUNTER_LOG_LOST) +
                        wall_hooks_counter(hooks, WALL_COUNTER_UNNOTICED);
    stats.table_bytes = (uint64_t)datapath->kernel_policy.page_count * WALL_PAGE_BYTES;
    stats.compile_us = datapath->kernel_policy.compile_us;
    stats.load_us = datapath->kernel_policy.load_us;
    stats.fail_closed = wall_hooks_counter(hooks, WALL_COUNTER_FAIL_CLOSED);
    stats.packets_dropped = wall_hooks_counter(hooks, WALL_COUNTER_OVERFLOW);
    *ret_stats = stats;
}

int wall_datapath_inject(struct wall_datapath *datapath, const struct wall_injection *injection)
{
    uint8_t destination[16];
    if (!wall_packet_destination(injection->packet, injection->packet_bytes, destination))
        return -EINVAL;
    struct wall_namespace *ns = wall_namespace_find(&datapath->namespaces, injection->netns_cookie);
    if (!ns)
        return -ENOENT;
    // Both ways it leaves through a raw socket, which the programs know; one that is received comes back by the
    // loopback interface, where they know it by its mark.
    struct wall_route route = {
        .interface_index = injection->interface_index,
        .bound_interface = injection->receive ? 0 : injection->interface_index,
        .mark = injection->receive ? datapath->hooks.state->pass_mark : 0,
    };
    int r = wall_packet_send(&datapath->namespaces, ns, injection->packet, injection->packet_bytes, &route);
    wall_namespace_unref(&datapath->namespaces, ns);
    return r == -EBADMSG ? -EINVAL : r;
}
