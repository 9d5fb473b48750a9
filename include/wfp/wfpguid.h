// The GUID type, comparisons, and what declares or defines one GUID (used through guiddef.h).
#pragma once

#ifndef _WIN32

#include <stdint.h>
#include <string.h>

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
#endif

typedef GUID *LPGUID;
typedef const GUID *LPCGUID;
typedef GUID IID, *LPIID;
typedef GUID CLSID, *LPCLSID;
typedef GUID UUID;

#ifndef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#endif

#define WFP_GUID_DECLARE_(name) EXTERN_C const GUID name __attribute__((visibility("default")))
#define WFP_GUID_DEFINE_(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)            \
    EXTERN_C const GUID name __attribute__((weak, visibility("default")));           \
    const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}

#ifdef __cplusplus
#define WFP_GUID_REFERENCE_ const GUID &
static inline bool IsEqualGUID(const GUID &a, const GUID &b)
{
    return memcmp(&a, &b, sizeof(GUID)) == 0;
}
static inline bool operator==(const GUID &a, const GUID &b)
{
    return IsEqualGUID(a, b);
}
static inline bool operator!=(const GUID &a, const GUID &b)
{
    return !IsEqualGUID(a, b);
}
#else
#define WFP_GUID_REFERENCE_ const GUID *
#define IsEqualGUID(a, b) (memcmp(a, b, sizeof(GUID)) == 0)
#endif
#define REFGUID WFP_GUID_REFERENCE_
#define REFIID WFP_GUID_REFERENCE_
#define REFCLSID WFP_GUID_REFERENCE_
#define InlineIsEqualGUID(a, b) IsEqualGUID(a, b)
#define IsEqualIID(a, b) IsEqualGUID(a, b)
#define IsEqualCLSID(a, b) IsEqualGUID(a, b)

#endif
