// The system's socket headers, for winsock2.h and for ws2def.h.
//
// Windows drivers have no socket calls and no htons(): they may define such names themselves. So in a driver (after
// ntddk.h, ntifs.h or wdm.h) the system's declarations of these names are kept out of its sight.
#pragma once

#if (defined(_NTDDK_) || defined(_NTIFS_) || defined(_WDMDDK_) || defined(_WDM_)) && !defined(_SYS_SOCKET_H)

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
