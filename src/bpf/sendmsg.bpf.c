// sendto() of UDP with an address.
#include "datagram.bpf.h"

static __always_inline int authorize(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    return authorize_datagram(call, at, is_ipv4, true);
}

SEC("cgroup/sendmsg4")
int sendmsg4_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, true);
}

SEC("cgroup/sendmsg6")
int sendmsg6_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, false);
}
