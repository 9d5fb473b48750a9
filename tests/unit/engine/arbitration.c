// Filter arbitration: the whole fold table and the test vectors of the reference.
#include "fixture.h"

// What one sublayer answers. A callout's answer is chosen by its kind.
enum answer {
    NOTHING,
    PERMIT,
    PERMIT_HARD,
    BLOCK,
    CALLOUT_PERMIT,
    CALLOUT_PERMIT_CLEAR,
    CALLOUT_BLOCK_KEEP,
    CALLOUT_BLOCK_CLEAR,
    CALLOUT_CONTINUE,           // FWP_ACTION_CALLOUT_UNKNOWN that answers CONTINUE
    CALLOUT_TERMINATING_CONTINUE,
    INSPECTION,                 // answers BLOCK, which must be ignored
    UNREGISTERED_TERMINATING,
    UNREGISTERED_UNKNOWN,
    UNREGISTERED_PERMIT,        // with PERMIT_IF_CALLOUT_UNREGISTERED
    UNREGISTERED_INSPECTION,
};

static FWP_ACTION_TYPE action_of(enum answer answer)
{
    switch (answer) {
    case PERMIT:
    case PERMIT_HARD:
        return FWP_ACTION_PERMIT;
    case BLOCK:
        return FWP_ACTION_BLOCK;
    case CALLOUT_CONTINUE:
    case UNREGISTERED_UNKNOWN:
        return FWP_ACTION_CALLOUT_UNKNOWN;
    case INSPECTION:
    case UNREGISTERED_INSPECTION:
        return FWP_ACTION_CALLOUT_INSPECTION;
    default:
        return FWP_ACTION_CALLOUT_TERMINATING;
    }
}

static uint32_t flags_of(enum answer answer)
{
    if (answer == PERMIT_HARD)
        return FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    return answer == UNREGISTERED_PERMIT ? FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED : 0;
}

struct scene {
    struct fixture *fixture;
    GUID callout;
    uint16_t next_weight;
    // What was asked, in order:
    unsigned int asked_count;
    FWPS_CLASSIFY_OUT0 asked[16];
};

static void scene_init(struct scene *scene, struct fixture *fixture)
{
    *scene = (struct scene){ .fixture = fixture, .next_weight = 0xfffe };
    scene->callout = add_callout(fixture->session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
}

// Adds a filter of that kind; the raw context tells the callout what to answer.
static uint64_t add_answer(struct scene *scene, const GUID *sublayer, enum answer answer, uint8_t range)
{
    if (answer == NOTHING)
        return 0;
    FWPM_FILTER0 filter = plain_filter(sublayer, action_of(answer));
    filter.flags = flags_of(answer);
    filter.rawContext = answer;
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = range };
    if (filter.action.type & FWP_ACTION_FLAG_CALLOUT)
        filter.action.calloutKey = scene->callout;
    return add_filter(scene->fixture->session, &filter);
}

// A new sublayer below all others, with one filter.
static uint64_t add_below(struct scene *scene, enum answer answer)
{
    GUID sublayer = add_sublayer(scene->fixture->session, scene->next_weight--);
    return add_answer(scene, &sublayer, answer, 0);
}

static bool ask(void *context, const struct wall_filter *filter, FWPS_CLASSIFY_OUT0 *out)
{
    struct scene *scene = context;
    assert_int_equal(out->filterId, filter->id);
    scene->asked[scene->asked_count++ % 16] = *out;
    switch ((enum answer)filter->context) {
    case CALLOUT_PERMIT:
        out->actionType = FWP_ACTION_PERMIT;
        return true;
    case CALLOUT_PERMIT_CLEAR:
        out->actionType = FWP_ACTION_PERMIT;
        out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
        return true;
    case CALLOUT_BLOCK_KEEP:
    case INSPECTION:
        out->actionType = FWP_ACTION_BLOCK;
        return true;
    case CALLOUT_BLOCK_CLEAR:
        out->actionType = FWP_ACTION_BLOCK;
        out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
        return true;
    case CALLOUT_CONTINUE:
    case CALLOUT_TERMINATING_CONTINUE:
        out->actionType = FWP_ACTION_CONTINUE;
        return true;
    default:
        return false;
    }
}

static struct wall_classify_result classify(struct scene *scene)
{
    struct traffic traffic;
    traffic_to(&traffic, 0x01020304, 443);
    struct wall_classify_result result = { .action = 99 };
    assert_true(wall_classify(wall_engine_policy(scene->fixture->engine), &traffic.incoming, ask, scene, &result));
    return result;
}

static void expect(const struct wall_classify_result *result, uint32_t action, uint64_t filter_id, bool soft, bool veto)
{
    assert_int_equal(result->action, action);
    assert_int_equal(result->filter_id, filter_id);
    assert_int_equal(result->rights, soft ? FWPS_RIGHT_ACTION_WRITE : 0);
    assert_int_equal(result->veto, veto);
}

// --- The fold table: current state (row) and what comes from the next lower sublayer (column) ---

enum outcome { FIRST, SECOND, VETO };  // whose action stands

static const struct {
    enum answer current, next;
    uint32_t action;
    enum outcome owner;
    bool soft;
} fold_table[] = {
    { NOTHING, PERMIT, FWP_ACTION_PERMIT, SECOND, true },
    { NOTHING, PERMIT_HARD, FWP_ACTION_PERMIT, SECOND, false },
    { NOTHING, BLOCK, FWP_ACTION_BLOCK, SECOND, false },
    { NOTHING, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, SECOND, true },
    { NOTHING, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, SECOND, false },

    { PERMIT, PERMIT, FWP_ACTION_PERMIT, FIRST, true },
    { PERMIT, PERMIT_HARD, FWP_ACTION_PERMIT, FIRST, false },
    { PERMIT, BLOCK, FWP_ACTION_BLOCK, SECOND, false },
    { PERMIT, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, SECOND, true },
    { PERMIT, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, SECOND, false },

    { PERMIT_HARD, PERMIT, FWP_ACTION_PERMIT, FIRST, false },
    { PERMIT_HARD, PERMIT_HARD, FWP_ACTION_PERMIT, FIRST, false },
    { PERMIT_HARD, BLOCK, FWP_ACTION_PERMIT, FIRST, false },
    { PERMIT_HARD, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, VETO, false },
    { PERMIT_HARD, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, VETO, false },

    { CALLOUT_BLOCK_KEEP, PERMIT, FWP_ACTION_PERMIT, SECOND, true },
    { CALLOUT_BLOCK_KEEP, PERMIT_HARD, FWP_ACTION_PERMIT, SECOND, false },
    { CALLOUT_BLOCK_KEEP, BLOCK, FWP_ACTION_BLOCK, FIRST, false },
    { CALLOUT_BLOCK_KEEP, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, FIRST, true },
    { CALLOUT_BLOCK_KEEP, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, FIRST, false },

    { BLOCK, PERMIT, FWP_ACTION_BLOCK, FIRST, false },
    { BLOCK, PERMIT_HARD, FWP_ACTION_BLOCK, FIRST, false },
    { BLOCK, BLOCK, FWP_ACTION_BLOCK, FIRST, false },
    { BLOCK, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, FIRST, false },
    { BLOCK, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, FIRST, false },

    // Callout permits fold as filter permits do.
    { CALLOUT_PERMIT, BLOCK, FWP_ACTION_BLOCK, SECOND, false },
    { CALLOUT_PERMIT_CLEAR, BLOCK, FWP_ACTION_PERMIT, FIRST, false },
    { CALLOUT_PERMIT_CLEAR, CALLOUT_BLOCK_KEEP, FWP_ACTION_BLOCK, VETO, false },
    { BLOCK, CALLOUT_PERMIT, FWP_ACTION_BLOCK, FIRST, false },
    { BLOCK, CALLOUT_PERMIT_CLEAR, FWP_ACTION_BLOCK, FIRST, false },
    // A callout that is gone guards as it did: its block may veto.
    { PERMIT_HARD, UNREGISTERED_TERMINATING, FWP_ACTION_BLOCK, VETO, false },
    { PERMIT, UNREGISTERED_PERMIT, FWP_ACTION_PERMIT, FIRST, true },
    { BLOCK, UNREGISTERED_PERMIT, FWP_ACTION_BLOCK, FIRST, false },
};

static void the_fold_table(void **state)
{
    for (size_t i = 0; i < COUNT_OF(fold_table); i++) {
        void *fresh;
        fixture_setup(&fresh);
        struct scene scene;
        scene_init(&scene, fresh);
        uint64_t first = add_below(&scene, fold_table[i].current);
        uint64_t second = add_below(&scene, fold_table[i].next);
        struct wall_classify_result result = classify(&scene);
        expect(&result, fold_table[i].action, fold_table[i].owner == FIRST ? first : second, fold_table[i].soft,
               fold_table[i].owner == VETO);
        assert_int_equal(result.trace_count, fold_table[i].current == NOTHING ? 1 : 2);
        fixture_teardown(&fresh);
    }
}

// --- The test vectors, by their numbers in the reference ---

static void vector_1_no_match_permits(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_NONE, 0, true, false);
    assert_int_equal(result.trace_count, 0);
}

static void vector_2_permit(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    uint64_t id = add_below(&scene, PERMIT);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_PERMIT, id, true, false);
}

static void two(void **state, enum answer high, enum answer low, uint32_t action, enum outcome owner, bool soft)
{
    struct scene scene;
    scene_init(&scene, *state);
    uint64_t first = add_below(&scene, high);
    uint64_t second = add_below(&scene, low);
    struct wall_classify_result result = classify(&scene);
    expect(&result, action, owner == FIRST ? first : second, soft, owner == VETO);
    // Both sublayers are evaluated, whatever the first says.
    assert_int_equal(result.trace_count, 2);
    assert_int_equal(result.trace[0].filter_id, first);
    assert_int_equal(result.trace[1].filter_id, second);
}

static void vector_3_permit_block(void **state)
{
    two(state, PERMIT, BLOCK, FWP_ACTION_BLOCK, SECOND, false);
}

static void vector_4_hard_permit_block(void **state)
{
    two(state, PERMIT_HARD, BLOCK, FWP_ACTION_PERMIT, FIRST, false);
}

static void vector_5_veto(void **state)
{
    two(state, PERMIT_HARD, CALLOUT_BLOCK_CLEAR, FWP_ACTION_BLOCK, VETO, false);
}

static void vector_6_block_permit(void **state)
{
    two(state, BLOCK, PERMIT, FWP_ACTION_BLOCK, FIRST, false);
}

static void vector_7_block_hard_permit(void **state)
{
    two(state, BLOCK, PERMIT_HARD, FWP_ACTION_BLOCK, FIRST, false);
}

static void vector_8_soft_block_permit(void **state)
{
    two(state, CALLOUT_BLOCK_KEEP, PERMIT, FWP_ACTION_PERMIT, SECOND, true);
}

static void vector_9_hard_callout_block(void **state)
{
    two(state, CALLOUT_BLOCK_CLEAR, PERMIT_HARD, FWP_ACTION_BLOCK, FIRST, false);
}

static void vector_10_inspection_then_block(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    (void)add_below(&scene, INSPECTION);
    uint64_t block = add_below(&scene, BLOCK);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_BLOCK, block, false, false);
    assert_int_equal(scene.asked_count, 1);
    assert_int_equal(scene.asked[0].rights, FWPS_RIGHT_ACTION_WRITE);
    assert_int_equal(result.trace_count, 1);
}

static void vector_11_block_then_inspection(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    uint64_t block = add_below(&scene, BLOCK);
    (void)add_below(&scene, INSPECTION);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_BLOCK, block, false, false);
    assert_int_equal(scene.asked_count, 1);
    assert_int_equal(scene.asked[0].rights, 0);
    assert_int_equal(scene.asked[0].actionType, FWP_ACTION_BLOCK);
}

static void vector_12_first_match_of_a_sublayer(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    GUID sublayer = add_sublayer(scene.fixture->session, 100);
    (void)add_answer(&scene, &sublayer, BLOCK, 5);
    uint64_t permit = add_answer(&scene, &sublayer, PERMIT, 10);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_PERMIT, permit, true, false);
    assert_int_equal(result.trace_count, 1);
}

static void vector_13_continue_falls_through(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    GUID sublayer = add_sublayer(scene.fixture->session, 100);
    (void)add_answer(&scene, &sublayer, CALLOUT_CONTINUE, 10);
    uint64_t block = add_answer(&scene, &sublayer, BLOCK, 5);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_BLOCK, block, false, false);
    assert_int_equal(scene.asked_count, 1);
}

static void vector_14_permit_permit(void **state)
{
    two(state, PERMIT, PERMIT, FWP_ACTION_PERMIT, FIRST, true);
}

static void vector_15_unregistered_terminating(void **state)
{
    static const enum answer answers[] = { UNREGISTERED_TERMINATING, UNREGISTERED_UNKNOWN };
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        void *fresh;
        fixture_setup(&fresh);
        struct scene scene;
        scene_init(&scene, fresh);
        uint64_t id = add_below(&scene, answers[i]);
        struct wall_classify_result result = classify(&scene);
        expect(&result, FWP_ACTION_BLOCK, id, false, false);
        assert_true(result.trace[0].unregistered && result.trace[0].callout);
        fixture_teardown(&fresh);
    }
}

static void vector_16_unregistered_inspection(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    (void)add_below(&scene, UNREGISTERED_INSPECTION);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_NONE, 0, true, false);
    assert_int_equal(scene.asked_count, 1);
}

// --- Beyond the vectors ---

static void permit_if_unregistered(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    uint64_t id = add_below(&scene, UNREGISTERED_PERMIT);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_PERMIT, id, true, false);
}

static void a_terminating_callout_without_an_answer_blocks_for_good(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    uint64_t id = add_below(&scene, CALLOUT_TERMINATING_CONTINUE);
    (void)add_below(&scene, PERMIT_HARD);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_BLOCK, id, false, false);
}

static void sublayers_go_by_weight_not_by_age(void **state)
{
    struct fixture *fixture = *state;
    GUID low = add_sublayer(fixture->session, 10), high = add_sublayer(fixture->session, 20);
    FWPM_FILTER0 filter = plain_filter(&low, FWP_ACTION_BLOCK);
    (void)add_filter(fixture->session, &filter);
    filter = plain_filter(&high, FWP_ACTION_PERMIT);
    filter.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    uint64_t permit = add_filter(fixture->session, &filter);
    struct scene scene = { .fixture = fixture };
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_PERMIT, permit, false, false);
}

static void equal_weights_go_by_age(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    uint64_t weight = 7;
    filter.weight = (FWP_VALUE0){ .type = FWP_UINT64, .uint64 = &weight };
    uint64_t first = add_filter(fixture->session, &filter);
    filter.action.type = FWP_ACTION_BLOCK;
    (void)add_filter(fixture->session, &filter);
    struct scene scene = { .fixture = fixture };
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_PERMIT, first, true, false);
}

static void flags_of_callouts_are_gathered(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    (void)add_below(&scene, CALLOUT_BLOCK_CLEAR);
    struct traffic traffic;
    traffic_to(&traffic, 1, 1);
    struct wall_classification classification;
    assert_true(wall_classify_begin(&classification, wall_engine_policy(scene.fixture->engine), &traffic.incoming));
    assert_int_equal(wall_classify_next(&classification), WALL_CLASSIFY_CALLOUT);
    FWPS_CLASSIFY_OUT0 out = classification.out;
    out.actionType = FWP_ACTION_BLOCK;
    out.flags = FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    wall_classify_answer(&classification, &out);
    assert_int_equal(wall_classify_next(&classification), WALL_CLASSIFY_DONE);
    wall_classify_end(&classification);
    assert_int_equal(classification.result.flags, FWPS_CLASSIFY_OUT_FLAG_ABSORB);
}

static void unknown_layers_and_wrong_counts_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct traffic traffic;
    traffic_init(&traffic);
    struct wall_classify_result result;
    struct wall_policy *policy = wall_engine_policy(fixture->engine);
    assert_true(wall_classify(policy, &traffic.incoming, NULL, NULL, &result));
    traffic.incoming.valueCount--;
    assert_false(wall_classify(policy, &traffic.incoming, NULL, NULL, &result));
    traffic.incoming.valueCount++;
    traffic.incoming.layerId = FWPS_BUILTIN_LAYER_MAX;
    assert_false(wall_classify(policy, &traffic.incoming, NULL, NULL, &result));
}

static void the_stream_layer_is_a_waterfall(void **state)
{
    struct fixture *fixture = *state;
    GUID high = add_sublayer(fixture->session, 30), middle = add_sublayer(fixture->session, 20);
    GUID low = add_sublayer(fixture->session, 10);
    FWPM_FILTER0 filter = plain_filter(&high, FWP_ACTION_PERMIT);
    filter.layerKey = FWPM_LAYER_STREAM_V4;
    filter.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    (void)add_filter(fixture->session, &filter);
    filter.flags = 0;
    filter.subLayerKey = middle;
    filter.action.type = FWP_ACTION_BLOCK;
    uint64_t block = add_filter(fixture->session, &filter);
    filter.subLayerKey = low;
    filter.action.type = FWP_ACTION_PERMIT;
    (void)add_filter(fixture->session, &filter);

    FWPS_INCOMING_VALUE0 values[FWPS_FIELD_STREAM_V4_MAX] = { 0 };
    const FWPS_INCOMING_VALUES0 incoming = { FWPS_LAYER_STREAM_V4, FWPS_FIELD_STREAM_V4_MAX, values };
    struct wall_classify_result result;
    assert_true(wall_classify(wall_engine_policy(fixture->engine), &incoming, NULL, NULL, &result));
    // The right that the permit cleared means nothing; what is below the block is not asked.
    assert_int_equal(result.action, FWP_ACTION_BLOCK);
    assert_int_equal(result.filter_id, block);
    assert_int_equal(result.trace_count, 2);
}

static void a_long_trace_is_cut_but_counts(void **state)
{
    struct scene scene;
    scene_init(&scene, *state);
    for (int i = 0; i < WALL_TRACE_MAX + 3; i++)
        (void)add_below(&scene, PERMIT);
    uint64_t block = add_below(&scene, BLOCK);
    struct wall_classify_result result = classify(&scene);
    expect(&result, FWP_ACTION_BLOCK, block, false, false);
    assert_int_equal(result.trace_count, WALL_TRACE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fold_table),
        TEST(vector_1_no_match_permits),
        TEST(vector_2_permit),
        TEST(vector_3_permit_block),
        TEST(vector_4_hard_permit_block),
        TEST(vector_5_veto),
        TEST(vector_6_block_permit),
        TEST(vector_7_block_hard_permit),
        TEST(vector_8_soft_block_permit),
        TEST(vector_9_hard_callout_block),
        TEST(vector_10_inspection_then_block),
        TEST(vector_11_block_then_inspection),
        TEST(vector_12_first_match_of_a_sublayer),
        TEST(vector_13_continue_falls_through),
        TEST(vector_14_permit_permit),
        cmocka_unit_test(vector_15_unregistered_terminating),
        TEST(vector_16_unregistered_inspection),
        TEST(permit_if_unregistered),
        TEST(a_terminating_callout_without_an_answer_blocks_for_good),
        TEST(sublayers_go_by_weight_not_by_age),
        TEST(equal_weights_go_by_age),
        TEST(flags_of_callouts_are_gathered),
        TEST(unknown_layers_and_wrong_counts_are_refused),
        TEST(the_stream_layer_is_a_waterfall),
        TEST(a_long_trace_is_cut_but_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
