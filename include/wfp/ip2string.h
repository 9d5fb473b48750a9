// IP addresses as text, in the functions that drivers and programs share.
#pragma once

#ifdef _WIN32
#include_next <ip2string.h>
#else

#include "in6addr.h"
#include "inaddr.h"

#ifdef __cplusplus
extern "C" {
#endif


// Write the text and a terminator; return the position of the terminator. Ports are in network byte order.
PSTR NTAPI RtlIpv4AddressToStringA(const IN_ADDR *Addr, PSTR S);
PWSTR NTAPI RtlIpv4AddressToStringW(const IN_ADDR *Addr, PWSTR S);
PSTR NTAPI RtlIpv6AddressToStringA(const IN6_ADDR *Addr, PSTR S);
PWSTR NTAPI RtlIpv6AddressToStringW(const IN6_ADDR *Addr, PWSTR S);

// STATUS_SUCCESS, or STATUS_INVALID_PARAMETER for what is not an address. Strict: four decimal parts only.
NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, IN_ADDR *Addr);
NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR *Terminator, IN_ADDR *Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressA(PCSTR S, PCSTR *Terminator, IN6_ADDR *Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR *Terminator, IN6_ADDR *Addr);

#ifdef UNICODE
#define RtlIpv4AddressToString RtlIpv4AddressToStringW
#define RtlIpv6AddressToString RtlIpv6AddressToStringW
#else
#define RtlIpv4AddressToString RtlIpv4AddressToStringA
#define RtlIpv6AddressToString RtlIpv6AddressToStringA
#endif

#ifdef __cplusplus
}
#endif

#endif
