// W4: a datagram of 64 bytes, sent and received by one thread. --mode connected, unconnected (sendto), one-shot (a new
// socket for each, as for a name query), or connect (only connect() of a UDP socket: no packet at all).
#include "load.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char datagram[64];

static void send_to(int fd, const struct sockaddr_in *address)
{
    if (sendto(fd, datagram, sizeof(datagram), 0, (const struct sockaddr *)address, sizeof(*address)) !=
        sizeof(datagram))
        die("sendto");
}

static void send_one_shot(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        die("socket");
    send_to(fd, address);
    close(fd);
}

int udp_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    char received[sizeof(datagram)];
    bool only_connect = strcmp(options->mode, "connect") == 0, one_shot = strcmp(options->mode, "one-shot") == 0;
    bool connected = strcmp(options->mode, "connected") == 0;
    int server = open_server(SOCK_DGRAM, options->port, &address), client = socket(AF_INET, SOCK_DGRAM, 0);
    if (client < 0 || ((connected || only_connect) &&
                       connect(client, (const struct sockaddr *)&address, sizeof(address)) < 0))
        die("connect");
    samples_begin(&samples, options);
    do {
        if (only_connect) {
            if (connect(client, (const struct sockaddr *)&address, sizeof(address)) < 0)
                die("connect");
            continue;
        }
        if (connected)
            put(client, datagram, sizeof(datagram));
        else if (one_shot)
            send_one_shot(&address);
        else
            send_to(client, &address);
        get(server, received, sizeof(received));
    } while (samples_add(&samples));
    samples_report(&samples, "");
    return 0;
}
