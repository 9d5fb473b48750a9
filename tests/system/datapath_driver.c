// A datapath on strings: opens one, prints what it reports, and obeys commands, a line each.
//
//   datapath-driver discard PINS
//   datapath-driver CGROUP PINS [ring=BYTES] [flows=N] [held=N] [captured=BYTES] [idle=MS] [btf=PATH]
//
// Commands: `policy MODE` (empty, hold, permit, block: at the layer of connect), `policy LAYER=MODE,LAYER=MODE...`
// (`accept=MODE@PORT`: for one local port), `permit ID`, `block ID`, `abort HANDLE`, `stats`,
// `inject send|receive NETNS HEX`, `close`, `remove`.
// With `quiet=1` notices are only counted. With `auto=permit` or `auto=block` flows are answered inside the callback.
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
static bool quiet;

// A policy of one filter, or of none, at each of the layers: all the datapath asks of one. Both families have the same.
enum { CONNECT, ACCEPT, LISTEN, ASSIGNMENT, ESTABLISHED, CLOSURE, RELEASE, LAYER_COUNT };
static const struct {
    const char *name;
    uint16_t v4, v6;
} layers[LAYER_COUNT] = {
    [CONNECT] = { "connect", FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_LAYER_ALE_AUTH_CONNECT_V6 },
    [ACCEPT] = { "accept", FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6 },
    [LISTEN] = { "listen", FWPS_LAYER_ALE_AUTH_LISTEN_V4, FWPS_LAYER_ALE_AUTH_LISTEN_V6 },
    [ASSIGNMENT] = { "bind", FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6 },
    [ESTABLISHED] = { "established", FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6 },
    [CLOSURE] = { "closure", FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V4, FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V6 },
    [RELEASE] = { "release", FWPS_LAYER_ALE_RESOURCE_RELEASE_V4, FWPS_LAYER_ALE_RESOURCE_RELEASE_V6 },
};

static struct chosen {
    struct wall_condition condition;
    struct wall_filter filter;
    const struct wall_filter *filters[1];
    struct wall_policy_sublayer sublayer;
    struct wall_policy_layer layers[2];  // V4, V6
} chosen[LAYER_COUNT];
static uint64_t generation;

static int find_layer(uint16_t id)
{
    int i = 0;
    while (i < LAYER_COUNT && layers[i].v4 != id && layers[i].v6 != id)
        i++;
    return i;
}

const struct wall_policy_layer *wall_policy_layer(const struct wall_policy *policy, uint16_t layer_id)
{
    int found = find_layer(layer_id);
    return found < LAYER_COUNT ? &chosen[found].layers[layers[found].v6 == layer_id] : NULL;
}

struct wall_policy *wall_policy_ref(struct wall_policy *policy)
{
    return policy;
}

void wall_policy_unref(struct wall_policy *policy)
{
}

static uint32_t action_of(const char *mode)
{
    if (!strncmp(mode, "permit", 6))
        return FWP_ACTION_PERMIT;
    return strncmp(mode, "block", 5) ? FWP_ACTION_CALLOUT_TERMINATING : FWP_ACTION_BLOCK;
}

static void choose(int layer, const char *mode)
{
    struct chosen *at = &chosen[layer];
    const char *port = strchr(mode, '@');
    bool is_empty = !strcmp(mode, "empty");
    at->condition = (struct wall_condition){
        .field_id = FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_PORT,  // of the same number in both families
        .match_type = FWP_MATCH_EQUAL,
        .value = { .type = FWP_UINT16, .uint16 = port ? (uint16_t)strtoul(port + 1, NULL, 10) : 0 },
    };
    at->filter = (struct wall_filter){
        .id = 1 + (uint64_t)layer,
        .action = action_of(mode),
        .condition_count = port != NULL,
        .conditions = &at->condition,
    };
    at->filters[0] = &at->filter;
    at->sublayer = (struct wall_policy_sublayer){ .filter_count = 1, .filters = at->filters };
    for (int family = 0; family < 2; family++)
        at->layers[family] = (struct wall_policy_layer){
            .layer_id = family ? layers[layer].v6 : layers[layer].v4,
            .generation = generation,
            .sublayers = &at->sublayer,
            .sublayer_count = !is_empty,
            .filter_count = !is_empty,
            .callout_filter_count = action_of(mode) == FWP_ACTION_CALLOUT_TERMINATING && !is_empty,
        };
}

// `mode`, which is that of connect, or a list like "accept=hold,listen=block". Layers not named have no filter.
static bool choose_policy(char *modes)
{
    generation++;
    for (int i = 0; i < LAYER_COUNT; i++)
        choose(i, "empty");
    for (char *rest, *part = strtok_r(modes, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        char *mode = strchr(part, '=');
        int layer = mode ? 0 : CONNECT;
        if (mode)
            *mode++ = '\0';
        while (mode && layer < LAYER_COUNT && strcmp(layers[layer].name, part))
            layer++;
        if (layer == LAYER_COUNT)
            return false;
        choose(layer, mode ? mode : part);
    }
    return wall_datapath_set_policy(datapath, (struct wall_policy *)chosen, NULL) == 0;
}

static void print_address(const char *name, const struct wall_flow *flow, const uint8_t *address, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(flow->family, address, text, sizeof(text));
    printf(" %s=%s %s_port=%u", name, text, name, port);
}

static void print_flow(const char *what, const struct wall_flow *flow)
{
    printf("%s id=%llu handle=%llu layer=%u inbound=%d reason=%u protocol=%u irql=%u adopted=%d", what,
           (unsigned long long)flow->id, (unsigned long long)flow->handle, flow->layer_id, flow->inbound,
           flow->reauthorize_reason, flow->protocol, flow->irql, flow->adopted);
    printf(" pid=%u tid=%u uid=%u gid=%u cookie=%llu parent=%llu netns=%llu", flow->process_id, flow->thread_id,
           flow->user_id, flow->group_id, (unsigned long long)flow->socket_cookie,
           (unsigned long long)flow->parent_cookie, (unsigned long long)flow->netns_cookie);
    print_address("local", flow, flow->local_address, flow->local_port);
    print_address("remote", flow, flow->remote_address, flow->remote_port);
    printf(" data=");
    for (size_t i = 0; i < flow->packet_bytes && i < 128; i++)
        printf("%02x", flow->packet[i]);
    printf(" cgroup=%llu inode=%llu device=%u interface=%u packet=%zu truncated=%d comm=%s path=%s\n",
           (unsigned long long)flow->cgroup_id, (unsigned long long)flow->executable_inode, flow->executable_device,
           flow->interface_index, flow->packet_bytes, flow->executable_path_truncated, flow->process_name,
           flow->executable_path);
}

static void print_held(void *context, const struct wall_flow *flow)
{
    print_flow("held", flow);
    if (automatic)
        wall_datapath_decide(datapath, flow->id, !strcmp(automatic, "permit") ? WALL_FLOW_PERMIT : WALL_FLOW_BLOCK);
}

static void print_gone(void *context, uint64_t flow_id)
{
    printf("gone id=%llu\n", (unsigned long long)flow_id);
}

static unsigned long noticed, ended;
static bool busy;  // what is noticed is dealt with by the command `noticed HANDLE`

static void print_noticed(void *context, const struct wall_flow *flow)
{
    noticed++;
    if (!quiet)
        print_flow("noticed", flow);
    if (!busy)
        wall_datapath_noticed(datapath, flow->handle);
}

static void print_ended(void *context, uint64_t handle)
{
    ended++;
    if (!quiet)
        printf("ended handle=%llu\n", (unsigned long long)handle);
}

static void print_stats(void)
{
    struct wall_datapath_stats stats;
    wall_datapath_get_stats(datapath, &stats);
    printf("stats seen=%llu held=%llu permitted=%llu blocked=%llu gone=%llu fail_closed=%llu dropped=%llu "
           "lost=%llu noticed=%lu ended=%lu\n",
           (unsigned long long)stats.flows_seen, (unsigned long long)stats.flows_held_now,
           (unsigned long long)stats.flows_permitted, (unsigned long long)stats.flows_blocked,
           (unsigned long long)stats.flows_gone, (unsigned long long)stats.fail_closed,
           (unsigned long long)stats.packets_dropped, (unsigned long long)stats.events_lost, noticed, ended);
}

// `DIRECTION NETNS_COOKIE HEX`
static int inject(const char *text)
{
    uint8_t packet[2048];
    size_t size = 0;
    char *at;
    struct wall_injection injection = { .receive = !strncmp(text, "receive ", 8), .packet = packet };
    injection.netns_cookie = strtoull(strchr(text, ' '), &at, 10);
    for (at++; size < sizeof(packet) && strlen(at) >= 2; at += 2) {
        const char byte[3] = { at[0], at[1] };
        packet[size++] = (uint8_t)strtoul(byte, NULL, 16);
    }
    injection.packet_bytes = size;
    return wall_datapath_inject(datapath, &injection);
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
    else if (!strcmp(line, "abort"))
        r = wall_datapath_abort(datapath, strtoull(argument, NULL, 10));
    else if (!strcmp(line, "busy"))
        busy = true;
    else if (!strcmp(line, "noticed"))
        wall_datapath_noticed(datapath, strtoull(argument, NULL, 10));
    else if (!strcmp(line, "inject"))
        r = inject(argument);
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
    else if (!strncmp(option, "quiet=", 6))
        quiet = number;
    else if (!strncmp(option, "auto=", 5))
        automatic = value;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct wall_datapath_config config = {
        .cgroup_path = argc > 1 ? argv[1] : "", .pin_path = argc > 2 ? argv[2] : "",
        .events = { .flow_held = print_held, .flow_gone = print_gone,
                    .flow_noticed = print_noticed, .flow_ended = print_ended },
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
