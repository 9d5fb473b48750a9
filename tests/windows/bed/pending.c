// Pending and completing (wfp-reference 4.4 to 4.6), with the test driver pend.sys.
#include "bed_test.h"

#include <stdlib.h>
#include <string.h>

#include "fwptypes.h"

#include "../drivers/pend.h"

static HANDLE device;

static void send_code(DWORD code, const void *input, DWORD size)
{
    DWORD used;
    BOOL good = DeviceIoControl(device, code, (void *)(uintptr_t)input, size, NULL, 0, &used, NULL);
    CHECK(good, "error %lu", GetLastError());
}

static void answer(unsigned count, bool permit)
{
    struct pend_answer request = { count, permit };
    send_code(PEND_ANSWER, &request, sizeof(request));
}

static void start(ULONG mode)
{
    CHECK(test_driver_start(L"pend") == ERROR_SUCCESS, "%s", bed_lines());
    device = CreateFileW(PEND_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    send_code(PEND_MODE, &mode, sizeof(mode));
    bed_forgive();
}

static void stop(void)
{
    CloseHandle(device);
    CHECK(test_driver_stop(L"pend") == ERROR_SUCCESS, "");
}

static struct bed_verdict connect_from(uint16_t port, uint8_t irql)
{
    struct bed_attempt attempt = attempt_of("\\device\\x.exe", 7, "10.0.0.1", port, "192.0.2.1", 80, 6);
    attempt.irql = irql;
    return bed_inject(&attempt);
}

static void answers_decide(void)
{
    start(PEND_WELL);
    for (uint8_t irql = 0; irql <= 2; irql += 2) {
        struct bed_verdict first = connect_from(1, irql), second = connect_from(2, irql);
        CHECK(first.pending && second.pending && first.operation != second.operation, "IRQL %u", irql);
        CHECK(bed_operation(first.operation).pending, "");
        CHECK(bed_state().operations == 2, "%u", bed_state().operations);
        answer(1, true);
        answer(1, false);
        first = bed_operation(first.operation);
        second = bed_operation(second.operation);
        CHECK(!first.pending && first.action == FWP_ACTION_PERMIT && first.reauthorizations == 1, "0x%x", first.action);
        CHECK(!second.pending && second.action == FWP_ACTION_BLOCK && second.reauthorizations == 1, "");
    }
    CHECK(!bed_operation(UINT64_MAX).known, "");
    CHECK(bed_state().operations == 0 && bed_state().violations == 0, "%s", bed_state().last_violation);
    stop();
}

static void mistakes_are_noticed(void)
{
    static const struct {
        ULONG mode;
        const char *violation;  // NULL: none
        bool pending;
    } cases[] = {
        { PEND_WITHOUT_ABSORB, "did not answer BLOCK with ABSORB", true },
        { PEND_AGAIN, NULL, true },
        { PEND_COMPLETE_TWICE, "called twice", true },
        { PEND_COMPLETE_EARLY, NULL, false },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(cases[i].mode);
        struct bed_verdict verdict = connect_from(3, 0);
        CHECK(verdict.pending == cases[i].pending, "case %u", i);
        answer(1, true);
        verdict = bed_operation(verdict.operation);
        CHECK(!verdict.pending && verdict.action == FWP_ACTION_PERMIT, "case %u: 0x%x", i, verdict.action);
        struct bed_state state = bed_state();
        CHECK(cases[i].violation ? strstr(state.last_violation, cases[i].violation) != NULL : state.violations == 0,
              "case %u: %u, %s", i, state.violations, state.last_violation);
        CHECK(!strstr(bed_lines(), "could be pended"), "");
        stop();
        bed_forgive();
    }
}

// The watching itself: what it finds nothing of in good drivers it finds in this one.
static void waiting_and_leaking_are_noticed(void)
{
    start(PEND_WAITING);
    struct bed_verdict verdict = connect_from(4, 0);
    answer(1, true);
    CHECK(bed_state().violations == 0, "waiting at PASSIVE_LEVEL: %s", bed_state().last_violation);
    verdict = connect_from(5, 2);
    CHECK(verdict.pending, "");
    answer(1, true);
    CHECK(bed_state().violations == 3, "%u: %s", bed_state().violations, bed_state().last_violation);
    stop();

    start(PEND_LEAKING);
    uint32_t before = bed_state().allocations;
    verdict = connect_from(6, 0);
    CHECK(verdict.pending, "");
    answer(1, false);
    CHECK(strstr(bed_state().last_violation, "executable memory"), "%s", bed_state().last_violation);
    stop();
    CHECK(bed_state().allocations == before + 1, "the leak was not counted");
    bed_forgive();
    test_mark();
}

#define MANY 100

static void unloading_completes_what_waits(void)
{
    uint64_t operations[MANY];
    start(PEND_WELL);
    for (uint16_t i = 0; i < MANY; i++) {
        struct bed_verdict verdict = connect_from((uint16_t)(1000 + i), i % 2 ? 2 : 0);
        operations[i] = verdict.operation;
        CHECK(verdict.pending, "%u", i);
    }
    CHECK(bed_state().operations == MANY, "");
    stop();
    for (unsigned i = 0; i < MANY; i++) {
        struct bed_verdict verdict = bed_operation(operations[i]);
        CHECK(verdict.known && !verdict.pending && verdict.action == FWP_ACTION_BLOCK, "%u: 0x%x", i, verdict.action);
    }
    test_check_clean("after unloading with 100 operations pending");
    printf("   %u pending operations completed by unloading\n", MANY);
}

void test_pending(void)
{
    test_driver_install(L"pend");
    answers_decide();
    mistakes_are_noticed();
    waiting_and_leaking_are_noticed();
    unloading_completes_what_waits();
}
