#include "service/redirect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

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

int wall_redirect_begin(struct wall_redirect *redirect, const struct wall_flow *flow)
{
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

void wall_redirect_apply(const struct wall_redirect *redirect, struct wall_flow *flow)
{
    const struct wall_redirect_version *now = wall_redirect_current(redirect);
    bool is_v6 = flow->layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V6;
    flow->layer_id = is_v6 ? FWPS_LAYER_ALE_AUTH_CONNECT_V6 : FWPS_LAYER_ALE_AUTH_CONNECT_V4;
    if (!now)
        return;
    flow->redirected = memcmp(now->remote_address, flow->remote_address, sizeof(flow->remote_address)) != 0 ||
                       now->remote_port != flow->remote_port;
    memcpy(flow->remote_address, now->remote_address, sizeof(flow->remote_address));
    flow->remote_port = now->remote_port;
}
