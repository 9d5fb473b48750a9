#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/options.h"

static int parse(char **words, struct wall_options *options, struct wall_error *err)
{
    int count = 0;
    while (words[count])
        count++;
    return wall_options_parse(count, words, options, err);
}

static void defaults(void **state)
{
    struct wall_options options;
    unsetenv("RINGWALL_RUNTIME_DIR");
    assert_int_equal(parse((char *[]){"ringwalld", NULL}, &options, NULL), 0);
    assert_string_equal(options.scope, "");
    assert_string_equal(options.runtime_dir, WALL_RUNTIME_DIR_DEFAULT);
    assert_null(options.state_dir);
    assert_int_equal(options.ready_fd, -1);
    setenv("RINGWALL_RUNTIME_DIR", "/tmp/elsewhere", 1);
    assert_int_equal(parse((char *[]){"ringwalld", NULL}, &options, NULL), 0);
    assert_string_equal(options.runtime_dir, "/tmp/elsewhere");
    unsetenv("RINGWALL_RUNTIME_DIR");
}

static void both_spellings(void **state)
{
    struct wall_options options;
    assert_int_equal(parse((char *[]){"ringwalld", "--scope", "a/b", "--runtime-dir=/r", "--state-dir=/s",
                                      "--driver-host", "/h", "--ready-fd=7", "--version", NULL}, &options, NULL), 0);
    assert_string_equal(options.scope, "a/b");
    assert_string_equal(options.runtime_dir, "/r");
    assert_string_equal(options.state_dir, "/s");
    assert_string_equal(options.driver_host, "/h");
    assert_int_equal(options.ready_fd, 7);
    assert_true(options.version);
    assert_false(options.help);
}

static void wrong_words_are_named(void **state)
{
    struct wall_options options;
    struct wall_error err;
    assert_int_equal(parse((char *[]){"ringwalld", "--scop", NULL}, &options, &err), -EINVAL);
    assert_non_null(strstr(err.text, "--scop"));
    assert_int_equal(parse((char *[]){"ringwalld", "--scope", NULL}, &options, &err), -EINVAL);
    assert_non_null(strstr(err.text, "needs a value"));
    assert_int_equal(parse((char *[]){"ringwalld", "--ready-fd", "x", NULL}, &options, &err), -EINVAL);
    assert_non_null(strstr(err.text, "--ready-fd x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(both_spellings),
        cmocka_unit_test(wrong_words_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
