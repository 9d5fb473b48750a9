/*
 * ask: a callout driver that holds each connection of a program until somebody has allowed or blocked it.
 *
 * Outgoing connections at FWPM_LAYER_ALE_AUTH_CONNECT_V4 and _V6 and incoming ones at
 * FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4 and _V6 become questions on the device \\.\RingwallAsk (ringwall/ask.h). Any
 * number wait at once, and are answered in any order by any program that may open the device. An answer that is to be
 * remembered becomes filters for the program, which is not asked about again; one that nobody gave never does.
 *
 * Parameter, a value of the key <service key>\Parameters (REG_DWORD, or REG_SZ with a number):
 *
 *   timeout       seconds after which an unanswered connection is blocked, this once; 0, the default: never
 *
 * The objects are persistent: without the driver, connections that no answer is remembered for are blocked. Unloading
 * the driver takes back what asks and leaves the remembered answers.
 */
#include <ntddk.h>

#include "connection.h"
#include "device.h"
#include "objects.h"
#include "question.h"

#define TIMEOUT_TEXT_MAX 12

static struct {
    HANDLE engine;
    BOOLEAN objects_added, connections_started, device_started;
    UINT64 timeout_ms;
    KEVENT stop;
    PVOID thread;
} ask;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD driver_unload;

// --- Time ---

static void block_overdue(void)
{
    struct ask_item *item;
    while (ask.timeout_ms && (item = ask_question_overdue(ask.timeout_ms)) != NULL) {
        if (ask_connection_answer(item, ASK_BLOCK))
            ask_question_count_timeout();
        ask_question_release(item);
        ask_device_changed();
    }
}

// Tells those who wait for a change, which may come at DISPATCH_LEVEL, and looks after time while there is anything to
// look after; otherwise it sleeps.
static VOID NTAPI run_clock(VOID *context)
{
    PVOID events[2];
    LARGE_INTEGER second;
    BOOLEAN busy = FALSE;
    UNREFERENCED_PARAMETER(context);
    events[0] = &ask.stop;
    events[1] = ask_questions_changed();
    second.QuadPart = -10000000;
    while (KeWaitForMultipleObjects(2, events, WaitAny, Executive, KernelMode, FALSE, busy ? &second : NULL, NULL) !=
           STATUS_WAIT_0) {
        ask_device_changed();
        block_overdue();
        busy = ask_questions_expire();
    }
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS start_clock(void)
{
    HANDLE handle;
    KeInitializeEvent(&ask.stop, NotificationEvent, FALSE);
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run_clock, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &ask.thread, NULL);
    (void)ZwClose(handle);
    return status;
}

static void stop_clock(void)
{
    if (!ask.thread)
        return;
    (void)KeSetEvent(&ask.stop, IO_NO_INCREMENT, FALSE);
    (void)KeWaitForSingleObject(ask.thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(ask.thread);
    ask.thread = NULL;
}

// --- Parameters ---

static NTSTATUS open_parameters(UNICODE_STRING *registry_path, HANDLE *ret_key)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE service;
    UNICODE_STRING name;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&service, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    RtlInitUnicodeString(&name, L"Parameters");
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, service, NULL);
    status = ZwOpenKey(ret_key, KEY_READ, &attributes);
    (void)ZwClose(service);
    return status;
}

static NTSTATUS read_timeout(HANDLE key)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION value;
        UCHAR bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + TIMEOUT_TEXT_MAX * sizeof(WCHAR)];
    } buffer;
    UNICODE_STRING name, text;
    ULONG size, seconds;
    RtlInitUnicodeString(&name, L"timeout");
    NTSTATUS status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, &buffer, sizeof(buffer), &size);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(status))
        return status;
    UCHAR *data = buffer.bytes + FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    if (buffer.value.Type == REG_DWORD && buffer.value.DataLength == sizeof(seconds)) {
        RtlCopyMemory(&seconds, data, sizeof(seconds));
        ask.timeout_ms = (UINT64)seconds * 1000;
        return STATUS_SUCCESS;
    }
    if (buffer.value.Type != REG_SZ || buffer.value.DataLength < sizeof(WCHAR))
        return STATUS_OBJECT_TYPE_MISMATCH;
    text.Buffer = (WCHAR *)(void *)data;
    text.Length = (USHORT)(buffer.value.DataLength - sizeof(WCHAR));
    text.MaximumLength = (USHORT)buffer.value.DataLength;
    status = RtlUnicodeStringToInteger(&text, 10, &seconds);
    if (NT_SUCCESS(status))
        ask.timeout_ms = (UINT64)seconds * 1000;
    return status;
}

static NTSTATUS read_parameters(UNICODE_STRING *registry_path)
{
    HANDLE key;
    NTSTATUS status = open_parameters(registry_path, &key);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(status))
        return status;
    status = read_timeout(key);
    (void)ZwClose(key);
    return status;
}

// --- Start and stop ---

// Works from every point a failing DriverEntry can have reached. What waits is blocked while the filters still ask us
// for the verdicts; then the filters go, then what they referred to.
static void stop(void)
{
    stop_clock();
    if (ask.connections_started)
        ask_connections_close();
    if (ask.device_started)
        ask_device_stop();
    if (ask.objects_added) {
        NTSTATUS status = ask_objects_remove(ask.engine);
        if (!NT_SUCCESS(status))
            DbgPrint("[ask] the filters could not be removed (0x%08X)\n", (unsigned)status);
    }
    if (ask.connections_started)
        ask_connections_stop();
    ask_questions_forget();
    if (ask.engine)
        (void)FwpmEngineClose0(ask.engine);
    RtlZeroMemory(&ask, sizeof(ask));
}

static void NTAPI driver_unload(DRIVER_OBJECT *driver)
{
    UNREFERENCED_PARAMETER(driver);
    stop();
    DbgPrint("[ask] ask is unloaded\n");
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    DEVICE_OBJECT *device = NULL;
    const CHAR *step = "reading the parameters";
    ask_questions_init();
    NTSTATUS status = read_parameters(registry_path);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "opening the filter engine";
    status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &ask.engine);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "creating the device";
    ask.device_started = TRUE;
    status = ask_device_start(driver, ask.engine, &device);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "registering the callouts";
    ask.connections_started = TRUE;
    status = ask_connections_start(device);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "starting the clock";
    status = start_clock();
    if (!NT_SUCCESS(status))
        goto failed;

    step = "adding the filters";
    status = ask_objects_add(ask.engine);
    if (!NT_SUCCESS(status))
        goto failed;
    ask.objects_added = TRUE;

    driver->DriverUnload = driver_unload;
    DbgPrint("[ask] ask is loaded\n");
    return STATUS_SUCCESS;

failed:
    DbgPrint("[ask] ask cannot start: %s failed (0x%08X)\n", step, (unsigned)status);
    stop();
    return status;
}
