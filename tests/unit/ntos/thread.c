// System threads: their life, handles, objects, ends.
#include "capture.h"

static KEVENT go;
static PKTHREAD seen_thread;
static bool reached_end;

static VOID run(PVOID context)
{
    seen_thread = KeGetCurrentThread();
    (void)KeWaitForSingleObject(&go, Executive, KernelMode, FALSE, NULL);
    if (context)
        (void)PsTerminateSystemThread(STATUS_SUCCESS);
    reached_end = true;
}

static int setup(void **state)
{
    KeInitializeEvent(&go, NotificationEvent, FALSE);
    reached_end = false;
    return capture_start(state);
}

static PVOID start(PVOID context)
{
    HANDLE handle;
    PVOID thread;
    assert_int_equal(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, context), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &thread, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, *PsProcessType, KernelMode, &(PVOID){ NULL }, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
    return thread;
}

static void returns(void **state)
{
    LARGE_INTEGER brief = { .QuadPart = -100000 };
    PVOID thread = start(NULL);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, &brief), STATUS_TIMEOUT);
    (void)KeSetEvent(&go, IO_NO_INCREMENT, FALSE);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_true(reached_end);
    assert_ptr_equal(seen_thread, thread);
    assert_true(PsIsSystemThread(thread));
    ObDereferenceObject(thread);
    assert_no_reports();
}

static void terminates(void **state)
{
    PVOID thread = start(&go);
    (void)KeSetEvent(&go, IO_NO_INCREMENT, FALSE);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_false(reached_end);
    ObDereferenceObject(thread);
}

static void foreign_threads(void **state)
{
    PKTHREAD me = KeGetCurrentThread();
    assert_ptr_equal(me, KeGetCurrentThread());
    assert_false(PsIsSystemThread(me));
    assert_int_equal((ULONG_PTR)PsGetCurrentThreadId(), (ULONG_PTR)gettid());
    assert_int_equal(PsTerminateSystemThread(STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
    assert_violation("PsTerminateSystemThread");
}

static VOID end_raised(PVOID context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
}

static void ending_raised_is_reported(void **state)
{
    HANDLE handle;
    assert_int_equal(PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, end_raised, NULL), STATUS_SUCCESS);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, NULL), STATUS_SUCCESS);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
    assert_violation("PsTerminateSystemThread");
}

static void over_dereference(void)
{
    HANDLE handle;
    PVOID event;
    (void)ZwCreateEvent(&handle, 0, NULL, NotificationEvent, FALSE);
    (void)ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &event, NULL);
    (void)ObDereferenceObject(event);
    (void)ObDereferenceObject(event);
    (void)ZwClose(handle);
}

static void reference_stack(void)
{
    char memory[128] __attribute__((aligned(16))) = {0};
    ObReferenceObject(memory + 64);
}

static void wrong_references_are_bug_checks(void **state)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they look into freed memory
    assert_bugcheck(over_dereference, "is not an object");
#endif
    assert_bugcheck(reference_stack, "is not an object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(returns, setup),
        cmocka_unit_test_setup(terminates, setup),
        cmocka_unit_test_setup(foreign_threads, setup),
        cmocka_unit_test_setup(ending_raised_is_reported, setup),
        cmocka_unit_test_setup(wrong_references_are_bug_checks, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
