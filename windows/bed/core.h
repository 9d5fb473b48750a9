// The bed's inside: one engine, one lock, and what the parts tell each other. No Windows headers: kernel-style and
// user-style sources include it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

#include "bed.h"

// --- engine.c: the one engine. All of it and of its policies under the lock, which one thread may take twice. ---

void bed_lock(void);
void bed_unlock(void);
struct wall_engine *bed_engine(void);
// Counts the engine's objects, the built-in ones left out. Under the lock.
void bed_engine_count(struct bed_state *state);
extern uint32_t bed_session_count;

// --- lines.c: what drivers print ---

void bed_lines_add(const char *text);
// Moves at most `size` bytes out. Returns how many.
uint32_t bed_lines_take(char *text, uint32_t size);

// --- irql.c: each thread's IRQL, read and written by drivers through register CR8 ---

void bed_irql_start(void);
uint8_t bed_irql(void);
// Returns the one before.
uint8_t bed_irql_set(uint8_t irql);

// --- verify.c: imports of loaded drivers are replaced by those of thunks.c ---

void bed_verify_start(void);
// The function that takes the place of ntoskrnl's `name`, or NULL.
void *bed_thunk(const char *name);
// Whether the call of `name` that is about to happen has to fail.
bool bed_fault(const char *name);
void bed_fault_arm(uint32_t number);
// A driver broke a rule. The last one is kept, all are counted.
void bed_violation(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));
void bed_forgive(void);
// Complains about a call of `name` above `highest` IRQL.
void bed_expect_irql(const char *name, uint8_t highest);
// Adds to one of the counters of bed_state.
enum bed_counter { BED_DEVICES, BED_LINKS, BED_HANDLES, BED_ALLOCATIONS, BED_WORK_ITEMS, BED_COUNTERS_ };
void bed_count(enum bed_counter counter, int change);
void bed_verify_state(struct bed_state *state);

// --- callout.c, classify.c, operation.c ---

struct wall_filter;
// Tells the callout behind a filter of its birth (its refusal: a negative NTSTATUS) or death.
int32_t bed_notify_added(const FWPM_FILTER0 *filter, uint64_t id);
void bed_notify_deleted(uint32_t callout_id, uint64_t id);
uint32_t bed_callout_count(void);

void bed_inject(const struct bed_attempt *attempt, bool reauthorize, struct bed_verdict *ret_verdict);
void bed_operation_get(uint64_t operation, struct bed_verdict *ret_verdict);
uint32_t bed_operation_count(void);

// --- server.c: messages of src/wire to the engine and back; one session for each opener ---

struct bed_session;
struct bed_session *bed_session_new(uint32_t process_id, bool kernel_mode);
void bed_session_free(struct bed_session *session);
// Handles the request frame in `bytes`. Returns the size of the reply frame in `buffer`, 0 when there is none or it
// does not fit.
uint32_t bed_session_call(struct bed_session *session, const void *bytes, uint32_t size, void *buffer,
                          uint32_t buffer_size);

// --- thunks.c: the access lists of devices, which Wine has none of ---

// Whether `device` got a list that lets in the system and the administrators only.
bool bed_device_is_secured(const void *device);
uint32_t bed_devices_secured(void);  // how many
void bed_device_secured(const void *device, const void *acl, uint32_t size);
