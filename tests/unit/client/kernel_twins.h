// Calls of the kernel-mode names, which a file that includes fwpmu.h cannot make.
#pragma once

#include <stdint.h>

// Opens, uses and closes an engine handle; fails the test when a result is not the kernel's.
void kernel_twins_check(void);
// Deletes a callout through a handle of either mode. Returns the NTSTATUS.
uint32_t kernel_twins_delete(void *engine);
