// W5: 1,000 connections a second arrive; the time is from the peer's connect() to the end of accept().
#include "load.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 1000000u

int accept_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    int listener = open_server(SOCK_STREAM, options->port, &address);
    bool more = true;
    samples_begin(&samples, options);
    uint64_t due = samples.before;
    while (more) {
        sleep_until(due);
        samples.before = now_ns();
        int client = open_client(SOCK_STREAM, &address), server = accept(listener, NULL, NULL);
        if (server < 0)
            die("accept");
        more = samples_add(&samples);
        reset(client);
        close(server);
        due = samples.before + PERIOD_NS;
    }
    samples_report(&samples, "");
    return 0;
}
