// The driver host's command line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "driverhost/arguments.h"

static int parse(char **argv, struct wall_host_arguments *ret_arguments)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return wall_host_arguments_parse(argc, argv, ret_arguments, NULL);
}

static void complete(void **state)
{
    char *argv[] = { "host", "--name", "wall", "--fd", "3", "--data-dir", "/d", "/drivers/wall.so", "a=b", "-c=d",
                     NULL };
    struct wall_host_arguments arguments;
    assert_int_equal(parse(argv, &arguments), 0);
    assert_string_equal(arguments.name, "wall");
    assert_int_equal(arguments.control_fd, 3);
    assert_string_equal(arguments.data_directory, "/d");
    assert_null(arguments.runtime_directory);
    assert_string_equal(arguments.path, "/drivers/wall.so");
    assert_string_equal(arguments.parameters[0], "a=b");
    assert_string_equal(arguments.parameters[1], "-c=d");
    assert_null(arguments.parameters[2]);
}

static void refused(void **state)
{
    static char *const cases[][6] = {
        { "host" },
        { "host", "--name", "wall" },
        { "host", "wall.so" },
        { "host", "--name" },
        { "host", "--name", "wall", "--fd", "x", "wall.so" },
        { "host", "--name", "wall", "--fd", "-1", "wall.so" },
        { "host", "--what", "wall", "wall.so" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *argv[7] = {0};
        memcpy(argv, cases[i], sizeof(cases[i]));
        struct wall_host_arguments arguments = { .control_fd = 77 };
        assert_int_equal(parse(argv, &arguments), -EINVAL);
        assert_int_equal(arguments.control_fd, 77);
    }
}

static void help_and_version(void **state)
{
    struct wall_host_arguments arguments;
    char *help[] = { "host", "--help", NULL }, *version[] = { "host", "--version", NULL };
    assert_int_equal(parse(help, &arguments), 0);
    assert_true(arguments.help && !arguments.version);
    assert_int_equal(parse(version, &arguments), 0);
    assert_true(!arguments.help && arguments.version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete),
        cmocka_unit_test(refused),
        cmocka_unit_test(help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
