// A fuzz harness without a fuzzer: valid inputs, damaged at random, the same ones in every run.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "support/random_object.h"

// The harness, as libFuzzer calls it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Writes a valid input of at most `capacity` bytes for standalone.c to damage. Returns its size.
size_t fuzz_make_input(struct random *random, uint8_t *data, size_t capacity);
