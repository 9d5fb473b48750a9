// Controlling a running Ringwall: what the `ringwall` command uses. Link with libwfp.
//
// Functions return 0 or a negative errno, and write a sentence for people to `error` (WALL_CONTROL_ERROR_SIZE bytes,
// may be NULL). -ECONNRESET: the service went away. Any thread may call; one control is one connection.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wall_control;

#define WALL_CONTROL_ERROR_SIZE 512

// Connects to the instance whose runtime directory this is; NULL: $RINGWALL_RUNTIME_DIR, or /run/ringwall.
// Returns -ENOENT or -ECONNREFUSED when none runs there, -EPROTO when it is of another version, -EACCES.
int wall_control_open(const char *runtime_directory, struct wall_control **ret_control, char *error);
// Also ends the stream of a monitor. `control` may be NULL.
void wall_control_close(struct wall_control *control);

// Releases what the functions below return. NULL is allowed.
void wall_control_free(void *result);

struct wall_control_status {
    const char *version;   // of the service
    const char *scope;     // the cgroup it enforces on, absolute
    const char *datapath;  // "ebpf", "fake"
    uint32_t process_id;
    uint64_t uptime_ms;
    uint64_t generation;  // one more with each change of the policy
    uint32_t filters, callouts, sublayers, providers;
    uint32_t sessions, connections, drivers;
    uint64_t flows_seen, flows_held_now, flows_permitted, flows_blocked, flows_gone;
    uint64_t events_lost;  // log records dropped; verdicts are never lost
    uint64_t fail_closed;  // flows refused because a table or buffer was full
    uint64_t table_bytes;  // of the compiled policy in the kernel
    uint64_t compile_us, load_us;  // how long it took to compile and to load
};

// What the service is doing now.
int wall_control_status(struct wall_control *control, struct wall_control_status **ret_status, char *error);

struct wall_control_coverage_item {
    const char *name;    // of a kind of traffic, or of programs
    const char *state;   // "open" (not judged), "partial", "idle" (no rule needs it), "covered", "absent" (none here)
    const char *detail;  // for people; names of programs in it need not be UTF-8
};

struct wall_control_coverage {
    size_t count;
    const struct wall_control_coverage_item *items;
};

// What is judged on this machine right now and what is not, as the service finds out by asking the kernel.
int wall_control_coverage(struct wall_control *control, struct wall_control_coverage **ret_coverage, char *error);

// Asks the service to take everything back and end, and waits until it has; a failure to take everything back is told.
// The kernel may free programs and maps a moment later.
int wall_control_stop(struct wall_control *control, char *error);

// --- Drivers ---

// Loads a driver and returns when its DriverEntry has. `path` is absolute; `parameters` are `name=value` texts with a
// NULL behind the last, or NULL. Returns -EEXIST (the name is taken), -ENOENT, -ENOEXEC, -EIO (DriverEntry failed).
int wall_control_load(struct wall_control *control, const char *path, const char *name, const char *const *parameters,
                      uint32_t *ret_process_id, char *error);
// Returns when the driver's process is gone; -ENOENT when there is none of this name.
int wall_control_unload(struct wall_control *control, const char *name, char *error);

struct wall_control_driver {
    const char *name, *path;
    const char *state;    // "starting", "running", "stopping", "failed"
    const char *failure;  // why it failed; NULL otherwise
    uint32_t process_id;
    uint32_t callouts;
    uint64_t uptime_ms;
    uint64_t classifies, timeouts;
};

struct wall_control_drivers {
    size_t count;
    const struct wall_control_driver *drivers;
};

// All drivers loaded, and those that failed and were not unloaded since.
int wall_control_drivers(struct wall_control *control, struct wall_control_drivers **ret_drivers, char *error);

// --- How the kernel decides ---

enum wall_control_place {
    WALL_CONTROL_IN_KERNEL,      // permits or blocks in the kernel
    WALL_CONTROL_ASKS,           // its callout is asked: the flow is held
    WALL_CONTROL_UNREGISTERED,   // its callout is not registered: blocks, or permits, in the kernel
    WALL_CONTROL_IGNORED,        // an inspection callout that is not registered: does nothing
    WALL_CONTROL_NEVER,          // no value fulfils its conditions
    WALL_CONTROL_TABLES_FULL,    // flows that get as far as this filter are held for the service
};

enum wall_control_reason {
    WALL_CONTROL_NO_REASON,
    WALL_CONTROL_FIELD,      // the kernel does not know the field
    WALL_CONTROL_CONDITION,  // … not this kind of condition on it
    WALL_CONTROL_LIMIT,      // too many values, flags or classes
};

// A filter that is not simply decided in the kernel at the socket call.
struct wall_control_compiled_filter {
    uint64_t filter_id;
    uint16_t layer_id;   // FWPS_LAYER_*
    uint16_t field_id;   // with a reason: FWPS_FIELD_<layer>_*
    enum wall_control_place place;
    enum wall_control_reason reason;  // of its conditions: only the service can tell whether they hold
    bool late;  // it asks for the local address, port or interface, which are known with the first packet
};

struct wall_control_compiled_layer {
    uint16_t layer_id;
    uint32_t filters;
    uint32_t in_kernel;  // of these, decided at the socket call
    uint64_t bytes;      // of the layer's tables
    uint32_t slots, groups, largest_group;
};

struct wall_control_compiled {
    size_t layer_count;
    const struct wall_control_compiled_layer *layers;
    size_t filter_count;
    const struct wall_control_compiled_filter *filters;
    uint32_t filters_left_out;  // there are so many more
};

// How the filters of each layer became the tables in the kernel.
int wall_control_compiled(struct wall_control *control, struct wall_control_compiled **ret_compiled, char *error);

// --- Devices of drivers: what CreateFile and DeviceIoControl are on Windows ---

// Opens a device of the driver `driver`; it is closed with the control. Returns -ENODEV (no such driver is running),
// -ENOENT (it has no such device, or refuses), -EACCES.
int wall_control_device_open(struct wall_control *control, const char *driver, const char *device, uint64_t *ret_file,
                             char *error);

struct wall_control_output {
    uint32_t status;  // the driver's NTSTATUS
    size_t size;
    const void *data;
};

// Sends a control code and waits, for as long as the driver takes. Returns 0 when the driver has answered, whatever its
// status; -ENODEV when it has gone away.
int wall_control_device_control(struct wall_control *control, uint64_t file, uint32_t code, const void *input,
                                size_t input_size, size_t output_size, struct wall_control_output **ret_output,
                                char *error);

// --- Watching ---

enum wall_control_record_kind {
    WALL_CONTROL_DECISION,
    WALL_CONTROL_LINE,  // a driver's debug output, or a report about it
    WALL_CONTROL_LOST,  // records this reader was too slow for
};

struct wall_control_decision {
    uint64_t held_us;  // how long the flow waited; 0: decided in the kernel
    uint64_t filter_id;
    uint64_t flow_id;
    uint64_t repeats;  // decisions like this one before it that were counted but not told one by one
    uint32_t action;  // FWP_ACTION_PERMIT or FWP_ACTION_BLOCK
    uint32_t process_id, user_id;
    uint16_t layer_id;  // FWPS_LAYER_*
    uint16_t local_port, remote_port;
    uint8_t family, protocol;  // AF_INET, AF_INET6; IPPROTO_*
    uint8_t veto;              // a callout's block beat a hard permit
    uint8_t local_address[16], remote_address[16];  // IPv4 in the first 4 bytes
    const char *executable, *process_name;          // may be NULL
    const char *filter_name;                        // may be NULL
    const char *driver;  // whose callout decided; NULL: none
};

struct wall_control_record {
    enum wall_control_record_kind kind;
    uint64_t time_us;  // since 1970
    union {
        struct wall_control_decision decision;
        struct {
            const char *driver;
            const char *line;
        } line;
        uint64_t lost;
    };
};

#define WALL_CONTROL_MONITOR_DECISIONS 0x1u
#define WALL_CONTROL_MONITOR_LINES 0x2u

// Records waiting for wall_control_next(); further ones are dropped and told as WALL_CONTROL_LOST.
#define WALL_CONTROL_RECORDS_MAX 65536u

// Starts the stream. Records are taken with wall_control_next().
int wall_control_monitor(struct wall_control *control, uint32_t flags, char *error);
// Readable while wall_control_next() has something to return; for poll(). Owned by the control.
int wall_control_fd(const struct wall_control *control);
// The next record, for wall_control_free(). Waits at most `timeout_ms` (negative: for ever).
// Returns -EAGAIN when none came in time, -EINTR when a signal handler ran, -ECONNRESET when the stream has ended.
int wall_control_next(struct wall_control *control, int timeout_ms, struct wall_control_record **ret_record);

#ifdef __cplusplus
}
#endif
