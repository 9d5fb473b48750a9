// The far end: sends back what comes, on one address, over TCP and UDP.
#include "traffic.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

static void watch(int poller, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        perror("epoll_ctl");
}

static int open_at(const char *address, int type, uint16_t port)
{
    struct end end = end_of(address, port);
    int yes = 1, queue = 256;
    int fd = socket(end.address.ss_family, type, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, sockaddr_of(&end), end.size))
        perror(address);
    if (type == SOCK_STREAM) {
        setsockopt(fd, IPPROTO_TCP, 23, &queue, sizeof(queue));  // TCP_FASTOPEN
        listen(fd, 4096);
    }
    return fd;
}

static void answer_stream(int fd)
{
    static char data[65536];
    ssize_t size = recv(fd, data, sizeof(data), 0);
    if (size <= 0 || send(fd, data, (size_t)size, MSG_NOSIGNAL) != size)
        close(fd);
}

static void answer_datagram(int fd)
{
    static char data[65536];
    struct end from = { .size = sizeof(from.address) };
    ssize_t size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from.address, &from.size);
    if (size >= 0)
        (void)sendto(fd, data, (size_t)size, 0, sockaddr_of(&from), from.size);
}

void serve(const char *address)
{
    int poller = epoll_create1(0);
    int listener = open_at(address, SOCK_STREAM, TCP_PORT), datagrams = open_at(address, SOCK_DGRAM, UDP_PORT);
    watch(poller, listener);
    watch(poller, datagrams);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(poller, &event, 1, -1) != 1)
            continue;
        if (event.data.fd == listener)
            watch(poller, accept(listener, NULL, NULL));
        else if (event.data.fd == datagrams)
            answer_datagram(datagrams);
        else
            answer_stream(event.data.fd);
    }
}
