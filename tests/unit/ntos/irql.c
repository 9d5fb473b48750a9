// IRQL as a contract: what is forbidden is reported and fails, and never hangs.
#include "capture.h"

static int start(void **state)
{
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    return capture_start(state);
}

static void raise_and_lower(void **state)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KIRQL inner = KeRaiseIrqlToDpcLevel();
    assert_int_equal(inner, DISPATCH_LEVEL);
    KeLowerIrql(old);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_no_reports();
}

static void wrong_direction_is_reported(void **state)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KIRQL ignored;
    KeRaiseIrql(APC_LEVEL, &ignored);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_violation("KeRaiseIrql");
    KeLowerIrql(PASSIVE_LEVEL);
    KeLowerIrql(DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_violation("KeLowerIrql");
}

static void *read_irql(void *argument)
{
    *(KIRQL *)argument = KeGetCurrentIrql();
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    KIRQL old, other = 99;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_irql, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    KeLowerIrql(old);
    assert_int_equal(other, PASSIVE_LEVEL);
}

static void waiting_at_dispatch_fails(void **state)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    LARGE_INTEGER zero = { .QuadPart = 0 }, second = { .QuadPart = -10000000 };
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);

    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &zero), STATUS_TIMEOUT);
    assert_no_reports();
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL), STATUS_UNSUCCESSFUL);
    assert_true(capture.reports[0].frame_count > 0);
    assert_violation("KeWaitForSingleObject");
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &second), STATUS_UNSUCCESSFUL);
    assert_violation("KeWaitForSingleObject");
    PVOID objects[] = { &event };
    assert_int_equal(KeWaitForMultipleObjects(1, objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL),
                     STATUS_UNSUCCESSFUL);
    assert_violation("KeWaitForMultipleObjects");
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &second), STATUS_UNSUCCESSFUL);
    assert_violation("KeDelayExecutionThread");
    KeLowerIrql(old);
}

static void passive_functions_fail_at_dispatch(void **state)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    assert_null(ExAllocatePoolWithTag(PagedPool, 16, 'gaT1'));
    assert_violation("ExAllocatePoolWithTag");
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, 16, 'gaT1'));
    assert_violation("ExAllocatePool2");
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, L"\\Registry\\Machine");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwOpenKey(&handle, KEY_READ, &attributes), STATUS_UNSUCCESSFUL);
    assert_violation("ZwOpenKey");
    assert_int_equal(PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, NULL, NULL), STATUS_UNSUCCESSFUL);
    assert_violation("PsCreateSystemThread");
    PAGED_CODE();
    assert_violation("passive_functions_fail_at_dispatch");
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    assert_violation("ExAcquireFastMutex");
    KeLowerIrql(old);
}

static void reports_read_well(void **state)
{
    void *frames[] = { (void *)(ULONG_PTR)KeGetCurrentIrql };
    struct ntos_report report = { .kind = NTOS_REPORT_VIOLATION, .function = "KeWaitForSingleObject",
                                  .text = "called at IRQL 2, allowed up to 1", .irql = 2, .frames = frames,
                                  .frame_count = 1 };
    char text[512];
    size_t length = ntos_report_format(&report, text, sizeof(text));
    assert_int_equal(length, strlen(text));
    assert_non_null(strstr(text, "driver violation in KeWaitForSingleObject at IRQL 2: called at IRQL 2"));
    assert_non_null(strstr(text, "KeGetCurrentIrql+0x0"));
    assert_int_equal(ntos_report_format(&report, text, 10), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(raise_and_lower, start),
        cmocka_unit_test_setup(wrong_direction_is_reported, start),
        cmocka_unit_test_setup(each_thread_has_its_own, start),
        cmocka_unit_test_setup(waiting_at_dispatch_fails, start),
        cmocka_unit_test_setup(passive_functions_fail_at_dispatch, start),
        cmocka_unit_test_setup(reports_read_well, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
