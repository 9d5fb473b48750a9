// Crashes: a driver's fault ends its host with a report — the signal, and where the code was — never silently.
#pragma once

// Installs the handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, and a stack for them. A SIGABRT from another
// process (the service ends a driver that hangs) reports the stacks of all threads. `name` is borrowed for ever.
// Returns 0 or a negative errno.
int wall_crash_install(const char *name);
