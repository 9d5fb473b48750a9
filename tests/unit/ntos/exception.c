// __try, __except, __finally.
#include "capture.h"

static int order;

static void throw_status(NTSTATUS status)
{
    ExRaiseStatus(status);
}

static void handled(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    int after = 0;
    __try {
        throw_status(STATUS_ACCESS_VIOLATION);
        after = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(after, 0);
    __try {
        after = 2;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        after = 3;
    }
    assert_int_equal(after, 2);
}

static void filters_choose(void **state)
{
    int caught = 0;
    __try {
        __try {
            throw_status(STATUS_INVALID_PARAMETER);
        } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                                  : EXCEPTION_CONTINUE_SEARCH) {
            caught = 1;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        caught = 2;
    }
    assert_int_equal(caught, 2);
}

static void finally_runs(void **state)
{
    order = 0;
    __try {
        order = order * 10 + 1;
    } __finally {
        order = order * 10 + 2;
    }
    assert_int_equal(order, 12);
    __try {
        order = 3;
        if (order == 3)
            __leave;
        order = 4;
    } __finally {
        order = order * 10 + 5;
    }
    assert_int_equal(order, 35);
    order = 0;
    __try {
        __try {
            order = 1;
            throw_status(STATUS_UNSUCCESSFUL);
        } __finally {
            order = order * 10 + 2 + (AbnormalTermination() ? 5 : 0);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        order = order * 10 + 3;
    }
    assert_int_equal(order, 173);
}

static NTSTATUS return_from_try(void)
{
    __try {
        return STATUS_PENDING;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return STATUS_UNSUCCESSFUL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS return_from_handler(void)
{
    __try {
        throw_status(STATUS_NO_MEMORY);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void returning_leaves_no_frame(void **state)
{
    int caught = 0;
    for (int i = 0; i < 3; i++) {
        __try {
            assert_int_equal(return_from_try(), STATUS_PENDING);
            assert_int_equal(return_from_handler(), STATUS_NO_MEMORY);
            throw_status(STATUS_NO_MEMORY);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    assert_int_equal(caught, 3);
}

static void raise_unhandled(void)
{
    (void)return_from_try();
    throw_status(STATUS_NO_MEMORY);
}

static void unhandled_is_a_bug_check(void **state)
{
    assert_bugcheck(raise_unhandled, "exception 0xC0000017 outside of any __try block");
}

static NTSTATUS probe(const void *address, SIZE_T length, ULONG alignment)
{
    __try {
        ProbeForRead(address, length, alignment);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void probes(void **state)
{
    ULONG value[2] = {0};
    assert_int_equal(probe(value, sizeof(value), 4), STATUS_SUCCESS);
    assert_int_equal(probe(NULL, 0, 1), STATUS_SUCCESS);
    assert_int_equal(probe(NULL, 1, 1), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe((char *)value + 1, 4, 4), (NTSTATUS)0x80000002);
    assert_int_equal(probe(value, (SIZE_T)-1, 1), STATUS_ACCESS_VIOLATION);
}

static void on_fault(int number)
{
    ntos_exception_from_signal(number);
    _exit(99);
}

static void faults_become_exceptions(void **state)
{
    struct sigaction action = { .sa_handler = on_fault }, before;
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    volatile ULONG_PTR nowhere = 16;
    int caught = 0;
    for (int i = 0; i < 3; i++) {  // the signal is not left blocked
        __try {
            *(volatile int *)nowhere = 1;
        } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION) {
            caught++;
        }
    }
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_int_equal(caught, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(handled, capture_start),
        cmocka_unit_test_setup(filters_choose, capture_start),
        cmocka_unit_test_setup(finally_runs, capture_start),
        cmocka_unit_test_setup(returning_leaves_no_frame, capture_start),
        cmocka_unit_test_setup(unhandled_is_a_bug_check, capture_start),
        cmocka_unit_test_setup(probes, capture_start),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test_setup(faults_become_exceptions, capture_start),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
