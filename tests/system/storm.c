// Many short-lived programs at once: argv: COUNT ADDRESS PORT. Each child is this program started anew (exec), connects
// once, prints "pid local-port" and exits. The parent prints nothing itself and waits for all.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int connect_once(const char *address, const char *port)
{
    struct sockaddr_storage peer = {0}, local = {0};
    socklen_t size = sizeof(struct sockaddr_in), local_size = sizeof(local);
    struct sockaddr_in *four = (struct sockaddr_in *)&peer;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&peer;
    if (strchr(address, ':')) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)strtol(port, NULL, 10));
        size = sizeof(*six);
        if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
            return 2;
    } else {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)strtol(port, NULL, 10));
        if (inet_pton(AF_INET, address, &four->sin_addr) != 1)
            return 2;
    }
    int fd = socket(peer.ss_family, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&peer, size) < 0) {
        perror("connect");
        return 1;
    }
    if (getsockname(fd, (struct sockaddr *)&local, &local_size) < 0)
        return 1;
    unsigned local_port = ntohs(local.ss_family == AF_INET ? ((struct sockaddr_in *)&local)->sin_port
                                                           : ((struct sockaddr_in6 *)&local)->sin6_port);
    char line[64];
    int bytes = snprintf(line, sizeof(line), "%d %u\n", (int)getpid(), local_port);
    return write(STDOUT_FILENO, line, (size_t)bytes) == bytes ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return connect_once(argv[1], argv[2]);
    if (argc != 4)
        return 2;
    int count = (int)strtol(argv[1], NULL, 10), failed = 0, status;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", argv[0], argv[2], argv[3], (char *)NULL);
            _exit(127);
        }
        failed += child < 0;
    }
    while (wait(&status) > 0)
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failed ? 1 : 0;
}
