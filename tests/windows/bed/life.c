// Loading and unloading: a thousand times, and with every call of DriverEntry failing in turn.
#include "bed_test.h"

#include <string.h>

#include "fwptypes.h"

static struct bed_state before;

void test_mark(void)
{
    before = bed_state();
}

void test_check_clean(const char *when)
{
    struct bed_state now = bed_state();
    const struct {
        const char *name;
        uint32_t before, now;
    } counters[] = {
        { "sessions", before.sessions, now.sessions },       { "providers", before.providers, now.providers },
        { "sublayers", before.sublayers, now.sublayers },    { "callouts", before.callouts, now.callouts },
        { "filters", before.filters, now.filters },          { "registered", before.registered, now.registered },
        { "operations", before.operations, now.operations }, { "devices", before.devices, now.devices },
        { "links", before.links, now.links },                { "handles", before.handles, now.handles },
        { "allocations", before.allocations, now.allocations },
        { "work items", before.work_items, now.work_items },
    };
    for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        CHECK(counters[i].before == counters[i].now, "%s: %u %s, %u before", when, counters[i].now, counters[i].name,
              counters[i].before);
    CHECK(now.violations == 0, "%s: %u violations, the last: %s", when, now.violations, now.last_violation);
}

// Injects until told to stop: connections do not wait for a driver to be loaded.
static volatile LONG injecting, injected, met;

static DWORD WINAPI inject_all_the_time(void *parameter)
{
    const struct bed_attempt *attempt = parameter;
    while (injecting) {
        struct bed_verdict verdict = bed_inject(attempt);
        met += verdict.callouts;
        injected++;
        CHECK(verdict.action == (verdict.callouts ? FWP_ACTION_PERMIT : FWP_ACTION_NONE), "0x%x", verdict.action);
    }
    return 0;
}

static void cycle(unsigned number)
{
    DWORD code = test_driver_start(L"wall");
    CHECK(code == ERROR_SUCCESS, "cycle %u: %lu %s", number, code, bed_lines());
    code = test_driver_stop(L"wall");
    CHECK(code == ERROR_SUCCESS, "cycle %u: %lu", number, code);
}

void test_cycles(unsigned count)
{
    struct bed_attempt attempt = attempt_of("\\device\\x.exe", 1, "10.0.0.1", 1, "10.0.0.2", 80, 6);
    DWORD start = GetTickCount();
    test_driver_install(L"wall");
    injecting = TRUE;
    HANDLE thread = CreateThread(NULL, 0, inject_all_the_time, &attempt, 0, NULL);
    for (unsigned i = 0; i < count && test_failures == 0; i++) {
        cycle(i);
        if (i % 100 == 0 || i == count - 1)
            test_check_clean("after unloading");
    }
    injecting = FALSE;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CHECK(met > 0 && met < injected, "%ld of %ld connections met the driver", met, injected);
    bed_lines();
    CHECK(bed_inject(&attempt).callouts == 0, "");
    printf("   %u cycles in %lu ms, meanwhile %ld connections, of which %ld met the driver\n", count,
           GetTickCount() - start, injected, met);
}

void test_faults(const WCHAR *driver)
{
    unsigned failed = 0, absorbed = 0;
    test_driver_install(driver);
    test_driver_parameter(driver, L"block_app", L"curl");
    test_driver_parameter(driver, L"timeout", L"60");
    // What a driver keeps on purpose, as the ask driver the sublayer of its answers, is there from now on.
    CHECK(test_driver_start(driver) == ERROR_SUCCESS && test_driver_stop(driver) == ERROR_SUCCESS, "%s", bed_lines());
    test_mark();
    for (uint32_t number = 1; number < 200; number++) {
        bed_lines();
        bed_fault(number);
        DWORD code = test_driver_start(driver);
        struct bed_state state = bed_state();
        bed_fault(0);
        if (code == ERROR_SUCCESS)
            CHECK(test_driver_stop(driver) == ERROR_SUCCESS, "");
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
    test_driver_parameter(driver, L"block_app", NULL);
    test_driver_parameter(driver, L"timeout", NULL);
    printf("   %ls: %u failing calls refused, %u that DriverEntry can do without\n", driver, failed, absorbed);
}
