// What every program includes: types, helpers, small things of the language.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wire/flow.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ICMPV6 58
#define IPPROTO_UDPLITE 136
#define ENOBUFS 105
#define EACCES 13

// Results of a cgroup program at a socket call.
#define CALL_REFUSED 0
#define CALL_ALLOWED 1

// Results of a program at a packet. Outgoing only: a kept-back TCP packet is an ordinary send error, which TCP takes as
// a lost packet; a kept-back datagram must look sent: CONGESTION becomes success, or ENOBUFS for sockets that ask for
// errors (IP_RECVERR).
#define PACKET_REFUSED 0
#define PACKET_PASSED 1
#define PACKET_CONGESTION 2

// bpf_sock.state: the numbers of TCP's states, which datagram sockets use as well.
#define SOCKET_CONNECTED 1
#define SOCKET_CLOSED 7
#define SOCKET_LISTENING 10

// Lets the compiler forget what it knows of a value, so that the check the verifier needs stays in the program.
#define forget(value) __asm__ volatile("" : "+r"(value))

// A 32-bit member of a context or socket, read where it stands: the compiler must not merge two such reads into one
// through a computed pointer, which the verifier refuses.
#define field(of, member)                                                             \
    ({                                                                                \
        uint32_t value_;                                                              \
        __asm__ volatile("%0 = *(u32 *)(%1 + %2)"                                     \
                         : "=r"(value_)                                               \
                         : "r"(of), "i"(__builtin_offsetof(typeof(*(of)), member)));  \
        value_;                                                                       \
    })

// A function that the verifier follows once, whoever calls it with whatever: not once for each state of each caller.
// Weak, as each object has one.
#define VERIFIED_ALONE __noinline __weak

static __always_inline bool is_udp(uint32_t protocol)
{
    return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

// Sockets whose calls have hooks: all others are judged by their packets.
static __always_inline bool is_tcp_socket(uint32_t type, uint32_t protocol)
{
    return type == SOCK_STREAM && protocol == IPPROTO_TCP;
}

static __always_inline bool is_udp_socket(uint32_t type, uint32_t protocol)
{
    return type == SOCK_DGRAM && is_udp(protocol);
}

static __always_inline int refuse(int code)
{
    bpf_set_retval(-code);
    return CALL_REFUSED;
}

char LICENSE[] SEC("license") __weak = "Dual MIT/GPL";
