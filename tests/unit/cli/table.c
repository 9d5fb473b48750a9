#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void assert_printed(const struct wall_table *table, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(wall_table_print(table, file), 0);
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

static void test_aligned(void **state)
{
    struct wall_table table;
    wall_table_init(&table, (const char *const[]){ "NAME", ">FLOWS", "STATE", NULL });
    wall_table_add(&table, "防火墙");
    wall_table_add_format(&table, "%d", 7);
    wall_table_add(&table, "running");
    wall_table_add(&table, "a-long-name");
    wall_table_add_format(&table, "%d", 1234567);
    wall_table_add(&table, NULL);
    assert_printed(&table, "NAME           FLOWS  STATE\n"
                           "防火墙             7  running\n"
                           "a-long-name  1234567  -\n");
    wall_table_done(&table);
}

static void test_hostile_cell(void **state)
{
    struct wall_table table;
    wall_table_init(&table, (const char *const[]){ "PATH", ">N", NULL });
    wall_table_add(&table, "/tmp/a\nb\x1b[31m");
    wall_table_add(&table, "1");
    assert_printed(&table, "PATH               N\n"
                           "/tmp/a\\nb\\x1b[31m  1\n");
    wall_table_done(&table);
}

static void test_no_rows(void **state)
{
    struct wall_table table;
    wall_table_init(&table, (const char *const[]){ "A", "B", NULL });
    assert_printed(&table, "A  B\n");
    wall_table_done(&table);
}

static void test_many_rows(void **state)
{
    struct wall_table table;
    wall_table_init(&table, (const char *const[]){ ">N", NULL });
    for (int i = 0; i < 1000; i++)
        wall_table_add_format(&table, "%d", i);
    assert_int_equal(table.cell_count, 1000);
    assert_string_equal(table.cells[999], "999");
    assert_false(table.failed);
    wall_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned),
        cmocka_unit_test(test_hostile_cell),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
