// Time, timers, deferred procedure calls. DPCs run at DISPATCH_LEVEL on a thread of the library.
#pragma once

#include "sync.h"

struct _KDPC;
typedef VOID KDEFERRED_ROUTINE(struct _KDPC *dpc, PVOID context, PVOID argument1, PVOID argument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;
typedef enum _KDPC_IMPORTANCE { LowImportance, MediumImportance, HighImportance, MediumHighImportance } KDPC_IMPORTANCE;

typedef struct _KDPC {
    UCHAR Type;
    UCHAR Importance;
    volatile USHORT Number;
    LIST_ENTRY DpcListEntry;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;  // not NULL while queued
} KDPC, *PKDPC, *PRKDPC;

typedef struct _KTIMER {
    DISPATCHER_HEADER Header;
    ULONGLONG DueTime;
    LIST_ENTRY TimerListEntry;
    PKDPC Dpc;
    LONG Period;
    BOOLEAN Inserted;
    PVOID Setter;  // the call that set it
} KTIMER, *PKTIMER, *PRKTIMER;

NTOS_DECLARATIONS_BEGIN

VOID KeInitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context);
#define KeInitializeThreadedDpc KeInitializeDpc
BOOLEAN KeInsertQueueDpc(PRKDPC dpc, PVOID argument1, PVOID argument2);
BOOLEAN KeRemoveQueueDpc(PRKDPC dpc);
BOOLEAN KeRemoveQueueDpcEx(PRKDPC dpc, BOOLEAN wait);
VOID KeFlushQueuedDpcs(VOID);
VOID KeSetImportanceDpc(PRKDPC dpc, KDPC_IMPORTANCE importance);
VOID KeSetTargetProcessorDpc(PRKDPC dpc, CCHAR number);
NTSTATUS KeSetTargetProcessorDpcEx(PRKDPC dpc, PPROCESSOR_NUMBER number);

VOID KeInitializeTimer(PKTIMER timer);
VOID KeInitializeTimerEx(PKTIMER timer, TIMER_TYPE type);
// Return TRUE when the timer was already set.
BOOLEAN KeSetTimer(PKTIMER timer, LARGE_INTEGER due_time, PKDPC dpc);
BOOLEAN KeSetTimerEx(PKTIMER timer, LARGE_INTEGER due_time, LONG period_ms, PKDPC dpc);
BOOLEAN KeSetCoalescableTimer(PKTIMER timer, LARGE_INTEGER due_time, ULONG period_ms, ULONG tolerance_ms, PKDPC dpc);
BOOLEAN KeCancelTimer(PKTIMER timer);
BOOLEAN KeReadStateTimer(PKTIMER timer);

// --- Time: system time counts 100 ns units since 1601, UTC ---

VOID ntos_system_time(PLARGE_INTEGER time);
#define KeQuerySystemTime(time) ntos_system_time(time)
#define KeQuerySystemTimePrecise(time) ntos_system_time(time)
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER frequency);
ULONGLONG KeQueryInterruptTime(VOID);
ULONGLONG KeQueryInterruptTimePrecise(PULONG64 counter);
#define KeQueryUnbiasedInterruptTime() KeQueryInterruptTime()
ULONG KeQueryTimeIncrement(VOID);
VOID ntos_tick_count(PLARGE_INTEGER count);
#define KeQueryTickCount(count) ntos_tick_count(count)
VOID KeStallExecutionProcessor(ULONG microseconds);
VOID ExSystemTimeToLocalTime(PLARGE_INTEGER system_time, PLARGE_INTEGER local_time);
VOID ExLocalTimeToSystemTime(PLARGE_INTEGER local_time, PLARGE_INTEGER system_time);

typedef struct _TIME_FIELDS {
    CSHORT Year;
    CSHORT Month;
    CSHORT Day;
    CSHORT Hour;
    CSHORT Minute;
    CSHORT Second;
    CSHORT Milliseconds;
    CSHORT Weekday;
} TIME_FIELDS, *PTIME_FIELDS;

VOID RtlTimeToTimeFields(PLARGE_INTEGER time, PTIME_FIELDS fields);
BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS fields, PLARGE_INTEGER time);

NTOS_DECLARATIONS_END
