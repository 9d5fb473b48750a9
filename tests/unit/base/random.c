#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static void two_draws_differ(void **state)
{
    unsigned char a[32] = { 0 }, b[32] = { 0 };
    assert_int_equal(wall_random_bytes(a, sizeof(a)), 0);
    assert_int_equal(wall_random_bytes(b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(wall_random_bytes(NULL, 0), 0);
}

static void only_the_buffer_is_written(void **state)
{
    unsigned char buffer[16];
    memset(buffer, 0xaa, sizeof(buffer));
    assert_int_equal(wall_random_bytes(buffer, 8), 0);
    for (int i = 8; i < 16; i++)
        assert_int_equal(buffer[i], 0xaa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_draws_differ),
        cmocka_unit_test(only_the_buffer_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
