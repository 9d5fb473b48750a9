// Framework queues, requests and memory.
#pragma once

#include "device.h"

typedef enum _WDF_IO_QUEUE_DISPATCH_TYPE {
    WdfIoQueueDispatchInvalid,
    WdfIoQueueDispatchSequential,
    WdfIoQueueDispatchParallel,
    WdfIoQueueDispatchManual,
    WdfIoQueueDispatchMax
} WDF_IO_QUEUE_DISPATCH_TYPE;

typedef enum _WDF_REQUEST_TYPE {
    WdfRequestTypeCreate = 0x0,
    WdfRequestTypeClose = 0x2,
    WdfRequestTypeRead = 0x3,
    WdfRequestTypeWrite = 0x4,
    WdfRequestTypeDeviceControl = 0xE,
    WdfRequestTypeDeviceControlInternal = 0xF,
    WdfRequestTypeCleanup = 0x12,
    WdfRequestTypeNoFormat = 0xFF
} WDF_REQUEST_TYPE;

typedef VOID EVT_WDF_IO_QUEUE_IO_DEFAULT(WDFQUEUE queue, WDFREQUEST request);
typedef EVT_WDF_IO_QUEUE_IO_DEFAULT *PFN_WDF_IO_QUEUE_IO_DEFAULT;
typedef VOID EVT_WDF_IO_QUEUE_IO_READ(WDFQUEUE queue, WDFREQUEST request, size_t length);
typedef EVT_WDF_IO_QUEUE_IO_READ *PFN_WDF_IO_QUEUE_IO_READ;
typedef VOID EVT_WDF_IO_QUEUE_IO_WRITE(WDFQUEUE queue, WDFREQUEST request, size_t length);
typedef EVT_WDF_IO_QUEUE_IO_WRITE *PFN_WDF_IO_QUEUE_IO_WRITE;
typedef VOID EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL(WDFQUEUE queue, WDFREQUEST request, size_t output_length,
                                                size_t input_length, ULONG code);
typedef EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL *PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL;
typedef EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL;
typedef EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL *PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL;
typedef VOID EVT_WDF_IO_QUEUE_IO_STOP(WDFQUEUE queue, WDFREQUEST request, ULONG flags);
typedef EVT_WDF_IO_QUEUE_IO_STOP *PFN_WDF_IO_QUEUE_IO_STOP;
typedef VOID EVT_WDF_IO_QUEUE_IO_RESUME(WDFQUEUE queue, WDFREQUEST request);
typedef EVT_WDF_IO_QUEUE_IO_RESUME *PFN_WDF_IO_QUEUE_IO_RESUME;
typedef VOID EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE(WDFQUEUE queue, WDFREQUEST request);
typedef EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE *PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE;
typedef VOID EVT_WDF_IO_QUEUE_STATE(WDFQUEUE queue, WDFOBJECT context);
typedef EVT_WDF_IO_QUEUE_STATE *PFN_WDF_IO_QUEUE_STATE;
typedef VOID EVT_WDF_REQUEST_CANCEL(WDFREQUEST request);
typedef EVT_WDF_REQUEST_CANCEL *PFN_WDF_REQUEST_CANCEL;

typedef struct _WDF_IO_QUEUE_CONFIG {
    ULONG Size;
    WDF_IO_QUEUE_DISPATCH_TYPE DispatchType;
    WDF_TRI_STATE PowerManaged;
    BOOLEAN AllowZeroLengthRequests;
    BOOLEAN DefaultQueue;
    PFN_WDF_IO_QUEUE_IO_DEFAULT EvtIoDefault;
    PFN_WDF_IO_QUEUE_IO_READ EvtIoRead;
    PFN_WDF_IO_QUEUE_IO_WRITE EvtIoWrite;
    PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL EvtIoDeviceControl;
    PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL EvtIoInternalDeviceControl;
    PFN_WDF_IO_QUEUE_IO_STOP EvtIoStop;
    PFN_WDF_IO_QUEUE_IO_RESUME EvtIoResume;
    PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE EvtIoCanceledOnQueue;
    union {
        struct {
            ULONG NumberOfPresentedRequests;
        } Parallel;
    } Settings;
    WDFDRIVER Driver;
} WDF_IO_QUEUE_CONFIG, *PWDF_IO_QUEUE_CONFIG;

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT(PWDF_IO_QUEUE_CONFIG config, WDF_IO_QUEUE_DISPATCH_TYPE type)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->PowerManaged = WdfUseDefault;
    config->DispatchType = type;
    if (type == WdfIoQueueDispatchParallel)
        config->Settings.Parallel.NumberOfPresentedRequests = (ULONG)-1;
}

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(PWDF_IO_QUEUE_CONFIG config, WDF_IO_QUEUE_DISPATCH_TYPE type)
{
    WDF_IO_QUEUE_CONFIG_INIT(config, type);
    config->DefaultQueue = TRUE;
}

typedef struct _WDF_REQUEST_PARAMETERS {
    USHORT Size;
    UCHAR MinorFunction;
    WDF_REQUEST_TYPE Type;
    union {
        struct {
            PIO_SECURITY_CONTEXT SecurityContext;
            ULONG Options;
            USHORT FileAttributes;
            USHORT ShareAccess;
            ULONG EaLength;
        } Create;
        struct {
            size_t Length;
            ULONG Key;
            LONGLONG DeviceOffset;
        } Read, Write;
        struct {
            size_t OutputBufferLength;
            size_t InputBufferLength;
            ULONG IoControlCode;
            PVOID Type3InputBuffer;
        } DeviceIoControl;
        struct {
            PVOID Arg1;
            PVOID Arg2;
            ULONG IoControlCode;
            PVOID Arg4;
        } Others;
    } Parameters;
} WDF_REQUEST_PARAMETERS, *PWDF_REQUEST_PARAMETERS;

FORCEINLINE VOID WDF_REQUEST_PARAMETERS_INIT(PWDF_REQUEST_PARAMETERS parameters)
{
    RtlZeroMemory(parameters, sizeof(*parameters));
    parameters->Size = sizeof(*parameters);
}

NTOS_DECLARATIONS_BEGIN

NTSTATUS WdfIoQueueCreate(WDFDEVICE device, PWDF_IO_QUEUE_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes,
                          WDFQUEUE *queue);
NTSTATUS WdfDeviceConfigureRequestDispatching(WDFDEVICE device, WDFQUEUE queue, WDF_REQUEST_TYPE type);
WDFQUEUE WdfDeviceGetDefaultQueue(WDFDEVICE device);
WDFDEVICE WdfIoQueueGetDevice(WDFQUEUE queue);
NTSTATUS WdfIoQueueRetrieveNextRequest(WDFQUEUE queue, WDFREQUEST *request);
VOID WdfIoQueueStart(WDFQUEUE queue);
// Requests that come later wait.
VOID WdfIoQueueStop(WDFQUEUE queue, PFN_WDF_IO_QUEUE_STATE stopped, WDFOBJECT context);
// Waiting requests are cancelled, later ones refused.
VOID WdfIoQueuePurge(WDFQUEUE queue, PFN_WDF_IO_QUEUE_STATE purged, WDFOBJECT context);
VOID WdfIoQueuePurgeSynchronously(WDFQUEUE queue);
VOID WdfIoQueueStopSynchronously(WDFQUEUE queue);

VOID WdfRequestComplete(WDFREQUEST request, NTSTATUS status);
VOID WdfRequestCompleteWithInformation(WDFREQUEST request, NTSTATUS status, ULONG_PTR information);
VOID WdfRequestCompleteWithPriorityBoost(WDFREQUEST request, NTSTATUS status, CCHAR boost);
VOID WdfRequestSetInformation(WDFREQUEST request, ULONG_PTR information);
ULONG_PTR WdfRequestGetInformation(WDFREQUEST request);
NTSTATUS WdfRequestGetStatus(WDFREQUEST request);
VOID WdfRequestGetParameters(WDFREQUEST request, PWDF_REQUEST_PARAMETERS parameters);
WDFFILEOBJECT WdfRequestGetFileObject(WDFREQUEST request);
WDFQUEUE WdfRequestGetIoQueue(WDFREQUEST request);
KPROCESSOR_MODE WdfRequestGetRequestorMode(WDFREQUEST request);
PIRP WdfRequestWdmGetIrp(WDFREQUEST request);
NTSTATUS WdfRequestForwardToIoQueue(WDFREQUEST request, WDFQUEUE queue);
NTSTATUS WdfRequestRequeue(WDFREQUEST request);
VOID WdfRequestMarkCancelable(WDFREQUEST request, PFN_WDF_REQUEST_CANCEL cancel);
// STATUS_CANCELLED: it was cancelled before, and `cancel` is not called.
NTSTATUS WdfRequestMarkCancelableEx(WDFREQUEST request, PFN_WDF_REQUEST_CANCEL cancel);
// STATUS_CANCELLED: `cancel` is being called and completes the request.
NTSTATUS WdfRequestUnmarkCancelable(WDFREQUEST request);
BOOLEAN WdfRequestIsCanceled(WDFREQUEST request);

// STATUS_BUFFER_TOO_SMALL: shorter than `minimum`, or empty. STATUS_INVALID_DEVICE_REQUEST: METHOD_NEITHER, or a request
// without such a buffer.
NTSTATUS WdfRequestRetrieveInputBuffer(WDFREQUEST request, size_t minimum, PVOID *buffer, size_t *length);
NTSTATUS WdfRequestRetrieveOutputBuffer(WDFREQUEST request, size_t minimum, PVOID *buffer, size_t *length);
// METHOD_NEITHER only.
NTSTATUS WdfRequestRetrieveUnsafeUserInputBuffer(WDFREQUEST request, size_t minimum, PVOID *buffer, size_t *length);
NTSTATUS WdfRequestRetrieveUnsafeUserOutputBuffer(WDFREQUEST request, size_t minimum, PVOID *buffer, size_t *length);
NTSTATUS WdfRequestRetrieveInputMemory(WDFREQUEST request, WDFMEMORY *memory);
NTSTATUS WdfRequestRetrieveOutputMemory(WDFREQUEST request, WDFMEMORY *memory);
NTSTATUS WdfRequestRetrieveOutputWdmMdl(WDFREQUEST request, PMDL *mdl);

NTSTATUS WdfMemoryCreate(PWDF_OBJECT_ATTRIBUTES attributes, POOL_TYPE pool, ULONG tag, size_t size, WDFMEMORY *memory,
                         PVOID *buffer);
NTSTATUS WdfMemoryCreatePreallocated(PWDF_OBJECT_ATTRIBUTES attributes, PVOID buffer, size_t size, WDFMEMORY *memory);
PVOID WdfMemoryGetBuffer(WDFMEMORY memory, size_t *size);
NTSTATUS WdfMemoryCopyFromBuffer(WDFMEMORY to, size_t offset, PVOID buffer, size_t size);
NTSTATUS WdfMemoryCopyToBuffer(WDFMEMORY from, size_t offset, PVOID buffer, size_t size);

NTSTATUS WdfCollectionCreate(PWDF_OBJECT_ATTRIBUTES attributes, WDFCOLLECTION *collection);
NTSTATUS WdfCollectionAdd(WDFCOLLECTION collection, WDFOBJECT object);
VOID WdfCollectionRemove(WDFCOLLECTION collection, WDFOBJECT object);
VOID WdfCollectionRemoveItem(WDFCOLLECTION collection, ULONG index);
ULONG WdfCollectionGetCount(WDFCOLLECTION collection);
WDFOBJECT WdfCollectionGetItem(WDFCOLLECTION collection, ULONG index);
WDFOBJECT WdfCollectionGetFirstItem(WDFCOLLECTION collection);
WDFOBJECT WdfCollectionGetLastItem(WDFCOLLECTION collection);

NTOS_DECLARATIONS_END
