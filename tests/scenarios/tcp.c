// TCP: short, long, slow, many, burst, and the ways to open a connection without calling connect() plainly.
#include "traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define MANY 64
#define BURST 100

static void echo_to(const char *address, size_t bytes)
{
    struct end remote = end_of(address, TCP_PORT);
    int fd = socket(remote.address.ss_family, SOCK_STREAM, 0);
    connect_and_echo(fd, &remote, bytes);
    close(fd);
}

static void tcp_connect(const struct target *target)
{
    echo_to(target->address4, 1000);
}

static void tcp_bulk(const struct target *target)
{
    echo_to(target->address4, 1 << 20);
}

static void tcp_ipv6(const struct target *target)
{
    echo_to(target->address6, 1000);
}

// Returns 0, or what the connection failed with.
static int connect_later(int fd, const struct end *remote)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (!connect(fd, sockaddr_of(remote), remote->size))
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd poller = { .fd = fd, .events = POLLOUT };
    if (poll(&poller, 1, 10 * WAIT_MS) != 1)
        return ETIMEDOUT;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

static void tcp_nonblocking(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    errno = connect_later(fd, &remote);
    if (errno) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", &remote);
    exchange_is(echo_stream(fd, 1000), "send");
}

static void tcp_slow(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, sockaddr_of(&remote), remote.size)) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", &remote);
    bool good = true;
    for (int i = 0; i < 8 && good; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
        good = echo_stream(fd, 1);
    }
    exchange_is(good, "send");
}

static void tcp_many(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (!connect(fds[i], sockaddr_of(&remote), remote.size) || errno == EINPROGRESS)
            continue;
        exchange_failed("connect");
        close(fds[i]);
        fds[i] = -1;
    }
    for (int i = 0; i < MANY; i++) {
        if (fds[i] < 0)
            continue;
        struct pollfd poller = { .fd = fds[i], .events = POLLOUT };
        if (poll(&poller, 1, 10 * WAIT_MS) == 1 && echo_stream(fds[i], 100)) {
            print_flow(fds[i], "tcp", &remote);
            exchange_worked();
        } else {
            exchange_failed("connection");
        }
    }
}

static void tcp_burst(const struct target *target)
{
    for (int i = 0; i < BURST; i++)
        echo_to(target->address4, 10);
}

// The SYN carries data when the peer's cookie is known: the second connection's does.
static void tcp_fast_open(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    for (int i = 0; i < 2; i++) {
        char answer[5];
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (sendto(fd, "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, sockaddr_of(&remote), remote.size) != 5) {
            exchange_failed("sendto");
        } else {
            print_flow(fd, "tcp", &remote);
            exchange_is(await_readable(fd, 4 * WAIT_MS) && recv(fd, answer, 5, MSG_WAITALL) == 5, "recv");
        }
        close(fd);
    }
}

// connect() does nothing but remember the address; the first send opens the connection.
static void tcp_fast_open_connect(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof(yes));
    if (connect(fd, sockaddr_of(&remote), remote.size)) {
        exchange_failed("connect");
        return;
    }
    bool good = echo_stream(fd, 100);
    if (good)
        print_flow(fd, "tcp", &remote);
    exchange_is(good, "send");
}

static void tcp_mapped(const struct target *target)
{
    char mapped[64];
    snprintf(mapped, sizeof(mapped), "::ffff:%s", target->address4);
    echo_to(mapped, 1000);
}

// The socket a program has is not the one that sends.
static void tcp_multipath(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket_or_none(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    connect_and_echo(fd, &remote, 1000);
}

// A socket that was connected, let go by AF_UNSPEC, and is connected anew.
static void tcp_again(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    for (int i = 0; i < 2; i++) {
        connect_and_echo(fd, &remote, 100);
        connect(fd, &nowhere, sizeof(nowhere));
    }
}

const struct scenario tcp_scenarios[] = {
    { "tcp", tcp_connect },
    { "tcp-bulk", tcp_bulk },
    { "tcp-nonblocking", tcp_nonblocking },
    { "tcp-ipv6", tcp_ipv6 },
    { "tcp-slow", tcp_slow },
    { "tcp-many", tcp_many },
    { "tcp-burst", tcp_burst },
    { "tcp-fast-open", tcp_fast_open },
    { "tcp-fast-open-connect", tcp_fast_open_connect },
    { "tcp-mapped", tcp_mapped },
    { "tcp-multipath", tcp_multipath },
    { "tcp-again", tcp_again },
    { 0 },
};
