// Connections: clients on the API socket. Reads and writes frames, knows the peer, enforces the limits; what the
// frames mean is the business of the server's handler.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "host/account.h"
#include "wire/messages.h"

struct wall_connection;

struct wall_server_events {
    void *context;
    // One frame arrived. The handler may close the connection, or pause it until a late reply has been sent.
    void (*frame)(void *context, struct wall_connection *connection, const struct wall_frame *frame);
    // The connection is being closed, for whatever reason; it is freed after this call. `err` may be NULL.
    void (*closed)(void *context, struct wall_connection *connection, const struct wall_error *err);
};

// Connections at once; further ones are closed at accept and counted.
#define WALL_CONNECTIONS_MAX 4096u
// Of one user that may not change anything, so that nobody can keep the others out.
#define WALL_CONNECTIONS_PER_USER_MAX 256u
// Bytes waiting for a slow reader. Streams (monitor) drop records and count them; any other connection is closed.
#define WALL_CONNECTION_BACKLOG_MAX (8u << 20)

struct wall_server {
    sd_event *event;
    sd_event_source *listener;
    struct wall_server_events events;
    struct wall_connection *first;
    unsigned count;
    uint64_t refused;
};

struct wall_connection {
    struct wall_connection *next;
    struct wall_server *server;
    int fd;
    struct wall_peer peer;
    sd_event_source *io, *resumed;
    struct wall_frame_reader reader;
    struct wall_buffer output;
    bool paused;   // frames stay unread until wall_connection_resume()
    bool closing;  // to be freed once the current callback has returned
    bool running;  // inside the frame handler
    void *state;   // the handler's
};

// Takes `listen_fd` over for watching only; the caller closes it.
int wall_server_start(struct wall_server *server, sd_event *event, int listen_fd,
                      const struct wall_server_events *events);
void wall_server_stop(struct wall_server *server);  // closes all connections

// Queue a message and send what the socket takes at once. `object` as in wire/messages.h; NULL: empty.
// A reply that cannot be sent becomes a refusal; a peer that does not read its replies is closed.
void wall_connection_reply(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                           const void *object);
void wall_connection_refuse(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                            uint32_t status, const char *error);
// Return 0, -ENOBUFS when the backlog is full, -EMSGSIZE, -EINVAL or -ENOMEM; then nothing was queued.
int wall_connection_request(struct wall_connection *connection, enum wall_message_type type, uint32_t serial,
                            const void *object);
int wall_connection_notify(struct wall_connection *connection, enum wall_message_type type, const void *object);
void wall_connection_pause(struct wall_connection *connection);
// Goes on with the frames that came meanwhile, from the event loop.
void wall_connection_resume(struct wall_connection *connection);
// Closes as soon as the current callback has returned. `err` (may be NULL) is told to `closed`.
void wall_connection_close(struct wall_connection *connection, const struct wall_error *err);
