#include "datapath/linux/survey.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "datapath/linux/hooks.h"

// Tells them, those of each namespace together.
static void tell(const struct wall_survey_socket *sockets, size_t count, wall_survey_blocked *blocked, void *context)
{
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && sockets[end].netns_cookie == sockets[begin].netns_cookie; end++)
            ;
        blocked(context, &sockets[begin], (uint32_t)(end - begin));
    }
}

// Reads all the survey writes. A read ends in the middle of nothing: the kernel hands out whole records as far as they
// fit, and what a program writes at once is one record.
static int read_sockets(int fd, wall_survey_blocked *blocked, void *context)
{
    struct wall_survey_socket sockets[WALL_SURVEY_SOCKETS_MAX];
    size_t filled = 0;
    for (;;) {
        ssize_t size = read(fd, (char *)sockets + filled, sizeof(sockets) - filled);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size <= 0)
            return size < 0 ? -errno : 0;
        filled += (size_t)size;
        size_t count = filled / sizeof(sockets[0]);
        if (blocked)
            tell(sockets, count, blocked, context);
        filled -= count * sizeof(sockets[0]);
        memmove(sockets, &sockets[count], filled);
    }
}

static int run(struct wall_hooks *hooks, enum wall_survey_purpose purpose, wall_survey_blocked *blocked, void *context,
               struct wall_error *err)
{
    int link = bpf_link_create(hooks->survey_program_fd, 0, BPF_TRACE_ITER, NULL);
    if (link < 0)
        return wall_error_set(err, -errno, "open sockets cannot be looked at: %s", strerror(errno));
    int fd = bpf_iter_create(link);
    int r = fd < 0 ? -errno : 0;
    if (r == 0) {
        __atomic_store_n(&hooks->state->survey, purpose, __ATOMIC_RELEASE);
        r = read_sockets(fd, blocked, context);
        close(fd);
    }
    close(link);
    return r < 0 ? wall_error_set(err, r, "open sockets cannot be looked at: %s", strerror(-r)) : 0;
}

int wall_survey_owners(struct wall_hooks *hooks, struct wall_error *err)
{
    return run(hooks, WALL_SURVEY_OWNERS, NULL, NULL, err);
}

int wall_survey_flows(struct wall_hooks *hooks, wall_survey_blocked *blocked, void *context, struct wall_error *err)
{
    return run(hooks, WALL_SURVEY_FLOWS, blocked, context, err);
}
