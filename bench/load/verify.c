// Is a connection to --port possible? Listens there by itself, so that nothing but a rule can refuse it. --mode udp: is
// a datagram delivered? Prints "permitted" or "denied" within --seconds.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool is_ready(int fd, short events, double seconds)
{
    struct pollfd poll_fd = { .fd = fd, .events = events };
    return poll(&poll_fd, 1, (int)(seconds * 1000)) == 1;
}

int verify_run(const struct options *options)
{
    struct sockaddr_in address;
    int type = strcmp(options->mode, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, error = 0;
    socklen_t size = sizeof(error);
    int server = open_server(type, options->port, &address), client = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    bool good = connect(client, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS;
    if (good && type == SOCK_STREAM)
        good = is_ready(client, POLLOUT, options->seconds) &&
               getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 &&
               is_ready(server, POLLIN, options->seconds);
    else if (good)
        good = send(client, "x", 1, 0) == 1 && is_ready(server, POLLIN, options->seconds);
    puts(good ? "permitted" : "denied");
    return 0;
}
