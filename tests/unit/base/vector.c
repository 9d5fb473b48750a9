#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vector.h"

static void grows_and_keeps_order(void **state)
{
    struct wall_vector vector;
    wall_vector_init(&vector, sizeof(int), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wall_vector_add(&vector, &i), 0);
    assert_int_equal(vector.count, 1000);

    wall_vector_remove(&vector, 10);
    assert_int_equal(*(int *)wall_vector_at(&vector, 9), 9);
    assert_int_equal(*(int *)wall_vector_at(&vector, 10), 11);
    assert_int_equal(*(int *)wall_vector_at(&vector, 998), 999);
    wall_vector_remove(&vector, 998);
    assert_int_equal(vector.count, 998);
    wall_vector_truncate(&vector, 3);
    assert_int_equal(vector.count, 3);
    wall_vector_done(&vector);
    assert_int_equal(vector.count, 0);
}

static void null_adds_zeroes(void **state)
{
    struct wall_vector vector;
    wall_vector_init(&vector, sizeof(uint64_t), 0);
    assert_int_equal(wall_vector_add(&vector, NULL), 0);
    assert_int_equal(*(uint64_t *)wall_vector_at(&vector, 0), 0);
    wall_vector_done(&vector);
}

static void the_limit_holds(void **state)
{
    struct wall_vector vector;
    wall_vector_init(&vector, sizeof(int), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wall_vector_add(&vector, &i), 0);
    assert_int_equal(wall_vector_add(&vector, NULL), -ENOSPC);
    assert_int_equal(wall_vector_reserve(&vector, 1), -ENOSPC);
    assert_int_equal(vector.count, 3);
    assert_int_equal(wall_vector_reserve(&vector, SIZE_MAX), -ENOSPC);
    wall_vector_done(&vector);
}

static void a_reserve_makes_room(void **state)
{
    struct wall_vector vector;
    wall_vector_init(&vector, sizeof(int), 0);
    assert_int_equal(wall_vector_reserve(&vector, 100), 0);
    void *items = vector.items;
    for (int i = 0; i < 100; i++)
        assert_int_equal(wall_vector_add(&vector, &i), 0);
    assert_ptr_equal(vector.items, items);
    wall_vector_done(&vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_order),
        cmocka_unit_test(null_adds_zeroes),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(a_reserve_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
