// What reaches the wall driver at which layer and IRQL, and what its parameters block; other layers pass it by.
#include "bed_test.h"

#include <string.h>

#include "fwpslayers.h"
#include "fwptypes.h"

static const struct {
    const char *path, *local, *remote, *line;
    uint16_t local_port, remote_port;
    uint8_t protocol, irql;
    bool blocked;
} attempts[] = {
    { "\\device\\a.exe", "10.0.0.1", "192.0.2.1", "Remote=192.0.2.1:80;Protocol=TCP", 1, 80, 6, 0, true },
    { "\\device\\a.exe", "10.0.0.1", "192.0.2.1", "Remote=192.0.2.1:81;Protocol=TCP", 1, 81, 6, 0, false },
    { "\\device\\a.exe", "10.0.0.1", "192.0.2.2", "IRQL=2;PID=9;Path=\\device\\a.exe;", 1, 80, 17, 2, false },
    { "\\device\\a.exe", "10.0.0.1", "192.0.2.2", "Remote=192.0.2.2:25;Protocol=TCP", 1, 25, 6, 0, true },
    { "\\device\\curl.exe", "10.0.0.1", "192.0.2.2", "Path=\\device\\curl.exe;", 1, 80, 6, 0, true },
    { "\\device\\a.exe", "fd00::1", "2001:db8::1", "Local=[fd00::1]:1;Remote=[2001:db8::1]:443", 1, 443, 17, 2, true },
    { "\\device\\a.exe", "fd00::1", "2001:db8::2", "Remote=[2001:db8::2]:443;Protocol=UDP", 1, 443, 17, 2, false },
    { "\\device\\\xc3\xa4.exe", "10.0.0.1", "192.0.2.2", "Path=\\device\\\xc3\xa4.exe;", 1, 80, 6, 2, false },
};

static void check_attempts(void)
{
    for (unsigned i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct bed_attempt attempt =
            attempt_of(attempts[i].path, 9, attempts[i].local, attempts[i].local_port, attempts[i].remote,
                       attempts[i].remote_port, attempts[i].protocol);
        attempt.irql = attempts[i].irql;
        struct bed_verdict verdict = bed_inject(&attempt);
        CHECK(verdict.action == (attempts[i].blocked ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT), "attempt %u: 0x%x", i,
              verdict.action);
        const char *lines = bed_lines();
        CHECK(strstr(lines, attempts[i].line), "attempt %u: '%s'", i, lines);
    }
}

// The driver has filters at two layers; at all others nothing is asked and nothing decided.
static void check_other_layers(void)
{
    static const uint16_t layers[] = {
        FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWPS_LAYER_ALE_AUTH_LISTEN_V4,      FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
        FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6,    FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, FWPS_LAYER_OUTBOUND_TRANSPORT_V4,
        FWPS_LAYER_INBOUND_IPPACKET_V4,        FWPS_LAYER_DATAGRAM_DATA_V6,        FWPS_LAYER_ALE_CONNECT_REDIRECT_V4,
    };
    for (unsigned i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        struct bed_attempt attempt = attempt_of("\\device\\curl.exe", 9, "10.0.0.1", 1, "192.0.2.1", 80, 6);
        attempt.layer_id = layers[i];
        for (attempt.irql = 0; attempt.irql <= 2; attempt.irql += 2) {
            struct bed_verdict verdict = bed_inject(&attempt);
            CHECK(verdict.callouts == 0 && verdict.action == FWP_ACTION_NONE, "layer %u: 0x%x", layers[i],
                  verdict.action);
        }
    }
}

void test_verdicts(void)
{
    test_driver_install(L"wall");
    test_driver_parameter(L"wall", L"block_app", L"curl.exe");
    test_driver_parameter(L"wall", L"block_remote", L"192.0.2.1:80,:25,2001:db8::1");
    CHECK(test_driver_start(L"wall") == ERROR_SUCCESS, "%s", bed_lines());
    bed_lines();
    CHECK(bed_state().devices == 1 && bed_state().unsecured == 0, "everybody may open the driver's device");
    check_attempts();
    check_other_layers();
    CHECK(test_driver_stop(L"wall") == ERROR_SUCCESS, "");

    test_driver_parameter(L"wall", L"block_remote", L"192.0.2.1:80,nonsense");
    CHECK(test_driver_start(L"wall") != ERROR_SUCCESS, "a wrong parameter was accepted");
    CHECK(strstr(bed_lines(), "Parameter block_remote is wrong at \"nonsense\""), "");
    test_check_clean("after a wrong parameter");
    test_driver_parameter(L"wall", L"block_app", NULL);
    test_driver_parameter(L"wall", L"block_remote", NULL);
}
