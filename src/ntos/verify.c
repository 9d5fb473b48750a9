#include "ntos/verify.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ntos/print.h"

_Thread_local struct ntos_thread_state ntos_thread;

static pthread_mutex_t hooks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ntos_hooks hooks;
static uint64_t violations;

void ntos_hooks_set(const struct ntos_hooks *new_hooks)
{
    ntos_print_flush();
    pthread_mutex_lock(&hooks_lock);
    hooks = new_hooks ? *new_hooks : (struct ntos_hooks){0};
    pthread_mutex_unlock(&hooks_lock);
    ntos_print_hook_set(new_hooks);
}

uint64_t ntos_violation_count(void)
{
    return __atomic_load_n(&violations, __ATOMIC_RELAXED);
}

static size_t append(char *text, size_t capacity, size_t used, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(used < capacity ? text + used : NULL, used < capacity ? capacity - used : 0, format,
                         arguments);
    va_end(arguments);
    return used + (more > 0 ? (size_t)more : 0);
}

size_t ntos_report_format(const struct ntos_report *report, char *text, size_t capacity)
{
    static const char *const kinds[] = { "violation", "leak", "bug check" };
    size_t used = append(text, capacity, 0, "driver %s in %s at IRQL %u: %s", kinds[report->kind], report->function,
                         report->irql, report->text);
    for (unsigned i = 0; i < report->frame_count; i++) {
        Dl_info info = {0};
        const char *frame = report->frames[i];
        if (!dladdr(frame, &info) || !info.dli_fname) {
            used = append(text, capacity, used, "\n  %p", report->frames[i]);
            continue;
        }
        const char *file = strrchr(info.dli_fname, '/');
        file = file ? file + 1 : info.dli_fname;
        if (info.dli_sname)
            used = append(text, capacity, used, "\n  %s: %s+0x%zx", file, info.dli_sname,
                          (size_t)(frame - (const char *)info.dli_saddr));
        else
            used = append(text, capacity, used, "\n  %s+0x%zx", file, (size_t)(frame - (const char *)info.dli_fbase));
    }
    return used;
}

static void report_default(const struct ntos_report *report)
{
    char text[4096];
    size_t length = ntos_report_format(report, text, sizeof(text));
    if (length >= sizeof(text))
        length = sizeof(text) - 1;
    text[length] = '\n';
    ssize_t ignored = write(STDERR_FILENO, text, length + 1);
    (void)ignored;
}

// Always inlined: the frames then begin at its caller.
static inline __attribute__((always_inline)) void report(enum ntos_report_kind kind, const char *function,
                                                         const char *text)
{
    if (ntos_thread.reporting && kind != NTOS_REPORT_BUGCHECK)
        return;
    ntos_thread.reporting = true;

    void *frames[NTOS_REPORT_FRAMES];
    int count = backtrace(frames, NTOS_REPORT_FRAMES);
    int skip = count > 1 ? 1 : 0;  // the function that reports
    struct ntos_report filled = {
        .kind = kind, .function = function, .text = text, .irql = ntos_thread.irql,
        .frames = frames + skip, .frame_count = (unsigned)(count - skip),
    };

    pthread_mutex_lock(&hooks_lock);
    struct ntos_hooks current = hooks;
    pthread_mutex_unlock(&hooks_lock);
    if (current.report)
        current.report(current.context, &filled);
    else
        report_default(&filled);
    ntos_thread.reporting = false;
}

static void count_violation(void)
{
    __atomic_fetch_add(&violations, 1, __ATOMIC_RELAXED);
    ntos_thread.violations++;
}

void ntos_violation_report(const char *function, const char *text)
{
    count_violation();
    report(NTOS_REPORT_VIOLATION, function, text);
}

uint64_t ntos_violation_thread_count(void)
{
    return ntos_thread.violations;
}

void ntos_violation(const char *function, const char *format, ...)
{
    count_violation();
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report(NTOS_REPORT_VIOLATION, function, text);
}

void ntos_leak(const char *function, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report(NTOS_REPORT_LEAK, function, text);
}

void ntos_bugcheck(const char *function, ULONG code, const char *format, ...)
{
    char text[512];
    int used = snprintf(text, sizeof(text), "0x%08X: ", code);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
    va_end(arguments);
    ntos_print_flush();
    report(NTOS_REPORT_BUGCHECK, function, text);
    abort();
}

void KeBugCheckEx(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4)
{
    ntos_bugcheck("KeBugCheckEx", code, "called by the driver (0x%zx, 0x%zx, 0x%zx, 0x%zx)", p1, p2, p3, p4);
}

void KeBugCheck(ULONG code)
{
    ntos_bugcheck("KeBugCheck", code, "called by the driver");
}

bool ntos_irql_at_most(const char *function, KIRQL highest)
{
    if (ntos_thread.irql <= highest)
        return true;
    ntos_violation(function, "called at IRQL %u, allowed up to %u", ntos_thread.irql, highest);
    return false;
}

bool ntos_irql_at_least(const char *function, KIRQL lowest)
{
    if (ntos_thread.irql >= lowest)
        return true;
    ntos_violation(function, "called at IRQL %u, allowed from %u", ntos_thread.irql, lowest);
    return false;
}
