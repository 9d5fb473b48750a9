// The host program is played by this test itself: `driver --name N --fd 3 PATH [how]`.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/driver.h"

struct seen {
    int changes;
    enum wall_driver_state state;
    char error[2048], line[1024];
    sd_event *event;
};

static int play_host(int argc, char **argv)
{
    const char *how = argc > 6 ? argv[6] : "how=run";
    printf("hello from %s\n", argv[2]);
    fflush(stdout);
    if (strcmp(how, "how=fail") == 0) {
        (void)!send(3, "failed DriverEntry returned 0xc0000001\n", 39, 0);
        return 1;
    }
    if (strcmp(how, "how=crash") == 0)
        raise(SIGKILL);
    (void)!send(3, "started\n", 8, 0);
    if (strcmp(how, "how=die-later") == 0) {
        usleep(50000);
        raise(SIGKILL);
    }
    char byte;
    (void)!read(3, &byte, 1);
    return 0;
}

static void on_line(void *context, struct wall_driver *driver, const char *line)
{
    struct seen *seen = context;
    (void)snprintf(seen->line, sizeof(seen->line), "%s", line);
}

static void on_changed(void *context, struct wall_driver *driver, const struct wall_error *err)
{
    struct seen *seen = context;
    seen->changes++;
    seen->state = driver->state;
    (void)snprintf(seen->error, sizeof(seen->error), "%s", err ? err->text : "");
}

static void wait_change(struct seen *seen, int changes)
{
    for (int i = 0; i < 500 && seen->changes < changes; i++)
        assert_true(sd_event_run(seen->event, 10000) >= 0);
    assert_int_equal(seen->changes, changes);
}

static struct wall_driver *begin_load(struct wall_drivers *drivers, const char *how)
{
    struct wall_driver *driver = NULL;
    struct wall_error err = {0};
    char parameter[32];
    (void)snprintf(parameter, sizeof(parameter), "how=%s", how);
    char *const parameters[] = {parameter, NULL};
    int r = wall_driver_load(drivers, "/proc/self/exe", "toy", parameters, &driver, &err);
    if (r < 0)
        fail_msg("%s", err.text);
    return driver;
}

static struct wall_driver *load(struct wall_drivers *drivers, struct seen *seen, const char *how, int changes)
{
    struct wall_driver *driver = begin_load(drivers, how);
    wait_change(seen, changes);
    return driver;
}

static int setup(void **state)
{
    struct wall_drivers *drivers = calloc(1, sizeof(*drivers));
    struct seen *seen = calloc(1, sizeof(*seen));
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    assert_true(sd_event_new(&seen->event) >= 0);
    *drivers = (struct wall_drivers){.event = seen->event, .host_program = "/proc/self/exe",
                                     .events = {seen, on_line, on_changed}};
    *state = drivers;
    return 0;
}

static int teardown(void **state)
{
    struct wall_drivers *drivers = *state;
    struct seen *seen = drivers->events.context;
    while (drivers->first)
        wall_driver_free(drivers->first);
    sd_event_unref(seen->event);
    free(seen);
    free(drivers);
    return 0;
}

static void runs_and_stops(void **state)
{
    struct wall_drivers *drivers = *state;
    struct seen *seen = drivers->events.context;
    struct wall_driver *driver = load(drivers, seen, "run", 1);
    assert_int_equal(seen->state, WALL_DRIVER_RUNNING);
    assert_ptr_equal(wall_driver_find_process(drivers, driver->process_id), driver);
    struct wall_error err;
    struct wall_driver *other = NULL;
    assert_int_equal(wall_driver_load(drivers, "/proc/self/exe", "toy", NULL, &other, &err), -EEXIST);
    assert_non_null(strstr(err.text, "toy"));
    assert_int_equal(wall_driver_unload(driver) < 0, 0);
    wait_change(seen, 2);
    assert_string_equal(seen->line, "hello from toy");
    assert_int_equal(drivers->count, 0);
}

static void failure_in_entry_is_told(void **state)
{
    struct wall_drivers *drivers = *state;
    struct seen *seen = drivers->events.context;
    load(drivers, seen, "fail", 1);
    assert_int_equal(seen->state, WALL_DRIVER_FAILED);
    assert_non_null(strstr(seen->error, "DriverEntry returned 0xc0000001"));
}

// Its word and its end may be seen in one turn of the loop, in either order: the reason must not get lost.
static void reason_outlives_the_host(void **state)
{
    struct wall_drivers *drivers = *state;
    struct seen *seen = drivers->events.context;
    for (int round = 1; round <= 8; round++) {
        struct wall_driver *driver = begin_load(drivers, "fail");
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)driver->process_id, &info, WEXITED | WNOWAIT), 0);
        wait_change(seen, round);
        assert_non_null(strstr(seen->error, "DriverEntry returned 0xc0000001"));
    }
}

static void death_is_told_with_its_signal(void **state)
{
    struct wall_drivers *drivers = *state;
    struct seen *seen = drivers->events.context;
    load(drivers, seen, "die-later", 2);
    assert_int_equal(seen->state, WALL_DRIVER_FAILED);
    assert_non_null(strstr(seen->error, "signal 9"));
    // a failed driver makes way for the next of its name
    seen->changes = 0;
    load(drivers, seen, "run", 1);
    assert_int_equal(seen->state, WALL_DRIVER_RUNNING);
    assert_int_equal(drivers->count, 1);
}

static void wrong_requests_are_refused(void **state)
{
    struct wall_drivers *drivers = *state;
    struct wall_driver *driver = NULL;
    struct wall_error err;
    assert_int_equal(wall_driver_load(drivers, "relative.so", "a", NULL, &driver, &err), -EINVAL);
    assert_int_equal(wall_driver_load(drivers, "/no/such.so", "a", NULL, &driver, &err), -ENOENT);
    assert_int_equal(wall_driver_load(drivers, "/", "a", NULL, &driver, &err), -EINVAL);
    assert_int_equal(wall_driver_load(drivers, "/proc/self/exe", "../x", NULL, &driver, &err), -EINVAL);
    assert_int_equal(wall_driver_load(drivers, "/proc/self/exe", "", NULL, &driver, &err), -EINVAL);
    assert_null(driver);
    assert_int_equal(drivers->count, 0);
}

int main(int argc, char **argv)
{
    if (argc > 4 && strcmp(argv[1], "--name") == 0)
        return play_host(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_and_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(failure_in_entry_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(reason_outlives_the_host, setup, teardown),
        cmocka_unit_test_setup_teardown(death_is_told_with_its_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_requests_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
