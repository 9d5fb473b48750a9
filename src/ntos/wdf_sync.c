// Framework locks, timers, DPCs and work items.
#include "ntos/framework.h"

struct spin_lock {
    struct ntos_wdf_object object;
    KSPIN_LOCK lock;
    KIRQL irql;
};

struct wait_lock {
    struct ntos_wdf_object object;
    KEVENT free;  // synchronization event, signalled while free
    PKTHREAD owner;
};

struct timer {
    struct ntos_wdf_object object;
    KTIMER timer;
    KDPC dpc;
    PFN_WDF_TIMER function;
    ULONG period_ms;
};

struct dpc {
    struct ntos_wdf_object object;
    KDPC dpc;
    PFN_WDF_DPC function;
};

struct work_item {
    struct ntos_wdf_object object;
    WORK_QUEUE_ITEM work;
    PFN_WDF_WORKITEM function;
    KSPIN_LOCK lock;  // of what follows
    bool queued;
    ULONG busy;       // queued and running
    PKTHREAD runner;  // who runs it
    KEVENT idle;      // notification event, signalled while not busy
};

NTSTATUS WdfSpinLockCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFSPINLOCK *ret_lock)
{
    struct spin_lock *lock = ntos_wdf_new(NTOS_WDF_SPIN_LOCK, sizeof(*lock), attributes, NULL);
    if (!lock)
        return STATUS_INSUFFICIENT_RESOURCES;
    *ret_lock = (WDFSPINLOCK)lock;
    return STATUS_SUCCESS;
}

VOID WdfSpinLockAcquire(WDFSPINLOCK handle)
{
    struct spin_lock *lock = ntos_wdf_of("WdfSpinLockAcquire", handle, NTOS_WDF_SPIN_LOCK);
    KIRQL irql;
    KeAcquireSpinLock(&lock->lock, &irql);
    lock->irql = irql;
}

VOID WdfSpinLockRelease(WDFSPINLOCK handle)
{
    struct spin_lock *lock = ntos_wdf_of("WdfSpinLockRelease", handle, NTOS_WDF_SPIN_LOCK);
    KeReleaseSpinLock(&lock->lock, lock->irql);
}

NTSTATUS WdfWaitLockCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFWAITLOCK *ret_lock)
{
    struct wait_lock *lock = ntos_wdf_new(NTOS_WDF_WAIT_LOCK, sizeof(*lock), attributes, NULL);
    if (!lock)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeEvent(&lock->free, SynchronizationEvent, TRUE);
    *ret_lock = (WDFWAITLOCK)lock;
    return STATUS_SUCCESS;
}

NTSTATUS WdfWaitLockAcquire(WDFWAITLOCK handle, PLONGLONG timeout)
{
    struct wait_lock *lock = ntos_wdf_of("WdfWaitLockAcquire", handle, NTOS_WDF_WAIT_LOCK);
    LARGE_INTEGER due = { .QuadPart = timeout ? *timeout : 0 };
    if (lock->owner == KeGetCurrentThread())
        ntos_bugcheck("WdfWaitLockAcquire", DRIVER_VERIFIER_DETECTED_VIOLATION, "this thread already holds the lock");
    NTSTATUS status = KeWaitForSingleObject(&lock->free, Executive, KernelMode, FALSE, timeout ? &due : NULL);
    if (status == STATUS_SUCCESS)
        lock->owner = KeGetCurrentThread();
    return status;
}

VOID WdfWaitLockRelease(WDFWAITLOCK handle)
{
    struct wait_lock *lock = ntos_wdf_of("WdfWaitLockRelease", handle, NTOS_WDF_WAIT_LOCK);
    if (lock->owner != KeGetCurrentThread()) {
        ntos_violation("WdfWaitLockRelease", "this thread does not hold the lock");
        return;
    }
    lock->owner = NULL;
    (void)KeSetEvent(&lock->free, IO_NO_INCREMENT, FALSE);
}

// --- Timers ---

static VOID run_timer(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    struct timer *timer = context;
    timer->function((WDFTIMER)timer);
}

static void stop_timer(struct ntos_wdf_object *object)
{
    struct timer *timer = (struct timer *)object;
    (void)KeCancelTimer(&timer->timer);
    (void)KeRemoveQueueDpcEx(&timer->dpc, ntos_thread.irql <= APC_LEVEL);
}

NTSTATUS WdfTimerCreate(PWDF_TIMER_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFTIMER *ret_timer)
{
    if (!attributes || !attributes->ParentObject)
        return STATUS_INVALID_DEVICE_REQUEST;
    struct timer *timer = ntos_wdf_new(NTOS_WDF_TIMER, sizeof(*timer), attributes, NULL);
    if (!timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(&timer->timer);
    KeInitializeDpc(&timer->dpc, run_timer, timer);
    timer->function = config->EvtTimerFunc;
    timer->period_ms = config->Period;
    timer->object.stop = stop_timer;
    *ret_timer = (WDFTIMER)timer;
    return STATUS_SUCCESS;
}

BOOLEAN WdfTimerStart(WDFTIMER handle, LONGLONG due_time)
{
    struct timer *timer = ntos_wdf_of("WdfTimerStart", handle, NTOS_WDF_TIMER);
    LARGE_INTEGER due = { .QuadPart = due_time };
    return KeSetTimerEx(&timer->timer, due, (LONG)timer->period_ms, &timer->dpc);
}

BOOLEAN WdfTimerStop(WDFTIMER handle, BOOLEAN wait)
{
    struct timer *timer = ntos_wdf_of("WdfTimerStop", handle, NTOS_WDF_TIMER);
    BOOLEAN was_set = KeCancelTimer(&timer->timer);
    if (wait)
        was_set |= KeRemoveQueueDpcEx(&timer->dpc, TRUE);
    return was_set;
}

WDFOBJECT WdfTimerGetParentObject(WDFTIMER handle)
{
    return ((struct ntos_wdf_object *)ntos_wdf_of("WdfTimerGetParentObject", handle, NTOS_WDF_TIMER))->parent;
}

// --- DPCs ---

static VOID run_dpc(PKDPC of, PVOID context, PVOID first, PVOID second)
{
    struct dpc *dpc = context;
    dpc->function((WDFDPC)dpc);
}

static void stop_dpc(struct ntos_wdf_object *object)
{
    (void)KeRemoveQueueDpcEx(&((struct dpc *)object)->dpc, ntos_thread.irql <= APC_LEVEL);
}

NTSTATUS WdfDpcCreate(PWDF_DPC_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFDPC *ret_dpc)
{
    if (!attributes || !attributes->ParentObject)
        return STATUS_INVALID_DEVICE_REQUEST;
    struct dpc *dpc = ntos_wdf_new(NTOS_WDF_DPC, sizeof(*dpc), attributes, NULL);
    if (!dpc)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeDpc(&dpc->dpc, run_dpc, dpc);
    dpc->function = config->EvtDpcFunc;
    dpc->object.stop = stop_dpc;
    *ret_dpc = (WDFDPC)dpc;
    return STATUS_SUCCESS;
}

BOOLEAN WdfDpcEnqueue(WDFDPC handle)
{
    struct dpc *dpc = ntos_wdf_of("WdfDpcEnqueue", handle, NTOS_WDF_DPC);
    return KeInsertQueueDpc(&dpc->dpc, NULL, NULL);
}

BOOLEAN WdfDpcCancel(WDFDPC handle, BOOLEAN wait)
{
    struct dpc *dpc = ntos_wdf_of("WdfDpcCancel", handle, NTOS_WDF_DPC);
    return KeRemoveQueueDpcEx(&dpc->dpc, wait);
}

WDFOBJECT WdfDpcGetParentObject(WDFDPC handle)
{
    return ((struct ntos_wdf_object *)ntos_wdf_of("WdfDpcGetParentObject", handle, NTOS_WDF_DPC))->parent;
}

// --- Work items: once more while running queues them again ---

static VOID run_work(PVOID context)
{
    struct work_item *item = context;
    KIRQL irql;
    KeAcquireSpinLock(&item->lock, &irql);
    item->queued = false;
    item->runner = KeGetCurrentThread();
    KeReleaseSpinLock(&item->lock, irql);
    item->function((WDFWORKITEM)item);
    KeAcquireSpinLock(&item->lock, &irql);
    item->runner = NULL;
    if (--item->busy == 0)
        (void)KeSetEvent(&item->idle, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&item->lock, irql);
    WdfObjectDereferenceActual(item);
}

// The item itself may ask for its own deletion: it then does not wait for itself.
static void wait_work(struct work_item *item)
{
    KIRQL irql;
    KeAcquireSpinLock(&item->lock, &irql);
    bool wait = item->busy > 0 && item->runner != KeGetCurrentThread();
    KeReleaseSpinLock(&item->lock, irql);
    if (wait)
        (void)KeWaitForSingleObject(&item->idle, Executive, KernelMode, FALSE, NULL);
}

static void stop_work(struct ntos_wdf_object *object)
{
    if (ntos_thread.irql <= APC_LEVEL)
        wait_work((struct work_item *)object);
}

NTSTATUS WdfWorkItemCreate(PWDF_WORKITEM_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes, WDFWORKITEM *ret_item)
{
    if (!attributes || !attributes->ParentObject)
        return STATUS_INVALID_DEVICE_REQUEST;
    struct work_item *item = ntos_wdf_new(NTOS_WDF_WORK_ITEM, sizeof(*item), attributes, NULL);
    if (!item)
        return STATUS_INSUFFICIENT_RESOURCES;
    item->function = config->EvtWorkItemFunc;
    item->object.stop = stop_work;
    KeInitializeEvent(&item->idle, NotificationEvent, TRUE);
    ExInitializeWorkItem(&item->work, run_work, item);
    *ret_item = (WDFWORKITEM)item;
    return STATUS_SUCCESS;
}

VOID WdfWorkItemEnqueue(WDFWORKITEM handle)
{
    struct work_item *item = ntos_wdf_of("WdfWorkItemEnqueue", handle, NTOS_WDF_WORK_ITEM);
    KIRQL irql;
    KeAcquireSpinLock(&item->lock, &irql);
    bool queue = !item->queued;  // otherwise it will run anyway
    item->queued = true;
    if (queue && item->busy++ == 0)
        KeClearEvent(&item->idle);
    KeReleaseSpinLock(&item->lock, irql);
    if (!queue)
        return;
    WdfObjectReferenceActual(item);
    ExQueueWorkItem(&item->work, DelayedWorkQueue);
}

VOID WdfWorkItemFlush(WDFWORKITEM handle)
{
    if (!ntos_irql_at_most("WdfWorkItemFlush", PASSIVE_LEVEL))
        return;
    wait_work(ntos_wdf_of("WdfWorkItemFlush", handle, NTOS_WDF_WORK_ITEM));
}

WDFOBJECT WdfWorkItemGetParentObject(WDFWORKITEM handle)
{
    return ((struct ntos_wdf_object *)ntos_wdf_of("WdfWorkItemGetParentObject", handle, NTOS_WDF_WORK_ITEM))->parent;
}
