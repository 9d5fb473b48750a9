// Objects threads wait for. One lock guards the state of all of them: waits are rare in a callout driver.
#pragma once

#include <wdm.h>

#include <pthread.h>

enum ntos_dispatcher_type {
    NTOS_DISPATCHER_EVENT_NOTIFICATION = 0,
    NTOS_DISPATCHER_EVENT_SYNCHRONIZATION = 1,
    NTOS_DISPATCHER_MUTANT = 2,
    NTOS_DISPATCHER_PROCESS = 3,
    NTOS_DISPATCHER_SEMAPHORE = 5,
    NTOS_DISPATCHER_THREAD = 6,
    NTOS_DISPATCHER_TIMER_NOTIFICATION = 8,
    NTOS_DISPATCHER_TIMER_SYNCHRONIZATION = 9,
};

extern pthread_mutex_t ntos_dispatcher_lock;

// Every object of the API begins with a header; `size` is that of the whole object.
void ntos_dispatcher_init(DISPATCHER_HEADER *header, enum ntos_dispatcher_type type, size_t size, LONG state);
// With the lock held: sets the state and wakes the waits it satisfies.
void ntos_dispatcher_signal(DISPATCHER_HEADER *header, LONG state);
// The wait itself, without the IRQL check.
NTSTATUS ntos_dispatcher_wait(ULONG count, PVOID objects[], WAIT_TYPE type, PLARGE_INTEGER timeout);

// Units of 100 ns of the clock that never goes back.
uint64_t ntos_clock_now(void);
// The due time of a timeout (negative: relative, else a system time), on that clock.
uint64_t ntos_clock_due(LARGE_INTEGER timeout);
struct timespec ntos_clock_timespec(uint64_t due);
// A condition variable that waits by that clock.
void ntos_condition_init(pthread_cond_t *condition);
