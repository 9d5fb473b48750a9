// One of the programs of ask_storm: connects, talks, tells the result.
//
//   ask_child INDEX tcp|udp 4|6 HOST PORT
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "ask_child.h"

#define PATIENCE_SECONDS 120

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static int converse(int fd, int index, bool datagrams, const struct sockaddr *address, socklen_t size)
{
    char text[32], reply[32];
    int length = snprintf(text, sizeof(text), "hello from %d", index);
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, address, size) < 0 || send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        return errno;
    if (datagrams && send(fd, "second", 6, 0) != 6)
        return errno;
    ssize_t n = recv(fd, reply, sizeof(reply), 0);
    if (n < 0)
        return errno;
    if (n != length || memcmp(reply, text, (size_t)length) != 0)
        return EBADMSG;
    // The second datagram, held as well, comes after the first.
    if (datagrams && (recv(fd, reply, sizeof(reply), 0) != 6 || memcmp(reply, "second", 6) != 0))
        return EBADMSG;
    return 0;
}

// Does once what follows the answer: that a program's own pages come to be there is not to be counted.
static void rehearse(void)
{
    char text[32];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0 || send(ends[0], "first", 6, MSG_NOSIGNAL) != 6 ||
        recv(ends[1], text, sizeof(text), 0) != 6 || memcmp(text, "first", 6) != 0 || now_ns() == 0)
        exit(1);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **words)
{
    if (argc != 6)
        return 2;
    rehearse();
    bool datagrams = strcmp(words[2], "udp") == 0, v6 = words[3][0] == '6';
    struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)number(words[5]))};
    struct sockaddr_in address4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(words[5]))};
    struct result result = {.index = number(words[1])};
    (void)inet_pton(v6 ? AF_INET6 : AF_INET, words[4], v6 ? (void *)&address6.sin6_addr : (void *)&address4.sin_addr);
    int fd = socket(v6 ? AF_INET6 : AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    result.error = converse(fd, result.index, datagrams, v6 ? (void *)&address6 : (void *)&address4,
                            v6 ? sizeof(address6) : sizeof(address4));
    result.first_byte_ns = now_ns();
    return write(STDOUT_FILENO, &result, sizeof(result)) == sizeof(result) ? 0 : 1;
}
