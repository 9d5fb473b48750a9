#include "ntos/print.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ntos/dispatcher.h"
#include "ntos/format.h"
#include "ntos/verify.h"

// How long an unfinished line waits for the rest that another DbgPrint may bring.
#define PARTIAL_LINE_UNITS (100 * 10000ull)

struct message {
    uint32_t component, level;
    const void *thread;
    uint16_t length;
    char text[NTOS_PRINT_BYTES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled, drained;
static pthread_once_t started = PTHREAD_ONCE_INIT;
static struct message ring[NTOS_PRINT_MESSAGES];
static unsigned first, count;
static uint64_t lost, lost_told;
static unsigned flushing;  // callers of ntos_print_flush
static bool writing;
static struct ntos_hooks hooks;

// The writer thread's own: a line whose end has not come.
static struct message partial;

static void put_line(const struct message *line)
{
    char text[NTOS_PRINT_BYTES + 1];
    memcpy(text, line->text, line->length);
    text[line->length] = '\0';
    if (hooks.print) {
        hooks.print(hooks.context, line->component, line->level, text);
        return;
    }
    text[line->length] = '\n';
    ssize_t ignored = write(STDERR_FILENO, text, line->length + 1u);
    (void)ignored;
}

static void flush_partial(void)
{
    if (partial.length > 0)
        put_line(&partial);
    partial.length = 0;
}

static void put_message(const struct message *message)
{
    if (partial.length > 0 && partial.thread != message->thread)
        flush_partial();
    for (size_t at = 0; at < message->length; at++) {
        char c = message->text[at];
        if (c == '\n') {
            partial.component = message->component;
            partial.level = message->level;
            put_line(&partial);
            partial.length = 0;
            continue;
        }
        if (c == '\r')
            continue;
        if (partial.length == sizeof(partial.text))
            flush_partial();
        partial.component = message->component;
        partial.level = message->level;
        partial.thread = message->thread;
        partial.text[partial.length++] = c;
    }
}

static void tell_losses(void)
{
    struct message note = { .component = DPFLTR_DEFAULT_ID, .level = DPFLTR_WARNING_LEVEL };
    int length = snprintf(note.text, sizeof(note.text), "[%llu debug messages lost]",
                          (unsigned long long)(lost - lost_told));
    note.length = (uint16_t)length;
    lost_told = lost;
    flush_partial();
    put_line(&note);
}

static void *serve(void *argument)
{
    struct message message;
    pthread_mutex_lock(&lock);
    for (;;) {
        if (count > 0) {
            message = ring[first];
            first = (first + 1) % NTOS_PRINT_MESSAGES;
            count--;
            bool tell = count == 0 && lost != lost_told;
            writing = true;
            pthread_mutex_unlock(&lock);
            put_message(&message);
            if (tell)
                tell_losses();
            pthread_mutex_lock(&lock);
            writing = false;
            continue;
        }
        if (partial.length > 0) {
            struct timespec until = ntos_clock_timespec(ntos_clock_now() + PARTIAL_LINE_UNITS);
            if (!flushing && pthread_cond_timedwait(&filled, &lock, &until) != ETIMEDOUT)
                continue;
            flush_partial();
            continue;
        }
        pthread_cond_broadcast(&drained);
        pthread_cond_wait(&filled, &lock);
    }
    return NULL;
}

static void start(void)
{
    ntos_condition_init(&filled);
    ntos_condition_init(&drained);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, NULL) == 0)
        pthread_detach(thread);
}

void ntos_print_hook_set(const struct ntos_hooks *new_hooks)
{
    pthread_mutex_lock(&lock);
    hooks = new_hooks ? *new_hooks : (struct ntos_hooks){0};
    pthread_mutex_unlock(&lock);
}

uint64_t ntos_print_lost(void)
{
    return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}

// A hook that never returns must not hold up the end of a driver for ever.
#define FLUSH_LIMIT_UNITS (2000 * 10000ull)

void ntos_print_flush(void)
{
    pthread_once(&started, start);
    struct timespec until = ntos_clock_timespec(ntos_clock_now() + FLUSH_LIMIT_UNITS);
    int error = 0;
    pthread_mutex_lock(&lock);
    flushing++;
    pthread_cond_signal(&filled);
    while ((count > 0 || writing || partial.length > 0) && error != ETIMEDOUT) {
        pthread_cond_signal(&filled);
        error = pthread_cond_timedwait(&drained, &lock, &until);
    }
    flushing--;
    pthread_mutex_unlock(&lock);
}

static ULONG print(const char *prefix, uint32_t component, uint32_t level, const char *format, va_list arguments)
{
    pthread_once(&started, start);
    struct message message = { .component = component, .level = level, .thread = &ntos_thread };
    struct ntos_text text = { .narrow = message.text, .capacity = sizeof(message.text) };
    if (prefix) {
        size_t length = strnlen(prefix, sizeof(message.text));
        memcpy(message.text, prefix, length);
        text.length = length;
    }
    ntos_format_narrow(&text, format, arguments);
    if (text.converted && ntos_thread.irql > PASSIVE_LEVEL)
        ntos_violation("DbgPrint", "a wide string was printed at IRQL %u, allowed at 0", ntos_thread.irql);
    message.length = (uint16_t)(text.length < sizeof(message.text) ? text.length : sizeof(message.text));

    pthread_mutex_lock(&lock);
    if (count < NTOS_PRINT_MESSAGES) {
        ring[(first + count++) % NTOS_PRINT_MESSAGES] = message;
        pthread_cond_signal(&filled);
    } else {
        lost++;
    }
    pthread_mutex_unlock(&lock);
    return STATUS_SUCCESS;
}

ULONG vDbgPrintExWithPrefix(PCSTR prefix, ULONG component, ULONG level, PCSTR format, va_list arguments)
{
    return print(prefix, component, level, format, arguments);
}

ULONG vDbgPrintEx(ULONG component, ULONG level, PCSTR format, va_list arguments)
{
    return print(NULL, component, level, format, arguments);
}

ULONG DbgPrintEx(ULONG component, ULONG level, PCSTR format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ULONG status = print(NULL, component, level, format, arguments);
    va_end(arguments);
    return status;
}

ULONG DbgPrint(PCSTR format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ULONG status = print(NULL, DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, format, arguments);
    va_end(arguments);
    return status;
}

VOID RtlAssert(PVOID expression, PVOID file, ULONG line, PCSTR message)
{
    ntos_violation("ASSERT", "%s%s%s is false, in %s line %u", message ? message : "", message ? ": " : "",
                   (const char *)expression, (const char *)file, line);
}
