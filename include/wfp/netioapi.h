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
#define NETIOAPI_API_
#define NETIOAPI_API NETIO_STATUS NETIOAPI_API_

typedef struct _IP_ADDRESS_PREFIX {
    SOCKADDR_INET Prefix;
    UINT8 PrefixLength;
} IP_ADDRESS_PREFIX, *PIP_ADDRESS_PREFIX;

#ifdef __cplusplus
}
#endif

#endif
