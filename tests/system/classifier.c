// The evaluator in the kernel against the reference classifier and against its user-space twin: the same random
// policies and flows as tests/unit/compile/compile.c, zero differences.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fwpslayers.h"

#include "classifier_kernel.h"
#include "compile/evaluate.h"
#include "support/policy_maker.h"

#define SKIPPED 77

static const uint16_t layers[] = {
    FWPS_LAYER_ALE_AUTH_CONNECT_V4,    FWPS_LAYER_ALE_AUTH_CONNECT_V6,         FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
    FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6, FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWPS_LAYER_ALE_AUTH_LISTEN_V6,
};

struct tally {
    uint64_t pairs, held, wrong, referred;
};

static bool differs(const struct wall_decision *a, const struct wall_decision *b)
{
    return memcmp(a, b, sizeof(*a)) != 0;
}

// What the kernel decided against what the reference says; every flow of small policies, some of large ones.
static bool is_wrong(const struct maker *maker, const struct maker_flow *flow, const struct wall_decision *decision)
{
    if (decision->verdict == WALL_VERDICT_HOLD)
        return false;
    struct maker_answer answer = maker_reference(maker, flow);
    return answer.asks_callout || answer.verdict != decision->verdict || answer.filter_id != decision->filter_id;
}

// `pages`: what the kernel has been given.
static int compare(struct classifier *classifier, struct maker *maker, struct wall_apps *apps, const void *pages,
                   uint32_t page_count, struct tally *tally)
{
    static struct maker_flow flows[CLASSIFIER_QUESTIONS];
    for (uint32_t i = 0; i < CLASSIFIER_QUESTIONS; i++) {
        maker_flow(maker, apps, &flows[i]);
        if (!maker_below(maker, 5))
            maker_forget(maker, &flows[i]);
        classifier->questions[i] = flows[i].question;
    }
    int64_t r = classifier_run(classifier, CLASSIFIER_QUESTIONS, false);
    if (r < 0)
        return (int)r;
    uint32_t stride = 1 + maker->filter_count / 50;
    for (uint32_t i = 0; i < CLASSIFIER_QUESTIONS; i++) {
        const struct wall_decision *decision = &classifier->decisions[i];
        struct wall_decision expected;
        wall_pages_evaluate(pages, page_count, 0, &flows[i].question, &expected);
        bool wrong = differs(decision, &expected) || (i % stride == 0 && is_wrong(maker, &flows[i], decision));
        if (wrong && tally->wrong++ == 0)
            fprintf(stderr, "%u filters, layer %u: kernel says %u by %llu (missing %x), user space %u by %llu\n",
                    maker->filter_count, maker->layer_id, decision->verdict, (unsigned long long)decision->filter_id,
                    decision->missing, expected.verdict, (unsigned long long)expected.filter_id);
        tally->referred += i % stride == 0;
        tally->held += decision->verdict == WALL_VERDICT_HOLD;
        tally->pairs++;
    }
    return 0;
}

static int try_policy(struct classifier *classifier, uint32_t number, uint32_t filter_count, struct tally *tally)
{
    static const uint64_t seed[2] = { 5, 6 };
    struct wall_apps apps;
    struct maker maker;
    struct wall_bundle bundle;
    wall_apps_init(&apps, seed);
    maker_init(&maker, 77000 + number, layers[number % 6], number % 4 == 3 ? MAKER_REALISTIC : MAKER_SMALL_WORLD);
    maker.callouts_percent = number % 3 ? 0 : 10;
    maker.strange_percent = number % 5 ? 0 : 10;
    maker_layer(&maker, filter_count, 1 + maker_below(&maker, 6));
    struct wall_compiled *compiled = maker_compile(&maker, &apps, number % 2);
    int r = wall_bundle_init(&bundle, (const struct wall_compiled *const *)&compiled, 1, number);
    void *pages = r ? NULL : calloc(bundle.page_count, WALL_PAGE_BYTES);
    if (!pages)
        r = -ENOMEM;
    r = r ? r : classifier_load(classifier, &bundle);
    if (r == 0) {
        wall_bundle_write(&bundle, pages);
        r = compare(classifier, &maker, &apps, pages, bundle.page_count, tally);
    }
    free(pages);
    wall_compiled_free(compiled);
    maker_done(&maker);
    wall_apps_done(&apps);
    return r;
}

int main(void)
{
    struct classifier classifier;
    struct tally tally = { 0 };
    int r = classifier_open(&classifier);
    if (r == -EPERM || r == -EACCES) {
        fprintf(stderr, "needs root\n");
        return SKIPPED;
    }
    const char *text = getenv("WALL_TEST_PAIRS");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : 600000;
    for (uint32_t i = 0; r == 0 && tally.pairs < wanted; i++) {
        static const uint32_t sizes[] = { 3, 10, 40, 8, 200, 25, 2000, 15 };
        r = try_policy(&classifier, i, i == 30 ? 40000 : sizes[i % 8], &tally);
    }
    if (r < 0)
        fprintf(stderr, "%s\n", strerror(-r));
    printf("%llu pairs in the kernel, %llu compared with the reference, %llu held, %llu wrong\n",
           (unsigned long long)tally.pairs, (unsigned long long)tally.referred, (unsigned long long)tally.held,
           (unsigned long long)tally.wrong);
    classifier_close(&classifier);
    return r < 0 || tally.wrong ? 1 : 0;
}
