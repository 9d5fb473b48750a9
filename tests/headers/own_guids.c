// A program with GUIDs and socket helpers of its own: WFP_NO_GUIDS, and no socket function in a driver's sight.
#include <ntddk.h>

#include <initguid.h>
#include <fwpsk.h>
#include <fwpmk.h>
#include <ip2string.h>
#include <ws2ipdef.h>

DEFINE_GUID(FWPM_LAYER_STREAM_V4, 0x3b89653c, 0xc170, 0x49e4, 0xb1, 0xcd, 0xe0, 0xee, 0xee, 0xe1, 0x9a, 0x3e);

static inline USHORT htons(USHORT value)
{
    return (USHORT)(value << 8 | value >> 8);
}

static inline int connect(const GUID *key)
{
    return IsEqualGUID(key, &FWPM_LAYER_STREAM_V4) ? htons(1) : AF_INET + IPPROTO_TCP;
}

int use(const GUID *key);

int use(const GUID *key)
{
    return connect(key);
}
