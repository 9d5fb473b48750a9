// The body of a build without eBPF: it cannot be opened, so the other functions are never reached with an instance.
#include "datapath/datapath.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

int wall_datapath_open(const struct wall_datapath_config *config, struct wall_datapath **ret_datapath,
                       struct wall_error *err)
{
    return wall_error_set(err, -ENOTSUP, "built without eBPF: nothing can be enforced; build with clang and bpftool");
}

void wall_datapath_close(struct wall_datapath *datapath)
{
}

int wall_datapath_remove(struct wall_datapath *datapath, struct wall_error *err)
{
    return -ENOTSUP;
}

int wall_datapath_discard(const char *pin_path, struct wall_error *err)
{
    return 0;
}

int wall_datapath_fd(const struct wall_datapath *datapath)
{
    return -ENOTSUP;
}

int wall_datapath_dispatch(struct wall_datapath *datapath)
{
    return -ENOTSUP;
}

int wall_datapath_set_policy(struct wall_datapath *datapath, struct wall_policy *policy, struct wall_error *err)
{
    return -ENOTSUP;
}

void wall_datapath_expect(struct wall_datapath *datapath, uint16_t layer_id, const struct wall_filter *filter)
{
}

int wall_datapath_decide(struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision decision)
{
    return -ENOTSUP;
}

int wall_datapath_redirect(struct wall_datapath *datapath, const struct wall_flow *flow, struct wall_error *err)
{
    return wall_error_set(err, -ENOTSUP, "there is no datapath");
}

void wall_datapath_get_stats(struct wall_datapath *datapath, struct wall_datapath_stats *ret_stats)
{
    memset(ret_stats, 0, sizeof(*ret_stats));
}

void wall_datapath_noticed(struct wall_datapath *datapath, uint64_t handle)
{
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
