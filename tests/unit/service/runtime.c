#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/runtime.h"

static char folder[] = "/tmp/rw-runtime-XXXXXX";
static char directory[64];

static int make_folder(void **state)
{
    memset(folder + strlen(folder) - 6, 'X', 6);
    bool made = mkdtemp(folder) != NULL;
    (void)snprintf(directory, sizeof(directory), "%s/run", folder);
    return made ? 0 : -1;
}

static int remove_folder(void **state)
{
    return rmdir(folder);  // fails when something was left
}

static void it_listens_and_leaves_nothing(void **state)
{
    struct wall_runtime runtime;
    struct wall_error err = { 0 };
    assert_int_equal(wall_runtime_open(directory, &runtime, &err), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", runtime.socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    struct stat status;
    assert_int_equal(stat(runtime.socket_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0666);  // who may do what is decided by the peer's credentials
    wall_runtime_close(&runtime, true);
    assert_int_equal(access(directory, F_OK), -1);
}

static void one_instance_for_a_directory(void **state)
{
    struct wall_runtime first, second = { 0 };
    struct wall_error err = { 0 };
    assert_int_equal(wall_runtime_open(directory, &first, &err), 0);
    assert_int_equal(wall_runtime_open(directory, &second, &err), -EBUSY);
    assert_non_null(strstr(err.text, directory));
    assert_int_equal(access(first.socket_path, F_OK), 0);
    wall_runtime_close(&first, true);
}

// What a killed instance left is taken over.
static void a_dead_instance_makes_way(void **state)
{
    struct wall_runtime dead, next;
    struct wall_error err = { 0 };
    assert_int_equal(wall_runtime_open(directory, &dead, &err), 0);
    wall_runtime_close(&dead, false);
    assert_int_equal(access(directory, F_OK), 0);
    assert_int_equal(wall_runtime_open(directory, &next, &err), 0);
    wall_runtime_close(&next, true);
}

static void directories_that_do_not_do(void **state)
{
    struct wall_runtime runtime;
    struct wall_error err = { 0 };
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/no/such", folder);
    assert_int_equal(wall_runtime_open(path, &runtime, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    (void)snprintf(path, sizeof(path), "%s/%0100d", folder, 7);
    assert_int_equal(wall_runtime_open(path, &runtime, &err), -ENAMETOOLONG);
    char lock[300];
    (void)snprintf(lock, sizeof(lock), "%s/lock", path);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_listens_and_leaves_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(one_instance_for_a_directory, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_dead_instance_makes_way, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(directories_that_do_not_do, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
