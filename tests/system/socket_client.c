// A program that is judged: joins a cgroup and a network namespace, then uses sockets and prints what each call said.
//
//   socket-client CGROUP NETNS ACTION ADDRESS PORT [TEXT] [COUNT] [v6]
//
// Actions: tcp, tcp-pause, tcp-nonblocking, tcp-fastopen, tcp-multipath, udp, udp-connected, udp-once, udp-segments,
// ping, raw, many, keep, short, syn-flood, tcp-server, udp-server. The last argument makes it IPv6, whatever the
// address. CGROUP or NETNS "-" stays. In the environment: WAIT waits for a line first, NOBODY gives up all privileges,
// PAUSE waits for a line in place of the replies to datagrams.
//
// Prints lines `CALL RESULT MILLISECONDS`, where RESULT is `ok` or the name of the error, and `reply SIZE TEXT`. `many`
// opens COUNT connections at once and prints how many succeeded; `keep` also keeps them open, and at each line it reads
// prints how many still are. `short` opens and closes COUNT connections one after the other. `syn-flood` sends COUNT
// SYNs that nobody waits for an answer to. The servers bind to the address, tell of `bind` and `listen`, print what
// they get, and send it back; COUNT is how many connections they take before they close the listening socket.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} to;
static socklen_t to_size;
#define REPLY_MS 1500  // an answer that does not come by then does not come

static const char *text = "hello";

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool say(const char *call, long result, double since)
{
    int error = errno;
    printf("%s %s %.0f\n", call, result < 0 ? strerrorname_np(error) : "ok", now_ms() - since);
    return result >= 0;
}

static void fail(const char *what)
{
    printf("error %s %s\n", what, strerrorname_np(errno));
    exit(3);
}

static void join(const char *cgroup, const char *netns)
{
    char path[512], pid[32];
    if (strcmp(cgroup, "-")) {
        snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        int size = snprintf(pid, sizeof(pid), "%d", getpid());
        if (fd < 0 || write(fd, pid, (size_t)size) != size)
            fail("cgroup");
        close(fd);
    }
    if (strcmp(netns, "-")) {
        int fd = open(netns, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET))
            fail("netns");
        close(fd);
    }
}

static void set_target(const char *address, const char *port)
{
    uint16_t number = (uint16_t)strtoul(port, NULL, 10);
    if (inet_pton(AF_INET, address, &to.v4.sin_addr) == 1) {
        to.v4.sin_family = AF_INET;
        to.v4.sin_port = htons(number);
        to_size = sizeof(to.v4);
    } else if (inet_pton(AF_INET6, address, &to.v6.sin6_addr) == 1) {
        to.v6.sin6_family = AF_INET6;
        to.v6.sin6_port = htons(number);
        to_size = sizeof(to.v6);
    } else {
        fail("address");
    }
}

static void read_reply(int fd, int timeout_ms)
{
    char buffer[70000];
    double since = now_ms();
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    errno = ETIMEDOUT;
    ssize_t size = poll(&polled, 1, timeout_ms) == 1 ? recv(fd, buffer, sizeof(buffer) - 1, 0) : -1;
    if (!say("recv", size, since))
        return;
    buffer[size] = '\0';
    printf("reply %zd %.60s\n", size, buffer);
}

static void use_tcp(int fd, bool pause)
{
    double since = now_ms();
    if (!say("connect", connect(fd, &to.any, to_size), since))
        return;
    if (pause)
        getchar();
    since = now_ms();
    if (say("send", send(fd, text, strlen(text), MSG_NOSIGNAL), since))
        read_reply(fd, 5000);
}

static void use_tcp_nonblocking(int fd)
{
    double since = now_ms();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    say("connect", connect(fd, &to.any, to_size), since);
    struct pollfd polled = { .fd = fd, .events = POLLOUT };
    poll(&polled, 1, -1);
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    if (!say("connected", error ? -1 : 0, since))
        return;
    send(fd, text, strlen(text), MSG_NOSIGNAL);
    read_reply(fd, 5000);
}

static void use_fastopen(int fd)
{
    double since = now_ms();
    if (say("sendto", sendto(fd, text, strlen(text), MSG_FASTOPEN, &to.any, to_size), since))
        read_reply(fd, 5000);
}

static void use_udp(int fd, bool connected, int count)
{
    double since = now_ms();
    if (connected && !say("connect", connect(fd, &to.any, to_size), since))
        return;
    for (int i = 0; i < count; i++) {
        char message[4096];
        int size = snprintf(message, sizeof(message), "%s%d", text, i);
        since = now_ms();
        if (connected)
            say("send", send(fd, message, (size_t)size, 0), since);
        else
            say("sendto", sendto(fd, message, (size_t)size, 0, &to.any, to_size), since);
    }
    if (getenv("PAUSE"))
        getchar();
    else
        for (int i = 0; i < count; i++)
            read_reply(fd, REPLY_MS);
    since = now_ms();
    if (connected)
        say("again", send(fd, "again", 5, 0), since);
    else
        say("again", sendto(fd, "again", 5, 0, &to.any, to_size), since);
}

// Several datagrams in one call.
static void use_segments(int fd)
{
    int segment = 100;
    double since = now_ms();
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
        fail("UDP_SEGMENT");
    say("sendto", sendto(fd, text, strlen(text), 0, &to.any, to_size), since);
    for (size_t i = 0; i < strlen(text); i += (size_t)segment)
        read_reply(fd, REPLY_MS);
}

static uint16_t checksum(const void *data, size_t size)
{
    uint32_t sum = 0;
    const uint16_t *words = data;
    for (size_t i = 0; i < size / 2; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~(sum + (sum >> 16));
}

// An echo request from a raw socket, which makes its own checksum.
static void use_raw(int fd)
{
    struct icmphdr message = { .type = ICMP_ECHO, .un.echo.id = htons(7) };
    message.checksum = checksum(&message, sizeof(message));
    double since = now_ms();
    say("sendto", sendto(fd, &message, sizeof(message), 0, &to.any, to_size), since);
    read_reply(fd, REPLY_MS);
    since = now_ms();
    say("again", sendto(fd, &message, sizeof(message), 0, &to.any, to_size), since);
}

static void use_ping(int fd)
{
    struct icmphdr message = { .type = to.any.sa_family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST };
    double since = now_ms();
    say("sendto", sendto(fd, &message, sizeof(message), 0, &to.any, to_size), since);
    read_reply(fd, REPLY_MS);
    since = now_ms();
    say("again", sendto(fd, &message, sizeof(message), 0, &to.any, to_size), since);
}

// How many of the sockets are connected.
static int count_open(const int *sockets, int count)
{
    int open = 0;
    for (int i = 0; i < count; i++) {
        char byte;
        ssize_t size = recv(sockets[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        open += size > 0 || (size < 0 && errno == EAGAIN);
    }
    return open;
}

static void keep_open(const int *sockets, int count)
{
    while (getchar() != EOF)
        printf("open %d\n", count_open(sockets, count));
}

static void use_many(int count, bool keep)
{
    struct rlimit limit = { .rlim_cur = (rlim_t)count + 64, .rlim_max = (rlim_t)count + 64 };
    struct pollfd *polled = calloc((size_t)count, sizeof(*polled));
    int *sockets = calloc((size_t)count, sizeof(*sockets));
    if (!polled || !sockets)
        fail("memory");
    setrlimit(RLIMIT_NOFILE, &limit);
    double since = now_ms();
    for (int i = 0; i < count; i++) {
        int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        polled[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
        sockets[i] = fd;
        if (fd < 0)
            fail("socket");
        if (connect(fd, &to.any, to_size) < 0 && errno != EINPROGRESS)
            fail("connect");
    }
    say("started", 0, since);
    int done = 0, good = 0;
    while (done < count && poll(polled, (nfds_t)count, 20000) > 0)
        for (int i = 0; i < count; i++) {
            if (polled[i].fd < 0 || !polled[i].revents)
                continue;
            int error = 0;
            socklen_t size = sizeof(error);
            getsockopt(polled[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
            good += error == 0;
            done++;
            polled[i].fd = -1;
        }
    printf("many %d %d %.0f\n", good, done, now_ms() - since);
    if (keep)
        keep_open(sockets, count);
    free(sockets);
    free(polled);
}

static void use_short(int count)
{
    double since = now_ms();
    int good = 0;
    for (int i = 0; i < count; i++) {
        int fd = socket(to.any.sa_family, SOCK_STREAM, 0);
        struct linger at_once = { .l_onoff = 1 };
        good += connect(fd, &to.any, to_size) == 0;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));  // by a reset: no port stays in use
        close(fd);
    }
    printf("short %d %d %.0f\n", good, count, now_ms() - since);
}

// SYNs with a new port and address each, from 10.99.2.0/24 to 10.99.255.0/24.
static void use_flood(int count)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), sent = 0;
    double since = now_ms();
    struct {
        struct iphdr ip;
        struct tcphdr tcp;
    } packet = {
        .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .daddr = to.v4.sin_addr.s_addr },
        .tcp = { .dest = to.v4.sin_port, .doff = 5, .syn = 1, .window = 1024 },
    };
    for (int i = 0; i < count; i++) {
        packet.ip.saddr = htonl(0x0a630200u + (uint32_t)i % 0xfe00);
        packet.tcp.source = htons((uint16_t)(1024 + i / 4));
        packet.tcp.seq = htonl((uint32_t)i);
        packet.tcp.check = 0;
        struct {
            uint32_t from, to;
            uint16_t protocol, length;
            struct tcphdr tcp;
        } pseudo = { packet.ip.saddr, packet.ip.daddr, htons(IPPROTO_TCP), htons(sizeof(packet.tcp)), packet.tcp };
        packet.tcp.check = checksum(&pseudo, sizeof(pseudo));
        sent += sendto(fd, &packet, sizeof(packet), 0, &to.any, to_size) > 0;
    }
    printf("flood %d %.0f\n", sent, now_ms() - since);
}

static bool take_address(int fd)
{
    int one = 1;
    double since = now_ms();
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return say("bind", bind(fd, &to.any, to_size), since);
}

// Sends back what a connection says, until it ends.
static void serve_stream(int fd)
{
    char buffer[70000];
    for (ssize_t size; (size = recv(fd, buffer, sizeof(buffer) - 1, 0)) > 0;) {
        buffer[size] = '\0';
        printf("got %zd %.60s\n", size, buffer);
        send(fd, buffer, (size_t)size, MSG_NOSIGNAL);
    }
    close(fd);
}

static void use_tcp_server(int fd, int count)
{
    bool bound = take_address(fd);
    double since = now_ms();
    if (!bound || !say("listen", listen(fd, 4096), since))
        return;
    for (int i = 0; i < count; i++) {
        since = now_ms();
        int connection = accept(fd, NULL, NULL);
        if (!say("accept", connection, since))
            return;
        serve_stream(connection);
    }
    close(fd);
    getchar();
}

static void use_udp_server(int fd)
{
    char buffer[70000];
    struct sockaddr_storage from;
    socklen_t from_size = sizeof(from);
    if (!take_address(fd))
        return;
    for (ssize_t size; (size = recvfrom(fd, buffer, sizeof(buffer) - 1, 0, (void *)&from, &from_size)) >= 0;) {
        buffer[size] = '\0';
        printf("got %zd %.60s\n", size, buffer);
        sendto(fd, buffer, (size_t)size, 0, (void *)&from, from_size);
        from_size = sizeof(from);
    }
}

static int open_socket(const char *action, int family)
{
    int icmp = family == AF_INET ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
    if (!strcmp(action, "ping"))
        return socket(family, SOCK_DGRAM, icmp);
    if (!strcmp(action, "tcp-multipath"))
        return socket(family, SOCK_STREAM, IPPROTO_MPTCP);
    if (!strcmp(action, "raw"))
        return socket(family, SOCK_RAW, icmp);
    return socket(family, strncmp(action, "udp", 3) ? SOCK_STREAM : SOCK_DGRAM, 0);
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    join(argv[1], argv[2]);
    const char *action = argv[3];
    set_target(argv[4], argv[5]);
    if (argc > 6)
        text = argv[6];
    int count = argc > 7 ? (int)strtol(argv[7], NULL, 10) : 1;
    int fd = open_socket(action, argc > 8 ? AF_INET6 : to.any.sa_family);
    if (fd < 0)
        fail("socket");
    if (getenv("NOBODY") && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
        fail("privileges");
    if (getenv("WAIT"))
        getchar();
    if (!strcmp(action, "tcp") || !strcmp(action, "tcp-multipath"))
        use_tcp(fd, false);
    else if (!strcmp(action, "tcp-pause"))
        use_tcp(fd, true);
    else if (!strcmp(action, "tcp-nonblocking"))
        use_tcp_nonblocking(fd);
    else if (!strcmp(action, "tcp-fastopen"))
        use_fastopen(fd);
    else if (!strcmp(action, "udp-once"))
        sendto(fd, text, strlen(text), 0, &to.any, to_size);
    else if (!strcmp(action, "udp-segments"))
        use_segments(fd);
    else if (!strcmp(action, "raw"))
        use_raw(fd);
    else if (!strncmp(action, "udp", 3) && strcmp(action, "udp-server"))
        use_udp(fd, !strcmp(action, "udp-connected"), count);
    else if (!strcmp(action, "ping"))
        use_ping(fd);
    else if (!strcmp(action, "many"))
        use_many(count, false);
    else if (!strcmp(action, "keep"))
        use_many(count, true);
    else if (!strcmp(action, "short"))
        use_short(count);
    else if (!strcmp(action, "syn-flood"))
        use_flood(count);
    else if (!strcmp(action, "tcp-server"))
        use_tcp_server(fd, count);
    else if (!strcmp(action, "udp-server"))
        use_udp_server(fd);
    return 0;
}
