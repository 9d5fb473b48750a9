// Clocks and calendar.
#include "capture.h"

#include <time.h>

static void clocks(void **state)
{
    LARGE_INTEGER now, later, frequency;
    KeQuerySystemTime(&now);
    LONGLONG unix_seconds = now.QuadPart / 10000000 - 11644473600LL;
    assert_true(llabs(unix_seconds - (LONGLONG)time(NULL)) <= 1);
    LARGE_INTEGER start = KeQueryPerformanceCounter(&frequency);
    assert_int_equal(frequency.QuadPart, 10000000);
    KeStallExecutionProcessor(2000);
    later = KeQueryPerformanceCounter(NULL);
    assert_true(later.QuadPart - start.QuadPart >= 20000);
    assert_int_equal(KeQueryTimeIncrement(), 156250);
    LARGE_INTEGER ticks;
    KeQueryTickCount(&ticks);
    assert_true(ticks.QuadPart > 0);
    ULONGLONG interrupt = KeQueryInterruptTime();
    assert_true(KeQueryInterruptTime() >= interrupt);
}

static void fields(void **state)
{
    // 2001-02-03 04:05:06.789 UTC, a Saturday.
    LARGE_INTEGER time = { .QuadPart = (981173106LL + 11644473600LL) * 10000000 + 7890000 }, back;
    TIME_FIELDS parts;
    RtlTimeToTimeFields(&time, &parts);
    assert_int_equal(parts.Year, 2001);
    assert_int_equal(parts.Month, 2);
    assert_int_equal(parts.Day, 3);
    assert_int_equal(parts.Hour, 4);
    assert_int_equal(parts.Minute, 5);
    assert_int_equal(parts.Second, 6);
    assert_int_equal(parts.Milliseconds, 789);
    assert_int_equal(parts.Weekday, 6);
    assert_true(RtlTimeFieldsToTime(&parts, &back));
    assert_int_equal(back.QuadPart, time.QuadPart);
    parts.Day = 29;
    assert_false(RtlTimeFieldsToTime(&parts, &back));
    parts.Year = 2000;
    assert_true(RtlTimeFieldsToTime(&parts, &back));
    parts.Month = 13;
    assert_false(RtlTimeFieldsToTime(&parts, &back));
    // Before 1970, too.
    time.QuadPart = 10000000LL;
    RtlTimeToTimeFields(&time, &parts);
    assert_int_equal(parts.Year, 1601);
    assert_int_equal(parts.Second, 1);
}

static void local_time(void **state)
{
    (void)setenv("TZ", "XYZ-2", 1);
    tzset();
    LARGE_INTEGER time = { .QuadPart = (981173106LL + 11644473600LL) * 10000000 }, local, back;
    ExSystemTimeToLocalTime(&time, &local);
    assert_int_equal(local.QuadPart - time.QuadPart, 2 * 3600 * 10000000LL);
    ExLocalTimeToSystemTime(&local, &back);
    assert_int_equal(back.QuadPart, time.QuadPart);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(clocks), cmocka_unit_test(fields),
                                        cmocka_unit_test(local_time) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
