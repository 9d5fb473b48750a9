// The bodies of ntstrsafe.h.
#include <wdm.h>

#include <ntstrsafe.h>

#include "ntos/format.h"

// One body for both character sizes.
#define DEFINE_STRSAFE(suffix, type, length_function)                                                                  \
    static NTSTATUS put_##suffix(type *to, size_t start, size_t capacity, const type *from, size_t count)              \
    {                                                                                                                  \
        if (!to || capacity == 0 || capacity > NTSTRSAFE_MAX_CCH)                                                      \
            return STATUS_INVALID_PARAMETER;                                                                           \
        size_t room = capacity - start - 1;                                                                            \
        size_t length = from ? length_function(from, count < room + 1 ? count : room + 1) : 0;                         \
        bool fits = length <= room;                                                                                    \
        if (!fits)                                                                                                     \
            length = room;                                                                                             \
        if (length > 0)                                                                                                \
            memmove(to + start, from, length * sizeof(type));                                                          \
        to[start + length] = 0;                                                                                        \
        return fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;                                                         \
    }                                                                                                                  \
    NTSTATUS ntos_strsafe_copy_##suffix(type *to, size_t capacity, const type *from, size_t count)                     \
    {                                                                                                                  \
        return put_##suffix(to, 0, capacity, from, count);                                                             \
    }                                                                                                                  \
    NTSTATUS ntos_strsafe_append_##suffix(type *to, size_t capacity, const type *from, size_t count)                   \
    {                                                                                                                  \
        size_t start = to && capacity <= NTSTRSAFE_MAX_CCH ? length_function(to, capacity) : 0;                        \
        if (!to || start >= capacity)                                                                                  \
            return STATUS_INVALID_PARAMETER;                                                                           \
        return put_##suffix(to, start, capacity, from, count);                                                         \
    }                                                                                                                  \
    NTSTATUS ntos_strsafe_length_##suffix(const type *text, size_t capacity, size_t *length)                           \
    {                                                                                                                  \
        size_t found = text && capacity <= NTSTRSAFE_MAX_CCH ? length_function(text, capacity) : capacity;             \
        bool terminated = text && found < capacity;                                                                    \
        if (length)                                                                                                    \
            *length = terminated ? found : 0;                                                                          \
        return terminated ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;                                                 \
    }                                                                                                                  \
    static NTSTATUS end_##suffix(type *to, size_t capacity, size_t length, type **end, size_t *remaining)              \
    {                                                                                                                  \
        bool fits = length < capacity;                                                                                 \
        if (!fits)                                                                                                     \
            length = capacity - 1;                                                                                     \
        to[length] = 0;                                                                                                \
        if (end)                                                                                                       \
            *end = to + length;                                                                                        \
        if (remaining)                                                                                                 \
            *remaining = capacity - length;                                                                            \
        return fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;                                                         \
    }

DEFINE_STRSAFE(w, WCHAR, wcsnlen)
DEFINE_STRSAFE(a, char, strnlen)

NTSTATUS ntos_strsafe_format_w(WCHAR *to, size_t capacity, WCHAR **end, size_t *remaining, const WCHAR *format,
                               va_list arguments)
{
    if (!to || capacity == 0 || capacity > NTSTRSAFE_MAX_CCH)
        return STATUS_INVALID_PARAMETER;
    struct ntos_text text = { .wide = to, .capacity = capacity - 1 };
    ntos_format_wide(&text, format, arguments);
    return end_w(to, capacity, text.length, end, remaining);
}

NTSTATUS ntos_strsafe_format_a(char *to, size_t capacity, char **end, size_t *remaining, const char *format,
                               va_list arguments)
{
    if (!to || capacity == 0 || capacity > NTSTRSAFE_MAX_CCH)
        return STATUS_INVALID_PARAMETER;
    struct ntos_text text = { .narrow = to, .capacity = capacity - 1 };
    ntos_format_narrow(&text, format, arguments);
    return end_a(to, capacity, text.length, end, remaining);
}

// --- Counted strings ---

NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING string)
{
    bool valid = !string || (string->Length % sizeof(WCHAR) == 0 && string->MaximumLength % sizeof(WCHAR) == 0 &&
                             string->Length <= string->MaximumLength && (string->Buffer || !string->MaximumLength));
    return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING string, NTSTRSAFE_PCWSTR text)
{
    return RtlInitUnicodeStringEx(string, text) == STATUS_SUCCESS ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS put_counted(PUNICODE_STRING to, USHORT start, const WCHAR *from, size_t units)
{
    if (!NT_SUCCESS(RtlUnicodeStringValidate(to)))
        return STATUS_INVALID_PARAMETER;
    size_t room = (size_t)(to->MaximumLength - start) / sizeof(WCHAR);
    size_t taken = units < room ? units : room;
    if (taken > 0)
        memmove(to->Buffer + start / sizeof(WCHAR), from, taken * sizeof(WCHAR));
    to->Length = (USHORT)(start + taken * sizeof(WCHAR));
    return taken == units ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING to, NTSTRSAFE_PCWSTR from)
{
    return put_counted(to, 0, from, from ? wcslen(from) : 0);
}

NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    return put_counted(to, 0, from->Buffer, from->Length / sizeof(WCHAR));
}

NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING to, NTSTRSAFE_PCWSTR from)
{
    return put_counted(to, to->Length, from, from ? wcslen(from) : 0);
}

NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    return put_counted(to, to->Length, from->Buffer, from->Length / sizeof(WCHAR));
}

NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING to, NTSTRSAFE_PCWSTR format, va_list arguments)
{
    if (!NT_SUCCESS(RtlUnicodeStringValidate(to)))
        return STATUS_INVALID_PARAMETER;
    struct ntos_text text = { .wide = to->Buffer, .capacity = to->MaximumLength / sizeof(WCHAR) };
    ntos_format_wide(&text, format, arguments);
    bool fits = text.length <= text.capacity;
    to->Length = (USHORT)((fits ? text.length : text.capacity) * sizeof(WCHAR));
    return fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING to, NTSTRSAFE_PCWSTR format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    NTSTATUS status = RtlUnicodeStringVPrintf(to, format, arguments);
    va_end(arguments);
    return status;
}
