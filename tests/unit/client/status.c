#include "client/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "minwindef.h"
#include "ntstatus.h"
#include "winerror.h"

static void errors_become_win32_codes(void **state)
{
    assert_int_equal(wall_status_from_errno(0), ERROR_SUCCESS);
    assert_int_equal(wall_status_from_errno(-ENOENT), RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(wall_status_from_errno(-ECONNRESET), RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(wall_status_from_errno(-ENOMEM), ERROR_NOT_ENOUGH_MEMORY);
    assert_int_equal(wall_status_from_errno(-EACCES), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_status_from_errno(-ENOTTY), ERROR_GEN_FAILURE);
}

static void filter_errors_keep_their_number(void **state)
{
    assert_int_equal(wall_status_to_kernel(ERROR_SUCCESS), STATUS_SUCCESS);
    assert_int_equal(wall_status_to_kernel(FWP_E_CALLOUT_NOT_FOUND), STATUS_FWP_CALLOUT_NOT_FOUND);
    assert_int_equal(wall_status_to_kernel(FWP_E_ALREADY_EXISTS), STATUS_FWP_ALREADY_EXISTS);
    assert_int_equal(wall_status_to_kernel(FWP_E_IKEEXT_NOT_RUNNING), STATUS_FWP_IKEEXT_NOT_RUNNING);
    assert_int_equal(wall_status_to_kernel(FWP_E_DROP_NOICMP), STATUS_FWP_DROP_NOICMP);
}

static void other_errors_have_twins(void **state)
{
    assert_int_equal(wall_status_to_kernel(ERROR_ACCESS_DENIED), STATUS_ACCESS_DENIED);
    assert_int_equal(wall_status_to_kernel(ERROR_INVALID_HANDLE), STATUS_INVALID_HANDLE);
    assert_int_equal(wall_status_to_kernel(ERROR_CALL_NOT_IMPLEMENTED), STATUS_NOT_SUPPORTED);
    assert_int_equal(wall_status_to_kernel(RPC_S_SERVER_UNAVAILABLE), STATUS_DEVICE_NOT_CONNECTED);
    assert_int_equal(wall_status_to_kernel(12345), STATUS_UNSUCCESSFUL);
    // Never success for an error.
    for (uint32_t status = 1; status < 2000; status++)
        assert_true(wall_status_to_kernel(status) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_become_win32_codes),
        cmocka_unit_test(filter_errors_keep_their_number),
        cmocka_unit_test(other_errors_have_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
