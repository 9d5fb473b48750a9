// A callout driver that binds the sockets of one program elsewhere, in the API of WFP alone. Its registry values:
// `program` (how the path of the executable ends), `address4`, `address6` (absent: the address stays), `port` (absent:
// the port stays), and `mode`: "" (changes them while it classifies) or "pend" (pends, and changes them from a thread
// of its own).
#include <ntddk.h>
#include <initguid.h>
#include <fwpmk.h>
#include <fwpsk.h>
#include <ip2string.h>

DEFINE_GUID(REBINDER_V4, 0x9d0d1ce2, 0x41f7, 0x4a0b, 0x9c, 0x21, 0x5b, 0x0e, 0x7a, 0x33, 0x90, 0x01);
DEFINE_GUID(REBINDER_V6, 0x9d0d1ce2, 0x41f7, 0x4a0b, 0x9c, 0x21, 0x5b, 0x0e, 0x7a, 0x33, 0x90, 0x02);

#define PENDED_TAG 'brWR'

struct pended {
    LIST_ENTRY entry;
    UINT64 handle, filter_id;
    FWPS_CLASSIFY_OUT0 out;
};

static WCHAR program[128], address4[64], address6[64], mode[16];
static IN_ADDR new4;
static IN6_ADDR new6;
static ULONG new_port;
static PDEVICE_OBJECT device;
static HANDLE engine;
static UINT32 callout_ids[2];
static LIST_ENTRY queue;
static KSPIN_LOCK queue_lock;
static KEVENT wake, stop;
static PVOID thread;

static BOOLEAN is_program(const FWP_BYTE_BLOB *app_id)
{
    SIZE_T length = app_id->size / sizeof(WCHAR), wanted = wcslen(program);
    const WCHAR *path = (const WCHAR *)app_id->data;
    if (length > 0 && path[length - 1] == 0)
        length--;
    return wanted > 0 && length >= wanted &&
           RtlCompareMemory(path + length - wanted, program, wanted * sizeof(WCHAR)) == wanted * sizeof(WCHAR);
}

static VOID set_local(FWPS_BIND_REQUEST0 *request)
{
    SOCKADDR *local = (SOCKADDR *)&request->localAddressAndPort;
    USHORT port = RtlUshortByteSwap((USHORT)new_port);
    if (local->sa_family == AF_INET) {
        SOCKADDR_IN *to = (SOCKADDR_IN *)local;
        if (address4[0])
            to->sin_addr = new4;
        if (new_port)
            to->sin_port = port;
    } else {
        SOCKADDR_IN6 *to = (SOCKADDR_IN6 *)local;
        if (address6[0])
            to->sin6_addr = new6;
        if (new_port)
            to->sin6_port = port;
    }
}

static VOID rebind(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    PVOID data = NULL;
    if (!NT_SUCCESS(FwpsAcquireWritableLayerDataPointer0(handle, filter_id, 0, &data, out)))
        return;
    set_local((FWPS_BIND_REQUEST0 *)data);
    FwpsApplyModifiedLayerData0(handle, data, 0);
    out->actionType = FWP_ACTION_PERMIT;
}

static VOID pend(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    struct pended *pended = (struct pended *)ExAllocatePoolWithTag(NonPagedPool, sizeof(*pended), PENDED_TAG);
    if (!pended || !NT_SUCCESS(FwpsPendClassify0(handle, filter_id, 0, out))) {
        if (pended)
            ExFreePoolWithTag(pended, PENDED_TAG);
        FwpsReleaseClassifyHandle0(handle);
        return;
    }
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
    pended->handle = handle;
    pended->filter_id = filter_id;
    pended->out = *out;
    ExInterlockedInsertTailList(&queue, &pended->entry, &queue_lock);
    (void)KeSetEvent(&wake, IO_NO_INCREMENT, FALSE);
}

static VOID complete_pended(VOID)
{
    PLIST_ENTRY entry;
    while ((entry = ExInterlockedRemoveHeadList(&queue, &queue_lock)) != NULL) {
        struct pended *pended = CONTAINING_RECORD(entry, struct pended, entry);
        rebind(pended->handle, pended->filter_id, &pended->out);
        FwpsCompleteClassify0(pended->handle, 0, &pended->out);
        FwpsReleaseClassifyHandle0(pended->handle);
        ExFreePoolWithTag(pended, PENDED_TAG);
    }
}

static VOID NTAPI run(PVOID unused)
{
    PVOID events[2] = { &stop, &wake };
    UNREFERENCED_PARAMETER(unused);
    while (KeWaitForMultipleObjects(2, events, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_1)
        complete_pended();
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UINT64 handle;
    UNREFERENCED_PARAMETER(metadata);
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(flow_context);
    // The fields of both layers have the same numbers.
    const FWP_VALUE0 *app = &values->incomingValue[FWPS_FIELD_ALE_BIND_REDIRECT_V4_ALE_APP_ID].value;
    out->actionType = FWP_ACTION_PERMIT;
    if (!is_program(app->byteBlob))
        return;
    out->actionType = FWP_ACTION_BLOCK;
    if (!NT_SUCCESS(FwpsAcquireClassifyHandle0((void *)(UINT_PTR)context, 0, &handle)))
        return;
    if (mode[0]) {
        pend(handle, filter->filterId, out);
        return;
    }
    rebind(handle, filter->filterId, out);
    FwpsReleaseClassifyHandle0(handle);
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

static NTSTATUS add_objects(const GUID *callout_key, const GUID *layer, UINT32 *ret_id)
{
    FWPS_CALLOUT3 registration = {0};
    registration.calloutKey = *callout_key;
    registration.classifyFn = classify;
    registration.notifyFn = notify;
    NTSTATUS status = FwpsCalloutRegister3(device, &registration, ret_id);
    if (!NT_SUCCESS(status))
        return status;
    FWPM_CALLOUT0 callout = {0};
    callout.calloutKey = *callout_key;
    callout.displayData.name = (wchar_t *)L"rebinder";
    callout.applicableLayer = *layer;
    status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;
    FWPM_FILTER0 filter = {0};
    filter.displayData.name = (wchar_t *)L"rebinder";
    filter.layerKey = *layer;
    filter.weight.type = FWP_EMPTY;
    filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
    filter.action.calloutKey = *callout_key;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    (void)KeSetEvent(&stop, IO_NO_INCREMENT, FALSE);
    if (thread) {
        (void)KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(thread);
    }
    complete_pended();
    if (engine)
        FwpmEngineClose0(engine);  // the session is dynamic: its objects go with it
    for (int i = 0; i < 2; i++) {
        if (callout_ids[i] && !NT_SUCCESS(FwpsCalloutUnregisterById0(callout_ids[i])))
            DbgPrint("rebinder: a callout is busy\n");
    }
    if (device)
        IoDeleteDevice(device);
}

static VOID read_value(HANDLE key, PCWSTR name, ULONG type, PVOID value, SIZE_T size)
{
    UNICODE_STRING text;
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 256];
    ULONG used;
    RtlInitUnicodeString(&text, name);
    if (!NT_SUCCESS(ZwQueryValueKey(key, &text, KeyValuePartialInformation, buffer, sizeof(buffer), &used)))
        return;
    KEY_VALUE_PARTIAL_INFORMATION *found = (KEY_VALUE_PARTIAL_INFORMATION *)buffer;
    if (found->Type == type && found->DataLength <= size)
        RtlCopyMemory(value, found->Data, found->DataLength);
}

static NTSTATUS read_settings(PUNICODE_STRING registry_path)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE key;
    PCWSTR end;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    read_value(key, L"program", REG_SZ, program, sizeof(program));
    read_value(key, L"address4", REG_SZ, address4, sizeof(address4));
    read_value(key, L"address6", REG_SZ, address6, sizeof(address6));
    read_value(key, L"port", REG_DWORD, &new_port, sizeof(new_port));
    read_value(key, L"mode", REG_SZ, mode, sizeof(mode));
    ZwClose(key);
    if (address4[0])
        status = RtlIpv4StringToAddressW(address4, TRUE, &end, &new4);
    if (NT_SUCCESS(status) && address6[0])
        status = RtlIpv6StringToAddressW(address6, &end, &new6);
    return status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    HANDLE handle;
    FWPM_SESSION0 session = {0};
    KeInitializeEvent(&wake, SynchronizationEvent, FALSE);
    KeInitializeEvent(&stop, NotificationEvent, FALSE);
    KeInitializeSpinLock(&queue_lock);
    InitializeListHead(&queue);
    driver->DriverUnload = unload;
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    NTSTATUS status = read_settings(registry_path);
    if (NT_SUCCESS(status))
        status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (NT_SUCCESS(status))
        status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, NULL);
    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &thread, NULL);
        ZwClose(handle);
    }
    if (NT_SUCCESS(status))
        status = add_objects(&REBINDER_V4, &FWPM_LAYER_ALE_BIND_REDIRECT_V4, &callout_ids[0]);
    if (NT_SUCCESS(status))
        status = add_objects(&REBINDER_V6, &FWPM_LAYER_ALE_BIND_REDIRECT_V6, &callout_ids[1]);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
