#include <errno.h>
#include <stdlib.h>

#include <windows.h>

#include <winioctl.h>

#include "bed.h"
#include "transport.h"

struct bed_transport {
    HANDLE device;
};

int bed_transport_open(struct bed_transport **ret_transport)
{
    struct bed_transport *transport = calloc(1, sizeof(*transport));
    if (!transport)
        return -ENOMEM;
    transport->device = CreateFileW(BED_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (transport->device == INVALID_HANDLE_VALUE) {
        free(transport);
        return -ECONNREFUSED;
    }
    *ret_transport = transport;
    return 0;
}

void bed_transport_close(struct bed_transport *transport)
{
    CloseHandle(transport->device);
    free(transport);
}

int bed_transport_call(struct bed_transport *transport, const void *frame, size_t size, void *reply, size_t reply_size)
{
    DWORD used;
    if (!DeviceIoControl(transport->device, BED_MESSAGE, (void *)(uintptr_t)frame, (DWORD)size, reply,
                         (DWORD)reply_size, &used, NULL))
        return -ECONNRESET;
    return (int)used;
}

void bed_transport_pause(void)
{
    Sleep(1);
}
