#include "service/flow.h"

#include <stdio.h>
#include <string.h>

#include "service/classify_request.h"
#include "service/client.h"
#include "service/flow_event.h"
#include "service/flow_layer.h"
#include "service/monitor.h"
#include "service/operation.h"

static enum wall_asking ask_callout(void *context, const struct wall_hold *hold)
{
    struct wall_service *service = context;
    const struct wall_callout_entry *entry =
        wall_callouts_find(&service->callouts, hold->classification.filter->callout_id);
    if (!entry)
        return WALL_ASK_UNREGISTERED;
    uint64_t flow_context = wall_flow_context_find(&service->live_flows, hold->flow.handle, entry->callout_id,
                                                   hold->flow.layer_id);
    if (entry->flags & FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW && !flow_context)
        return WALL_ASK_SKIPPED;
    struct wall_driver *driver = wall_driver_find_process(&service->drivers, entry->connection->peer.process_id);
    if (driver)
        driver->classify_count++;
    struct wall_classify_request request;
    if (wall_classify_request_init(hold, &request) < 0)
        return WALL_ASK_UNREGISTERED;
    request.flow_context = flow_context;
    if (hold->completing && wall_operation_completer(service, hold->completing) == entry->connection)
        request.completing_id = hold->completing;
    if (hold->packet.owner != entry->connection)
        request.injection_handle = 0;
    bool asked = wall_callouts_classify(&service->callouts, &request);
    wall_classify_request_done(&request);
    return asked ? WALL_ASKED : WALL_ASK_UNREGISTERED;
}

static void cancel_question(void *context, uint64_t ask_id)
{
    struct wall_service *service = context;
    wall_callouts_cancel(&service->callouts, ask_id);
}

static void record_decision(struct wall_service *service, const struct wall_flow *flow, const struct wall_hold *hold,
                            enum wall_flow_decision decision, uint64_t filter_id)
{
    wall_flow_event_add(service->engine, flow, decision, filter_id, wall_service_real_time(flow->time_ns));
    wall_monitor_decision(service, flow, hold, decision, filter_id);
}

// A layer that only tells has nothing to hold, but a block there ends the flow.
static void enforce_notice(struct wall_service *service, const struct wall_flow *flow, enum wall_flow_decision decision)
{
    if (decision == WALL_FLOW_BLOCK && wall_flow_layer_establishes(flow->layer_id))
        (void)wall_datapath_abort(service->datapath, flow->handle);  // -ENOENT: it has ended by itself
    wall_datapath_noticed(service->datapath, flow->handle);
}

// Whether callouts have changed the flow that is decided: where it goes, or where its socket is bound.
static bool is_changed(const struct wall_hold *hold)
{
    return hold->flow.rebound || (hold->flow.redirected && wall_redirect_current(&hold->redirect));
}

// Makes a permitted flow what callouts said. What cannot go there does not go anywhere.
static enum wall_flow_decision enforce_redirect(struct wall_service *service, const struct wall_hold *hold)
{
    struct wall_error error = {0};
    const struct wall_flow *flow = &hold->flow;
    int r = wall_datapath_redirect(service->datapath, flow, &error);
    if (r >= 0)
        return WALL_FLOW_PERMIT;
    wall_service_log(service, "a connection of %s was refused: %s", flow->executable_path, error.text);
    (void)wall_datapath_decide(service->datapath, flow->id, WALL_FLOW_BLOCK);  // -ENOENT: the program has given up
    return WALL_FLOW_BLOCK;
}

static void flow_decided(void *context, const struct wall_hold *hold, enum wall_flow_decision decision)
{
    struct wall_service *service = context;
    if (hold->notice)
        enforce_notice(service, &hold->flow, decision);
    else if (decision == WALL_FLOW_PERMIT && is_changed(hold))
        decision = enforce_redirect(service, hold);
    else
        (void)wall_datapath_decide(service->datapath, hold->flow.id, decision);  // -ENOENT: the program has given up
    if (!hold->notice || decision == WALL_FLOW_BLOCK)
        record_decision(service, &hold->flow, hold, decision, hold->classification.result.filter_id);
}

static void operation_completed(void *context, uint64_t id)
{
    wall_operation_completed(context, id);
}

static void pend_fault(void *context, const struct wall_hold *hold, uint32_t callout_id, const char *text)
{
    struct wall_service *service = context;
    const struct wall_callout_entry *entry = wall_callouts_find(&service->callouts, callout_id);
    const struct wall_driver *driver =
        entry ? wall_driver_find_process(&service->drivers, entry->connection->peer.process_id) : NULL;
    wall_service_log(service, "driver violation: %s, callout %u at layer %u, flow %llu of %s: %s",
                     driver ? driver->name : "a driver", callout_id, hold->flow.layer_id,
                     (unsigned long long)hold->flow.id, hold->flow.executable_path, text);
}

static struct wall_policy *current_policy(void *context)
{
    struct wall_service *service = context;
    return wall_engine_policy(service->engine);
}

// Looks after those that wait, once a second while there are any.
static void watch_holds(void *context)
{
    struct wall_service *service = context;
    int enabled;
    if (sd_event_source_get_enabled(service->waiting, &enabled) < 0 || enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(service->waiting, 1000000);
    (void)sd_event_source_set_enabled(service->waiting, SD_EVENT_ONESHOT);
}

static int on_waiting(sd_event_source *source, uint64_t time_us, void *context)
{
    struct wall_service *service = context;
    wall_holds_expire(&service->holds);
    if (wall_holds_waiting(&service->holds))
        watch_holds(service);
    return 0;
}

static void refuse_flow(struct wall_service *service, const struct wall_flow *flow, int code)
{
    (void)wall_datapath_decide(service->datapath, flow->id, WALL_FLOW_BLOCK);
    record_decision(service, flow, NULL, WALL_FLOW_BLOCK, 0);
    wall_service_log(service, "a connection of %s was refused: it could not be judged (%s)", flow->executable_path,
                     strerror(-code));
}

static void flow_held(void *context, const struct wall_flow *flow)
{
    struct wall_service *service = context;
    int r = wall_holds_add(&service->holds, flow, false);
    if (r < 0)
        refuse_flow(service, flow, r);
}

static void flow_noticed(void *context, const struct wall_flow *flow)
{
    struct wall_service *service = context;
    bool establishes = wall_flow_layer_establishes(flow->layer_id);
    if (establishes)
        wall_live_flows_add(&service->live_flows, flow);
    if (wall_holds_add(&service->holds, flow, true) < 0) {
        enforce_notice(service, flow, WALL_FLOW_BLOCK);
        if (establishes)
            record_decision(service, flow, NULL, WALL_FLOW_BLOCK, 0);
    }
}

static void flow_ended(void *context, uint64_t handle)
{
    wall_operation_flow_ended(context, handle);
}

static void flow_gone(void *context, uint64_t flow_id)
{
    struct wall_service *service = context;
    wall_holds_remove(&service->holds, flow_id);
}

static void flow_decided_in_kernel(void *context, const struct wall_flow *flow, enum wall_flow_decision decision,
                                   uint64_t filter_id)
{
    record_decision(context, flow, NULL, decision, filter_id);
}

static void callout_classified(void *context, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out, enum wall_pended pended)
{
    struct wall_service *service = context;
    if (out)
        (void)wall_holds_answer(&service->holds, ask_id, out, pended);  // -ENOENT: the flow is gone meanwhile
    else
        (void)wall_holds_unregistered(&service->holds, ask_id);
}

static void callout_redirected(void *context, uint64_t ask_id, const struct wall_redirect_version *version)
{
    wall_operation_redirected(context, ask_id, version);
}

static bool callout_is_registered(void *context, uint32_t callout_id)
{
    const struct wall_service *service = context;
    if (wall_callouts_find(&service->callouts, callout_id))
        return true;
    // Drivers need a while to come back after a restart: live flows are not cut meanwhile, and nothing is permitted.
    if (wall_service_clock(NULL) >= service->holds.adopt_until_ms)
        return false;
    (void)sd_event_source_set_enabled(service->adoption, SD_EVENT_ONESHOT);
    return true;
}

// What the filters of a callout do depends on whether it is registered.
static void callouts_changed(void *context)
{
    struct wall_service *service = context;
    if (service->datapath)
        (void)wall_service_enforce(service, wall_engine_policy(service->engine));
    wall_holds_callout_registered(&service->holds);
}

static void callout_notified(void *context, uint64_t id, uint32_t status)
{
    wall_management_notified(context, id, status);
}

static void callout_gone(void *context, uint32_t callout_id)
{
    struct wall_service *service = context;
    wall_flow_contexts_drop(&service->live_flows, callout_id);
    wall_holds_callout_gone(&service->holds, callout_id);
}

static void callout_timed_out(void *context, struct wall_connection *connection, uint32_t callout_id)
{
    struct wall_service *service = context;
    struct wall_driver *driver = wall_driver_find_process(&service->drivers, connection->peer.process_id);
    service->classify_timeouts++;
    char reason[256];
    (void)snprintf(reason, sizeof(reason), "classifyFn of callout %u did not return within %u ms; its filters fail "
                   "closed", callout_id, WALL_CLASSIFY_TIMEOUT_MS);
    wall_service_log(service, "driver %s: %s", driver ? driver->name : "?", reason);
    if (driver) {
        driver->timeouts++;
        wall_driver_abort(driver, reason);
    }
    wall_connection_close(connection, NULL);
}

static int on_adopted(sd_event_source *source, uint64_t time_us, void *context)
{
    callouts_changed(context);
    return 0;
}

int wall_flows_init(struct wall_service *service)
{
    int r = sd_event_add_time(service->event, &service->waiting, CLOCK_MONOTONIC, UINT64_MAX, 0, on_waiting, service);
    if (r >= 0)
        r = sd_event_source_set_enabled(service->waiting, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time_relative(service->event, &service->adoption, CLOCK_MONOTONIC,
                                       (WALL_ADOPT_AGE_MS + 1000) * 1000ull, 0, on_adopted, service);
    if (r >= 0)
        r = sd_event_source_set_enabled(service->adoption, SD_EVENT_OFF);
    return r;
}

struct wall_datapath_events wall_flows_datapath_events(struct wall_service *service)
{
    return (struct wall_datapath_events){
        .context = service,
        .flow_held = flow_held,
        .flow_gone = flow_gone,
        .flow_decided = flow_decided_in_kernel,
        .flow_noticed = flow_noticed,
        .flow_ended = flow_ended,
        .callout_registered = callout_is_registered,
    };
}

struct wall_holds_events wall_flows_holds_events(struct wall_service *service)
{
    return (struct wall_holds_events){service, ask_callout, cancel_question, flow_decided, operation_completed,
                                      pend_fault, current_policy, wall_service_clock, watch_holds};
}

struct wall_callouts_events wall_flows_callouts_events(struct wall_service *service)
{
    return (struct wall_callouts_events){service, callout_classified, callout_notified, callout_timed_out,
                                         callouts_changed, callout_gone, callout_redirected};
}
