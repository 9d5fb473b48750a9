// What the kernel knows of a socket and programs are not told.
#pragma once

#include "kernel.h"
#include "program.bpf.h"

static __always_inline struct sock *kernel_socket(struct bpf_sock *socket)
{
    struct sock *at = NULL;
    bpf_probe_read_kernel(&at, sizeof(at), &socket);
    return at;
}

static __always_inline uint64_t netns_cookie_of(struct bpf_sock *socket)
{
    struct sock *kernel = kernel_socket(socket);
    return BPF_CORE_READ(kernel, __sk_common.skc_net.net, net_cookie);
}
