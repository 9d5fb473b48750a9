// main() of the generator, and what its scenarios share.
#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned worked, failed;

struct end end_of(const char *address, uint16_t port)
{
    struct end end = { 0 };
    struct sockaddr_in *four = (struct sockaddr_in *)&end.address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&end.address;
    if (strchr(address, ':')) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        inet_pton(AF_INET6, address, &six->sin6_addr);
        end.size = sizeof(*six);
    } else {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        inet_pton(AF_INET, address, &four->sin_addr);
        end.size = sizeof(*four);
    }
    return end;
}

const struct sockaddr *sockaddr_of(const struct end *end)
{
    return (const struct sockaddr *)&end->address;
}

void exchange_worked(void)
{
    worked++;
}

void exchange_failed(const char *call)
{
    if (failed++ == 0)
        fprintf(stderr, "%s: %s\n", call, strerror(errno));
}

void exchange_is(bool good, const char *call)
{
    if (good)
        exchange_worked();
    else
        exchange_failed(call);
}

void not_here(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(77);
}

int finish(void)
{
    fflush(stdout);
    if (failed == 0)
        return worked ? 0 : 1;
    return worked ? 2 : 1;
}

void begin_again(void)
{
    fflush(stdout);
    worked = failed = 0;
}

int socket_or_none(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT || errno == EAFNOSUPPORT))
        not_here("socket");
    return fd;
}

// --- What an observer has to see ---

// IPv4 in the mapped form is printed as IPv4: that is what such a socket sends.
static unsigned print_end(const struct sockaddr_storage *address)
{
    char text[INET6_ADDRSTRLEN];
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    bool is_four = address->ss_family == AF_INET;
    inet_ntop(address->ss_family, is_four ? (const void *)&four->sin_addr : &six->sin6_addr, text, sizeof(text));
    printf(" %s", strncmp(text, "::ffff:", 7) ? text : text + 7);
    return ntohs(is_four ? four->sin_port : six->sin6_port);
}

static void print_process(const char *protocol)
{
    char process[16] = "";
    if (readlink("/proc/self", process, sizeof(process) - 1) < 0)
        perror("/proc/self");
    printf("flow %s %s", process, protocol);
}

void print_flow_ports(const char *protocol, unsigned local_port, const struct end *remote, unsigned remote_port)
{
    print_process(protocol);
    printf(" - %u", local_port);
    print_end(&remote->address);
    printf(" %u\n", remote_port);
}

void print_flow(int fd, const char *protocol, const struct end *remote)
{
    struct sockaddr_storage local = { 0 };
    socklen_t size = sizeof(local);
    getsockname(fd, (struct sockaddr *)&local, &size);
    print_process(protocol);
    printf(" %u", print_end(&local));
    printf(" %u\n", print_end(&remote->address));
}

// --- Exchanges ---

bool await_readable(int fd, int wait_ms)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    return poll(&poller, 1, wait_ms) == 1;
}

bool echo_stream(int fd, size_t bytes)
{
    static char sent[16384], received[16384];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 7);
    for (size_t done = 0; done < bytes;) {
        size_t size = bytes - done < sizeof(sent) ? bytes - done : sizeof(sent);
        if (send(fd, sent, size, MSG_NOSIGNAL) != (ssize_t)size)
            return false;
        for (size_t got = 0; got < size;) {
            if (!await_readable(fd, 10 * WAIT_MS))
                return false;
            ssize_t n = recv(fd, received + got, size - got, 0);
            if (n <= 0)
                return false;
            got += (size_t)n;
        }
        if (memcmp(sent, received, size))
            return false;
        done += size;
    }
    return true;
}

void connect_and_echo(int fd, const struct end *remote, size_t bytes)
{
    if (connect(fd, sockaddr_of(remote), remote->size)) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", remote);
    exchange_is(echo_stream(fd, bytes), "send");
}

bool receive_datagram(int fd, const void *data, size_t size)
{
    char received[65536];
    if (!await_readable(fd, WAIT_MS)) {
        errno = ETIMEDOUT;
        return false;
    }
    return recv(fd, received, sizeof(received), 0) == (ssize_t)size && !memcmp(received, data, size);
}

static bool run_from(const struct scenario *table, const char *name, const struct target *target)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name))
            continue;
        table->run(target);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    static const struct scenario *const tables[] = { tcp_scenarios,   udp_scenarios,       raw_scenarios,
                                                     uring_scenarios, zero_copy_scenarios, process_scenarios };
    if (argc == 3 && !strcmp(argv[1], "serve")) {
        serve(argv[2]);
        return 1;
    }
    if (argc < 4) {
        fprintf(stderr, "usage: traffic SCENARIO ADDRESS4 ADDRESS6 [PROGRAM] | traffic serve ADDRESS\n");
        return 64;
    }
    struct target target = { .address4 = argv[2], .address6 = argv[3], .program = argc > 4 ? argv[4] : argv[0] };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (run_from(tables[i], argv[1], &target))
            return finish();
    fprintf(stderr, "no scenario %s\n", argv[1]);
    return 64;
}
