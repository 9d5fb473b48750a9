// bed-test.exe TEST…: runs the tests named, in the Wine test bed. Exit code 1: a check failed; 2: no bed.
#include "bed_test.h"

#include <stdlib.h>
#include <string.h>

// Connections for whoever listens: ports from 1 on.
static void inject_attempts(unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        struct bed_attempt attempt =
            attempt_of("\\device\\curl.exe", 4711, "10.0.0.1", (uint16_t)i, "192.0.2.1", 80, 6);
        attempt.irql = i % 2 ? 0 : 2;
        (void)bed_inject(&attempt);
    }
}

// Keeps Wine's services, and with them the bed, until the standard input ends.
static void hold(void)
{
    printf("holding\n");
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

static void run(const char *name, const char *capture)
{
    if (strcmp(name, "replay") == 0)
        test_replay(capture);
    else if (strcmp(name, "faults") == 0)
        test_faults(L"wall");
    else if (strcmp(name, "verdicts") == 0)
        test_verdicts();
    else if (strcmp(name, "ask") == 0)
        test_ask();
    else if (strcmp(name, "ask-faults") == 0)
        test_faults(L"ask");
    else if (strcmp(name, "pending") == 0)
        test_pending();
    else if (strncmp(name, "attempts=", 9) == 0)
        inject_attempts((unsigned)strtoul(name + 9, NULL, 10));
    else if (strcmp(name, "hold") == 0)
        hold();
    else if (strncmp(name, "cycles=", 7) == 0)
        test_cycles((unsigned)strtoul(name + 7, NULL, 10));
    else
        exit(2);
}

int main(int argc, char **argv)
{
    unsigned failed = 0;
    if (argc < 2)
        return 2;
    bed_open();
    for (int i = 2; i < argc; i++) {
        test_failures = 0;
        test_mark();
        printf("-- %s\n", argv[i]);
        run(argv[i], argv[1]);
        printf("%s %s\n", test_failures == 0 ? "ok" : "FAILED", argv[i]);
        fflush(stdout);
        failed += test_failures != 0;
    }
    return failed != 0;
}
