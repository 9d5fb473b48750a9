// Memory, bit maps, versions, random numbers, interlocked operations.
#include "capture.h"

static void memory(void **state)
{
    char a[16] = "abcdef", b[16] = "abcxef";
    assert_int_equal(RtlCompareMemory(a, b, 6), 3);
    assert_int_equal(RtlCompareMemory(a, a, 6), 6);
    assert_true(RtlEqualMemory(a, b, 3));
    RtlFillMemoryUlong(a, 10, 0x64636261);
    assert_memory_equal(a, "abcdabcd\0", 9);
    RtlSecureZeroMemory(a, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(a[i], 0);
    RtlFillMemory(a, 3, 'x');
    assert_memory_equal(a, "xxx\0", 4);
}

static void bit_maps(void **state)
{
    ULONG bits[3];
    RTL_BITMAP map;
    RtlInitializeBitMap(&map, bits, 70);
    RtlClearAllBits(&map);
    assert_int_equal(RtlNumberOfSetBits(&map), 0);
    RtlSetBits(&map, 30, 5);
    assert_true(RtlAreBitsSet(&map, 30, 5));
    assert_false(RtlAreBitsSet(&map, 29, 5));
    assert_true(RtlTestBit(&map, 34));
    assert_false(RtlTestBit(&map, 35));
    assert_int_equal(RtlFindClearBits(&map, 32, 0), 35);
    assert_int_equal(RtlFindClearBits(&map, 36, 0), 0xffffffff);
    assert_int_equal(RtlFindSetBits(&map, 5, 0), 30);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 2, 69), 0);  // no two from 69 on: around to the start
    assert_int_equal(RtlNumberOfSetBits(&map), 7);
    RtlClearBit(&map, 30);
    assert_int_equal(RtlNumberOfClearBits(&map), 64);
    assert_no_reports();
    RtlSetBit(&map, 70);
    assert_violation("RtlSetBit");
    assert_false(RtlTestBit(&map, 70));
    RtlSetAllBits(&map);
    assert_int_equal(RtlNumberOfSetBits(&map), 70);
}

static void versions(void **state)
{
    RTL_OSVERSIONINFOEXW version = { .dwOSVersionInfoSize = sizeof(version) };
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&version), STATUS_SUCCESS);
    assert_int_equal(version.dwMajorVersion, 10);
    assert_true(version.dwBuildNumber >= 19041);
    version.dwOSVersionInfoSize = 1;
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&version), STATUS_INVALID_PARAMETER);
    assert_true(RtlIsNtDdiVersionAvailable(NTDDI_WIN8));
}

static void random_numbers(void **state)
{
    ULONG seed = 1, first = RtlRandomEx(&seed), same = 0;
    for (int i = 0; i < 8; i++)
        same += RtlRandomEx(&seed) == first;
    assert_true(same < 8);
}

static void interlocked(void **state)
{
    LONG value = 5;
    assert_int_equal(InterlockedIncrement(&value), 6);
    assert_int_equal(InterlockedDecrement(&value), 5);
    assert_int_equal(InterlockedExchange(&value, 7), 5);
    assert_int_equal(InterlockedExchangeAdd(&value, 3), 7);
    assert_int_equal(InterlockedAdd(&value, 1), 11);
    assert_int_equal(InterlockedCompareExchange(&value, 1, 99), 11);
    assert_int_equal(InterlockedCompareExchange(&value, 1, 11), 11);
    assert_int_equal(InterlockedOr(&value, 6), 1);
    assert_int_equal(InterlockedAnd(&value, 3), 7);
    assert_int_equal(value, 3);
    PVOID pointer = &value;
    assert_ptr_equal(InterlockedExchangePointer(&pointer, NULL), &value);
    assert_null(InterlockedCompareExchangePointer(&pointer, &value, NULL));
    assert_ptr_equal(pointer, &value);
    LONG bits[2] = {0};
    assert_false(InterlockedBitTestAndSet(bits, 35));
    assert_int_equal(bits[1], 8);
    assert_true(InterlockedBitTestAndReset(bits, 35));
    ULONG index;
    assert_true(_BitScanForward(&index, 0x50));
    assert_int_equal(index, 4);
    assert_true(_BitScanReverse(&index, 0x50));
    assert_int_equal(index, 6);
    assert_int_equal(RtlUlongByteSwap(0x01020304), 0x04030201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory, capture_start),         cmocka_unit_test_setup(bit_maps, capture_start),
        cmocka_unit_test_setup(versions, capture_start),       cmocka_unit_test_setup(random_numbers, capture_start),
        cmocka_unit_test_setup(interlocked, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
