#include "support/service_lab.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct wall_service lab_service;
static char directory[64], runtime[96], state[96];

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)dprintf(STDERR_FILENO, "service_lab: %s\n", what);
    abort();
}

static bool open_service(void)
{
    const struct wall_options options = { .scope = "", .runtime_dir = runtime, .state_dir = state,
                                          .driver_host = "/bin/false", .ready_fd = -1 };
    struct wall_error err = { 0 };
    int r = wall_service_open(&lab_service, &options, &err);
    if (r == -ENOENT && strstr(err.text, "cgroup v2"))
        return false;
    must(r == 0, err.text);
    return true;
}

bool service_lab_start(void)
{
    const char *folder = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
    (void)snprintf(directory, sizeof(directory), "%s/rw-service-XXXXXX", folder);
    must(mkdtemp(directory) != NULL, "no directory");
    (void)snprintf(runtime, sizeof(runtime), "%s/run", directory);
    (void)snprintf(state, sizeof(state), "%s/state", directory);
    return open_service();
}

void service_lab_stop(void)
{
    struct wall_error err = { 0 };
    lab_service.stop_requested = true;
    must(wall_service_close(&lab_service, &err) == 0, err.text);
}

void service_lab_restart(void)
{
    service_lab_stop();
    must(open_service(), "it does not start again");
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

void service_lab_done(void)
{
    service_lab_stop();
    (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool service_lab_turn(void)
{
    int r;
    while ((r = sd_event_run(lab_service.event, 0)) > 0)
        if (sd_event_get_state(lab_service.event) == SD_EVENT_FINISHED)
            return false;
    return r == 0;
}

struct lab_client *lab_connect(void)
{
    struct lab_client *client = calloc(1, sizeof(*client));
    must(client != NULL, "no memory");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/api.sock", runtime);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(client->fd >= 0 && connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "no connection");
    (void)service_lab_turn();
    must(lab_service.server.first != NULL, "not accepted");
    lab_service.server.first->peer.may_write = true;
    return client;
}

void lab_demote(void)
{
    lab_service.server.first->peer.may_write = false;
}

struct lab_client *lab_hello(enum wall_role role)
{
    struct lab_client *client = lab_connect();
    const struct wall_hello_request hello = { WALL_PROTOCOL_VERSION, role, (uint32_t)getpid(), "lab" };
    must(lab_status(client, WALL_MESSAGE_HELLO, &hello) == 0, "HELLO refused");
    return client;
}

void lab_close(struct lab_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    wall_frame_reader_done(&client->reader);
    free(client);
    (void)service_lab_turn();
}

void lab_send(struct lab_client *client, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = send(client->fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return;
        at += n > 0 ? (size_t)n : 0;
        if (!service_lab_turn())
            return;
    }
}

void lab_send_message(struct lab_client *client, enum wall_message_type type, const void *object)
{
    struct wall_buffer buffer = { 0 };
    must(wall_message_request(&buffer, type, ++client->serial, object) == 0, "the request does not fit");
    lab_send(client, buffer.data, buffer.size);
    wall_buffer_done(&buffer);
}

bool lab_receive(struct lab_client *client, struct wall_frame *ret_frame, void **ret_object)
{
    for (;;) {
        struct wall_error err = { 0 };
        int r = wall_frame_reader_next(&client->reader, ret_frame, &err);
        must(r >= 0, err.text);
        if (r == 1) {
            r = wall_message_decode(ret_frame, WALL_MESSAGE_TO_CLIENT, ret_object, &err);
            // A request that no client sends is refused by a reply that no client expects.
            must(r == 0 || (r == -EPROTO && (ret_frame->flags & WALL_FRAME_REPLY)), err.text);
            return true;
        }
        uint8_t bytes[65536];
        ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && service_lab_turn())  // what the socket did not take before
            n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n <= 0)
            return false;
        must(wall_frame_reader_feed(&client->reader, bytes, (size_t)n) == 0, "no memory");
    }
}

bool lab_closed(struct lab_client *client)
{
    char byte;
    ssize_t n = recv(client->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

void *lab_call(struct lab_client *client, enum wall_message_type type, const void *object)
{
    lab_send_message(client, type, object);
    struct wall_frame frame;
    void *reply = NULL;
    while (lab_receive(client, &frame, &reply)) {
        if ((frame.flags & WALL_FRAME_REPLY) && frame.serial == client->serial)
            return reply;
        free(reply);
        reply = NULL;
    }
    must(false, "no reply came");
    return NULL;
}

uint32_t lab_status(struct lab_client *client, enum wall_message_type type, const void *object)
{
    struct wall_reply *reply = lab_call(client, type, object);
    uint32_t status = reply->status;
    free(reply);
    return status;
}
