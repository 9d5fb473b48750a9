// Names and addresses: getaddrinfo() and inet_pton() are the system's.
#pragma once

#ifdef _WIN32
#include_next <ws2tcpip.h>
#else

#include "winsock2.h"
#include "ws2ipdef.h"

typedef struct addrinfo ADDRINFOA, *PADDRINFOA;

#ifdef __cplusplus
extern "C" {
#endif

#define InetPtonA inet_pton
#define InetNtopA inet_ntop

// 1: `ret_address` holds the address in network byte order; 0: not an address; -1: unknown family.
static inline INT InetPtonW(INT family, PCWSTR text, PVOID ret_address)
{
    char narrow[INET6_ADDRSTRLEN];
    size_t i = 0;

    for (; text[i] != 0; i++) {
        if (i == sizeof(narrow) - 1 || text[i] > 0x7f)
            return 0;
        narrow[i] = (char)text[i];
    }
    narrow[i] = 0;
    return inet_pton(family, narrow, ret_address);
}

// `buffer` holds `length` characters; NULL when the family is unknown or the buffer too small.
static inline PCWSTR InetNtopW(INT family, const VOID *address, PWSTR buffer, size_t length)
{
    char narrow[INET6_ADDRSTRLEN];
    size_t i = 0;

    if (!inet_ntop(family, address, narrow, sizeof(narrow)))
        return NULL;
    for (; i < length; i++) {
        buffer[i] = (WCHAR)narrow[i];
        if (narrow[i] == 0)
            return buffer;
    }
    errno = ENOSPC;
    return NULL;
}

#ifdef UNICODE
#define InetPton InetPtonW
#define InetNtop InetNtopW
#else
#define InetPton InetPtonA
#define InetNtop InetNtopA
#endif

#ifdef __cplusplus
}
#endif

#endif
