// W12: a tiny HTTP server on --port, for ab and wrk; one process, until it is killed. Every connection is answered once
// and closed.
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 256

static const char reply[] = "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                            "Content-Length: 3\r\n\r\nok\n";

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

int serve_run(const struct options *options)
{
    struct sockaddr_in address;
    struct epoll_event events[EVENTS_MAX];
    char request[4096];
    int listener = open_server(SOCK_STREAM, options->port, &address), epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        die("epoll");
    watch(epoll, listener);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client >= 0)
                    watch(epoll, client);
                continue;
            }
            if (recv(fd, request, sizeof(request), 0) > 0)
                send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
            close(fd);
        }
    }
}
