// Several layers in one bundle: each decides as it does alone, and what is zero is not touched.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpslayers.h"

#include "compile/bundle.h"
#include "compile/evaluate.h"
#include "support/policy_maker.h"

#define LAYERS 4
#define ABSENT 1  // the layer without tables
#define FLOWS 500
#define GENERATION 0x1234567890ull

struct layers {
    struct wall_apps apps;
    struct maker makers[LAYERS];
    struct wall_compiled *compiled[LAYERS];
};

// `filters`: of the largest one.
static void make(struct layers *layers, uint32_t filters)
{
    static const uint64_t seed[2] = { 1, 2 };
    static const uint16_t ids[LAYERS] = { FWPS_LAYER_ALE_AUTH_CONNECT_V4, 0, FWPS_LAYER_ALE_AUTH_CONNECT_V6,
                                          FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 };
    memset(layers, 0, sizeof(*layers));
    wall_apps_init(&layers->apps, seed);
    for (uint32_t i = 0; i < LAYERS; i++) {
        if (i == ABSENT)
            continue;
        maker_init(&layers->makers[i], 100 + i, ids[i], MAKER_REALISTIC);
        maker_layer(&layers->makers[i], filters >> 2 * i, 2);
        layers->compiled[i] = maker_compile(&layers->makers[i], &layers->apps, 0);
        assert_non_null(layers->compiled[i]);
    }
}

static void done(struct layers *layers)
{
    for (uint32_t i = 0; i < LAYERS; i++) {
        if (i != ABSENT)
            maker_done(&layers->makers[i]);
        wall_compiled_free(layers->compiled[i]);
    }
    wall_apps_done(&layers->apps);
}

static void compare(struct layers *layers, uint32_t layer, const uint8_t *pages, uint32_t page_count)
{
    struct maker *maker = &layers->makers[layer];
    for (uint32_t i = 0; i < FLOWS; i++) {
        struct maker_flow flow;
        struct wall_decision alone, together;
        maker_flow(maker, &layers->apps, &flow);
        wall_pages_evaluate(layers->compiled[layer]->image, layers->compiled[layer]->page_count, 0, &flow.question,
                            &alone);
        wall_pages_evaluate(pages, page_count, layer, &flow.question, &together);
        assert_int_equal(together.verdict, alone.verdict);
        assert_int_equal(together.filter_id, alone.filter_id);
        assert_int_equal(together.generation, (uint32_t)GENERATION);
    }
}

static void each_layer_decides_as_alone(void **state)
{
    struct layers layers;
    struct wall_bundle bundle;
    make(&layers, 4000);
    assert_true(layers.compiled[0]->page_count > 2);
    int r = wall_bundle_init(&bundle, (const struct wall_compiled *const *)layers.compiled, LAYERS, GENERATION);
    assert_int_equal(r, 0);
    uint8_t *pages = calloc(bundle.page_count, WALL_PAGE_BYTES);
    assert_non_null(pages);
    wall_bundle_write(&bundle, pages);
    for (uint32_t i = 0; i < LAYERS; i++)
        if (i != ABSENT)
            compare(&layers, i, pages, bundle.page_count);
    free(pages);
    done(&layers);
}

// Whatever is there where the bundle is zero stays.
static void what_is_zero_is_not_touched(void **state)
{
    struct layers layers;
    struct wall_bundle bundle;
    make(&layers, 1);
    assert_int_equal(wall_bundle_init(&bundle, (const struct wall_compiled *const *)layers.compiled, LAYERS, 1), 0);
    size_t size = (size_t)bundle.page_count * WALL_PAGE_BYTES, touched = 0;
    uint8_t *pages = malloc(size);
    assert_non_null(pages);
    memset(pages, 0xa5, size);
    wall_bundle_write(&bundle, pages);
    for (size_t i = 0; i < size; i++)
        touched += pages[i] != 0xa5;
    assert_true(touched > 0);
    assert_true(touched <= 3 * 4096u);
    for (size_t i = 0; i < WALL_PAGE_BYTES; i++)
        assert_int_equal(pages[ABSENT * (size_t)WALL_PAGE_BYTES + i], 0xa5);
    free(pages);
    done(&layers);
}

static void too_much(void **state)
{
    struct wall_bundle bundle;
    const struct wall_compiled large = { .page_count = 1u << 13 };
    const struct wall_compiled *const layers[] = { &large, &large };
    assert_int_equal(wall_bundle_init(&bundle, layers, 2, 1), 0);
    assert_int_equal(bundle.page_count, 1u << 14);
    const struct wall_compiled *const three[] = { &large, &large, &large };
    assert_int_equal(wall_bundle_init(&bundle, three, 3, 1), -E2BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layer_decides_as_alone),
        cmocka_unit_test(what_is_zero_is_not_touched),
        cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
