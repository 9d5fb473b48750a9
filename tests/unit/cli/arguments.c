#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static const struct wall_option options[] = {
    { "name", "NAME", "A name.", false },
    { "app", "PATH", "A program.", true },
    { "json", NULL, "As JSON.", false },
    { 0 },
};

static const struct wall_command command = {
    .name = "load",
    .usage = "DRIVER.so",
    .options = options,
    .positional_min = 1,
    .positional_max = 3,
};

static struct wall_arguments arguments;
static struct wall_error err;

static int parse(const char *const *words)
{
    int count = 0;
    while (words[count])
        count++;
    memset(&arguments, 0, sizeof(arguments));
    memset(&err, 0, sizeof(err));
    return wall_arguments_parse(&command, count, (char *const *)words, &arguments, &err);
}
#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void test_all_forms(void **state)
{
    assert_int_equal(PARSE("a.so", "--name", "x", "k=v", "--app=/bin/a=b", "--json", "--app", "--odd"), 0);
    assert_int_equal(arguments.positional_count, 2);
    assert_string_equal(arguments.positional[0], "a.so");
    assert_string_equal(arguments.positional[1], "k=v");
    assert_string_equal(wall_argument(&arguments, "name", 0), "x");
    assert_string_equal(wall_argument(&arguments, "app", 0), "/bin/a=b");
    assert_string_equal(wall_argument(&arguments, "app", 1), "--odd");
    assert_null(wall_argument(&arguments, "app", 2));
    assert_true(wall_argument_given(&arguments, "json"));
    assert_false(wall_argument_given(&arguments, "runtime-dir"));
    wall_arguments_done(&arguments);
}

static void test_end_of_options(void **state)
{
    assert_int_equal(PARSE("--", "--name", "-"), 0);
    assert_int_equal(arguments.positional_count, 2);
    assert_string_equal(arguments.positional[0], "--name");
    wall_arguments_done(&arguments);
    // A lone dash is a word, not an option.
    assert_int_equal(PARSE("-"), 0);
    wall_arguments_done(&arguments);
}

static void test_common_options(void **state)
{
    assert_int_equal(PARSE("a", "--runtime-dir", "/run/x"), 0);
    assert_string_equal(wall_argument(&arguments, "runtime-dir", 0), "/run/x");
    wall_arguments_done(&arguments);
    // With --help nothing else has to be there.
    assert_int_equal(PARSE("--help"), 0);
    assert_true(wall_argument_given(&arguments, "help"));
    wall_arguments_done(&arguments);
    assert_int_equal(PARSE("-h"), 0);
    wall_arguments_done(&arguments);
}

static void test_refused(void **state)
{
    assert_int_equal(PARSE("a", "--nam", "x"), -EINVAL);
    assert_non_null(strstr(err.text, "'--nam'"));
    assert_int_equal(PARSE("a", "--names=x"), -EINVAL);
    assert_int_equal(PARSE("a", "-n"), -EINVAL);
    assert_int_equal(PARSE("a", "--name"), -EINVAL);
    assert_non_null(strstr(err.text, "--name NAME"));
    assert_int_equal(PARSE("a", "--name="), -EINVAL);
    assert_int_equal(PARSE("a", "--name", ""), -EINVAL);
    assert_int_equal(PARSE("a", "--json=1"), -EINVAL);
    assert_int_equal(PARSE("a", "--name=x", "--name=y"), -EINVAL);
    assert_non_null(strstr(err.text, "twice"));
    assert_int_equal(PARSE("--json"), -EINVAL);
    assert_non_null(strstr(err.text, "ringwall load DRIVER.so"));
    assert_int_equal(PARSE("a", "b", "c", "d"), -EINVAL);
    assert_non_null(strstr(err.text, "'d'"));
}

static void test_too_many_options(void **state)
{
    const char *words[WALL_ARGUMENTS_OPTIONS_MAX + 3];
    words[0] = "a";
    for (size_t i = 1; i <= WALL_ARGUMENTS_OPTIONS_MAX + 1; i++)
        words[i] = "--app=x";
    words[WALL_ARGUMENTS_OPTIONS_MAX + 2] = NULL;
    assert_int_equal(parse(words), -EINVAL);
    words[WALL_ARGUMENTS_OPTIONS_MAX + 1] = NULL;
    assert_int_equal(parse(words), 0);
    wall_arguments_done(&arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_forms),
        cmocka_unit_test(test_end_of_options),
        cmocka_unit_test(test_common_options),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
