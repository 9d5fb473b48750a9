// Readings that are kept from one compilation to the next make no difference to the tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpslayers.h"

#include "compile/reading.h"
#include "support/policy_maker.h"

#define FILTERS 400
#define SUBLAYERS 3
#define ROUNDS 40
#define WORLDS 8

// A world of filters, of which a policy has some.
struct world {
    struct maker maker;
    struct wall_apps apps;
    const struct wall_filter *filters[FILTERS], *chosen[FILTERS];
    uint64_t memos[FILTERS];
    struct wall_readings *readings;
};

static void world_make(struct world *world, uint64_t seed)
{
    static const uint64_t hash_seed[2] = { 5, 6 };
    static const uint16_t layers[] = { FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_LAYER_ALE_AUTH_CONNECT_V6,
                                       FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 };
    memset(world, 0, sizeof(*world));
    wall_apps_init(&world->apps, hash_seed);
    maker_init(&world->maker, seed, layers[seed % 3], seed & 1 ? MAKER_REALISTIC : MAKER_SMALL_WORLD);
    world->maker.callouts_percent = 20;
    world->maker.strange_percent = 10;
    maker_layer(&world->maker, FILTERS, SUBLAYERS);
    for (uint32_t i = 0; i < FILTERS; i++) {
        struct wall_filter *filter = (struct wall_filter *)(uintptr_t)world->maker.filters[i];
        filter->memo = &world->memos[i];
        world->filters[i] = filter;
    }
    world->readings = wall_readings_new(world->maker.layer_id, &world->apps, true);
    assert_non_null(world->readings);
}

static void world_done(struct world *world)
{
    wall_readings_free(world->readings);
    maker_done(&world->maker);
    wall_apps_done(&world->apps);
}

static uint32_t choose(struct world *world, uint32_t percent)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FILTERS; i++)
        if (maker_below(&world->maker, 100) < percent)
            world->chosen[count++] = world->filters[i];
    maker_layer_of(&world->maker, world->chosen, count);
    return count;
}

static struct wall_compiled *compile(struct world *world, struct wall_readings *readings)
{
    struct wall_compiled *compiled = NULL;
    const struct wall_compile_options options = {
        .apps = &world->apps, .readings = readings, .callout_registered = maker_is_registered,
    };
    assert_int_equal(wall_compile_layer(world->maker.layer, &options, &compiled), 0);
    return compiled;
}

static void assert_same(const struct wall_compiled *a, const struct wall_compiled *b)
{
    assert_int_equal(a->page_count, b->page_count);
    assert_memory_equal(a->image, b->image, (size_t)a->page_count * WALL_PAGE_BYTES);
    assert_int_equal(a->filter_count, b->filter_count);
    for (uint32_t i = 0; i < a->filter_count; i++) {
        const struct wall_compiled_filter *x = &a->filters[i], *y = &b->filters[i];
        assert_int_equal(x->id, y->id);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->reason, y->reason);
        assert_int_equal(x->field_id, y->field_id);
        assert_int_equal(x->needs, y->needs);
    }
}

static void kept_or_not_the_tables_are_the_same(void **state)
{
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world world;
        world_make(&world, seed);
        for (int round = 0; round < ROUNDS; round++) {
            choose(&world, 1 + maker_below(&world.maker, 100));
            for (int i = 0; i < 20; i++)  // read before they are committed, or without being
                assert_true(wall_readings_add(world.readings, world.filters[maker_below(&world.maker, FILTERS)]) >= 0);
            struct wall_compiled *kept = compile(&world, world.readings), *fresh = compile(&world, NULL);
            assert_same(kept, fresh);
            wall_compiled_free(kept);
            wall_compiled_free(fresh);
            if (maker_below(&world.maker, 10) == 0) {  // begun anew: what filters remember does not count any more
                wall_readings_free(world.readings);
                world.readings = wall_readings_new(world.maker.layer_id, &world.apps, true);
            }
        }
        world_done(&world);
    }
}

// Those with conditions on the flags are read each time.
static uint32_t count_flags(const struct world *world)
{
    uint32_t count = 0;
    for (size_t i = 0; i < world->readings->items.count; i++)
        count += ((const struct wall_reading *)wall_vector_at(&world->readings->items, i))->has_flags;
    return count;
}

static void what_has_been_read_is_not_read_again(void **state)
{
    struct world world;
    world_make(&world, 1);
    uint32_t used = choose(&world, 50);
    wall_compiled_free(compile(&world, world.readings));
    size_t read = world.readings->items.count;
    uint32_t flags = count_flags(&world);
    assert_true(flags < used);
    assert_int_equal(read, used + flags);
    wall_compiled_free(compile(&world, world.readings));
    assert_int_equal(world.readings->items.count, read + flags);
    world_done(&world);
}

// A memo of other readings, or none at all.
static void memos_belong_to_one_keeper(void **state)
{
    struct world world;
    world_make(&world, 2);
    struct wall_readings *others = wall_readings_new(world.maker.layer_id, &world.apps, true);
    struct wall_readings *passing = wall_readings_new(world.maker.layer_id, &world.apps, false);
    assert_int_equal(wall_readings_add(world.readings, world.filters[1]), 0);
    assert_int_equal(wall_readings_add(world.readings, world.filters[0]), 1);
    assert_int_equal(wall_readings_add(world.readings, world.filters[1]), 0);
    assert_int_equal(wall_readings_add(others, world.filters[0]), 0);
    assert_int_equal(wall_readings_add(world.readings, world.filters[0]), 2);
    uint64_t memo = world.memos[0];
    assert_int_equal(wall_readings_add(passing, world.filters[0]), 0);
    assert_int_equal(wall_readings_add(passing, world.filters[0]), 1);
    assert_int_equal(world.memos[0], memo);
    struct wall_filter without = *world.filters[3];
    without.memo = NULL;
    assert_int_equal(wall_readings_add(world.readings, &without), 3);
    wall_readings_free(others);
    wall_readings_free(passing);
    world_done(&world);
}

static void what_is_mostly_gone_is_stale(void **state)
{
    struct world world;
    world_make(&world, 3);
    for (int i = 0; i < 5000; i++) {
        world.memos[0] = 0;
        assert_int_equal(wall_readings_add(world.readings, world.filters[0]), i);
    }
    assert_true(wall_readings_are_stale(world.readings, 100));
    assert_false(wall_readings_are_stale(world.readings, 1000));
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_or_not_the_tables_are_the_same),
        cmocka_unit_test(what_has_been_read_is_not_read_again),
        cmocka_unit_test(memos_belong_to_one_keeper),
        cmocka_unit_test(what_is_mostly_gone_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
