// The compiled tables against the reference classifier: random policies and flows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpslayers.h"

#include "compile/compile.h"
#include "compile/evaluate.h"
#include "support/policy_maker.h"

static const uint64_t seed[2] = { 3, 4 };

// How many (policy, flow) pairs are compared; more with WALL_TEST_PAIRS=10000000.
static uint64_t pair_count(void)
{
    const char *text = getenv("WALL_TEST_PAIRS");
    return text ? strtoull(text, NULL, 10) : 600000;
}

static const uint16_t layers[] = {
    FWPS_LAYER_ALE_AUTH_CONNECT_V4,        FWPS_LAYER_ALE_AUTH_CONNECT_V6,     FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
    FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6,    FWPS_LAYER_ALE_AUTH_LISTEN_V4,      FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6,
    FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4,
};

static void evaluate(const struct wall_compiled *compiled, const struct wall_question *question,
                     struct wall_decision *decision)
{
    wall_pages_evaluate(compiled->image, compiled->page_count, 0, question, decision);
}

struct tally {
    uint64_t pairs, held, held_for_callouts;
};

// One flow. `exact`: no filter of the policy needs user space to be evaluated.
static void compare_flow(struct maker *maker, struct wall_apps *apps, const struct wall_compiled *compiled, bool exact,
                         struct tally *tally)
{
    struct maker_flow flow;
    struct wall_decision decision;
    maker_flow(maker, apps, &flow);
    bool complete = maker_below(maker, 4) > 0;
    if (!complete)
        maker_forget(maker, &flow);
    evaluate(compiled, &flow.question, &decision);
    tally->pairs++;
    tally->held += decision.verdict == WALL_VERDICT_HOLD;
    // What the kernel decides with facts missing must be right whatever they are.
    for (uint32_t i = 0; i < (complete ? 1u : 4u); i++) {
        struct maker_answer answer = maker_reference(maker, &flow);
        if (complete && exact)
            assert_int_equal(decision.verdict == WALL_VERDICT_HOLD, answer.asks_callout);
        if (decision.verdict == WALL_VERDICT_HOLD) {
            tally->held_for_callouts += answer.asks_callout && i == 0;
            break;
        }
        assert_false(answer.asks_callout);
        assert_int_equal(decision.verdict, answer.verdict);
        assert_int_equal(decision.filter_id, answer.filter_id);
        maker_change_unknown(maker, apps, &flow);
    }
}

static bool is_exact(const struct wall_compiled *compiled)
{
    for (uint32_t i = 0; i < compiled->filter_count; i++)
        if (compiled->filters[i].reason != WALL_COMPILE_REASON_NONE || compiled->filters[i].kind == WALL_COMPILED_CUT)
            return false;
    return true;
}

static uint32_t random_size(struct maker *maker)
{
    uint32_t dice = maker_below(maker, 1000);
    if (dice < 1)
        return 10000;
    return 1 + maker_below(maker, dice < 10 ? 2000 : dice < 100 ? 200 : dice < 400 ? 40 : 8);
}

static void random_policies_agree(void **state)
{
    uint64_t wanted = pair_count();
    struct tally tally = { 0 };
    struct wall_apps apps;
    wall_apps_init(&apps, seed);
    for (uint64_t i = 0; tally.pairs < wanted; i++) {
        struct maker maker;
        maker_init(&maker, i, layers[i % 8], i % 16 == 15 ? MAKER_REALISTIC : MAKER_SMALL_WORLD);
        maker.callouts_percent = maker_below(&maker, 3) ? maker_below(&maker, 30) : 0;
        maker.strange_percent = maker_below(&maker, 3) ? 0 : maker_below(&maker, 20);
        maker_layer(&maker, random_size(&maker), 1 + maker_below(&maker, maker_below(&maker, 20) ? 5 : 100));
        // Small tables are asked for now and then, so that the filters are spread over slots.
        struct wall_compiled *compiled = maker_compile(&maker, &apps, maker_below(&maker, 3) ? 0 : 1);
        bool exact = is_exact(compiled);
        for (uint32_t j = 0; j < 100; j++)
            compare_flow(&maker, &apps, compiled, exact, &tally);
        wall_compiled_free(compiled);
        maker_done(&maker);
    }
    print_message("%llu pairs, %llu held, %llu of these for callouts\n", (unsigned long long)tally.pairs,
                  (unsigned long long)tally.held, (unsigned long long)tally.held_for_callouts);
    // Holding everything would never be wrong.
    assert_true(tally.held < tally.pairs / 2);
    wall_apps_done(&apps);
}

static void realistic_policies_agree(void **state)
{
    struct tally tally = { 0 };
    struct wall_apps apps;
    wall_apps_init(&apps, seed);
    static const uint32_t sizes[] = { 10, 100, 1000, 10000 };
    for (uint32_t i = 0; i < 8; i++) {
        struct maker maker;
        maker_init(&maker, i, layers[i % 2], MAKER_REALISTIC);
        maker_layer(&maker, sizes[i / 2], 1 + i % 2);
        struct wall_compiled *compiled = maker_compile(&maker, &apps, 0);
        for (uint32_t j = 0; j < 1000; j++)
            compare_flow(&maker, &apps, compiled, true, &tally);
        wall_compiled_free(compiled);
        maker_done(&maker);
    }
    wall_apps_done(&apps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_policies_agree),
        cmocka_unit_test(realistic_policies_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
