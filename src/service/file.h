// Files: devices of drivers that programs have open through the service. Requests go to the driver's process and back;
// they take as long as the driver likes. A file is closed with the connection that opened it.
#pragma once

#include <stdint.h>

#include "base/map.h"
#include "wire/messages.h"

struct wall_client;
struct wall_connection;
struct wall_service;

#define WALL_FILES_MAX 1024u
// Requests of all files under way.
#define WALL_FILE_REQUESTS_MAX 4096u

struct wall_files {
    struct wall_map by_id;      // struct wall_file
    struct wall_map by_serial;  // struct wall_file_request
    uint64_t next_id;
    uint32_t next_serial;
};

// No file is open yet.
void wall_files_init(struct wall_files *files);
// Forgets all files; whoever waits for a reply gets none.
void wall_files_done(struct wall_files *files);
// A reply of type DEVICE_OPEN or DEVICE_CONTROL. Returns 0, or -EPROTO for a reply nobody asked for.
int wall_files_reply(struct wall_service *service, const struct wall_connection *connection,
                     const struct wall_frame *frame, struct wall_error *err);
// A connection is gone: the program's, whose files are closed, or the driver's, whose requests fail.
void wall_files_drop(struct wall_service *service, const struct wall_client *client);
