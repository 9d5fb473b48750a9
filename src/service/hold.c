#include "service/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "service/flow_layer.h"

void wall_holds_init(struct wall_holds *holds, const struct wall_holds_events *events)
{
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    *holds = (struct wall_holds){.events = *events, .next_ask = 1, .pend_age_ms = WALL_PEND_AGE_MS};
    holds->adopt_until_ms = events->now_ms(events->context) + WALL_ADOPT_AGE_MS;
    wall_map_init(&holds->by_flow, seed);
    wall_map_init(&holds->by_ask, seed);
    wall_map_init(&holds->by_pend, seed);
}

static void free_hold(struct wall_hold *hold)
{
    wall_classify_end(&hold->classification);
    wall_flow_values_done(&hold->values);
    wall_redirect_done(&hold->redirect);
    free((void *)(uintptr_t)hold->flow.executable_path);
    free((void *)(uintptr_t)hold->flow.process_name);
    free((void *)(uintptr_t)hold->flow.packet);
    free(hold);
}

// --- Waiting ---

static void wait_in(struct wall_holds *holds, struct wall_hold *hold, enum wall_hold_state state)
{
    hold->state = state;
    hold->since_ms = holds->events.now_ms(holds->events.context);
    hold->previous = holds->newest;
    hold->next = NULL;
    *(holds->newest ? &holds->newest->next : &holds->oldest) = hold;
    holds->newest = hold;
    holds->events.waits(holds->events.context);
}

static void stop_waiting(struct wall_holds *holds, struct wall_hold *hold)
{
    if (hold->state == WALL_HOLD_CLASSIFYING)
        return;
    *(hold->previous ? &hold->previous->next : &holds->oldest) = hold->next;
    *(hold->next ? &hold->next->previous : &holds->newest) = hold->previous;
    hold->state = WALL_HOLD_CLASSIFYING;
}

static void forget_pend(struct wall_holds *holds, struct wall_hold *hold)
{
    if (hold->pend.id)
        (void)wall_map_remove(&holds->by_pend, &hold->pend.id, sizeof(hold->pend.id));
    hold->pend = (struct wall_pend){0};
}

static void forget(struct wall_holds *holds, struct wall_hold *hold)
{
    stop_waiting(holds, hold);
    forget_pend(holds, hold);
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
    wall_map_done(&holds->by_pend);
}

static void fault(struct wall_holds *holds, const struct wall_hold *hold, uint32_t callout_id, const char *text)
{
    holds->events.fault(holds->events.context, hold, callout_id, text);
}

// --- Classifying ---

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
    int r = wall_flow_layer_redirects(flow->layer_id) ? wall_redirect_begin(&hold->redirect, &hold->flow) : 0;
    return r < 0 ? r : wall_flow_values_init(&hold->values, &hold->flow);
}

// The completion that waits for the end of the classification; 0: none.
static uint64_t open_completion(const struct wall_hold *hold)
{
    if (hold->completing)
        return hold->completing;
    bool early = hold->pend.complete && hold->pend.kind == WALL_PENDED_OPERATION;
    return early && hold->state == WALL_HOLD_CLASSIFYING ? hold->pend.id : 0;
}

static void end_completion(struct wall_holds *holds, uint64_t id)
{
    if (id)
        holds->events.completed(holds->events.context, id);
}

static void decide(struct wall_holds *holds, struct wall_hold *hold, enum wall_flow_decision decision)
{
    uint64_t completion = open_completion(hold);
    holds->events.decided(holds->events.context, hold, decision);
    forget(holds, hold);
    end_completion(holds, completion);
}

static void advance(struct wall_holds *holds, struct wall_hold *hold);

static void refuse(struct wall_holds *holds, struct wall_hold *hold)
{
    holds->refused++;
    decide(holds, hold, WALL_FLOW_BLOCK);
}

// From the beginning, under the policy of now.
static void classify_again(struct wall_holds *holds, struct wall_hold *hold)
{
    stop_waiting(holds, hold);
    forget_pend(holds, hold);
    wall_classify_end(&hold->classification);
    struct wall_policy *policy = holds->events.policy(holds->events.context);
    if (wall_classify_begin(&hold->classification, policy, &hold->values.incoming))
        advance(holds, hold);
    else
        refuse(holds, hold);
}

// It is said where the connection goes, or where its socket is bound; whether it may is asked at the next layer.
static void authorize(struct wall_holds *holds, struct wall_hold *hold)
{
    wall_flow_values_done(&hold->values);
    if (wall_redirect_apply(&hold->redirect, &hold->flow) == 0 &&
        wall_flow_values_init(&hold->values, &hold->flow) == 0)
        classify_again(holds, hold);
    else
        refuse(holds, hold);
}

static void conclude_as(struct wall_holds *holds, struct wall_hold *hold, bool blocked)
{
    if (hold->unredirected)
        refuse(holds, hold);
    else if (!blocked && wall_flow_layer_redirects(hold->flow.layer_id))
        authorize(holds, hold);
    else
        decide(holds, hold, blocked ? WALL_FLOW_BLOCK : WALL_FLOW_PERMIT);
}

// The pended operation is complete, and every callout has been asked.
static void complete_operation(struct wall_holds *holds, struct wall_hold *hold)
{
    uint64_t id = hold->pend.id;
    hold->completing = id;
    if (!wall_flow_layer_accepts(hold->flow.layer_id)) {
        hold->reauthorizing = true;
        wall_flow_values_reauthorize(&hold->values, FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION);
        classify_again(holds, hold);
    } else if (hold->pend.packet_follows) {
        stop_waiting(holds, hold);
        wait_in(holds, hold, WALL_HOLD_AWAITING_PACKET);
        hold->completing = 0;
        end_completion(holds, id);
    } else {
        decide(holds, hold, WALL_FLOW_BLOCK);
    }
}

static void complete_classify(struct wall_holds *holds, struct wall_hold *hold)
{
    if (hold->pend.again) {
        classify_again(holds, hold);
        return;
    }
    FWPS_CLASSIFY_OUT0 out = hold->pend.out;
    hold->classification = hold->pend.before;
    stop_waiting(holds, hold);
    forget_pend(holds, hold);
    wall_classify_answer(&hold->classification, &out);
    advance(holds, hold);
}

static void complete(struct wall_holds *holds, struct wall_hold *hold)
{
    if (hold->pend.kind == WALL_PENDED_OPERATION)
        complete_operation(holds, hold);
    else
        complete_classify(holds, hold);
}

// The callout that pended is gone: the rule for unregistered callouts takes its place, under the policy of then. Its
// filter may have gone with it, and must not leave the flow permitted by that.
static void abandon(struct wall_holds *holds, struct wall_hold *hold)
{
    uint64_t completion = open_completion(hold);
    hold->classification = hold->pend.before;
    stop_waiting(holds, hold);
    forget_pend(holds, hold);
    hold->completing = completion;
    wall_classify_unregistered(&hold->classification);
    advance(holds, hold);
}

// Every callout has been asked.
static void conclude(struct wall_holds *holds, struct wall_hold *hold)
{
    const struct wall_classify_result *result = &hold->classification.result;
    bool blocked = result->action == FWP_ACTION_BLOCK;
    if (!hold->pend.id) {
        conclude_as(holds, hold, blocked);
        return;
    }
    if (!blocked || result->filter_id != hold->pend.filter_id) {
        // Somebody above had decided already: the operation is over, whatever the callout does with it.
        fault(holds, hold, hold->pend.callout_id, "pended an operation that was decided above it");
        forget_pend(holds, hold);
        conclude_as(holds, hold, blocked);
        return;
    }
    if (hold->pend.orphaned)
        abandon(holds, hold);
    else if (hold->pend.complete)
        complete(holds, hold);
    else
        wait_in(holds, hold, WALL_HOLD_PENDED);
}

// Runs the classification until it is decided or a callout is asked.
static void advance(struct wall_holds *holds, struct wall_hold *hold)
{
    while (wall_classify_next(&hold->classification) == WALL_CLASSIFY_CALLOUT) {
        hold->ask_id = holds->next_ask++;
        if (wall_map_put(&holds->by_ask, &hold->ask_id, sizeof(hold->ask_id), hold) < 0) {
            hold->ask_id = 0;
            refuse(holds, hold);
            return;
        }
        enum wall_asking asking = holds->events.ask(holds->events.context, hold);
        if (asking == WALL_ASKED)
            return;
        (void)wall_map_remove(&holds->by_ask, &hold->ask_id, sizeof(hold->ask_id));
        hold->ask_id = 0;
        if (asking == WALL_ASK_SKIPPED) {
            wall_classify_skip(&hold->classification);
            continue;
        }
        if (hold->flow.adopted && !hold->pend.id) {
            wait_in(holds, hold, WALL_HOLD_AWAITING_CALLOUT);
            return;
        }
        wall_classify_unregistered(&hold->classification);
    }
    conclude(holds, hold);
}

int wall_holds_add(struct wall_holds *holds, const struct wall_flow *flow, bool notice)
{
    if (holds->by_flow.count >= WALL_HOLDS_MAX) {
        holds->refused++;
        return -ENOSPC;
    }
    struct wall_policy *policy = holds->events.policy(holds->events.context);
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
    hold->notice = notice;
    hold->reauthorizing = flow->reauthorize_reason != 0;
    if (hold->reauthorizing && holds->events.now_ms(holds->events.context) < holds->adopt_until_ms)
        hold->flow.adopted = true;
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
    uint64_t completion = open_completion(hold);
    forget(holds, hold);
    end_completion(holds, completion);
}

static struct wall_hold *take_question(struct wall_holds *holds, uint64_t ask_id)
{
    struct wall_hold *hold = wall_map_remove(&holds->by_ask, &ask_id, sizeof(ask_id));
    if (hold)
        hold->ask_id = 0;
    return hold;
}

// --- Pending ---

// Why a pend does not count; NULL: it does. The answer stands in either case.
static const char *pend_flaw(const struct wall_hold *hold, const FWPS_CLASSIFY_OUT0 *out, enum wall_pended pended)
{
    enum wall_pended allowed = hold->reauthorizing ? WALL_PENDED_NOT : wall_flow_layer_pends(hold->flow.layer_id);
    if (pended != allowed)
        return "pended where nothing can be pended";
    if (hold->classification.filter->action == FWP_ACTION_CALLOUT_INSPECTION)
        return "pended with a filter of an inspection callout, whose answer does not count";
    if (hold->pend.id)
        return "pended an operation that another callout had pended: without FWPS_RIGHT_ACTION_WRITE it must not";
    if (out->actionType != FWP_ACTION_BLOCK)
        return "pended and did not answer FWP_ACTION_BLOCK: the answer stands and nothing waits";
    if (out->rights & FWPS_RIGHT_ACTION_WRITE)
        return "pended and left FWPS_RIGHT_ACTION_WRITE set: the block stands and nothing waits";
    if (pended == WALL_PENDED_OPERATION && !(out->flags & FWPS_CLASSIFY_OUT_FLAG_ABSORB))
        return "pended and did not set FWPS_CLASSIFY_OUT_FLAG_ABSORB: the block stands and nothing waits";
    return NULL;
}

static void note_pend(struct wall_holds *holds, struct wall_hold *hold, uint64_t id, const FWPS_CLASSIFY_OUT0 *out,
                      enum wall_pended pended)
{
    const struct wall_filter *filter = hold->classification.filter;
    const char *flaw = pend_flaw(hold, out, pended);
    if (!flaw && hold->packet.injected && ++hold->repends >= WALL_REPENDS_MAX)
        flaw = "pends the packet it injected itself again and again: ask FwpsQueryPacketInjectionState0";
    if (flaw) {
        fault(holds, hold, filter->callout_id, flaw);
        return;
    }
    hold->pend = (struct wall_pend){.id = id, .filter_id = filter->id, .callout_id = filter->callout_id,
                                    .kind = pended, .before = hold->classification};
    if (wall_map_put(&holds->by_pend, &hold->pend.id, sizeof(id), hold) < 0) {
        hold->pend = (struct wall_pend){0};
        holds->refused++;  // nothing waits: the block stands
    }
}

int wall_holds_redirect(struct wall_holds *holds, uint64_t id, const struct wall_redirect_version *version)
{
    struct wall_hold *hold = wall_map_get(&holds->by_ask, &id, sizeof(id));
    uint64_t filter_id = hold ? hold->classification.filter->id : 0;
    bool asked = hold;
    if (!hold && (hold = wall_map_get(&holds->by_pend, &id, sizeof(id))))
        filter_id = hold->pend.filter_id;
    if (!hold)
        return -ENOENT;
    if (!wall_flow_layer_redirects(hold->flow.layer_id))
        return -EINVAL;
    hold->changing = asked;
    int r = wall_redirect_add(&hold->redirect, version, filter_id);
    hold->unredirected = hold->unredirected || r < 0;
    return r;
}

int wall_holds_answer(struct wall_holds *holds, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out,
                      enum wall_pended pended)
{
    struct wall_hold *hold = take_question(holds, ask_id);
    if (!hold)
        return -ENOENT;
    if (pended != WALL_PENDED_NOT)
        note_pend(holds, hold, ask_id, out, pended);
    FWPS_CLASSIFY_OUT0 answer = *out;
    // What FwpsAcquireWritableLayerDataPointer0 wrote, left as it was: no block where something was changed.
    if (hold->changing && pended == WALL_PENDED_NOT && answer.actionType == FWP_ACTION_BLOCK)
        answer.actionType = FWP_ACTION_PERMIT;
    hold->changing = false;
    wall_classify_answer(&hold->classification, &answer);
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

// The hold whose operation is pended under this id and not complete yet.
static struct wall_hold *find_pend(struct wall_holds *holds, uint64_t id)
{
    struct wall_hold *hold = wall_map_get(&holds->by_pend, &id, sizeof(id));
    return hold && !hold->pend.complete ? hold : NULL;
}

int wall_holds_complete(struct wall_holds *holds, uint64_t id, bool packet_follows)
{
    struct wall_hold *hold = find_pend(holds, id);
    if (!hold)
        return -ENOENT;
    if (hold->pend.kind != WALL_PENDED_OPERATION)
        return -EINVAL;
    hold->pend.complete = true;
    hold->pend.packet_follows = packet_follows;
    if (hold->state == WALL_HOLD_PENDED)
        complete(holds, hold);
    return 0;
}

int wall_holds_complete_classify(struct wall_holds *holds, uint64_t id, const FWPS_CLASSIFY_OUT0 *out)
{
    struct wall_hold *hold = find_pend(holds, id);
    if (!hold)
        return -ENOENT;
    if (hold->pend.kind != WALL_PENDED_CLASSIFY)
        return -EINVAL;
    hold->pend.complete = true;
    hold->pend.again = !out;
    if (out)
        hold->pend.out = *out;
    if (hold->state == WALL_HOLD_PENDED)
        complete(holds, hold);
    return 0;
}

// --- Packets of inbound operations ---

static struct wall_hold *find_packet(struct wall_holds *holds, uint64_t origin_id, const uint8_t *packet,
                                     size_t packet_bytes)
{
    struct wall_hold *hold = origin_id ? wall_map_get(&holds->by_pend, &origin_id, sizeof(origin_id)) : NULL;
    if (hold)
        return hold;
    for (hold = holds->oldest; hold; hold = hold->next) {
        if (hold->state == WALL_HOLD_AWAITING_PACKET && hold->flow.packet_bytes == packet_bytes &&
            memcmp(hold->flow.packet, packet, packet_bytes) == 0)
            return hold;
    }
    return NULL;
}

int wall_holds_inject(struct wall_holds *holds, uint64_t origin_id, const struct wall_packet_mark *mark,
                      const uint8_t *packet, size_t packet_bytes)
{
    struct wall_hold *hold = find_packet(holds, origin_id, packet, packet_bytes);
    if (!hold)
        return -ENOENT;
    if (hold->state != WALL_HOLD_AWAITING_PACKET) {
        fault(holds, hold, hold->pend.callout_id,
              "injected the packet of an operation that is not complete: the packet is dropped");
        return 0;
    }
    hold->packet = *mark;
    classify_again(holds, hold);
    return 0;
}

void wall_holds_packet_dropped(struct wall_holds *holds, uint64_t origin_id)
{
    struct wall_hold *hold = wall_map_get(&holds->by_pend, &origin_id, sizeof(origin_id));
    if (hold && hold->state == WALL_HOLD_AWAITING_PACKET)
        decide(holds, hold, WALL_FLOW_BLOCK);
}

// --- Callouts that come and go, and time ---

void wall_holds_callout_registered(struct wall_holds *holds)
{
    // Those that wait again are appended behind the last of now.
    struct wall_hold *last = holds->newest;
    for (struct wall_hold *hold = holds->oldest, *next; hold; hold = next) {
        next = hold == last ? NULL : hold->next;
        if (hold->state == WALL_HOLD_AWAITING_CALLOUT)
            classify_again(holds, hold);
    }
}

void wall_holds_callout_gone(struct wall_holds *holds, uint32_t callout_id)
{
    size_t cursor = 0;
    struct wall_hold *pended;
    while ((pended = wall_map_next(&holds->by_pend, &cursor)))
        pended->pend.orphaned = pended->pend.orphaned || pended->pend.callout_id == callout_id;
    struct wall_hold *last = holds->newest;
    for (struct wall_hold *hold = holds->oldest, *next; hold; hold = next) {
        next = hold == last ? NULL : hold->next;
        if (hold->pend.orphaned)
            abandon(holds, hold);
    }
}

static uint64_t age_limit(const struct wall_holds *holds, enum wall_hold_state state)
{
    if (state == WALL_HOLD_AWAITING_PACKET)
        return WALL_PACKET_AGE_MS;
    return state == WALL_HOLD_AWAITING_CALLOUT ? WALL_ADOPT_AGE_MS : holds->pend_age_ms;
}

void wall_holds_expire(struct wall_holds *holds)
{
    uint64_t now = holds->events.now_ms(holds->events.context);
    struct wall_hold *last = holds->newest;
    for (struct wall_hold *hold = holds->oldest, *next; hold; hold = next) {
        next = hold == last ? NULL : hold->next;
        if (now - hold->since_ms < age_limit(holds, hold->state))
            continue;
        if (hold->state == WALL_HOLD_AWAITING_CALLOUT) {
            stop_waiting(holds, hold);
            hold->flow.adopted = false;
            wall_classify_unregistered(&hold->classification);
            advance(holds, hold);
            continue;
        }
        holds->overdue++;
        fault(holds, hold, hold->pend.callout_id, hold->state == WALL_HOLD_PENDED
              ? "never completed an operation it pended: blocked by the watchdog"
              : "completed an inbound operation and never injected its packet: blocked");
        decide(holds, hold, WALL_FLOW_BLOCK);
    }
}

bool wall_holds_waiting(const struct wall_holds *holds)
{
    return holds->oldest != NULL;
}

size_t wall_holds_count(const struct wall_holds *holds)
{
    return holds->by_flow.count;
}
