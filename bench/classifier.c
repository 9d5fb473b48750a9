// What one decision costs in the kernel, by the number of filters: `classifier [--json]`, as root.
//
// Rules as people write them (program, network, port or range, protocol, each left out in one of four; 1,000 programs,
// a few of them in most rules). hot: the same flow again and again; mixed: 4,096 flows, every other one asked for by
// some filter. Before anything is timed, the kernel's decisions are compared with the reference classifier.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fwpslayers.h"

#include "classifier_kernel.h"
#include "compile/evaluate.h"
#include "support/policy_maker.h"

// Short runs, the fastest of which no other process has disturbed.
#define ROUNDS 301

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

// The cost of one question, less what asking nothing costs: the fastest runs of each.
static double time_questions(const struct classifier *classifier)
{
    int64_t idle = INT64_MAX, busy = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t a = classifier_run(classifier, CLASSIFIER_QUESTIONS, true);
        int64_t b = classifier_run(classifier, CLASSIFIER_QUESTIONS, false);
        if (a < 0 || b < 0)
            return -1;
        idle = a < idle ? a : idle;
        busy = b < busy ? b : busy;
    }
    return (double)(busy - idle) / CLASSIFIER_QUESTIONS;
}

struct row {
    uint32_t filter_count, wrong;
    double compile_ms, load_ms, hot_ns, mixed_ns;
    size_t bytes;
};

// Fills the questions and counts wrong answers, of the kernel against the reference.
static int agree(struct classifier *classifier, struct maker *maker, struct wall_apps *apps, struct row *row)
{
    static struct maker_flow flows[CLASSIFIER_QUESTIONS];
    for (uint32_t i = 0; i < CLASSIFIER_QUESTIONS; i++) {
        maker_flow(maker, apps, &flows[i]);
        classifier->questions[i] = flows[i].question;
    }
    int64_t r = classifier_run(classifier, CLASSIFIER_QUESTIONS, false);
    uint32_t stride = 1 + maker->filter_count / 1000;
    for (uint32_t i = 0; r >= 0 && i < CLASSIFIER_QUESTIONS; i += stride) {
        struct maker_answer answer = maker_reference(maker, &flows[i]);
        const struct wall_decision *decision = &classifier->decisions[i];
        row->wrong += answer.verdict != decision->verdict || answer.filter_id != decision->filter_id;
    }
    return r < 0 ? (int)r : 0;
}

static int measure(struct classifier *classifier, struct maker *maker, struct wall_apps *apps, struct row *row)
{
    struct wall_bundle bundle;
    double start = now_ms();
    struct wall_compiled *compiled = maker_compile(maker, apps, 0);
    row->compile_ms = now_ms() - start;
    row->bytes = (size_t)compiled->page_count * WALL_PAGE_BYTES;
    int r = wall_bundle_init(&bundle, (const struct wall_compiled *const *)&compiled, 1, 1);
    start = now_ms();
    r = r ? r : classifier_load(classifier, &bundle);
    row->load_ms = now_ms() - start;
    wall_compiled_free(compiled);
    if (r == 0)
        r = agree(classifier, maker, apps, row);
    if (r == 0) {
        row->mixed_ns = time_questions(classifier);
        for (uint32_t i = 1; i < CLASSIFIER_QUESTIONS; i++)
            classifier->questions[i] = classifier->questions[0];
        row->hot_ns = time_questions(classifier);
    }
    return r;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = { 10, 100, 1000, 10000, 100000 };
    static const uint64_t seed[2] = { 7, 8 };
    struct classifier classifier;
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    uint32_t wrong = 0;
    int r = classifier_open(&classifier);
    if (r == 0 && !json)
        printf("filters  compile ms  load ms    KiB   hot ns  mixed ns  wrong\n");
    for (int i = 0; r == 0 && i < 5; i++) {
        struct row row = { .filter_count = sizes[i] };
        struct wall_apps apps;
        struct maker maker;
        wall_apps_init(&apps, seed);
        maker_init(&maker, 1, FWPS_LAYER_ALE_AUTH_CONNECT_V4, MAKER_REALISTIC);
        maker_layer(&maker, sizes[i], 1);
        r = measure(&classifier, &maker, &apps, &row);
        maker_done(&maker);
        wall_apps_done(&apps);
        wrong += row.wrong;
        printf(json ? "{\"filters\": %u, \"compile_ms\": %.2f, \"load_ms\": %.2f, \"kib\": %zu, \"hot_ns\": %.1f, "
                      "\"mixed_ns\": %.1f, \"wrong\": %u}\n"
                    : "%7u  %10.2f  %7.2f  %5zu  %7.1f  %8.1f  %5u\n",
               row.filter_count, row.compile_ms, row.load_ms, row.bytes >> 10, row.hot_ns, row.mixed_ns, row.wrong);
    }
    if (r < 0)
        fprintf(stderr, "%s\n", strerror(-r));
    classifier_close(&classifier);
    return r < 0 || wrong ? 1 : 0;
}
