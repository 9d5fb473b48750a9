#include "datapath/linux/diagnosis.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "datapath/linux/address.h"
#include "datapath/linux/namespace.h"

// In one call: the kernel answers each that fails, and its answers have to find room in the socket.
#define QUESTIONS_MAX 64u

struct question {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
};

struct answer {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
};

static void set_address(void *field, const uint8_t *address, bool is_ipv4)
{
    memcpy(field, is_ipv4 ? address + 12 : address, is_ipv4 ? 4 : 16);
}

static struct question question_of(const struct wall_socket_name *name, uint16_t type, uint16_t flags)
{
    bool is_ipv4 = name->family == AF_INET && wall_address_is_mapped(name->local_address);
    struct question question = {
        .header = { .nlmsg_len = sizeof(question), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags },
        .request = {
            .sdiag_family = name->family, .sdiag_protocol = name->protocol, .idiag_states = ~0u,
            .id = {
                .idiag_sport = htons(name->local_port), .idiag_dport = htons(name->remote_port),
                .idiag_if = name->bound_interface,
                .idiag_cookie = { (uint32_t)name->cookie, (uint32_t)(name->cookie >> 32) },
            },
        },
    };
    set_address(question.request.id.idiag_src, name->local_address, is_ipv4);
    set_address(question.request.id.idiag_dst, name->remote_address, is_ipv4);
    return question;
}

// Reads an answer. Returns what it says: 0 or -errno; -EAGAIN when there is none.
static int read_answer(const struct wall_namespace *ns)
{
    struct answer answer;
    ssize_t size = recv(ns->diag_fd, &answer, sizeof(answer), 0);
    if (size < 0)
        return -errno;
    if ((size_t)size >= sizeof(answer.header) && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
        return 0;
    if ((size_t)size < offsetof(struct answer, rest) || answer.header.nlmsg_type != NLMSG_ERROR)
        return -EBADMSG;
    return answer.error.error;
}

static int ask(const struct wall_namespace *ns, const struct wall_socket_name *name, uint16_t type, uint16_t flags)
{
    const struct question question = question_of(name, type, flags);
    return send(ns->diag_fd, &question, sizeof(question), 0) < 0 ? -errno : read_answer(ns);
}

int wall_socket_destroy(const struct wall_namespace *ns, const struct wall_socket_name *name)
{
    return ask(ns, name, SOCK_DESTROY, NLM_F_ACK);
}

int wall_socket_exists(const struct wall_namespace *ns, const struct wall_socket_name *name)
{
    return ask(ns, name, SOCK_DIAG_BY_FAMILY, 0);
}

uint32_t wall_sockets_destroy(const struct wall_namespace *ns, const struct wall_socket_name *names, uint32_t count)
{
    struct question questions[QUESTIONS_MAX];
    uint32_t destroyed = 0;
    while (count) {
        uint32_t now = count < QUESTIONS_MAX ? count : QUESTIONS_MAX;
        for (uint32_t i = 0; i < now; i++)
            questions[i] = question_of(&names[i], SOCK_DESTROY, 0);
        if (send(ns->diag_fd, questions, now * sizeof(*questions), 0) < 0)
            break;
        destroyed += now;
        while (read_answer(ns) != -EAGAIN)  // what has not succeeded, by now
            destroyed--;
        names += now;
        count -= now;
    }
    return destroyed;
}
