// Sockets in the words of Windows, over the system's own.
#pragma once

#ifdef _WIN32
#include_next <winsock2.h>
#else

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "windows.h"

#include "ws2def.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int SOCKET;
#define INVALID_SOCKET (-1)
#define SOCKET_ERROR (-1)
#define SD_RECEIVE SHUT_RD
#define SD_SEND SHUT_WR
#define SD_BOTH SHUT_RDWR

typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[257];
    char szSystemStatus[129];
} WSADATA, *LPWSADATA;

// There is nothing to start: always succeeds.
static inline int WSAStartup(WORD version, LPWSADATA data)
{
    memset(data, 0, sizeof(*data));
    data->wVersion = version;
    data->wHighVersion = version;
    return 0;
}

static inline int WSACleanup(void)
{
    return 0;
}

// Errors of sockets are errno values here, and so are the WSAE* names.
static inline int WSAGetLastError(void)
{
    return errno;
}

static inline int closesocket(SOCKET s)
{
    return close(s);
}

#define WSAEINTR EINTR
#define WSAEACCES EACCES
#define WSAEINVAL EINVAL
#define WSAEWOULDBLOCK EWOULDBLOCK
#define WSAEADDRINUSE EADDRINUSE
#define WSAECONNABORTED ECONNABORTED
#define WSAECONNREFUSED ECONNREFUSED
#define WSAECONNRESET ECONNRESET
#define WSAETIMEDOUT ETIMEDOUT
#define WSAENOTSOCK ENOTSOCK

#ifdef __cplusplus
}
#endif

#endif
