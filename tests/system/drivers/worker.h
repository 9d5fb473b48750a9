// A thread that works whenever it is woken.
#pragma once

#include <ntddk.h>

// PASSIVE_LEVEL. One wake-up may stand for several.
NTSTATUS worker_start(VOID (*work)(VOID));
// IRQL <= DISPATCH_LEVEL.
VOID worker_wake(VOID);
// PASSIVE_LEVEL, whether it was started or not. Waits for the thread; what it was woken for last may be left to do.
VOID worker_stop(VOID);
