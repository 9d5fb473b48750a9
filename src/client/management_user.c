// The management API in user mode: fwpmu.h.
#include <stdlib.h>

#include "fwpmu.h"

#include "client/app_id.h"

#define RESULT DWORD WINAPI
#define DONE(status) (status)

#include "client/management.inc"

// Both modes share it: what they return is the same memory.
void FwpmFreeMemory0(void **p)
{
    if (!p)
        return;
    free(*p);
    *p = NULL;
}

DWORD FwpmGetAppIdFromFileName0(PCWSTR file_name, FWP_BYTE_BLOB **ret_id)
{
    return wall_app_id_from_file(file_name, ret_id);
}

// --- Subscriptions exist in user mode only ---

#define SUBSCRIBE(name, type, prefix, member)                                                                          \
    DWORD Fwpm##name##SubscribeChanges0(HANDLE engine, const prefix##_SUBSCRIPTION0 *subscription,                     \
                                        prefix##_CHANGE_CALLBACK0 callback, void *context, HANDLE *ret)                \
    {                                                                                                                  \
        struct wall_client_callback wrapped = { .context = context, .member = callback };                              \
        if (!subscription)                                                                                             \
            return FWP_E_NULL_POINTER;                                                                                 \
        return wall_client_subscribe(engine, type, 0, subscription->enumTemplate, subscription->flags, &wrapped, ret); \
    }                                                                                                                  \
    DWORD Fwpm##name##UnsubscribeChanges0(HANDLE engine, HANDLE subscription)                                          \
    {                                                                                                                  \
        return wall_client_unsubscribe(engine, subscription, type);                                                    \
    }

SUBSCRIBE(Provider, WALL_OBJECT_PROVIDER, FWPM_PROVIDER, provider)
SUBSCRIBE(ProviderContext, WALL_OBJECT_PROVIDER_CONTEXT, FWPM_PROVIDER_CONTEXT, provider_context)
SUBSCRIBE(SubLayer, WALL_OBJECT_SUBLAYER, FWPM_SUBLAYER, sublayer)
SUBSCRIBE(Callout, WALL_OBJECT_CALLOUT, FWPM_CALLOUT, callout)
SUBSCRIBE(Filter, WALL_OBJECT_FILTER, FWPM_FILTER, filter)

// FwpmNetEventSubscribe<n> delivers FWPM_NET_EVENT<n + 1>.
#define SUBSCRIBE_EVENTS(digit, version)                                                                               \
    DWORD FwpmNetEventSubscribe##digit(HANDLE engine, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,                \
                                       FWPM_NET_EVENT_CALLBACK##digit callback, void *context, HANDLE *ret)            \
    {                                                                                                                  \
        struct wall_client_callback wrapped = { .context = context, .net_event##version = callback };                  \
        if (!subscription)                                                                                             \
            return FWP_E_NULL_POINTER;                                                                                 \
        return wall_client_subscribe(engine, WALL_ANY_NET_EVENT, version, subscription->enumTemplate,                  \
                                     subscription->flags, &wrapped, ret);                                              \
    }

SUBSCRIBE_EVENTS(0, 1)
SUBSCRIBE_EVENTS(1, 2)
SUBSCRIBE_EVENTS(2, 3)
SUBSCRIBE_EVENTS(3, 4)
SUBSCRIBE_EVENTS(4, 5)

DWORD FwpmNetEventUnsubscribe0(HANDLE engine, HANDLE subscription)
{
    return wall_client_unsubscribe(engine, subscription, WALL_ANY_NET_EVENT);
}
