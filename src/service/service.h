// ringwalld, the service: one event loop that joins the engine, the datapath, the store, the drivers and the clients.
// Everything here runs on that one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "datapath/datapath.h"
#include "engine/engine.h"
#include "service/callout.h"
#include "service/connection.h"
#include "service/driver.h"
#include "service/file.h"
#include "service/filter_notice.h"
#include "service/hold.h"
#include "service/live_flow.h"
#include "service/options.h"
#include "service/runtime.h"
#include "store/store.h"

struct wall_client;

// A filter that a monitor was told of (monitor.c); borrowed from the policy of that generation.
#define WALL_MONITOR_FILTERS 256u

struct wall_monitor_filter {
    uint64_t generation, id;
    uint16_t layer_id;
    const struct wall_filter *filter;  // NULL: there is none
};
struct wall_completion;

struct wall_service {
    sd_event *event;
    struct wall_engine *engine;
    struct wall_datapath *datapath;
    struct wall_store *store;
    struct wall_runtime runtime;
    struct wall_server server;
    struct wall_callouts callouts;
    struct wall_filter_notices notices;
    struct wall_holds holds;
    struct wall_completion *completions;  // under way
    struct wall_live_flows live_flows;
    struct wall_files files;
    struct wall_drivers drivers;
    struct wall_client *clients;
    sd_event_source *datapath_io, *retry, *stopping, *terminate, *interrupt, *transactions, *waiting, *adoption;
    sd_event_source *memory;
    char *scope;         // the cgroup's absolute path
    bool scope_created;  // by us: removed at stop
    bool stop_requested; // take everything back at the end; otherwise leave the datapath pinned
    uint64_t started_us;
    uint64_t wait_sequence;      // orders clients that wait for the write lock
    uint64_t monitor_lost;
    struct wall_monitor_filter monitor_filters[WALL_MONITOR_FILTERS];
    uint64_t classify_timeouts;
};

// Builds everything up; on failure all is taken back. The service must not move.
int wall_service_open(struct wall_service *service, const struct wall_options *options, struct wall_error *err);
// Runs until it is told to stop (SIGTERM, SIGINT, or a STOP message). Returns 0 or a negative errno.
int wall_service_run(struct wall_service *service);
// After a stop nothing of Ringwall is left on the host but the stored policy.
int wall_service_close(struct wall_service *service, struct wall_error *err);

// Ends wall_service_run(); wall_service_close() then takes everything back.
void wall_service_stop(struct wall_service *service);

// Forced aborts of transactions held too long: to be called after anything that may begin one.
void wall_service_watch_transactions(struct wall_service *service);

// `client` gets its reply to `type` when the driver has started or stopped, or failed to.
void wall_service_await_driver(struct wall_service *service, struct wall_client *client, uint16_t type, uint32_t serial,
                               struct wall_driver *driver);

// Puts a policy in force: struct wall_engine_events. `service` is a struct wall_service. Failures are logged.
wall_status wall_service_enforce(void *service, struct wall_policy *policy);

// Milliseconds of CLOCK_MONOTONIC, for the engine and the holds. `context` is not used.
uint64_t wall_service_clock(void *context);

// One line to the log (standard error; the journal under systemd) and to every monitor.
void wall_service_log(struct wall_service *service, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Microseconds since 1970 of a CLOCK_BOOTTIME moment; 0: now.
uint64_t wall_service_real_time(uint64_t boot_time_ns);
