// Is a connection to --port possible? Listens there by itself, so that nothing but a rule can refuse it. Prints
// "permitted" or "denied" within --seconds.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static bool is_ready(int fd, short events, double seconds)
{
    struct pollfd poll_fd = { .fd = fd, .events = events };
    return poll(&poll_fd, 1, (int)(seconds * 1000)) == 1;
}

int verify_run(const struct options *options)
{
    struct sockaddr_in address;
    int error = 0;
    socklen_t size = sizeof(error);
    int server = open_server(SOCK_STREAM, options->port, &address);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bool good = connect(client, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS;
    if (good)
        good = is_ready(client, POLLOUT, options->seconds) &&
               getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 &&
               is_ready(server, POLLIN, options->seconds);
    puts(good ? "permitted" : "denied");
    return 0;
}
