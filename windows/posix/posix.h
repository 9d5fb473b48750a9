// What sources shared with Linux use of its C library and mingw-w64 does not have. Included by the compiler's option.
#pragma once

#include <stdint.h>
#include <stdlib.h>

static inline void *reallocarray(void *memory, size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? NULL : realloc(memory, count * size);
}
