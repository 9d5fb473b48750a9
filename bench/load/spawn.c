// W8: fork, exec, connect, exit. Each child is this program started anew. --mode list: prints "pid port" of each on
// the way, the port being the child's.
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int connect_and_end(const struct options *options)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    address.sin_port = htons(options->port);
    open_client(SOCK_STREAM, &address);
    return 0;
}

static void spawn_once(const struct options *options, int listener, const char *port)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    int status;
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        execl("/proc/self/exe", options->program, "spawn", "--mode", "child", "--port", port, (char *)NULL);
        _exit(127);
    }
    if (waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "a child failed: %d\n", status);
        _exit(1);
    }
    int server = accept(listener, (struct sockaddr *)&peer, &size);
    if (server < 0)
        die("accept");
    reset(server);
    if (strcmp(options->mode, "list") == 0)
        printf("%d %d\n", (int)child, ntohs(peer.sin_port));
}

int spawn_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    char port[8];
    bool more = true;
    if (strcmp(options->mode, "child") == 0)
        return connect_and_end(options);
    int listener = open_server(SOCK_STREAM, options->port, &address);
    snprintf(port, sizeof(port), "%d", ntohs(address.sin_port));
    samples_begin(&samples, options);
    while (more) {
        spawn_once(options, listener, port);
        more = samples_add(&samples) && (options->count == 0 || samples.count < options->count);
    }
    samples_report(&samples, "");
    return 0;
}
