// Random bytes from the operating system.
#pragma once

#include <stddef.h>

// Returns 0, or a negative errno when the system has no randomness to give.
int wall_random_bytes(void *buffer, size_t size);
