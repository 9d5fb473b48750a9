#include "client/verifier.h"

#include <stdarg.h>
#include <stdio.h>

#include "client/channel.h"

// Of libntos (ntos/ntos.h). Weak: absent in programs without it.
extern __attribute__((weak)) void ntos_violation_report(const char *function, const char *text);
extern __attribute__((weak)) uint64_t ntos_violation_thread_count(void);

static _Thread_local uint64_t own_count;

void wall_verifier_report(const char *function, const char *format, ...)
{
    char text[384];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (ntos_violation_report) {
        ntos_violation_report(function, text);
        return;
    }
    own_count++;
    wall_channel_report("driver violation in %s: %s", function, text);
}

uint64_t wall_verifier_count(void)
{
    return own_count + (ntos_violation_thread_count ? ntos_violation_thread_count() : 0);
}
