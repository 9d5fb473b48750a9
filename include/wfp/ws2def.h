// Socket addresses as Windows programs name them, over the system's constants. Layouts are the same on both.
//
// AF_INET6 has the system's value: 10, on Windows 23.
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <ws2def.h>
#else

#include "inaddr.h"
#include "wfpbase.h"
#include "wfpsockets.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef USHORT ADDRESS_FAMILY;
typedef int IPPROTO;

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;
typedef SOCKADDR_STORAGE SOCKADDR_STORAGE_LH, *PSOCKADDR_STORAGE_LH;

typedef struct _SOCKADDR_IN {
    ADDRESS_FAMILY sin_family;
    USHORT sin_port;
    IN_ADDR sin_addr;
    CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;

typedef struct _SCOPE_ID {
    WFP_ANONYMOUS union {
        WFP_ANONYMOUS struct {
            ULONG Zone : 28;
            ULONG Level : 4;
        };
        ULONG Value;
    };
} SCOPE_ID, *PSCOPE_ID;

#define SCOPEID_UNSPECIFIED_INIT {{{0, 0}}}

typedef enum {
    ScopeLevelInterface = 1,
    ScopeLevelLink = 2,
    ScopeLevelSubnet = 3,
    ScopeLevelAdmin = 4,
    ScopeLevelSite = 5,
    ScopeLevelOrganization = 8,
    ScopeLevelGlobal = 14,
    ScopeLevelCount = 16
} SCOPE_LEVEL;

// The layout of the system's struct cmsghdr; data follows.
typedef struct _WSACMSGHDR {
    SIZE_T cmsg_len;
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR, CMSGHDR, *PCMSGHDR;

#ifndef _WSABUF_DEFINED_
#define _WSABUF_DEFINED_
typedef struct _WSABUF {
    ULONG len;
    CHAR *buf;
} WSABUF, *LPWSABUF;
#endif

typedef struct _SOCKET_ADDRESS {
    LPSOCKADDR lpSockaddr;
    INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

#define IN4ADDR_ANY 0x00000000u
#define IN4ADDR_LOOPBACK 0x0100007fu
#define IN4ADDR_BROADCAST 0xffffffffu
#define IOC_IN 0x80000000u
#define IOC_OUT 0x40000000u
#define IOC_INOUT (IOC_IN | IOC_OUT)
#define IOC_WS2 0x08000000u
#define IOC_VENDOR 0x18000000u
#define _WSAIOR(group, code) (IOC_OUT | (group) | (code))
#define _WSAIOW(group, code) (IOC_IN | (group) | (code))
#define _WSAIORW(group, code) (IOC_INOUT | (group) | (code))

#ifdef __cplusplus
}
#endif

#endif
