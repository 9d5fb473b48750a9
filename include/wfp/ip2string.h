// IP addresses as text, in the functions that drivers and programs share.
#pragma once

#ifdef _WIN32
#include_next <ip2string.h>
#else

#include <stdint.h>
#include <string.h>

#include "in6addr.h"
#include "inaddr.h"
#include "ntstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

// The C library's inet_ntop() and inet_pton(); their header would bring htons() and others to drivers (wfpsockets.h).
const char *wfp_inet_ntop(int family, const void *address, char *buffer, uint32_t size) __asm__("inet_ntop");
int wfp_inet_pton(int family, const char *text, void *ret_address) __asm__("inet_pton");

// Write the text and a terminator; return the position of the terminator. Room: 16 and 46 characters.
static inline PSTR NTAPI RtlIpv4AddressToStringA(const IN_ADDR *Addr, PSTR S)
{
    wfp_inet_ntop(AF_INET, Addr, S, INET_ADDRSTRLEN);
    return S + strlen(S);
}

static inline PSTR NTAPI RtlIpv6AddressToStringA(const IN6_ADDR *Addr, PSTR S)
{
    wfp_inet_ntop(AF_INET6, Addr, S, INET6_ADDRSTRLEN);
    return S + strlen(S);
}

static inline PWSTR NTAPI RtlIpv4AddressToStringW(const IN_ADDR *Addr, PWSTR S)
{
    char text[INET_ADDRSTRLEN];
    size_t length = (size_t)(RtlIpv4AddressToStringA(Addr, text) - text);

    for (size_t i = 0; i <= length; i++)
        S[i] = (WCHAR)text[i];
    return S + length;
}

static inline PWSTR NTAPI RtlIpv6AddressToStringW(const IN6_ADDR *Addr, PWSTR S)
{
    char text[INET6_ADDRSTRLEN];
    size_t length = (size_t)(RtlIpv6AddressToStringA(Addr, text) - text);

    for (size_t i = 0; i <= length; i++)
        S[i] = (WCHAR)text[i];
    return S + length;
}

// The address that the text begins with; *Terminator is set behind it. STATUS_INVALID_PARAMETER when there is none.
// IPv4: four decimal parts, with Strict and without.
#define WFP_STRING_TO_ADDRESS_(function, character, address, family, alphabet)                       \
    static inline NTSTATUS NTAPI function(character S, character *Terminator, address *Addr)         \
    {                                                                                                \
        char text[INET6_ADDRSTRLEN];                                                                 \
        size_t i = 0;                                                                                \
                                                                                                     \
        while (i < sizeof(text) - 1 && S[i] > 0 && S[i] < 0x7f && strchr(alphabet, (int)S[i])) {     \
            text[i] = (char)S[i];                                                                    \
            i++;                                                                                     \
        }                                                                                            \
        text[i] = 0;                                                                                 \
        *Terminator = S + i;                                                                         \
        return wfp_inet_pton(family, text, Addr) == 1 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;   \
    }

WFP_STRING_TO_ADDRESS_(WfpIpv4StringToAddressA_, PCSTR, IN_ADDR, AF_INET, "0123456789.")
WFP_STRING_TO_ADDRESS_(WfpIpv4StringToAddressW_, PCWSTR, IN_ADDR, AF_INET, "0123456789.")
WFP_STRING_TO_ADDRESS_(RtlIpv6StringToAddressA, PCSTR, IN6_ADDR, AF_INET6, "0123456789abcdefABCDEF:.")
WFP_STRING_TO_ADDRESS_(RtlIpv6StringToAddressW, PCWSTR, IN6_ADDR, AF_INET6, "0123456789abcdefABCDEF:.")
#undef WFP_STRING_TO_ADDRESS_

static inline NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, IN_ADDR *Addr)
{
    (void)Strict;
    return WfpIpv4StringToAddressA_(S, Terminator, Addr);
}

static inline NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR *Terminator, IN_ADDR *Addr)
{
    (void)Strict;
    return WfpIpv4StringToAddressW_(S, Terminator, Addr);
}

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
