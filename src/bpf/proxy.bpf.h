// What proxies are told of redirected connections, and how their answers get to programs whose datagrams they got.
#pragma once

#include "address.bpf.h"
#include "shared_maps.bpf.h"

#include "ringwall/redirect.h"

#define SOL_IP 0
#define SOL_IPV6 41

static __always_inline int answer4(struct bpf_sockopt *call, const struct wall_endpoints *ends)
{
    struct {
        uint16_t family, port;
        uint32_t address;
        uint64_t zero;
    } *answer = call->optval;
    if ((void *)(answer + 1) > call->optval_end)
        return CALL_ALLOWED;
    uint32_t address;
    __builtin_memcpy(&address, ends->source + 12, 4);
    answer->family = AF_INET;
    answer->port = bpf_htons(ends->source_port);
    answer->address = address;
    answer->zero = 0;
    call->optlen = sizeof(*answer);
    call->retval = 0;
    return CALL_ALLOWED;
}

static __always_inline int answer6(struct bpf_sockopt *call, const struct wall_endpoints *ends)
{
    struct {
        uint16_t family, port;
        uint32_t flow;
        uint32_t address[4];
        uint32_t scope;
    } *answer = call->optval;
    if ((void *)(answer + 1) > call->optval_end)
        return CALL_ALLOWED;
    answer->family = AF_INET6;
    answer->port = bpf_htons(ends->source_port);
    answer->flow = 0;
    __builtin_memcpy(answer->address, ends->source, 16);
    answer->scope = 0;
    call->optlen = sizeof(*answer);
    call->retval = 0;
    return CALL_ALLOWED;
}

struct telling {
    struct bpf_sockopt *call;
    const struct wall_redirect_context *context;
    uint32_t told;
};

static long tell_byte(uint32_t step, void *of)
{
    struct telling *telling = of;
    uint8_t *answer = telling->call->optval;
    uint32_t at = step & (WALL_CONTEXT_BYTES - 1);
    if (at >= telling->context->size || (void *)(answer + at + 1) > telling->call->optval_end)
        return 1;
    answer[at] = telling->context->data[at];
    telling->told = at + 1;
    return 0;
}

// As much of the context as there is room for.
static __noinline int answer_context(struct bpf_sockopt *call, uint64_t flow_id)
{
    struct telling telling = { .call = call, .context = bpf_map_lookup_elem(&contexts, &flow_id) };
    if (!telling.context)
        return CALL_ALLOWED;
    bpf_loop(WALL_CONTEXT_BYTES, tell_byte, &telling, 0);
    call->optlen = (int32_t)telling.told;
    call->retval = 0;
    return CALL_ALLOWED;
}

// What comes back on a redirected connection is made to come from where its program wanted to go.
SEC("cgroup/getsockopt")
int redirect_original(struct bpf_sockopt *call)
{
    struct bpf_sock *socket = call->sk;
    bool is_asked = call->optname == WALL_SO_ORIGINAL_DST || call->optname == WALL_SO_REDIRECT_CONTEXT;
    if (!is_asked || (call->level != SOL_IP && call->level != SOL_IPV6) || !socket)
        return CALL_ALLOWED;
    struct remote local, remote;
    local_of_socket(socket, &local);
    remote_of_socket(socket, &remote);
    struct wall_translation_key key = {
        .netns_cookie = bpf_get_netns_cookie(call),
        .ends = { .source_port = local.port, .destination_port = remote.port },
        .protocol = (uint8_t)socket->protocol,
    };
    __builtin_memcpy(key.ends.source, local.address, 16);
    __builtin_memcpy(key.ends.destination, remote.address, 16);
    struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &key);
    if (!translation || translation->is_begun_here)
        return CALL_ALLOWED;
    if (call->optname == WALL_SO_REDIRECT_CONTEXT)
        return answer_context(call, translation->flow_id);
    struct wall_endpoints ends = translation->ends;
    return call->level == SOL_IP ? answer4(call, &ends) : answer6(call, &ends);
}

// --- Answers from a loopback address ---

// A datagram that was to go to another machine comes to the proxy from there, and the kernel has no way back from a
// loopback address. So the answer goes to an address of this host, and is translated at the loopback interface.
static __always_inline struct wall_translation *answer_find(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct bpf_sock *socket = call->sk;
    struct wall_translation_key key = { .protocol = (uint8_t)call->protocol, .inbound = WALL_TRANSLATION_IN_CALL };
    struct remote local, remote;
    if (!socket)
        return NULL;
    local_of_socket(socket, &local);
    if (!is_loopback(&local))
        return NULL;
    remote_of_call(call, is_ipv4, &remote);
    key.netns_cookie = bpf_get_netns_cookie(call);
    key.ends.source_port = local.port;
    key.ends.destination_port = remote.port;
    __builtin_memcpy(key.ends.source, local.address, 16);
    __builtin_memcpy(key.ends.destination, remote.address, 16);
    return bpf_map_lookup_elem(&redirects, &key);
}

SEC("cgroup/sendmsg4")
int redirect_answer4(struct bpf_sock_addr *call)
{
    const struct wall_translation *translation = answer_find(call, true);
    if (!translation)
        return CALL_ALLOWED;
    struct remote to;
    __builtin_memcpy(to.address, translation->ends.destination, 16);
    call->user_ip4 = to.words[3];
    call->user_port = bpf_htons(translation->ends.destination_port);
    return CALL_ALLOWED;
}

SEC("cgroup/sendmsg6")
int redirect_answer6(struct bpf_sock_addr *call)
{
    const struct wall_translation *translation = answer_find(call, false);
    if (!translation)
        return CALL_ALLOWED;
    struct remote to;
    __builtin_memcpy(to.address, translation->ends.destination, 16);
    call->user_ip6[0] = to.words[0];
    call->user_ip6[1] = to.words[1];
    call->user_ip6[2] = to.words[2];
    call->user_ip6[3] = to.words[3];
    call->user_port = bpf_htons(translation->ends.destination_port);
    return CALL_ALLOWED;
}
