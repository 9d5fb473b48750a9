#include "driverhost/crash.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ntos/ntos.h"

// All code here but wall_crash_watch() runs in signal handlers: no stdio, no malloc, no locks.

#define FRAMES 64
// A thread that does not answer in this time blocks the signal, or is stuck in the kernel.
#define THREAD_WAIT_MS 200
#define STACK_SIGNAL (SIGRTMIN + 4)

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
static int report_fd = -1;
static volatile sig_atomic_t crashing;
static atomic_int answered;  // the thread that has put its stack last

struct line {
    char text[256];
    size_t length;
};

static void add_text(struct line *line, const char *text)
{
    while (*text && line->length < sizeof(line->text))
        line->text[line->length++] = *text++;
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    add_text(line, digits + at);
}

static void put_line(struct line *line)
{
    add_text(line, "\n");
    ssize_t ignored = write(STDERR_FILENO, line->text, line->length);
    (void)ignored;
}

static void put_stack(void)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

static void on_stack_signal(int number)
{
    int saved = errno;
    struct line line = {0};
    add_text(&line, "thread ");
    add_number(&line, (uint64_t)syscall(SYS_gettid), 10);
    add_text(&line, ":");
    put_line(&line);
    put_stack();
    atomic_store(&answered, (int)syscall(SYS_gettid));
    errno = saved;
}

static void ask_thread(pid_t thread)
{
    if (syscall(SYS_tgkill, getpid(), thread, STACK_SIGNAL) != 0)
        return;
    for (int i = 0; i < THREAD_WAIT_MS && atomic_load(&answered) != thread; i++) {
        struct timespec pause = { .tv_nsec = 1000000 };
        (void)nanosleep(&pause, NULL);
    }
    if (atomic_load(&answered) == thread)
        return;
    struct line line = {0};
    add_text(&line, "thread ");
    add_number(&line, (uint64_t)thread, 10);
    add_text(&line, ": does not answer");
    put_line(&line);
}

struct directory_entry {  // of getdents64
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static void put_other_threads(pid_t self)
{
    char bytes[4096] __attribute__((aligned(8)));
    int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (long got; (got = syscall(SYS_getdents64, fd, bytes, sizeof(bytes))) > 0;) {
        for (long at = 0; at < got;) {
            const struct directory_entry *entry = (const void *)(bytes + at);
            pid_t thread = 0;
            for (const char *c = entry->name; *c >= '0' && *c <= '9'; c++)
                thread = thread * 10 + (*c - '0');
            if (thread > 0 && thread != self)
                ask_thread(thread);
            at += entry->size;
        }
    }
    (void)close(fd);
}

static const char *name_signal(int number)
{
    switch (number) {
    case SIGSEGV: return "SIGSEGV (invalid memory)";
    case SIGBUS: return "SIGBUS (invalid memory)";
    case SIGFPE: return "SIGFPE (arithmetic)";
    case SIGILL: return "SIGILL (illegal instruction)";
    case SIGTRAP: return "SIGTRAP (break point)";
    default: return "SIGABRT";
    }
}

static void describe(int number, const siginfo_t *info, struct line *line)
{
    add_text(line, name_signal(number));
    if (number != SIGABRT && info->si_code > 0) {
        add_text(line, " at address 0x");
        add_number(line, (uint64_t)(uintptr_t)info->si_addr, 16);
    }
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    // A fault of the handler itself, or of a second thread: the first report is the one that counts.
    if (__atomic_exchange_n(&crashing, 1, __ATOMIC_SEQ_CST)) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
        return;
    }
    pid_t self = (pid_t)syscall(SYS_gettid);
    struct line line = {0};
    add_text(&line, "driver host: ");
    describe(number, info, &line);
    add_text(&line, " in thread ");
    add_number(&line, (uint64_t)self, 10);
    add_text(&line, ":");
    put_line(&line);
    put_stack();
    put_other_threads(self);

    struct line word = {0};
    add_text(&word, "failed crashed with ");
    describe(number, info, &word);
    if (report_fd >= 0)
        (void)send(report_fd, word.text, word.length, MSG_DONTWAIT | MSG_NOSIGNAL);

    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    if (info->si_code > 0 && !crashing)
        ntos_exception_from_signal(number);
    on_crash(number, info, context);
}

void wall_crash_watch(int control_fd)
{
    report_fd = control_fd;
    void *frame;
    (void)backtrace(&frame, 1);  // loads what the first call needs, while that is safe

    struct sigaction stack = { .sa_handler = on_stack_signal, .sa_flags = SA_RESTART };
    (void)sigaction(STACK_SIGNAL, &stack, NULL);
    for (size_t i = 0; i < sizeof(crash_signals) / sizeof(crash_signals[0]); i++) {
        struct sigaction action = { .sa_sigaction = i < 4 ? on_fault : on_crash,
                                    .sa_flags = SA_SIGINFO | SA_ONSTACK };
        (void)sigaction(crash_signals[i], &action, NULL);
    }
}
