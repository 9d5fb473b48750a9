#include "device.h"

#include <wdmsec.h>

#include "connection.h"
#include "objects.h"
#include "question.h"

static struct {
    DEVICE_OBJECT *device;
    BOOLEAN link_made;
    HANDLE engine;
    KEVENT free_to_remember;  // one transaction at a time on the engine's session
    IO_CSQ queue;  // requests that wait for a change
    LIST_ENTRY waiting;
    KSPIN_LOCK lock;
    BOOLEAN closing;
} state;

// {2c6f0f2e-54b7-4f0c-9a5d-8f2d1c7be3a0}: names the device's settings, should an administrator make some.
static const GUID device_class = { 0x2c6f0f2e, 0x54b7, 0x4f0c, { 0x9a, 0x5d, 0x8f, 0x2d, 0x1c, 0x7b, 0xe3, 0xa0 } };

// --- Requests that wait ---

static void NTAPI insert_irp(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    InsertTailList(&state.waiting, &irp->Tail.Overlay.ListEntry);
}

static void NTAPI remove_irp(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    (void)RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

// Which of the requests that wait: those that know another sequence number, or those of a file.
struct match {
    UINT64 sequence;
    const FILE_OBJECT *file;  // NULL: any
};

// What a request knows; its buffer holds the answer too.
static struct ask_wait *wait_of(IRP *irp)
{
    return (struct ask_wait *)irp->AssociatedIrp.SystemBuffer;
}

// `context`: a struct match, or NULL for any request.
static IRP *NTAPI peek_irp(IO_CSQ *queue, IRP *irp, VOID *context)
{
    UNREFERENCED_PARAMETER(queue);
    LIST_ENTRY *at = irp ? irp->Tail.Overlay.ListEntry.Flink : state.waiting.Flink;
    for (; at != &state.waiting; at = at->Flink) {
        IRP *next = CONTAINING_RECORD(at, IRP, Tail.Overlay.ListEntry);
        const struct match *match = (const struct match *)context;
        if (!match || (match->file ? IoGetCurrentIrpStackLocation(next)->FileObject == match->file
                                   : wait_of(next)->sequence != match->sequence))
            return next;
    }
    return NULL;
}

static void NTAPI lock_queue(IO_CSQ *queue, KIRQL *irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeAcquireSpinLock(&state.lock, irql);
}

static void NTAPI unlock_queue(IO_CSQ *queue, KIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeReleaseSpinLock(&state.lock, irql);
}

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR bytes)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = bytes;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static void NTAPI cancel_irp(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    (void)complete(irp, STATUS_CANCELLED, 0);
}

void ask_device_changed(void)
{
    struct ask_counts counts;
    struct match match = { 0, NULL };
    IRP *irp;
    if (!state.device)
        return;
    do {
        ask_questions_count(&counts);
        match.sequence = counts.sequence;
        irp = IoCsqRemoveNextIrp(&state.queue, &match);
        if (irp) {
            wait_of(irp)->sequence = counts.sequence;
            (void)complete(irp, STATUS_SUCCESS, sizeof(struct ask_wait));
        }
    } while (irp);
}

static NTSTATUS wait(IRP *irp, ULONG input_bytes, ULONG output_bytes)
{
    if (input_bytes < sizeof(struct ask_wait) || output_bytes < sizeof(struct ask_wait))
        return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    if (state.closing)
        return complete(irp, STATUS_DELETE_PENDING, 0);
    IoCsqInsertIrp(&state.queue, irp, NULL);
    ask_device_changed();  // it may have changed already
    return STATUS_PENDING;
}

// --- Listing ---

static BOOLEAN put_question(struct ask_item *item, UCHAR *at, ULONG room, ULONG *ret_bytes)
{
    const struct ask_layer *layer = ask_layer_find(item->key.layer_id);
    ULONG path_bytes = item->path_bytes - sizeof(WCHAR);
    ULONG bytes = (ULONG)(sizeof(struct ask_question) + path_bytes + 7) & ~7u;
    struct ask_question question;
    if (bytes > room)
        return FALSE;
    RtlZeroMemory(&question, sizeof(question));
    question.bytes = bytes;
    question.process_id = item->process_id;
    question.id = item->id;
    question.age_ms = ask_question_age(item);
    question.layer_id = item->key.layer_id;
    question.local_port = item->key.local_port;
    question.remote_port = item->key.remote_port;
    question.path_bytes = (unsigned short)path_bytes;
    question.family = layer->is_v6 ? 6 : 4;
    question.protocol = item->key.protocol;
    question.inbound = layer->inbound;
    RtlCopyMemory(question.local_address, item->key.local, sizeof(question.local_address));
    RtlCopyMemory(question.remote_address, item->key.remote, sizeof(question.remote_address));
    RtlZeroMemory(at, bytes);
    RtlCopyMemory(at, &question, sizeof(question));
    RtlCopyMemory(at + sizeof(question), item->path, path_bytes);
    *ret_bytes = bytes;
    return TRUE;
}

static NTSTATUS list(IRP *irp, ULONG input_bytes, ULONG output_bytes)
{
    UCHAR *buffer = (UCHAR *)irp->AssociatedIrp.SystemBuffer;
    struct ask_list_output output;
    struct ask_counts counts;
    ULONG used = sizeof(output), bytes = 0;
    if (input_bytes < sizeof(struct ask_list_input) || output_bytes < sizeof(output))
        return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    UINT64 after = ((const struct ask_list_input *)buffer)->after_id;
    ask_questions_count(&counts);
    RtlZeroMemory(&output, sizeof(output));
    output.sequence = counts.sequence;
    output.waiting = counts.waiting;
    output.refused = counts.refused;
    output.timed_out = counts.timed_out;
    struct ask_item *item;
    while (!output.more && (item = ask_question_next(after)) != NULL) {
        after = item->id;
        if (put_question(item, buffer + used, output_bytes - used, &bytes)) {
            used += bytes;
            output.count++;
        } else {
            output.more = 1;
        }
        ask_question_release(item);
    }
    RtlCopyMemory(buffer, &output, sizeof(output));
    return complete(irp, STATUS_SUCCESS, used);
}

// --- Answering ---

// Answers the other questions of the program that the new filter answers too. Returns how many.
static ULONG answer_alike(const struct ask_item *model, BOOLEAN inbound, UCHAR verdict)
{
    ULONG count = 0;
    UINT64 after = 0;
    struct ask_item *item;
    while ((item = ask_question_next(after)) != NULL) {
        after = item->id;
        if (item->path_bytes == model->path_bytes && ask_layer_find(item->key.layer_id)->inbound == inbound &&
            RtlCompareMemory(item->path, model->path, model->path_bytes) == model->path_bytes &&
            ask_connection_answer(item, verdict))
            count++;
        ask_question_release(item);
    }
    return count;
}

static NTSTATUS answer_item(struct ask_item *item, const struct ask_answer_input *input, ULONG *ret_answered)
{
    BOOLEAN inbound = ask_layer_find(item->key.layer_id)->inbound;
    UCHAR verdict = (UCHAR)input->verdict;
    NTSTATUS status = STATUS_SUCCESS;
    *ret_answered = 0;
    if (input->remember) {
        // The filter first: what comes between it and the answers below finds it.
        (void)KeWaitForSingleObject(&state.free_to_remember, Executive, KernelMode, FALSE, NULL);
        status = ask_objects_remember(state.engine, item->path, item->path_bytes, inbound, verdict == ASK_ALLOW);
        (void)KeSetEvent(&state.free_to_remember, IO_NO_INCREMENT, FALSE);
    }
    if (!NT_SUCCESS(status))
        return status;
    if (ask_connection_answer(item, verdict))
        *ret_answered = 1;
    if (input->remember)
        *ret_answered += answer_alike(item, inbound, verdict);
    return *ret_answered ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static NTSTATUS answer(IRP *irp, ULONG input_bytes, ULONG output_bytes)
{
    struct ask_answer_input input;
    struct ask_answer_output output;
    if (input_bytes < sizeof(input) || output_bytes < sizeof(output))
        return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlCopyMemory(&input, irp->AssociatedIrp.SystemBuffer, sizeof(input));
    RtlZeroMemory(&output, sizeof(output));
    if (input.verdict != ASK_ALLOW && input.verdict != ASK_BLOCK)
        return complete(irp, STATUS_INVALID_PARAMETER, 0);

    struct ask_item *item = ask_question_find(input.id);
    ULONG answered = 0;
    NTSTATUS status = item ? answer_item(item, &input, &answered) : STATUS_NOT_FOUND;
    if (item)
        ask_question_release(item);
    if (answered)
        ask_device_changed();
    output.answered = answered;
    if (NT_SUCCESS(status))
        RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, &output, sizeof(output));
    return complete(irp, status, NT_SUCCESS(status) ? sizeof(output) : 0);
}

// --- The device ---

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG input_bytes = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG output_bytes = stack->Parameters.DeviceIoControl.OutputBufferLength;
    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case ASK_CODE_LIST:
        return list(irp, input_bytes, output_bytes);
    case ASK_CODE_WAIT:
        IoMarkIrpPending(irp);
        (void)wait(irp, input_bytes, output_bytes);
        return STATUS_PENDING;
    case ASK_CODE_ANSWER:
        return answer(irp, input_bytes, output_bytes);
    default:
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS NTAPI on_create_or_close(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    return complete(irp, STATUS_SUCCESS, 0);
}

// A program closes its handle, or has died: what it waited for is cancelled.
static NTSTATUS NTAPI on_cleanup(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    struct match match = { 0, IoGetCurrentIrpStackLocation(irp)->FileObject };
    IRP *waiting;
    while ((waiting = IoCsqRemoveNextIrp(&state.queue, &match)) != NULL)
        (void)complete(waiting, STATUS_CANCELLED, 0);
    return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS ask_device_start(DRIVER_OBJECT *driver, HANDLE engine, DEVICE_OBJECT **ret_device)
{
    UNICODE_STRING device_name, link_name;
    RtlZeroMemory(&state, sizeof(state));
    state.engine = engine;
    KeInitializeEvent(&state.free_to_remember, SynchronizationEvent, TRUE);
    KeInitializeSpinLock(&state.lock);
    InitializeListHead(&state.waiting);
    NTSTATUS status = IoCsqInitialize(&state.queue, insert_irp, remove_irp, peek_irp, lock_queue, unlock_queue,
                                      cancel_irp);
    if (!NT_SUCCESS(status))
        return status;
    driver->MajorFunction[IRP_MJ_CREATE] = on_create_or_close;
    driver->MajorFunction[IRP_MJ_CLOSE] = on_create_or_close;
    driver->MajorFunction[IRP_MJ_CLEANUP] = on_cleanup;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;

    RtlInitUnicodeString(&device_name, L"\\Device\\RingwallAsk");
    RtlInitUnicodeString(&link_name, L"\\DosDevices\\RingwallAsk");
    status = IoCreateDeviceSecure(driver, 0, &device_name, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                                  &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, &device_class, &state.device);
    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateSymbolicLink(&link_name, &device_name);
    state.link_made = NT_SUCCESS(status);
    *ret_device = state.device;
    return status;
}

void ask_device_stop(void)
{
    IRP *irp;
    state.closing = TRUE;
    if (!state.device)
        return;
    while ((irp = IoCsqRemoveNextIrp(&state.queue, NULL)) != NULL)
        (void)complete(irp, STATUS_DELETE_PENDING, 0);
    if (state.link_made) {
        UNICODE_STRING link_name;
        RtlInitUnicodeString(&link_name, L"\\DosDevices\\RingwallAsk");
        (void)IoDeleteSymbolicLink(&link_name);
    }
    IoDeleteDevice(state.device);
    RtlZeroMemory(&state, sizeof(state));
}
