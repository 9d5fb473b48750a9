// ntstrsafe.h: cut and terminated, with STATUS_BUFFER_OVERFLOW.
#include "capture.h"

#include <ntstrsafe.h>

static void copies(void **state)
{
    WCHAR text[4];
    assert_int_equal(RtlStringCbCopyW(text, sizeof(text), L"abc"), STATUS_SUCCESS);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    assert_int_equal(RtlStringCbCopyW(text, sizeof(text), L"abcdef"), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    assert_int_equal(RtlStringCchCopyW(text, 0, L"a"), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlStringCchCopyNW(text, 4, L"abcdef", 2), STATUS_SUCCESS);
    assert_int_equal(wcscmp(text, L"ab"), 0);
    assert_int_equal(RtlStringCchCatW(text, 4, L"cd"), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(wcscmp(text, L"abc"), 0);
    char narrow[4];
    assert_int_equal(RtlStringCbCopyA(narrow, sizeof(narrow), "abcd"), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abc");
    memset(narrow, 'x', 4);
    assert_int_equal(RtlStringCbCatA(narrow, sizeof(narrow), "a"), STATUS_INVALID_PARAMETER);
}

static void formats(void **state)
{
    WCHAR text[8], *end;
    size_t left;
    assert_int_equal(RtlStringCbPrintfW(text, sizeof(text), L"%d-%s", 5, L"ab"), STATUS_SUCCESS);
    assert_int_equal(wcscmp(text, L"5-ab"), 0);
    assert_int_equal(RtlStringCchPrintfW(text, 8, L"%s", L"0123456789"), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(wcscmp(text, L"0123456"), 0);
    assert_int_equal(RtlStringCchPrintfExW(text, 8, &end, &left, 0, L"%u", 123), STATUS_SUCCESS);
    assert_ptr_equal(end, text + 3);
    assert_int_equal(left, 5);
    assert_int_equal(RtlStringCbPrintfExW(text, sizeof(text), NULL, &left, 0, L"%u", 123), STATUS_SUCCESS);
    assert_int_equal(left, 10);
    char narrow[8];
    assert_int_equal(RtlStringCbPrintfA(narrow, sizeof(narrow), "%S/%x", L"a", 255), STATUS_SUCCESS);
    assert_string_equal(narrow, "a/ff");
    assert_int_equal(RtlStringCchPrintfA(NULL, 8, "a"), STATUS_INVALID_PARAMETER);
}

static void lengths(void **state)
{
    size_t length = 9;
    assert_int_equal(RtlStringCchLengthW(L"abc", 4, &length), STATUS_SUCCESS);
    assert_int_equal(length, 3);
    assert_int_equal(RtlStringCbLengthW(L"abc", 8, &length), STATUS_SUCCESS);
    assert_int_equal(length, 6);
    assert_int_equal(RtlStringCchLengthW(L"abc", 3, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 0);
    assert_int_equal(RtlStringCbLengthA("abc", 4, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlStringCchLengthW(NULL, 3, &length), STATUS_INVALID_PARAMETER);
}

static void counted(void **state)
{
    WCHAR buffer[4];
    UNICODE_STRING string, other;
    RtlInitEmptyUnicodeString(&string, buffer, sizeof(buffer));
    assert_int_equal(RtlUnicodeStringCopyString(&string, L"ab"), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringCatString(&string, L"cd"), STATUS_SUCCESS);
    assert_int_equal(string.Length, 8);
    assert_int_equal(RtlUnicodeStringCatString(&string, L"e"), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlUnicodeStringPrintf(&string, L"%03d", 7), STATUS_SUCCESS);
    assert_memory_equal(buffer, L"007", 6);
    assert_int_equal(string.Length, 6);
    assert_int_equal(RtlUnicodeStringInit(&other, L"xyzzy"), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringCopy(&string, &other), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(buffer, L"xyzz", 8);
    string.Length = 99;
    assert_int_equal(RtlUnicodeStringValidate(&string), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringCat(&string, &other), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(copies), cmocka_unit_test(formats), cmocka_unit_test(lengths),
                                        cmocka_unit_test(counted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
