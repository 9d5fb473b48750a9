// What the command line does in its own way on Linux.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fwpmu.h"

#include "cli/command.h"
#include "cli/platform.h"

static void test_leading_option(void **state)
{
    static const struct {
        char *words[4];
        int taken;
    } cases[] = {
        { { "ringwall", "list", NULL, NULL }, 0 },
        { { "ringwall", NULL, NULL, NULL }, 0 },
        { { "ringwall", "--runtime-dir", "/one", "list" }, 2 },
        { { "ringwall", "--runtime-dir=/two", "list", NULL }, 1 },
        { { "ringwall", "--runtime-dir", NULL, NULL }, -EINVAL },
        { { "ringwall", "--runtime-dir=", NULL, NULL }, -EINVAL },
        { { "ringwall", "--runtime-directory", "/x", NULL }, -EINVAL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_error err = { 0 };
        char *words[4];
        int count = 0;
        memcpy(words, cases[i].words, sizeof(words));
        while (count < 4 && words[count])
            count++;
        unsetenv("RINGWALL_RUNTIME_DIR");
        assert_int_equal(wall_platform_leading_option(count, words, &err), cases[i].taken);
        assert_int_equal(err.text[0] != '\0', cases[i].taken < 0);
        assert_int_equal(getenv("RINGWALL_RUNTIME_DIR") != NULL, cases[i].taken > 0);
    }
}

static void test_app_id(void **state)
{
    FWP_BYTE_BLOB *app = NULL;
    assert_int_equal(wall_platform_app_id("/bin/../bin/sh", &app), 0);
    assert_true(app->size > 2 && app->size % 2 == 0);
    assert_int_equal(app->data[0], '/');
    FwpmFreeMemory0((void **)&app);
    assert_int_equal(wall_platform_app_id("/no/such/program", &app), WALL_EXIT_NOT_FOUND);

    char path[] = "/tmp/rw-platform-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    int code = wall_platform_app_id(path, &app);
    unlink(path);
    assert_int_equal(code, WALL_EXIT_FAILED);
}

static void test_interrupted(void **state)
{
    assert_false(wall_platform_interrupted(1));
    // The process does not end by them any more.
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        assert_int_equal(raise(signals[i]), 0);
        assert_true(wall_platform_interrupted(5000));
        assert_false(wall_platform_interrupted(1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leading_option),
        cmocka_unit_test(test_app_id),
        cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
