// The C run-time functions drivers call on 16-bit wide strings, and the "secure" functions of Windows.
//
// glibc's wide functions count 32-bit characters. The names are therefore mapped to functions of our own, by macros
// and after <wchar.h>, so that no order of includes and no fortified inline version brings glibc's back, and nothing
// of libc is interposed. printf-like functions follow Windows: in a wide format %s is wide and %S is narrow.
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __cplusplus
#include <cwchar>
#endif
#include <wchar.h>
#include <wctype.h>

#include "compiler.h"

typedef int errno_t;
typedef size_t rsize_t;
#ifndef _TRUNCATE
#define _TRUNCATE ((size_t)-1)
#endif

NTOS_DECLARATIONS_BEGIN

size_t ntos_wcslen(const WCHAR *text);
size_t ntos_wcsnlen(const WCHAR *text, size_t limit);
WCHAR *ntos_wcscpy(WCHAR *to, const WCHAR *from);
WCHAR *ntos_wcsncpy(WCHAR *to, const WCHAR *from, size_t count);
WCHAR *ntos_wcscat(WCHAR *to, const WCHAR *from);
WCHAR *ntos_wcsncat(WCHAR *to, const WCHAR *from, size_t count);
int ntos_wcscmp(const WCHAR *a, const WCHAR *b);
int ntos_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count);
int ntos_wcsicmp(const WCHAR *a, const WCHAR *b);
int ntos_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count);
WCHAR *ntos_wcschr(const WCHAR *text, int unit);
WCHAR *ntos_wcsrchr(const WCHAR *text, int unit);
WCHAR *ntos_wcsstr(const WCHAR *text, const WCHAR *part);
WCHAR *ntos_wcspbrk(const WCHAR *text, const WCHAR *set);
size_t ntos_wcsspn(const WCHAR *text, const WCHAR *set);
size_t ntos_wcscspn(const WCHAR *text, const WCHAR *set);
WCHAR *ntos_wcstok_s(WCHAR *text, const WCHAR *separators, WCHAR **position);
WCHAR *ntos_wcslwr(WCHAR *text);
WCHAR *ntos_wcsupr(WCHAR *text);
WCHAR *ntos_wcsrev(WCHAR *text);
WCHAR *ntos_wcsset(WCHAR *text, WCHAR unit);
int ntos_towupper(int unit);
int ntos_towlower(int unit);
long ntos_wcstol(const WCHAR *text, WCHAR **end, int base);
unsigned long ntos_wcstoul(const WCHAR *text, WCHAR **end, int base);
long long ntos_wcstoll(const WCHAR *text, WCHAR **end, int base);
unsigned long long ntos_wcstoull(const WCHAR *text, WCHAR **end, int base);
int ntos_wtoi(const WCHAR *text);
size_t ntos_mbstowcs(WCHAR *to, const char *from, size_t count);
size_t ntos_wcstombs(char *to, const WCHAR *from, size_t count);

errno_t wcscpy_s(WCHAR *to, size_t capacity, const WCHAR *from);
errno_t wcsncpy_s(WCHAR *to, size_t capacity, const WCHAR *from, size_t count);
errno_t wcscat_s(WCHAR *to, size_t capacity, const WCHAR *from);
errno_t wcsncat_s(WCHAR *to, size_t capacity, const WCHAR *from, size_t count);
errno_t strcpy_s(char *to, size_t capacity, const char *from);
errno_t strncpy_s(char *to, size_t capacity, const char *from, size_t count);
errno_t strcat_s(char *to, size_t capacity, const char *from);
errno_t strncat_s(char *to, size_t capacity, const char *from, size_t count);
errno_t memcpy_s(void *to, size_t capacity, const void *from, size_t count);
errno_t memmove_s(void *to, size_t capacity, const void *from, size_t count);
size_t ntos_strnlen_s(const char *text, size_t limit);
char *ntos_strtok_s(char *text, const char *separators, char **position);

int _stricmp(const char *a, const char *b);
int _strnicmp(const char *a, const char *b, size_t count);
char *_strlwr(char *text);
char *_strupr(char *text);
char *_strrev(char *text);
char *_itoa(int value, char *text, int base);
char *_i64toa(long long value, char *text, int base);
char *_ui64toa(unsigned long long value, char *text, int base);
WCHAR *_itow(int value, WCHAR *text, int base);
WCHAR *_ui64tow(unsigned long long value, WCHAR *text, int base);

// Return the characters written without the terminator; -1 when the text did not fit (`text` is then full and, as on
// Windows, not terminated by _snprintf and _snwprintf).
int _snprintf(char *text, size_t capacity, const char *format, ...);
int _vsnprintf(char *text, size_t capacity, const char *format, va_list arguments);
int _snwprintf(WCHAR *text, size_t capacity, const WCHAR *format, ...);
int _vsnwprintf(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments);
// -1, and an empty text, when it did not fit; the _sn forms with count _TRUNCATE cut instead.
int sprintf_s(char *text, size_t capacity, const char *format, ...);
int vsprintf_s(char *text, size_t capacity, const char *format, va_list arguments);
int swprintf_s(WCHAR *text, size_t capacity, const WCHAR *format, ...);
int vswprintf_s(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments);
int _snprintf_s(char *text, size_t capacity, size_t count, const char *format, ...);
int _vsnprintf_s(char *text, size_t capacity, size_t count, const char *format, va_list arguments);
int _snwprintf_s(WCHAR *text, size_t capacity, size_t count, const WCHAR *format, ...);
int _vsnwprintf_s(WCHAR *text, size_t capacity, size_t count, const WCHAR *format, va_list arguments);
int _scprintf(const char *format, ...);
int _scwprintf(const WCHAR *format, ...);
// The kernel's old form without a size, and the standard one.
int ntos_swprintf_unbounded(WCHAR *text, const WCHAR *format, ...);
int ntos_swprintf(WCHAR *text, size_t capacity, const WCHAR *format, ...);
int ntos_vswprintf(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments);

NTOS_DECLARATIONS_END

#define wcslen ntos_wcslen
#define wcsnlen ntos_wcsnlen
#define wcsnlen_s ntos_wcsnlen
#define wcscpy ntos_wcscpy
#define wcsncpy ntos_wcsncpy
#define wcscat ntos_wcscat
#define wcsncat ntos_wcsncat
#define wcscmp ntos_wcscmp
#define wcsncmp ntos_wcsncmp
#define _wcsicmp ntos_wcsicmp
#define _wcsnicmp ntos_wcsnicmp
#define wcsicmp ntos_wcsicmp
#define wcschr ntos_wcschr
#define wcsrchr ntos_wcsrchr
#define wcsstr ntos_wcsstr
#define wcspbrk ntos_wcspbrk
#define wcsspn ntos_wcsspn
#define wcscspn ntos_wcscspn
#define wcstok_s ntos_wcstok_s
#define _wcslwr ntos_wcslwr
#define _wcsupr ntos_wcsupr
#define _wcsrev ntos_wcsrev
#define _wcsset ntos_wcsset
#define towupper ntos_towupper
#define towlower ntos_towlower
#define wcstol ntos_wcstol
#define wcstoul ntos_wcstoul
#define _wcstoi64 ntos_wcstoll
#define _wcstoui64 ntos_wcstoull
#define _wtoi ntos_wtoi
#define _wtol ntos_wtoi
#define mbstowcs ntos_mbstowcs
#define wcstombs ntos_wcstombs
#define strnlen_s ntos_strnlen_s
#define strtok_s ntos_strtok_s
#define stricmp _stricmp
#define strnicmp _strnicmp

// swprintf(text, capacity, format, …) and the kernel's own swprintf(text, format, …): the second argument decides.
#ifdef __cplusplus
#define swprintf ntos_swprintf_overloaded
template <typename... Arguments>
static inline int ntos_swprintf_overloaded(WCHAR *text, const WCHAR *format, Arguments... arguments)
{
    return ntos_swprintf_unbounded(text, format, arguments...);
}
template <typename... Arguments>
static inline int ntos_swprintf_overloaded(WCHAR *text, size_t capacity, const WCHAR *format, Arguments... arguments)
{
    return ntos_swprintf(text, capacity, format, arguments...);
}
#else
#define vswprintf ntos_vswprintf
#define NTOS_SECOND_(first, second, ...) second
#define swprintf(...)                                       \
    (_Generic((NTOS_SECOND_(__VA_ARGS__, 0)),               \
         WCHAR *: ntos_swprintf_unbounded,                  \
         const WCHAR *: ntos_swprintf_unbounded,            \
         default: ntos_swprintf)(__VA_ARGS__))
#endif
#define _swprintf ntos_swprintf_unbounded
