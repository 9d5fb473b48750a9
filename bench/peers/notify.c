// P7: seccomp user notification: `notify CPU DENIED_PORT COMMAND...` runs the command with connect() reported to this
// process (on CPU), which reads the address, and lets it continue or refuses it.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int send_fd(int socket, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec byte = { "f", 1 };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control };
    message.msg_controllen = sizeof(control);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int receive_fd(int socket)
{
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control };
    message.msg_controllen = sizeof(control);
    int fd = -1;
    if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

static void run_command(int socket, char **command)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter || seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(connect), 0) < 0 || seccomp_load(filter) < 0 ||
        send_fd(socket, seccomp_notify_fd(filter)) < 0) {
        perror("seccomp");
        _exit(127);
    }
    execvp(command[0], command);
    _exit(127);
}

static void answer(const struct seccomp_notif *request, struct seccomp_notif_resp *response, uint16_t denied_port)
{
    struct sockaddr_in address = { 0 };
    struct iovec here = { &address, sizeof(address) };
    struct iovec there = { (void *)(uintptr_t)request->data.args[1], sizeof(address) };
    *response = (struct seccomp_notif_resp){ .id = request->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
    if (process_vm_readv((pid_t)request->pid, &here, 1, &there, 1, 0) != sizeof(address) ||
        ntohs(address.sin_port) == denied_port) {
        response->flags = 0;
        response->error = -EACCES;
    }
}

int main(int argc, char **argv)
{
    struct seccomp_notif *request;
    struct seccomp_notif_resp *response;
    int pair[2], status;
    if (argc < 4 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
        seccomp_notify_alloc(&request, &response) < 0)
        return 2;
    pid_t child = fork();
    if (child == 0)
        run_command(pair[1], argv + 3);
    close(pair[1]);
    int fd = receive_fd(pair[0]);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(strtoul(argv[1], NULL, 10), &cpus);
    if (fd < 0 || sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
        return 1;
    // Fails with ENOENT when the command has ended.
    while (seccomp_notify_receive(fd, request) == 0) {
        answer(request, response, (uint16_t)strtoul(argv[2], NULL, 10));
        seccomp_notify_respond(fd, response);
        memset(request, 0, sizeof(*request));
    }
    if (waitpid(child, &status, 0) < 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
