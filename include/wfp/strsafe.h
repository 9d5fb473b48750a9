// Copying and joining strings with a limit. Sizes count characters (Cch) or bytes (Cb), terminator included.
#pragma once

#ifdef _WIN32
#include_next <strsafe.h>
#else

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "winerror.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)

// All functions: S_OK; STRSAFE_E_INSUFFICIENT_BUFFER, the text is cut and terminated;
// STRSAFE_E_INVALID_PARAMETER for a size of 0 or beyond STRSAFE_MAX_CCH, nothing is written.
#define WFP_STRSAFE_(suffix, type, constant)                                                              \
    static inline HRESULT StringCchLength##suffix(constant text, size_t max, size_t *ret_length)          \
    {                                                                                                     \
        size_t i = 0;                                                                                     \
                                                                                                          \
        if (!text || max > STRSAFE_MAX_CCH)                                                               \
            return STRSAFE_E_INVALID_PARAMETER;                                                           \
        while (i < max && text[i])                                                                        \
            i++;                                                                                          \
        if (i == max)                                                                                     \
            return STRSAFE_E_INVALID_PARAMETER;                                                           \
        if (ret_length)                                                                                   \
            *ret_length = i;                                                                              \
        return S_OK;                                                                                      \
    }                                                                                                     \
                                                                                                          \
    static inline HRESULT StringCchCopy##suffix(type *target, size_t size, constant source)               \
    {                                                                                                     \
        size_t i = 0;                                                                                     \
                                                                                                          \
        if (size == 0 || size > STRSAFE_MAX_CCH)                                                          \
            return STRSAFE_E_INVALID_PARAMETER;                                                           \
        for (; i < size - 1 && source[i]; i++)                                                            \
            target[i] = source[i];                                                                        \
        target[i] = 0;                                                                                    \
        return source[i] ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;                                          \
    }                                                                                                     \
                                                                                                          \
    static inline HRESULT StringCchCat##suffix(type *target, size_t size, constant source)                \
    {                                                                                                     \
        size_t used = 0;                                                                                  \
        HRESULT result = StringCchLength##suffix(target, size, &used);                                    \
                                                                                                          \
        return result == S_OK ? StringCchCopy##suffix(target + used, size - used, source) : result;       \
    }

WFP_STRSAFE_(A, CHAR, PCSTR)
WFP_STRSAFE_(W, WCHAR, PCWSTR)
#undef WFP_STRSAFE_

static inline HRESULT StringCchVPrintfA(CHAR *target, size_t size, PCSTR format, va_list arguments)
{
    int length;

    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    length = vsnprintf(target, size, format, arguments);
    if (length < 0)
        return STRSAFE_E_INVALID_PARAMETER;
    return (size_t)length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

__attribute__((format(printf, 3, 4)))
static inline HRESULT StringCchPrintfA(CHAR *target, size_t size, PCSTR format, ...)
{
    HRESULT result;
    va_list arguments;

    va_start(arguments, format);
    result = StringCchVPrintfA(target, size, format, arguments);
    va_end(arguments);
    return result;
}

#define StringCbCopyA(target, bytes, source) StringCchCopyA((target), (bytes), (source))
#define StringCbCatA(target, bytes, source) StringCchCatA((target), (bytes), (source))
#define StringCbCopyW(target, bytes, source) StringCchCopyW((target), (bytes) / sizeof(WCHAR), (source))
#define StringCbCatW(target, bytes, source) StringCchCatW((target), (bytes) / sizeof(WCHAR), (source))

#ifdef UNICODE
#define StringCchLength StringCchLengthW
#define StringCchCopy StringCchCopyW
#define StringCchCat StringCchCatW
#define StringCbCopy StringCbCopyW
#define StringCbCat StringCbCatW
#else
#define StringCchLength StringCchLengthA
#define StringCchPrintf StringCchPrintfA
#define StringCchCopy StringCchCopyA
#define StringCchCat StringCchCatA
#define StringCbCopy StringCbCopyA
#define StringCbCat StringCbCatA
#endif

#ifdef __cplusplus
}
#endif

#endif
