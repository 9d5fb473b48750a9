// UUIDs, and what FwpmEngineOpen takes of RPC.
#pragma once

#ifdef _WIN32
#include_next <rpcdce.h>
#else

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "minwindef.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef LONG RPC_STATUS;
typedef unsigned char *RPC_CSTR;
typedef WCHAR *RPC_WSTR;
#define RPC_ENTRY

#define RPC_C_AUTHN_NONE 0
#define RPC_C_AUTHN_GSS_NEGOTIATE 9
#define RPC_C_AUTHN_WINNT 10
#define RPC_C_AUTHN_GSS_KERBEROS 16
#define RPC_C_AUTHN_DEFAULT 0xFFFFFFFFu
#define RPC_C_AUTHN_LEVEL_DEFAULT 0
#define RPC_C_AUTHN_LEVEL_PKT_PRIVACY 6

#define SEC_WINNT_AUTH_IDENTITY_ANSI 0x1
#define SEC_WINNT_AUTH_IDENTITY_UNICODE 0x2

typedef struct _SEC_WINNT_AUTH_IDENTITY_W {
    unsigned short *User;
    uint32_t UserLength;
    unsigned short *Domain;
    uint32_t DomainLength;
    unsigned short *Password;
    uint32_t PasswordLength;
    uint32_t Flags;
} SEC_WINNT_AUTH_IDENTITY_W, *PSEC_WINNT_AUTH_IDENTITY_W;

#define RPC_S_OK 0
#define RPC_S_INVALID_STRING_UUID 1705
#define RPC_S_OUT_OF_MEMORY 14
#define RPC_S_UUID_NO_ADDRESS 1739
#define RPC_S_UUID_LOCAL_ONLY 1824

static inline RPC_STATUS RPC_ENTRY UuidCreate(UUID *Uuid)
{
    if (getrandom(Uuid, sizeof(*Uuid), 0) != (ssize_t)sizeof(*Uuid))
        return RPC_S_UUID_NO_ADDRESS;
    // version 4: random; variant: RFC 4122
    Uuid->Data3 = (uint16_t)((Uuid->Data3 & 0x0fff) | 0x4000);
    Uuid->Data4[0] = (uint8_t)((Uuid->Data4[0] & 0x3f) | 0x80);
    return RPC_S_OK;
}

// "6b29fc40-ca47-1067-b31d-00dd010662da", without braces. NULL gives the nil UUID.
static inline RPC_STATUS RPC_ENTRY UuidFromStringA(RPC_CSTR StringUuid, UUID *Uuid)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const unsigned char *text = StringUuid;
    uint8_t bytes[16] = {0};
    unsigned digits = 0;

    for (; text && *text; text++) {
        unsigned digit = *text;

        if (digit == '-' && (digits == 8 || digits == 12 || digits == 16 || digits == 20) && text[1] != '-')
            continue;
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            digit = (digit | 0x20) - 'a' + 10;
        else
            return RPC_S_INVALID_STRING_UUID;
        if (digits == 32)
            return RPC_S_INVALID_STRING_UUID;
        bytes[order[digits / 2]] = (uint8_t)(bytes[order[digits / 2]] << 4 | digit);
        digits++;
    }
    if (StringUuid && (digits != 32 || text - StringUuid != 36))
        return RPC_S_INVALID_STRING_UUID;
    memcpy(Uuid, bytes, sizeof(*Uuid));
    return RPC_S_OK;
}

static inline RPC_STATUS RPC_ENTRY UuidFromStringW(RPC_WSTR StringUuid, UUID *Uuid)
{
    unsigned char narrow[38];
    unsigned i = 0;

    if (!StringUuid)
        return UuidFromStringA(NULL, Uuid);
    for (; StringUuid[i]; i++) {
        if (i == sizeof(narrow) - 1 || StringUuid[i] > 0x7f)
            return RPC_S_INVALID_STRING_UUID;
        narrow[i] = (unsigned char)StringUuid[i];
    }
    narrow[i] = 0;
    return UuidFromStringA(narrow, Uuid);
}

// The text is freed with RpcStringFree.
static inline RPC_STATUS RPC_ENTRY UuidToStringA(const UUID *Uuid, RPC_CSTR *StringUuid)
{
    char *text = (char *)malloc(37);

    if (!text)
        return RPC_S_OUT_OF_MEMORY;
    snprintf(text, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned)Uuid->Data1, Uuid->Data2,
             Uuid->Data3, Uuid->Data4[0], Uuid->Data4[1], Uuid->Data4[2], Uuid->Data4[3], Uuid->Data4[4],
             Uuid->Data4[5], Uuid->Data4[6], Uuid->Data4[7]);
    *StringUuid = (RPC_CSTR)text;
    return RPC_S_OK;
}

static inline RPC_STATUS RPC_ENTRY UuidToStringW(const UUID *Uuid, RPC_WSTR *StringUuid)
{
    RPC_CSTR narrow;
    RPC_STATUS status = UuidToStringA(Uuid, &narrow);
    WCHAR *text;

    if (status)
        return status;
    text = (WCHAR *)malloc(37 * sizeof(WCHAR));
    for (unsigned i = 0; text && i < 37; i++)
        text[i] = narrow[i];
    free(narrow);
    if (!text)
        return RPC_S_OUT_OF_MEMORY;
    *StringUuid = text;
    return RPC_S_OK;
}

static inline RPC_STATUS RPC_ENTRY RpcStringFreeA(RPC_CSTR *String)
{
    free(*String);
    *String = NULL;
    return RPC_S_OK;
}

static inline RPC_STATUS RPC_ENTRY RpcStringFreeW(RPC_WSTR *String)
{
    free(*String);
    *String = NULL;
    return RPC_S_OK;
}

#ifdef UNICODE
#define UuidFromString UuidFromStringW
#define UuidToString UuidToStringW
#define RpcStringFree RpcStringFreeW
#define SEC_WINNT_AUTH_IDENTITY SEC_WINNT_AUTH_IDENTITY_W
#else
#define UuidFromString UuidFromStringA
#define UuidToString UuidToStringA
#define RpcStringFree RpcStringFreeA
#endif

#ifdef __cplusplus
}
#endif

#endif
