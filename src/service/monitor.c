#include "service/monitor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf16.h"
#include "service/client.h"

static bool anyone_watches(const struct wall_service *service, uint32_t what)
{
    for (const struct wall_client *client = service->clients; client; client = client->next) {
        if (client->monitor & what)
            return true;
    }
    return false;
}

void wall_monitor_update(struct wall_service *service)
{
    struct wall_error err;
    bool watched = anyone_watches(service, WALL_MONITOR_DECISIONS);
    if (service->datapath && wall_datapath_log_permits(service->datapath, watched, &err) < 0)
        wall_service_log(service, "permitted connections cannot be shown: %s", err.text);
}

// A monitor that does not keep up loses records, which are counted and told before the next one it gets.
static void send_record(struct wall_service *service, uint32_t what, enum wall_message_type type, const void *record)
{
    for (struct wall_client *client = service->clients; client; client = client->next) {
        if (!(client->monitor & what))
            continue;
        struct wall_monitor_lost lost = {.count = client->monitor_lost};
        if (lost.count && wall_connection_notify(client->connection, WALL_MESSAGE_MONITOR_LOST, &lost) == 0)
            client->monitor_lost = 0;
        if (client->monitor_lost || wall_connection_notify(client->connection, type, record) < 0) {
            client->monitor_lost++;
            service->monitor_lost++;
        }
    }
}

void wall_monitor_line(struct wall_service *service, const char *driver, const char *line)
{
    struct wall_monitor_line record = {.time_us = wall_service_real_time(0), .driver = driver, .line = line};
    send_record(service, WALL_MONITOR_LINES, WALL_MESSAGE_MONITOR_LINE, &record);
}

static const struct wall_filter *search_filter(const struct wall_policy *policy, uint16_t layer_id, uint64_t filter_id)
{
    const struct wall_policy_layer *layer = filter_id ? wall_policy_layer(policy, layer_id) : NULL;
    for (uint32_t s = 0; layer && s < layer->sublayer_count; s++) {
        for (uint32_t f = 0; f < layer->sublayers[s].filter_count; f++) {
            if (layer->sublayers[s].filters[f]->id == filter_id)
                return layer->sublayers[s].filters[f];
        }
    }
    return NULL;
}

// Few filters bring most decisions, and a policy has many: those found last are kept, until the policy is another one.
static const struct wall_filter *find_filter(struct wall_service *service, const struct wall_policy *policy,
                                             uint16_t layer_id, uint64_t filter_id)
{
    struct wall_monitor_filter *kept = &service->monitor_filters[filter_id % WALL_MONITOR_FILTERS];
    if (kept->generation != wall_policy_generation(policy) || kept->id != filter_id || kept->layer_id != layer_id)
        *kept = (struct wall_monitor_filter){.generation = wall_policy_generation(policy), .id = filter_id,
                                             .layer_id = layer_id,
                                             .filter = search_filter(policy, layer_id, filter_id)};
    return kept->filter;
}

// The name of the driver whose callout `filter` asks; NULL: none.
static const char *filter_driver(struct wall_service *service, const struct wall_filter *filter)
{
    const struct wall_callout_entry *entry =
        filter && filter->callout_id ? wall_callouts_find(&service->callouts, filter->callout_id) : NULL;
    if (!entry)
        return NULL;
    const struct wall_client *client = entry->connection->state;
    const struct wall_driver *driver =
        wall_driver_find_process(&service->drivers, entry->connection->peer.process_id);
    return driver ? driver->name : client->name;
}

void wall_monitor_decision(struct wall_service *service, const struct wall_flow *flow, const struct wall_hold *hold,
                           enum wall_flow_decision decision, uint64_t filter_id)
{
    if (!anyone_watches(service, WALL_MONITOR_DECISIONS))
        return;
    const struct wall_policy *policy =
        hold ? hold->classification.policy : wall_engine_policy(service->engine);
    const struct wall_filter *filter = find_filter(service, policy, flow->layer_id, filter_id);
    const WCHAR *name = filter ? filter->object->displayData.name : NULL;
    char *text = name ? wall_utf16_new_utf8((const uint16_t *)name) : NULL;
    struct timespec now;
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    struct wall_monitor_decision record = {
        .time_us = wall_service_real_time(flow->time_ns),
        .held_us = hold && now_ns > flow->time_ns ? (now_ns - flow->time_ns) / 1000 : 0,
        .filter_id = filter_id,
        .flow_id = flow->id,
        .action = decision == WALL_FLOW_PERMIT ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK,
        .process_id = flow->process_id,
        .user_id = flow->user_id,
        .layer_id = flow->layer_id,
        .local_port = flow->local_port,
        .remote_port = flow->remote_port,
        .family = flow->family,
        .protocol = flow->protocol,
        .repeats = flow->repeats,
        .veto = hold ? hold->classification.result.veto : 0,
        .executable = flow->executable_path,
        .process_name = flow->process_name,
        .filter_name = text,
        .driver = filter_driver(service, filter),
    };
    memcpy(record.local_address, flow->local_address, sizeof(record.local_address));
    memcpy(record.remote_address, flow->remote_address, sizeof(record.remote_address));
    send_record(service, WALL_MONITOR_DECISIONS, WALL_MESSAGE_MONITOR_DECISION, &record);
    free(text);
}
