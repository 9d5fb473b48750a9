// Finding and reporting what a driver does wrong: what Driver Verifier does on Windows.
#pragma once

#include <wdm.h>

#include "ntos/ntos.h"

// The state of a thread as far as the kernel API is concerned.
struct ntos_thread_state {
    KIRQL irql;
    uint32_t critical_regions;
    uint32_t process_id;
    struct _KTHREAD *thread;  // NULL until asked for
    struct ntos_exception_frame *exceptions;
    NTSTATUS exception_code;
    uint64_t violations;
    bool reporting;  // inside a report: what the hook does wrong is not reported again
};
extern _Thread_local struct ntos_thread_state ntos_thread;

// Report to the host. `function` is the API's name as drivers know it. ntos_bugcheck() ends the process.
void ntos_violation(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ntos_leak(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void ntos_bugcheck(const char *function, ULONG code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// True when `function` may be called now; otherwise reports it.
bool ntos_irql_at_most(const char *function, KIRQL highest);
bool ntos_irql_at_least(const char *function, KIRQL lowest);

// Violations reported so far.
uint64_t ntos_violation_count(void);
