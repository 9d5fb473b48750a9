#include "service/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

void wall_holds_init(struct wall_holds *holds, const struct wall_holds_events *events)
{
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    *holds = (struct wall_holds){.events = *events, .next_ask = 1};
    wall_map_init(&holds->by_flow, seed);
    wall_map_init(&holds->by_ask, seed);
}

static void free_hold(struct wall_hold *hold)
{
    wall_classify_end(&hold->classification);
    wall_flow_values_done(&hold->values);
    free((void *)(uintptr_t)hold->flow.executable_path);
    free((void *)(uintptr_t)hold->flow.process_name);
    free((void *)(uintptr_t)hold->flow.packet);
    free(hold);
}

static void forget(struct wall_holds *holds, struct wall_hold *hold)
{
    if (hold->ask_id)
        (void)wall_map_remove(&holds->by_ask, &hold->ask_id, sizeof(hold->ask_id));
    (void)wall_map_remove(&holds->by_flow, &hold->flow.id, sizeof(hold->flow.id));
    free_hold(hold);
}

void wall_holds_done(struct wall_holds *holds)
{
    size_t cursor = 0;
    struct wall_hold *hold;
    while ((hold = wall_map_next(&holds->by_flow, &cursor)))
        forget(holds, hold);
    wall_map_done(&holds->by_flow);
    wall_map_done(&holds->by_ask);
}

static int copy_flow(struct wall_hold *hold, const struct wall_flow *flow)
{
    hold->flow = *flow;
    hold->flow.executable_path = strdup(flow->executable_path);
    hold->flow.process_name = strdup(flow->process_name);
    hold->flow.packet = NULL;
    if (flow->packet) {
        uint8_t *packet = malloc(flow->packet_bytes ? flow->packet_bytes : 1);
        if (packet)
            memcpy(packet, flow->packet, flow->packet_bytes);
        hold->flow.packet = packet;
    }
    if (!hold->flow.executable_path || !hold->flow.process_name || (flow->packet && !hold->flow.packet))
        return -ENOMEM;
    return wall_flow_values_init(&hold->values, &hold->flow);
}

static void decide(struct wall_holds *holds, struct wall_hold *hold, enum wall_flow_decision decision)
{
    holds->events.decided(holds->events.context, hold, decision);
    forget(holds, hold);
}

// Runs the classification until it is decided or a callout is asked.
static void advance(struct wall_holds *holds, struct wall_hold *hold)
{
    while (wall_classify_next(&hold->classification) == WALL_CLASSIFY_CALLOUT) {
        hold->ask_id = holds->next_ask++;
        if (wall_map_put(&holds->by_ask, &hold->ask_id, sizeof(hold->ask_id), hold) < 0) {
            hold->ask_id = 0;
            holds->refused++;
            decide(holds, hold, WALL_FLOW_BLOCK);
            return;
        }
        if (holds->events.ask(holds->events.context, hold))
            return;
        (void)wall_map_remove(&holds->by_ask, &hold->ask_id, sizeof(hold->ask_id));
        hold->ask_id = 0;
        wall_classify_unregistered(&hold->classification);
    }
    decide(holds, hold,
           hold->classification.result.action == FWP_ACTION_BLOCK ? WALL_FLOW_BLOCK : WALL_FLOW_PERMIT);
}

int wall_holds_add(struct wall_holds *holds, struct wall_policy *policy, const struct wall_flow *flow)
{
    if (holds->by_flow.count >= WALL_HOLDS_MAX) {
        holds->refused++;
        return -ENOSPC;
    }
    struct wall_hold *hold = calloc(1, sizeof(*hold));
    int r = hold ? copy_flow(hold, flow) : -ENOMEM;
    if (r == 0 && !wall_classify_begin(&hold->classification, policy, &hold->values.incoming))
        r = -ENOTSUP;
    if (r == 0)
        r = wall_map_put(&holds->by_flow, &hold->flow.id, sizeof(hold->flow.id), hold);
    if (r < 0) {
        holds->refused++;
        if (hold)
            free_hold(hold);
        return r;
    }
    advance(holds, hold);
    return 0;
}

void wall_holds_remove(struct wall_holds *holds, uint64_t flow_id)
{
    struct wall_hold *hold = wall_map_get(&holds->by_flow, &flow_id, sizeof(flow_id));
    if (!hold)
        return;
    if (hold->ask_id)
        holds->events.ask_cancelled(holds->events.context, hold->ask_id);
    forget(holds, hold);
}

static struct wall_hold *take_question(struct wall_holds *holds, uint64_t ask_id)
{
    struct wall_hold *hold = wall_map_remove(&holds->by_ask, &ask_id, sizeof(ask_id));
    if (hold)
        hold->ask_id = 0;
    return hold;
}

int wall_holds_answer(struct wall_holds *holds, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out)
{
    struct wall_hold *hold = take_question(holds, ask_id);
    if (!hold)
        return -ENOENT;
    wall_classify_answer(&hold->classification, out);
    advance(holds, hold);
    return 0;
}

int wall_holds_unregistered(struct wall_holds *holds, uint64_t ask_id)
{
    struct wall_hold *hold = take_question(holds, ask_id);
    if (!hold)
        return -ENOENT;
    wall_classify_unregistered(&hold->classification);
    advance(holds, hold);
    return 0;
}

size_t wall_holds_count(const struct wall_holds *holds)
{
    return holds->by_flow.count;
}
