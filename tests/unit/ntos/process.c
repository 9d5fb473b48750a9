// Processes: whose request it is, objects by number.
#include "capture.h"

static void current_process(void **state)
{
    assert_int_equal((ULONG_PTR)PsGetCurrentProcessId(), 4);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_int_equal(ntos_process_enter(4711), 0);
    assert_int_equal((ULONG_PTR)PsGetCurrentProcessId(), 4711);
    PEPROCESS process = PsGetCurrentProcess();
    assert_int_equal((ULONG_PTR)PsGetProcessId(process), 4711);
    assert_ptr_equal(PsGetCurrentProcess(), process);
    assert_int_equal(ExGetPreviousMode(), UserMode);
    assert_int_equal(ntos_process_enter(0), 4711);
    assert_int_equal((ULONG_PTR)PsGetCurrentProcessId(), 4);
    assert_int_equal(ExGetPreviousMode(), KernelMode);
}

static void lookup(void **state)
{
    PEPROCESS process = NULL;
    assert_int_equal(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)getpid(), &process), STATUS_SUCCESS);
    LARGE_INTEGER now;
    KeQuerySystemTime(&now);
    LONGLONG started = PsGetProcessCreateTimeQuadPart(process);
    assert_true(started > now.QuadPart - 600 * 10000000LL && started < now.QuadPart + 10000000LL);
    ObDereferenceObject(process);
    assert_int_equal(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)0x7ffffff0, &process), STATUS_INVALID_CID);
    assert_int_equal(PsLookupProcessByProcessId(NULL, &process), STATUS_INVALID_CID);
}

static void many_processes(void **state)
{
    // More than are kept: referenced ones stay the same object, the others make room.
    (void)ntos_process_enter(100000);
    PEPROCESS kept = PsGetCurrentProcess();
    ObReferenceObject(kept);
    for (uint32_t id = 1; id <= 3000; id++) {
        (void)ntos_process_enter(200000 + id);
        assert_int_equal((ULONG_PTR)PsGetProcessId(PsGetCurrentProcess()), 200000 + id);
    }
    (void)ntos_process_enter(100000);
    assert_ptr_equal(PsGetCurrentProcess(), kept);
    ObDereferenceObject(kept);
    (void)ntos_process_enter(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(current_process, capture_start),
        cmocka_unit_test_setup(lookup, capture_start),
        cmocka_unit_test_setup(many_processes, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
