#include "service/file.h"

#include <errno.h>
#include <stdlib.h>

#include "ntstatus.h"

#include "base/random.h"
#include "service/client.h"

struct wall_file {
    uint64_t id;
    struct wall_client *client;  // who opened it
    struct wall_client *driver;  // the driver's connection for callouts
};

struct wall_file_request {
    uint32_t serial;
    uint16_t type;
    uint64_t file_id;
    struct wall_client *client;  // NULL: gone meanwhile
    uint32_t client_serial;
    struct wall_client *driver;
};

void wall_files_init(struct wall_files *files)
{
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    *files = (struct wall_files){.next_id = 1, .next_serial = 1};
    wall_map_init(&files->by_id, seed);
    wall_map_init(&files->by_serial, seed);
}

void wall_files_done(struct wall_files *files)
{
    struct wall_map *maps[] = {&files->by_id, &files->by_serial};
    for (size_t i = 0; i < 2; i++) {
        size_t cursor = 0;
        void *entry;
        while ((entry = wall_map_next(maps[i], &cursor)))
            free(entry);
        wall_map_done(maps[i]);
    }
}

// The connection over which the driver of this name answers; NULL: there is none.
static struct wall_client *find_driver(struct wall_service *service, const char *name)
{
    const struct wall_driver *driver = wall_driver_find(&service->drivers, name ? name : "");
    for (struct wall_client *client = service->clients; driver && client; client = client->next) {
        if (client->role == WALL_ROLE_CALLOUTS && driver->process_id &&
            client->connection->peer.process_id == driver->process_id)
            return client;
    }
    return NULL;
}

static struct wall_file_request *add_request(struct wall_files *files, const struct wall_file_request *fresh)
{
    struct wall_file_request *request =
        files->by_serial.count < WALL_FILE_REQUESTS_MAX ? malloc(sizeof(*request)) : NULL;
    if (!request)
        return NULL;
    *request = *fresh;
    request->serial = files->next_serial;
    files->next_serial += files->next_serial == UINT32_MAX ? 2 : 1;  // 0 marks notifications
    if (wall_map_put(&files->by_serial, &request->serial, sizeof(request->serial), request) == 0)
        return request;
    free(request);
    return NULL;
}

static void remove_request(struct wall_files *files, struct wall_file_request *request)
{
    (void)wall_map_remove(&files->by_serial, &request->serial, sizeof(request->serial));
    free(request);
}

static void close_file(struct wall_files *files, struct wall_file *file, bool tell)
{
    const struct wall_device_close_notification closed = {file->id};
    if (tell)
        (void)wall_connection_notify(file->driver->connection, WALL_MESSAGE_DEVICE_CLOSE, &closed);
    (void)wall_map_remove(&files->by_id, &file->id, sizeof(file->id));
    free(file);
}

// --- Requests of programs ---

static void refuse(struct wall_client *client, uint16_t type, uint32_t serial, int error, const char *text)
{
    wall_client_status(client, type, serial, (uint32_t)error, text);
}

static bool file_open(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_file_open_request *request = object;
    struct wall_service *service = client->service;
    struct wall_files *files = &service->files;
    struct wall_client *driver = find_driver(service, request->driver);
    if (!driver) {
        refuse(client, WALL_MESSAGE_FILE_OPEN, serial, ENODEV, "no such driver is running. See ringwall drivers.");
        return false;
    }
    struct wall_file *file = files->by_id.count < WALL_FILES_MAX ? malloc(sizeof(*file)) : NULL;
    if (!file) {
        refuse(client, WALL_MESSAGE_FILE_OPEN, serial, ENFILE, "too many devices are open");
        return false;
    }
    *file = (struct wall_file){files->next_id++, client, driver};
    int r = wall_map_put(&files->by_id, &file->id, sizeof(file->id), file);
    const struct wall_file_request fresh = {.type = WALL_MESSAGE_FILE_OPEN, .file_id = file->id, .client = client,
                                            .client_serial = serial, .driver = driver};
    struct wall_file_request *under_way = r == 0 ? add_request(files, &fresh) : NULL;
    const struct wall_device_open_request open = {file->id, (uint32_t)client->connection->peer.process_id,
                                                  request->device};
    if (under_way &&
        wall_connection_request(driver->connection, WALL_MESSAGE_DEVICE_OPEN, under_way->serial, &open) == 0)
        return false;
    if (under_way)
        remove_request(files, under_way);
    close_file(files, file, false);
    refuse(client, WALL_MESSAGE_FILE_OPEN, serial, ENOMEM, "the driver cannot be asked");
    return false;
}

static bool file_control(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_file_control_request *request = object;
    struct wall_files *files = &client->service->files;
    const struct wall_file *file = wall_map_get(&files->by_id, &request->file_id, sizeof(request->file_id));
    if (!file || file->client != client) {
        refuse(client, WALL_MESSAGE_FILE_CONTROL, serial, EBADF, "this file is not open");
        return false;
    }
    const struct wall_file_request fresh = {.type = WALL_MESSAGE_FILE_CONTROL, .file_id = file->id, .client = client,
                                            .client_serial = serial, .driver = file->driver};
    struct wall_file_request *under_way = add_request(files, &fresh);
    const struct wall_device_control_request control = {file->id, request->code, request->output_size, request->input};
    if (under_way && wall_connection_request(file->driver->connection, WALL_MESSAGE_DEVICE_CONTROL, under_way->serial,
                                             &control) == 0)
        return false;
    if (under_way)
        remove_request(files, under_way);
    refuse(client, WALL_MESSAGE_FILE_CONTROL, serial, EBUSY, "the driver cannot be asked");
    return false;
}

// --- Replies of drivers ---

static void answer_open(struct wall_files *files, const struct wall_file_request *request, uint32_t status)
{
    struct wall_file *file = wall_map_get(&files->by_id, &request->file_id, sizeof(request->file_id));
    const struct wall_file_open_reply reply = {.file_id = request->file_id};
    if (status == 0 && request->client)
        wall_client_reply(request->client, WALL_MESSAGE_FILE_OPEN, request->client_serial, &reply);
    if (status != 0 && file)
        close_file(files, file, false);
    if (status != 0 && request->client)
        refuse(request->client, WALL_MESSAGE_FILE_OPEN, request->client_serial,
               status == (uint32_t)STATUS_ACCESS_DENIED ? EACCES : ENOENT, "the driver has no such device, or refuses");
}

static void answer_control(const struct wall_file_request *request, const struct wall_device_control_reply *done)
{
    const struct wall_file_control_reply reply = {.driver_status = done->reply.status, .output = done->output};
    wall_client_reply(request->client, WALL_MESSAGE_FILE_CONTROL, request->client_serial, &reply);
}

int wall_files_reply(struct wall_service *service, const struct wall_connection *connection,
                     const struct wall_frame *frame, struct wall_error *err)
{
    struct wall_files *files = &service->files;
    struct wall_file_request *request = wall_map_get(&files->by_serial, &frame->serial, sizeof(frame->serial));
    uint16_t type = request && request->type == WALL_MESSAGE_FILE_OPEN ? WALL_MESSAGE_DEVICE_OPEN
                                                                       : WALL_MESSAGE_DEVICE_CONTROL;
    if (!request || request->driver->connection != connection || frame->type != type)
        return wall_error_set(err, -EPROTO, "a reply to no open request (serial %u)", frame->serial);
    void *object = NULL;
    int r = wall_message_decode(frame, WALL_MESSAGE_TO_SERVICE, &object, err);
    if (r < 0)
        return r;
    if (type == WALL_MESSAGE_DEVICE_OPEN)
        answer_open(files, request, ((const struct wall_reply *)object)->status);
    else if (request->client)
        answer_control(request, object);
    remove_request(files, request);
    free(object);
    return 0;
}

void wall_files_drop(struct wall_service *service, const struct wall_client *client)
{
    struct wall_files *files = &service->files;
    size_t cursor = 0;
    struct wall_file_request *request;
    while ((request = wall_map_next(&files->by_serial, &cursor))) {
        if (request->client == client)
            request->client = NULL;
        if (request->driver != client)
            continue;
        if (request->client)
            refuse(request->client, request->type, request->client_serial, ENODEV, "the driver is gone");
        remove_request(files, request);
    }
    cursor = 0;
    struct wall_file *file;
    while ((file = wall_map_next(&files->by_id, &cursor))) {
        if (file->client == client || file->driver == client)
            close_file(files, file, file->driver != client);
    }
}

const struct wall_handler_row wall_file_handlers[] = {
    {WALL_MESSAGE_FILE_OPEN, WALL_ROLE_CONTROL, true, file_open},
    {WALL_MESSAGE_FILE_CONTROL, WALL_ROLE_CONTROL, true, file_control},
    {0},
};
