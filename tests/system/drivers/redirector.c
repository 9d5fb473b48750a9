// A callout driver that sends the TCP connections of one program to a proxy on this host, in the API of WFP alone. Its
// registry values: `program` (how the path of the executable ends), `address4`, `address6` and `port` of the proxy, and
// `mode`: "" (redirects while it classifies) or "pend" (pends, and redirects from a thread of its own).
#include <ntddk.h>
#include <initguid.h>
#include <fwpmk.h>
#include <fwpsk.h>
#include <ip2string.h>

DEFINE_GUID(REDIRECTOR_V4, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x01);
DEFINE_GUID(REDIRECTOR_V6, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x02);
DEFINE_GUID(REDIRECTOR_PROVIDER, 0x41b0a4de, 0x27d6, 0x4b0c, 0x8f, 0x55, 0x64, 0x0f, 0x4c, 0x91, 0x5e, 0x03);

#define CONTEXT_TAG 'rdRW'

struct pended {
    LIST_ENTRY entry;
    UINT64 handle, filter_id;
    FWPS_CLASSIFY_OUT0 out;
};

static WCHAR program[128], address4[64] = L"127.0.0.1", address6[64] = L"::1", mode[16];
static IN_ADDR proxy4;
static IN6_ADDR proxy6;
static ULONG proxy_port;
static PDEVICE_OBJECT device;
static HANDLE engine, redirect_handle;
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

// The proxy is told the address that the program asked for.
static VOID set_context(FWPS_CONNECT_REQUEST0 *request)
{
    SOCKADDR_STORAGE *original;
    original = (SOCKADDR_STORAGE *)ExAllocatePoolWithTag(NonPagedPool, sizeof(*original), CONTEXT_TAG);
    if (!original)
        return;
    *original = request->remoteAddressAndPort;
    request->localRedirectContext = original;
    request->localRedirectContextSize = sizeof(*original);
}

static VOID set_proxy(FWPS_CONNECT_REQUEST0 *request)
{
    SOCKADDR *remote = (SOCKADDR *)&request->remoteAddressAndPort;
    set_context(request);
    if (remote->sa_family == AF_INET) {
        SOCKADDR_IN *to = (SOCKADDR_IN *)remote;
        to->sin_addr = proxy4;
        to->sin_port = RtlUshortByteSwap((USHORT)proxy_port);
    } else {
        SOCKADDR_IN6 *to = (SOCKADDR_IN6 *)remote;
        to->sin6_addr = proxy6;
        to->sin6_port = RtlUshortByteSwap((USHORT)proxy_port);
    }
    request->localRedirectTargetPID = 1;
    request->localRedirectHandle = redirect_handle;
}

static VOID redirect(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    PVOID data = NULL;
    if (!NT_SUCCESS(FwpsAcquireWritableLayerDataPointer0(handle, filter_id, 0, &data, out)))
        return;
    set_proxy((FWPS_CONNECT_REQUEST0 *)data);
    FwpsApplyModifiedLayerData0(handle, data, 0);
    out->actionType = FWP_ACTION_PERMIT;
}

static VOID pend(UINT64 handle, UINT64 filter_id, FWPS_CLASSIFY_OUT0 *out)
{
    struct pended *pended = (struct pended *)ExAllocatePoolWithTag(NonPagedPool, sizeof(*pended), CONTEXT_TAG);
    if (!pended || !NT_SUCCESS(FwpsPendClassify0(handle, filter_id, 0, out))) {
        out->actionType = FWP_ACTION_BLOCK;
        if (pended)
            ExFreePoolWithTag(pended, CONTEXT_TAG);
        FwpsReleaseClassifyHandle0(handle);
        return;
    }
    out->actionType = FWP_ACTION_BLOCK;
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
        redirect(pended->handle, pended->filter_id, &pended->out);
        FwpsCompleteClassify0(pended->handle, 0, &pended->out);
        FwpsReleaseClassifyHandle0(pended->handle);
        ExFreePoolWithTag(pended, CONTEXT_TAG);
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
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(flow_context);
    // The fields of both layers have the same numbers.
    const FWP_VALUE0 *app = &values->incomingValue[FWPS_FIELD_ALE_CONNECT_REDIRECT_V4_ALE_APP_ID].value;
    const FWP_VALUE0 *protocol = &values->incomingValue[FWPS_FIELD_ALE_CONNECT_REDIRECT_V4_IP_PROTOCOL].value;
    HANDLE records = FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE)
                         ? metadata->redirectRecords : NULL;
    UINT64 handle;
    out->actionType = FWP_ACTION_PERMIT;
    if (protocol->uint8 != IPPROTO_TCP || !is_program(app->byteBlob) ||
        FwpsQueryConnectionRedirectState0(records, redirect_handle, NULL) != FWPS_CONNECTION_NOT_REDIRECTED)
        return;
    out->actionType = FWP_ACTION_BLOCK;
    if (!NT_SUCCESS(FwpsAcquireClassifyHandle0((void *)(UINT_PTR)context, 0, &handle)))
        return;
    if (mode[0]) {
        pend(handle, filter->filterId, out);
        return;
    }
    redirect(handle, filter->filterId, out);
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
    callout.displayData.name = (wchar_t *)L"redirector";
    callout.applicableLayer = *layer;
    status = FwpmCalloutAdd0(engine, &callout, NULL, NULL);
    if (!NT_SUCCESS(status))
        return status;
    FWPM_FILTER0 filter = {0};
    filter.displayData.name = (wchar_t *)L"redirector";
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
            DbgPrint("redirector: a callout is busy\n");
    }
    if (redirect_handle)
        FwpsRedirectHandleDestroy0(redirect_handle);
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
    read_value(key, L"port", REG_DWORD, &proxy_port, sizeof(proxy_port));
    read_value(key, L"mode", REG_SZ, mode, sizeof(mode));
    ZwClose(key);
    status = RtlIpv4StringToAddressW(address4, TRUE, &end, &proxy4);
    return NT_SUCCESS(status) ? RtlIpv6StringToAddressW(address6, &end, &proxy6) : status;
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
        status = FwpsRedirectHandleCreate0(&REDIRECTOR_PROVIDER, 0, &redirect_handle);
    if (NT_SUCCESS(status))
        status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (NT_SUCCESS(status))
        status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, NULL);
    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &thread, NULL);
        ZwClose(handle);
    }
    if (NT_SUCCESS(status))
        status = add_objects(&REDIRECTOR_V4, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V4, &callout_ids[0]);
    if (NT_SUCCESS(status))
        status = add_objects(&REDIRECTOR_V6, &FWPM_LAYER_ALE_CONNECT_REDIRECT_V6, &callout_ids[1]);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
