// W6: --processes programs that try a denied connect() to --port as fast as they can: --count times together, or for
// --seconds. --mode udp: of a UDP socket. A connect() that succeeds is an error.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t try_often(const struct options *options, int type, uint64_t count, uint64_t end)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    address.sin_port = htons(options->port);
    int fd = socket(AF_INET, type, 0);
    uint64_t done = 0;
    while (count ? done < count : now_ns() < end) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            die("a denied connection was permitted");
        done++;
        if (errno == EACCES || errno == EPERM)
            continue;
        if (errno != ECONNABORTED && errno != ECONNREFUSED && errno != ETIMEDOUT)
            die("connect");
        close(fd);  // refused later than at the call: the socket is spent
        fd = socket(AF_INET, type, 0);
    }
    close(fd);
    return done;
}

int denied_run(const struct options *options)
{
    int type = strcmp(options->mode, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, failed = 0, status;
    uint64_t *done = mmap(NULL, (options->processes + 1) * sizeof(*done), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        die("mmap");
    uint64_t begin = now_ns(), end = begin + (uint64_t)(options->seconds * 1e9), total = 0;
    for (uint32_t i = 0; i < options->processes; i++) {
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child == 0) {
            done[i] = try_often(options, type, options->count / options->processes, end);
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
        total += done[i];
    printf("{\"operations\": %llu, \"seconds\": %.6f, \"cpu_ns\": %.1f}\n", (unsigned long long)total, seconds,
           total ? cpu_seconds * 1e9 / (double)total : 0.0);
    return failed ? 1 : 0;
}
