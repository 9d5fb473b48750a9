// The host's side of libntos: hooks, loading and unloading a driver, requests to its devices.
//
// A driver host is one process with one driver (tests load several, one after another). All functions may be called
// from any thread at PASSIVE_LEVEL unless said otherwise.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define NTOS_EXPORT __attribute__((visibility("default")))

// --- Hooks ---

enum ntos_report_kind {
    NTOS_REPORT_VIOLATION,  // the driver broke a rule of the kernel API; the call failed or did the safe thing
    NTOS_REPORT_LEAK,       // something the driver did not give back before DriverUnload returned
    NTOS_REPORT_BUGCHECK,   // the process is about to die
};

#define NTOS_REPORT_FRAMES 32

struct ntos_report {
    enum ntos_report_kind kind;
    const char *function;  // the kernel API's function
    const char *text;      // one sentence
    uint8_t irql;
    void *const *frames;  // the caller's stack, innermost first
    unsigned frame_count;
};

// Called from any thread at any IRQL: they must not call back into libntos. Any may be NULL (then: standard error).
struct ntos_hooks {
    void *context;
    // One line of debug output, without its newline; always from the same thread of the library.
    void (*print)(void *context, uint32_t component, uint32_t level, const char *line);
    void (*report)(void *context, const struct ntos_report *report);
};

// NULL puts the defaults back. Debug output so far goes to the hooks before.
NTOS_EXPORT void ntos_hooks_set(const struct ntos_hooks *hooks);
// Writes the report as text, one line for each frame. Returns the length, as snprintf().
NTOS_EXPORT size_t ntos_report_format(const struct ntos_report *report, char *text, size_t capacity);
// Waits until all debug output so far went through the hook.
NTOS_EXPORT void ntos_print_flush(void);

struct ntos_counters {
    uint64_t lines_lost;     // debug lines dropped because the hook was too slow
    uint64_t violations;     // reports of NTOS_REPORT_VIOLATION
    uint64_t pool_blocks;    // allocated now
    uint64_t pool_bytes;     // allocated now
    uint64_t pool_refused;   // allocations refused at the limit
};
NTOS_EXPORT void ntos_counters_get(struct ntos_counters *ret_counters);

// Turns a fault of this thread into a driver's exception: does not return when the driver is inside a __try block.
// To be called first by a handler of SIGSEGV, SIGBUS, SIGFPE and SIGILL.
NTOS_EXPORT void ntos_exception_from_signal(int signal_number);

// The process on whose behalf this thread calls the driver (PsGetCurrentProcessId); 0: the system process.
// Returns the one before, to be put back afterwards.
NTOS_EXPORT uint32_t ntos_process_enter(uint32_t process_id);

// Reports a violation on behalf of another library of the kernel API; and how many this thread has been reported for.
NTOS_EXPORT void ntos_violation_report(const char *function, const char *text);
NTOS_EXPORT uint64_t ntos_violation_thread_count(void);

// --- Drivers ---

struct ntos_driver;

struct ntos_driver_options {
    const char *name;               // the service's name: letters, digits, '-', '_', '.'
    const char *const *parameters;  // "name=value" …, NULL at the end; may be NULL
    const char *data_directory;     // where the driver's files are; NULL: it has none
};

// Loads the driver and runs its DriverEntry on a system thread.
// Returns 0; -ENOENT, -EACCES (the file), -ENOEXEC (not a driver, or not one for this machine), -ELIBACC (needs
// functions that do not exist), -EINVAL (options), -EEXIST (it is loaded, under this name or another, or was unloaded
// while something of it still ran), -EIO (DriverEntry failed; its status is in `err`), -ENOMEM.
NTOS_EXPORT int ntos_driver_load(const char *path, const struct ntos_driver_options *options,
                                 struct ntos_driver **ret_driver, struct wall_error *err);
// Runs DriverUnload, reports what was not given back, and takes the driver out of memory unless something of it still
// runs. `ret_leaks` may be NULL. Returns 0; -EBUSY: it has no DriverUnload, or files on its devices are still open; it
// stays loaded.
NTOS_EXPORT int ntos_driver_unload(struct ntos_driver *driver, unsigned *ret_leaks, struct wall_error *err);

// --- Requests from outside ---

// An open device. Requests hold a reference: it goes away after close and the last completion.
struct ntos_file;

enum ntos_access { NTOS_ACCESS_READ = 1, NTOS_ACCESS_WRITE = 2 };

// Opens a device with IRP_MJ_CREATE on behalf of `process_id`. The name (UTF-8) is that of a symbolic link or a device:
// "Name", "\\.\Name", "\??\Name", "\Device\Name". Returns the driver's status.
NTOS_EXPORT int32_t ntos_file_open(const char *name, uint32_t access, uint32_t process_id, struct ntos_file **ret_file);
// Cancels what is pending, sends IRP_MJ_CLEANUP, and after the last completion IRP_MJ_CLOSE.
NTOS_EXPORT void ntos_file_close(struct ntos_file *file);

enum ntos_request_kind { NTOS_REQUEST_CONTROL, NTOS_REQUEST_READ, NTOS_REQUEST_WRITE };

struct ntos_request;

struct ntos_request_options {
    enum ntos_request_kind kind;
    uint32_t code;  // control code
    const void *input;
    uint32_t input_size;
    uint32_t output_size;
    uint64_t offset;  // reads and writes
    // Called once, when the request is complete, maybe before ntos_request_start returns, by any thread at any IRQL:
    // it must not wait. May be NULL.
    void (*done)(void *context, struct ntos_request *request);
    void *context;
};

// A request's buffers may have this many bytes each: what a front lets a client make the host allocate.
#define NTOS_REQUEST_BYTES_MAX (16u << 20)
// Requests open at once on one file.
#define NTOS_REQUESTS_PER_FILE 256

// Sends a request to the driver. Returns 0, -EINVAL (sizes, closed file), -ENOBUFS (too many), -ENOMEM.
NTOS_EXPORT int ntos_request_start(struct ntos_file *file, const struct ntos_request_options *options,
                                   struct ntos_request **ret_request);
NTOS_EXPORT void ntos_request_cancel(struct ntos_request *request);
// Waits at most `timeout_ms` (UINT32_MAX: for ever). Returns true when complete.
NTOS_EXPORT bool ntos_request_wait(struct ntos_request *request, uint32_t timeout_ms);
// The result of a complete request: status, and the bytes the driver returned, borrowed until the request is freed.
NTOS_EXPORT int32_t ntos_request_result(const struct ntos_request *request, const void **ret_output,
                                        uint32_t *ret_size);
// Drops the caller's reference. A request that is not complete goes on, and its `done` is still called.
NTOS_EXPORT void ntos_request_free(struct ntos_request *request);

// All in one: control with a wait. Cancels after `timeout_ms` and waits for that. Returns the driver's status, or
// STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES.
NTOS_EXPORT int32_t ntos_file_control(struct ntos_file *file, uint32_t code, const void *input, uint32_t input_size,
                                      void *output, uint32_t output_size, uint32_t timeout_ms, uint32_t *ret_size);
