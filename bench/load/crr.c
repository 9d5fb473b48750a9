// W2: TCP connect, one byte there, one byte back, close. With --server-cpu the server is a process on that CPU.
#include "load.h"

#include <sys/socket.h>
#include <unistd.h>

static void serve(int listener)
{
    for (;;) {
        char byte;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            die("accept");
        get(fd, &byte, 1);
        put(fd, &byte, 1);
        // The client's reset ends the connection.
        if (recv(fd, &byte, 1, 0) > 0)
            die("more than one byte");
        close(fd);
    }
}

static void request_once(int listener, const struct sockaddr_in *address, bool serve_too)
{
    char byte = 1;
    int client = open_client(SOCK_STREAM, address), server = -1;
    put(client, &byte, 1);
    if (serve_too) {
        server = accept(listener, NULL, NULL);
        if (server < 0)
            die("accept");
        get(server, &byte, 1);
        put(server, &byte, 1);
    }
    get(client, &byte, 1);
    reset(client);
    if (serve_too)
        close(server);
}

int crr_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    bool serve_too = options->server_cpu < 0;
    int listener = open_server(SOCK_STREAM, options->port, &address);
    if (!serve_too)
        start_server(options, serve, listener);
    for (int i = 0; i < 20; i++)
        request_once(listener, &address, serve_too);
    samples_begin(&samples, options);
    do
        request_once(listener, &address, serve_too);
    while (samples_add(&samples));
    samples_report(&samples, "");
    return 0;
}
