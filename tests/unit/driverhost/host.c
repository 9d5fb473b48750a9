// The driver host as a process: what it says on its control socket, what a crash leaves behind, how it ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

struct host {
    pid_t process;
    int control, output;
    char text[65536];  // what it wrote to standard error
    size_t length;
};

static void start(struct host *host, const char *folder, const char *driver, const char *parameter)
{
    int control[2], output[2];
    char path[4096];
    *host = (struct host){0};
    (void)snprintf(path, sizeof(path), "%s/%s.so", getenv(folder), driver);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    (void)fflush(NULL);
    host->process = fork();
    assert_true(host->process >= 0);
    if (host->process == 0) {
        (void)dup2(output[1], STDOUT_FILENO);
        (void)dup2(output[1], STDERR_FILENO);
        (void)dup2(control[1], 3);
        (void)close_range(4, ~0u, 0);
        (void)execl(getenv("DRIVER_HOST"), "ringwall-driver-host", "--name", "test", "--fd", "3", path, parameter,
                    NULL);
        _exit(127);
    }
    (void)close(control[1]);
    (void)close(output[1]);
    host->control = control[0];
    host->output = output[0];
}

static void hear(struct host *host, const char *expected)
{
    struct pollfd file = { .fd = host->control, .events = POLLIN };
    assert_int_equal(poll(&file, 1, PATIENCE_MS), 1);
    char word[1024];
    ssize_t got = recv(host->control, word, sizeof(word) - 1, 0);
    assert_true(got >= 0);
    word[got] = '\0';
    if (!strstr(word, expected))
        (void)fprintf(stderr, "said: %s\n", word);
    assert_non_null(strstr(word, expected));
}

// Reads until `part` appears, or to the end for NULL.
static void read_until(struct host *host, const char *part)
{
    struct pollfd file = { .fd = host->output, .events = POLLIN };
    while (!part || !strstr(host->text, part)) {
        if (poll(&file, 1, PATIENCE_MS) != 1)
            fail_msg("no more output; so far: %s", host->text);
        ssize_t got = read(host->output, host->text + host->length, sizeof(host->text) - 1 - host->length);
        if (got <= 0)
            break;
        host->length += (size_t)got;
        host->text[host->length] = '\0';
    }
    if (part && !strstr(host->text, part))
        fail_msg("'%s' is missing in: %s", part, host->text);
}

static int end(struct host *host)
{
    (void)close(host->control);
    read_until(host, NULL);
    (void)close(host->output);
    int status;
    assert_int_equal(waitpid(host->process, &status, 0), host->process);
    return status;
}

static void expect_text(const struct host *host, const char *part)
{
    if (!strstr(host->text, part))
        fail_msg("'%s' is missing in: %s", part, host->text);
}

static void starts_and_stops(void **state)
{
    static struct host host;
    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-echo", "greeting=hi");
    hear(&host, "started\n");
    int status = end(&host);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_text(&host, "Services\\test\n");
    expect_text(&host, "echo: greeting='hi'");
    expect_text(&host, "echo: unloaded\n");
}

static void signals_stop_it(void **state)
{
    static struct host host;
    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-echo", NULL);
    hear(&host, "started\n");
    assert_int_equal(kill(host.process, SIGTERM), 0);
    int status = end(&host);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_text(&host, "echo: unloaded\n");
}

static void failures_are_told(void **state)
{
    static struct host host;
    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-failing", NULL);
    hear(&host, "failed DriverEntry of test returned 0xC0000182");
    int status = end(&host);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    expect_text(&host, "driver leak in ExAllocatePoolWithTag");

    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-unresolved", NULL);
    hear(&host, "failed ");
    (void)end(&host);
    expect_text(&host, "needs the function KeDoWhatIMean");
}

static void stubborn_drivers_end_with_the_process(void **state)
{
    static struct host host;
    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-stubborn", NULL);
    hear(&host, "started\n");
    int status = end(&host);
    assert_true(WIFEXITED(status));
    expect_text(&host, "has no DriverUnload");
}

static void crashes_show_the_stack(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=1");
    int status = end(&host);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    expect_text(&host, "SIGSEGV (invalid memory) at address 0x8 in thread");
    expect_text(&host, "driverhost-driver-crashing.so");
    expect_text(&host, "\nthread ");  // the others, too
}

static void a_full_stack_is_reported(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=7");
    int status = end(&host);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    expect_text(&host, "driver host: SIGSEGV");
}

static void crashes_in_the_entry_are_told(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=6");
    hear(&host, "failed crashed with SIGSEGV (invalid memory) at address 0x8");
    int status = end(&host);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void bug_checks_abort(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=2");
    int status = end(&host);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect_text(&host, "driver bug check in KeBugCheckEx at IRQL 0: 0x000000E2: called by the driver "
                       "(0x1, 0x2, 0x3, 0x4)");
    expect_text(&host, "driver host: SIGABRT in thread");

    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=5");
    status = end(&host);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect_text(&host, "driver bug check in KeAcquireSpinLock at IRQL 2: 0x0000000F");
}

static void faults_inside_try_are_exceptions(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=3");
    hear(&host, "started\n");
    read_until(&host, "crashing: caught 0xC0000005\n");
    int status = end(&host);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_text(&host, "crashing: unloaded\n");
}

static void waiting_at_dispatch_does_not_hang(void **state)
{
    static struct host host;
    start(&host, "HOST_TEST_DRIVERS", "driverhost-driver-crashing", "how=4");
    hear(&host, "started\n");
    read_until(&host, "crashing: wait returned 0xC0000001\n");
    int status = end(&host);
    assert_true(WIFEXITED(status));
    expect_text(&host, "driver violation in KeWaitForSingleObject at IRQL 2: called at IRQL 2, allowed up to 1\n");
    expect_text(&host, "  driverhost-driver-crashing.so");
}

static void data_goes_below_the_state_directory(void **state)
{
    static struct host host;
    char directory[] = "/tmp/driverhost-state-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    assert_int_equal(setenv("RINGWALL_STATE_DIR", directory, 1), 0);
    start(&host, "NTOS_TEST_DRIVERS", "ntos-driver-echo", NULL);
    hear(&host, "started\n");
    (void)end(&host);
    assert_int_equal(unsetenv("RINGWALL_STATE_DIR"), 0);
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/drivers/test", directory);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof(path), "%s/drivers", directory);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_and_stops),
        cmocka_unit_test(signals_stop_it),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(stubborn_drivers_end_with_the_process),
        cmocka_unit_test(crashes_show_the_stack),
        cmocka_unit_test(a_full_stack_is_reported),
        cmocka_unit_test(crashes_in_the_entry_are_told),
        cmocka_unit_test(bug_checks_abort),
        cmocka_unit_test(faults_inside_try_are_exceptions),
        cmocka_unit_test(waiting_at_dispatch_does_not_hang),
        cmocka_unit_test(data_goes_below_the_state_directory),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
