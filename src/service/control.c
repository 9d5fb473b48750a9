// Control messages: what the command line asks of the service itself.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/coverage.h"
#include "service/client.h"
#include "service/compiled.h"
#include "service/monitor.h"

static uint64_t uptime_ms(const struct wall_service *service, uint64_t since_us)
{
    uint64_t now = 0;
    (void)sd_event_now(service->event, CLOCK_MONOTONIC, &now);
    return now > since_us ? (now - since_us) / 1000 : 0;
}

static uint32_t count_objects(struct wall_session *session, enum wall_object_type type)
{
    struct wall_enumeration *enumeration = NULL;
    if (wall_enumeration_new(session, type, NULL, &enumeration) != 0)
        return 0;
    const void *const *objects;
    uint32_t count = 0;
    (void)wall_enumeration_next(enumeration, UINT32_MAX, &objects, &count);
    wall_enumeration_free(enumeration);
    return count;
}

static void count_policy(struct wall_service *service, struct wall_status_reply *reply)
{
    static const struct wall_caller self = {.user_name = "root", .kernel_mode = true};
    const FWPM_SESSION0 description = {0};
    struct wall_session *session = NULL;
    if (wall_session_open(service->engine, &description, &self, &session) != 0)
        return;
    reply->filters = count_objects(session, WALL_OBJECT_FILTER);
    reply->callouts = count_objects(session, WALL_OBJECT_CALLOUT);
    reply->sublayers = count_objects(session, WALL_OBJECT_SUBLAYER);
    reply->providers = count_objects(session, WALL_OBJECT_PROVIDER);
    wall_session_close(session);
}

static bool status(struct wall_client *client, uint32_t serial, const void *object)
{
    struct wall_service *service = client->service;
    struct wall_datapath_stats stats = {0};
    wall_datapath_get_stats(service->datapath, &stats);
    struct wall_status_reply reply = {
        .version = RINGWALL_VERSION,
        .scope = service->scope,
        .datapath = "ebpf",
        .process_id = (uint32_t)getpid(),
        .uptime_ms = uptime_ms(service, service->started_us),
        .generation = wall_policy_generation(wall_engine_policy(service->engine)),
        .connections = service->server.count,
        .drivers = service->drivers.count,
        .flows_seen = stats.flows_seen,
        .flows_held_now = stats.flows_held_now,
        .flows_permitted = stats.flows_permitted,
        .flows_blocked = stats.flows_blocked,
        .flows_gone = stats.flows_gone,
        .events_lost = stats.events_lost,
        .fail_closed = stats.fail_closed + service->holds.refused,
        .table_bytes = stats.table_bytes,
        .compile_us = stats.compile_us,
        .load_us = stats.load_us,
    };
    for (const struct wall_client *other = service->clients; other; other = other->next)
        reply.sessions += other->session != NULL;
    count_policy(service, &reply);
    wall_client_reply(client, WALL_MESSAGE_STATUS, serial, &reply);
    return false;
}

static bool coverage(struct wall_client *client, uint32_t serial, const void *object)
{
    static const char *const states[] = {"open", "partial", "idle", "covered", "absent"};
    struct wall_coverage_record records[WALL_COVERAGE_ITEMS_MAX];
    struct wall_coverage *found = malloc(sizeof(*found));
    int r = found ? wall_coverage_probe(client->service->scope, found) : -ENOMEM;
    if (r < 0) {
        wall_client_status(client, WALL_MESSAGE_COVERAGE, serial, (uint32_t)-r, "the scope cannot be looked at");
    } else {
        struct wall_coverage_reply reply = {.count = (uint32_t)found->count, .items = records};
        for (size_t i = 0; i < found->count; i++) {
            const struct wall_coverage_item *item = &found->items[i];
            records[i] = (struct wall_coverage_record){item->name, states[item->state], item->detail};
        }
        wall_client_reply(client, WALL_MESSAGE_COVERAGE, serial, &reply);
    }
    free(found);
    return false;
}

static bool stop(struct wall_client *client, uint32_t serial, const void *object)
{
    client->stops = true;
    client->stop_serial = serial;
    wall_service_stop(client->service);
    return false;
}

static bool driver_load(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_driver_load_request *request = object;
    struct wall_service *service = client->service;
    struct wall_error err = {0};
    struct wall_driver *driver = NULL;
    char **parameters = calloc((size_t)request->parameter_count + 1, sizeof(*parameters));
    int r = parameters ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < request->parameter_count; i++)
        parameters[i] = (char *)(uintptr_t)(request->parameters[i].text ? request->parameters[i].text : "");
    if (r == 0)
        r = wall_driver_load(&service->drivers, request->path ? request->path : "", request->name ? request->name : "",
                             parameters, &driver, &err);
    free(parameters);
    if (r < 0) {
        wall_client_status(client, WALL_MESSAGE_DRIVER_LOAD, serial, (uint32_t)-r, err.text);
        return false;
    }
    wall_service_await_driver(service, client, WALL_MESSAGE_DRIVER_LOAD, serial, driver);
    return false;
}

static bool driver_unload(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_driver_unload_request *request = object;
    struct wall_service *service = client->service;
    struct wall_driver *driver = wall_driver_find(&service->drivers, request->name ? request->name : "");
    if (!driver) {
        struct wall_error err;
        (void)wall_error_set(&err, -ENOENT, "no driver named %s is loaded. See ringwall drivers.",
                             request->name ? request->name : "");
        wall_client_status(client, WALL_MESSAGE_DRIVER_UNLOAD, serial, ENOENT, err.text);
        return false;
    }
    wall_service_await_driver(service, client, WALL_MESSAGE_DRIVER_UNLOAD, serial, driver);
    (void)wall_driver_unload(driver);
    return false;
}

static uint32_t driver_callouts(const struct wall_service *service, const struct wall_driver *driver)
{
    uint32_t count = 0;
    for (const struct wall_client *client = service->clients; client; client = client->next) {
        if (driver->process_id && client->connection->peer.process_id == driver->process_id)
            count += wall_callouts_count(&service->callouts, client->connection);
    }
    return count;
}

static bool driver_list(struct wall_client *client, uint32_t serial, const void *object)
{
    static const char *const states[] = {"starting", "running", "stopping", "failed"};
    struct wall_service *service = client->service;
    struct wall_driver_record records[WALL_DRIVERS_MAX + 1] = {0};
    struct wall_driver_list_reply reply = {.drivers = records};
    for (struct wall_driver *driver = service->drivers.first; driver && reply.count < WALL_DRIVERS_MAX;
         driver = driver->next) {
        records[reply.count++] = (struct wall_driver_record){
            .name = driver->name,
            .path = driver->path,
            .state = states[driver->state],
            .failure = driver->state == WALL_DRIVER_FAILED ? driver->failure : NULL,
            .process_id = (uint32_t)driver->process_id,
            .callouts = driver_callouts(service, driver),
            .uptime_ms = uptime_ms(service, driver->started_us),
            .classifies = driver->classify_count,
            .timeouts = driver->timeouts,
        };
    }
    wall_client_reply(client, WALL_MESSAGE_DRIVER_LIST, serial, &reply);
    return false;
}

static bool monitor(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_monitor_request *request = object;
    client->monitor = request->flags & (WALL_MONITOR_DECISIONS | WALL_MONITOR_LINES);
    wall_monitor_update(client->service);
    wall_client_status(client, WALL_MESSAGE_MONITOR, serial, 0, NULL);
    return false;
}

static bool compiled(struct wall_client *client, uint32_t serial, const void *object)
{
    struct wall_compiled_report *report = calloc(1, sizeof(*report));
    if (!report) {
        wall_client_status(client, WALL_MESSAGE_COMPILED, serial, ENOMEM, NULL);
        return false;
    }
    wall_compiled_report(client->service->datapath, report);
    wall_client_reply(client, WALL_MESSAGE_COMPILED, serial, &report->reply);
    free(report);
    return false;
}

const struct wall_handler_row wall_control_handlers[] = {
    {WALL_MESSAGE_STATUS, WALL_ROLE_CONTROL, false, status},
    {WALL_MESSAGE_STOP, WALL_ROLE_CONTROL, true, stop},
    // It tells of other people's programs, and takes the service some time.
    {WALL_MESSAGE_COVERAGE, WALL_ROLE_CONTROL, true, coverage},
    {WALL_MESSAGE_DRIVER_LOAD, WALL_ROLE_CONTROL, true, driver_load},
    {WALL_MESSAGE_DRIVER_UNLOAD, WALL_ROLE_CONTROL, true, driver_unload},
    {WALL_MESSAGE_DRIVER_LIST, WALL_ROLE_CONTROL, false, driver_list},
    {WALL_MESSAGE_COMPILED, WALL_ROLE_CONTROL, false, compiled},
    // Who talks to whom is nobody else's business.
    {WALL_MESSAGE_MONITOR, WALL_ROLE_CONTROL, true, monitor},
    {0},
};
