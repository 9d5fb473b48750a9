#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <wdm.h>

#include "ntos/format.h"

// --- The _s functions: nothing of the text on failure ---

errno_t memcpy_s(void *to, size_t capacity, const void *from, size_t count)
{
    if (count == 0)
        return 0;
    if (!to)
        return EINVAL;
    if (!from || capacity < count) {
        memset(to, 0, capacity);
        return from ? ERANGE : EINVAL;
    }
    memcpy(to, from, count);
    return 0;
}

errno_t memmove_s(void *to, size_t capacity, const void *from, size_t count)
{
    if (count == 0)
        return 0;
    if (!to || !from)
        return EINVAL;
    if (capacity < count)
        return ERANGE;
    memmove(to, from, count);
    return 0;
}

// One body for both character sizes: appends at `start` at most `count` of `from`, all of it or, with _TRUNCATE, what
// fits.
#define DEFINE_COPY_S(name, type, length_function)                                                     \
    static errno_t name(type *to, size_t start, size_t capacity, const type *from, size_t count)       \
    {                                                                                                  \
        if (!to || capacity == 0)                                                                      \
            return EINVAL;                                                                             \
        if (!from || start >= capacity) {                                                              \
            to[0] = 0;                                                                                 \
            return EINVAL;                                                                             \
        }                                                                                              \
        size_t room = capacity - start - 1;                                                            \
        size_t length = length_function(from, count == _TRUNCATE ? room + 1 : count);                  \
        if (length > room && count != _TRUNCATE) {                                                     \
            to[0] = 0;                                                                                 \
            return ERANGE;                                                                             \
        }                                                                                              \
        bool cut = length > room;                                                                      \
        length = cut ? room : length;                                                                  \
        memcpy(to + start, from, length * sizeof(type));                                               \
        to[start + length] = 0;                                                                        \
        return cut ? STRUNCATE : 0;                                                                    \
    }

#define STRUNCATE 80  // the value of Windows
#define UNLIMITED (SIZE_MAX / 2 - 1)

DEFINE_COPY_S(copy_wide, WCHAR, ntos_wcsnlen)
DEFINE_COPY_S(copy_narrow, char, strnlen)

errno_t wcscpy_s(WCHAR *to, size_t capacity, const WCHAR *from)
{
    return copy_wide(to, 0, capacity, from, UNLIMITED);
}

errno_t wcsncpy_s(WCHAR *to, size_t capacity, const WCHAR *from, size_t count)
{
    return copy_wide(to, 0, capacity, from, count);
}

errno_t wcscat_s(WCHAR *to, size_t capacity, const WCHAR *from)
{
    return copy_wide(to, to ? ntos_wcsnlen(to, capacity) : 0, capacity, from, UNLIMITED);
}

errno_t wcsncat_s(WCHAR *to, size_t capacity, const WCHAR *from, size_t count)
{
    return copy_wide(to, to ? ntos_wcsnlen(to, capacity) : 0, capacity, from, count);
}

errno_t strcpy_s(char *to, size_t capacity, const char *from)
{
    return copy_narrow(to, 0, capacity, from, UNLIMITED);
}

errno_t strncpy_s(char *to, size_t capacity, const char *from, size_t count)
{
    return copy_narrow(to, 0, capacity, from, count);
}

errno_t strcat_s(char *to, size_t capacity, const char *from)
{
    return copy_narrow(to, to ? strnlen(to, capacity) : 0, capacity, from, UNLIMITED);
}

errno_t strncat_s(char *to, size_t capacity, const char *from, size_t count)
{
    return copy_narrow(to, to ? strnlen(to, capacity) : 0, capacity, from, count);
}

// --- printf ---

int _vsnprintf(char *text, size_t capacity, const char *format, va_list arguments)
{
    char none;
    struct ntos_text out = { .narrow = text ? text : &none, .capacity = text ? capacity : 0 };
    ntos_format_narrow(&out, format, arguments);
    if (text && out.length < capacity)
        text[out.length] = '\0';
    return text && out.length > capacity ? -1 : (int)out.length;
}

int _vsnwprintf(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments)
{
    struct ntos_text out = { .wide = text, .capacity = text ? capacity : 0 };
    ntos_format_wide(&out, format, arguments);
    if (text && out.length < capacity)
        text[out.length] = 0;
    return text && out.length > capacity ? -1 : (int)out.length;
}

int _vsnprintf_s(char *text, size_t capacity, size_t count, const char *format, va_list arguments)
{
    if (!text || capacity == 0)
        return -1;
    size_t limit = count < capacity ? count : capacity - 1;
    struct ntos_text out = { .narrow = text, .capacity = limit };
    ntos_format_narrow(&out, format, arguments);
    bool fits = out.length <= limit;
    bool cut_allowed = count == _TRUNCATE || count < capacity;
    text[fits ? out.length : cut_allowed ? limit : 0] = '\0';
    return fits ? (int)out.length : -1;
}

int _vsnwprintf_s(WCHAR *text, size_t capacity, size_t count, const WCHAR *format, va_list arguments)
{
    if (!text || capacity == 0)
        return -1;
    size_t limit = count < capacity ? count : capacity - 1;
    struct ntos_text out = { .wide = text, .capacity = limit };
    ntos_format_wide(&out, format, arguments);
    bool fits = out.length <= limit;
    bool cut_allowed = count == _TRUNCATE || count < capacity;
    text[fits ? out.length : cut_allowed ? limit : 0] = 0;
    return fits ? (int)out.length : -1;
}

int vsprintf_s(char *text, size_t capacity, const char *format, va_list arguments)
{
    return _vsnprintf_s(text, capacity, capacity, format, arguments);
}

int vswprintf_s(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments)
{
    return _vsnwprintf_s(text, capacity, capacity, format, arguments);
}

int ntos_vswprintf(WCHAR *text, size_t capacity, const WCHAR *format, va_list arguments)
{
    return _vsnwprintf_s(text, capacity, _TRUNCATE, format, arguments);
}

#define FORWARD(call)              \
    va_list arguments;             \
    va_start(arguments, format);   \
    int result = call;             \
    va_end(arguments);             \
    return result

int _snprintf(char *text, size_t capacity, const char *format, ...)
{
    FORWARD(_vsnprintf(text, capacity, format, arguments));
}

int _snwprintf(WCHAR *text, size_t capacity, const WCHAR *format, ...)
{
    FORWARD(_vsnwprintf(text, capacity, format, arguments));
}

int sprintf_s(char *text, size_t capacity, const char *format, ...)
{
    FORWARD(vsprintf_s(text, capacity, format, arguments));
}

int swprintf_s(WCHAR *text, size_t capacity, const WCHAR *format, ...)
{
    FORWARD(vswprintf_s(text, capacity, format, arguments));
}

int _snprintf_s(char *text, size_t capacity, size_t count, const char *format, ...)
{
    FORWARD(_vsnprintf_s(text, capacity, count, format, arguments));
}

int _snwprintf_s(WCHAR *text, size_t capacity, size_t count, const WCHAR *format, ...)
{
    FORWARD(_vsnwprintf_s(text, capacity, count, format, arguments));
}

int ntos_swprintf(WCHAR *text, size_t capacity, const WCHAR *format, ...)
{
    FORWARD(ntos_vswprintf(text, capacity, format, arguments));
}

int ntos_swprintf_unbounded(WCHAR *text, const WCHAR *format, ...)
{
    FORWARD(_vsnwprintf(text, INT32_MAX, format, arguments));
}

int _scprintf(const char *format, ...)
{
    FORWARD(_vsnprintf(NULL, 0, format, arguments));
}

int _scwprintf(const WCHAR *format, ...)
{
    FORWARD(_vsnwprintf(NULL, 0, format, arguments));
}
