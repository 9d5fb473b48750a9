// A datapath on strings: opens one, prints what it reports, and obeys commands, a line each.
//
//   datapath-driver discard PINS
//   datapath-driver CGROUP PINS [ring=BYTES] [flows=N] [held=N] [captured=BYTES] [idle=MS] [btf=PATH]
//
// Commands: `policy MODE` (empty, hold, permit, block), `permit ID`, `block ID`, `stats`, `close`, `remove`.
// With `auto=permit` or `auto=block` every flow is answered inside the callback.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "datapath/datapath.h"
#include "engine/policy.h"
#include "fwpslayers.h"
#include "fwptypes.h"

static struct wall_datapath *datapath;
static const char *automatic;

// A policy of one filter at both layers, or of none: all the datapath asks of one.
static struct wall_filter filter = { .id = 1 };
static const struct wall_filter *const filters[] = { &filter };
static const struct wall_policy_sublayer sublayer = { .filter_count = 1, .filters = filters };
static struct wall_policy_layer layers[] = {
    { .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V4, .sublayers = &sublayer },
    { .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V6, .sublayers = &sublayer },
};

const struct wall_policy_layer *wall_policy_layer(const struct wall_policy *policy, uint16_t layer_id)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (layers[i].layer_id == layer_id)
            return &layers[i];
    return NULL;
}

struct wall_policy *wall_policy_ref(struct wall_policy *policy)
{
    return policy;
}

void wall_policy_unref(struct wall_policy *policy)
{
}

static bool choose_policy(const char *mode)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        layers[i].generation++;
        layers[i].sublayer_count = layers[i].filter_count = strcmp(mode, "empty") != 0;
        layers[i].callout_filter_count = strcmp(mode, "hold") == 0;
    }
    filter.action = !strcmp(mode, "permit") ? FWP_ACTION_PERMIT :
                    !strcmp(mode, "block") ? FWP_ACTION_BLOCK : FWP_ACTION_CALLOUT_TERMINATING;
    return wall_datapath_set_policy(datapath, (struct wall_policy *)layers, NULL) == 0;
}

static void print_address(const char *name, const struct wall_flow *flow, const uint8_t *address, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(flow->family, address, text, sizeof(text));
    printf(" %s=%s %s_port=%u", name, text, name, port);
}

static void print_held(void *context, const struct wall_flow *flow)
{
    printf("held id=%llu layer=%u protocol=%u irql=%u adopted=%d pid=%u tid=%u uid=%u gid=%u",
           (unsigned long long)flow->id, flow->layer_id, flow->protocol, flow->irql, flow->adopted, flow->process_id,
           flow->thread_id, flow->user_id, flow->group_id);
    print_address("local", flow, flow->local_address, flow->local_port);
    print_address("remote", flow, flow->remote_address, flow->remote_port);
    printf(" cgroup=%llu inode=%llu device=%u interface=%u packet=%zu truncated=%d comm=%s path=%s\n",
           (unsigned long long)flow->cgroup_id, (unsigned long long)flow->executable_inode, flow->executable_device,
           flow->interface_index, flow->packet_bytes, flow->executable_path_truncated, flow->process_name,
           flow->executable_path);
    if (automatic)
        wall_datapath_decide(datapath, flow->id, !strcmp(automatic, "permit") ? WALL_FLOW_PERMIT : WALL_FLOW_BLOCK);
}

static void print_gone(void *context, uint64_t flow_id)
{
    printf("gone id=%llu\n", (unsigned long long)flow_id);
}

static void print_stats(void)
{
    struct wall_datapath_stats stats;
    wall_datapath_get_stats(datapath, &stats);
    printf("stats seen=%llu held=%llu permitted=%llu blocked=%llu gone=%llu fail_closed=%llu dropped=%llu\n",
           (unsigned long long)stats.flows_seen, (unsigned long long)stats.flows_held_now,
           (unsigned long long)stats.flows_permitted, (unsigned long long)stats.flows_blocked,
           (unsigned long long)stats.flows_gone, (unsigned long long)stats.fail_closed,
           (unsigned long long)stats.packets_dropped);
}

// Returns false when the datapath has been closed.
static bool obey(char *line)
{
    struct wall_error err = { 0 };
    char *argument = strchr(line, ' ');
    if (argument)
        *argument++ = '\0';
    int r = 0;
    if (!strcmp(line, "policy"))
        r = choose_policy(argument) ? 0 : -EIO;
    else if (!strcmp(line, "permit") || !strcmp(line, "block"))
        r = wall_datapath_decide(datapath, strtoull(argument, NULL, 10),
                                 line[0] == 'p' ? WALL_FLOW_PERMIT : WALL_FLOW_BLOCK);
    else if (!strcmp(line, "stats"))
        print_stats();
    else if (!strcmp(line, "close"))
        wall_datapath_close(datapath);
    else if (!strcmp(line, "remove"))
        r = wall_datapath_remove(datapath, &err);
    printf("done %s %d %s\n", line, r, err.text);
    return strcmp(line, "close") && strcmp(line, "remove");
}

static bool read_commands(void)
{
    static char buffer[4096];
    static size_t length;
    ssize_t size = read(STDIN_FILENO, buffer + length, sizeof(buffer) - length - 1);
    if (size <= 0) {
        wall_datapath_close(datapath);
        return false;
    }
    length += (size_t)size;
    for (char *end; (end = memchr(buffer, '\n', length));) {
        *end = '\0';
        if (!obey(buffer))
            return false;
        length -= (size_t)(end + 1 - buffer);
        memmove(buffer, end + 1, length);
    }
    return true;
}

static void read_option(struct wall_datapath_config *config, const char *option)
{
    const char *value = strchr(option, '=') + 1;
    uint32_t number = (uint32_t)strtoul(value, NULL, 10);
    if (!strncmp(option, "ring=", 5))
        config->ring_bytes = number;
    else if (!strncmp(option, "flows=", 6))
        config->flows_max = number;
    else if (!strncmp(option, "held=", 5))
        config->held_max = number;
    else if (!strncmp(option, "captured=", 9))
        config->captured_bytes = number;
    else if (!strncmp(option, "idle=", 5))
        config->idle_ms = number;
    else if (!strncmp(option, "btf=", 4))
        config->btf_path = value;
    else if (!strncmp(option, "auto=", 5))
        automatic = value;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct wall_datapath_config config = {
        .cgroup_path = argc > 1 ? argv[1] : "", .pin_path = argc > 2 ? argv[2] : "",
        .events = { .flow_held = print_held, .flow_gone = print_gone },
    };
    for (int i = 3; i < argc; i++)
        read_option(&config, argv[i]);
    struct wall_error err = { 0 };
    if (argc > 2 && !strcmp(argv[1], "discard")) {
        int r = wall_datapath_discard(argv[2], &err);
        printf("discard %d %s\n", r, err.text);
        return r < 0;
    }
    int r = wall_datapath_open(&config, &datapath, &err);
    printf("open %d %s\n", r, err.text);
    if (r < 0)
        return 1;
    struct pollfd polled[2] = {
        { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = wall_datapath_fd(datapath), .events = POLLIN },
    };
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return 1;
        if (polled[1].revents)
            wall_datapath_dispatch(datapath);
        if (polled[0].revents && !read_commands())
            return 0;
    }
}
