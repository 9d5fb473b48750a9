// io_uring: no socket call is made by the program, and with SQPOLL not even by its threads.
#include "traffic.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
    int fd;
    unsigned char *queues;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *results;
    unsigned *tail, *index, *result_head, *result_tail;
    unsigned mask, result_mask, flags;
};

static struct ring ring_open(unsigned flags)
{
    struct io_uring_params params = { .flags = flags, .sq_thread_idle = 1000 };
    struct ring ring = { .fd = (int)syscall(SYS_io_uring_setup, 4, &params), .flags = flags };
    if (ring.fd < 0)
        not_here("io_uring_setup");
    size_t results = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size_t requests = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    ring.queues = mmap(NULL, results > requests ? results : requests, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
                       IORING_OFF_SQ_RING);
    ring.entries = mmap(NULL, params.sq_entries * sizeof(*ring.entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
                        IORING_OFF_SQES);
    if (ring.queues == MAP_FAILED || ring.entries == MAP_FAILED || !(params.features & IORING_FEAT_SINGLE_MMAP))
        not_here("io_uring");
    ring.tail = (unsigned *)(ring.queues + params.sq_off.tail);
    ring.index = (unsigned *)(ring.queues + params.sq_off.array);
    ring.mask = *(unsigned *)(ring.queues + params.sq_off.ring_mask);
    ring.results = (struct io_uring_cqe *)(ring.queues + params.cq_off.cqes);
    ring.result_head = (unsigned *)(ring.queues + params.cq_off.head);
    ring.result_tail = (unsigned *)(ring.queues + params.cq_off.tail);
    ring.result_mask = *(unsigned *)(ring.queues + params.cq_off.ring_mask);
    return ring;
}

// Does one request and waits for it. Returns its result; negative: sets errno.
static int ring_do(struct ring *ring, const struct io_uring_sqe *request)
{
    unsigned tail = *ring->tail, flags = IORING_ENTER_GETEVENTS;
    int result = 0;
    bool more = true;
    ring->entries[tail & ring->mask] = *request;
    ring->index[tail & ring->mask] = tail & ring->mask;
    __atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
    if (ring->flags & IORING_SETUP_SQPOLL)
        flags |= IORING_ENTER_SQ_WAKEUP;
    for (unsigned submit = 1; more; submit = 0) {
        if (syscall(SYS_io_uring_enter, ring->fd, submit, 1, flags, NULL, 0) < 0)
            return -1;
        unsigned head = *ring->result_head;
        if (head == __atomic_load_n(ring->result_tail, __ATOMIC_ACQUIRE))
            continue;
        struct io_uring_cqe *answer = &ring->results[head & ring->result_mask];
        more = answer->flags & IORING_CQE_F_MORE;
        if (!(answer->flags & IORING_CQE_F_NOTIF))
            result = answer->res;
        __atomic_store_n(ring->result_head, head + 1, __ATOMIC_RELEASE);
    }
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

// `send_opcode` and back, by requests only. `how`: flags of every request.
static void echo_by_ring(struct ring *ring, const struct end *remote, int send_opcode, unsigned char how)
{
    char received[1000], sent[1000];
    memset(sent, 'u', sizeof(sent));
    int fd = socket(remote->address.ss_family, SOCK_STREAM, 0);
    struct io_uring_sqe request = { .opcode = IORING_OP_CONNECT, .flags = how, .fd = fd,
                                    .addr = (uintptr_t)&remote->address, .off = remote->size };
    if (ring_do(ring, &request)) {
        exchange_failed("io_uring connect");
        return;
    }
    print_flow(fd, "tcp", remote);
    request = (struct io_uring_sqe){ .opcode = (unsigned char)send_opcode, .flags = how, .fd = fd,
                                     .addr = (uintptr_t)sent, .len = sizeof(sent), .msg_flags = MSG_NOSIGNAL };
    if (ring_do(ring, &request) != (int)sizeof(sent)) {
        exchange_failed("io_uring send");
        return;
    }
    request = (struct io_uring_sqe){ .opcode = IORING_OP_RECV, .flags = how, .fd = fd, .addr = (uintptr_t)received,
                                     .len = sizeof(received), .msg_flags = MSG_WAITALL };
    exchange_is(ring_do(ring, &request) == (int)sizeof(received) && !memcmp(sent, received, sizeof(sent)),
                "io_uring recv");
    close(fd);
}

static void uring_tcp(const struct target *target)
{
    struct ring ring = ring_open(0);
    struct end remote = end_of(target->address4, TCP_PORT);
    echo_by_ring(&ring, &remote, IORING_OP_SEND, 0);
    echo_by_ring(&ring, &remote, IORING_OP_SEND, IOSQE_ASYNC);  // by a worker thread of the kernel
}

static void uring_polled(const struct target *target)
{
    struct ring ring = ring_open(IORING_SETUP_SQPOLL);
    struct end remote = end_of(target->address4, TCP_PORT);
    echo_by_ring(&ring, &remote, IORING_OP_SEND, 0);
}

static void uring_zero_copy(const struct target *target)
{
    struct ring ring = ring_open(0);
    struct end remote = end_of(target->address4, TCP_PORT);
    echo_by_ring(&ring, &remote, IORING_OP_SEND_ZC, 0);
}

static void uring_udp(const struct target *target)
{
    static const char hello[] = "hello by ring";
    static const unsigned char ways[] = { 0, IOSQE_ASYNC };
    struct ring ring = ring_open(0);
    struct end remote = end_of(target->address4, UDP_PORT);
    struct iovec part = { (void *)hello, sizeof(hello) };
    struct msghdr message = {
        .msg_name = &remote.address, .msg_namelen = remote.size, .msg_iov = &part, .msg_iovlen = 1
    };
    for (size_t way = 0; way < sizeof(ways); way++) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        struct io_uring_sqe request = { .opcode = IORING_OP_SENDMSG, .flags = ways[way], .fd = fd,
                                        .addr = (uintptr_t)&message, .len = 1 };
        bool good = false;
        for (int i = 0; i < ATTEMPTS && !good; i++) {
            if (ring_do(&ring, &request) < 0)
                break;
            if (i == 0)
                print_flow(fd, "udp", &remote);
            good = receive_datagram(fd, hello, sizeof(hello));
        }
        exchange_is(good, "io_uring sendmsg");
        close(fd);
    }
}

const struct scenario uring_scenarios[] = {
    { "uring-tcp", uring_tcp },
    { "uring-polled", uring_polled },
    { "uring-zero-copy", uring_zero_copy },
    { "uring-udp", uring_udp },
    { 0 },
};
