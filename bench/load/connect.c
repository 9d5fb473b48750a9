// W1: TCP connect + accept + close, client and server in one thread, so that the time is all of the cost.
#include "load.h"

#include <sys/socket.h>
#include <unistd.h>

static void connect_once(int listener, const struct sockaddr_in *address)
{
    int client = open_client(SOCK_STREAM, address);
    int server = accept(listener, NULL, NULL);
    if (server < 0)
        die("accept");
    reset(client);
    close(server);
}

int connect_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    int listener = open_server(SOCK_STREAM, options->port, &address);
    for (int i = 0; i < 20; i++)
        connect_once(listener, &address);
    samples_begin(&samples, options);
    uint64_t begin = samples.before;
    do {
        connect_once(listener, &address);
        if (options->rate && samples.count % 32 == 0)
            sleep_until(begin + samples.count * 1000000000ull / options->rate);
    } while (samples_add(&samples) && (options->count == 0 || samples.count < options->count));
    samples_report(&samples, "");
    return 0;
}
