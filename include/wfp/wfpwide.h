// The C library's functions for wide strings, for 16-bit characters: with -fshort-wchar glibc's own would read and
// write past the end of every string. Present only with that flag.
//
// Formats are those of Windows: in a wide format %s is a wide string and %S or %hs a narrow one, l means 32 bits.
// Drivers get all of the family from ntos/crt.h.
#pragma once

#if !defined(_WIN32) && defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __cplusplus
#include <cwchar>
#endif
#include <wchar.h>

#include "minwindef.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline size_t wfp_wcslen(const WCHAR *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

static inline WCHAR *wfp_wcsncpy(WCHAR *target, const WCHAR *source, size_t count)
{
    size_t i = 0;

    for (; i < count && source[i]; i++)
        target[i] = source[i];
    for (; i < count; i++)
        target[i] = 0;
    return target;
}

static inline WCHAR *wfp_wcscpy(WCHAR *target, const WCHAR *source)
{
    return wfp_wcsncpy(target, source, wfp_wcslen(source) + 1);
}

static inline WCHAR *wfp_wcscat(WCHAR *target, const WCHAR *source)
{
    wfp_wcscpy(target + wfp_wcslen(target), source);
    return target;
}

static inline int wfp_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
        if (!a[i])
            break;
    }
    return 0;
}

static inline int wfp_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return wfp_wcsncmp(a, b, SIZE_MAX);
}

// Without regard to the case of ASCII letters.
static inline int wfp_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int left = a[i] >= 'A' && a[i] <= 'Z' ? a[i] + 32 : a[i];
        int right = b[i] >= 'A' && b[i] <= 'Z' ? b[i] + 32 : b[i];

        if (left != right)
            return left < right ? -1 : 1;
        if (!left)
            break;
    }
    return 0;
}

static inline int wfp_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return wfp_wcsnicmp(a, b, SIZE_MAX);
}

static inline WCHAR *wfp_wcschr(const WCHAR *text, WCHAR wanted)
{
    for (; *text != wanted; text++) {
        if (!*text)
            return NULL;
    }
    return (WCHAR *)(uintptr_t)text;
}

static inline WCHAR *wfp_wcsrchr(const WCHAR *text, WCHAR wanted)
{
    const WCHAR *last = NULL;

    for (;; text++) {
        if (*text == wanted)
            last = text;
        if (!*text)
            return (WCHAR *)(uintptr_t)last;
    }
}

static inline WCHAR *wfp_wcsstr(const WCHAR *text, const WCHAR *wanted)
{
    size_t length = wfp_wcslen(wanted);

    for (; wfp_wcsncmp(text, wanted, length); text++) {
        if (!*text)
            return NULL;
    }
    return (WCHAR *)(uintptr_t)text;
}

// --- Printing, as UTF-8 ---

// At most `count` characters up to the terminator; returns the bytes written. A surrogate without its pair becomes
// U+FFFD.
static inline int WfpPutWide_(FILE *file, const WCHAR *text, size_t count)
{
    int written = 0;

    for (size_t i = 0; i < count && text[i]; i++) {
        uint32_t point = text[i];

        if (point >= 0xd800 && point < 0xdc00 && i + 1 < count && text[i + 1] >= 0xdc00 && text[i + 1] < 0xe000)
            point = 0x10000 + ((point - 0xd800) << 10) + (uint32_t)(text[++i] - 0xdc00);
        else if (point >= 0xd800 && point < 0xe000)
            point = 0xfffd;
        if (point < 0x80)
            written += fprintf(file, "%c", (int)point);
        else if (point < 0x800)
            written += fprintf(file, "%c%c", (int)(0xc0 | point >> 6), (int)(0x80 | (point & 0x3f)));
        else if (point < 0x10000)
            written += fprintf(file, "%c%c%c", (int)(0xe0 | point >> 12), (int)(0x80 | (point >> 6 & 0x3f)),
                               (int)(0x80 | (point & 0x3f)));
        else
            written += fprintf(file, "%c%c%c%c", (int)(0xf0 | point >> 18), (int)(0x80 | (point >> 12 & 0x3f)),
                               (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)));
    }
    return written;
}

static inline int WfpPutPadded_(FILE *file, const WCHAR *text, int width, int precision)
{
    static const WCHAR null[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
    const WCHAR *shown = text ? text : null;
    size_t length = 0;
    int padding;

    while ((precision < 0 || length < (size_t)precision) && shown[length])
        length++;
    padding = (width < 0 ? -width : width) - (int)length;
    padding = padding > 0 ? padding : 0;
    return fprintf(file, "%*s", width > 0 ? padding : 0, "") + WfpPutWide_(file, shown, length) +
           fprintf(file, "%*s", width < 0 ? padding : 0, "");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

// Returns the bytes written, or -1 for a conversion it does not know.
static inline int WfpPrintWide_(FILE *file, const WCHAR *format, va_list arguments)
{
    int written = 0;

    while (*format) {
        const WCHAR *start = format;
        char flags[8] = "%";
        char narrow[16];
        size_t used = 1;
        int width = 0, precision = -1;
        int size = 4;
        char prefix = 0;

        while (*format && *format != '%')
            format++;
        written += WfpPutWide_(file, start, (size_t)(format - start));
        if (!*format)
            break;
        for (format++; *format < 0x80 && *format && strchr("-+ #0", *format); format++) {
            if (used < 6)
                flags[used++] = (char)*format;
        }
        flags[used] = 0;
        if (*format == '*') {
            width = va_arg(arguments, int);
            format++;
        }
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (*format - '0');
        if (*format == '.') {
            precision = 0;
            if (*++format == '*') {
                precision = va_arg(arguments, int);
                format++;
            }
            for (; *format >= '0' && *format <= '9'; format++)
                precision = precision * 10 + (*format - '0');
        }
        for (; *format < 0x80 && *format && strchr("hlwIjztL", *format); format++) {
            prefix = (char)*format;
            if (*format == 'h') {
                size = size == 2 ? 1 : 2;
            } else if (*format == 'I' && format[1] == '3' && format[2] == '2') {
                format += 2;
            } else if (*format == 'I' && format[1] == '6' && format[2] == '4') {
                format += 2;
                size = 8;
            } else if (*format == 'j' || (*format == 'l' && format[1] == 'l')) {
                format += *format == 'l';
                size = 8;
            } else if (*format == 'I' || *format == 'z' || *format == 't') {
                size = (int)sizeof(void *);
            }
        }

        if (strchr(flags, '-') && width > 0)
            width = -width;
        if (*format == '%') {
            written += fprintf(file, "%%");
        } else if (*format == 's' || *format == 'S') {
            const void *text = va_arg(arguments, const void *);
            int wide = prefix == 'h' ? 0 : prefix == 'l' || prefix == 'w' || *format == 's';

            if (wide)
                written += WfpPutPadded_(file, (const WCHAR *)text, width, precision);
            else
                written += fprintf(file, "%*.*s", width, precision, text ? (const char *)text : "(null)");
        } else if (*format == 'c' || *format == 'C') {
            WCHAR character[2] = {(WCHAR)va_arg(arguments, int), 0};

            written += WfpPutPadded_(file, character, width, 1);
        } else if (*format == 'd' || *format == 'i') {
            long long value = size == 8 ? va_arg(arguments, long long) : va_arg(arguments, int);

            value = size == 2 ? (short)value : size == 1 ? (signed char)value : value;
            snprintf(narrow, sizeof(narrow), "%s*.*lld", flags);
            written += fprintf(file, narrow, width, precision, value);
        } else if (*format && *format < 0x80 && strchr("uxXo", *format)) {
            unsigned long long value = size == 8 ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned);

            value = size == 2 ? (unsigned short)value : size == 1 ? (unsigned char)value : value;
            snprintf(narrow, sizeof(narrow), "%s*.*ll%c", flags, (char)*format);
            written += fprintf(file, narrow, width, precision, value);
        } else if (*format && *format < 0x80 && strchr("eEfFgGaA", *format)) {
            snprintf(narrow, sizeof(narrow), "%s*.*%c", flags, (char)*format);
            written += fprintf(file, narrow, width, precision, va_arg(arguments, double));
        } else if (*format == 'p') {
            written += fprintf(file, "%0*llX", (int)(2 * sizeof(void *)),
                               (unsigned long long)(uintptr_t)va_arg(arguments, void *));
        } else {
            return -1;
        }
        format++;
    }
    return ferror(file) ? -1 : written;
}

#pragma GCC diagnostic pop

static inline int wfp_vfwprintf(FILE *file, const WCHAR *format, va_list arguments)
{
    return WfpPrintWide_(file, format, arguments);
}

static inline int wfp_fwprintf(FILE *file, const WCHAR *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = WfpPrintWide_(file, format, arguments);
    va_end(arguments);
    return written;
}

static inline int wfp_wprintf(const WCHAR *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = WfpPrintWide_(stdout, format, arguments);
    va_end(arguments);
    return written;
}

#ifdef __cplusplus
}
#endif

// ntos/crt.h has the same names for drivers.
#ifndef wcslen
#define wcslen(text) wfp_wcslen(text)
#define wcscpy(target, source) wfp_wcscpy((target), (source))
#define wcsncpy(target, source, count) wfp_wcsncpy((target), (source), (count))
#define wcscat(target, source) wfp_wcscat((target), (source))
#define wcscmp(a, b) wfp_wcscmp((a), (b))
#define wcsncmp(a, b, count) wfp_wcsncmp((a), (b), (count))
#define _wcsicmp(a, b) wfp_wcsicmp((a), (b))
#define _wcsnicmp(a, b, count) wfp_wcsnicmp((a), (b), (count))
#define wcschr(text, wanted) wfp_wcschr((text), (WCHAR)(wanted))
#define wcsrchr(text, wanted) wfp_wcsrchr((text), (WCHAR)(wanted))
#define wcsstr(text, wanted) wfp_wcsstr((text), (wanted))
#define wprintf(...) wfp_wprintf(__VA_ARGS__)
#define fwprintf(...) wfp_fwprintf(__VA_ARGS__)
#define vfwprintf(file, format, arguments) wfp_vfwprintf((file), (format), (arguments))
#define vwprintf(format, arguments) wfp_vfwprintf(stdout, (format), (arguments))
#endif

#endif
