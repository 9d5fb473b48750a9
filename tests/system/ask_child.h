// What one program of ask_storm tells when it is done, on its standard output.
#pragma once

#include <stdint.h>

struct result {
    int index, error;        // 0, or the errno of what failed
    uint64_t first_byte_ns;  // CLOCK_MONOTONIC
};
