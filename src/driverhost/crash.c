#include "driverhost/crash.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ntos/ntos.h"

#define FRAMES_MAX 64
// Room for the handler and backtrace() of a thread that ran out of its own stack.
#define STACK_BYTES 65536u
// Other threads get this long to print their stacks.
#define OTHERS_WAIT_MS 200

static const char *driver_name = "?";

// Async-signal-safe output.
static void put(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void put_number(long number)
{
    char digits[24], *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(at);
}

static void put_stack(void)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

static void on_other_thread(int signal_number)
{
    put("thread ");
    put_number(syscall(SYS_gettid));
    put(":\n");
    put_stack();
}

struct linux_dirent64 {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

// Makes every other thread print its stack. getdents64 directly: opendir() allocates memory.
static void put_other_stacks(void)
{
    _Alignas(struct linux_dirent64) char entries[4096];
    long self = syscall(SYS_gettid);
    int directory = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long bytes;
    while (directory >= 0 && (bytes = syscall(SYS_getdents64, directory, entries, sizeof(entries))) > 0) {
        for (long at = 0; at < bytes;) {
            const struct linux_dirent64 *entry = (const void *)(entries + at);
            long thread = strtol(entry->name, NULL, 10);
            if (thread > 0 && thread != self) {
                (void)syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
                const struct timespec turn = {.tv_nsec = OTHERS_WAIT_MS * 1000000L / 10};
                (void)nanosleep(&turn, NULL);  // one after another, so that their lines do not mix
            }
            at += entry->size;
        }
    }
    if (directory >= 0)
        close(directory);
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    if (signal_number != SIGABRT)
        ntos_exception_from_signal(signal_number);
    put("driver ");
    put(driver_name);
    put(": ended by SIG");
    put(sigabbrev_np(signal_number));
    put(" (");
    put(sigdescr_np(signal_number));
    put("), stack:\n");
    put_stack();
    if (signal_number == SIGABRT && info->si_code == SI_USER)
        put_other_stacks();
    (void)signal(signal_number, SIG_DFL);
    (void)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal_number);
}

int wall_crash_install(const char *name)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    void *frames[1];
    driver_name = name;
    (void)backtrace(frames, 1);  // loads libgcc now, not in the handler

    stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    if (!stack.ss_sp || sigaltstack(&stack, NULL) < 0)
        return -ENOMEM;
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction other = {.sa_handler = on_other_thread, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], &crash, NULL) < 0)
            return -errno;
    }
    return sigaction(SIGUSR1, &other, NULL) < 0 ? -errno : 0;
}
