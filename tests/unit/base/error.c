#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void fills_code_and_text(void **state)
{
    struct wall_error err = { .line = 3, .column = 4 };
    assert_int_equal(wall_error_set(&err, -EINVAL, "port %d is not a port", 70000), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_string_equal(err.text, "port 70000 is not a port");
    assert_int_equal(err.line, 3);
}

static void null_is_allowed_and_long_text_is_cut(void **state)
{
    assert_int_equal(wall_error_set(NULL, -ENOMEM, "x"), -ENOMEM);
    struct wall_error err = { 0 };
    char text[1000];
    memset(text, 'a', sizeof(text));
    text[999] = '\0';
    (void)wall_error_set(&err, -EIO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_code_and_text),
        cmocka_unit_test(null_is_allowed_and_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
