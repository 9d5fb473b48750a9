// Whose socket is it? Programs that live for a moment, sockets that pass from one program to another.
#include "traffic.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_LIVED 20

// Waits for a child and takes its result over.
static void join(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        exchange_worked();
    else
        exchange_failed("child");
}

static int stream(int flags)
{
    return socket(AF_INET, SOCK_STREAM | flags, 0);
}

// Starts the acting program with a socket as its standard input.
static void start_with(const struct target *target, const char *scenario, int fd)
{
    if (fd >= 0)
        dup2(fd, STDIN_FILENO);
    execl(target->program, target->program, scenario, target->address4, target->address6, (char *)NULL);
    perror(target->program);
    _exit(127);
}

// The program is gone before anybody could look it up.
static void short_lived(const struct target *target)
{
    fflush(stdout);
    for (int i = 0; i < SHORT_LIVED; i++) {
        pid_t child = fork();
        if (child == 0)
            start_with(target, "connect-and-exit", -1);
        join(child);
    }
}

static void connect_and_exit(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = stream(0);
    if (connect(fd, sockaddr_of(&remote), remote.size)) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", &remote);
    exchange_is(send(fd, "hello", 5, MSG_NOSIGNAL) == 5, "send");
}

static void fork_after_socket(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = stream(0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        begin_again();
        connect_and_echo(fd, &remote, 100);
        exit(finish());
    }
    join(child);
}

static void exec_after_socket(const struct target *target)
{
    fflush(stdout);
    start_with(target, "use-stream", stream(0));
}

static void use_stream(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    connect_and_echo(STDIN_FILENO, &remote, 100);
}

static void send_and_echo(int fd, const struct target *target)
{
    static const char hello[] = "hello, passed";
    struct end remote = end_of(target->address4, UDP_PORT);
    bool good = false;
    for (int i = 0; i < ATTEMPTS && !good; i++) {
        if (sendto(fd, hello, sizeof(hello), 0, sockaddr_of(&remote), remote.size) < 0)
            break;
        if (i == 0)
            print_flow(fd, "udp", &remote);
        good = receive_datagram(fd, hello, sizeof(hello));
    }
    exchange_is(good, "sendto");
}

// --- Passed over a socket (SCM_RIGHTS) ---

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static void give(int to, int fd)
{
    char byte = 0;
    struct iovec part = { &byte, 1 };
    union control control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS } };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    if (sendmsg(to, &message, 0) != 1)
        perror("SCM_RIGHTS");
}

static int take(int from)
{
    char byte;
    int fd = -1;
    struct iovec part = { &byte, 1 };
    union control control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    if (recvmsg(from, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
        perror("SCM_RIGHTS");
    else
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

static void pass(const struct target *target, const char *scenario, int fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        perror("socketpair");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        start_with(target, scenario, pair[1]);
    give(pair[0], fd);
    close(fd);
    join(child);
}

static void pass_stream(const struct target *target)
{
    pass(target, "take-stream", stream(0));
}

static void take_stream(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    connect_and_echo(take(STDIN_FILENO), &remote, 100);
}

static void pass_datagram(const struct target *target)
{
    pass(target, "take-datagram", socket(AF_INET, SOCK_DGRAM, 0));
}

static void take_datagram(const struct target *target)
{
    send_and_echo(take(STDIN_FILENO), target);
}

// The connection is the work of the program that passes it on.
static void pass_connection(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = stream(0);
    if (connect(fd, sockaddr_of(&remote), remote.size)) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", &remote);
    pass(target, "take-connection", fd);
}

static void take_connection(const struct target *target)
{
    (void)target;
    exchange_is(echo_stream(take(STDIN_FILENO), 100), "send");
}

// Says that it runs, and connects when told to: what became of its file meanwhile is up to the test.
static void tcp_when_told(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    char word;
    puts("running");
    fflush(stdout);
    if (read(STDIN_FILENO, &word, 1) == 1)
        connect_and_echo(stream(0), &remote, 100);
}

// --- Threads ---

struct work {
    const struct target *target;
    int fd;
};

static void *connect_in_thread(void *context)
{
    struct work *work = context;
    struct end remote = end_of(work->target->address4, TCP_PORT);
    connect_and_echo(work->fd, &remote, 100);
    return NULL;
}

static void thread_connects(const struct target *target)
{
    struct work work = { .target = target, .fd = stream(0) };
    pthread_t thread;
    if (pthread_create(&thread, NULL, connect_in_thread, &work) == 0)
        pthread_join(thread, NULL);
}

const struct scenario process_scenarios[] = {
    { "short-lived", short_lived },
    { "connect-and-exit", connect_and_exit },
    { "fork-after-socket", fork_after_socket },
    { "exec-after-socket", exec_after_socket },
    { "use-stream", use_stream },
    { "pass-stream", pass_stream },
    { "take-stream", take_stream },
    { "pass-datagram", pass_datagram },
    { "take-datagram", take_datagram },
    { "pass-connection", pass_connection },
    { "take-connection", take_connection },
    { "tcp-when-told", tcp_when_told },
    { "thread-connects", thread_connects },
    { 0 },
};
