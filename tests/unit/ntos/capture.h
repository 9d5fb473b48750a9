// Hooks that keep what a driver prints and what is reported about it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wdm.h>

#include "ntos/ntos.h"

#define CAPTURE_LINES 4096

static struct {
    pthread_mutex_t lock;
    char *lines[CAPTURE_LINES];
    uint32_t levels[CAPTURE_LINES];
    unsigned line_count;
    struct {
        enum ntos_report_kind kind;
        char function[64];
        char text[512];
        unsigned frame_count;
    } reports[64];
    unsigned report_count;
} capture = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline void capture_print(void *context, uint32_t component, uint32_t level, const char *line)
{
    pthread_mutex_lock(&capture.lock);
    if (capture.line_count < CAPTURE_LINES) {
        capture.levels[capture.line_count] = level;
        capture.lines[capture.line_count++] = strdup(line);
    }
    pthread_mutex_unlock(&capture.lock);
}

static inline void capture_report(void *context, const struct ntos_report *report)
{
    pthread_mutex_lock(&capture.lock);
    if (capture.report_count < 64) {
        unsigned i = capture.report_count++;
        capture.reports[i].kind = report->kind;
        (void)snprintf(capture.reports[i].function, sizeof(capture.reports[i].function), "%s", report->function);
        (void)snprintf(capture.reports[i].text, sizeof(capture.reports[i].text), "%s", report->text);
        capture.reports[i].frame_count = report->frame_count;
    }
    pthread_mutex_unlock(&capture.lock);
}

static inline void capture_clear(void)
{
    ntos_print_flush();
    pthread_mutex_lock(&capture.lock);
    for (unsigned i = 0; i < capture.line_count; i++)
        free(capture.lines[i]);
    capture.line_count = 0;
    capture.report_count = 0;
    pthread_mutex_unlock(&capture.lock);
}

static inline int capture_start(void **state)
{
    static const struct ntos_hooks hooks = { .print = capture_print, .report = capture_report };
    ntos_hooks_set(&hooks);
    capture_clear();
    return 0;
}

// True when a line has been printed that contains `part`.
static inline bool capture_has_line(const char *part)
{
    ntos_print_flush();
    bool found = false;
    pthread_mutex_lock(&capture.lock);
    for (unsigned i = 0; i < capture.line_count && !found; i++)
        found = strstr(capture.lines[i], part) != NULL;
    pthread_mutex_unlock(&capture.lock);
    return found;
}

// Reports of a kind about a function since the last clear.
static inline unsigned capture_count(enum ntos_report_kind kind, const char *function)
{
    unsigned count = 0;
    pthread_mutex_lock(&capture.lock);
    for (unsigned i = 0; i < capture.report_count; i++)
        count += capture.reports[i].kind == kind && strcmp(capture.reports[i].function, function) == 0;
    pthread_mutex_unlock(&capture.lock);
    return count;
}

static inline void print_reports(void)
{
    for (unsigned i = 0; i < capture.report_count; i++)
        (void)fprintf(stderr, "report %u: %s: %s\n", capture.reports[i].kind, capture.reports[i].function,
                      capture.reports[i].text);
}

#define assert_no_reports()              \
    do {                                 \
        if (capture.report_count != 0)   \
            print_reports();             \
        assert_int_equal(capture.report_count, 0); \
    } while (0)

#define assert_violation(function)                                                   \
    do {                                                                             \
        if (capture_count(NTOS_REPORT_VIOLATION, function) != 1)                     \
            print_reports();                                                         \
        assert_int_equal(capture_count(NTOS_REPORT_VIOLATION, function), 1);         \
        capture_clear();                                                             \
    } while (0)

static inline void write_bugcheck(void *context, const struct ntos_report *report)
{
    char line[600];
    int length = snprintf(line, sizeof(line), "%s: %s", report->function, report->text);
    ssize_t ignored = write(*(int *)context, line, (size_t)length);
    (void)ignored;
}

// Runs `act` in a child, which must die of a bug check whose report contains `part`.
static inline void assert_bugcheck(void (*act)(void), const char *part)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    ntos_print_flush();  // the printing thread must hold no lock in the child
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(60);
        struct ntos_hooks hooks = { .context = &ends[1], .report = write_bugcheck };
        ntos_hooks_set(&hooks);
        (void)signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    (void)close(ends[1]);
    char text[1024] = "";
    size_t used = 0;
    for (ssize_t got; used + 1 < sizeof(text) && (got = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0;)
        used += (size_t)got;
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || !strstr(text, part))
        (void)fprintf(stderr, "status 0x%x, report: %s\n", (unsigned)status, text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, part));
}
