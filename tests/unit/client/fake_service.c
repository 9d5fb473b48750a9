#include "fake_service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void send_buffer(struct fake_connection *connection, struct wall_buffer *buffer, int encoded)
{
    assert(encoded == 0);
    for (size_t at = 0; at < buffer->size;) {
        ssize_t n = send(connection->fd, buffer->data + at, buffer->size - at, MSG_NOSIGNAL);
        if (n < 0)
            break;
        at += (size_t)n;
    }
    wall_buffer_done(buffer);
}

void fake_reply(struct fake_connection *connection, const struct wall_frame *frame, const void *reply)
{
    struct wall_buffer buffer = { 0 };
    send_buffer(connection, &buffer, wall_message_reply(&buffer, frame->type, frame->serial, reply));
}

void fake_refuse(struct fake_connection *connection, const struct wall_frame *frame, uint32_t status, const char *text)
{
    struct wall_buffer buffer = { 0 };
    send_buffer(connection, &buffer, wall_message_refuse(&buffer, frame->type, frame->serial, status, text));
}

void fake_notify(struct fake_connection *connection, enum wall_message_type type, const void *object)
{
    struct wall_buffer buffer = { 0 };
    send_buffer(connection, &buffer, wall_message_notify(&buffer, type, object));
}

void fake_request(struct fake_connection *connection, enum wall_message_type type, uint32_t serial, const void *object)
{
    struct wall_buffer buffer = { 0 };
    send_buffer(connection, &buffer, wall_message_request(&buffer, type, serial, object));
}

void fake_garbage(struct fake_connection *connection)
{
    static const char garbage[64] = "HTTP/1.1 400 Bad Request";
    (void)!send(connection->fd, garbage, sizeof(garbage), MSG_NOSIGNAL);
}

static void handle(struct fake_connection *connection, const struct wall_frame *frame)
{
    struct fake_service *service = connection->service;
    void *object = NULL;
    int r = wall_message_decode(frame, WALL_MESSAGE_TO_SERVICE, &object, NULL);
    assert(r == 0);
    if (frame->type == WALL_MESSAGE_HELLO) {
        connection->role = ((struct wall_hello_request *)object)->role;
        pthread_mutex_lock(&service->lock);
        service->hello_count++;
        pthread_mutex_unlock(&service->lock);
        fake_reply(connection, frame, &(struct wall_hello_reply){ .protocol = service->protocol, .version = "fake" });
    } else {
        pthread_mutex_lock(&service->handle_lock);
        bool answered = service->handle && service->handle(connection, frame, object);
        pthread_mutex_unlock(&service->handle_lock);
        if (!answered && !(frame->flags & WALL_FRAME_REPLY) && !wall_message_find(frame->type)->notification)
            fake_refuse(connection, frame, 0, NULL);
    }
    free(object);
}

static void *serve(void *argument)
{
    struct fake_connection *connection = argument;
    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    char bytes[8192];
    ssize_t n;
    while ((n = recv(connection->fd, bytes, sizeof(bytes), 0)) > 0) {
        int r = wall_frame_reader_feed(&reader, bytes, (size_t)n);
        assert(r == 0);
        while ((r = wall_frame_reader_next(&reader, &frame, NULL)) == 1)
            handle(connection, &frame);
        assert(r == 0);
    }
    shutdown(connection->fd, SHUT_RDWR);
    wall_frame_reader_done(&reader);
    return NULL;
}

static void *accept_all(void *argument)
{
    struct fake_service *service = argument;
    int fd;
    while ((fd = accept(service->listen_fd, NULL, NULL)) >= 0) {
        struct fake_connection *connection = calloc(1, sizeof(*connection));
        connection->service = service;
        connection->fd = fd;
        pthread_mutex_lock(&service->lock);
        connection->next = service->connections;
        service->connections = connection;
        pthread_create(&connection->thread, NULL, serve, connection);
        pthread_mutex_unlock(&service->lock);
    }
    return NULL;
}

void fake_service_start(struct fake_service *service)
{
    if (!service->directory[0]) {
        snprintf(service->directory, sizeof(service->directory), "/tmp/rw-wire-XXXXXX");
        char *made = mkdtemp(service->directory);
        assert(made);
    }
    (void)mkdir(service->directory, 0700);  // the one of an earlier service
    setenv("RINGWALL_RUNTIME_DIR", service->directory, 1);
    if (!service->protocol)
        service->protocol = WALL_PROTOCOL_VERSION;

    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/api.sock", service->directory);
    unlink(address.sun_path);
    service->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = bind(service->listen_fd, (struct sockaddr *)&address, sizeof(address));
    assert(r == 0);
    r = listen(service->listen_fd, 16);
    assert(r == 0);
    pthread_mutex_init(&service->lock, NULL);
    pthread_mutex_init(&service->handle_lock, NULL);
    pthread_create(&service->thread, NULL, accept_all, service);
}

void fake_service_drop(struct fake_service *service)
{
    pthread_mutex_lock(&service->lock);
    for (struct fake_connection *connection = service->connections; connection; connection = connection->next)
        shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_unlock(&service->lock);
}

void fake_service_stop(struct fake_service *service)
{
    shutdown(service->listen_fd, SHUT_RDWR);
    pthread_join(service->thread, NULL);
    close(service->listen_fd);
    fake_service_drop(service);
    while (service->connections) {
        struct fake_connection *connection = service->connections;
        service->connections = connection->next;
        pthread_join(connection->thread, NULL);
        close(connection->fd);
        free(connection);
    }
    char path[96];
    snprintf(path, sizeof(path), "%s/api.sock", service->directory);
    unlink(path);
    rmdir(service->directory);
    service->directory[0] = '\0';
    pthread_mutex_destroy(&service->lock);
    pthread_mutex_destroy(&service->handle_lock);
}
