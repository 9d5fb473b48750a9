#include "cli/address_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wall_address_list list;
static struct wall_error err;

static int read_text(const char *text)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    int r = wall_address_list_read(file, "list", NULL, &list, &err);
    (void)fclose(file);
    return r;
}

static int done(void **state)
{
    wall_address_list_done(&list);
    return 0;
}

static void check_v4(size_t index, uint32_t first, uint32_t last)
{
    const struct wall_address_range *range = wall_vector_at(&list.v4, index);
    assert_int_equal(range->first[3], first);
    assert_int_equal(range->last[3], last);
}

static void all_kinds_of_lines(void **state)
{
    assert_int_equal(read_text("# a list\n"
                               "192.0.2.1\n"
                               "198.51.100.0/24   ; a network\n"
                               "203.0.113.5-203.0.113.9\r\n"
                               "\n"
                               "2001:db8::/32\n"
                               "2001:db9::1-2001:db9::ff\n"
                               "0.0.0.0 Ads.Example. tracker.example\n"
                               "127.0.0.1 localhost\n"
                               "||banner.example^\n"
                               "plain.example"),
                     0);
    assert_int_equal(list.bad_count, 0);
    assert_int_equal(list.line_count, 11);
    assert_int_equal(list.v4.count, 3);
    check_v4(0, 0xc0000201, 0xc0000201);
    check_v4(1, 0xc6336400, 0xc63364ff);
    check_v4(2, 0xcb007105, 0xcb007109);
    assert_int_equal(list.v6.count, 2);
    const struct wall_address_range *range = wall_vector_at(&list.v6, 0);
    assert_int_equal(range->first[0], 0x20010db8);
    assert_int_equal(range->last[0], 0x20010db8);
    assert_int_equal(range->last[3], UINT32_MAX);
    assert_int_equal(list.name_count, 4);
    const char names[] = "ads.example\0banner.example\0plain.example\0tracker.example";
    assert_int_equal(list.name_bytes, sizeof(names));
    assert_memory_equal(list.names, names, sizeof(names));
}

static void what_is_inside_or_adjacent_is_merged(void **state)
{
    assert_int_equal(read_text("10.0.0.0/8\n10.1.2.3\n10.1.2.3\n9.255.255.255\n11.0.0.0\n"
                               "255.255.255.255\n0.0.0.0/0\n::/0\n::1\nexample.org\nEXAMPLE.ORG\n"),
                     0);
    assert_int_equal(list.v4.count, 1);
    check_v4(0, 0, UINT32_MAX);
    assert_int_equal(list.v6.count, 1);
    assert_int_equal(list.name_count, 1);
    done(state);
    assert_int_equal(read_text("10.0.0.2\n10.0.0.1\n10.0.0.4\n"), 0);
    assert_int_equal(list.v4.count, 2);
    check_v4(0, 0x0a000001, 0x0a000002);
    check_v4(1, 0x0a000004, 0x0a000004);
}

static void bad_lines_are_told_and_left_out(void **state)
{
    static const char *const bad[] = { "10.0.0.256",   "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-2001:db8::1",
                                       "no_dot",       "-a.example",  "a..example",        "a b",
                                       "10.0.0.1 name.example", "1234",  ".example",       "ex ample.org extra",
                                       "10.0.0.0/8-11.0.0.0", "\xff.example", "||x^", "0.0.0.0 bad_name" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "192.0.2.1\n%s\ngood.example\n", bad[i]);
        assert_int_equal(read_text(text), 0);
        if (list.bad_count != 1 || list.v4.count != 1 || list.name_count != 1)
            fail_msg("'%s': %zu bad, %zu ranges, %zu names", bad[i], list.bad_count, list.v4.count, list.name_count);
        assert_non_null(strstr(list.first_bad.text, "list: line 2"));
        done(state);
    }
}

static void lines_have_a_limit(void **state)
{
    char *text = malloc(6000);
    memset(text, 'a', 5999);
    text[5999] = '\0';
    assert_int_equal(read_text(text), -E2BIG);
    assert_non_null(strstr(err.text, "line 1"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_kinds_of_lines, done),
        cmocka_unit_test_teardown(what_is_inside_or_adjacent_is_merged, done),
        cmocka_unit_test_teardown(bad_lines_are_told_and_left_out, done),
        cmocka_unit_test_teardown(lines_have_a_limit, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
