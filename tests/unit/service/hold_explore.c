// Every order of events, up to a depth, against the real state machine: two callouts, one above the other, that answer,
// pend, complete, inject, drop, crash and come back, while the flow may go away and time passes.
//
// Each sequence is run from the beginning. After each step the invariants hold; after the last one everybody finishes
// what was begun, and then nothing may be left: no flow, no question, no pend, and no completion without its end.
#include "hold_fixture.h"

#define DEPTH_CONNECT 10
#define DEPTH_ACCEPT 10
#define QUESTIONS_MAX 32  // more than any sequence asks

enum action {
    ANSWER_PERMIT,
    ANSWER_BLOCK,
    ANSWER_CONTINUE,
    ANSWER_PEND,
    ANSWER_PEND_BADLY,
    COMPLETE,
    COMPLETE_WITH_PACKET,
    INJECT,
    DROP,
    FLOW_GOES,
    CALLOUT_GOES,
    CALLOUT_COMES,
    TIME_PASSES,
    ACTION_COUNT,
};

struct world {
    struct lab *lab;
    uint16_t layer_id;
    // The open question, and what each callout has answered in the classification under way.
    uint64_t pended[QUESTIONS_MAX];  // pends no one has completed
    unsigned pended_count;
    unsigned completions;            // accepted
    bool flow_gone, blocked_now, timed_out;
    const enum action *actions;  // the sequence, to be told when it fails
    unsigned action_count;
};

static void require(const struct world *world, bool good, const char *what)
{
    if (good)
        return;
    for (unsigned i = 0; i < world->action_count; i++)
        print_message("%d ", world->actions[i]);
    fail_msg("after this sequence of actions: not %s", what);
}
#define REQUIRE(world, condition) require(world, condition, #condition)

static uint64_t last_question(const struct lab *lab)
{
    return lab->ask_count ? lab->asked[(lab->ask_count - 1) % 64] : 0;
}

static bool is_open(const struct lab *lab, uint64_t ask_id)
{
    return ask_id && wall_map_get(&lab->holds.by_ask, &ask_id, sizeof(ask_id)) != NULL;
}

// With a classification that begins anew, what was answered before does not count any more.
static void note_classification(struct world *world, unsigned asked_before, bool restarts)
{
    if (restarts && world->lab->ask_count > asked_before)
        world->blocked_now = false;
}

static bool answer(struct world *world, enum action action)
{
    struct lab *lab = world->lab;
    uint64_t ask_id = last_question(lab);
    if (!is_open(lab, ask_id))
        return false;
    FWPS_CLASSIFY_OUT0 out = answer_permit;
    enum wall_pended pended = WALL_PENDED_NOT;
    if (action == ANSWER_BLOCK)
        out = answer_block;
    if (action == ANSWER_CONTINUE)
        out.actionType = FWP_ACTION_CONTINUE;
    if (action == ANSWER_PEND || action == ANSWER_PEND_BADLY) {
        out = action == ANSWER_PEND ? answer_absorb : answer_permit;
        pended = WALL_PENDED_OPERATION;
        world->pended[world->pended_count++] = ask_id;
    }
    // A step that answers may also start anew: when the pend it settles is complete already, or orphaned.
    const struct wall_hold *hold = wall_map_get(&lab->holds.by_ask, &ask_id, sizeof(ask_id));
    bool restarts = hold->pend.complete || hold->pend.orphaned;
    if (out.actionType == FWP_ACTION_BLOCK)
        world->blocked_now = true;
    unsigned before = lab->ask_count;
    assert_int_equal(wall_holds_answer(&lab->holds, ask_id, &out, pended), 0);
    note_classification(world, before, restarts && (lab->ask_count - before) > 0 && hold);
    return true;
}

static bool complete(struct world *world, bool with_packet)
{
    struct lab *lab = world->lab;
    if (!world->pended_count)
        return false;
    uint64_t id = world->pended[--world->pended_count];
    unsigned before = lab->ask_count;
    int r = wall_holds_complete(&lab->holds, id, with_packet);
    assert_true(r == 0 || r == -ENOENT);
    world->completions += r == 0;
    note_classification(world, before, true);
    return true;
}

static bool inject(struct world *world)
{
    struct lab *lab = world->lab;
    const struct wall_flow flow = lab_flow(1, world->layer_id);
    const struct wall_packet_mark mark = {true, lab, 1, 2};
    unsigned before = lab->ask_count;
    int r = wall_holds_inject(&lab->holds, 0, &mark, flow.packet, flow.packet_bytes);
    note_classification(world, before, true);
    return r == 0;
}

static bool drop(struct world *world)
{
    struct lab *lab = world->lab;
    size_t cursor = 0;
    struct wall_hold *hold = wall_map_next(&lab->holds.by_pend, &cursor);
    if (!hold || hold->state != WALL_HOLD_AWAITING_PACKET)
        return false;
    wall_holds_packet_dropped(&lab->holds, hold->pend.id);
    world->blocked_now = true;
    return true;
}

static bool callout_goes(struct world *world)
{
    struct lab *lab = world->lab;
    if (!lab->registered)
        return false;
    world->blocked_now = world->blocked_now || !lab->decided_count;
    lab->registered = false;
    uint64_t ask_id = last_question(lab);
    if (is_open(lab, ask_id))
        (void)wall_holds_unregistered(&lab->holds, ask_id);
    for (unsigned i = 0; i < lab->callout_count; i++)
        wall_holds_callout_gone(&lab->holds, lab->callout_ids[i]);
    world->pended_count = 0;  // its process is gone
    return true;
}

// Returns false when the action changes nothing here: the sequence is not worth going on with.
static bool act(struct world *world, enum action action)
{
    struct lab *lab = world->lab;
    switch (action) {
    case COMPLETE:
        return complete(world, false);
    case COMPLETE_WITH_PACKET:
        return wall_map_next(&lab->holds.by_flow, &(size_t){0}) && complete(world, true);
    case INJECT:
        return inject(world);
    case DROP:
        return drop(world);
    case FLOW_GOES:
        if (world->flow_gone || lab->decided_count)
            return false;
        world->flow_gone = true;
        wall_holds_remove(&lab->holds, 1);
        return true;
    case CALLOUT_GOES:
        return callout_goes(world);
    case CALLOUT_COMES:
        if (lab->registered)
            return false;
        lab->registered = true;
        wall_holds_callout_registered(&lab->holds);
        return true;
    case TIME_PASSES:
        if (!wall_holds_waiting(&lab->holds))
            return false;
        lab->now_ms += WALL_PEND_AGE_MS;
        world->timed_out = true;
        wall_holds_expire(&lab->holds);
        return true;
    default:
        return answer(world, action);
    }
}

static void check(const struct world *world)
{
    const struct lab *lab = world->lab;
    REQUIRE(world, lab->decided_count <= 1);
    REQUIRE(world, (int)(wall_holds_count(&lab->holds)) == (int)(!lab->decided_count && !world->flow_gone));
    REQUIRE(world, lab->completed_count <= world->completions);
    if (lab->decided_count && lab->decisions[0] == WALL_FLOW_PERMIT) {
        REQUIRE(world, !world->blocked_now);
        REQUIRE(world, !world->timed_out);
    }
    REQUIRE(world, lab->holds.by_pend.count <= 1);
    if (wall_holds_count(&lab->holds) == 0) {
        REQUIRE(world, (int)(lab->holds.by_ask.count) == (int)(0));
        REQUIRE(world, (int)(lab->holds.by_pend.count) == (int)(0));
        REQUIRE(world, !wall_holds_waiting(&lab->holds));
        REQUIRE(world, (int)(lab->completed_count) == (int)(world->completions));
    }
}

// Everybody does what is left to do.
static void finish(struct world *world)
{
    struct lab *lab = world->lab;
    for (unsigned i = 0; wall_holds_count(&lab->holds) > 0; i++) {
        REQUIRE(world, i < 64);
        if (!answer(world, ANSWER_PERMIT) && !complete(world, false) && !drop(world)) {
            lab->now_ms += WALL_PEND_AGE_MS;
            wall_holds_expire(&lab->holds);
        }
    }
    REQUIRE(world, (int)(lab->decided_count + world->flow_gone) == (int)(1));
    REQUIRE(world, (int)(lab->completed_count) == (int)(world->completions));
    REQUIRE(world, (int)(lab->holds.by_ask.count) == (int)(0));
    REQUIRE(world, (int)(lab->holds.by_pend.count) == (int)(0));
    REQUIRE(world, !wall_holds_waiting(&lab->holds));
}

static void reset(struct lab *lab)
{
    const struct wall_holds_events events = lab->holds.events;
    wall_holds_done(&lab->holds);
    wall_holds_init(&lab->holds, &events);
    lab->ask_count = lab->cancel_count = lab->decided_count = lab->completed_count = lab->fault_count = 0;
    lab->registered = true;
}

// Runs one sequence. Returns how many of its actions could be done.
static unsigned run(struct lab *lab, uint16_t layer_id, const enum action *actions, unsigned count)
{
    struct world world = {.lab = lab, .layer_id = layer_id, .actions = actions, .action_count = count};
    const struct wall_flow flow = lab_flow(1, layer_id);
    reset(lab);
    assert_int_equal(wall_holds_add(&lab->holds, &flow, false), 0);
    for (unsigned i = 0; i < count; i++) {
        if (!act(&world, actions[i]))
            return i;
        check(&world);
    }
    finish(&world);
    return count;
}

// All sequences that begin with the `count` actions given.
static unsigned long explore(struct lab *lab, uint16_t layer_id, enum action *actions, unsigned count, unsigned depth)
{
    unsigned long runs = 0;
    for (unsigned next = 0; count < depth && next < ACTION_COUNT; next++) {
        actions[count] = (enum action)next;
        unsigned done = run(lab, layer_id, actions, count + 1);
        runs++;
        if (done == count + 1)
            runs += explore(lab, layer_id, actions, count + 1, depth);
    }
    return runs;
}

static void explore_layer(void **state, uint16_t layer_id, const GUID *layer, unsigned depth)
{
    struct lab *lab = *state;
    enum action actions[16];
    lab_add_callout(lab, layer, FWP_ACTION_CALLOUT_UNKNOWN, 1);
    lab_add_lower_callout(lab, layer);
    const char *given = getenv("WALL_EXPLORE_DEPTH");
    unsigned long runs = explore(lab, layer_id, actions, 0, given ? (unsigned)strtoul(given, NULL, 10) : depth);
    print_message("%lu sequences\n", runs);
    assert_true(runs > 1000);
}

static void every_order_at_connect(void **state)
{
    explore_layer(state, FWPS_LAYER_ALE_AUTH_CONNECT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, DEPTH_CONNECT);
}

static void every_order_at_accept(void **state)
{
    explore_layer(state, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, DEPTH_ACCEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_order_at_connect, lab_setup, lab_teardown),
        cmocka_unit_test_setup_teardown(every_order_at_accept, lab_setup, lab_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
