// The ask driver: questions, answers, packets, and unloading while connections wait.
#include "bed_test.h"

#include <stdlib.h>
#include <string.h>

#include <ringwall/ask.h>

#include "fwpslayers.h"
#include "fwptypes.h"

#define PATH L"\\\\.\\RingwallAsk"

static HANDLE device;

static DWORD control(DWORD code, const void *input, DWORD input_size, void *output, DWORD output_size)
{
    DWORD used = 0;
    if (!DeviceIoControl(device, code, (void *)(uintptr_t)input, input_size, output, output_size, &used, NULL))
        return GetLastError();
    return ERROR_SUCCESS;
}

static void start(void)
{
    DWORD code = test_driver_start(L"ask");
    CHECK(code == ERROR_SUCCESS, "%lu: %s", code, bed_lines());
    device = CreateFileW(PATH, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                         NULL);
    CHECK(device != INVALID_HANDLE_VALUE, "error %lu", GetLastError());
}

static void stop(void)
{
    CloseHandle(device);
    CHECK(test_driver_stop(L"ask") == ERROR_SUCCESS, "%s", bed_lines());
}

// The newest question's id, 0 when there is none.
static unsigned long long newest(struct ask_list_output *ret_list)
{
    static union {
        struct ask_list_output list;
        char bytes[65536];
    } buffer;
    struct ask_list_input input = { 0 };
    DWORD code = control(ASK_CODE_LIST, &input, sizeof(input), &buffer, sizeof(buffer));
    CHECK(code == ERROR_SUCCESS, "error %lu", code);
    unsigned long long id = 0;
    char *at = buffer.bytes + sizeof(buffer.list);
    for (unsigned i = 0; code == ERROR_SUCCESS && i < buffer.list.count; i++) {
        struct ask_question question;
        memcpy(&question, at, sizeof(question));
        id = question.id;
        at += question.bytes;
    }
    *ret_list = buffer.list;
    return id;
}

static DWORD answer(unsigned long long id, unsigned verdict, unsigned remember, unsigned *ret_answered)
{
    struct ask_answer_input input = { id, verdict, remember };
    struct ask_answer_output output = { 0 };
    DWORD code = control(ASK_CODE_ANSWER, &input, sizeof(input), &output, sizeof(output));
    *ret_answered = output.answered;
    return code;
}

static const struct {
    const char *what, *local, *remote;
    uint8_t protocol, irql;
    bool inbound, has_packet;
} kinds[] = {
    { "TCP out", "10.0.0.1", "192.0.2.1", 6, 0, false, false },
    { "UDP out, at DISPATCH_LEVEL", "10.0.0.1", "192.0.2.1", 17, 2, false, true },
    { "TCP out, IPv6", "fd00::1", "2001:db8::1", 6, 0, false, false },
    { "TCP in, at DISPATCH_LEVEL", "10.0.0.1", "192.0.2.1", 6, 2, true, true },
    { "UDP in, IPv6", "fd00::1", "2001:db8::1", 17, 0, true, true },
};

static struct bed_attempt attempt_of_kind(unsigned kind, uint16_t port)
{
    struct bed_attempt attempt = attempt_of("\\device\\x.exe", 7, kinds[kind].local, port, kinds[kind].remote, 80,
                                            kinds[kind].protocol);
    attempt.irql = kinds[kind].irql;
    if (kinds[kind].inbound)
        attempt.layer_id = attempt.layer_id == FWPS_LAYER_ALE_AUTH_CONNECT_V4 ? FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4
                                                                              : FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6;
    return attempt;
}

static void each_kind_is_answered(void)
{
    start();
    CHECK(bed_state().devices == 1 && bed_state().unsecured == 0, "everybody may open the driver's device");
    for (unsigned kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (unsigned verdict = ASK_ALLOW; verdict <= ASK_BLOCK; verdict++) {
            struct ask_list_output list;
            unsigned answered;
            struct bed_attempt attempt = attempt_of_kind(kind, (uint16_t)(verdict + 10 * kind));
            struct bed_verdict first = bed_inject(&attempt);
            CHECK(first.pending, "%s is not pended: 0x%x", kinds[kind].what, first.action);
            unsigned long long id = newest(&list);
            CHECK(list.waiting == 1 && id != 0, "%s: %u waiting", kinds[kind].what, list.waiting);
            CHECK(answer(id, verdict, 0, &answered) == ERROR_SUCCESS && answered == 1, "%s", kinds[kind].what);
            struct bed_verdict last = bed_operation(first.operation);
            bool allowed = last.action == FWP_ACTION_PERMIT;
            CHECK(!last.pending && allowed == (verdict == ASK_ALLOW), "%s: 0x%x", kinds[kind].what, last.action);
            CHECK(last.injected == (allowed && kinds[kind].has_packet), "%s: %u injected", kinds[kind].what,
                  last.injected);
            CHECK(answer(id, verdict, 0, &answered) != ERROR_SUCCESS, "%s was answered twice", kinds[kind].what);
        }
    }
    CHECK(bed_state().violations == 0, "%s", bed_state().last_violation);
    stop();
}

static void wrong_requests_are_refused(void)
{
    char output[4096];
    unsigned answered;
    start();
    CHECK(control(ASK_CODE_LIST, output, 1, output, sizeof(output)) != ERROR_SUCCESS, "short input");
    CHECK(control(ASK_CODE_LIST, output, 8, output, 8) != ERROR_SUCCESS, "short output");
    CHECK(control(ASK_CODE_ANSWER + 4, output, 64, output, 64) != ERROR_SUCCESS, "unknown code");
    CHECK(answer(1, 77, 0, &answered) != ERROR_SUCCESS, "unknown verdict");
    CHECK(answer(4711, ASK_ALLOW, 0, &answered) != ERROR_SUCCESS, "unknown question");
    stop();
}

#define MANY 100

static void unloading_blocks_what_waits(void)
{
    uint64_t operations[MANY];
    start();
    for (unsigned i = 0; i < MANY; i++) {
        struct bed_attempt attempt = attempt_of_kind(i % 5, (uint16_t)(1000 + i));
        struct bed_verdict verdict = bed_inject(&attempt);
        operations[i] = verdict.operation;
        CHECK(verdict.pending, "%u", i);
    }
    stop();
    for (unsigned i = 0; i < MANY; i++) {
        struct bed_verdict verdict = bed_operation(operations[i]);
        CHECK(verdict.known && !verdict.pending && verdict.action == FWP_ACTION_BLOCK, "%u: 0x%x", i, verdict.action);
    }
    printf("   %u waiting connections blocked by unloading\n", MANY);
}

void test_ask(void)
{
    test_driver_install(L"ask");
    start();  // the sublayer of remembered answers stays by design
    stop();
    test_mark();
    each_kind_is_answered();
    wrong_requests_are_refused();
    unloading_blocks_what_waits();
    test_check_clean("after unloading with 100 connections waiting");
}
