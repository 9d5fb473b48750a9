#include <wdm.h>

#include "base/guid.h"
#include "base/utf16.h"
#include "ntos/pool.h"
#include "ntos/verify.h"

#define STRING_TAG 0x67727453u  // 'Strg'

// --- Initialisation and copies ---

VOID RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text)
{
    size_t bytes = text ? wcslen(text) * sizeof(WCHAR) : 0;
    if (bytes > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR))
        bytes = UNICODE_STRING_MAX_BYTES - sizeof(WCHAR);
    string->Length = (USHORT)bytes;
    string->MaximumLength = (USHORT)(text ? bytes + sizeof(WCHAR) : 0);
    string->Buffer = (PWSTR)(ULONG_PTR)text;
}

NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING string, PCWSTR text)
{
    if (text && wcslen(text) * sizeof(WCHAR) > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(string, text);
    return STATUS_SUCCESS;
}

VOID RtlInitAnsiString(PANSI_STRING string, PCSTR text)
{
    size_t bytes = text ? strlen(text) : 0;
    if (bytes > MAXUSHORT - 1)
        bytes = MAXUSHORT - 1;
    string->Length = (USHORT)bytes;
    string->MaximumLength = (USHORT)(text ? bytes + 1 : 0);
    string->Buffer = (PCHAR)(ULONG_PTR)text;
}

VOID RtlCopyUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    if (!from) {
        to->Length = 0;
        return;
    }
    USHORT length = from->Length < to->MaximumLength ? from->Length : to->MaximumLength;
    memmove(to->Buffer, from->Buffer, length);
    to->Length = length;
    if ((size_t)length + sizeof(WCHAR) <= to->MaximumLength)
        to->Buffer[length / sizeof(WCHAR)] = 0;
}

VOID RtlCopyString(PSTRING to, const STRING *from)
{
    USHORT length = !from ? 0 : from->Length < to->MaximumLength ? from->Length : to->MaximumLength;
    if (from)
        memmove(to->Buffer, from->Buffer, length);
    to->Length = length;
}

static NTSTATUS append_wide(PUNICODE_STRING to, const WCHAR *units, size_t bytes)
{
    if (bytes > (size_t)(to->MaximumLength - to->Length))
        return STATUS_BUFFER_TOO_SMALL;
    if (bytes > 0)
        memmove((char *)to->Buffer + to->Length, units, bytes);
    to->Length = (USHORT)(to->Length + bytes);
    if ((size_t)to->Length + sizeof(WCHAR) <= to->MaximumLength)
        to->Buffer[to->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    return append_wide(to, from->Buffer, from->Length);
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING to, PCWSTR text)
{
    return append_wide(to, text, text ? wcslen(text) * sizeof(WCHAR) : 0);
}

NTSTATUS RtlAppendStringToString(PSTRING to, const STRING *from)
{
    if (from->Length > to->MaximumLength - to->Length)
        return STATUS_BUFFER_TOO_SMALL;
    memmove(to->Buffer + to->Length, from->Buffer, from->Length);
    to->Length = (USHORT)(to->Length + from->Length);
    return STATUS_SUCCESS;
}

// --- Case: simple one-to-one pairs of the scripts whose letters have case ---

static bool in_range(WCHAR unit, unsigned low, unsigned high)
{
    return unit >= low && unit <= high;
}

// Lower-case letters of blocks where upper and lower case alternate: lower case is odd there, or even.
static bool is_odd_lower(WCHAR unit)
{
    return (unit & 1) && (in_range(unit, 0x100, 0x12F) || in_range(unit, 0x132, 0x137) ||
                          in_range(unit, 0x14A, 0x177) || in_range(unit, 0x370, 0x373) ||
                          in_range(unit, 0x460, 0x481) || in_range(unit, 0x48A, 0x4BF) ||
                          in_range(unit, 0x4D0, 0x52F) || in_range(unit, 0x1E00, 0x1E95) ||
                          in_range(unit, 0x1EA0, 0x1EFF));
}

static bool is_even_lower(WCHAR unit)
{
    return !(unit & 1) && (in_range(unit, 0x13A, 0x148) || in_range(unit, 0x17A, 0x17E) ||
                           in_range(unit, 0x4C2, 0x4CE));
}

WCHAR RtlUpcaseUnicodeChar(WCHAR unit)
{
    if (in_range(unit, 'a', 'z') || (in_range(unit, 0xE0, 0xFE) && unit != 0xF7) ||
        (in_range(unit, 0x3B1, 0x3CB) && unit != 0x3C2) || in_range(unit, 0x430, 0x44F) ||
        in_range(unit, 0xFF41, 0xFF5A))
        return (WCHAR)(unit - 0x20);
    if (unit < 0xFF)
        return unit;
    if (is_odd_lower(unit) || is_even_lower(unit))
        return (WCHAR)(unit - 1);
    if (in_range(unit, 0x450, 0x45F))
        return (WCHAR)(unit - 0x50);
    if (in_range(unit, 0x561, 0x586))
        return (WCHAR)(unit - 0x30);
    if (in_range(unit, 0x3AD, 0x3AF))
        return (WCHAR)(unit - 0x25);
    switch (unit) {
    case 0xFF: return 0x178;
    case 0x3AC: return 0x386;
    case 0x3C2: return 0x3A3;
    case 0x3CC: return 0x38C;
    case 0x3CD: return 0x38E;
    case 0x3CE: return 0x38F;
    default: return unit;
    }
}

// The inverse, by search: the pairs are few and close together.
WCHAR RtlDowncaseUnicodeChar(WCHAR unit)
{
    static const unsigned short distances[] = { 0x20, 1, 0x50, 0x30, 0x25, 0x26, 0x40, 0x3F };
    if (unit < 0x80)
        return in_range(unit, 'A', 'Z') ? (WCHAR)(unit + 0x20) : unit;
    if (unit == 0x178)
        return 0xFF;
    for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
        unsigned lower = unit + distances[i];
        if (lower <= 0xFFFF && lower != 0x3C2 && RtlUpcaseUnicodeChar((WCHAR)lower) == unit)
            return (WCHAR)lower;
    }
    return unit;
}

CHAR RtlUpperChar(CHAR character)
{
    return character >= 'a' && character <= 'z' ? (CHAR)(character - 0x20) : character;
}

// --- Comparison ---

static LONG compare_wide(const WCHAR *a, const WCHAR *b, size_t count, bool ignore_case)
{
    for (size_t i = 0; i < count; i++) {
        WCHAR x = a[i], y = b[i];
        if (x != y && ignore_case) {
            x = RtlUpcaseUnicodeChar(x);
            y = RtlUpcaseUnicodeChar(y);
        }
        if (x != y)
            return (LONG)x - (LONG)y;
    }
    return 0;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN ignore_case)
{
    USHORT common = a->Length < b->Length ? a->Length : b->Length;
    LONG difference = compare_wide(a->Buffer, b->Buffer, common / sizeof(WCHAR), ignore_case);
    return difference ? difference : (LONG)a->Length - (LONG)b->Length;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN ignore_case)
{
    return a->Length == b->Length && compare_wide(a->Buffer, b->Buffer, a->Length / sizeof(WCHAR), ignore_case) == 0;
}

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING prefix, PCUNICODE_STRING text, BOOLEAN ignore_case)
{
    return prefix->Length <= text->Length &&
           compare_wide(prefix->Buffer, text->Buffer, prefix->Length / sizeof(WCHAR), ignore_case) == 0;
}

BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING suffix, PCUNICODE_STRING text, BOOLEAN ignore_case)
{
    return suffix->Length <= text->Length &&
           compare_wide(suffix->Buffer, text->Buffer + (text->Length - suffix->Length) / sizeof(WCHAR),
                        suffix->Length / sizeof(WCHAR), ignore_case) == 0;
}

static LONG compare_narrow(const CHAR *a, const CHAR *b, size_t count, bool ignore_case)
{
    for (size_t i = 0; i < count; i++) {
        UCHAR x = (UCHAR)(ignore_case ? RtlUpperChar(a[i]) : a[i]);
        UCHAR y = (UCHAR)(ignore_case ? RtlUpperChar(b[i]) : b[i]);
        if (x != y)
            return (LONG)x - (LONG)y;
    }
    return 0;
}

LONG RtlCompareString(const STRING *a, const STRING *b, BOOLEAN ignore_case)
{
    LONG difference = compare_narrow(a->Buffer, b->Buffer, a->Length < b->Length ? a->Length : b->Length, ignore_case);
    return difference ? difference : (LONG)a->Length - (LONG)b->Length;
}

BOOLEAN RtlEqualString(const STRING *a, const STRING *b, BOOLEAN ignore_case)
{
    return a->Length == b->Length && compare_narrow(a->Buffer, b->Buffer, a->Length, ignore_case) == 0;
}

BOOLEAN RtlPrefixString(const STRING *prefix, const STRING *text, BOOLEAN ignore_case)
{
    return prefix->Length <= text->Length &&
           compare_narrow(prefix->Buffer, text->Buffer, prefix->Length, ignore_case) == 0;
}

// --- Strings from the pool ---

// Gives `to` room for `bytes` of text and, when allocating, a terminator.
static NTSTATUS make_room(const char *function, PVOID *buffer, USHORT *maximum, size_t bytes, size_t unit,
                          BOOLEAN allocate, const void *owner)
{
    if (!ntos_irql_at_most(function, PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    if (bytes + unit > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (!allocate)
        return bytes > *maximum ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    *buffer = ntos_pool_allocate(bytes + unit, STRING_TAG, owner);
    if (!*buffer)
        return STATUS_NO_MEMORY;
    *maximum = (USHORT)(bytes + unit);
    return STATUS_SUCCESS;
}

static void terminate_wide(PUNICODE_STRING string)
{
    if ((size_t)string->Length + sizeof(WCHAR) <= string->MaximumLength)
        string->Buffer[string->Length / sizeof(WCHAR)] = 0;
}

static NTSTATUS change_case(const char *function, PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate,
                            WCHAR (*change)(WCHAR), const void *owner)
{
    NTSTATUS status = make_room(function, (PVOID *)&to->Buffer, &to->MaximumLength, from->Length, sizeof(WCHAR),
                                allocate, owner);
    if (!NT_SUCCESS(status))
        return status;
    for (size_t i = 0; i < from->Length / sizeof(WCHAR); i++)
        to->Buffer[i] = change(from->Buffer[i]);
    to->Length = from->Length;
    terminate_wide(to);
    return STATUS_SUCCESS;
}

NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate)
{
    return change_case("RtlUpcaseUnicodeString", to, from, allocate, RtlUpcaseUnicodeChar, __builtin_return_address(0));
}

NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate)
{
    return change_case("RtlDowncaseUnicodeString", to, from, allocate, RtlDowncaseUnicodeChar,
                       __builtin_return_address(0));
}

NTSTATUS RtlDuplicateUnicodeString(ULONG flags, PCUNICODE_STRING from, PUNICODE_STRING to)
{
    if (from->Length == 0 && !(flags & RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING)) {
        *to = (UNICODE_STRING){0};
        return STATUS_SUCCESS;
    }
    UNICODE_STRING copy = {0};
    NTSTATUS status = make_room("RtlDuplicateUnicodeString", (PVOID *)&copy.Buffer, &copy.MaximumLength, from->Length,
                                sizeof(WCHAR), TRUE, __builtin_return_address(0));
    if (!NT_SUCCESS(status))
        return status;
    RtlCopyUnicodeString(&copy, from);
    *to = copy;
    return STATUS_SUCCESS;
}

VOID RtlFreeUnicodeString(PUNICODE_STRING string)
{
    if (string->Buffer)
        ExFreePoolWithTag(string->Buffer, 0);
    *string = (UNICODE_STRING){0};
}

VOID RtlFreeAnsiString(PANSI_STRING string)
{
    if (string->Buffer)
        ExFreePoolWithTag(string->Buffer, 0);
    *string = (STRING){0};
}

NTSTATUS RtlHashUnicodeString(PCUNICODE_STRING string, BOOLEAN ignore_case, ULONG algorithm, PULONG hash)
{
    if (!hash || algorithm > HASH_STRING_ALGORITHM_X65599)
        return STATUS_INVALID_PARAMETER;
    ULONG value = 0;
    for (size_t i = 0; i < string->Length / sizeof(WCHAR); i++)
        value = value * 65599 + (ignore_case ? RtlUpcaseUnicodeChar(string->Buffer[i]) : string->Buffer[i]);
    *hash = value;
    return STATUS_SUCCESS;
}

// --- Conversion: the ANSI code page is UTF-8; what cannot be converted becomes U+FFFD or, for bytes, is kept as
// wall_utf16_from_path() maps it, so that a path survives the way there and back ---

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING to, PCANSI_STRING from, BOOLEAN allocate)
{
    size_t units = wall_utf16_from_path(from->Buffer, from->Length, NULL, 0);
    NTSTATUS status = make_room("RtlAnsiStringToUnicodeString", (PVOID *)&to->Buffer, &to->MaximumLength,
                                units * sizeof(WCHAR), sizeof(WCHAR), allocate, __builtin_return_address(0));
    if (!NT_SUCCESS(status))
        return status;
    (void)wall_utf16_from_path(from->Buffer, from->Length, to->Buffer, units);
    to->Length = (USHORT)(units * sizeof(WCHAR));
    terminate_wide(to);
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING to, PCUNICODE_STRING from, BOOLEAN allocate)
{
    size_t count = from->Length / sizeof(WCHAR);
    size_t bytes = wall_utf16_to_utf8(from->Buffer, count, NULL, 0);
    NTSTATUS status = make_room("RtlUnicodeStringToAnsiString", (PVOID *)&to->Buffer, &to->MaximumLength, bytes, 1,
                                allocate, __builtin_return_address(0));
    if (!NT_SUCCESS(status))
        return status;
    (void)wall_utf16_to_utf8(from->Buffer, count, to->Buffer, bytes);
    to->Length = (USHORT)bytes;
    if (bytes < to->MaximumLength)
        to->Buffer[bytes] = '\0';
    return STATUS_SUCCESS;
}

// Both sizes count the terminator.
ULONG RtlUnicodeStringToAnsiSize(PCUNICODE_STRING string)
{
    return (ULONG)wall_utf16_to_utf8(string->Buffer, string->Length / sizeof(WCHAR), NULL, 0) + 1;
}

ULONG RtlAnsiStringToUnicodeSize(PCANSI_STRING string)
{
    return (ULONG)((wall_utf16_from_path(string->Buffer, string->Length, NULL, 0) + 1) * sizeof(WCHAR));
}

NTSTATUS RtlMultiByteToUnicodeN(PWSTR to, ULONG to_size, PULONG ret_size, const CHAR *from, ULONG from_size)
{
    size_t capacity = to ? to_size / sizeof(WCHAR) : 0;
    size_t units = wall_utf16_from_path(from, from_size, to, capacity);
    if (ret_size)
        *ret_size = (ULONG)((to && units > capacity ? capacity : units) * sizeof(WCHAR));
    return to && units > capacity ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

NTSTATUS RtlUTF8ToUnicodeN(PWSTR to, ULONG to_size, PULONG ret_size, PCCH from, ULONG from_size)
{
    return RtlMultiByteToUnicodeN(to, to_size, ret_size, from, from_size);
}

NTSTATUS RtlUnicodeToMultiByteN(PCHAR to, ULONG to_size, PULONG ret_size, PCWCH from, ULONG from_size)
{
    size_t bytes = wall_utf16_to_utf8(from, from_size / sizeof(WCHAR), to, to ? to_size : 0);
    if (ret_size)
        *ret_size = (ULONG)(to && bytes > to_size ? to_size : bytes);
    return to && bytes > to_size ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeToUTF8N(PCHAR to, ULONG to_size, PULONG ret_size, PCWCH from, ULONG from_size)
{
    return RtlUnicodeToMultiByteN(to, to_size, ret_size, from, from_size);
}

// --- Numbers ---

// Base 0: from a prefix 0x, 0o or 0b, else 10. Stops at the first character that is no digit, as Windows does.
static NTSTATUS parse_integer(const WCHAR *units, size_t count, ULONG base, PULONG value)
{
    size_t at = 0;
    while (at < count && units[at] <= ' ' && units[at])
        at++;
    bool negative = at < count && units[at] == '-';
    if (at < count && (units[at] == '-' || units[at] == '+'))
        at++;
    if (base == 0) {
        base = 10;
        if (at + 1 < count && units[at] == '0') {
            WCHAR letter = units[at + 1];
            base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
            at += base == 10 ? 0 : 2;
        }
    } else if (base != 2 && base != 8 && base != 10 && base != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG result = 0;
    for (; at < count; at++) {
        WCHAR c = RtlUpcaseUnicodeChar(units[at]);
        ULONG digit = in_range(c, '0', '9') ? (ULONG)c - '0' : in_range(c, 'A', 'F') ? (ULONG)c - 'A' + 10 : 16;
        if (digit >= base)
            break;
        result = result * base + digit;
    }
    *value = negative ? 0 - result : result;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING string, ULONG base, PULONG value)
{
    return parse_integer(string->Buffer, string->Length / sizeof(WCHAR), base, value);
}

NTSTATUS RtlCharToInteger(PCSTR text, ULONG base, PULONG value)
{
    WCHAR units[64];
    size_t count = 0;
    for (; text[count] && count < 64; count++)
        units[count] = (UCHAR)text[count];
    return parse_integer(units, count, base, value);
}

NTSTATUS RtlInt64ToUnicodeString(ULONGLONG value, ULONG base, PUNICODE_STRING string)
{
    if (base == 0)
        base = 10;
    if (base != 2 && base != 8 && base != 10 && base != 16)
        return STATUS_INVALID_PARAMETER;
    WCHAR digits[65];
    WCHAR *at = digits + 64;
    *at = 0;
    do {
        *--at = (WCHAR)"0123456789ABCDEF"[value % base];
        value /= base;
    } while (value);
    size_t bytes = (size_t)(digits + 64 - at) * sizeof(WCHAR);
    if (bytes > string->MaximumLength)
        return STATUS_BUFFER_OVERFLOW;
    memcpy(string->Buffer, at, bytes);
    string->Length = (USHORT)bytes;
    terminate_wide(string);
    return STATUS_SUCCESS;
}

NTSTATUS RtlIntegerToUnicodeString(ULONG value, ULONG base, PUNICODE_STRING string)
{
    return RtlInt64ToUnicodeString(value, base, string);
}

NTSTATUS RtlIntPtrToUnicodeString(ULONG_PTR value, ULONG base, PUNICODE_STRING string)
{
    return RtlInt64ToUnicodeString(value, base, string);
}

// --- GUIDs: {00112233-4455-6677-8899-aabbccddeeff} ---

#define GUID_CHARACTERS 38

NTSTATUS RtlStringFromGUID(const GUID *guid, PUNICODE_STRING string)
{
    WCHAR *buffer = ntos_pool_allocate((GUID_CHARACTERS + 1) * sizeof(WCHAR), STRING_TAG, __builtin_return_address(0));
    if (!buffer)
        return STATUS_NO_MEMORY;
    (void)swprintf_s(buffer, GUID_CHARACTERS + 1, L"{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", guid->Data1,
                     guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1], guid->Data4[2], guid->Data4[3],
                     guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7]);
    RtlInitUnicodeString(string, buffer);
    return STATUS_SUCCESS;
}

NTSTATUS RtlGUIDFromString(PCUNICODE_STRING string, GUID *guid)
{
    char text[GUID_CHARACTERS + 1] = {0};
    if (string->Length != GUID_CHARACTERS * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < GUID_CHARACTERS; i++)
        text[i] = string->Buffer[i] < 0x80 ? (char)string->Buffer[i] : '?';
    return text[0] == '{' && wall_guid_parse(text, guid) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS ExUuidCreate(UUID *uuid)
{
    return wall_guid_random(uuid) == 0 ? STATUS_SUCCESS : STATUS_RETRY;
}
