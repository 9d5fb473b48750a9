// IRPs through a stack of devices: completion routines, requests drivers make, cancel-safe queues, remove locks.
#include "loaded.h"

static struct ntos_driver *driver;
static PDRIVER_OBJECT object;
static PDEVICE_OBJECT lower, upper;
static PIRP pended;
static int completions;
static bool hold;

static NTSTATUS finish(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS on_complete(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    completions++;
    assert_ptr_equal(device, upper);
    assert_ptr_equal(context, &completions);
    if (hold) {
        pended = irp;
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (irp->PendingReturned)
        IoMarkIrpPending(irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS open_close(PDEVICE_OBJECT device, PIRP irp)
{
    return finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS control(PDEVICE_OBJECT device, PIRP irp)
{
    ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xfff;
    if (device == upper) {
        if (code == 1) {
            IoSkipCurrentIrpStackLocation(irp);
            return IoCallDriver(lower, irp);
        }
        IoCopyCurrentIrpStackLocationToNext(irp);
        IoSetCompletionRoutine(irp, on_complete, &completions, TRUE, TRUE, TRUE);
        NTSTATUS status = IoCallDriver(lower, irp);
        if (hold) {
            IoMarkIrpPending(irp);
            return STATUS_PENDING;
        }
        return status;
    }
    assert_ptr_equal(device, lower);
    if (code == 3) {
        IoMarkIrpPending(irp);
        pended = irp;
        return STATUS_PENDING;
    }
    *(PULONG)irp->AssociatedIrp.SystemBuffer = 1000 + code;
    return finish(irp, STATUS_SUCCESS, sizeof(ULONG));
}

static int setup(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Echo"), lower_name = RTL_CONSTANT_STRING(L"\\Device\\Lower");
    PFILE_OBJECT file;
    PDEVICE_OBJECT echo;
    (void)capture_start(state);
    completions = 0;
    hold = false;
    pended = NULL;
    driver = load("echo", NULL);
    if (IoGetDeviceObjectPointer(&name, 0, &file, &echo) != STATUS_SUCCESS)
        return -1;
    object = echo->DriverObject;
    ObDereferenceObject(file);
    object->MajorFunction[IRP_MJ_CREATE] = object->MajorFunction[IRP_MJ_CLOSE] = open_close;
    object->MajorFunction[IRP_MJ_CLEANUP] = open_close;
    object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
    if (IoCreateDevice(object, 0, &lower_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &lower) != STATUS_SUCCESS ||
        IoCreateDevice(object, 8, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &upper) != STATUS_SUCCESS)
        return -1;
    lower->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    upper->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return IoAttachDeviceToDeviceStack(upper, lower) == lower ? 0 : -1;
}

static int teardown(void **state)
{
    IoDetachDevice(lower);
    IoDeleteDevice(upper);
    IoDeleteDevice(lower);
    unload(driver, 0);
    return 0;
}

#define CODE(number) CTL_CODE(FILE_DEVICE_UNKNOWN, number, METHOD_BUFFERED, FILE_ANY_ACCESS)

static void through_the_stack(void **state)
{
    struct ntos_file *file;
    ULONG answer = 0;
    uint32_t size;
    assert_int_equal(upper->StackSize, 2);
    assert_int_equal(ntos_file_open("\\Device\\Lower", NTOS_ACCESS_READ, 1, &file), STATUS_SUCCESS);
    assert_int_equal(ntos_file_control(file, CODE(1), NULL, 0, &answer, 4, 5000, &size), STATUS_SUCCESS);
    assert_int_equal(answer, 1001);
    assert_int_equal(completions, 0);
    assert_int_equal(ntos_file_control(file, CODE(2), NULL, 0, &answer, 4, 5000, &size), STATUS_SUCCESS);
    assert_int_equal(answer, 1002);
    assert_int_equal(completions, 1);
    // The lower driver pends, the upper one hears of the end.
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = CODE(3), .output_size = 4 };
    struct ntos_request *request;
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_false(ntos_request_wait(request, 0));
    (void)finish(pended, STATUS_NOT_FOUND, 0);
    assert_true(ntos_request_wait(request, 0));
    assert_int_equal(ntos_request_result(request, NULL, NULL), STATUS_NOT_FOUND);
    assert_int_equal(completions, 2);
    ntos_request_free(request);
    // A completion routine keeps the request, and completes it later.
    hold = true;
    options.code = CODE(4);
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_false(ntos_request_wait(request, 0));
    hold = false;
    IoCompleteRequest(pended, IO_NO_INCREMENT);
    assert_true(ntos_request_wait(request, 0));
    const void *data;
    assert_int_equal(ntos_request_result(request, &data, &size), STATUS_SUCCESS);
    assert_int_equal(*(const ULONG *)data, 1004);
    ntos_request_free(request);
    ntos_file_close(file);
    assert_no_reports();
}

static void requests_of_drivers(void **state)
{
    KEVENT event;
    IO_STATUS_BLOCK status = {0};
    ULONG answer = 0;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildDeviceIoControlRequest(CODE(2), upper, NULL, 0, &answer, sizeof(answer), FALSE, &event, &status);
    assert_non_null(irp);
    assert_int_equal(IoCallDriver(upper, irp), STATUS_SUCCESS);
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_int_equal(status.Status, STATUS_SUCCESS);
    assert_int_equal(status.Information, 4);
    assert_int_equal(answer, 1002);
    irp = IoAllocateIrp(1, FALSE);
    assert_int_equal(irp->StackCount, 1);
    IoReuseIrp(irp, STATUS_PENDING);
    IoFreeIrp(irp);
    assert_no_reports();
}

static void call_too_deep(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    (void)IoCallDriver(lower, irp);
}

static void complete_twice(void)
{
    hold = true;
    PIRP irp = IoAllocateIrp(2, FALSE);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void misuse_is_a_bug_check(void **state)
{
    assert_bugcheck(call_too_deep, "has no stack location left");
    assert_bugcheck(complete_twice, "was completed before");
}

// --- Cancel-safe queues ---

static LIST_ENTRY queue;
static KSPIN_LOCK queue_lock;
static int cancelled;

static VOID insert(PIO_CSQ csq, PIRP irp)
{
    InsertTailList(&queue, &irp->Tail.Overlay.ListEntry);
}

static VOID take(PIO_CSQ csq, PIRP irp)
{
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP peek(PIO_CSQ csq, PIRP irp, PVOID context)
{
    PLIST_ENTRY next = irp ? irp->Tail.Overlay.ListEntry.Flink : queue.Flink;
    return next == &queue ? NULL : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}

static VOID acquire(PIO_CSQ csq, PKIRQL irql)
{
    KeAcquireSpinLock(&queue_lock, irql);
}

static VOID release(PIO_CSQ csq, KIRQL irql)
{
    KeReleaseSpinLock(&queue_lock, irql);
}

static VOID complete_cancelled(PIO_CSQ csq, PIRP irp)
{
    cancelled++;
    (void)finish(irp, STATUS_CANCELLED, 0);
}

static PIRP queued_irp(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    IoGetCurrentIrpStackLocation(irp)->DeviceObject = lower;
    return irp;
}

static void cancel_safe_queues(void **state)
{
    IO_CSQ csq;
    IO_CSQ_IRP_CONTEXT context;
    InitializeListHead(&queue);
    KeInitializeSpinLock(&queue_lock);
    cancelled = 0;
    assert_int_equal(IoCsqInitialize(&csq, insert, take, peek, acquire, release, complete_cancelled), STATUS_SUCCESS);
    PIRP first = queued_irp(), second = queued_irp(), third = queued_irp();
    IoCsqInsertIrp(&csq, first, NULL);
    IoCsqInsertIrp(&csq, second, &context);
    IoCsqInsertIrp(&csq, third, NULL);
    assert_true(IoCancelIrp(first));
    assert_int_equal(cancelled, 1);
    assert_ptr_equal(IoCsqRemoveIrp(&csq, &context), second);
    assert_null(IoCsqRemoveIrp(&csq, &context));
    assert_ptr_equal(IoCsqRemoveNextIrp(&csq, NULL), third);
    assert_null(IoCsqRemoveNextIrp(&csq, NULL));
    assert_false(IoCancelIrp(third));
    // Cancelled before it is queued: completed at once.
    IoCsqInsertIrp(&csq, third, NULL);
    assert_int_equal(cancelled, 2);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoFreeIrp(first);
    IoFreeIrp(second);
    IoFreeIrp(third);
    assert_no_reports();
}

static void remove_locks(void **state)
{
    IO_REMOVE_LOCK lock;
    IoInitializeRemoveLock(&lock, 0, 0, 0);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
    IoReleaseRemoveLock(&lock, NULL);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
    IoReleaseRemoveLockAndWait(&lock, NULL);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
    assert_no_reports();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(through_the_stack, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_of_drivers, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse_is_a_bug_check, setup, teardown),
        cmocka_unit_test_setup_teardown(cancel_safe_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(remove_locks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
