// The tutorial's 65 captured connections, one by one: the driver's lines have to be those of the capture.
#include "bed_test.h"

#include <stdlib.h>
#include <string.h>

#include "fwptypes.h"

#define COLUMNS 10
#define EXPLORER "internet explorer"

enum column { SEQUENCE, TIME, IRQL, PID, PATH, LOCAL_ADDRESS, LOCAL_PORT, REMOTE_ADDRESS, REMOTE_PORT, PROTOCOL };

static const struct {
    const char *name;
    uint8_t number;
} protocols[] = { { "TCP", 6 }, { "UDP", 17 }, { "ICMP", 1 }, { "ICMPV6", 58 } };

static uint8_t protocol_of(const char *name)
{
    for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(name, protocols[i].name) == 0)
            return protocols[i].number;
    return (uint8_t)strtoul(name, NULL, 10);
}

static bool split(char *line, char *fields[COLUMNS])
{
    line[strcspn(line, "\r\n")] = '\0';
    for (unsigned i = 0; i < COLUMNS; i++) {
        fields[i] = line;
        char *tab = strchr(line, '\t');
        if ((i < COLUMNS - 1) != (tab != NULL))
            return false;
        if (tab)
            *tab = '\0';
        line = tab + 1;
    }
    return true;
}

// Compares "[WFP]IRQL=0;PID=1;Path=…" with the row, a field at a time.
static void compare(char *line, char *fields[COLUMNS])
{
    static const char *const names[] = { "[WFP]IRQL=", "PID=", "Path=", "Local=", "Remote=", "Protocol=" };
    char local[64], remote[64];
    snprintf(local, sizeof(local), "%s:%s", fields[LOCAL_ADDRESS], fields[LOCAL_PORT]);
    snprintf(remote, sizeof(remote), "%s:%s", fields[REMOTE_ADDRESS], fields[REMOTE_PORT]);
    const char *expected[] = { fields[IRQL], fields[PID], fields[PATH], local, remote, fields[PROTOCOL] };
    line[strcspn(line, "\n")] = '\0';
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strcspn(line, ";"), name_length = strlen(names[i]);
        bool more = line[length] == ';';
        line[length] = '\0';
        bool good = strncmp(line, names[i], name_length) == 0 && strcmp(line + name_length, expected[i]) == 0;
        CHECK(good, "row %s: '%s', expected %s%s", fields[SEQUENCE], line, names[i], expected[i]);
        line += length + more;
    }
}

static void replay_row(char *fields[COLUMNS], bool explorer_blocked, unsigned *blocked, bool show)
{
    struct bed_attempt attempt =
        attempt_of(fields[PATH], strtoul(fields[PID], NULL, 10), fields[LOCAL_ADDRESS],
                   (uint16_t)strtoul(fields[LOCAL_PORT], NULL, 10), fields[REMOTE_ADDRESS],
                   (uint16_t)strtoul(fields[REMOTE_PORT], NULL, 10), protocol_of(fields[PROTOCOL]));
    attempt.irql = (uint8_t)strtoul(fields[IRQL], NULL, 10);
    struct bed_verdict verdict = bed_inject(&attempt);
    bool expected = explorer_blocked && strstr(fields[PATH], EXPLORER);
    CHECK(verdict.action == (expected ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT), "row %s: action 0x%x",
          fields[SEQUENCE], verdict.action);
    CHECK(verdict.callouts == 1, "row %s: %u callouts", fields[SEQUENCE], verdict.callouts);
    *blocked += verdict.action == FWP_ACTION_BLOCK;

    char line[1024];
    snprintf(line, sizeof(line), "%s", bed_lines());
    if (show)
        printf("%s", line);
    compare(line, fields);
}

static void replay(const char *capture, bool explorer_blocked)
{
    FILE *file = fopen(capture, "r");
    CHECK(file != NULL, "%s", capture);
    char line[1024];
    unsigned rows = 0, blocked = 0;
    bed_lines();
    while (file && fgets(line, sizeof(line), file)) {
        char *fields[COLUMNS];
        if (strncmp(line, "seq", 3) == 0)
            continue;
        CHECK(split(line, fields), "%s", line);
        replay_row(fields, explorer_blocked, &blocked, !explorer_blocked);
        rows++;
    }
    if (file)
        fclose(file);
    CHECK(rows == 65, "%u rows", rows);
    CHECK((blocked > 0) == explorer_blocked, "%u blocked", blocked);
    printf("   %u connections replayed, %u blocked\n", rows, blocked);
}

void test_replay(const char *capture)
{
    test_driver_install(L"wall");
    test_driver_parameter(L"wall", L"block_app", NULL);
    test_driver_parameter(L"wall", L"block_remote", NULL);
    CHECK(test_driver_start(L"wall") == ERROR_SUCCESS, "%s", bed_lines());
    replay(capture, false);
    CHECK(test_driver_stop(L"wall") == ERROR_SUCCESS, "");

    test_driver_parameter(L"wall", L"block_app", L"" EXPLORER);
    CHECK(test_driver_start(L"wall") == ERROR_SUCCESS, "%s", bed_lines());
    replay(capture, true);
    CHECK(test_driver_stop(L"wall") == ERROR_SUCCESS, "");
    test_driver_parameter(L"wall", L"block_app", NULL);
}
