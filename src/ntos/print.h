// Debug output: a bounded queue and a thread that empties it into the hook, so that a driver never waits for it.
#pragma once

#include "ntos/ntos.h"

// Bytes one call may print, as on Windows.
#define NTOS_PRINT_BYTES 512
// Messages waiting for the hook. A burst longer than that loses its end, and the loss is printed.
#define NTOS_PRINT_MESSAGES 1024

// Takes the print hook of `hooks`, or standard error for NULL.
void ntos_print_hook_set(const struct ntos_hooks *hooks);
// Messages dropped so far.
uint64_t ntos_print_lost(void);
