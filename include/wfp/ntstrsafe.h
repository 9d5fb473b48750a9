// Safe strings: RtlStringCb* count bytes, RtlStringCch* characters; the result is always terminated, and what does not
// fit is cut with STATUS_BUFFER_OVERFLOW.
#pragma once

#ifdef _WIN32
#include_next <ntstrsafe.h>
#else

#include <stdarg.h>

#include "ntdef.h"
#include "ntos/compiler.h"
#include "ntos/status.h"

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH 32767
#define STRSAFE_MAX_CCH NTSTRSAFE_MAX_CCH
#define STRSAFE_IGNORE_NULLS 0x00000100
#define STRSAFE_FILL_BEHIND_NULL 0x00000200
#define STRSAFE_FILL_ON_FAILURE 0x00000400
#define STRSAFE_NULL_ON_FAILURE 0x00000800
#define STRSAFE_NO_TRUNCATION 0x00001000

typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef WCHAR *NTSTRSAFE_PWSTR;
typedef const WCHAR *NTSTRSAFE_PCWSTR;

NTOS_DECLARATIONS_BEGIN

// Sizes of buffers in characters; `count` the most characters taken from `from`.
NTSTATUS ntos_strsafe_copy_w(WCHAR *to, size_t capacity, const WCHAR *from, size_t count);
NTSTATUS ntos_strsafe_copy_a(char *to, size_t capacity, const char *from, size_t count);
NTSTATUS ntos_strsafe_append_w(WCHAR *to, size_t capacity, const WCHAR *from, size_t count);
NTSTATUS ntos_strsafe_append_a(char *to, size_t capacity, const char *from, size_t count);
NTSTATUS ntos_strsafe_format_w(WCHAR *to, size_t capacity, WCHAR **end, size_t *remaining, const WCHAR *format,
                               va_list arguments);
NTSTATUS ntos_strsafe_format_a(char *to, size_t capacity, char **end, size_t *remaining, const char *format,
                               va_list arguments);
NTSTATUS ntos_strsafe_length_w(const WCHAR *text, size_t capacity, size_t *length);
NTSTATUS ntos_strsafe_length_a(const char *text, size_t capacity, size_t *length);

NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING string, NTSTRSAFE_PCWSTR text);
NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING to, NTSTRSAFE_PCWSTR from);
NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING to, PCUNICODE_STRING from);
NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING to, NTSTRSAFE_PCWSTR from);
NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING to, PCUNICODE_STRING from);
NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING to, NTSTRSAFE_PCWSTR format, va_list arguments);
NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING to, NTSTRSAFE_PCWSTR format, ...);
NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING string);

NTOS_DECLARATIONS_END

#define NTOS_STRSAFE_(letter, suffix, type)                                                                          \
    FORCEINLINE NTSTATUS RtlStringCchCopy##letter(type *to, size_t capacity, const type *from)                       \
    {                                                                                                                \
        return ntos_strsafe_copy_##suffix(to, capacity, from, NTSTRSAFE_MAX_CCH);                                    \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbCopy##letter(type *to, size_t size, const type *from)                            \
    {                                                                                                                \
        return ntos_strsafe_copy_##suffix(to, size / sizeof(type), from, NTSTRSAFE_MAX_CCH);                         \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCchCopyN##letter(type *to, size_t capacity, const type *from, size_t count)        \
    {                                                                                                                \
        return ntos_strsafe_copy_##suffix(to, capacity, from, count);                                                \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbCopyN##letter(type *to, size_t size, const type *from, size_t bytes)             \
    {                                                                                                                \
        return ntos_strsafe_copy_##suffix(to, size / sizeof(type), from, bytes / sizeof(type));                      \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCchCat##letter(type *to, size_t capacity, const type *from)                        \
    {                                                                                                                \
        return ntos_strsafe_append_##suffix(to, capacity, from, NTSTRSAFE_MAX_CCH);                                  \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbCat##letter(type *to, size_t size, const type *from)                             \
    {                                                                                                                \
        return ntos_strsafe_append_##suffix(to, size / sizeof(type), from, NTSTRSAFE_MAX_CCH);                       \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCchCatN##letter(type *to, size_t capacity, const type *from, size_t count)         \
    {                                                                                                                \
        return ntos_strsafe_append_##suffix(to, capacity, from, count);                                              \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbCatN##letter(type *to, size_t size, const type *from, size_t bytes)              \
    {                                                                                                                \
        return ntos_strsafe_append_##suffix(to, size / sizeof(type), from, bytes / sizeof(type));                    \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCchVPrintf##letter(type *to, size_t capacity, const type *format, va_list list)    \
    {                                                                                                                \
        return ntos_strsafe_format_##suffix(to, capacity, NULL, NULL, format, list);                                 \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbVPrintf##letter(type *to, size_t size, const type *format, va_list list)         \
    {                                                                                                                \
        return ntos_strsafe_format_##suffix(to, size / sizeof(type), NULL, NULL, format, list);                      \
    }                                                                                                                \
    static inline __attribute__((unused)) NTSTATUS RtlStringCchPrintf##letter(type *to, size_t capacity,             \
                                                                              const type *format, ...)               \
    {                                                                                                                \
        va_list list;                                                                                                \
        va_start(list, format);                                                                                      \
        NTSTATUS status = ntos_strsafe_format_##suffix(to, capacity, NULL, NULL, format, list);                      \
        va_end(list);                                                                                                \
        return status;                                                                                               \
    }                                                                                                                \
    static inline __attribute__((unused)) NTSTATUS RtlStringCbPrintf##letter(type *to, size_t size,                  \
                                                                             const type *format, ...)                \
    {                                                                                                                \
        va_list list;                                                                                                \
        va_start(list, format);                                                                                      \
        NTSTATUS status = ntos_strsafe_format_##suffix(to, size / sizeof(type), NULL, NULL, format, list);           \
        va_end(list);                                                                                                \
        return status;                                                                                               \
    }                                                                                                                \
    static inline __attribute__((unused)) NTSTATUS RtlStringCchPrintfEx##letter(                                     \
        type *to, size_t capacity, type **end, size_t *remaining, ULONG flags, const type *format, ...)              \
    {                                                                                                                \
        (void)flags;                                                                                                 \
        va_list list;                                                                                                \
        va_start(list, format);                                                                                      \
        NTSTATUS status = ntos_strsafe_format_##suffix(to, capacity, end, remaining, format, list);                  \
        va_end(list);                                                                                                \
        return status;                                                                                               \
    }                                                                                                                \
    static inline __attribute__((unused)) NTSTATUS RtlStringCbPrintfEx##letter(                                      \
        type *to, size_t size, type **end, size_t *remaining, ULONG flags, const type *format, ...)                  \
    {                                                                                                                \
        (void)flags;                                                                                                 \
        va_list list;                                                                                                \
        va_start(list, format);                                                                                      \
        NTSTATUS status = ntos_strsafe_format_##suffix(to, size / sizeof(type), end, remaining, format, list);       \
        va_end(list);                                                                                                \
        if (remaining)                                                                                               \
            *remaining *= sizeof(type);                                                                              \
        return status;                                                                                               \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCchLength##letter(const type *text, size_t capacity, size_t *length)               \
    {                                                                                                                \
        return ntos_strsafe_length_##suffix(text, capacity, length);                                                 \
    }                                                                                                                \
    FORCEINLINE NTSTATUS RtlStringCbLength##letter(const type *text, size_t size, size_t *bytes)                     \
    {                                                                                                                \
        NTSTATUS status = ntos_strsafe_length_##suffix(text, size / sizeof(type), bytes);                            \
        if (bytes)                                                                                                   \
            *bytes *= sizeof(type);                                                                                  \
        return status;                                                                                               \
    }

NTOS_STRSAFE_(W, w, WCHAR)
NTOS_STRSAFE_(A, a, char)

#endif
