#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "host/cgroup.h"

static void mount_is_found(void **state)
{
    char *path = NULL;
    if (wall_cgroup_mount(&path, NULL) == -ENOENT)
        skip();
    assert_int_equal(path[0], '/');
    free(path);
}

static void scope_is_created_once(void **state)
{
    char name[64], *path = NULL;
    bool created = false;
    struct wall_error err;
    (void)snprintf(name, sizeof(name), "/rw-unit-cgroup-%d", (int)getpid());
    int r = wall_cgroup_ensure(name, &path, &created, &err);
    if (r == -ENOENT || r == -EACCES || r == -EROFS)
        skip();
    assert_int_equal(r, 0);
    assert_true(created);
    char *again = NULL;
    assert_int_equal(wall_cgroup_ensure(name + 1, &again, &created, &err), 0);
    assert_false(created);
    assert_string_equal(path, again);
    assert_int_equal(rmdir(path), 0);
    free(path);
    free(again);
}

static void wrong_scopes_are_refused(void **state)
{
    char *path = NULL;
    bool created;
    struct wall_error err;
    assert_int_equal(wall_cgroup_ensure("a/../b", &path, &created, &err), -EINVAL);
    assert_non_null(strstr(err.text, ".."));
    assert_int_equal(wall_cgroup_ensure("..", &path, &created, &err), -EINVAL);
    assert_int_equal(wall_cgroup_ensure("rw-no-such/child", &path, &created, &err), -ENOENT);
    assert_null(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mount_is_found),
        cmocka_unit_test(scope_is_created_once),
        cmocka_unit_test(wrong_scopes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
