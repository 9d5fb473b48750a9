// Error detail: what went wrong, where, and what to do about it; filled by the lowest function that knows.
#pragma once

#include <stdint.h>

struct wall_error {
    int code;               // negative errno
    uint32_t line, column;  // in a text input; 0: not about a place in a text
    char text[512];         // one sentence or two, UTF-8, no trailing newline
};

// Fills `err` (which may be NULL) and returns `code`.
int wall_error_set(struct wall_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
