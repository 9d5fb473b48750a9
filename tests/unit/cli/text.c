#include "cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void assert_clean(const char *text, const char *expected)
{
    char *clean = wall_text_clean(text);
    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void test_clean(void **state)
{
    assert_clean("", "");
    assert_clean("/usr/bin/curl", "/usr/bin/curl");
    assert_clean("Überblick 防火墙 🔥", "Überblick 防火墙 🔥");
    assert_clean("a\nb\tc", "a\\nb\\tc");
    assert_clean("\x1b[2Jgone\x07\x7f", "\\x1b[2Jgone\\x07\\x7f");
    assert_clean("\xc2\x9b" "2J", "\\x9b2J");  // the one-character form of ESC [
    assert_clean("a\xffz", "a\\xffz");
    assert_clean("\xc0\xaf", "\\xc0\\xaf");          // overlong
    assert_clean("\xed\xa0\x80", "\\xed\\xa0\\x80");  // a surrogate
    assert_clean("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    assert_clean("cut\xe2\x82", "cut\\xe2\\x82");
    assert_clean("moc\xe2\x80\xae", "moc\\u{202e}");
}

static void test_columns(void **state)
{
    assert_int_equal(wall_text_columns(""), 0);
    assert_int_equal(wall_text_columns("abc"), 3);
    assert_int_equal(wall_text_columns("Überblick"), 9);
    assert_int_equal(wall_text_columns("U\xcc\x88" "ber"), 4);
    assert_int_equal(wall_text_columns("防火墙"), 6);
    assert_int_equal(wall_text_columns("🔥"), 2);
}

static void test_duration(void **state)
{
    static const struct {
        uint64_t nanoseconds;
        const char *text;
    } cases[] = {
        { 0, "0 s" },
        { 999, "999 ns" },
        { 1500, "1.5 us" },
        { 15500, "15 us" },
        { 2000000, "2 ms" },
        { 1500000000, "1.5 s" },
        { 59999999999, "59 s" },
        { 200000000000, "3 min 20 s" },
        { 120000000000, "2 min" },
        { 7500000000000, "2 h 5 min" },
        { 86400000000000, "1 d" },
        { 356400000000000, "4 d 3 h" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[WALL_TEXT_SHORT_MAX];
        wall_text_duration(cases[i].nanoseconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_size(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0 B" },           { 1023, "1023 B" },      { 1024, "1 KiB" },        { 1536, "1.5 KiB" },
        { 2047, "1.9 KiB" },    { 23u << 20, "23 MiB" }, { UINT64_MAX, "15 EiB" }, { 10u * 1024 + 1, "10 KiB" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[WALL_TEXT_SHORT_MAX];
        wall_text_size(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_append(void **state)
{
    char *text = NULL;
    assert_true(wall_text_append(&text, "%s", "one"));
    assert_true(wall_text_append(&text, ", %d", 2));
    assert_true(wall_text_append(&text, "%s", ""));
    assert_string_equal(text, "one, 2");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
