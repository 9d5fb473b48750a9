// W1: TCP connect + accept + close over loopback, client and server in one thread pinned to one CPU, closed by RST so
// that no TIME_WAIT builds up. Prints one line of JSON: operations, seconds, p50, p99 and minimum in nanoseconds.
// Usage: connect SECONDS [CPU] [deny]: with `deny`, every connect() must fail as Ringwall refuses (checked).
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// One sample per operation; 4 million are enough for 30 s at the plain kernel's rate.
#define SAMPLES_MAX 4000000u

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_listener(struct sockaddr_in *ret_address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    *ret_address = address;
    return fd;
}

static void connect_once(int listener, const struct sockaddr_in *address, bool deny)
{
    const struct linger reset = {.l_onoff = 1};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0)
        die("socket");
    int r = connect(client, (const struct sockaddr *)address, sizeof(*address));
    if (deny) {
        if (r == 0 || (errno != EACCES && errno != ECONNABORTED))  // refused at the call, or aborted while held
            die("connect was not denied");
    } else {
        if (r < 0)
            die("connect");
        int server = accept(listener, NULL, NULL);
        if (server < 0)
            die("accept");
        setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(client);
        close(server);
        return;
    }
    close(client);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    bool deny = argc > 3 && strcmp(argv[3], "deny") == 0;
    if (argc > 2) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(strtoul(argv[2], NULL, 10), &cpus);
        if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
            die("sched_setaffinity");
    }
    uint32_t *samples = malloc(SAMPLES_MAX * sizeof(*samples));
    if (!samples)
        die("malloc");
    struct sockaddr_in address;
    int listener = open_listener(&address);
    for (int i = 0; i < 20; i++)
        connect_once(listener, &address, deny);

    uint64_t begin = now_ns(), before = begin, end = begin + (uint64_t)(seconds * 1e9);
    uint32_t count = 0;
    while (before < end && count < SAMPLES_MAX) {
        connect_once(listener, &address, deny);
        uint64_t after = now_ns();
        samples[count++] = (uint32_t)(after - before);
        before = after;
    }
    qsort(samples, count, sizeof(*samples), by_value);
    printf("{\"operations\": %u, \"seconds\": %.6f, \"p50_ns\": %u, \"p99_ns\": %u, \"min_ns\": %u}\n", count,
           (double)(before - begin) / 1e9, samples[count / 2], samples[count - 1 - count / 100], samples[0]);
    return 0;
}
