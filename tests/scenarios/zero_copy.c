// Bytes that never pass through the program: sendfile, splice, MSG_ZEROCOPY.
#include "traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#define SIZE 8192

static char data[SIZE];

static int file_of_data(void)
{
    memset(data, 'z', sizeof(data));
    int file = memfd_create("data", MFD_CLOEXEC);
    if (file < 0 || write(file, data, sizeof(data)) != sizeof(data) || lseek(file, 0, SEEK_SET))
        perror("memfd");
    return file;
}

// Connects, sends all of `data` by `transmit`, and reads it back.
static void exchange(const struct target *target, ssize_t (*transmit)(int fd))
{
    char received[SIZE];
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, sockaddr_of(&remote), remote.size)) {
        exchange_failed("connect");
        return;
    }
    print_flow(fd, "tcp", &remote);
    bool good = transmit(fd) == SIZE;
    for (size_t got = 0; good && got < SIZE;) {
        ssize_t n = await_readable(fd, 4 * WAIT_MS) ? recv(fd, received + got, SIZE - got, 0) : 0;
        good = n > 0;
        got += good ? (size_t)n : 0;
    }
    exchange_is(good && !memcmp(data, received, SIZE), "send");
    close(fd);
}

static ssize_t by_sendfile(int fd)
{
    int file = file_of_data();
    ssize_t sent = sendfile(fd, file, NULL, SIZE);
    close(file);
    return sent;
}

static ssize_t by_splice(int fd)
{
    int file = file_of_data(), pipes[2];
    if (pipe(pipes))
        return -1;
    ssize_t size = splice(file, NULL, pipes[1], NULL, SIZE, 0);
    size = size == SIZE ? splice(pipes[0], NULL, fd, NULL, SIZE, 0) : -1;
    close(file);
    return size;
}

static ssize_t by_zero_copy(int fd)
{
    int yes = 1;
    close(file_of_data());
    if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &yes, sizeof(yes)))
        not_here("SO_ZEROCOPY");
    return send(fd, data, SIZE, MSG_ZEROCOPY);
}

static void zero_sendfile(const struct target *target)
{
    exchange(target, by_sendfile);
}

static void zero_splice(const struct target *target)
{
    exchange(target, by_splice);
}

static void zero_message(const struct target *target)
{
    exchange(target, by_zero_copy);
}

const struct scenario zero_copy_scenarios[] = {
    { "sendfile", zero_sendfile },
    { "splice", zero_splice },
    { "zero-copy", zero_message },
    { 0 },
};
