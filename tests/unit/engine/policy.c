// The run-time policy: order, sharing between generations, lifetime, cost.
#include <time.h>

#include "base/guid.h"
#include "fixture.h"

static const struct wall_policy_layer *layer_of(const struct wall_policy *policy, uint16_t layer_id)
{
    const struct wall_policy_layer *layer = wall_policy_layer(policy, layer_id);
    assert_non_null(layer);
    assert_int_equal(layer->layer_id, layer_id);
    return layer;
}

static void every_layer_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct wall_policy *policy = wall_engine_policy(fixture->engine);
    for (uint16_t id = 0; id < FWPS_BUILTIN_LAYER_MAX; id++) {
        assert_int_equal(layer_of(policy, id)->filter_count, 0);
        assert_int_equal(layer_of(policy, id)->sublayer_count, 0);
    }
    assert_null(wall_policy_layer(policy, FWPS_BUILTIN_LAYER_MAX));
    assert_int_equal(wall_policy_generation(policy), 0);
}

static void order_of_sublayers_and_filters(void **state)
{
    struct fixture *fixture = *state;
    GUID low = add_sublayer(fixture->session, 10), high = add_sublayer(fixture->session, 0xffff);
    static const uint8_t ranges[] = { 3, 9, 1, 9, 0 };
    uint64_t ids[2][COUNT_OF(ranges)];
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        for (int k = 0; k < 2; k++) {
            FWPM_FILTER0 filter = plain_filter(k == 0 ? &low : &high, FWP_ACTION_BLOCK);
            filter.weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = ranges[i] };
            ids[k][i] = add_filter(fixture->session, &filter);
        }
    }
    const struct wall_policy_layer *layer = layer_of(wall_engine_policy(fixture->engine), 48);
    assert_int_equal(layer->sublayer_count, 2);
    assert_int_equal(layer->filter_count, 10);
    static const int expected[] = { 1, 3, 0, 2, 4 };
    for (int s = 0; s < 2; s++) {
        const struct wall_policy_sublayer *sublayer = &layer->sublayers[s];
        assert_true(wall_guid_equal(&sublayer->key, s == 0 ? &high : &low));
        assert_int_equal(sublayer->weight, s == 0 ? 0xffff : 10);
        assert_int_equal(sublayer->filter_count, 5);
        for (int i = 0; i < 5; i++)
            assert_int_equal(sublayer->filters[i]->id, ids[1 - s][expected[i]]);
    }
}

static void unchanged_layers_are_shared(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    (void)add_filter(fixture->session, &filter);
    struct wall_policy *before = wall_policy_ref(wall_engine_policy(fixture->engine));
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    (void)add_filter(fixture->session, &filter);
    struct wall_policy *after = wall_engine_policy(fixture->engine);
    assert_ptr_not_equal(before, after);
    assert_int_equal(wall_policy_generation(after), wall_policy_generation(before) + 1);
    assert_ptr_equal(wall_policy_layer(before, 48), wall_policy_layer(after, 48));
    assert_ptr_not_equal(wall_policy_layer(before, 50), wall_policy_layer(after, 50));
    assert_int_equal(layer_of(after, 48)->generation, 1);
    assert_int_equal(layer_of(after, 50)->generation, 2);
    assert_int_equal(layer_of(before, 50)->filter_count, 0);
    wall_policy_unref(before);
    // A commit that touches no filter leaves the policy alone.
    (void)add_sublayer(fixture->session, 5);
    assert_ptr_equal(wall_engine_policy(fixture->engine), after);
}

static void an_old_policy_keeps_its_filters(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 condition = port_is(25);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    uint64_t id = add_filter(fixture->session, &filter);
    struct wall_policy *old = wall_policy_ref(wall_engine_policy(fixture->engine));
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_FILTER, NULL, id), 0);

    struct traffic traffic;
    traffic_to(&traffic, 1, 25);
    struct wall_classification classification;
    assert_true(wall_classify_begin(&classification, old, &traffic.incoming));
    wall_policy_unref(old);
    // The classification has a reference of its own.
    assert_int_equal(wall_classify_next(&classification), WALL_CLASSIFY_DONE);
    assert_int_equal(classification.result.filter_id, id);
    wall_classify_end(&classification);
    assert_int_equal(classification.result.action, FWP_ACTION_BLOCK);
}

static void run_time_filters_have_all_of_the_object(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_PERMIT);
    filter.rawContext = 42;
    filter.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    GUID key;
    uint64_t id;
    assert_int_equal(wall_filter_add(fixture->session, &filter, &key, &id), 0);
    const struct wall_filter *run_time = layer_of(wall_engine_policy(fixture->engine), 48)->sublayers[0].filters[0];
    assert_int_equal(run_time->id, id);
    assert_true(wall_guid_equal(&run_time->key, &key));
    assert_int_equal(run_time->context, 42);
    assert_int_equal(run_time->flags, FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT);
    assert_int_equal(run_time->sublayer_weight, 0x8000);
    assert_int_equal(run_time->callout_id, 0);
    assert_int_equal(run_time->object->filterId, id);
    assert_int_equal(run_time->condition_count, 0);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double time_to_add(struct fixture *fixture, int count)
{
    FWPM_FILTER_CONDITION0 condition = port_is(0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    double begin = seconds();
    assert_int_equal(wall_transaction_begin(fixture->session, 0), 0);
    for (int i = 0; i < count; i++) {
        condition.conditionValue.uint16 = (UINT16)i;
        (void)add_filter(fixture->session, &filter);
    }
    assert_int_equal(wall_transaction_commit(fixture->session), 0);
    return seconds() - begin;
}

static void adding_many_is_near_linear(void **state)
{
    struct fixture *fixture = *state;
    (void)time_to_add(fixture, 1000);
    double small = time_to_add(fixture, 5000), large = time_to_add(fixture, 50000);
    small = small > 0.02 ? small : 0.02;  // some clocks are no finer
    assert_int_equal(filter_count(fixture->engine), 56000);
    // Ten times the work; quadratic growth would be a hundredfold.
    assert_true(large < 40 * small);
}

static void a_commit_in_another_layer_does_not_pay_for_a_full_one(void **state)
{
    struct fixture *fixture = *state;
    (void)time_to_add(fixture, 50000);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    double begin = seconds();
    for (int i = 0; i < 50; i++)
        (void)add_filter(fixture->session, &filter);
    double full = seconds() - begin;
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    begin = seconds();
    for (int i = 0; i < 50; i++)
        (void)add_filter(fixture->session, &filter);
    assert_true(seconds() - begin < full / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_layer_is_there),
        TEST(order_of_sublayers_and_filters),
        TEST(unchanged_layers_are_shared),
        TEST(an_old_policy_keeps_its_filters),
        TEST(run_time_filters_have_all_of_the_object),
        TEST(adding_many_is_near_linear),
        TEST(a_commit_in_another_layer_does_not_pay_for_a_full_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
