// A WDM callout driver that pends every outgoing IPv4 connection, for the test bed: well, or with a chosen mistake.
#include <initguid.h>
#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#include "pend.h"

#define PENDING_MAX 1024

// {d3f6ab1e-1f5c-4c53-8f0e-3d4c8d4a7b01} …
DEFINE_GUID(PEND_CALLOUT, 0xd3f6ab1e, 0x1f5c, 0x4c53, 0x8f, 0x0e, 0x3d, 0x4c, 0x8d, 0x4a, 0x7b, 0x01);
DEFINE_GUID(PEND_SUBLAYER, 0xd3f6ab1e, 0x1f5c, 0x4c53, 0x8f, 0x0e, 0x3d, 0x4c, 0x8d, 0x4a, 0x7b, 0x02);

struct entry {
    HANDLE context;
    UINT64 endpoint;
    BOOLEAN used, decided, permit;
};

static struct {
    DEVICE_OBJECT *device;
    HANDLE engine;
    UINT32 callout_id;
    KSPIN_LOCK lock;
    ULONG mode;
    struct entry entries[PENDING_MAX];
} state;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD unload;
static DRIVER_DISPATCH on_open_close, on_control;

static struct entry *take_free(void)
{
    for (ULONG i = 0; i < PENDING_MAX; i++) {
        if (!state.entries[i].used) {
            RtlZeroMemory(&state.entries[i], sizeof(state.entries[i]));
            state.entries[i].used = TRUE;
            return &state.entries[i];
        }
    }
    return NULL;
}

static void block(FWPS_CLASSIFY_OUT0 *out)
{
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
}

// The verdict was stored before the operation was completed: here it is fetched.
static void classify_again(const FWPS_INCOMING_METADATA_VALUES0 *meta, FWPS_CLASSIFY_OUT0 *out)
{
    HANDLE context;
    KIRQL irql;
    if (state.mode == PEND_AGAIN && FwpsPendOperation0(meta->completionHandle, &context) != STATUS_FWP_CANNOT_PEND)
        DbgPrint("[pend] a reauthorization could be pended\n");
    block(out);
    KeAcquireSpinLock(&state.lock, &irql);
    for (ULONG i = 0; i < PENDING_MAX; i++) {
        struct entry *entry = &state.entries[i];
        if (!entry->used || !entry->decided || entry->endpoint != meta->transportEndpointHandle)
            continue;
        entry->used = FALSE;
        if (entry->permit) {
            out->actionType = FWP_ACTION_PERMIT;
            out->rights |= FWPS_RIGHT_ACTION_WRITE;
        }
        break;
    }
    KeReleaseSpinLock(&state.lock, irql);
}

// What the bed has to notice: see pend.h.
static void make_mistakes(void)
{
    LARGE_INTEGER pause = { .QuadPart = -1 };
    KEVENT event;
    if (state.mode == PEND_WAITING) {
        KeInitializeEvent(&event, NotificationEvent, TRUE);
        (void)KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &pause);
        (void)FwpmTransactionBegin0(state.engine, FWPM_TXN_READ_ONLY);
        (void)FwpmTransactionAbort0(state.engine);
    }
    if (state.mode == PEND_LEAKING)
        (void)ExAllocatePoolWithTag(NonPagedPool, 16, 'dneP');
}

static void pend(const FWPS_INCOMING_METADATA_VALUES0 *meta, FWPS_CLASSIFY_OUT0 *out)
{
    KIRQL irql;
    HANDLE context;
    block(out);
    make_mistakes();
    if (!NT_SUCCESS(FwpsPendOperation0(meta->completionHandle, &context)))
        return;
    if (state.mode != PEND_WITHOUT_ABSORB)
        out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    KeAcquireSpinLock(&state.lock, &irql);
    struct entry *entry = take_free();
    if (entry) {
        entry->context = context;
        entry->endpoint = meta->transportEndpointHandle;
        entry->decided = entry->permit = state.mode == PEND_COMPLETE_EARLY;
    }
    KeReleaseSpinLock(&state.lock, irql);
    if (!entry || state.mode == PEND_COMPLETE_EARLY)
        FwpsCompleteOperation0(context, NULL);
}

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *meta,
                           void *layer_data, const void *classify_context, const FWPS_FILTER1 *filter,
                           UINT64 flow_context, FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(classify_context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);
    if (!(out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;
    if (values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS].value.uint32 & FWP_CONDITION_FLAG_IS_REAUTHORIZE)
        classify_again(meta, out);
    else
        pend(meta, out);
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER1 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

// --- Answers ---

static BOOLEAN answer_one(BOOLEAN permit)
{
    HANDLE context = NULL;
    KIRQL irql;
    KeAcquireSpinLock(&state.lock, &irql);
    for (ULONG i = 0; i < PENDING_MAX && !context; i++) {
        struct entry *entry = &state.entries[i];
        if (entry->used && !entry->decided) {
            entry->decided = TRUE;
            entry->permit = permit;
            context = entry->context;
        }
    }
    KeReleaseSpinLock(&state.lock, irql);
    if (!context)
        return FALSE;
    FwpsCompleteOperation0(context, NULL);
    if (state.mode == PEND_COMPLETE_TWICE)
        FwpsCompleteOperation0(context, NULL);
    return TRUE;
}

static NTSTATUS complete(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI on_open_close(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    return complete(irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
    ULONG size = location->Parameters.DeviceIoControl.InputBufferLength;
    if (code == PEND_ANSWER && size >= sizeof(struct pend_answer)) {
        struct pend_answer answer = *(struct pend_answer *)irp->AssociatedIrp.SystemBuffer;
        while (answer.count > 0 && answer_one(answer.permit != 0))
            answer.count--;
        return complete(irp, STATUS_SUCCESS);
    }
    if (code == PEND_MODE && size >= sizeof(ULONG)) {
        state.mode = *(ULONG *)irp->AssociatedIrp.SystemBuffer;
        return complete(irp, STATUS_SUCCESS);
    }
    return complete(irp, STATUS_INVALID_PARAMETER);
}

// --- Start and stop: the session is dynamic, its objects go with it ---

static NTSTATUS add_objects(void)
{
    FWPM_SUBLAYER0 sublayer;
    FWPM_CALLOUT0 callout;
    FWPM_FILTER0 filter;
    RtlZeroMemory(&sublayer, sizeof(sublayer));
    RtlZeroMemory(&callout, sizeof(callout));
    RtlZeroMemory(&filter, sizeof(filter));
    sublayer.subLayerKey = PEND_SUBLAYER;
    sublayer.weight = 0xE000;
    callout.calloutKey = PEND_CALLOUT;
    callout.applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    filter.subLayerKey = PEND_SUBLAYER;
    filter.action.type = FWP_ACTION_CALLOUT_UNKNOWN;
    filter.action.calloutKey = PEND_CALLOUT;
    sublayer.displayData.name = callout.displayData.name = filter.displayData.name = (PWSTR)L"pend";
    NTSTATUS status = FwpmSubLayerAdd0(state.engine, &sublayer, NULL);
    if (NT_SUCCESS(status))
        status = FwpmCalloutAdd0(state.engine, &callout, NULL, NULL);
    if (NT_SUCCESS(status))
        status = FwpmFilterAdd0(state.engine, &filter, NULL, NULL);
    return status;
}

static NTSTATUS start(DRIVER_OBJECT *driver)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\RingwallPend");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\RingwallPend");
    FWPM_SESSION0 session;
    FWPS_CALLOUT1 callout;
    RtlZeroMemory(&session, sizeof(session));
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    RtlZeroMemory(&callout, sizeof(callout));
    callout.calloutKey = PEND_CALLOUT;
    callout.classifyFn = classify;
    callout.notifyFn = notify;
    NTSTATUS status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &state.device);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&link, &name);
    if (NT_SUCCESS(status))
        status = FwpsCalloutRegister1(state.device, &callout, &state.callout_id);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &state.engine);
    if (NT_SUCCESS(status))
        status = add_objects();
    return status;
}

static void NTAPI unload(DRIVER_OBJECT *driver)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\RingwallPend");
    UNREFERENCED_PARAMETER(driver);
    while (answer_one(FALSE))
        ;
    if (state.engine)
        (void)FwpmEngineClose0(state.engine);
    if (state.callout_id)
        (void)FwpsCalloutUnregisterById0(state.callout_id);
    (void)IoDeleteSymbolicLink(&link);
    if (state.device)
        IoDeleteDevice(state.device);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    RtlZeroMemory(&state, sizeof(state));
    KeInitializeSpinLock(&state.lock);
    NTSTATUS status = start(driver);
    if (!NT_SUCCESS(status)) {
        unload(driver);
        return status;
    }
    driver->MajorFunction[IRP_MJ_CREATE] = on_open_close;
    driver->MajorFunction[IRP_MJ_CLOSE] = on_open_close;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
    driver->DriverUnload = unload;
    return STATUS_SUCCESS;
}
