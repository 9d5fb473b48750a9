// Work items, driver extensions, device DPCs and timers.
#include "loaded.h"

static struct ntos_driver *driver;
static PDEVICE_OBJECT device;
static KEVENT done;
static KIRQL irql;
static PVOID seen[3];

static int setup(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Echo");
    PFILE_OBJECT file;
    (void)capture_start(state);
    driver = load("echo", NULL);
    KeInitializeEvent(&done, SynchronizationEvent, FALSE);
    irql = 99;
    memset(seen, 0, sizeof(seen));
    if (IoGetDeviceObjectPointer(&name, 0, &file, &device) != STATUS_SUCCESS)
        return -1;
    ObDereferenceObject(file);
    return 0;
}

static int teardown(void **state)
{
    unload(driver, 0);
    return 0;
}

static NTSTATUS wait_done(void)
{
    LARGE_INTEGER timeout = { .QuadPart = -50000000 };
    return KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, &timeout);
}

static VOID work(PDEVICE_OBJECT of, PVOID context)
{
    irql = KeGetCurrentIrql();
    seen[0] = of;
    seen[1] = context;
    (void)KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static VOID work_ex(PVOID of, PVOID context, PIO_WORKITEM item)
{
    seen[0] = of;
    seen[1] = context;
    seen[2] = item;
    IoFreeWorkItem(item);
    (void)KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static VOID plain(PVOID parameter)
{
    work(NULL, parameter);
}

static void work_items(void **state)
{
    PIO_WORKITEM item = IoAllocateWorkItem(device);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    IoQueueWorkItem(item, work, DelayedWorkQueue, &irql);
    KeLowerIrql(old);
    assert_int_equal(wait_done(), STATUS_SUCCESS);
    assert_int_equal(irql, PASSIVE_LEVEL);
    assert_ptr_equal(seen[0], device);
    assert_ptr_equal(seen[1], &irql);
    IoQueueWorkItemEx(item, work_ex, DelayedWorkQueue, &seen);
    assert_int_equal(wait_done(), STATUS_SUCCESS);
    assert_ptr_equal(seen[2], item);
    WORK_QUEUE_ITEM old_style;
    ExInitializeWorkItem(&old_style, plain, &done);
    ExQueueWorkItem(&old_style, DelayedWorkQueue);
    assert_int_equal(wait_done(), STATUS_SUCCESS);
    assert_ptr_equal(seen[1], &done);
    assert_no_reports();
}

static KEVENT gate;

static VOID wait_gate(PDEVICE_OBJECT of, PVOID context)
{
    (void)KeWaitForSingleObject(&gate, Executive, KernelMode, FALSE, NULL);
    (void)KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static void queueing_twice_is_reported(void **state)
{
    PIO_WORKITEM items[5];
    KeInitializeEvent(&gate, NotificationEvent, FALSE);
    for (int i = 0; i < 5; i++) {
        items[i] = IoAllocateWorkItem(device);
        IoQueueWorkItem(items[i], wait_gate, DelayedWorkQueue, NULL);  // one more than there are threads
    }
    IoQueueWorkItem(items[4], wait_gate, DelayedWorkQueue, NULL);
    assert_violation("IoQueueWorkItem");
    IoFreeWorkItem(items[4]);
    assert_violation("IoFreeWorkItem");
    (void)KeSetEvent(&gate, IO_NO_INCREMENT, FALSE);
    (void)usleep(50000);
    for (int i = 0; i < 5; i++)
        IoFreeWorkItem(items[i]);
    assert_no_reports();
}

static void extensions(void **state)
{
    PVOID memory, other;
    assert_int_equal(IoAllocateDriverObjectExtension(device->DriverObject, &done, 64, &memory), STATUS_SUCCESS);
    memset(memory, 1, 64);
    assert_ptr_equal(IoGetDriverObjectExtension(device->DriverObject, &done), memory);
    assert_null(IoGetDriverObjectExtension(device->DriverObject, &gate));
    assert_int_equal(IoAllocateDriverObjectExtension(device->DriverObject, &done, 64, &other),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_null(other);
}

static VOID device_dpc(PKDPC dpc, PDEVICE_OBJECT of, PIRP irp, PVOID context)
{
    irql = KeGetCurrentIrql();
    seen[0] = of;
    seen[1] = context;
    (void)KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static VOID device_timer(PDEVICE_OBJECT of, PVOID context)
{
    irql = KeGetCurrentIrql();
    seen[0] = of;
    (void)KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static void device_dpcs_and_timers(void **state)
{
    IoInitializeDpcRequest(device, device_dpc);
    IoRequestDpc(device, NULL, &gate);
    assert_int_equal(wait_done(), STATUS_SUCCESS);
    assert_int_equal(irql, DISPATCH_LEVEL);
    assert_ptr_equal(seen[0], device);
    assert_ptr_equal(seen[1], &gate);
    assert_int_equal(IoInitializeTimer(device, device_timer, NULL), STATUS_SUCCESS);
    assert_int_equal(IoInitializeTimer(device, device_timer, NULL), STATUS_UNSUCCESSFUL);
    IoStartTimer(device);
    seen[0] = NULL;
    assert_int_equal(wait_done(), STATUS_SUCCESS);
    assert_ptr_equal(seen[0], device);
    IoStopTimer(device);
    IoStartTimer(device);  // still running at unload: it ends with its device
}

static void notification_events(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\x");
    HANDLE handle;
    PKEVENT event = IoCreateNotificationEvent(&name, &handle);
    assert_int_equal(KeReadStateEvent(event), 1);
    KeClearEvent(event);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(work_items, setup, teardown),
        cmocka_unit_test_setup_teardown(queueing_twice_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(extensions, setup, teardown),
        cmocka_unit_test_setup_teardown(device_dpcs_and_timers, setup, teardown),
        cmocka_unit_test_setup_teardown(notification_events, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
