#include "datapath/linux/facts.h"

#include <bpf/bpf.h>
#include <sys/socket.h>

#include "datapath/linux/address.h"
#include "datapath/linux/instance.h"

bool wall_facts_read(const struct wall_datapath *datapath, int map_fd, uint64_t flow_id)
{
    struct wall_flow_facts *facts = datapath->facts;
    if (bpf_map_lookup_elem(map_fd, &flow_id, facts))
        return false;
    facts->path[WALL_PATH_MAX] = '\0';
    facts->process_name[WALL_COMM_BYTES - 1] = '\0';
    if (facts->path_start > WALL_PATH_MAX)
        facts->path_start = WALL_PATH_MAX;
    if (facts->layer >= WALL_LAYER_COUNT_)
        return false;
    return true;
}

void wall_facts_describe(const struct wall_flow_facts *facts, struct wall_flow *ret_flow)
{
    *ret_flow = (struct wall_flow){
        .id = facts->flow_id,
        .layer_id = wall_kernel_policy_layer_id(facts->layer),
        .inbound = facts->inbound,
        .reauthorize_reason = facts->reauthorize_reason,
        .family = facts->family,
        .protocol = facts->protocol,
        .irql = facts->irql,
        .process_id = facts->process_id,
        .thread_id = facts->thread_id,
        .user_id = facts->user_id,
        .group_id = facts->group_id,
        .cgroup_id = facts->cgroup_id,
        .socket_cookie = facts->socket_cookie,
        .parent_cookie = facts->parent_cookie,
        .netns_cookie = facts->netns_cookie,
        .executable_inode = facts->executable_inode,
        .executable_device = facts->executable_device,
        .executable_path = facts->path + facts->path_start,
        .executable_path_truncated = facts->flags & WALL_FACTS_PATH_TRUNCATED,
        .mount_namespace = facts->mount_namespace,
        .process_name = facts->process_name,
        .local_port = facts->local_port,
        .remote_port = facts->remote_port,
        .interface_index = facts->interface_index,
        .time_ns = facts->time_ns,
    };
    wall_address_unmap(ret_flow->local_address, facts->local_address, facts->family == AF_INET6);
    wall_address_unmap(ret_flow->remote_address, facts->remote_address, facts->family == AF_INET6);
}
