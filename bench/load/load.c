#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Enough for 40 s of the fastest workload.
#define SAMPLES_MAX (1u << 24)

uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void sleep_until(uint64_t ns)
{
    struct timespec until = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

void pin(int cpu)
{
    cpu_set_t cpus;
    if (cpu < 0)
        return;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)cpu, &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
        die("sched_setaffinity");
}

int open_server(int type, uint16_t port, struct sockaddr_in *ret_address)
{
    int fd = socket(AF_INET, type, 0), on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    address.sin_port = htons(port);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("bind");
    if (type == SOCK_STREAM && listen(fd, 4096) < 0)
        die("listen");
    *ret_address = address;
    return fd;
}

int open_client(int type, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, type, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        die("connect");
    return fd;
}

void reset(int fd)
{
    const struct linger linger = { .l_onoff = 1 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
}

void put(int fd, const void *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
}

void get(int fd, void *bytes, size_t size)
{
    if (recv(fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
        die("recv");
}

void start_server(const struct options *options, void (*serve)(int listener), int listener)
{
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        die("fork");
    if (child > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    pin(options->server_cpu);
    serve(listener);
    _exit(0);
}

// Begins a slice. What the caches have lost while others ran is not counted: an eighth of the slice is for that.
static void slice_begin(struct samples *samples)
{
    samples->slice_first = samples->count;
    samples->before = now_ns();
    samples->warm = samples->before + (samples->slices ? samples->length / 8 : 0);
    samples->end = samples->warm + samples->length;
}

static bool slice_wait(void)
{
    int c = getchar();
    return c == '\n';
}

void samples_begin(struct samples *samples, const struct options *options)
{
    *samples = (struct samples){ .length = (uint64_t)(options->seconds * 1e9), .slices = options->slices };
    samples->ns = malloc(SAMPLES_MAX * sizeof(*samples->ns));
    if (!samples->ns)
        die("malloc");
    // Pages that the fastest operation may need are there before the clock starts.
    size_t likely = (size_t)(options->seconds * 4e6) + 1;
    memset(samples->ns, 1, (likely < SAMPLES_MAX ? likely : SAMPLES_MAX) * sizeof(*samples->ns));
    if (samples->slices && !slice_wait())
        exit(0);
    slice_begin(samples);
}

static bool slice_end(struct samples *samples)
{
    samples->spent += samples->before - samples->warm;
    if (!samples->slices)
        return false;
    printf("{\"operations\": %u, \"seconds\": %.6f}\n", samples->count - samples->slice_first,
           (double)(samples->before - samples->warm) / 1e9);
    fflush(stdout);
    if (!slice_wait())
        return false;
    slice_begin(samples);
    return true;
}

bool samples_add(struct samples *samples)
{
    uint64_t after = now_ns(), took = after - samples->before;
    samples->before = after;
    if (after < samples->warm)
        return true;
    if (samples->count == samples->slice_first)
        samples->warm = after - took;
    samples->ns[samples->count++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    if (samples->count < SAMPLES_MAX && after < samples->end)
        return true;
    return slice_end(samples) && samples->count < SAMPLES_MAX;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void samples_report(struct samples *samples, const char *more)
{
    uint32_t count = samples->count;
    const uint32_t *ns = samples->ns;
    qsort(samples->ns, count, sizeof(*samples->ns), by_value);
    printf("{\"operations\": %u, \"seconds\": %.6f, \"min_ns\": %u, \"p50_ns\": %u, \"p99_ns\": %u, \"p999_ns\": %u, "
           "\"max_ns\": %u%s}\n",
           count, (double)samples->spent / 1e9, ns[0], ns[count / 2], ns[count - 1 - count / 100],
           ns[count - 1 - count / 1000], ns[count - 1], more);
    free(samples->ns);
}
