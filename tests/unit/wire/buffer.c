#include "wire/buffer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void grows_and_keeps_order(void **state)
{
    struct wall_buffer buffer = { 0 };
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t byte = (uint8_t)i;
        assert_int_equal(wall_buffer_append(&buffer, &byte, 1), 0);
    }
    assert_int_equal(buffer.size, 3000);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);

    wall_buffer_consume(&buffer, 2990);
    assert_int_equal(buffer.size, 10);
    assert_int_equal(buffer.data[0], (uint8_t)2990);
    wall_buffer_consume(&buffer, 11);
    assert_int_equal(buffer.size, 0);
    wall_buffer_done(&buffer);
    assert_null(buffer.data);
}

static void limit_is_kept(void **state)
{
    struct wall_buffer buffer = { .limit = 10 };
    assert_int_equal(wall_buffer_append(&buffer, "0123456789", 10), 0);
    assert_int_equal(wall_buffer_append(&buffer, "x", 1), -ENOBUFS);
    assert_int_equal(buffer.size, 10);
    wall_buffer_consume(&buffer, 1);
    assert_int_equal(wall_buffer_append(&buffer, "x", 1), 0);
    wall_buffer_done(&buffer);
}

static void absurd_sizes_are_refused(void **state)
{
    struct wall_buffer buffer = { 0 };
    uint8_t *bytes;
    assert_int_equal(wall_buffer_extend(&buffer, SIZE_MAX, &bytes), -ENOMEM);
    assert_int_equal(wall_buffer_extend(&buffer, SIZE_MAX / 2 - 1, &bytes), -ENOMEM);
    assert_int_equal(buffer.size, 0);
    wall_buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_order),
        cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
