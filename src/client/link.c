#include "client/link.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RUNTIME_DIRECTORY "/run/ringwall"
#define SOCKET_NAME "api.sock"

// Read at once: a page of an enumeration in a few pieces.
#define READ_SIZE 65536u

// A call that waits, on its caller's stack.
struct pending {
    struct pending *next;
    uint32_t serial;
    enum wall_message_type type;
    bool done;
    int result;
    void *reply;
    pthread_cond_t answered;
};

struct wall_link {
    int fd;
    pid_t process_id;  // a fork's child has no reader thread: its calls fail
    pthread_t reader;
    struct wall_link_events events;
    pthread_mutex_t send_lock;
    pthread_mutex_t lock;  // of what follows
    struct pending *pending;
    uint32_t last_serial;
    uint64_t wakes;
    bool broken;
    bool opened;     // wall_link_open() has succeeded or will
    bool abandoned;  // closed by its own reader, which frees it
};

const char *wall_runtime_directory(void)
{
    const char *directory = secure_getenv("RINGWALL_RUNTIME_DIR");
    return directory && directory[0] ? directory : RUNTIME_DIRECTORY;
}

int wall_thread_start(void *(*run)(void *), void *argument, pthread_t *ret_thread)
{
    sigset_t all, before;
    sigfillset(&all);
    // A fault in a driver's code is reported by its host: blocked, it would end the process without a word.
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGUSR1};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(ret_thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

// --- Connecting ---

// A socket's address holds 107 bytes; longer paths go through a descriptor of the directory.
static int make_address(const char *directory, struct sockaddr_un *ret_address, int *ret_directory_fd)
{
    ret_address->sun_family = AF_UNIX;
    *ret_directory_fd = -1;
    size_t capacity = sizeof(ret_address->sun_path);
    if ((size_t)snprintf(ret_address->sun_path, capacity, "%s/" SOCKET_NAME, directory) < capacity)
        return 0;

    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)snprintf(ret_address->sun_path, capacity, "/proc/self/fd/%d/" SOCKET_NAME, fd);
    *ret_directory_fd = fd;
    return 0;
}

static int connect_socket(const char *directory, int *ret_fd, struct wall_error *err)
{
    struct sockaddr_un address;
    int directory_fd;
    int r = make_address(directory, &address, &directory_fd);
    int fd = r == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (r == 0 && fd < 0)
        r = -errno;
    if (r == 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        r = -errno;
    if (directory_fd >= 0)
        close(directory_fd);
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        const char *advice = r == -ENOENT || r == -ECONNREFUSED ? " (is ringwalld running?)" : "";
        return wall_error_set(err, r, "%s/" SOCKET_NAME ": %s%s", directory, strerror(-r), advice);
    }
    *ret_fd = fd;
    return 0;
}

// --- Sending ---

static int send_all(struct wall_link *link, const uint8_t *data, size_t size)
{
    int r = 0;
    pthread_mutex_lock(&link->send_lock);
    while (size && r == 0) {
        ssize_t n = send(link->fd, data, size, MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno != EINTR) {
            r = -ECONNRESET;
        }
    }
    pthread_mutex_unlock(&link->send_lock);
    if (r < 0)
        shutdown(link->fd, SHUT_RDWR);  // the reader notices and ends every call
    return r;
}

static int send_buffer(struct wall_link *link, struct wall_buffer *buffer, int encoded)
{
    int r = encoded == 0 ? send_all(link, buffer->data, buffer->size) : encoded;
    wall_buffer_done(buffer);
    return r;
}

int wall_link_reply(struct wall_link *link, enum wall_message_type type, uint32_t serial, const void *reply)
{
    struct wall_buffer buffer = { 0 };
    return send_buffer(link, &buffer, wall_message_reply(&buffer, type, serial, reply));
}

int wall_link_refuse(struct wall_link *link, enum wall_message_type type, uint32_t serial, uint32_t status)
{
    struct wall_buffer buffer = { 0 };
    return send_buffer(link, &buffer, wall_message_refuse(&buffer, type, serial, status, NULL));
}

int wall_link_notify(struct wall_link *link, enum wall_message_type type, const void *notification)
{
    struct wall_buffer buffer = { 0 };
    return send_buffer(link, &buffer, wall_message_notify(&buffer, type, notification));
}

// --- Calling ---

static int add_pending(struct wall_link *link, struct pending *pending)
{
    pthread_mutex_lock(&link->lock);
    bool broken = link->broken || link->process_id != getpid();
    if (!broken) {
        if (++link->last_serial == 0)
            link->last_serial = 1;
        pending->serial = link->last_serial;
        pending->next = link->pending;
        link->pending = pending;
    }
    pthread_mutex_unlock(&link->lock);
    return broken ? -ECONNRESET : 0;
}

static void remove_pending(struct wall_link *link, struct pending *pending)
{
    struct pending **at = &link->pending;
    while (*at && *at != pending)
        at = &(*at)->next;
    if (*at)
        *at = pending->next;
}

// With the lock held, which it drops while it serves. A wake that comes meanwhile is not lost.
static void wait_serving(struct wall_link *link, struct pending *pending, bool (*serve)(void *context), void *context)
{
    uint64_t seen = link->wakes;
    bool more = false;
    if (serve) {
        pthread_mutex_unlock(&link->lock);
        more = serve(context);
        pthread_mutex_lock(&link->lock);
    }
    if (!more && !pending->done && seen == link->wakes)
        pthread_cond_wait(&pending->answered, &link->lock);
}

int wall_link_call_serving(struct wall_link *link, enum wall_message_type type, const void *request,
                           bool (*serve)(void *context), void *context, void **ret_reply)
{
    struct pending pending = { .type = type };
    struct wall_buffer buffer = { 0 };
    int r = add_pending(link, &pending);
    if (r < 0)
        return r;

    pthread_cond_init(&pending.answered, NULL);
    r = send_buffer(link, &buffer, wall_message_request(&buffer, type, pending.serial, request));
    pthread_mutex_lock(&link->lock);
    while (r == 0 && !pending.done)
        wait_serving(link, &pending, serve, context);
    remove_pending(link, &pending);
    pthread_mutex_unlock(&link->lock);
    pthread_cond_destroy(&pending.answered);

    if (r == 0)
        r = pending.result;
    if (r == 0)
        *ret_reply = pending.reply;
    else
        free(pending.reply);
    return r;
}

int wall_link_call(struct wall_link *link, enum wall_message_type type, const void *request, void **ret_reply)
{
    return wall_link_call_serving(link, type, request, NULL, NULL, ret_reply);
}

void wall_link_wake(struct wall_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->wakes++;
    for (struct pending *pending = link->pending; pending; pending = pending->next)
        pthread_cond_signal(&pending->answered);
    pthread_mutex_unlock(&link->lock);
}

// --- The reader ---

static void answer(struct wall_link *link, const struct wall_frame *frame, void *object)
{
    pthread_mutex_lock(&link->lock);
    struct pending *pending = link->pending;
    while (pending && (pending->serial != frame->serial || (uint16_t)pending->type != frame->type))
        pending = pending->next;
    if (pending && !pending->done) {
        pending->done = true;
        pending->reply = object;
        object = NULL;
        pthread_cond_signal(&pending->answered);
    }
    pthread_mutex_unlock(&link->lock);
    free(object);
}

// Returns false when the stream is broken.
static bool read_frames(struct wall_link *link, struct wall_frame_reader *reader)
{
    struct wall_frame frame;
    int r;
    while ((r = wall_frame_reader_next(reader, &frame, NULL)) == 1) {
        void *object;
        if (wall_message_decode(&frame, WALL_MESSAGE_TO_CLIENT, &object, NULL) < 0)
            return false;
        if (frame.flags & WALL_FRAME_REPLY)
            answer(link, &frame, object);
        else if (link->events.message)
            link->events.message(link->events.context, frame.type, frame.serial, object);
        else
            free(object);
    }
    return r == 0;
}

// Returns whether the owner of the link has to be told.
static bool fail_pending(struct wall_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->broken = true;
    bool opened = link->opened;
    for (struct pending *pending = link->pending; pending; pending = pending->next) {
        if (pending->done)
            continue;
        pending->done = true;
        pending->result = -ECONNRESET;
        pthread_cond_signal(&pending->answered);
    }
    pthread_mutex_unlock(&link->lock);
    return opened;
}

static void free_link(struct wall_link *link)
{
    close(link->fd);
    pthread_mutex_destroy(&link->lock);
    pthread_mutex_destroy(&link->send_lock);
    free(link);
}

static void *read_link(void *argument)
{
    struct wall_link *link = argument;
    struct wall_frame_reader reader = { 0 };
    uint8_t *bytes = malloc(READ_SIZE);
    bool good = bytes != NULL;
    while (good) {
        ssize_t n = recv(link->fd, bytes, READ_SIZE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        good = n > 0 && wall_frame_reader_feed(&reader, bytes, (size_t)n) == 0 && read_frames(link, &reader);
    }
    free(bytes);
    wall_frame_reader_done(&reader);
    shutdown(link->fd, SHUT_RDWR);
    if (fail_pending(link) && link->events.closed)
        link->events.closed(link->events.context);

    pthread_mutex_lock(&link->lock);
    bool abandoned = link->abandoned;
    pthread_mutex_unlock(&link->lock);
    if (abandoned)
        free_link(link);
    return NULL;
}

// --- Opening and closing ---

static int say_hello(struct wall_link *link, enum wall_role role, const char *name, struct wall_error *err)
{
    struct wall_hello_request request = { .protocol = WALL_PROTOCOL_VERSION,
                                          .role = role,
                                          .process_id = (uint32_t)getpid(),
                                          .name = name ? name : program_invocation_short_name };
    struct wall_hello_reply *reply;
    int r = wall_link_call(link, WALL_MESSAGE_HELLO, &request, (void **)&reply);
    if (r < 0)
        return wall_error_set(err, r, "the service does not answer: %s", strerror(-r));

    if (reply->protocol != WALL_PROTOCOL_VERSION)
        r = wall_error_set(err, -EPROTO, "the service speaks protocol %u, this library %u: restart the service",
                           reply->protocol, WALL_PROTOCOL_VERSION);
    else if (reply->reply.status)
        r = wall_error_set(err, -EACCES, "the service refuses: %s",
                           reply->reply.error ? reply->reply.error : "no reason given");
    free(reply);
    return r;
}

int wall_link_open(const char *directory, enum wall_role role, const char *name, const struct wall_link_events *events,
                   struct wall_link **ret_link, struct wall_error *err)
{
    struct wall_link *link = calloc(1, sizeof(*link));
    if (!link)
        return wall_error_set(err, -ENOMEM, "out of memory");
    int r = connect_socket(directory ? directory : wall_runtime_directory(), &link->fd, err);
    if (r < 0) {
        free(link);
        return r;
    }

    link->process_id = getpid();
    if (events)
        link->events = *events;
    pthread_mutex_init(&link->lock, NULL);
    pthread_mutex_init(&link->send_lock, NULL);
    r = wall_thread_start(read_link, link, &link->reader);
    if (r < 0) {
        free_link(link);
        return wall_error_set(err, r, "a thread cannot be started: %s", strerror(-r));
    }

    r = say_hello(link, role, name, err);
    pthread_mutex_lock(&link->lock);
    if (r == 0 && link->broken)
        r = wall_error_set(err, -ECONNRESET, "the service closed the connection");
    link->opened = r == 0;
    pthread_mutex_unlock(&link->lock);
    if (r < 0) {
        wall_link_close(link);
        return r;
    }
    *ret_link = link;
    return 0;
}

void wall_link_shutdown(struct wall_link *link)
{
    if (link->process_id == getpid())
        shutdown(link->fd, SHUT_RDWR);
}

void wall_link_close(struct wall_link *link)
{
    if (link->process_id != getpid()) {
        free_link(link);  // the connection is the parent's
        return;
    }
    shutdown(link->fd, SHUT_RDWR);
    if (pthread_equal(pthread_self(), link->reader)) {
        pthread_mutex_lock(&link->lock);
        link->abandoned = true;
        pthread_mutex_unlock(&link->lock);
        pthread_detach(link->reader);
        return;
    }
    pthread_join(link->reader, NULL);
    free_link(link);
}
