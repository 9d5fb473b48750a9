#include "log.h"

#include <stdarg.h>
#include <stdio.h>

#define TAG 'llaW'  // "Wall" in a dump

struct line {
    USHORT length;
    CHAR text[WALL_LOG_LINE_MAX];
};

// An opener of the device: the number of the line it reads next.
struct reader {
    ULONGLONG next;
};

// Everything under the lock. Lines are numbered from 0; line n is at lines[n % WALL_LOG_LINES].
static struct {
    KSPIN_LOCK lock;
    ULONGLONG written;
    ULONG readers;
    LIST_ENTRY waiting;  // requests that the queue holds
    IO_CSQ queue;
    struct line lines[WALL_LOG_LINES];
} state;

static DRIVER_DISPATCH dispatch_open, dispatch_cleanup, dispatch_close, dispatch_control;

static struct reader *reader_of(IRP *irp)
{
    return IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext;
}

// --- Writing to readers ---

static ULONG copy_bytes(CHAR *target, const CHAR *source, ULONG length)
{
    RtlCopyMemory(target, source, length);
    return length;
}

// Tells the reader what it missed. There is room for a line.
static ULONG skip_lost(struct reader *reader, CHAR *target)
{
    ULONGLONG oldest = state.written > WALL_LOG_LINES ? state.written - WALL_LOG_LINES : 0;
    if (reader->next >= oldest)
        return 0;
    ULONG lost = (ULONG)(oldest - reader->next);
    reader->next = oldest;
    return (ULONG)_snprintf(target, WALL_LOG_LINE_MAX, "[WFP]%u lines were lost: they were not read in time\n",
                            (unsigned)lost);
}

static ULONG take_lines(struct reader *reader, CHAR *target, ULONG size)
{
    ULONG used = skip_lost(reader, target);
    while (reader->next < state.written) {
        const struct line *line = &state.lines[reader->next % WALL_LOG_LINES];
        if (line->length > size - used)
            break;
        used += copy_bytes(target + used, line->text, line->length);
        reader->next++;
    }
    return used;
}

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

// Which waiting request to take: those that lines are there for, those of one file, or all.
struct choice {
    BOOLEAN ready;
    const FILE_OBJECT *file;
};

static void serve_readers(void)
{
    struct choice ready = { TRUE, NULL };
    IRP *irp;
    while ((irp = IoCsqRemoveNextIrp(&state.queue, &ready)) != NULL) {
        KIRQL irql;
        KeAcquireSpinLock(&state.lock, &irql);
        ULONG used = take_lines(reader_of(irp), irp->AssociatedIrp.SystemBuffer,
                                IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength);
        KeReleaseSpinLock(&state.lock, irql);
        complete(irp, STATUS_SUCCESS, used);
    }
}

void wall_log_print(const CHAR *format, ...)
{
    CHAR text[WALL_LOG_LINE_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnprintf(text, WALL_LOG_LINE_MAX, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= WALL_LOG_LINE_MAX) {  // it did not fit
        length = WALL_LOG_LINE_MAX;
        text[length - 1] = '\n';
    }
    text[length] = '\0';
    DbgPrint("%s", text);

    KIRQL irql;
    KeAcquireSpinLock(&state.lock, &irql);
    struct line *line = &state.lines[state.written % WALL_LOG_LINES];
    line->length = (USHORT)copy_bytes(line->text, text, (ULONG)length);
    state.written++;
    KeReleaseSpinLock(&state.lock, irql);
    serve_readers();
}

// --- The queue of waiting requests ---

static VOID NTAPI queue_insert(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    InsertTailList(&state.waiting, &irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI queue_remove(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static IRP *NTAPI queue_peek(IO_CSQ *queue, IRP *irp, PVOID context)
{
    const struct choice *choice = context;
    LIST_ENTRY *entry = irp ? irp->Tail.Overlay.ListEntry.Flink : state.waiting.Flink;
    UNREFERENCED_PARAMETER(queue);
    for (; entry != &state.waiting; entry = entry->Flink) {
        IRP *candidate = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        BOOLEAN fits = !choice->ready || reader_of(candidate)->next < state.written;
        if (fits && (!choice->file || choice->file == IoGetCurrentIrpStackLocation(candidate)->FileObject))
            return candidate;
    }
    return NULL;
}

_IRQL_raises_(DISPATCH_LEVEL)
static VOID NTAPI queue_lock(IO_CSQ *queue, KIRQL *irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeAcquireSpinLock(&state.lock, irql);
}

_IRQL_requires_(DISPATCH_LEVEL)
static VOID NTAPI queue_unlock(IO_CSQ *queue, KIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeReleaseSpinLock(&state.lock, irql);
}

static VOID NTAPI queue_cancel(IO_CSQ *queue, IRP *irp)
{
    UNREFERENCED_PARAMETER(queue);
    complete(irp, STATUS_CANCELLED, 0);
}

static void end_requests(const FILE_OBJECT *file, NTSTATUS status)
{
    struct choice choice = { FALSE, file };
    IRP *irp;
    while ((irp = IoCsqRemoveNextIrp(&state.queue, &choice)) != NULL)
        complete(irp, status, 0);
}

// --- Requests ---

static NTSTATUS NTAPI dispatch_open(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    struct reader *reader = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*reader), TAG);
    if (!reader)
        return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    KIRQL irql;
    KeAcquireSpinLock(&state.lock, &irql);
    BOOLEAN admitted = state.readers < WALL_LOG_READERS_MAX;
    if (admitted)
        state.readers++;
    reader->next = state.written > WALL_LOG_LINES ? state.written - WALL_LOG_LINES : 0;
    KeReleaseSpinLock(&state.lock, irql);
    if (!admitted) {
        ExFreePoolWithTag(reader, TAG);
        return complete(irp, STATUS_TOO_MANY_OPENED_FILES, 0);
    }
    IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext = reader;
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI dispatch_cleanup(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    end_requests(IoGetCurrentIrpStackLocation(irp)->FileObject, STATUS_CANCELLED);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI dispatch_close(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    ExFreePoolWithTag(reader_of(irp), TAG);
    KIRQL irql;
    KeAcquireSpinLock(&state.lock, &irql);
    state.readers--;
    KeReleaseSpinLock(&state.lock, irql);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI dispatch_control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    if (location->Parameters.DeviceIoControl.IoControlCode != WALL_IOCTL_READ_LOG)
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (location->Parameters.DeviceIoControl.InputBufferLength != 0)
        return complete(irp, STATUS_INVALID_PARAMETER, 0);
    if (location->Parameters.DeviceIoControl.OutputBufferLength < WALL_LOG_LINE_MAX)
        return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);

    // Always by way of the queue: a line that comes between looking and waiting is not missed.
    IoCsqInsertIrp(&state.queue, irp, NULL);
    serve_readers();
    return STATUS_PENDING;
}

NTSTATUS wall_log_start(DRIVER_OBJECT *driver)
{
    KeInitializeSpinLock(&state.lock);
    InitializeListHead(&state.waiting);
    state.written = 0;
    state.readers = 0;
    driver->MajorFunction[IRP_MJ_CREATE] = dispatch_open;
    driver->MajorFunction[IRP_MJ_CLEANUP] = dispatch_cleanup;
    driver->MajorFunction[IRP_MJ_CLOSE] = dispatch_close;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch_control;
    return IoCsqInitialize(&state.queue, queue_insert, queue_remove, queue_peek, queue_lock, queue_unlock,
                           queue_cancel);
}

void wall_log_stop(void)
{
    end_requests(NULL, STATUS_DEVICE_NOT_CONNECTED);
}
