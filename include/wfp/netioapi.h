// Conversions between the identifiers of network interfaces, and address prefixes.
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <netioapi.h>
#else

#include "ifdef.h"
#include "nldef.h"
#include "wfpbase.h"
#include "ws2ipdef.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NETIO_STATUS DWORD
#define NETIOAPI_API NETIO_STATUS NETIOAPI_API_
#define NETIOAPI_API_

typedef struct _IP_ADDRESS_PREFIX {
    SOCKADDR_INET Prefix;
    UINT8 PrefixLength;
} IP_ADDRESS_PREFIX, *PIP_ADDRESS_PREFIX;

NETIOAPI_API ConvertInterfaceAliasToLuid(const WCHAR *InterfaceAlias, NET_LUID *InterfaceLuid);
NETIOAPI_API ConvertInterfaceLuidToAlias(const NET_LUID *InterfaceLuid, PWSTR InterfaceAlias, SIZE_T Length);
NETIOAPI_API ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, NET_LUID *InterfaceLuid);
NETIOAPI_API ConvertInterfaceLuidToIndex(const NET_LUID *InterfaceLuid, NET_IFINDEX *InterfaceIndex);

#ifdef __cplusplus
}
#endif

#endif
