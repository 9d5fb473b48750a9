// The C run-time library on 16-bit characters.
#include "capture.h"

static void sizes(void **state)
{
    assert_int_equal(sizeof(L'x'), 2);
    assert_int_equal(wcslen(L"abc"), 3);
    assert_int_equal(wcslen(L""), 0);
    assert_int_equal(wcsnlen(L"abc", 2), 2);
}

static void copies(void **state)
{
    WCHAR text[16];
    assert_ptr_equal(ntos_wcscpy(text, L"ab"), text);
    assert_ptr_equal(ntos_wcscat(text, L"cd"), text);
    assert_int_equal(wcscmp(text, L"abcd"), 0);
    (void)wcsncat(text, L"efgh", 2);
    assert_int_equal(wcscmp(text, L"abcdef"), 0);
    memset(text, 0xff, sizeof(text));
    (void)wcsncpy(text, L"ab", 4);
    assert_memory_equal(text, L"ab\0\0\xffff", 10);
    (void)wcsncpy(text, L"abcdef", 3);
    assert_memory_equal(text, L"abc\0", 8);
}

static void comparisons(void **state)
{
    assert_true(wcscmp(L"a", L"b") < 0);
    assert_true(wcscmp(L"\xffff", L"b") > 0);
    assert_true(wcsncmp(L"abc", L"abd", 2) == 0);
    assert_true(_wcsicmp(L"CURL.exe", L"curl.EXE") == 0);
    assert_true(_wcsicmp(L"a", L"_") > 0);  // compared in lower case
    assert_true(_wcsnicmp(L"ABx", L"aby", 2) == 0);
    assert_true(_stricmp("AbC", "aBc") == 0);
    assert_true(_strnicmp("AbX", "aBy", 2) == 0);
}

static void searches(void **state)
{
    const WCHAR *path = L"\\device\\volume\\curl.exe";
    assert_ptr_equal(wcschr(path, L'v'), path + 3);
    assert_ptr_equal(wcsrchr(path, L'\\'), path + 14);
    assert_ptr_equal(wcsstr(path, L"curl"), path + 15);
    assert_ptr_equal(wcsstr(path, L""), path);
    assert_null(wcsstr(path, L"wget"));
    assert_null(wcschr(path, L'!'));
    assert_ptr_equal(wcschr(path, 0), path + wcslen(path));
    assert_ptr_equal(wcspbrk(path, L".x"), path + 19);
    assert_null(wcspbrk(path, L"!"));
    assert_int_equal(wcsspn(L"aab", L"a"), 2);
    assert_int_equal(wcscspn(L"aab", L"b"), 2);
}

static void tokens(void **state)
{
    WCHAR text[] = L",a,,b";
    WCHAR *position, *token = wcstok_s(text, L",", &position);
    assert_int_equal(wcscmp(token, L"a"), 0);
    token = wcstok_s(NULL, L",", &position);
    assert_int_equal(wcscmp(token, L"b"), 0);
    assert_null(wcstok_s(NULL, L",", &position));
    assert_null(wcstok_s(NULL, L",", &position));
}

static void changes(void **state)
{
    WCHAR text[] = L"AbC\xc4";
    assert_int_equal(wcscmp(_wcslwr(text), L"abc\xc4"), 0);
    assert_int_equal(wcscmp(_wcsupr(text), L"ABC\xc4"), 0);
    text[3] = 0;
    assert_int_equal(wcscmp(_wcsrev(text), L"CBA"), 0);
    char narrow[] = "aBc";
    assert_string_equal(_strupr(narrow), "ABC");
    assert_string_equal(_strlwr(narrow), "abc");
    assert_string_equal(_strrev(narrow), "cba");
}

static void numbers(void **state)
{
    WCHAR *end;
    const WCHAR *text = L"  -42rest";
    assert_int_equal(wcstol(text, &end, 10), -42);
    assert_ptr_equal(end, text + 5);
    assert_int_equal(wcstoul(L"0xff", NULL, 16), 255);
    assert_int_equal(wcstoul(L"0x1F", NULL, 0), 31);
    assert_int_equal(wcstol(L"99999999999", NULL, 10), INT32_MAX);
    assert_int_equal(wcstoul(L"99999999999", NULL, 10), UINT32_MAX);
    assert_true(_wcstoui64(L"99999999999", NULL, 10) == 99999999999ull);
    text = L"x";
    assert_int_equal(wcstol(text, &end, 10), 0);
    assert_ptr_equal(end, text);
    assert_int_equal(_wtoi(L"17"), 17);
    char narrow[70];
    WCHAR wide[70];
    assert_string_equal(_itoa(-5, narrow, 10), "-5");
    assert_string_equal(_itoa(-1, narrow, 16), "ffffffff");
    assert_string_equal(_i64toa(INT64_MIN, narrow, 10), "-9223372036854775808");
    assert_string_equal(_ui64toa(UINT64_MAX, narrow, 2),
                        "1111111111111111111111111111111111111111111111111111111111111111");
    assert_int_equal(wcscmp(_itow(12, wide, 10), L"12"), 0);
}

static void conversions(void **state)
{
    WCHAR wide[8];
    char narrow[8];
    assert_int_equal(mbstowcs(wide, "h\xc3\xa9", 8), 2);
    assert_int_equal(wcscmp(wide, L"h\xe9"), 0);
    assert_int_equal(wcstombs(narrow, L"h\xe9", 8), 3);
    assert_string_equal(narrow, "h\xc3\xa9");
    assert_int_equal(wcstombs(NULL, L"h\xe9", 0), 3);
    assert_int_equal(mbstowcs(wide, "abcdefghij", 4), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),    cmocka_unit_test(copies),  cmocka_unit_test(comparisons),
        cmocka_unit_test(searches), cmocka_unit_test(tokens),  cmocka_unit_test(changes),
        cmocka_unit_test(numbers),  cmocka_unit_test(conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
