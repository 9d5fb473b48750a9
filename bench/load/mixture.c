// W7: is any connection judged by a mixture of two policies? `policy swap` exchanges A for B and back. Both permit the
// ports --port and --port + 1 and block --port + 2, each by another filter of a pair; one filter of A beside the other
// of B would give some port another verdict (rules.c). Counts verdicts that neither policy gives, and reports the
// longest operation. --mode plain: expects no policy, for the stalls that are not the policy's.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_permitted(int listener, const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0)
        die("socket");
    int r = connect(client, (const struct sockaddr *)address, sizeof(*address));
    if (r < 0 && errno != EACCES && errno != EPERM && errno != ECONNABORTED)
        die("connect");
    if (r == 0) {
        int server = accept(listener, NULL, NULL);
        if (server < 0)
            die("accept");
        reset(client);
        close(server);
    } else {
        close(client);
    }
    return r == 0;
}

int mixture_run(const struct options *options)
{
    struct sockaddr_in addresses[3];
    struct samples samples;
    int listeners[3];
    uint64_t wrong = 0, stalls = 0;
    bool plain = strcmp(options->mode, "plain") == 0, more = true;
    for (int i = 0; i < 3; i++)
        listeners[i] = open_server(SOCK_STREAM, (uint16_t)(options->port + i), &addresses[i]);
    samples_begin(&samples, options);
    for (unsigned i = 0; more; i++) {
        wrong += is_permitted(listeners[i % 3], &addresses[i % 3]) != (i % 3 < 2 || plain);
        more = samples_add(&samples);
        stalls += samples.ns[samples.count - 1] > 5000000u;
    }
    char text[80];
    snprintf(text, sizeof(text), ", \"wrong\": %llu, \"stalls_over_5_ms\": %llu", (unsigned long long)wrong,
             (unsigned long long)stalls);
    samples_report(&samples, text);
    return 0;
}
