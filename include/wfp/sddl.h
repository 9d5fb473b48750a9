// SIDs as text. Results are freed with LocalFree; failures leave their reason to GetLastError.
#pragma once

#ifdef _WIN32
#include_next <sddl.h>
#else

#include <limits.h>
#include <stdint.h>

#include "windows.h"

#ifdef __cplusplus
extern "C" {
#endif

// "S-1-5-32-544"; an authority above 32 bits is written in hexadecimal.
static inline BOOL WINAPI ConvertSidToStringSidA(PSID Sid, LPSTR *StringSid)
{
    const BYTE *sid = (const BYTE *)Sid;
    uint64_t authority = 0;
    char *text;
    int length;

    if (!IsValidSid(Sid)) {
        SetLastError(ERROR_INVALID_SID);
        return FALSE;
    }
    text = (char *)malloc(192);
    if (!text) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    for (int i = 2; i < 8; i++)
        authority = authority << 8 | sid[i];
    length = snprintf(text, 192, authority >> 32 ? "S-1-0x%012llx" : "S-1-%llu", (unsigned long long)authority);
    for (unsigned i = 0; i < sid[1]; i++) {
        uint32_t part;

        memcpy(&part, sid + 8 + 4 * i, sizeof(part));
        length += snprintf(text + length, 192 - (size_t)length, "-%u", (unsigned)part);
    }
    *StringSid = text;
    return TRUE;
}

static inline BOOL WINAPI ConvertStringSidToSidA(LPCSTR StringSid, PSID *Sid)
{
    BYTE bytes[SECURITY_MAX_SID_SIZE] = {SID_REVISION, 0};
    const char *at = StringSid;
    BYTE *copy;
    char *end;

    if (at && (at[0] == 'S' || at[0] == 's') && at[1] == '-' && at[2] == '1' && at[3] == '-') {
        at += 3;
        for (int part = -1; *at == '-' && part < SID_MAX_SUB_AUTHORITIES; part++) {
            int base = at[1] == '0' && (at[2] | 0x20) == 'x' ? 16 : 10;
            unsigned long long value = at[1] >= '0' && at[1] <= '9' ? strtoull(at + 1, &end, base) : ULLONG_MAX;
            uint32_t word = (uint32_t)value;

            if (value > (part < 0 ? UINT64_C(0xffffffffffff) : UINT64_C(0xffffffff)))
                break;
            for (int i = 0; part < 0 && i < 6; i++)
                bytes[7 - i] = (BYTE)(value >> (8 * i));
            if (part >= 0)
                memcpy(bytes + 8 + 4 * part, &word, sizeof(word));
            bytes[1] = (BYTE)(part + 1);
            at = end;
        }
    }
    if (!at || *at || bytes[1] == 0) {
        SetLastError(ERROR_INVALID_SID);
        return FALSE;
    }
    copy = (BYTE *)malloc(GetSidLengthRequired(bytes[1]));
    if (!copy) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    memcpy(copy, bytes, GetSidLengthRequired(bytes[1]));
    *Sid = copy;
    return TRUE;
}

static inline BOOL WINAPI ConvertSidToStringSidW(PSID Sid, LPWSTR *StringSid)
{
    LPSTR narrow;
    WCHAR *text;
    size_t size;

    if (!ConvertSidToStringSidA(Sid, &narrow))
        return FALSE;
    size = strlen(narrow) + 1;
    text = (WCHAR *)malloc(size * sizeof(WCHAR));
    for (size_t i = 0; text && i < size; i++)
        text[i] = (WCHAR)narrow[i];
    free(narrow);
    if (!text) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    *StringSid = text;
    return TRUE;
}

static inline BOOL WINAPI ConvertStringSidToSidW(LPCWSTR StringSid, PSID *Sid)
{
    char narrow[192];
    size_t i = 0;

    for (; StringSid[i]; i++) {
        if (i == sizeof(narrow) - 1 || StringSid[i] > 0x7f) {
            SetLastError(ERROR_INVALID_SID);
            return FALSE;
        }
        narrow[i] = (char)StringSid[i];
    }
    narrow[i] = 0;
    return ConvertStringSidToSidA(narrow, Sid);
}

#ifdef UNICODE
#define ConvertSidToStringSid ConvertSidToStringSidW
#define ConvertStringSidToSid ConvertStringSidToSidW
#else
#define ConvertSidToStringSid ConvertSidToStringSidA
#define ConvertStringSidToSid ConvertStringSidToSidA
#endif

#ifdef __cplusplus
}
#endif

#endif
