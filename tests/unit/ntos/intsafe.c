// ntintsafe.h: overflow is told, and the result is all ones.
#include "capture.h"

#include <ntintsafe.h>

static void arithmetic(void **state)
{
    ULONG sum;
    USHORT small;
    SIZE_T size;
    LONG difference;
    assert_int_equal(RtlULongAdd(1, 2, &sum), STATUS_SUCCESS);
    assert_int_equal(sum, 3);
    assert_int_equal(RtlULongAdd(0xffffffff, 1, &sum), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(sum, 0xffffffff);
    assert_int_equal(RtlULongSub(1, 2, &sum), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlUShortMult(256, 256, &small), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(small, 0xffff);
    assert_int_equal(RtlUShortAdd(0xfffe, 1, &small), STATUS_SUCCESS);
    assert_int_equal(RtlSizeTMult(SIZE_MAX / 2, 3, &size), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlLongSub(INT32_MIN, 1, &difference), STATUS_INTEGER_OVERFLOW);
}

static void conversions(void **state)
{
    ULONG value;
    USHORT small;
    LONG with_sign;
    assert_int_equal(RtlSizeTToULong(0xffffffff, &value), STATUS_SUCCESS);
    assert_int_equal(RtlSizeTToULong(0x100000000, &value), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(RtlULongToUShort(70000, &small), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlLongToULong(-1, &value), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongToLong(0x80000000, &with_sign), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongLongToULong(7, &value), STATUS_SUCCESS);
    assert_int_equal(value, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(arithmetic), cmocka_unit_test(conversions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
