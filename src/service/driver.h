// Driver hosts: the processes that callout drivers run in. Starts, watches and stops them.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/error.h"

enum wall_driver_state {
    WALL_DRIVER_STARTING,  // DriverEntry has not returned yet
    WALL_DRIVER_RUNNING,
    WALL_DRIVER_STOPPING,  // asked to unload
    WALL_DRIVER_FAILED,    // its process is gone without having been asked to; kept for `ringwall drivers`
};

struct wall_driver {
    struct wall_driver *next;
    struct wall_drivers *owner;
    char *name, *path;
    char **parameters;  // NULL-terminated `name=value`
    enum wall_driver_state state;
    pid_t process_id;
    int control_fd;     // our end of the host's control socket: closing it asks the host to unload; -1 when closed
    int output_fd;      // its output
    sd_event_source *output, *control, *exit, *deadline;
    char line[1024];    // output not yet ended by a newline
    size_t line_bytes;
    char failure[1536]; // why it failed
    uint64_t started_us, classify_count, timeouts;
};

struct wall_driver_events {
    void *context;
    // One line of the driver's output (DbgPrint, reports), without the newline.
    void (*line)(void *context, struct wall_driver *driver, const char *line);
    // The state changed: RUNNING after DriverEntry succeeded, FAILED, or — with the process gone as asked — freed after
    // this call (state STOPPING). `err` tells why when it failed.
    void (*changed)(void *context, struct wall_driver *driver, const struct wall_error *err);
};

struct wall_drivers {
    sd_event *event;
    const char *host_program;   // the driver host's executable
    const char *runtime_dir;    // log files go to RUNTIME/drivers/NAME.log
    struct wall_driver_events events;
    struct wall_driver *first;
    unsigned count;
};

// Drivers loaded at once; more are refused.
#define WALL_DRIVERS_MAX 64

// Starts a driver host for `path` (absolute). Returns 0; -EEXIST when the name is taken, -EINVAL, -ENOENT, -ENOSPC, or
// another negative errno. The driver is STARTING; `changed` tells how it went on.
int wall_driver_load(struct wall_drivers *drivers, const char *path, const char *name, char *const *parameters,
                     struct wall_driver **ret_driver, struct wall_error *err);
// Asks the host to unload the driver; it is killed when it has not ended after WALL_DRIVER_STOP_MS.
int wall_driver_unload(struct wall_driver *driver);
// The driver misbehaved (a classify that never returns): ends the host so that its stack is reported.
void wall_driver_abort(struct wall_driver *driver, const char *reason);
struct wall_driver *wall_driver_find(struct wall_drivers *drivers, const char *name);
struct wall_driver *wall_driver_find_process(struct wall_drivers *drivers, pid_t process_id);
// Forgets a failed driver, or stops a running one without waiting.
void wall_driver_free(struct wall_driver *driver);

#define WALL_DRIVER_START_MS 30000
#define WALL_DRIVER_STOP_MS 10000
