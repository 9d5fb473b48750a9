// Addresses as text and back. An IPv4 address is kept in its mapped form, ::ffff:a.b.c.d, so that one comparison
// serves both families (a V6 socket talking to an IPv4 host is classified at the V6 layers).
#pragma once

#include <ntddk.h>

struct wall_address {
    UCHAR bytes[16];  // network byte order
};

// Longest text: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255" and its terminator.
#define WALL_ADDRESS_TEXT_MAX 46

// `address` in host byte order, as the V4 layers give it.
void wall_address_from_v4(UINT32 address, struct wall_address *ret_address);
BOOLEAN wall_address_is_v4(const struct wall_address *address);

// Canonical text: dotted IPv4 for a mapped address, RFC 5952 otherwise. Any IRQL.
void wall_address_print(const struct wall_address *address, CHAR ret_text[WALL_ADDRESS_TEXT_MAX]);

// Reads the whole of text[0, length) as one IPv4 or IPv6 address. Returns FALSE when it is neither.
BOOLEAN wall_address_parse(const WCHAR *text, ULONG length, struct wall_address *ret_address);

// Reads the whole of text[0, length) as a decimal number of at most `maximum`. Returns FALSE when it is none.
BOOLEAN wall_number_parse(const WCHAR *text, ULONG length, UINT32 maximum, UINT32 *ret_number);
