// Links: one connection to the service, with a thread that reads it. Calls from any thread, at the same time.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/messages.h"

struct wall_link;

// Called on the link's reader thread: they must not wait for a reply on the same link. Any may be NULL.
struct wall_link_events {
    void *context;
    // A notification (serial 0) or a request, which must be answered with wall_link_reply(). `object` belongs to the
    // handler, which releases it with free(); NULL when the message is empty.
    void (*message)(void *context, enum wall_message_type type, uint32_t serial, void *object);
    // The connection is gone; nothing follows. Only after wall_link_open() has succeeded, also for wall_link_close().
    void (*closed)(void *context);
};

// Where the service's socket is: $RINGWALL_RUNTIME_DIR, or /run/ringwall. Programs that run with more rights than
// their caller ignore the variable.
const char *wall_runtime_directory(void);

// Connects, says HELLO, starts the reader. `directory` may be NULL: wall_runtime_directory(). `name` tells the service
// who this is; NULL: the program's own name.
// Returns 0; -ENOENT or -ECONNREFUSED when no service runs there, -EPROTO when it speaks another version, -EACCES,
// -EMFILE, -ENOMEM, … with `err`.
int wall_link_open(const char *directory, enum wall_role role, const char *name, const struct wall_link_events *events,
                   struct wall_link **ret_link, struct wall_error *err);
// Closes the connection: calls under way fail with -ECONNRESET. Waits for the handler that runs, unless called by it.
// No call may start afterwards.
void wall_link_close(struct wall_link *link);

// Makes all calls fail with -ECONNRESET, those under way too. The link remains to be closed.
void wall_link_shutdown(struct wall_link *link);

// Sends a request and waits for its reply: one block for free(), beginning with struct wall_reply.
// Returns 0 whatever the reply's status is; -EFAULT, -EINVAL (the request cannot be encoded, see wall_encode()),
// -EMSGSIZE, -ENOMEM, or -ECONNRESET when the connection is gone.
int wall_link_call(struct wall_link *link, enum wall_message_type type, const void *request, void **ret_reply);
// The same, and runs `serve` meanwhile: once at first, and after each wall_link_wake(), until it returns false.
int wall_link_call_serving(struct wall_link *link, enum wall_message_type type, const void *request,
                           bool (*serve)(void *context), void *context, void **ret_reply);
// Has the calls that serve look for work. From the reader's thread or any other.
void wall_link_wake(struct wall_link *link);
// Sends the reply to a request of the service, or a notification. Returns as wall_link_call().
int wall_link_reply(struct wall_link *link, enum wall_message_type type, uint32_t serial, const void *reply);
int wall_link_refuse(struct wall_link *link, enum wall_message_type type, uint32_t serial, uint32_t status);
int wall_link_notify(struct wall_link *link, enum wall_message_type type, const void *notification);

// Starts a thread that no signal is delivered to: those are the program's. Returns 0 or a negative errno.
int wall_thread_start(void *(*run)(void *), void *argument, pthread_t *ret_thread);
