// Counted strings: initialising, comparing, converting.
#include "capture.h"

static UNICODE_STRING text(const WCHAR *units)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, units);
    return string;
}

static void init(void **state)
{
    UNICODE_STRING string = text(L"abc");
    assert_int_equal(string.Length, 6);
    assert_int_equal(string.MaximumLength, 8);
    string = text(NULL);
    assert_int_equal(string.Length, 0);
    assert_int_equal(string.MaximumLength, 0);
    UNICODE_STRING constant = RTL_CONSTANT_STRING(L"abc");
    assert_int_equal(constant.Length, 6);
    assert_int_equal(constant.MaximumLength, 8);
    DECLARE_CONST_UNICODE_STRING(declared, L"abc");
    assert_true(RtlEqualUnicodeString(&constant, &declared, FALSE));
    WCHAR *huge = malloc(40000 * sizeof(WCHAR));
    for (int i = 0; i < 39999; i++)
        huge[i] = 'x';
    huge[39999] = 0;
    RtlInitUnicodeString(&string, huge);
    assert_int_equal(string.Length, 65532);
    assert_int_not_equal(RtlInitUnicodeStringEx(&string, huge), STATUS_SUCCESS);
    free(huge);
}

static void copy_and_append(void **state)
{
    WCHAR buffer[4] = { 'z', 'z', 'z', 'z' };
    UNICODE_STRING string, source = text(L"abcdef");
    RtlInitEmptyUnicodeString(&string, buffer, sizeof(buffer));
    RtlCopyUnicodeString(&string, &source);
    assert_int_equal(string.Length, 8);  // cut, and full
    assert_memory_equal(buffer, L"abcd", 8);
    source = text(L"x");
    RtlCopyUnicodeString(&string, &source);
    assert_memory_equal(buffer, L"x\0cd", 8);  // terminated when there is room
    assert_int_equal(RtlAppendUnicodeToString(&string, L"yz"), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeStringToString(&string, &source), STATUS_SUCCESS);
    assert_memory_equal(buffer, L"xyzx", 8);
    assert_int_equal(RtlAppendUnicodeToString(&string, L"!"), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(string.Length, 8);
    RtlCopyUnicodeString(&string, NULL);
    assert_int_equal(string.Length, 0);
}

static void compare(void **state)
{
    UNICODE_STRING a = text(L"C:\\Windows"), b = text(L"c:\\WINDOWS\\curl.exe"), prefix = text(L"c:\\windows");
    UNICODE_STRING suffix = text(L"CURL.EXE");
    assert_false(RtlEqualUnicodeString(&a, &prefix, FALSE));
    assert_true(RtlEqualUnicodeString(&a, &prefix, TRUE));
    assert_true(RtlPrefixUnicodeString(&a, &b, TRUE));
    assert_false(RtlPrefixUnicodeString(&a, &b, FALSE));
    assert_false(RtlPrefixUnicodeString(&b, &a, TRUE));
    assert_true(RtlSuffixUnicodeString(&suffix, &b, TRUE));
    assert_true(RtlCompareUnicodeString(&a, &b, TRUE) < 0);
    assert_true(RtlCompareUnicodeString(&b, &a, TRUE) > 0);
    a = text(L"\xe4\x3c3\x44f\x1e5\xff");
    b = text(L"\xc4\x3a3\x42f\x1e4\x178");
    a.Length = b.Length = 6;
    assert_true(RtlEqualUnicodeString(&a, &b, TRUE));
    STRING x, y;
    RtlInitAnsiString(&x, "abc");
    RtlInitAnsiString(&y, "ABCD");
    assert_true(RtlPrefixString(&x, &y, TRUE));
    assert_true(RtlCompareString(&x, &y, FALSE) > 0);
    assert_false(RtlEqualString(&x, &y, TRUE));
}

static void case_is_reversible(void **state)
{
    static const WCHAR lower[] = { 'a', 'z', 0xe0, 0xfe, 0xff, 0x101, 0x13a, 0x17e, 0x3b1, 0x3ac, 0x3cc, 0x430, 0x450,
                                   0x481, 0x561, 0x1e01, 0xff41 };
    for (size_t i = 0; i < sizeof(lower) / sizeof(lower[0]); i++) {
        WCHAR upper = RtlUpcaseUnicodeChar(lower[i]);
        assert_int_not_equal(upper, lower[i]);
        assert_int_equal(RtlUpcaseUnicodeChar(upper), upper);
        assert_int_equal(RtlDowncaseUnicodeChar(upper), lower[i]);
    }
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        WCHAR upper = RtlUpcaseUnicodeChar((WCHAR)unit);
        assert_int_equal(RtlUpcaseUnicodeChar(upper), upper);
        WCHAR down = RtlDowncaseUnicodeChar((WCHAR)unit);
        if (down != unit)
            assert_int_equal(RtlUpcaseUnicodeChar(down), unit);
    }
    assert_int_equal(RtlUpcaseUnicodeChar(0xf7), 0xf7);
    assert_int_equal(RtlUpcaseUnicodeChar(0xdf), 0xdf);
}

static void from_the_pool(void **state)
{
    UNICODE_STRING source = text(L"Abc"), made = {0};
    assert_int_equal(RtlUpcaseUnicodeString(&made, &source, TRUE), STATUS_SUCCESS);
    assert_int_equal(wcscmp(made.Buffer, L"ABC"), 0);
    RtlFreeUnicodeString(&made);
    assert_null(made.Buffer);
    assert_int_equal(RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, &source, &made),
                     STATUS_SUCCESS);
    assert_int_equal(wcscmp(made.Buffer, L"Abc"), 0);
    RtlFreeUnicodeString(&made);
    WCHAR small[2];
    RtlInitEmptyUnicodeString(&made, small, sizeof(small));
    assert_int_equal(RtlDowncaseUnicodeString(&made, &source, FALSE), STATUS_BUFFER_OVERFLOW);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    assert_int_equal(counters.pool_blocks, 0);
}

static void conversions(void **state)
{
    ANSI_STRING ansi;
    UNICODE_STRING unicode;
    RtlInitAnsiString(&ansi, "h\xc3\xa9\xf0\x9f\x98\x80");
    assert_int_equal(RtlAnsiStringToUnicodeString(&unicode, &ansi, TRUE), STATUS_SUCCESS);
    assert_int_equal(wcscmp(unicode.Buffer, L"h\xe9\xd83d\xde00"), 0);
    assert_int_equal(RtlAnsiStringToUnicodeSize(&ansi), 10);
    assert_int_equal(RtlUnicodeStringToAnsiSize(&unicode), 8);
    ANSI_STRING back;
    assert_int_equal(RtlUnicodeStringToAnsiString(&back, &unicode, TRUE), STATUS_SUCCESS);
    assert_string_equal(back.Buffer, ansi.Buffer);
    RtlFreeAnsiString(&back);
    RtlFreeUnicodeString(&unicode);
    char narrow[3];
    ULONG size;
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 3, &size, L"h\xe9", 4), STATUS_SUCCESS);
    assert_int_equal(size, 3);
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 2, &size, L"h\xe9", 4), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlUnicodeToUTF8N(NULL, 0, &size, L"h\xe9", 4), STATUS_SUCCESS);
    assert_int_equal(size, 3);
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    assert_int_equal(RtlAnsiStringToUnicodeString(&unicode, &ansi, TRUE), STATUS_UNSUCCESSFUL);
    KeLowerIrql(irql);
    assert_violation("RtlAnsiStringToUnicodeString");
}

static void numbers(void **state)
{
    ULONG value;
    UNICODE_STRING string = text(L" -12x");
    assert_int_equal(RtlUnicodeStringToInteger(&string, 10, &value), STATUS_SUCCESS);
    assert_int_equal((int)value, -12);
    string = text(L"0xFf");
    assert_int_equal(RtlUnicodeStringToInteger(&string, 0, &value), STATUS_SUCCESS);
    assert_int_equal(value, 255);
    assert_int_equal(RtlUnicodeStringToInteger(&string, 7, &value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCharToInteger("0b101", 0, &value), STATUS_SUCCESS);
    assert_int_equal(value, 5);
    WCHAR buffer[9];
    RtlInitEmptyUnicodeString(&string, buffer, sizeof(buffer));
    assert_int_equal(RtlIntegerToUnicodeString(0xdeadbeef, 16, &string), STATUS_SUCCESS);
    assert_int_equal(wcscmp(buffer, L"DEADBEEF"), 0);
    assert_int_equal(RtlInt64ToUnicodeString(10000000000ull, 10, &string), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlIntegerToUnicodeString(0, 10, &string), STATUS_SUCCESS);
    assert_int_equal(string.Length, 2);
}

static void guids(void **state)
{
    static const GUID guid = { 0x01234567, 0x89ab, 0xcdef, { 1, 2, 3, 4, 5, 6, 7, 8 } };
    UNICODE_STRING string;
    GUID back;
    assert_int_equal(RtlStringFromGUID(&guid, &string), STATUS_SUCCESS);
    assert_int_equal(wcscmp(string.Buffer, L"{01234567-89AB-CDEF-0102-030405060708}"), 0);
    assert_int_equal(RtlGUIDFromString(&string, &back), STATUS_SUCCESS);
    assert_memory_equal(&guid, &back, sizeof(guid));
    string.Buffer[1] = 'g';
    assert_int_equal(RtlGUIDFromString(&string, &back), STATUS_INVALID_PARAMETER);
    RtlFreeUnicodeString(&string);
    UNICODE_STRING bare = text(L"01234567-89AB-CDEF-0102-030405060708");
    assert_int_equal(RtlGUIDFromString(&bare, &back), STATUS_INVALID_PARAMETER);
    GUID a, b;
    assert_int_equal(ExUuidCreate(&a), STATUS_SUCCESS);
    assert_int_equal(ExUuidCreate(&b), STATUS_SUCCESS);
    assert_memory_not_equal(&a, &b, sizeof(a));
}

static void hashes(void **state)
{
    UNICODE_STRING a = text(L"abc"), b = text(L"ABC");
    ULONG x, y;
    assert_int_equal(RtlHashUnicodeString(&a, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &x), STATUS_SUCCESS);
    assert_int_equal(RtlHashUnicodeString(&b, TRUE, HASH_STRING_ALGORITHM_X65599, &y), STATUS_SUCCESS);
    assert_int_equal(x, y);
    assert_int_equal(RtlHashUnicodeString(&b, FALSE, HASH_STRING_ALGORITHM_DEFAULT, &y), STATUS_SUCCESS);
    assert_int_equal(RtlHashUnicodeString(&a, FALSE, HASH_STRING_ALGORITHM_DEFAULT, &x), STATUS_SUCCESS);
    assert_int_not_equal(x, y);
    assert_int_equal(RtlHashUnicodeString(&a, TRUE, 7, &x), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(init, capture_start),
        cmocka_unit_test_setup(copy_and_append, capture_start),
        cmocka_unit_test_setup(compare, capture_start),
        cmocka_unit_test_setup(case_is_reversible, capture_start),
        cmocka_unit_test_setup(from_the_pool, capture_start),
        cmocka_unit_test_setup(conversions, capture_start),
        cmocka_unit_test_setup(numbers, capture_start),
        cmocka_unit_test_setup(guids, capture_start),
        cmocka_unit_test_setup(hashes, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
