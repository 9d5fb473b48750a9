#include "base/random.h"

#include <errno.h>
#include <limits.h>

#include <windows.h>

#include <ntsecapi.h>

int wall_random_bytes(void *buffer, size_t size)
{
    if (size > ULONG_MAX)
        return -EINVAL;
    return RtlGenRandom(buffer, (ULONG)size) ? 0 : -EIO;
}
