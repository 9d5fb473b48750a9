// Literal and unversioned names, as programs write them. NTDDI_VERSION chooses what the unversioned ones are.
#include <windows.h>
#include <fwpmu.h>
#include <fwpstypes.h>

#ifdef __cplusplus
#include <type_traits>
#define SAME(a, b) static_assert(std::is_same<a, b>::value, "type")
#else
#define SAME(a, b) _Static_assert(_Generic((a *)0, b * : 1, default : 0), "type")
#endif

DWORD add(HANDLE engine, const FWPM_FILTER *filter, UINT64 *id);
DWORD events(HANDLE engine, HANDLE enumeration, FWPM_NET_EVENT ***entries, UINT32 *count);
DWORD literal(HANDLE engine, HANDLE enumeration, FWPM_NET_EVENT2 ***entries, UINT32 *count);
DWORD subscribe(HANDLE engine, FWPM_NET_EVENT_CALLBACK callback, HANDLE *subscription);
DWORD context(HANDLE engine, const FWPM_PROVIDER_CONTEXT *providerContext);

DWORD add(HANDLE engine, const FWPM_FILTER *filter, UINT64 *id)
{
    DWORD result = FwpmFilterAdd0(engine, filter, NULL, id);

    return result == FWP_E_ALREADY_EXISTS ? FwpmFilterAdd(engine, filter, NULL, id) : result;
}

DWORD events(HANDLE engine, HANDLE enumeration, FWPM_NET_EVENT ***entries, UINT32 *count)
{
    return FwpmNetEventEnum(engine, enumeration, 100, entries, count);
}

DWORD literal(HANDLE engine, HANDLE enumeration, FWPM_NET_EVENT2 ***entries, UINT32 *count)
{
    return FwpmNetEventEnum2(engine, enumeration, 100, entries, count);
}

DWORD subscribe(HANDLE engine, FWPM_NET_EVENT_CALLBACK callback, HANDLE *subscription)
{
    FWPM_NET_EVENT_SUBSCRIPTION what = {0};

    return FwpmNetEventSubscribe(engine, &what, callback, NULL, subscription);
}

DWORD context(HANDLE engine, const FWPM_PROVIDER_CONTEXT *providerContext)
{
    return FwpmProviderContextAdd(engine, providerContext, NULL, NULL);
}

#if NTDDI_VERSION >= NTDDI_WIN10_RS5
SAME(FWPM_NET_EVENT, FWPM_NET_EVENT5);
SAME(FWPM_PROVIDER_CONTEXT, FWPM_PROVIDER_CONTEXT3);
SAME(FWPS_FILTER, FWPS_FILTER3);
#elif NTDDI_VERSION >= NTDDI_WIN8
SAME(FWPM_NET_EVENT, FWPM_NET_EVENT2);
SAME(FWPM_PROVIDER_CONTEXT, FWPM_PROVIDER_CONTEXT2);
SAME(FWPS_FILTER, FWPS_FILTER2);
#elif NTDDI_VERSION >= NTDDI_WIN7
SAME(FWPM_NET_EVENT, FWPM_NET_EVENT1);
SAME(FWPM_PROVIDER_CONTEXT, FWPM_PROVIDER_CONTEXT1);
#else
SAME(FWPM_NET_EVENT, FWPM_NET_EVENT0);
SAME(FWPM_PROVIDER_CONTEXT, FWPM_PROVIDER_CONTEXT0);
#endif
