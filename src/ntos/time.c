#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ntos/dispatcher.h"
#include "ntos/verify.h"

#define UNITS_PER_SECOND 10000000ull
#define SECONDS_1601_TO_1970 11644473600ull
// The clock interrupt of Windows: 64 ticks a second.
#define TICK_UNITS 156250ull

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UNITS_PER_SECOND + (uint64_t)now.tv_nsec / 100;
}

uint64_t ntos_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t ntos_clock_due(LARGE_INTEGER timeout)
{
    uint64_t now = ntos_clock_now();
    uint64_t span;
    if (timeout.QuadPart < 0) {
        span = (uint64_t)0 - (uint64_t)timeout.QuadPart;
    } else {
        LARGE_INTEGER system_time;
        ntos_system_time(&system_time);
        span = timeout.QuadPart > system_time.QuadPart ? (uint64_t)(timeout.QuadPart - system_time.QuadPart) : 0;
    }
    return span > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + span;
}

struct timespec ntos_clock_timespec(uint64_t due)
{
    return (struct timespec){ .tv_sec = (time_t)(due / UNITS_PER_SECOND),
                              .tv_nsec = (long)(due % UNITS_PER_SECOND) * 100 };
}

void ntos_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

VOID ntos_system_time(PLARGE_INTEGER time)
{
    time->QuadPart = (LONGLONG)(read_clock(CLOCK_REALTIME) + SECONDS_1601_TO_1970 * UNITS_PER_SECOND);
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER frequency)
{
    if (frequency)
        frequency->QuadPart = UNITS_PER_SECOND;
    return (LARGE_INTEGER){ .QuadPart = (LONGLONG)ntos_clock_now() };
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    return read_clock(CLOCK_BOOTTIME);
}

ULONGLONG KeQueryInterruptTimePrecise(PULONG64 counter)
{
    *counter = ntos_clock_now();
    return read_clock(CLOCK_BOOTTIME);
}

ULONG KeQueryTimeIncrement(VOID)
{
    return TICK_UNITS;
}

VOID ntos_tick_count(PLARGE_INTEGER count)
{
    count->QuadPart = (LONGLONG)(ntos_clock_now() / TICK_UNITS);
}

VOID KeStallExecutionProcessor(ULONG microseconds)
{
    struct timespec span = { .tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

static LONGLONG local_offset(LONGLONG system_time)
{
    time_t seconds = (time_t)(system_time / (LONGLONG)UNITS_PER_SECOND - (LONGLONG)SECONDS_1601_TO_1970);
    struct tm local;
    if (!localtime_r(&seconds, &local))
        return 0;
    return (LONGLONG)local.tm_gmtoff * (LONGLONG)UNITS_PER_SECOND;
}

VOID ExSystemTimeToLocalTime(PLARGE_INTEGER system_time, PLARGE_INTEGER local_time)
{
    local_time->QuadPart = system_time->QuadPart + local_offset(system_time->QuadPart);
}

VOID ExLocalTimeToSystemTime(PLARGE_INTEGER local_time, PLARGE_INTEGER system_time)
{
    system_time->QuadPart = local_time->QuadPart - local_offset(local_time->QuadPart);
}

VOID RtlTimeToTimeFields(PLARGE_INTEGER time, PTIME_FIELDS fields)
{
    time_t seconds = (time_t)(time->QuadPart / (LONGLONG)UNITS_PER_SECOND - (LONGLONG)SECONDS_1601_TO_1970);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts)) {
        *fields = (TIME_FIELDS){0};
        return;
    }
    *fields = (TIME_FIELDS){
        .Year = (CSHORT)(parts.tm_year + 1900), .Month = (CSHORT)(parts.tm_mon + 1), .Day = (CSHORT)parts.tm_mday,
        .Hour = (CSHORT)parts.tm_hour, .Minute = (CSHORT)parts.tm_min, .Second = (CSHORT)parts.tm_sec,
        .Milliseconds = (CSHORT)(time->QuadPart % (LONGLONG)UNITS_PER_SECOND / 10000),
        .Weekday = (CSHORT)parts.tm_wday,
    };
}

BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS fields, PLARGE_INTEGER time)
{
    static const UCHAR days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (fields->Month < 1 || fields->Month > 12 || fields->Year < 1601)
        return FALSE;
    bool leap = (fields->Year % 4 == 0 && fields->Year % 100 != 0) || fields->Year % 400 == 0;
    CSHORT last = (CSHORT)(days[fields->Month - 1] + (fields->Month == 2 && leap));
    if (fields->Day < 1 || fields->Day > last || fields->Hour < 0 || fields->Hour > 23 || fields->Minute < 0 ||
        fields->Minute > 59 || fields->Second < 0 || fields->Second > 59 || fields->Milliseconds < 0 ||
        fields->Milliseconds > 999)
        return FALSE;
    struct tm parts = { .tm_year = fields->Year - 1900, .tm_mon = fields->Month - 1, .tm_mday = fields->Day,
                        .tm_hour = fields->Hour, .tm_min = fields->Minute, .tm_sec = fields->Second };
    time->QuadPart = ((LONGLONG)timegm(&parts) + (LONGLONG)SECONDS_1601_TO_1970) * (LONGLONG)UNITS_PER_SECOND +
                     fields->Milliseconds * 10000;
    return TRUE;
}
