#include "service/redirect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "service/flow_layer.h"

static int append(struct wall_redirect *redirect, const struct wall_redirect_version *version)
{
    struct wall_redirect_version copy = *version;
    copy.context.data = NULL;
    if (copy.context.size) {
        copy.context.data = malloc(copy.context.size);
        if (!copy.context.data)
            return -ENOMEM;
        memcpy(copy.context.data, version->context.data, copy.context.size);
    }
    struct wall_redirect_version *versions =
        realloc(redirect->versions, (redirect->count + 1) * sizeof(*redirect->versions));
    if (!versions) {
        free(copy.context.data);
        return -ENOMEM;
    }
    versions[redirect->count++] = copy;
    redirect->versions = versions;
    return 0;
}

int wall_redirect_begin(struct wall_redirect *redirect, struct wall_flow *flow)
{
    if (wall_flow_layer_binds(flow->layer_id) && flow->handle) {
        memcpy(redirect->chosen_address, flow->local_address, sizeof(redirect->chosen_address));
        redirect->chosen_port = flow->local_port;
        memset(flow->local_address, 0, sizeof(flow->local_address));
        flow->local_port = 0;
    }
    struct wall_redirect_version version = {.local_port = flow->local_port, .remote_port = flow->remote_port};
    memcpy(version.local_address, flow->local_address, sizeof(version.local_address));
    memcpy(version.remote_address, flow->remote_address, sizeof(version.remote_address));
    return append(redirect, &version);
}

int wall_redirect_add(struct wall_redirect *redirect, const struct wall_redirect_version *version, uint64_t filter_id)
{
    struct wall_redirect_version changed = *version;
    changed.filter_id = filter_id;
    return redirect->count < WALL_REDIRECT_VERSIONS_MAX ? append(redirect, &changed) : -ENOSPC;
}

const struct wall_redirect_version *wall_redirect_current(const struct wall_redirect *redirect)
{
    return redirect->count > 1 ? &redirect->versions[redirect->count - 1] : NULL;
}

void wall_redirect_done(struct wall_redirect *redirect)
{
    for (uint32_t i = 0; i < redirect->count; i++)
        free(redirect->versions[i].context.data);
    free(redirect->versions);
    *redirect = (struct wall_redirect){0};
}

static uint16_t next_layer(const struct wall_flow *flow)
{
    switch (flow->layer_id) {
    case FWPS_LAYER_ALE_BIND_REDIRECT_V4:
        return flow->handle ? FWPS_LAYER_ALE_CONNECT_REDIRECT_V4 : FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4;
    case FWPS_LAYER_ALE_BIND_REDIRECT_V6:
        return flow->handle ? FWPS_LAYER_ALE_CONNECT_REDIRECT_V6 : FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6;
    case FWPS_LAYER_ALE_CONNECT_REDIRECT_V4:
        return FWPS_LAYER_ALE_AUTH_CONNECT_V4;
    default:
        return FWPS_LAYER_ALE_AUTH_CONNECT_V6;
    }
}

// What a callout leaves open at ALE_BIND_REDIRECT, no address or no port, stays what the kernel has chosen.
static void apply_binding(const struct wall_redirect *redirect, struct wall_flow *flow)
{
    static const uint8_t any[16];
    const struct wall_redirect_version *now = wall_redirect_current(redirect);
    struct wall_flow was = *flow;
    if (flow->handle) {
        memcpy(was.local_address, redirect->chosen_address, sizeof(was.local_address));
        was.local_port = redirect->chosen_port;
    }
    memcpy(flow->local_address, was.local_address, sizeof(flow->local_address));
    flow->local_port = was.local_port;
    if (!now)
        return;
    if (!flow->handle || memcmp(now->local_address, any, sizeof(any)) != 0)
        memcpy(flow->local_address, now->local_address, sizeof(flow->local_address));
    if (now->local_port)
        flow->local_port = now->local_port;
    flow->rebound = memcmp(flow->local_address, was.local_address, sizeof(was.local_address)) != 0 ||
                    flow->local_port != was.local_port;
}

static void apply_destination(const struct wall_redirect *redirect, struct wall_flow *flow)
{
    const struct wall_redirect_version *now = wall_redirect_current(redirect);
    if (!now)
        return;
    flow->redirected = memcmp(now->remote_address, flow->remote_address, sizeof(flow->remote_address)) != 0 ||
                       now->remote_port != flow->remote_port;
    memcpy(flow->remote_address, now->remote_address, sizeof(flow->remote_address));
    flow->remote_port = now->remote_port;
    flow->redirect_context = now->context.data;
    flow->redirect_context_bytes = now->context.size;
}

int wall_redirect_apply(struct wall_redirect *redirect, struct wall_flow *flow)
{
    bool binds = wall_flow_layer_binds(flow->layer_id);
    if (binds)
        apply_binding(redirect, flow);
    else
        apply_destination(redirect, flow);
    flow->layer_id = next_layer(flow);
    if (!binds)
        return 0;
    wall_redirect_done(redirect);
    return wall_flow_layer_redirects(flow->layer_id) ? wall_redirect_begin(redirect, flow) : 0;
}
