// What a crash leaves behind: the signal and every thread's stack, then death by the same signal.
#pragma once

// Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and SIGTRAP. Inside a driver's __try block the first
// four become its exception. Reports go to standard error; one line goes to `control_fd` unless it is -1.
void wall_crash_watch(int control_fd);
