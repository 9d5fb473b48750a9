// Remote ends as the kernel will use them.
#pragma once

#include "program.bpf.h"

struct remote {
    union {
        uint8_t address[16];
        uint32_t words[4];
    };
    uint16_t port;
};

// What an owner meets with. Lies in a map: on the stack there is no room for it above the evaluator.
struct encounter {
    struct remote local, remote;
    uint32_t interface_index;  // 0: not known
    uint8_t protocol;
    uint8_t is_listening;  // the flow has no remote end
};

static __always_inline void remote_set4(struct remote *remote, uint32_t address)
{
    remote->words[0] = 0;
    remote->words[1] = 0;
    remote->words[2] = bpf_htonl(0xffff);
    remote->words[3] = address;
}

static __always_inline bool is_mapped(const uint32_t *words)
{
    return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool same_address(const struct remote *remote, const uint8_t *address)
{
    struct remote other;
    __builtin_memcpy(other.address, address, sizeof(other.address));
    return remote->words[0] == other.words[0] && remote->words[1] == other.words[1] &&
           remote->words[2] == other.words[2] && remote->words[3] == other.words[3];
}

// Whether it stands for all addresses of its family.
static __always_inline bool is_any_address(const uint8_t *address)
{
    struct remote at;
    __builtin_memcpy(at.address, address, sizeof(at.address));
    return (at.words[0] | at.words[1] | at.words[3]) == 0 && (at.words[2] == 0 || at.words[2] == bpf_htonl(0xffff));
}

static __always_inline bool is_loopback(const struct remote *at)
{
    const uint32_t *words = at->words;
    if (is_mapped(words))
        return (words[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
    return (words[0] | words[1] | words[2]) == 0 && words[3] == bpf_htonl(1);
}

// The kernel takes an unspecified destination for this host: the socket's own address, or else loopback. A rule about
// 127.0.0.1 must see it.
static __always_inline void remote_resolve(struct remote *remote, uint32_t source4, bool source_is_mapped)
{
    uint32_t *words = remote->words;
    if (is_mapped(words) && words[3] == 0)
        words[3] = source4 ? source4 : bpf_htonl(0x7f000001);
    else if (words[0] == 0 && words[1] == 0 && words[2] == 0 && words[3] == 0) {
        if (source_is_mapped)
            remote_set4(remote, bpf_htonl(0x7f000001));
        else
            words[3] = bpf_htonl(1);
    }
}

// From the address given to connect() or sendto(). `is_ipv4`: the hook is one for IPv4 addresses.
static __always_inline void remote_of_call(struct bpf_sock_addr *call, bool is_ipv4, struct remote *ret_remote)
{
    struct bpf_sock *socket = call->sk;
    uint32_t source4 = 0;
    bool source_is_mapped = false;
    if (is_ipv4) {
        remote_set4(ret_remote, field(call, user_ip4));
        source4 = socket ? field(socket, src_ip4) : 0;
    } else {
        ret_remote->words[0] = field(call, user_ip6[0]);
        ret_remote->words[1] = field(call, user_ip6[1]);
        ret_remote->words[2] = field(call, user_ip6[2]);
        ret_remote->words[3] = field(call, user_ip6[3]);
        if (socket) {
            uint32_t source[4] = { field(socket, src_ip6[0]), field(socket, src_ip6[1]), field(socket, src_ip6[2]),
                                   field(socket, src_ip6[3]) };
            source_is_mapped = is_mapped(source);
            source4 = source_is_mapped ? source[3] : 0;
        }
    }
    ret_remote->port = bpf_ntohs((uint16_t)call->user_port);
    remote_resolve(ret_remote, source4, source_is_mapped);
}

// Where a connected socket is connected to.
static __always_inline void remote_of_socket(struct bpf_sock *socket, struct remote *ret_remote)
{
    if (socket->family == AF_INET) {
        remote_set4(ret_remote, field(socket, dst_ip4));
    } else {
        ret_remote->words[0] = field(socket, dst_ip6[0]);
        ret_remote->words[1] = field(socket, dst_ip6[1]);
        ret_remote->words[2] = field(socket, dst_ip6[2]);
        ret_remote->words[3] = field(socket, dst_ip6[3]);
    }
    ret_remote->port = bpf_ntohs(socket->dst_port);
}

static __always_inline void local_of_socket(struct bpf_sock *socket, struct remote *ret_local)
{
    if (socket->family == AF_INET) {
        remote_set4(ret_local, field(socket, src_ip4));
    } else {
        ret_local->words[0] = field(socket, src_ip6[0]);
        ret_local->words[1] = field(socket, src_ip6[1]);
        ret_local->words[2] = field(socket, src_ip6[2]);
        ret_local->words[3] = field(socket, src_ip6[3]);
    }
    ret_local->port = (uint16_t)socket->src_port;
}
