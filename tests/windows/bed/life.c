// Loading and unloading: a thousand times, and with every call of DriverEntry failing in turn.
#include "bed_test.h"

#include <string.h>

void test_check_clean(const char *when)
{
    struct bed_state state = bed_state();
    CHECK(state.sessions + state.providers + state.sublayers + state.callouts + state.filters + state.registered == 0,
          "%s: %u sessions, %u providers, %u sublayers, %u callouts, %u filters, %u registered", when,
          state.sessions, state.providers, state.sublayers, state.callouts, state.filters, state.registered);
    CHECK(state.devices + state.links + state.handles + state.allocations + state.work_items + state.operations == 0,
          "%s: %u devices, %u links, %u handles, %u allocations, %u work items, %u operations", when, state.devices,
          state.links, state.handles, state.allocations, state.work_items, state.operations);
    CHECK(state.violations == 0, "%s: %u violations, the last: %s", when, state.violations, state.last_violation);
}

void test_cycles(unsigned count)
{
    struct bed_attempt attempt = attempt_of("\\device\\x.exe", 1, "10.0.0.1", 1, "10.0.0.2", 80, 6);
    DWORD start = GetTickCount();
    test_driver_install(L"wall");
    for (unsigned i = 0; i < count && test_failures == 0; i++) {
        DWORD code = test_driver_start(L"wall");
        CHECK(code == ERROR_SUCCESS, "cycle %u: %lu %s", i, code, bed_lines());
        CHECK(bed_inject(&attempt).callouts == 1, "cycle %u", i);
        code = test_driver_stop(L"wall");
        CHECK(code == ERROR_SUCCESS, "cycle %u: %lu", i, code);
        if (i % 100 == 0 || i == count - 1)
            test_check_clean("after unloading");
    }
    CHECK(bed_inject(&attempt).callouts == 0, "");
    bed_lines();
    printf("   %u cycles in %lu ms\n", count, GetTickCount() - start);
}

void test_faults(void)
{
    unsigned failed = 0, absorbed = 0;
    test_driver_install(L"wall");
    test_driver_parameter(L"wall", L"block_app", L"curl");
    for (uint32_t number = 1; number < 200; number++) {
        bed_lines();
        bed_fault(number);
        DWORD code = test_driver_start(L"wall");
        struct bed_state state = bed_state();
        bed_fault(0);
        if (code == ERROR_SUCCESS)
            CHECK(test_driver_stop(L"wall") == ERROR_SUCCESS, "");
        test_check_clean(state.last_faultable);
        if (state.faults == 0) {
            CHECK(code == ERROR_SUCCESS, "%s", bed_lines());
            break;
        }
        if (code == ERROR_SUCCESS)
            absorbed++;
        else
            failed++;
        CHECK(code == ERROR_SUCCESS || strstr(bed_lines(), "cannot start"), "call %u (%s) failed silently", number,
              state.last_faultable);
    }
    CHECK(failed > 10, "only %u calls of DriverEntry can fail", failed);
    test_driver_parameter(L"wall", L"block_app", NULL);
    printf("   %u failing calls refused, %u that DriverEntry can do without\n", failed, absorbed);
}
