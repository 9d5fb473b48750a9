// W9: opens --count connections, says so, and keeps them until its input ends. Several processes share them, because
// the number of files that one may open is limited.
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOWS_PER_PROCESS 5000u

static void open_flows(uint64_t count)
{
    struct rlimit limit = { FLOWS_PER_PROCESS * 2 + 100, FLOWS_PER_PROCESS * 2 + 100 };
    struct sockaddr_in address;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("setrlimit");
    int listener = open_server(SOCK_STREAM, 0, &address);
    for (uint64_t i = 0; i < count; i++) {
        open_client(SOCK_STREAM, &address);
        if (accept(listener, NULL, NULL) < 0)
            die("accept");
    }
}

static void start_holder(uint64_t count, int ready)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    open_flows(count);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    close(ready);
    for (;;)
        pause();
}

int flows_run(const struct options *options)
{
    int ready[2];
    char byte;
    uint64_t begin = now_ns(), left = options->count, holders = 0, opened = 0;
    if (pipe(ready) < 0)
        die("pipe");
    for (; left > 0; holders++) {
        uint64_t count = left < FLOWS_PER_PROCESS ? left : FLOWS_PER_PROCESS;
        start_holder(count, ready[1]);
        left -= count;
    }
    close(ready[1]);
    while (opened < holders && read(ready[0], &byte, 1) == 1)
        opened++;
    if (opened < holders)
        die("a process failed to open its connections");
    printf("{\"operations\": %llu, \"seconds\": %.6f}\n", (unsigned long long)options->count,
           (double)(now_ns() - begin) / 1e9);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
