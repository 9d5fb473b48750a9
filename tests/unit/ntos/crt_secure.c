// The _s functions: what does not fit is an error, and never half a text.
#include "capture.h"

#include <errno.h>

static void wide(void **state)
{
    WCHAR text[4];
    assert_int_equal(wcscpy_s(text, 4, L"abc"), 0);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    assert_int_equal(wcscpy_s(text, 4, L"abcd"), ERANGE);
    assert_int_equal(text[0], 0);
    assert_int_equal(wcscpy_s(text, 0, L"a"), EINVAL);
    assert_int_equal(wcscpy_s(NULL, 4, L"a"), EINVAL);
    assert_int_equal(wcscpy_s(text, 4, NULL), EINVAL);
    assert_int_equal(wcscpy_s(text, 4, L"a"), 0);
    assert_int_equal(wcscat_s(text, 4, L"bc"), 0);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    assert_int_equal(wcscat_s(text, 4, L"d"), ERANGE);
    assert_int_equal(text[0], 0);
    assert_int_equal(wcsncpy_s(text, 4, L"abcdef", 2), 0);
    assert_int_equal(wcscmp(text, L"ab"), 0);
    assert_int_equal(wcsncpy_s(text, 4, L"abcdef", _TRUNCATE), 80);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    WCHAR full[2] = { 'x', 'y' };  // not terminated
    assert_int_equal(wcscat_s(full, 2, L"z"), EINVAL);
}

static void narrow(void **state)
{
    char text[4];
    assert_int_equal(strcpy_s(text, sizeof(text), "abc"), 0);
    assert_string_equal(text, "abc");
    assert_int_equal(strcpy_s(text, sizeof(text), "abcd"), ERANGE);
    assert_string_equal(text, "");
    assert_int_equal(strncpy_s(text, sizeof(text), "abcdef", _TRUNCATE), 80);
    assert_string_equal(text, "abc");
    assert_int_equal(strcpy_s(text, sizeof(text), "a"), 0);
    assert_int_equal(strncat_s(text, sizeof(text), "bcd", 2), 0);
    assert_string_equal(text, "abc");
    assert_int_equal(strnlen_s(NULL, 5), 0);
    assert_int_equal(strnlen_s("abc", 2), 2);
}

static void memory(void **state)
{
    char to[4] = "xyz";
    assert_int_equal(memcpy_s(to, 4, "ab", 2), 0);
    assert_string_equal(to, "abz");
    assert_int_equal(memcpy_s(to, 4, "abcdef", 6), ERANGE);
    assert_memory_equal(to, "\0\0\0\0", 4);
    assert_int_equal(memcpy_s(to, 4, NULL, 1), EINVAL);
    assert_int_equal(memcpy_s(NULL, 4, "a", 1), EINVAL);
    assert_int_equal(memmove_s(to, 4, "ab", 2), 0);
    assert_int_equal(memmove_s(to, 4, "abcdef", 6), ERANGE);
    assert_string_equal(to, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(wide), cmocka_unit_test(narrow), cmocka_unit_test(memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
