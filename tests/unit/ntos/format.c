// Formats of Windows: what DbgPrint and the printf functions make of them.
#include "capture.h"

static void expect_narrow(const char *expected, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void expect_wide(const WCHAR *expected, const WCHAR *format, ...)
{
    WCHAR text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnwprintf(text, 512, format, arguments);
    va_end(arguments);
    assert_int_equal(length, (int)wcslen(expected));
    assert_memory_equal(text, expected, (wcslen(expected) + 1) * sizeof(WCHAR));
}

static void strings(void **state)
{
    UNICODE_STRING unicode;
    RtlInitUnicodeString(&unicode, L"C:\\Windows");
    ANSI_STRING ansi;
    RtlInitAnsiString(&ansi, "ansi");
    UNICODE_STRING empty = {0};
    expect_narrow("a b c d", "%s %S %ws %ls", "a", L"b", L"c", L"d");
    expect_narrow("a b", "%hs %hS", "a", "b");
    expect_narrow("[C:\\Windows] [ansi]", "[%wZ] [%Z]", &unicode, &ansi);
    expect_narrow("[C:] [an]", "[%.2wZ] [%.2Z]", &unicode, &ansi);
    expect_narrow("[  ab] [ab  ] [a]", "[%4S] [%-4S] [%.1S]", L"ab", L"ab", L"ab");
    expect_narrow("(null) (null) (null)", "%s %S %wZ", NULL, NULL, &empty);
    expect_narrow("A B C", "%c %C %wc", 'A', L'B', L'C');
    expect_narrow("[abc]", "[%*S]", -3, L"abc");
    // Counted strings end at their length, not at a terminator.
    unicode.Length = 2 * sizeof(WCHAR);
    expect_narrow("C:", "%wZ", &unicode);
}

static void utf16_becomes_utf8(void **state)
{
    expect_narrow("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "%ws", L"\xe4\x20ac\xd83d\xde00");
    expect_narrow("\xef\xbf\xbd!", "%ws", L"\xd83d!");
    expect_narrow("[ \xc3\xa4]", "[%3ws]", L"\xe4");
}

static void integers(void **state)
{
    expect_narrow("-1 4294967295 ffffffff FFFFFFFF", "%d %u %x %X", -1, -1, -1, -1);
    // A long has 32 bits.
    expect_narrow("-1 4294967295 1", "%ld %lu %lx", -1, -1, 1);
    expect_narrow("-9223372036854775808 18446744073709551615", "%I64d %I64u", INT64_MIN, UINT64_MAX);
    expect_narrow("1234567890123 123456789abcdef0", "%lld %llx", 1234567890123LL, 0x123456789abcdef0ULL);
    expect_narrow("7 42", "%I32d %Iu", 7, (SIZE_T)42);
    expect_narrow("-1 255", "%hd %hhu", 0xffff, 0xfff);
    expect_narrow("0x1f 037 0X1F", "%#x %#o %#X", 31, 31, 31);
    expect_narrow("+5| 5|00005|    5|5    |00005", "%+d|% d|%05d|%5d|%-5d|%.5d", 5, 5, 5, 5, 5, 5);
    expect_narrow("0", "%d", 0);
    expect_narrow("", "%.0d", 0);
    expect_narrow("-0005", "%05d", -5);
}

static void pointers(void **state)
{
    expect_narrow("0000000000000000 00007FFFDEADBEEF", "%p %p", NULL, (void *)0x7fffdeadbeef);
}

static void floats(void **state)
{
    expect_narrow("1.500000 1.50 1.5e+00", "%f %.2f %.1e", 1.5, 1.5, 1.5);
    expect_narrow("[  1.5]", "[%5.1f]", 1.5);
}

static void unknown_conversion_ends(void **state)
{
    int count = 7;
    expect_narrow("a", "a%nb", &count);
    assert_int_equal(count, 7);
    expect_narrow("100%", "100%%");
    expect_narrow("x", "x%");
}

static void wide_formats(void **state)
{
    UNICODE_STRING unicode;
    RtlInitUnicodeString(&unicode, L"name");
    expect_wide(L"a b name 7", L"%s %S %wZ %d", L"a", "b", &unicode, 7);
    expect_wide(L"a b", L"%ls %hs", L"a", "b");
    expect_wide(L"\xe4", L"%S", "\xc3\xa4");
    expect_wide(L"\xd83d\xde00", L"%hs", "\xf0\x9f\x98\x80");
    expect_wide(L"A b", L"%c %C", L'A', 'b');
}

static void bounds(void **state)
{
    char text[4] = { 'z', 'z', 'z', 'z' };
    assert_int_equal(_snprintf(text, 3, "abcdef"), -1);
    assert_memory_equal(text, "abcz", 4);
    assert_int_equal(_snprintf(text, 4, "abc"), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(_snprintf(NULL, 0, "%d", 12345), 5);
    assert_int_equal(sprintf_s(text, sizeof(text), "abcd"), -1);
    assert_string_equal(text, "");
    assert_int_equal(_snprintf_s(text, sizeof(text), _TRUNCATE, "abcd"), -1);
    assert_string_equal(text, "abc");
    WCHAR wide[4];
    assert_int_equal(swprintf_s(wide, 4, L"%d", 123), 3);
    assert_int_equal(wide[3], 0);
    assert_int_equal(swprintf_s(wide, 4, L"%d", 1234), -1);
    assert_int_equal(wide[0], 0);
}

static void both_swprintf(void **state)
{
    WCHAR text[32];
    assert_int_equal(swprintf(text, L"%d-%s", 7, L"x"), 3);
    assert_int_equal(wcscmp(text, L"7-x"), 0);
    assert_int_equal(swprintf(text, L"plain"), 5);
    assert_int_equal(swprintf(text, 32, L"%d", 8), 1);
    assert_int_equal(wcscmp(text, L"8"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(utf16_becomes_utf8),
        cmocka_unit_test(integers),
        cmocka_unit_test(pointers),
        cmocka_unit_test(floats),
        cmocka_unit_test(unknown_conversion_ends),
        cmocka_unit_test(wide_formats),
        cmocka_unit_test(bounds),
        cmocka_unit_test(both_swprintf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
