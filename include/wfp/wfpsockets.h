// The system's socket types, for ws2def.h.
//
// Windows drivers have no socket calls and no htons(): they may define such names themselves. So in a driver (after
// ntddk.h, ntifs.h or wdm.h) the system's declarations of these names are kept out of its sight.
#pragma once

#ifdef _WIN32

// mingw-w64 has no socket types for drivers.
#include "wfpbase.h"

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 23

enum {
    IPPROTO_IP = 0,
    IPPROTO_ICMP = 1,
    IPPROTO_IGMP = 2,
    IPPROTO_TCP = 6,
    IPPROTO_UDP = 17,
    IPPROTO_IPV6 = 41,
    IPPROTO_ESP = 50,
    IPPROTO_AH = 51,
    IPPROTO_ICMPV6 = 58,
    IPPROTO_NONE = 59,
    IPPROTO_RAW = 255
};

struct sockaddr {
    USHORT sa_family;
    CHAR sa_data[14];
};

struct sockaddr_storage {
    USHORT ss_family;
    CHAR __ss_pad1[6];
    INT64 __ss_align;
    CHAR __ss_pad2[112];
};

#elif (defined(_NTDDK_) || defined(_NTIFS_) || defined(_WDMDDK_) || defined(_WDM_)) && !defined(_SYS_SOCKET_H)

#define accept wfp_hidden_accept
#define accept4 wfp_hidden_accept4
#define bind wfp_hidden_bind
#define connect wfp_hidden_connect
#define listen wfp_hidden_listen
#define recv wfp_hidden_recv
#define send wfp_hidden_send
#define shutdown wfp_hidden_shutdown
#define socket wfp_hidden_socket
#define htonl wfp_hidden_htonl
#define htons wfp_hidden_htons
#define ntohl wfp_hidden_ntohl
#define ntohs wfp_hidden_ntohs

#include <netinet/in.h>
#include <sys/socket.h>

#undef accept
#undef accept4
#undef bind
#undef connect
#undef listen
#undef recv
#undef send
#undef shutdown
#undef socket
#undef htonl
#undef htons
#undef ntohl
#undef ntohs

#else

#include <netinet/in.h>
#include <sys/socket.h>

#endif
