#include "service/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "winerror.h"

static unsigned count_user(const struct wall_server *server, uid_t user_id)
{
    unsigned count = 0;
    for (const struct wall_connection *c = server->first; c; c = c->next)
        count += c->peer.user_id == user_id;
    return count;
}

static void free_connection(struct wall_connection *connection)
{
    struct wall_server *server = connection->server;
    for (struct wall_connection **link = &server->first; *link; link = &(*link)->next) {
        if (*link == connection) {
            *link = connection->next;
            server->count--;
            break;
        }
    }
    (void)sd_event_source_disable_unref(connection->io);
    (void)sd_event_source_disable_unref(connection->resumed);
    close(connection->fd);
    wall_frame_reader_done(&connection->reader);
    wall_buffer_done(&connection->output);
    free(connection);
}

void wall_connection_close(struct wall_connection *connection, const struct wall_error *err)
{
    if (connection->closing)
        return;
    connection->closing = true;
    struct wall_server *server = connection->server;
    server->events.closed(server->events.context, connection, err);
    if (!connection->running)
        free_connection(connection);
}

// Notifications that wait for the end of the event loop's turn, at most.
#define NOTIFY_BYTES 65536u

static void watch(struct wall_connection *connection)
{
    uint32_t events = connection->output.size ? EPOLLOUT : 0;
    if (!connection->paused)
        events |= EPOLLIN;
    (void)sd_event_source_set_io_events(connection->io, events);
}

// Returns 0 or a negative errno other than EAGAIN.
static int flush(struct wall_connection *connection)
{
    while (connection->output.size) {
        ssize_t n = send(connection->fd, connection->output.data, connection->output.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        wall_buffer_consume(&connection->output, (size_t)n);
    }
    return 0;
}

// Sends what was just queued behind `before` bytes.
static void kick(struct wall_connection *connection, size_t before)
{
    if (before == 0 && flush(connection) == 0 && connection->output.size == 0)
        return;
    watch(connection);  // a broken socket is noticed by the event loop
}

void wall_connection_reply(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                           const void *object)
{
    if (connection->closing)
        return;
    size_t before = connection->output.size;
    int r = wall_message_reply(&connection->output, type, serial, object);
    if (r == -EMSGSIZE || r == -EINVAL)
        r = wall_message_refuse(&connection->output, type, serial, ERROR_NOT_ENOUGH_MEMORY,
                                "the answer does not fit into one message");
    if (r < 0) {
        struct wall_error err;
        (void)wall_error_set(&err, r, "the client does not read its replies");
        wall_connection_close(connection, &err);
        return;
    }
    kick(connection, before);
}

void wall_connection_refuse(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                            uint32_t status, const char *error)
{
    if (connection->closing)
        return;
    size_t before = connection->output.size;
    if (wall_message_refuse(&connection->output, type, serial, status, error) < 0)
        wall_connection_close(connection, NULL);
    else
        kick(connection, before);
}

int wall_connection_request(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                            const void *object)
{
    if (connection->closing)
        return -ENOTCONN;
    size_t before = connection->output.size;
    int r = wall_message_request(&connection->output, type, serial, object);
    if (r == 0)
        kick(connection, before);
    return r;
}

int wall_connection_notify(struct wall_connection *connection, enum wall_message_type type, const void *object)
{
    if (connection->closing)
        return -ENOTCONN;
    size_t before = connection->output.size;
    int r = wall_message_notify(&connection->output, type, object);
    // They often come in crowds: one system call sends all that a turn of the event loop makes.
    if (r == 0 && before < NOTIFY_BYTES && connection->output.size >= NOTIFY_BYTES)
        (void)flush(connection);
    if (r == 0)
        watch(connection);  // a broken socket is noticed by the event loop
    return r;
}

void wall_connection_pause(struct wall_connection *connection)
{
    connection->paused = true;
    watch(connection);
}

// Handles the frames read so far. Returns false when the connection was closed meanwhile.
static bool handle_frames(struct wall_connection *connection)
{
    struct wall_server *server = connection->server;
    connection->running = true;
    while (!connection->closing && !connection->paused) {
        struct wall_frame frame;
        struct wall_error err = {0};
        int r = wall_frame_reader_next(&connection->reader, &frame, &err);
        if (r < 0)
            wall_connection_close(connection, &err);
        if (r <= 0)
            break;
        server->events.frame(server->events.context, connection, &frame);
    }
    connection->running = false;
    if (connection->closing) {
        free_connection(connection);
        return false;
    }
    return true;
}

static int on_resumed(sd_event_source *source, void *context)
{
    struct wall_connection *connection = context;
    if (handle_frames(connection))
        watch(connection);
    return 0;
}

void wall_connection_resume(struct wall_connection *connection)
{
    if (!connection->paused || connection->closing)
        return;
    connection->paused = false;
    (void)sd_event_source_set_enabled(connection->resumed, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *context)
{
    struct wall_connection *connection = context;
    if ((events & EPOLLOUT) && flush(connection) < 0) {
        wall_connection_close(connection, NULL);
        return 0;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        uint8_t bytes[65536];
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
            (n > 0 && wall_frame_reader_feed(&connection->reader, bytes, (size_t)n) < 0)) {
            wall_connection_close(connection, NULL);
            return 0;
        }
        if (!handle_frames(connection))
            return 0;
    }
    watch(connection);
    return 0;
}

static int add_connection(struct wall_server *server, int fd)
{
    struct wall_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return -ENOMEM;
    connection->server = server;
    connection->fd = fd;
    connection->output.limit = WALL_CONNECTION_BACKLOG_MAX;
    int r = wall_account_peer(fd, &connection->peer);
    if (r == 0 && (server->count >= WALL_CONNECTIONS_MAX ||
                   (!connection->peer.may_write &&
                    count_user(server, connection->peer.user_id) >= WALL_CONNECTIONS_PER_USER_MAX)))
        r = -ENOSPC;
    if (r == 0)
        r = sd_event_add_io(server->event, &connection->io, fd, EPOLLIN, on_io, connection);
    if (r >= 0)
        r = sd_event_add_defer(server->event, &connection->resumed, on_resumed, connection);
    if (r >= 0)
        r = sd_event_source_set_enabled(connection->resumed, SD_EVENT_OFF);
    if (r < 0) {
        (void)sd_event_source_disable_unref(connection->io);
        (void)sd_event_source_disable_unref(connection->resumed);
        free(connection);
        return r;
    }
    connection->next = server->first;
    server->first = connection;
    server->count++;
    return 0;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *context)
{
    struct wall_server *server = context;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0 && add_connection(server, client) < 0) {
        server->refused++;
        close(client);
    }
    return 0;
}

int wall_server_start(struct wall_server *server, sd_event *event, int listen_fd,
                      const struct wall_server_events *events)
{
    *server = (struct wall_server){.event = event, .events = *events};
    return sd_event_add_io(event, &server->listener, listen_fd, EPOLLIN, on_accept, server);
}

void wall_server_stop(struct wall_server *server)
{
    server->listener = sd_event_source_disable_unref(server->listener);
    while (server->first)
        wall_connection_close(server->first, NULL);
}
