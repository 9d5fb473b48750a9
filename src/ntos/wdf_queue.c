#include "ntos/framework.h"

enum queue_state { QUEUE_RUNNING, QUEUE_STOPPED, QUEUE_PURGED };

struct ntos_wdf_queue {
    struct ntos_wdf_object object;
    struct ntos_wdf_device *device;
    WDF_IO_QUEUE_CONFIG config;
    KSPIN_LOCK lock;  // of what follows
    LIST_ENTRY waiting;
    ULONG presented;  // requests the driver has
    enum queue_state state;
    bool delivering;  // a thread is in deliver()
    PFN_WDF_IO_QUEUE_STATE idle_callback;
    WDFOBJECT idle_context;
    KEVENT idle;  // notification event, signalled while presented == 0
};

static void cancel_waiting(PDEVICE_OBJECT device_object, PIRP irp);

// --- The list: with the lock held ---

// False: it is cancelled already, and whoever took the cancel routine completes it.
static bool put(struct ntos_wdf_queue *queue, struct ntos_wdf_request *request, bool first)
{
    request->queue = queue;
    request->irp->Tail.Overlay.DriverContext[0] = request;
    if (first)
        InsertHeadList(&queue->waiting, &request->entry);
    else
        InsertTailList(&queue->waiting, &request->entry);
    (void)IoSetCancelRoutine(request->irp, cancel_waiting);
    if (!request->irp->Cancel || !IoSetCancelRoutine(request->irp, NULL))
        return true;
    RemoveEntryList(&request->entry);
    InitializeListHead(&request->entry);
    return false;
}

// The first that is not being cancelled, or NULL.
static struct ntos_wdf_request *take(struct ntos_wdf_queue *queue)
{
    for (PLIST_ENTRY entry = queue->waiting.Flink; entry != &queue->waiting; entry = entry->Flink) {
        struct ntos_wdf_request *request = CONTAINING_RECORD(entry, struct ntos_wdf_request, entry);
        if (!IoSetCancelRoutine(request->irp, NULL))
            continue;
        RemoveEntryList(entry);
        InitializeListHead(entry);
        return request;
    }
    return NULL;
}

// --- Cancellation of requests that wait ---

static void complete_cancelled(struct ntos_wdf_queue *queue, struct ntos_wdf_request *request)
{
    if (queue->config.EvtIoCanceledOnQueue) {
        KIRQL irql;
        KeAcquireSpinLock(&queue->lock, &irql);
        if (queue->presented++ == 0)
            KeClearEvent(&queue->idle);
        KeReleaseSpinLock(&queue->lock, irql);
        queue->config.EvtIoCanceledOnQueue((WDFQUEUE)queue, (WDFREQUEST)request);
        return;
    }
    request->queue = NULL;
    WdfRequestComplete((WDFREQUEST)request, STATUS_CANCELLED);
}

static void cancel_waiting(PDEVICE_OBJECT device_object, PIRP irp)
{
    struct ntos_wdf_request *request = irp->Tail.Overlay.DriverContext[0];
    struct ntos_wdf_queue *queue = request->queue;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    KIRQL irql;
    KeAcquireSpinLock(&queue->lock, &irql);
    RemoveEntryList(&request->entry);
    InitializeListHead(&request->entry);
    KeReleaseSpinLock(&queue->lock, irql);
    complete_cancelled(queue, request);
}

// --- Delivery ---

static void call_driver(struct ntos_wdf_queue *queue, struct ntos_wdf_request *request)
{
    const WDF_IO_QUEUE_CONFIG *config = &queue->config;
    WDFQUEUE handle = (WDFQUEUE)queue;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(request->irp);
    bool transfer = stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE;
    if (transfer && stack->Parameters.Read.Length == 0 && !config->AllowZeroLengthRequests)
        WdfRequestComplete((WDFREQUEST)request, STATUS_SUCCESS);
    else if (stack->MajorFunction == IRP_MJ_READ && config->EvtIoRead)
        config->EvtIoRead(handle, (WDFREQUEST)request, stack->Parameters.Read.Length);
    else if (stack->MajorFunction == IRP_MJ_WRITE && config->EvtIoWrite)
        config->EvtIoWrite(handle, (WDFREQUEST)request, stack->Parameters.Write.Length);
    else if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL && config->EvtIoDeviceControl)
        config->EvtIoDeviceControl(handle, (WDFREQUEST)request, stack->Parameters.DeviceIoControl.OutputBufferLength,
                                   stack->Parameters.DeviceIoControl.InputBufferLength,
                                   stack->Parameters.DeviceIoControl.IoControlCode);
    else if (stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL && config->EvtIoInternalDeviceControl)
        config->EvtIoInternalDeviceControl(
            handle, (WDFREQUEST)request, stack->Parameters.DeviceIoControl.OutputBufferLength,
            stack->Parameters.DeviceIoControl.InputBufferLength, stack->Parameters.DeviceIoControl.IoControlCode);
    else if (config->EvtIoDefault)
        config->EvtIoDefault(handle, (WDFREQUEST)request);
    else
        WdfRequestComplete((WDFREQUEST)request, STATUS_INVALID_DEVICE_REQUEST);
}

static ULONG limit_of(const struct ntos_wdf_queue *queue)
{
    switch (queue->config.DispatchType) {
    case WdfIoQueueDispatchSequential: return 1;
    case WdfIoQueueDispatchParallel: return queue->config.Settings.Parallel.NumberOfPresentedRequests;
    default: return 0;
    }
}

// Hands out what may be handed out. One thread at a time: a callback that completes its request at once would otherwise
// come back here, deeper and deeper.
static void deliver(struct ntos_wdf_queue *queue)
{
    KIRQL irql;
    WdfObjectReferenceActual(queue);
    KeAcquireSpinLock(&queue->lock, &irql);
    bool mine = !queue->delivering || queue->config.DispatchType == WdfIoQueueDispatchParallel;
    if (mine)
        queue->delivering = true;
    while (mine && queue->state == QUEUE_RUNNING && queue->presented < limit_of(queue)) {
        struct ntos_wdf_request *request = take(queue);
        if (!request)
            break;
        if (queue->presented++ == 0)
            KeClearEvent(&queue->idle);
        KeReleaseSpinLock(&queue->lock, irql);
        call_driver(queue, request);
        KeAcquireSpinLock(&queue->lock, &irql);
    }
    if (mine)
        queue->delivering = false;
    KeReleaseSpinLock(&queue->lock, irql);
    WdfObjectDereferenceActual(queue);
}

void ntos_wdf_queue_insert(struct ntos_wdf_queue *queue, struct ntos_wdf_request *request)
{
    KIRQL irql;
    KeAcquireSpinLock(&queue->lock, &irql);
    bool refused = queue->state == QUEUE_PURGED || queue->object.deleted;
    bool waits = !refused && put(queue, request, false);
    KeReleaseSpinLock(&queue->lock, irql);
    if (waits) {
        deliver(queue);
        return;
    }
    request->queue = NULL;
    WdfRequestComplete((WDFREQUEST)request, refused ? STATUS_INVALID_DEVICE_STATE : STATUS_CANCELLED);
}

void ntos_wdf_queue_leave(struct ntos_wdf_queue *queue)
{
    KIRQL irql;
    PFN_WDF_IO_QUEUE_STATE callback = NULL;
    KeAcquireSpinLock(&queue->lock, &irql);
    if (queue->presented == 0) {
        ntos_violation("WdfRequestComplete", "more requests were completed than the queue gave out");
    } else if (--queue->presented == 0) {
        (void)KeSetEvent(&queue->idle, IO_NO_INCREMENT, FALSE);
        callback = queue->idle_callback;
        queue->idle_callback = NULL;
    }
    KeReleaseSpinLock(&queue->lock, irql);
    if (callback)
        callback((WDFQUEUE)queue, queue->idle_context);
    deliver(queue);
}

// --- State ---

static void cancel_all_waiting(struct ntos_wdf_queue *queue)
{
    for (;;) {
        KIRQL irql;
        KeAcquireSpinLock(&queue->lock, &irql);
        struct ntos_wdf_request *request = take(queue);
        KeReleaseSpinLock(&queue->lock, irql);
        if (!request)
            return;
        complete_cancelled(queue, request);
    }
}

static void set_state(struct ntos_wdf_queue *queue, enum queue_state state, PFN_WDF_IO_QUEUE_STATE callback,
                      WDFOBJECT context)
{
    KIRQL irql;
    KeAcquireSpinLock(&queue->lock, &irql);
    queue->state = state;
    bool idle = queue->presented == 0;
    queue->idle_callback = idle ? NULL : callback;
    queue->idle_context = context;
    KeReleaseSpinLock(&queue->lock, irql);
    if (state == QUEUE_PURGED)
        cancel_all_waiting(queue);
    if (idle && callback)
        callback((WDFQUEUE)queue, context);
}

VOID WdfIoQueueStart(WDFQUEUE handle)
{
    struct ntos_wdf_queue *queue = ntos_wdf_of("WdfIoQueueStart", handle, NTOS_WDF_QUEUE);
    set_state(queue, QUEUE_RUNNING, NULL, NULL);
    deliver(queue);
}

VOID WdfIoQueueStop(WDFQUEUE handle, PFN_WDF_IO_QUEUE_STATE stopped, WDFOBJECT context)
{
    set_state(ntos_wdf_of("WdfIoQueueStop", handle, NTOS_WDF_QUEUE), QUEUE_STOPPED, stopped, context);
}

VOID WdfIoQueuePurge(WDFQUEUE handle, PFN_WDF_IO_QUEUE_STATE purged, WDFOBJECT context)
{
    set_state(ntos_wdf_of("WdfIoQueuePurge", handle, NTOS_WDF_QUEUE), QUEUE_PURGED, purged, context);
}

static void change_and_wait(const char *function, WDFQUEUE handle, enum queue_state state)
{
    if (!ntos_irql_at_most(function, PASSIVE_LEVEL))
        return;
    struct ntos_wdf_queue *queue = ntos_wdf_of(function, handle, NTOS_WDF_QUEUE);
    set_state(queue, state, NULL, NULL);
    (void)KeWaitForSingleObject(&queue->idle, Executive, KernelMode, FALSE, NULL);
}

VOID WdfIoQueuePurgeSynchronously(WDFQUEUE handle)
{
    change_and_wait("WdfIoQueuePurgeSynchronously", handle, QUEUE_PURGED);
}

VOID WdfIoQueueStopSynchronously(WDFQUEUE handle)
{
    change_and_wait("WdfIoQueueStopSynchronously", handle, QUEUE_STOPPED);
}

// --- Making and using queues ---

static void stop_queue(struct ntos_wdf_object *object)
{
    set_state((struct ntos_wdf_queue *)object, QUEUE_PURGED, NULL, NULL);
}

NTSTATUS WdfIoQueueCreate(WDFDEVICE handle, PWDF_IO_QUEUE_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes,
                          WDFQUEUE *ret_queue)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfIoQueueCreate", handle, NTOS_WDF_DEVICE);
    if (config->Size != sizeof(*config) || config->DispatchType <= WdfIoQueueDispatchInvalid ||
        config->DispatchType >= WdfIoQueueDispatchMax)
        return STATUS_INVALID_PARAMETER;
    if (config->DefaultQueue && device->default_queue)
        return STATUS_UNSUCCESSFUL;
    struct ntos_wdf_queue *queue = ntos_wdf_new(NTOS_WDF_QUEUE, sizeof(*queue), attributes, &device->object);
    if (!queue)
        return STATUS_INSUFFICIENT_RESOURCES;
    queue->device = device;
    queue->config = *config;
    queue->object.stop = stop_queue;
    InitializeListHead(&queue->waiting);
    KeInitializeEvent(&queue->idle, NotificationEvent, TRUE);
    if (config->DefaultQueue)
        device->default_queue = queue;
    if (ret_queue)
        *ret_queue = (WDFQUEUE)queue;
    return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceConfigureRequestDispatching(WDFDEVICE handle, WDFQUEUE queue, WDF_REQUEST_TYPE type)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceConfigureRequestDispatching", handle, NTOS_WDF_DEVICE);
    bool possible = type == WdfRequestTypeCreate || type == WdfRequestTypeRead || type == WdfRequestTypeWrite ||
                    type == WdfRequestTypeDeviceControl || type == WdfRequestTypeDeviceControlInternal;
    if (!possible)
        return STATUS_INVALID_PARAMETER;
    device->queues[type] = ntos_wdf_of("WdfDeviceConfigureRequestDispatching", queue, NTOS_WDF_QUEUE);
    return STATUS_SUCCESS;
}

WDFDEVICE WdfIoQueueGetDevice(WDFQUEUE handle)
{
    struct ntos_wdf_queue *queue = ntos_wdf_of("WdfIoQueueGetDevice", handle, NTOS_WDF_QUEUE);
    return (WDFDEVICE)queue->device;
}

NTSTATUS WdfIoQueueRetrieveNextRequest(WDFQUEUE handle, WDFREQUEST *ret_request)
{
    struct ntos_wdf_queue *queue = ntos_wdf_of("WdfIoQueueRetrieveNextRequest", handle, NTOS_WDF_QUEUE);
    KIRQL irql;
    *ret_request = NULL;
    if (queue->config.DispatchType == WdfIoQueueDispatchParallel)
        return STATUS_INVALID_DEVICE_STATE;
    KeAcquireSpinLock(&queue->lock, &irql);
    struct ntos_wdf_request *request = queue->state == QUEUE_RUNNING ? take(queue) : NULL;
    bool paused = queue->state != QUEUE_RUNNING;
    if (request && queue->presented++ == 0)
        KeClearEvent(&queue->idle);
    KeReleaseSpinLock(&queue->lock, irql);
    *ret_request = (WDFREQUEST)request;
    return request ? STATUS_SUCCESS : paused ? STATUS_WDF_PAUSED : STATUS_NO_MORE_ENTRIES;
}

// The driver passes a request on: it leaves its queue for another, or for the same one's front.
static NTSTATUS move(struct ntos_wdf_request *request, struct ntos_wdf_queue *to, bool first)
{
    struct ntos_wdf_queue *from = request->queue;
    KIRQL irql;
    KeAcquireSpinLock(&to->lock, &irql);
    bool refused = to->state == QUEUE_PURGED;
    bool waits = !refused && put(to, request, first);
    KeReleaseSpinLock(&to->lock, irql);
    if (refused)
        return STATUS_WDF_BUSY;
    if (from)
        ntos_wdf_queue_leave(from);
    if (waits)
        deliver(to);
    else
        complete_cancelled(to, request);
    return STATUS_SUCCESS;
}

NTSTATUS WdfRequestForwardToIoQueue(WDFREQUEST handle, WDFQUEUE queue)
{
    return move(ntos_wdf_of("WdfRequestForwardToIoQueue", handle, NTOS_WDF_REQUEST),
                ntos_wdf_of("WdfRequestForwardToIoQueue", queue, NTOS_WDF_QUEUE), false);
}

NTSTATUS WdfRequestRequeue(WDFREQUEST handle)
{
    struct ntos_wdf_request *request = ntos_wdf_of("WdfRequestRequeue", handle, NTOS_WDF_REQUEST);
    if (!request->queue || request->queue->config.DispatchType != WdfIoQueueDispatchManual)
        return STATUS_INVALID_DEVICE_REQUEST;
    return move(request, request->queue, true);
}

WDFQUEUE WdfRequestGetIoQueue(WDFREQUEST handle)
{
    struct ntos_wdf_request *request = ntos_wdf_of("WdfRequestGetIoQueue", handle, NTOS_WDF_REQUEST);
    return (WDFQUEUE)request->queue;
}
