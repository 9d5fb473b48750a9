// What the tests of the Wine test bed share: checks, services, the bed's device.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <winsock2.h>
#include <windows.h>

#include <winioctl.h>

#include "fwpmtypes.h"
#include "fwpstypes.h"

#include "bed.h"

// A failed check is printed with what follows it, and counted; the test goes on.
#define CHECK(condition, ...) (void)((condition) || test_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__))
bool test_failed(const char *file, int line, const char *text, const char *format, ...)
    __attribute__((format(gnu_printf, 4, 5)));
extern unsigned test_failures;

// --- Services. They end the test program when Windows itself fails. ---

// Makes a driver service of C:\windows\system32\drivers\<name>.sys; one that exists is no error.
void test_driver_install(const WCHAR *name);
// Sets a string parameter of the service; NULL deletes it.
void test_driver_parameter(const WCHAR *name, const WCHAR *parameter, const WCHAR *value);
// Returns a Win32 code, 0 for success.
DWORD test_driver_start(const WCHAR *name);
DWORD test_driver_stop(const WCHAR *name);
void test_driver_remove(const WCHAR *name);

// --- The bed ---

void bed_open(void);
struct bed_state bed_state(void);
struct bed_verdict bed_inject(const struct bed_attempt *attempt);
struct bed_verdict bed_reclassify(const struct bed_attempt *attempt);
struct bed_verdict bed_operation(uint64_t operation);
void bed_fault(uint32_t number);
void bed_forgive(void);
// What drivers printed since the last call, the newest of it when that is much; valid until the next.
const char *bed_lines(void);

// An attempt at ALE_AUTH_CONNECT_V4 or _V6, by the form of the addresses. Port 0 of ICMP stays 0.
struct bed_attempt attempt_of(const char *path, uint64_t process_id, const char *local, uint16_t local_port,
                              const char *remote, uint16_t remote_port, uint8_t protocol);

// Remembers what there is, before a test.
void test_mark(void);
// Checks that nothing of a driver was added since, neither in the engine nor in the kernel, and no rule broken.
void test_check_clean(const char *when);

// The tests, each in its own file; main.c calls them by name.
void test_replay(const char *capture);
void test_cycles(unsigned count);
void test_faults(const WCHAR *driver);
void test_verdicts(void);
void test_pending(void);
void test_ask(void);
