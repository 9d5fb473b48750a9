#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/cgroup.h"
#include "host/coverage.h"

static const struct wall_coverage_item *find(const struct wall_coverage *coverage, const char *name)
{
    for (size_t i = 0; i < coverage->count; i++)
        if (!strcmp(coverage->items[i].name, name))
            return &coverage->items[i];
    return NULL;
}

static void a_process_without_hooks_covers_nothing(void **state)
{
    struct wall_coverage *coverage = calloc(1, sizeof(*coverage));
    char *mount = NULL;
    if (wall_cgroup_mount(&mount, NULL) < 0) {
        free(coverage);
        skip();
    }
    assert_int_equal(wall_coverage_probe(mount, coverage), 0);
    for (size_t i = 0; i < coverage->count; i++) {
        if (strcmp(coverage->items[i].name, "identity"))
            assert_int_not_equal(coverage->items[i].state, WALL_COVERAGE_COVERED);
        assert_true(strlen(coverage->items[i].detail) > 10);
    }
    assert_non_null(find(coverage, "TCP, outgoing"));
    assert_int_equal(find(coverage, "incoming")->state, WALL_COVERAGE_OPEN);
    assert_int_equal(find(coverage, "other programs")->state, WALL_COVERAGE_ABSENT);
    free(mount);
    free(coverage);
}

static void a_scope_that_is_not_there_is_an_error(void **state)
{
    struct wall_coverage *coverage = calloc(1, sizeof(*coverage));
    assert_true(wall_coverage_probe("/no/such/cgroup", coverage) < 0);
    free(coverage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_without_hooks_covers_nothing),
        cmocka_unit_test(a_scope_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
