#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

int wall_random_bytes(void *buffer, size_t size)
{
    char *bytes = buffer;
    while (size > 0) {
        ssize_t count = getrandom(bytes, size, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}
