#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf16.h"

static const uint16_t *u(const wchar_t *text)
{
    return (const uint16_t *)text;
}

static void length_and_compare(void **state)
{
    assert_int_equal(wall_utf16_length(u(L"")), 0);
    assert_int_equal(wall_utf16_length(u(L"wall")), 4);
    assert_int_equal(wall_utf16_compare(u(L"wall"), u(L"wall")), 0);
    assert_true(wall_utf16_compare(u(L"wal"), u(L"wall")) < 0);
    assert_true(wall_utf16_compare(u(L"wb"), u(L"wall")) > 0);
    assert_int_equal(wall_utf16_compare_caseless(u(L"WaLL[z]"), u(L"wAll[Z]")), 0);
    assert_true(wall_utf16_compare_caseless(u(L"a@"), u(L"A`")) < 0);
    assert_true(wall_utf16_compare_caseless(u(L"b"), u(L"A")) > 0);

    uint16_t *copy = wall_utf16_copy(u(L"wall"));
    assert_int_equal(wall_utf16_compare(copy, u(L"wall")), 0);
    free(copy);
}

static void expect_path(const char *bytes, size_t byte_count, const uint16_t *units, size_t unit_count)
{
    uint16_t buffer[64];
    assert_int_equal(wall_utf16_from_path(bytes, byte_count, NULL, 0), unit_count);
    assert_int_equal(wall_utf16_from_path(bytes, byte_count, buffer, 64), unit_count);
    assert_memory_equal(buffer, units, unit_count * sizeof(*units));

    char back[64];
    size_t count = 999;
    assert_true(wall_utf16_to_path(units, unit_count, back, sizeof(back), &count));
    assert_int_equal(count, byte_count);
    assert_memory_equal(back, bytes, byte_count);
}

static void paths_of_every_kind(void **state)
{
    const uint16_t accent[] = { '/', 0xe9, 0x20ac, 0xd83d, 0xde00 };
    expect_path("/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10, accent, 5);
    const uint16_t latin1[] = { 'a', 0xdce9, 'b' };
    expect_path("a\xe9" "b", 3, latin1, 3);
    const uint16_t overlong[] = { 0xdcc0, 0xdcaf };
    expect_path("\xc0\xaf", 2, overlong, 2);
    const uint16_t surrogate[] = { 0xdced, 0xdca0, 0xdc80 };
    expect_path("\xed\xa0\x80", 3, surrogate, 3);
    const uint16_t too_high[] = { 0xdcf4, 0xdc90, 0xdc80, 0xdc80 };
    expect_path("\xf4\x90\x80\x80", 4, too_high, 4);
    const uint16_t cut[] = { 0xdce2, 0xdc82 };
    expect_path("\xe2\x82", 2, cut, 2);
    const uint16_t before_valid[] = { 0xdcc3, 0xe9 };
    expect_path("\xc3\xc3\xa9", 3, before_valid, 2);
    expect_path("", 0, NULL, 0);
}

static void all_pairs_of_bytes_come_back(void **state)
{
    for (unsigned int a = 1; a < 256; a++) {
        for (unsigned int b = 1; b < 256; b++) {
            const char bytes[4] = { (char)a, (char)b, (char)a, 'x' };
            uint16_t units[4];
            size_t count = wall_utf16_from_path(bytes, 4, units, 4);
            char back[4];
            size_t back_count;
            assert_true(wall_utf16_to_path(units, count, back, 4, &back_count));
            assert_int_equal(back_count, 4);
            assert_memory_equal(bytes, back, 4);
        }
    }
}

static void text_without_a_path_is_refused(void **state)
{
    static const struct {
        uint16_t units[4];
        size_t count;
    } cases[] = {
        { { 0xd83d, 'a' }, 2 },                // a high surrogate alone
        { { 0xd83d }, 1 },
        { { 0xde00 }, 1 },                     // a low one that is no escape
        { { 0xdc7f }, 1 },
        { { 0xdcc3, 0xdca9 }, 2 },             // escapes that spell é
        { { 0xdcc3, 0xdcc3, 0xdca9 }, 3 },
        { { 0xdcf0, 0xdc9f, 0xdc98, 0xdc80 }, 4 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char bytes[16];
        size_t count = 77;
        assert_false(wall_utf16_to_path(cases[i].units, cases[i].count, bytes, sizeof(bytes), &count));
        assert_int_equal(count, 77);
    }
}

static void conversions_stop_at_the_capacity(void **state)
{
    uint16_t units[3] = { 1, 2, 3 };
    assert_int_equal(wall_utf16_from_path("abcd", 4, units, 2), 4);
    assert_int_equal(units[2], 3);
    char bytes[3] = { 1, 2, 3 };
    const uint16_t euro[] = { 0x20ac };
    assert_int_equal(wall_utf16_to_utf8(euro, 1, bytes, 2), 3);
    assert_int_equal(bytes[2], 3);
}

static void terminated_forms(void **state)
{
    uint16_t *path = wall_utf16_new_from_path("/bin/\xff");
    assert_int_equal(path[5], 0xdcff);
    assert_int_equal(path[6], 0);
    char *text = wall_utf16_new_utf8(path);
    assert_string_equal(text, "/bin/\xef\xbf\xbd");
    free(text);
    free(path);

    uint16_t *wide = NULL;
    assert_int_equal(wall_utf16_new_from_utf8("\xff", &wide), -EILSEQ);
    assert_null(wide);
    assert_int_equal(wall_utf16_new_from_utf8("a\xf0\x9f\x98\x80z", &wide), 0);
    assert_int_equal(wall_utf16_length(wide), 4);
    assert_true(wall_utf16_is_valid(wide, 4));
    assert_false(wall_utf16_is_valid(wide, 2));
    assert_false(wall_utf16_is_valid(wide + 2, 2));
    text = wall_utf16_new_utf8(wide);
    assert_string_equal(text, "a\xf0\x9f\x98\x80z");
    free(text);
    free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_and_compare),
        cmocka_unit_test(paths_of_every_kind),
        cmocka_unit_test(all_pairs_of_bytes_come_back),
        cmocka_unit_test(text_without_a_path_is_refused),
        cmocka_unit_test(conversions_stop_at_the_capacity),
        cmocka_unit_test(terminated_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
