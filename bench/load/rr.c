// W3: one byte there, one byte back on one established connection. With --server-cpu the server is a process there.
#include "load.h"

#include <sys/socket.h>
#include <unistd.h>

static void serve(int listener)
{
    char byte;
    int fd = accept(listener, NULL, NULL);
    while (fd >= 0 && recv(fd, &byte, 1, 0) == 1)
        put(fd, &byte, 1);
}

int rr_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    char byte = 1;
    int listener = open_server(SOCK_STREAM, options->port, &address), server = -1;
    if (options->server_cpu >= 0)
        start_server(options, serve, listener);
    int client = open_client(SOCK_STREAM, &address);
    if (options->server_cpu < 0 && (server = accept(listener, NULL, NULL)) < 0)
        die("accept");
    samples_begin(&samples, options);
    do {
        put(client, &byte, 1);
        if (server >= 0) {
            get(server, &byte, 1);
            put(server, &byte, 1);
        }
        get(client, &byte, 1);
    } while (samples_add(&samples));
    samples_report(&samples, "");
    reset(client);
    return 0;
}
