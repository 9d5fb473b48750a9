// UDP: every call that sends a datagram.
#include "traffic.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define BATCH 8

static const char hello[] = "hello, peer";

// Repeats `send` until it fails or is answered.
static void exchange(int fd, const struct end *remote, const char *protocol,
                     ssize_t (*transmit)(int, const struct end *))
{
    bool good = false;
    for (int i = 0; i < ATTEMPTS && !good; i++) {
        if (transmit(fd, remote) < 0)
            break;
        if (i == 0)
            print_flow(fd, protocol, remote);
        good = receive_datagram(fd, hello, sizeof(hello));
    }
    exchange_is(good, "datagram");
    close(fd);
}

static ssize_t by_send(int fd, const struct end *remote)
{
    return send(fd, hello, sizeof(hello), 0);
}

static ssize_t by_sendto(int fd, const struct end *remote)
{
    return sendto(fd, hello, sizeof(hello), 0, sockaddr_of(remote), remote->size);
}

static ssize_t by_sendmsg(int fd, const struct end *remote)
{
    struct iovec parts[2] = { { (void *)hello, 5 }, { (void *)(hello + 5), sizeof(hello) - 5 } };
    struct msghdr message = {
        .msg_name = (void *)&remote->address, .msg_namelen = remote->size, .msg_iov = parts, .msg_iovlen = 2
    };
    return sendmsg(fd, &message, 0);
}

static ssize_t by_more(int fd, const struct end *remote)
{
    if (sendto(fd, hello, 5, MSG_MORE, sockaddr_of(remote), remote->size) < 0)
        return -1;
    return sendto(fd, hello + 5, sizeof(hello) - 5, 0, sockaddr_of(remote), remote->size);
}

static void udp_connected(const struct target *target)
{
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(fd, sockaddr_of(&remote), remote.size))
        exchange_failed("connect");
    else
        exchange(fd, &remote, "udp", by_send);
}

static void unconnected(const char *address, ssize_t (*transmit)(int, const struct end *))
{
    struct end remote = end_of(address, UDP_PORT);
    exchange(socket(remote.address.ss_family, SOCK_DGRAM, 0), &remote, "udp", transmit);
}

static void udp_sendto(const struct target *target)
{
    unconnected(target->address4, by_sendto);
}

static void udp_sendmsg(const struct target *target)
{
    unconnected(target->address4, by_sendmsg);
}

static void udp_corked(const struct target *target)
{
    unconnected(target->address4, by_more);
}

static void udp_ipv6(const struct target *target)
{
    unconnected(target->address6, by_sendto);
    struct end remote = end_of(target->address6, UDP_PORT);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    if (connect(fd, sockaddr_of(&remote), remote.size))
        exchange_failed("connect");
    else
        exchange(fd, &remote, "udp", by_send);
}

static void udp_mapped(const struct target *target)
{
    char mapped[64];
    snprintf(mapped, sizeof(mapped), "::ffff:%s", target->address4);
    unconnected(mapped, by_sendto);
}

static void udp_sendmmsg(const struct target *target)
{
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct mmsghdr messages[BATCH];
    struct iovec part = { (void *)hello, sizeof(hello) };
    for (int i = 0; i < BATCH; i++)
        messages[i] = (struct mmsghdr){ .msg_hdr = {
            .msg_name = &remote.address, .msg_namelen = remote.size, .msg_iov = &part, .msg_iovlen = 1 } };
    int sent = sendmmsg(fd, messages, BATCH, 0);
    if (sent < 0) {
        exchange_failed("sendmmsg");
        return;
    }
    print_flow(fd, "udp", &remote);
    bool good = sent == BATCH;
    for (int i = 0; i < BATCH && good; i++)
        good = receive_datagram(fd, hello, sizeof(hello));
    exchange_is(good, "sendmmsg");
}

// One call, one packet in the stack, several datagrams on the wire.
static void udp_segments(const struct target *target)
{
    char data[4000];
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), segment = 1000;
    memset(data, 'x', sizeof(data));
    if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
        not_here("UDP_SEGMENT");
    if (sendto(fd, data, sizeof(data), 0, sockaddr_of(&remote), remote.size) < 0) {
        exchange_failed("sendto");
        return;
    }
    print_flow(fd, "udp", &remote);
    bool good = true;
    for (int i = 0; i < 4 && good; i++)
        good = receive_datagram(fd, data, 1000);
    exchange_is(good, "datagram");
}

// One socket, several remote ends, one after another and back again.
static void udp_many_ends(const struct target *target)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    char mapped[64];
    snprintf(mapped, sizeof(mapped), "::ffff:%s", target->address4);
    struct end ends[2] = { end_of(target->address6, UDP_PORT), end_of(mapped, UDP_PORT) };
    for (int i = 0; i < 4; i++) {
        if (by_sendto(fd, &ends[i % 2]) < 0) {
            exchange_failed("sendto");
            continue;
        }
        if (i < 2)
            print_flow(fd, "udp", &ends[i]);
        exchange_is(receive_datagram(fd, hello, sizeof(hello)), "datagram");
    }
}

static void udp_fragments(const struct target *target)
{
    char data[8000];
    memset(data, 'f', sizeof(data));
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (sendto(fd, data, sizeof(data), 0, sockaddr_of(&remote), remote.size) < 0) {
        exchange_failed("sendto");
        return;
    }
    print_flow(fd, "udp", &remote);
    exchange_is(receive_datagram(fd, data, sizeof(data)), "datagram");
}

// What loggers do: a datagram, and the program is gone.
static void udp_and_exit(const struct target *target)
{
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    exchange_is(by_sendto(fd, &remote) >= 0, "sendto");
    print_flow(fd, "udp", &remote);
}

static void udp_lite(const struct target *target)
{
    struct end remote = end_of(target->address4, UDP_PORT);
    int fd = socket_or_none(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
    // Nobody answers UDP-Lite: that a datagram arrived is for the peer's counter to say.
    for (int i = 0; i < ATTEMPTS; i++)
        exchange_is(by_sendto(fd, &remote) >= 0, "sendto");
    print_flow(fd, "udplite", &remote);
    await_readable(fd, WAIT_MS);
}

const struct scenario udp_scenarios[] = {
    { "udp-connected", udp_connected },
    { "udp-sendto", udp_sendto },
    { "udp-sendmsg", udp_sendmsg },
    { "udp-corked", udp_corked },
    { "udp-ipv6", udp_ipv6 },
    { "udp-mapped", udp_mapped },
    { "udp-sendmmsg", udp_sendmmsg },
    { "udp-segments", udp_segments },
    { "udp-many-ends", udp_many_ends },
    { "udp-fragments", udp_fragments },
    { "udp-and-exit", udp_and_exit },
    { "udp-lite", udp_lite },
    { 0 },
};
