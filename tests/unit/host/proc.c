#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/proc.h"

static void words_are_found(void **state)
{
    static const char line[] = "  first second\tthird\n";
    char word[8] = "old";
    assert_true(wall_proc_copy_word(line, 0, word, sizeof(word)));
    assert_string_equal(word, "first");
    assert_true(wall_proc_copy_word(line, 2, word, sizeof(word)));
    assert_string_equal(word, "third");
    assert_string_equal(wall_proc_word(line, 1), "second\tthird\n");
    assert_string_equal(wall_proc_word(line, 3), "");
    assert_string_equal(wall_proc_word("", 5), "");
}

static void what_does_not_fit_is_not_written(void **state)
{
    char word[6] = "old";
    assert_false(wall_proc_copy_word("second", 0, word, sizeof(word)));
    assert_false(wall_proc_copy_word("one two", 2, word, sizeof(word)));
    assert_string_equal(word, "old");
}

static void numbers_are_read(void **state)
{
    assert_true(wall_proc_number("/proc/sys/kernel/pid_max") > 0);
    assert_int_equal(wall_proc_number("/proc/no-such-file"), -1);
    assert_int_equal(wall_proc_number("/proc/self/comm"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(numbers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
