#include "service/service.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "winerror.h"

#include "host/cgroup.h"
#include "service/client.h"
#include "service/flow.h"
#include "service/monitor.h"
#include "service/operation.h"
#include "service/persistence.h"

void wall_service_log(struct wall_service *service, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "%s\n", line);
    wall_monitor_line(service, "ringwalld", line);
}

static uint64_t clock_us(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

uint64_t wall_service_real_time(uint64_t boot_time_ns)
{
    uint64_t now = clock_us(CLOCK_REALTIME);
    uint64_t boot = clock_us(CLOCK_BOOTTIME), then = boot_time_ns / 1000;
    return boot_time_ns && boot > then ? now - (boot - then) : now;
}

uint64_t wall_service_clock(void *context)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

// --- Memory ---

// What a commit needs for a moment stays in the heap for the next one: to fetch it anew costs as much as to use it.
// After a rest the kernel gets back what is much, and more than what is in use.
#define REST_US 10000000u
#define MUCH_BYTES ((size_t)32 << 20)

static int on_rest(sd_event_source *source, uint64_t time_us, void *context)
{
    const struct mallinfo2 heap = mallinfo2();
    if (heap.fordblks > MUCH_BYTES && heap.fordblks > heap.uordblks)
        malloc_trim(0);
    return 0;
}

static int keep_memory(struct wall_service *service)
{
    // As large as glibc takes it: what is larger than that, an image of tables, the kernel maps and unmaps.
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    int r = sd_event_add_time(service->event, &service->memory, CLOCK_MONOTONIC, UINT64_MAX, 0, on_rest, service);
    return r < 0 ? r : sd_event_source_set_enabled(service->memory, SD_EVENT_OFF);
}

static void rest_later(struct wall_service *service)
{
    if (service->memory && sd_event_source_set_time_relative(service->memory, REST_US) >= 0)
        (void)sd_event_source_set_enabled(service->memory, SD_EVENT_ONESHOT);
}

// --- The policy's way to the datapath ---

static int on_retry(sd_event_source *source, void *context)
{
    struct wall_service *service = context;
    wall_client_retry(service);
    return 0;
}

static void on_lock_released(void *context)
{
    struct wall_service *service = context;
    if (service->retry)
        (void)sd_event_source_set_enabled(service->retry, SD_EVENT_ONESHOT);
}

wall_status wall_service_enforce(void *context, struct wall_policy *policy)
{
    struct wall_service *service = context;
    struct wall_error err;
    int r = service->datapath ? wall_datapath_set_policy(service->datapath, policy, &err) : 0;
    rest_later(service);
    if (r == 0)
        return 0;
    wall_service_log(service, "the new policy cannot be enforced, the old one stays: %s", err.text);
    return r == -ENOMEM ? ERROR_NOT_ENOUGH_MEMORY : ERROR_NO_SYSTEM_RESOURCES;
}

static void on_filter_added(void *context, uint16_t layer_id, const struct wall_filter *filter)
{
    const struct wall_service *service = context;
    if (service->datapath)
        wall_datapath_expect(service->datapath, layer_id, filter);
}

static void on_object_changed(void *context, enum wall_object_type type, FWPM_CHANGE_TYPE change, const GUID *key,
                              uint64_t id, const struct wall_session *origin)
{
    struct wall_service *service = context;
    if (type == WALL_OBJECT_FILTER && change == FWPM_CHANGE_DELETE)
        wall_filter_notices_deleted(&service->notices, id);
    wall_management_changed(service, type, change, key, id, origin);
}

static void on_net_event(void *context, const FWPM_NET_EVENT5 *event)
{
    wall_management_net_event(context, event);
}

// --- Drivers ---

static void driver_line(void *context, struct wall_driver *driver, const char *line)
{
    struct wall_service *service = context;
    (void)fprintf(stderr, "%s: %s\n", driver->name, line);
    wall_monitor_line(service, driver->name, line);
}

static void answer_awaiting(struct wall_service *service, struct wall_driver *driver, const struct wall_error *err)
{
    for (struct wall_client *client = service->clients, *next; client; client = next) {
        next = client->next;
        if (client->awaited != driver)
            continue;
        client->awaited = NULL;
        struct wall_driver_load_reply reply = {.process_id = (uint32_t)driver->process_id};
        if (err || client->awaited_type == WALL_MESSAGE_DRIVER_UNLOAD)
            wall_client_status(client, client->awaited_type, client->awaited_serial,
                               err ? (uint32_t)-err->code : 0, err ? err->text : NULL);
        else
            wall_client_reply(client, client->awaited_type, client->awaited_serial, &reply);
    }
}

static void driver_changed(void *context, struct wall_driver *driver, const struct wall_error *err)
{
    struct wall_service *service = context;
    static const char *const texts[] = {"starting", "loaded", "unloaded", "failed"};
    bool loading = false;
    for (const struct wall_client *client = service->clients; client; client = client->next)
        loading = loading || (client->awaited == driver && client->awaited_type == WALL_MESSAGE_DRIVER_LOAD);
    wall_service_log(service, "driver %s %s%s%s", driver->name, texts[driver->state], err ? ": " : "",
                     err ? err->text : "");
    answer_awaiting(service, driver, err);
    if (service->stop_requested)
        (void)sd_event_source_set_enabled(service->stopping, SD_EVENT_ONESHOT);
    if (err && loading)
        wall_driver_free(driver);  // whoever loaded it has been told; nothing is left to list
}

void wall_service_await_driver(struct wall_service *service, struct wall_client *client, uint16_t type, uint32_t serial,
                               struct wall_driver *driver)
{
    client->awaited = driver;
    client->awaited_type = type;
    client->awaited_serial = serial;
}

// --- Life ---

static int on_datapath(sd_event_source *source, int fd, uint32_t events, void *context)
{
    struct wall_service *service = context;
    int r = wall_datapath_dispatch(service->datapath);
    if (r < 0)
        wall_service_log(service, "the datapath reports: %s", strerror(-r));
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
    struct wall_service *service = context;
    wall_service_stop(service);
    return 0;
}

// Drivers are unloaded while clients are still served, then the loop ends.
static int on_stopping(sd_event_source *source, void *context)
{
    struct wall_service *service = context;
    for (struct wall_driver *driver = service->drivers.first, *next; driver; driver = next) {
        next = driver->next;
        if (driver->state != WALL_DRIVER_STOPPING)
            (void)wall_driver_unload(driver);
    }
    if (service->drivers.count == 0)
        (void)sd_event_exit(service->event, 0);
    return 0;
}

void wall_service_stop(struct wall_service *service)
{
    service->stop_requested = true;
    (void)sd_event_source_set_enabled(service->stopping, SD_EVENT_ONESHOT);
}

static int on_transaction_deadline(sd_event_source *source, uint64_t time_us, void *context)
{
    wall_service_watch_transactions(context);
    return 0;
}

void wall_service_watch_transactions(struct wall_service *service)
{
    uint64_t ms = wall_transaction_expire(service->engine);
    if (ms != UINT64_MAX)
        (void)sd_event_source_set_time_relative(service->transactions, ms * 1000);
    (void)sd_event_source_set_enabled(service->transactions, ms == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int open_loop(struct wall_service *service, struct wall_error *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    int r = sd_event_new(&service->event);
    if (r >= 0)
        r = sd_event_add_signal(service->event, &service->terminate, SIGTERM, on_signal, service);
    if (r >= 0)
        r = sd_event_add_signal(service->event, &service->interrupt, SIGINT, on_signal, service);
    if (r >= 0)
        r = sd_event_add_defer(service->event, &service->retry, on_retry, service);
    if (r >= 0)
        r = sd_event_source_set_enabled(service->retry, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(service->event, &service->stopping, on_stopping, service);
    if (r >= 0)
        r = sd_event_source_set_enabled(service->stopping, SD_EVENT_OFF);
    if (r >= 0)
        r = keep_memory(service);
    if (r >= 0)
        r = sd_event_add_time(service->event, &service->transactions, CLOCK_MONOTONIC, UINT64_MAX, 0,
                              on_transaction_deadline, service);
    if (r >= 0)
        r = wall_flows_init(service);
    if (r < 0)
        return wall_error_set(err, r, "cannot set up the event loop: %s", strerror(-r));
    service->started_us = clock_us(CLOCK_MONOTONIC);
    return 0;
}

static int make_directory(const char *path, struct wall_error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return wall_error_set(err, -errno, "cannot create the state directory %s: %s", path, strerror(errno));
}

static int open_store(struct wall_service *service, const struct wall_options *options, struct wall_error *err)
{
    char directory[4096], path[4200];
    const char *state = options->state_dir;
    if (state)
        (void)snprintf(directory, sizeof(directory), "%s", state);
    else if (strcmp(options->runtime_dir, WALL_RUNTIME_DIR_DEFAULT) == 0)
        (void)snprintf(directory, sizeof(directory), "%s", WALL_STATE_DIR_DEFAULT);
    else
        (void)snprintf(directory, sizeof(directory), "%s/state", service->runtime.directory);
    (void)snprintf(path, sizeof(path), "%s/policy.db", directory);
    int r = make_directory(directory, err);
    if (r == 0 && setenv("RINGWALL_STATE_DIR", directory, 1) < 0)  // for driver hosts
        r = wall_error_set(err, -errno, "out of memory");
    return r < 0 ? r : wall_store_open(path, &service->store, err);
}

static int open_engine(struct wall_service *service, struct wall_error *err)
{
    struct wall_engine_events events = {
        .context = service,
        .lock_released = on_lock_released,
        .policy_enforce = wall_service_enforce,
        .filter_added = on_filter_added,
        .object_changed = on_object_changed,
        .net_event = on_net_event,
    };
    wall_persistence_events(&events);
    int r = wall_engine_new(&events, wall_service_clock, &service->engine);
    if (r < 0)
        return wall_error_set(err, r, "cannot make the filter engine: %s", strerror(-r));
    return wall_persistence_load(service, err);
}

static int open_datapath(struct wall_service *service, const struct wall_options *options, struct wall_error *err)
{
    int r = wall_cgroup_ensure(options->scope, &service->scope, &service->scope_created, err);
    if (r < 0)
        return r;
    struct wall_datapath_config config = {
        .cgroup_path = service->scope,
        .pin_path = service->runtime.pin_path,
        .events = wall_flows_datapath_events(service),
    };
    r = wall_datapath_open(&config, &service->datapath, err);
    if (r == 0)
        r = wall_datapath_set_policy(service->datapath, wall_engine_policy(service->engine), err);
    if (r == 0) {
        r = sd_event_add_io(service->event, &service->datapath_io, wall_datapath_fd(service->datapath), EPOLLIN,
                            on_datapath, service);
        if (r < 0)
            (void)wall_error_set(err, r, "cannot watch the datapath: %s", strerror(-r));
    }
    return r < 0 ? r : 0;
}

static int open_clients(struct wall_service *service, const struct wall_options *options, struct wall_error *err)
{
    const struct wall_holds_events holds = wall_flows_holds_events(service);
    const struct wall_callouts_events callouts = wall_flows_callouts_events(service);
    const struct wall_server_events server = {service, wall_client_frame, wall_client_closed};
    wall_holds_init(&service->holds, &holds);
    if (options->pend_age_s)
        service->holds.pend_age_ms = (uint64_t)options->pend_age_s * 1000;
    wall_live_flows_init(&service->live_flows);
    wall_files_init(&service->files);
    service->drivers = (struct wall_drivers){
        .event = service->event,
        .host_program = options->driver_host,
        .runtime_dir = service->runtime.directory,
        .events = {service, driver_line, driver_changed},
    };
    int r = wall_callouts_init(&service->callouts, service->engine, service->event, &callouts);
    if (r >= 0)
        r = wall_filter_notices_init(&service->notices, &service->callouts);
    if (r >= 0)
        r = wall_server_start(&service->server, service->event, service->runtime.listen_fd, &server);
    return r < 0 ? wall_error_set(err, r, "cannot serve clients: %s", strerror(-r)) : 0;
}

int wall_service_open(struct wall_service *service, const struct wall_options *options, struct wall_error *err)
{
    *service = (struct wall_service){.runtime = {.lock_fd = -1, .listen_fd = -1}};
    int r = open_loop(service, err);
    if (r == 0)
        r = wall_runtime_open(options->runtime_dir, &service->runtime, err);
    if (r == 0 && setenv("RINGWALL_RUNTIME_DIR", service->runtime.directory, 1) < 0)
        r = wall_error_set(err, -errno, "out of memory");
    if (r == 0)
        r = open_store(service, options, err);
    if (r == 0)
        r = open_engine(service, err);
    if (r == 0)
        r = open_clients(service, options, err);
    if (r == 0)
        r = open_datapath(service, options, err);
    if (r < 0) {
        service->stop_requested = true;  // takes back what this start made; pins of an earlier instance stay
        (void)wall_service_close(service, NULL);
    }
    return r;
}

int wall_service_run(struct wall_service *service)
{
    (void)sd_notify(0, "READY=1");
    int r = sd_event_loop(service->event);
    (void)sd_notify(0, "STOPPING=1");
    return r < 0 ? r : 0;
}

static void free_sources(struct wall_service *service)
{
    sd_event_source **sources[] = {&service->datapath_io, &service->retry, &service->stopping, &service->terminate,
                                   &service->interrupt, &service->transactions, &service->waiting, &service->adoption,
                                   &service->memory};
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        *sources[i] = sd_event_source_disable_unref(*sources[i]);
}

static void close_clients_but_stoppers(struct wall_service *service)
{
    for (struct wall_client *client = service->clients, *next; client; client = next) {
        next = client->next;
        if (!client->stops)
            wall_connection_close(client->connection, NULL);
    }
}

// They learn of the end when nothing is left to be done.
static void answer_stoppers(struct wall_service *service, int r, const char *text)
{
    for (struct wall_client *client = service->clients; client; client = client->next)
        wall_client_status(client, WALL_MESSAGE_STOP, client->stop_serial, (uint32_t)-r, r < 0 ? text : NULL);
    wall_server_stop(&service->server);
}

int wall_service_close(struct wall_service *service, struct wall_error *err)
{
    int r = 0;
    struct wall_error failure = {0};
    close_clients_but_stoppers(service);
    while (service->drivers.first)
        wall_driver_free(service->drivers.first);
    wall_filter_notices_done(&service->notices);
    wall_callouts_done(&service->callouts);
    wall_holds_done(&service->holds);
    wall_operations_drop(service, NULL);
    wall_live_flows_done(&service->live_flows);
    wall_files_done(&service->files);
    free_sources(service);
    if (service->datapath && service->stop_requested)
        r = wall_datapath_remove(service->datapath, &failure);
    else
        wall_datapath_close(service->datapath);
    service->datapath = NULL;
    wall_engine_free(service->engine);
    wall_store_close(service->store);
    if (service->scope_created && service->stop_requested)
        (void)rmdir(service->scope);  // stays while programs are in it
    if (service->runtime.directory)
        wall_runtime_close(&service->runtime, service->stop_requested && r == 0);
    answer_stoppers(service, r, failure.text);
    if (err && r < 0)
        *err = failure;
    free(service->scope);
    sd_event_unref(service->event);
    return r;
}
