// W6: --processes programs that try a denied connect() to --port as fast as they can: --count times together, or for
// --seconds. --mode udp: of a UDP socket. A connect() that succeeds is an error.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 100u
#define BATCHES_MAX 100000u

// What one program did; in memory that all share.
struct work {
    uint64_t done;
    uint64_t batches;
    uint32_t batch_ns[BATCHES_MAX];
};

static void try_often(const struct options *options, int type, uint64_t count, uint64_t end, struct work *work)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    address.sin_port = htons(options->port);
    int fd = socket(AF_INET, type, 0);
    uint64_t batch_begin = now_ns();
    while (count ? work->done < count : batch_begin < end) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            die("a denied connection was permitted");
        if (++work->done % BATCH == 0) {
            uint64_t now = now_ns();
            work->batch_ns[work->batches++ % BATCHES_MAX] = (uint32_t)(now - batch_begin);
            batch_begin = now;
        }
        if (errno == EACCES || errno == EPERM)
            continue;
        if (errno != ECONNABORTED && errno != ECONNREFUSED && errno != ETIMEDOUT)
            die("connect");
        close(fd);  // refused later than at the call: the socket is spent
        fd = socket(AF_INET, type, 0);
    }
    close(fd);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int denied_run(const struct options *options)
{
    int type = strcmp(options->mode, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, failed = 0, status;
    struct work *works = mmap(NULL, (options->processes + 1) * sizeof(*works), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (works == MAP_FAILED)
        die("mmap");
    uint64_t begin = now_ns(), end = begin + (uint64_t)(options->seconds * 1e9), total = 0;
    for (uint32_t i = 0; i < options->processes; i++) {
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child == 0) {
            try_often(options, type, options->count / options->processes, end, &works[i]);
            _exit(0);
        }
    }
    while (wait(&status) > 0)
        failed += status != 0;
    double seconds = (double)(now_ns() - begin) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    double cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    for (uint32_t i = 0; i < options->processes; i++)
        total += works[i].done;
    // Of the first program: whole batches, most of which nothing has disturbed.
    uint32_t batches = (uint32_t)(works[0].batches < BATCHES_MAX ? works[0].batches : BATCHES_MAX);
    qsort(works[0].batch_ns, batches, sizeof(works[0].batch_ns[0]), by_value);
    printf("{\"operations\": %llu, \"seconds\": %.6f, \"cpu_ns\": %.1f, \"p50_ns\": %.1f, \"min_ns\": %.1f}\n",
           (unsigned long long)total, seconds, total ? cpu_seconds * 1e9 / (double)total : 0.0,
           batches ? works[0].batch_ns[batches / 2] / (double)BATCH : 0.0,
           batches ? works[0].batch_ns[0] / (double)BATCH : 0.0);
    return failed ? 1 : 0;
}
