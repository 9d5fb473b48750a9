// Threads and processes as the kernel API sees them.
#pragma once

#include <setjmp.h>

#include "ntos/dispatcher.h"

struct _KTHREAD {
    DISPATCHER_HEADER Header;  // signalled when the thread has ended
    LIST_ENTRY entry;          // in the list of system threads
    ULONG number;              // Linux thread id
    PKSTART_ROUTINE routine;   // NULL: a thread that was not made by PsCreateSystemThread
    PVOID context;
    NTSTATUS status;
    KPRIORITY priority;
    sigjmp_buf end;
};

struct _EPROCESS {
    DISPATCHER_HEADER Header;
    uint32_t id;
};

// System threads whose start routine lies within [start, end) and that have not ended: waits at most `timeout_ms` for
// them, reports those that remain. Returns their number.
unsigned ntos_threads_sweep(const void *start, const void *end, uint32_t timeout_ms);

// Runs `routine` on a new system thread and waits for it.
int ntos_thread_run(PKSTART_ROUTINE routine, PVOID context);

// The object of a process, with a reference for the caller.
PEPROCESS ntos_process_reference(uint32_t id);
