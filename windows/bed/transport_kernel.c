#include <errno.h>
#include <stdlib.h>

#include <windows.h>

#include "fwpmk.h"

#include "core.h"
#include "transport.h"

// A driver's session; its end is a bed_session.
int bed_transport_open(struct bed_transport **ret_transport)
{
    if (bed_fault("FwpmEngineOpen0"))
        return -ENOMEM;
    *ret_transport = (struct bed_transport *)bed_session_new(GetCurrentProcessId(), true);
    return *ret_transport ? 0 : -ENOMEM;
}

void bed_transport_close(struct bed_transport *transport)
{
    bed_session_free((struct bed_session *)transport);
}

int bed_transport_call(struct bed_transport *transport, const void *frame, size_t size, void *reply, size_t reply_size)
{
    bed_expect_irql("a Fwpm function", 0);
    if (bed_fault("a Fwpm function"))
        return -ENOMEM;
    uint32_t used = bed_session_call((struct bed_session *)transport, frame, (uint32_t)size, reply,
                                     (uint32_t)reply_size);
    return used ? (int)used : -ECONNRESET;
}

void bed_transport_pause(void)
{
    Sleep(1);
}

// Not among the functions both modes share: on Linux they are one library.
void NTAPI FwpmFreeMemory0(void **p)
{
    if (!p)
        return;
    free(*p);
    *p = NULL;
}
