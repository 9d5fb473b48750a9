// Framework locks, timers, DPCs and work items. AutomaticSerialization is not offered: callbacks lock for themselves.
#pragma once

#include "object.h"

typedef VOID EVT_WDF_TIMER(WDFTIMER timer);
typedef EVT_WDF_TIMER *PFN_WDF_TIMER;
typedef VOID EVT_WDF_DPC(WDFDPC dpc);
typedef EVT_WDF_DPC *PFN_WDF_DPC;
typedef VOID EVT_WDF_WORKITEM(WDFWORKITEM item);
typedef EVT_WDF_WORKITEM *PFN_WDF_WORKITEM;

typedef struct _WDF_TIMER_CONFIG {
    ULONG Size;
    PFN_WDF_TIMER EvtTimerFunc;
    ULONG Period;  // ms
    BOOLEAN AutomaticSerialization;
    ULONG TolerableDelay;
    WDF_TRI_STATE UseHighResolutionTimer;
} WDF_TIMER_CONFIG, *PWDF_TIMER_CONFIG;

typedef struct _WDF_DPC_CONFIG {
    ULONG Size;
    PFN_WDF_DPC EvtDpcFunc;
    BOOLEAN AutomaticSerialization;
} WDF_DPC_CONFIG, *PWDF_DPC_CONFIG;

typedef struct _WDF_WORKITEM_CONFIG {
    ULONG Size;
    PFN_WDF_WORKITEM EvtWorkItemFunc;
    BOOLEAN AutomaticSerialization;
} WDF_WORKITEM_CONFIG, *PWDF_WORKITEM_CONFIG;

FORCEINLINE VOID WDF_TIMER_CONFIG_INIT_PERIODIC(PWDF_TIMER_CONFIG config, PFN_WDF_TIMER function, LONG period_ms)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->EvtTimerFunc = function;
    config->Period = (ULONG)period_ms;
    config->AutomaticSerialization = TRUE;
}

FORCEINLINE VOID WDF_TIMER_CONFIG_INIT(PWDF_TIMER_CONFIG config, PFN_WDF_TIMER function)
{
    WDF_TIMER_CONFIG_INIT_PERIODIC(config, function, 0);
}

FORCEINLINE VOID WDF_DPC_CONFIG_INIT(PWDF_DPC_CONFIG config, PFN_WDF_DPC function)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->EvtDpcFunc = function;
    config->AutomaticSerialization = TRUE;
}

FORCEINLINE VOID WDF_WORKITEM_CONFIG_INIT(PWDF_WORKITEM_CONFIG config, PFN_WDF_WORKITEM function)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->EvtWorkItemFunc = function;
    config->AutomaticSerialization = TRUE;
}

#define WDF_TIMEOUT_TO_US 10LL
#define WDF_TIMEOUT_TO_MS 10000LL
#define WDF_TIMEOUT_TO_SEC 10000000LL
#define WDF_REL_TIMEOUT_IN_US(time) ((LONGLONG)(time) * -WDF_TIMEOUT_TO_US)
#define WDF_REL_TIMEOUT_IN_MS(time) ((LONGLONG)(time) * -WDF_TIMEOUT_TO_MS)
#define WDF_REL_TIMEOUT_IN_SEC(time) ((LONGLONG)(time) * -WDF_TIMEOUT_TO_SEC)

NTOS_DECLARATIONS_BEGIN

NTSTATUS WdfSpinLockCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFSPINLOCK *lock);
VOID WdfSpinLockAcquire(WDFSPINLOCK lock);
VOID WdfSpinLockRelease(WDFSPINLOCK lock);
NTSTATUS WdfWaitLockCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFWAITLOCK *lock);
// `timeout` as for KeWaitForSingleObject, NULL: for ever. STATUS_TIMEOUT is a success code.
NTSTATUS WdfWaitLockAcquire(WDFWAITLOCK lock, PLONGLONG timeout);
VOID WdfWaitLockRelease(WDFWAITLOCK lock);

// The attributes of these three must name a parent.
NTSTATUS WdfTimerCreate(PWDF_TIMER_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFTIMER *timer);
// Returns TRUE when the timer was already set.
BOOLEAN WdfTimerStart(WDFTIMER timer, LONGLONG due_time);
BOOLEAN WdfTimerStop(WDFTIMER timer, BOOLEAN wait);
WDFOBJECT WdfTimerGetParentObject(WDFTIMER timer);
NTSTATUS WdfDpcCreate(PWDF_DPC_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFDPC *dpc);
BOOLEAN WdfDpcEnqueue(WDFDPC dpc);
BOOLEAN WdfDpcCancel(WDFDPC dpc, BOOLEAN wait);
WDFOBJECT WdfDpcGetParentObject(WDFDPC dpc);
NTSTATUS WdfWorkItemCreate(PWDF_WORKITEM_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFWORKITEM *item);
VOID WdfWorkItemEnqueue(WDFWORKITEM item);
// Waits until the item is neither queued nor running.
VOID WdfWorkItemFlush(WDFWORKITEM item);
WDFOBJECT WdfWorkItemGetParentObject(WDFWORKITEM item);

NTOS_DECLARATIONS_END
