#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wdm.h>

#include "base/utf16.h"

// --- Wide strings ---

size_t ntos_wcslen(const WCHAR *text)
{
    return wall_utf16_length(text);
}

size_t ntos_wcsnlen(const WCHAR *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length])
        length++;
    return length;
}

WCHAR *ntos_wcscpy(WCHAR *to, const WCHAR *from)
{
    memcpy(to, from, (ntos_wcslen(from) + 1) * sizeof(WCHAR));
    return to;
}

WCHAR *ntos_wcsncpy(WCHAR *to, const WCHAR *from, size_t count)
{
    size_t length = ntos_wcsnlen(from, count);
    memcpy(to, from, length * sizeof(WCHAR));
    memset(to + length, 0, (count - length) * sizeof(WCHAR));
    return to;
}

WCHAR *ntos_wcscat(WCHAR *to, const WCHAR *from)
{
    (void)ntos_wcscpy(to + ntos_wcslen(to), from);
    return to;
}

WCHAR *ntos_wcsncat(WCHAR *to, const WCHAR *from, size_t count)
{
    size_t start = ntos_wcslen(to), length = ntos_wcsnlen(from, count);
    memcpy(to + start, from, length * sizeof(WCHAR));
    to[start + length] = 0;
    return to;
}

int ntos_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return wall_utf16_compare(a, b);
}

int ntos_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i] || !a[i])
            return a[i] - b[i];
    return 0;
}

// Case as in the kernel's "C" locale: ASCII letters only. RtlCompareUnicodeString knows more letters.
int ntos_towupper(int unit)
{
    return unit >= 'a' && unit <= 'z' ? unit - ('a' - 'A') : unit;
}

int ntos_towlower(int unit)
{
    return unit >= 'A' && unit <= 'Z' ? unit + ('a' - 'A') : unit;
}

int ntos_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int difference = ntos_towlower(a[i]) - ntos_towlower(b[i]);
        if (difference || !a[i])
            return difference;
    }
    return 0;
}

int ntos_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return ntos_wcsnicmp(a, b, SIZE_MAX);
}

// The C library's way: the result points into `text`, without its const.
static WCHAR *unconst(const WCHAR *text)
{
    return (WCHAR *)(uintptr_t)text;
}

WCHAR *ntos_wcschr(const WCHAR *text, int unit)
{
    for (;; text++) {
        if (*text == (WCHAR)unit)
            return unconst(text);
        if (!*text)
            return NULL;
    }
}

WCHAR *ntos_wcsrchr(const WCHAR *text, int unit)
{
    const WCHAR *last = NULL;
    for (;; text++) {
        if (*text == (WCHAR)unit)
            last = text;
        if (!*text)
            return unconst(last);
    }
}

WCHAR *ntos_wcsstr(const WCHAR *text, const WCHAR *part)
{
    size_t length = ntos_wcslen(part);
    for (;; text++) {
        if (ntos_wcsncmp(text, part, length) == 0)
            return unconst(text);
        if (!*text)
            return NULL;
    }
}

static bool contains(const WCHAR *set, WCHAR unit)
{
    return unit && ntos_wcschr(set, unit);
}

size_t ntos_wcsspn(const WCHAR *text, const WCHAR *set)
{
    size_t length = 0;
    while (contains(set, text[length]))
        length++;
    return length;
}

size_t ntos_wcscspn(const WCHAR *text, const WCHAR *set)
{
    size_t length = 0;
    while (text[length] && !contains(set, text[length]))
        length++;
    return length;
}

WCHAR *ntos_wcspbrk(const WCHAR *text, const WCHAR *set)
{
    const WCHAR *found = text + ntos_wcscspn(text, set);
    return *found ? unconst(found) : NULL;
}

WCHAR *ntos_wcstok_s(WCHAR *text, const WCHAR *separators, WCHAR **position)
{
    if (!text)
        text = *position;
    if (!text)
        return NULL;
    text += ntos_wcsspn(text, separators);
    if (!*text) {
        *position = NULL;
        return NULL;
    }
    WCHAR *end = text + ntos_wcscspn(text, separators);
    *position = *end ? end + 1 : NULL;
    *end = 0;
    return text;
}

WCHAR *ntos_wcslwr(WCHAR *text)
{
    for (WCHAR *c = text; *c; c++)
        *c = (WCHAR)ntos_towlower(*c);
    return text;
}

WCHAR *ntos_wcsupr(WCHAR *text)
{
    for (WCHAR *c = text; *c; c++)
        *c = (WCHAR)ntos_towupper(*c);
    return text;
}

WCHAR *ntos_wcsrev(WCHAR *text)
{
    for (size_t i = 0, j = ntos_wcslen(text); i + 1 < j;) {
        WCHAR swapped = text[i];
        text[i++] = text[--j];
        text[j] = swapped;
    }
    return text;
}

WCHAR *ntos_wcsset(WCHAR *text, WCHAR unit)
{
    for (WCHAR *c = text; *c; c++)
        *c = unit;
    return text;
}

// --- Numbers ---

// The longest text of a number, base 2, with sign and prefix; blanks before it are skipped first.
#define NUMBER_CHARACTERS 72

static const WCHAR *skip_blanks(const WCHAR *text)
{
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    return text;
}

// The part of `text` that can belong to a number, as bytes.
static const WCHAR *narrow_number(const WCHAR *text, char ret_text[NUMBER_CHARACTERS + 1])
{
    const WCHAR *start = skip_blanks(text);
    size_t length = 0;
    while (length < NUMBER_CHARACTERS && start[length] && start[length] < 0x80)
        length++;
    for (size_t i = 0; i < length; i++)
        ret_text[i] = (char)start[i];
    ret_text[length] = '\0';
    return start;
}

long long ntos_wcstoll(const WCHAR *text, WCHAR **end, int base)
{
    char narrow[NUMBER_CHARACTERS + 1], *stop;
    const WCHAR *start = narrow_number(text, narrow);
    long long value = strtoll(narrow, &stop, base);
    if (end)
        *end = unconst(stop == narrow ? text : start + (stop - narrow));
    return value;
}

unsigned long long ntos_wcstoull(const WCHAR *text, WCHAR **end, int base)
{
    char narrow[NUMBER_CHARACTERS + 1], *stop;
    const WCHAR *start = narrow_number(text, narrow);
    unsigned long long value = strtoull(narrow, &stop, base);
    if (end)
        *end = unconst(stop == narrow ? text : start + (stop - narrow));
    return value;
}

// A long of Windows has 32 bits, and these saturate there.
long ntos_wcstol(const WCHAR *text, WCHAR **end, int base)
{
    long long value = ntos_wcstoll(text, end, base);
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (long)value;
}

unsigned long ntos_wcstoul(const WCHAR *text, WCHAR **end, int base)
{
    unsigned long long value = ntos_wcstoull(text, end, base);
    return value > UINT32_MAX && value < (unsigned long long)INT64_MIN ? UINT32_MAX : (uint32_t)value;
}

int ntos_wtoi(const WCHAR *text)
{
    return (int)ntos_wcstol(text, NULL, 10);
}

static size_t write_digits(unsigned long long value, bool negative, int base, char ret_text[66])
{
    char reversed[64];
    size_t count = 0, length = 0;
    if (base < 2 || base > 36)
        base = 10;
    do {
        reversed[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (value);
    if (negative)
        ret_text[length++] = '-';
    while (count > 0)
        ret_text[length++] = reversed[--count];
    ret_text[length] = '\0';
    return length;
}

char *_ui64toa(unsigned long long value, char *text, int base)
{
    (void)write_digits(value, false, base, text);
    return text;
}

char *_i64toa(long long value, char *text, int base)
{
    bool negative = value < 0 && base == 10;
    (void)write_digits(negative ? 0 - (unsigned long long)value : (unsigned long long)value, negative, base, text);
    return text;
}

char *_itoa(int value, char *text, int base)
{
    if (base != 10)
        return _ui64toa((unsigned)value, text, base);
    return _i64toa(value, text, base);
}

static WCHAR *widen(const char *narrow, WCHAR *text)
{
    size_t i = 0;
    for (; narrow[i]; i++)
        text[i] = (WCHAR)narrow[i];
    text[i] = 0;
    return text;
}

WCHAR *_itow(int value, WCHAR *text, int base)
{
    char narrow[66];
    return widen(_itoa(value, narrow, base), text);
}

WCHAR *_ui64tow(unsigned long long value, WCHAR *text, int base)
{
    char narrow[66];
    return widen(_ui64toa(value, narrow, base), text);
}

// --- Conversion ---

size_t ntos_mbstowcs(WCHAR *to, const char *from, size_t count)
{
    size_t needed = wall_utf16_from_path(from, strlen(from), to, to ? count : 0);
    if (to && needed < count)
        to[needed] = 0;
    return to && needed > count ? count : needed;
}

size_t ntos_wcstombs(char *to, const WCHAR *from, size_t count)
{
    size_t needed = wall_utf16_to_utf8(from, ntos_wcslen(from), to, to ? count : 0);
    if (to && needed < count)
        to[needed] = '\0';
    return to && needed > count ? count : needed;
}

// --- Narrow strings that glibc does not have ---

int _stricmp(const char *a, const char *b)
{
    return strcasecmp(a, b);
}

int _strnicmp(const char *a, const char *b, size_t count)
{
    return strncasecmp(a, b, count);
}

char *_strlwr(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    return text;
}

char *_strupr(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    return text;
}

char *_strrev(char *text)
{
    for (size_t i = 0, j = strlen(text); i + 1 < j;) {
        char swapped = text[i];
        text[i++] = text[--j];
        text[j] = swapped;
    }
    return text;
}

size_t ntos_strnlen_s(const char *text, size_t limit)
{
    return text ? strnlen(text, limit) : 0;
}

char *ntos_strtok_s(char *text, const char *separators, char **position)
{
    return strtok_r(text, separators, position);
}
