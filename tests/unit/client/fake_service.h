// A service for tests: answers the frames of any number of connections as the test says.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "wire/messages.h"

struct fake_connection {
    struct fake_connection *next;
    struct fake_service *service;
    int fd;
    pthread_t thread;
    uint32_t role;
};

struct fake_service {
    char directory[64];  // the runtime directory, also in $RINGWALL_RUNTIME_DIR
    int listen_fd;
    pthread_t thread;
    pthread_mutex_t lock, handle_lock;
    struct fake_connection *connections;
    uint32_t protocol;  // told in HELLO's reply
    unsigned hello_count;

    // Called for every frame but HELLO, one at a time, on its connection's thread. Returns false to have the request
    // answered with a zeroed reply. `object` is freed afterwards.
    bool (*handle)(struct fake_connection *connection, const struct wall_frame *frame, void *object);
    void *context;
};

void fake_service_start(struct fake_service *service);
void fake_service_stop(struct fake_service *service);  // closes all connections, as a service that dies
// Closes the connections only.
void fake_service_drop(struct fake_service *service);

void fake_reply(struct fake_connection *connection, const struct wall_frame *frame, const void *reply);
void fake_refuse(struct fake_connection *connection, const struct wall_frame *frame, uint32_t status, const char *text);
void fake_notify(struct fake_connection *connection, enum wall_message_type type, const void *object);
void fake_request(struct fake_connection *connection, enum wall_message_type type, uint32_t serial, const void *object);
// Bytes that are no frame.
void fake_garbage(struct fake_connection *connection);
