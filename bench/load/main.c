// The load generator: `load WORKLOAD [OPTION]...`, one file per workload. It enters a cgroup and a network namespace
// by itself, talks to 127.0.0.1 only, and prints one line of JSON.
//
//   --seconds S --count N --cpu N --server-cpu N --processes N --port N --mode WORD --cgroup FOLDER --netns FILE
//   --rate N --slices
#include "load.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(const struct options *options);
} workloads[] = {
    { "connect", connect_run }, { "crr", crr_run },       { "rr", rr_run },         { "stream", stream_run },
    { "udp", udp_run },         { "accept", accept_run }, { "flood", flood_run },   { "denied", denied_run },
    { "spawn", spawn_run },     { "flows", flows_run },   { "mixture", mixture_run }, { "serve", serve_run },
    { "verify", verify_run },
};

static void enter_cgroup(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        die(path);
    close(fd);
}

static void enter_namespace(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        die(file);
    close(fd);
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s WORKLOAD [--seconds S] [--count N] [--cpu N] [--server-cpu N] [--processes N]\n"
                    "       [--port N] [--mode WORD] [--cgroup FOLDER] [--netns FILE] [--rate N]\n"
                    "       [--slices]\nworkloads:", program);
    for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
        fprintf(stderr, " %s", workloads[i].name);
    fputc('\n', stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "seconds", 1, NULL, 's' },    { "count", 1, NULL, 'n' },     { "cpu", 1, NULL, 'c' },
        { "server-cpu", 1, NULL, 'C' }, { "processes", 1, NULL, 'p' }, { "port", 1, NULL, 'P' },
        { "mode", 1, NULL, 'm' },       { "cgroup", 1, NULL, 'g' },    { "netns", 1, NULL, 'N' },
        { "rate", 1, NULL, 'r' },       { "slices", 0, NULL, 'S' },    { 0 },
    };
    struct options options = { .seconds = 1, .cpu = -1, .server_cpu = -1, .processes = 1, .mode = "" };
    options.program = argv[0];
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seconds = strtod(optarg, NULL);
            break;
        case 'n':
            options.count = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            options.cpu = (int)strtol(optarg, NULL, 10);
            break;
        case 'C':
            options.server_cpu = (int)strtol(optarg, NULL, 10);
            break;
        case 'p':
            options.processes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'P':
            options.port = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'm':
            options.mode = optarg;
            break;
        case 'g':
            enter_cgroup(optarg);
            break;
        case 'N':
            enter_namespace(optarg);
            break;
        case 'r':
            options.rate = strtoull(optarg, NULL, 10);
            break;
        case 'S':
            options.slices = true;
            break;
        default:
            return usage(argv[0]);
        }
    }
    for (size_t i = 0; optind + 1 == argc && i < sizeof(workloads) / sizeof(workloads[0]); i++) {
        if (strcmp(argv[optind], workloads[i].name) == 0) {
            pin(options.cpu);
            return workloads[i].run(&options);
        }
    }
    return usage(argv[0]);
}
