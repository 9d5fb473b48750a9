#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/map.h"

static const uint64_t SEED[2] = { 1, 2 };

// SipHash-1-3 of 00 01 … 0e under the key 00 01 … 0f, computed with an independent implementation.
static void the_hash_is_siphash(void **state)
{
    const unsigned char key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint64_t seed[2] = { 0 };
    for (int i = 0; i < 16; i++)
        seed[i / 8] |= (uint64_t)key[i] << (8 * (i % 8));
    assert_true(wall_hash(seed, key, 15) == UINT64_C(0xd320d86d2a519956));
    assert_true(wall_hash(seed, key, 0) == UINT64_C(0xabac0158050fc4dc));
    assert_true(wall_hash(seed, key, 8) == UINT64_C(0x369095118d299a8e));
}

static void puts_gets_and_removes(void **state)
{
    enum { COUNT = 5000 };
    uint32_t *values = calloc(COUNT, sizeof(*values));
    struct wall_map map;
    wall_map_init(&map, SEED);
    assert_null(wall_map_get(&map, "x", 1));
    assert_null(wall_map_remove(&map, "x", 1));

    for (uint32_t i = 0; i < COUNT; i++) {
        values[i] = i;
        assert_int_equal(wall_map_put(&map, &values[i], sizeof(values[i]), &values[i]), 0);
    }
    assert_int_equal(map.count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t key = i;
        assert_ptr_equal(wall_map_get(&map, &key, sizeof(key)), &values[i]);
    }
    assert_int_equal(wall_map_put(&map, &values[7], sizeof(values[7]), &values[8]), -EEXIST);
    assert_ptr_equal(wall_map_get(&map, &values[7], sizeof(values[7])), &values[7]);
    // The same bytes with another length are another key.
    assert_null(wall_map_get(&map, &values[7], 2));

    uint32_t other = 7;
    wall_map_replace(&map, &other, sizeof(other), &other);
    assert_ptr_equal(wall_map_get(&map, &values[7], sizeof(values[7])), &other);
    values[7] = 8;
    assert_ptr_equal(wall_map_get(&map, &other, sizeof(other)), &other);
    values[7] = 7;
    wall_map_replace(&map, &values[7], sizeof(values[7]), &values[7]);
    assert_int_equal(map.count, COUNT);

    for (uint32_t i = 0; i < COUNT; i += 2)
        assert_ptr_equal(wall_map_remove(&map, &values[i], sizeof(values[i])), &values[i]);
    assert_int_equal(map.count, COUNT / 2);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_ptr_equal(wall_map_get(&map, &values[i], sizeof(values[i])), i % 2 ? &values[i] : NULL);
    wall_map_done(&map);
    free(values);
}

static void iteration_is_in_order_of_insertion(void **state)
{
    enum { COUNT = 300 };
    uint32_t values[COUNT];
    struct wall_map map;
    wall_map_init(&map, SEED);
    for (uint32_t i = 0; i < COUNT; i++) {
        values[i] = i;
        assert_int_equal(wall_map_put(&map, &values[i], sizeof(values[i]), &values[i]), 0);
        if (i % 3 == 0)
            assert_non_null(wall_map_remove(&map, &values[i], sizeof(values[i])));
    }

    uint32_t expected = 1, seen = 0;
    size_t cursor = 0;
    for (uint32_t *value; (value = wall_map_next(&map, &cursor)); seen++) {
        assert_int_equal(*value, expected);
        expected += expected % 3 == 1 ? 1 : 2;
        assert_non_null(wall_map_remove(&map, value, sizeof(*value)));
    }
    assert_int_equal(seen, 200);
    assert_int_equal(map.count, 0);
    wall_map_done(&map);
}

static void churn_does_not_grow_the_map(void **state)
{
    uint32_t values[100];
    struct wall_map map;
    wall_map_init(&map, SEED);
    for (uint32_t i = 0; i < 100; i++)
        values[i] = i;
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t *value = &values[i % 100];
        if (i >= 100)
            assert_ptr_equal(wall_map_remove(&map, value, sizeof(*value)), value);
        assert_int_equal(wall_map_put(&map, value, sizeof(*value), value), 0);
    }
    assert_int_equal(map.count, 100);
    assert_true(map.slot_count <= 1024);
    wall_map_done(&map);
}

static void a_reserve_makes_room(void **state)
{
    uint32_t values[1000];
    struct wall_map map;
    wall_map_init(&map, SEED);
    assert_int_equal(wall_map_reserve(&map, 1000), 0);
    void *entries = map.entries;
    for (uint32_t i = 0; i < 1000; i++) {
        values[i] = i;
        assert_int_equal(wall_map_put(&map, &values[i], sizeof(values[i]), &values[i]), 0);
    }
    assert_ptr_equal(map.entries, entries);
    assert_int_equal(wall_map_reserve(&map, SIZE_MAX), -ENOMEM);
    wall_map_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_siphash),
        cmocka_unit_test(puts_gets_and_removes),
        cmocka_unit_test(iteration_is_in_order_of_insertion),
        cmocka_unit_test(churn_does_not_grow_the_map),
        cmocka_unit_test(a_reserve_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
