// IPv6 socket addresses, address prefixes and their helpers.
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <ws2ipdef.h>
#else

#include "in6addr.h"
#include "wfpbase.h"
#include "ws2def.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _SOCKADDR_IN6 {
    ADDRESS_FAMILY sin6_family;
    USHORT sin6_port;
    ULONG sin6_flowinfo;
    IN6_ADDR sin6_addr;
    WFP_ANONYMOUS union {
        ULONG sin6_scope_id;
        SCOPE_ID sin6_scope_struct;
    };
} SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH, SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;

typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

typedef struct _sockaddr_in6_pair {
    PSOCKADDR_IN6 SourceAddress;
    PSOCKADDR_IN6 DestinationAddress;
} SOCKADDR_IN6_PAIR, *PSOCKADDR_IN6_PAIR;

#ifdef __cplusplus
}
#endif

#endif
