#include "service/live_flow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"

void wall_live_flows_init(struct wall_live_flows *flows)
{
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    *flows = (struct wall_live_flows){0};
    wall_map_init(&flows->by_handle, seed);
}

static void free_flow(struct wall_live_flow *flow)
{
    while (flow->contexts) {
        struct wall_flow_context *next = flow->contexts->next;
        free(flow->contexts);
        flow->contexts = next;
    }
    free(flow);
}

void wall_live_flows_done(struct wall_live_flows *flows)
{
    size_t cursor = 0;
    struct wall_live_flow *flow;
    while ((flow = wall_map_next(&flows->by_handle, &cursor)))
        free_flow(flow);
    wall_map_done(&flows->by_handle);
}

static struct wall_live_flow *find(const struct wall_live_flows *flows, uint64_t handle)
{
    return wall_map_get(&flows->by_handle, &handle, sizeof(handle));
}

void wall_live_flows_add(struct wall_live_flows *flows, const struct wall_flow *flow)
{
    if (!flow->handle || find(flows, flow->handle))
        return;
    struct wall_live_flow *live = NULL;
    if (flows->by_handle.count < WALL_LIVE_FLOWS_MAX)
        live = calloc(1, sizeof(*live));
    if (live)
        *live = (struct wall_live_flow){.handle = flow->handle, .socket_cookie = flow->socket_cookie,
                                        .netns_cookie = flow->netns_cookie};
    if (live && wall_map_put(&flows->by_handle, &live->handle, sizeof(live->handle), live) == 0)
        return;
    free(live);
    flows->refused++;
}

void wall_live_flows_end(struct wall_live_flows *flows, uint64_t handle, wall_flow_context_ended ended, void *context)
{
    struct wall_live_flow *flow = wall_map_remove(&flows->by_handle, &handle, sizeof(handle));
    if (!flow)
        return;
    for (const struct wall_flow_context *at = flow->contexts; at; at = at->next)
        ended(context, handle, at);
    free_flow(flow);
}

static struct wall_flow_context **find_context(struct wall_live_flow *flow, uint32_t callout_id, uint16_t layer_id)
{
    struct wall_flow_context **at = &flow->contexts;
    while (*at && ((*at)->callout_id != callout_id || (*at)->layer_id != layer_id))
        at = &(*at)->next;
    return at;
}

int wall_flow_context_add(struct wall_live_flows *flows, uint64_t handle, const struct wall_flow_context *fresh)
{
    struct wall_live_flow *flow = find(flows, handle);
    if (!flow)
        return -ENOENT;
    struct wall_flow_context **at = find_context(flow, fresh->callout_id, fresh->layer_id);
    if (*at)
        return -EEXIST;
    *at = malloc(sizeof(**at));
    if (!*at)
        return -ENOMEM;
    **at = *fresh;
    (*at)->next = NULL;
    return 0;
}

uint64_t wall_flow_context_find(const struct wall_live_flows *flows, uint64_t handle, uint32_t callout_id,
                                uint16_t layer_id)
{
    struct wall_live_flow *flow = find(flows, handle);
    const struct wall_flow_context *found = flow ? *find_context(flow, callout_id, layer_id) : NULL;
    return found ? found->context : 0;
}

uint64_t wall_flow_context_remove(struct wall_live_flows *flows, uint64_t handle, uint32_t callout_id,
                                  uint16_t layer_id)
{
    struct wall_live_flow *flow = find(flows, handle);
    struct wall_flow_context **at = flow ? find_context(flow, callout_id, layer_id) : NULL;
    if (!at || !*at)
        return 0;
    struct wall_flow_context *found = *at;
    uint64_t context = found->context;
    *at = found->next;
    free(found);
    return context;
}

void wall_flow_contexts_drop(struct wall_live_flows *flows, uint32_t callout_id)
{
    size_t cursor = 0;
    struct wall_live_flow *flow;
    while ((flow = wall_map_next(&flows->by_handle, &cursor))) {
        for (struct wall_flow_context **at = &flow->contexts; *at;) {
            struct wall_flow_context *context = *at;
            if (context->callout_id != callout_id) {
                at = &context->next;
                continue;
            }
            *at = context->next;
            free(context);
        }
    }
}

uint64_t wall_live_flows_netns(const struct wall_live_flows *flows, uint64_t socket_cookie)
{
    size_t cursor = 0;
    const struct wall_live_flow *flow;
    while ((flow = wall_map_next(&flows->by_handle, &cursor))) {
        if (flow->socket_cookie == socket_cookie)
            return flow->netns_cookie;
    }
    return 0;
}
