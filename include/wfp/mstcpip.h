// Requests on sockets that concern redirected connections, and helpers for IPv4 addresses in IPv6 form.
#pragma once

#ifdef _WIN32
#include_next <mstcpip.h>
#else

#include "ip2string.h"
#include "ws2def.h"
#include "ws2ipdef.h"

// A local proxy asks the socket it accepted for the records of the redirection, and hands them on to its own.
#define SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS _WSAIOW(IOC_VENDOR, 220)
#define SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT _WSAIOW(IOC_VENDOR, 221)
#define SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS _WSAIOW(IOC_VENDOR, 222)
#define SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE _WSAIOR(IOC_VENDOR, 205)
#define SIO_RCVALL _WSAIOW(IOC_VENDOR, 1)

#endif
