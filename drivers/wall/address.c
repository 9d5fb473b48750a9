#include "address.h"

#define GROUP_COUNT 8

static const UCHAR mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

void wall_address_from_v4(UINT32 address, struct wall_address *ret_address)
{
    RtlCopyMemory(ret_address->bytes, mapped_prefix, sizeof(mapped_prefix));
    for (ULONG i = 0; i < 4; i++)
        ret_address->bytes[12 + i] = (UCHAR)(address >> (24 - 8 * i));
}

BOOLEAN wall_address_is_v4(const struct wall_address *address)
{
    for (ULONG i = 0; i < sizeof(mapped_prefix); i++)
        if (address->bytes[i] != mapped_prefix[i])
            return FALSE;
    return TRUE;
}

static CHAR *print_number(CHAR *at, UINT32 number, UINT32 base)
{
    CHAR digits[10];
    ULONG count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static CHAR *print_v4(CHAR *at, const UCHAR bytes[4])
{
    for (ULONG i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = print_number(at, bytes[i], 10);
    }
    return at;
}

static UINT32 group_at(const struct wall_address *address, ULONG group)
{
    return (UINT32)address->bytes[2 * group] << 8 | address->bytes[2 * group + 1];
}

// The longest run of zero groups, the first of several; a single zero group is not shortened.
static ULONG find_zero_run(const struct wall_address *address, ULONG *ret_start)
{
    ULONG best = 0, best_start = GROUP_COUNT, run = 0;
    for (ULONG group = 0; group < GROUP_COUNT; group++) {
        run = group_at(address, group) == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            best_start = group + 1 - run;
        }
    }
    if (best < 2) {
        best = 0;
        best_start = GROUP_COUNT;
    }
    *ret_start = best_start;
    return best;
}

void wall_address_print(const struct wall_address *address, CHAR ret_text[WALL_ADDRESS_TEXT_MAX])
{
    CHAR *at = ret_text;
    if (wall_address_is_v4(address)) {
        at = print_v4(at, address->bytes + 12);
        *at = '\0';
        return;
    }

    ULONG zeros_start;
    ULONG zeros = find_zero_run(address, &zeros_start);
    ULONG group = 0;
    while (group < GROUP_COUNT) {
        if (group == zeros_start) {
            *at++ = ':';
            *at++ = ':';
            group += zeros;
            continue;
        }
        if (group > 0 && group != zeros_start + zeros)
            *at++ = ':';
        at = print_number(at, group_at(address, group), 16);
        group++;
    }
    *at = '\0';
}

BOOLEAN wall_number_parse(const WCHAR *text, ULONG length, UINT32 maximum, UINT32 *ret_number)
{
    UINT32 number = 0;
    if (length == 0 || length > 9)
        return FALSE;
    for (ULONG i = 0; i < length; i++) {
        if (text[i] < L'0' || text[i] > L'9')
            return FALSE;
        number = number * 10 + (UINT32)(text[i] - L'0');
    }
    if (number > maximum || (length > 1 && text[0] == L'0'))
        return FALSE;
    *ret_number = number;
    return TRUE;
}

static BOOLEAN parse_v4(const WCHAR *text, ULONG length, UCHAR ret_bytes[4])
{
    ULONG start = 0;
    for (ULONG i = 0; i < 4; i++) {
        ULONG end = start;
        while (end < length && text[end] != L'.')
            end++;
        UINT32 number;
        if ((i < 3) != (end < length) || !wall_number_parse(text + start, end - start, 255, &number))
            return FALSE;
        ret_bytes[i] = (UCHAR)number;
        start = end + 1;
    }
    return TRUE;
}

static BOOLEAN parse_group(const WCHAR *text, ULONG length, UCHAR ret_bytes[2])
{
    UINT32 number = 0;
    if (length == 0 || length > 4)
        return FALSE;
    for (ULONG i = 0; i < length; i++) {
        WCHAR c = text[i];
        UINT32 digit;
        if (c >= L'0' && c <= L'9')
            digit = (UINT32)(c - L'0');
        else if (c >= L'a' && c <= L'f')
            digit = (UINT32)(c - L'a') + 10;
        else if (c >= L'A' && c <= L'F')
            digit = (UINT32)(c - L'A') + 10;
        else
            return FALSE;
        number = number << 4 | digit;
    }
    ret_bytes[0] = (UCHAR)(number >> 8);
    ret_bytes[1] = (UCHAR)number;
    return TRUE;
}

// Reads groups separated by single colons, an IPv4 tail allowed. Returns FALSE on anything else or over `maximum`.
static BOOLEAN parse_groups(const WCHAR *text, ULONG length, BOOLEAN may_end_in_v4, ULONG maximum, UCHAR *ret_bytes,
                            ULONG *ret_count)
{
    ULONG count = 0, start = 0;
    if (length == 0) {
        *ret_count = 0;
        return TRUE;
    }
    for (;;) {
        ULONG end = start;
        while (end < length && text[end] != L':')
            end++;
        if (count + 2 <= maximum && parse_group(text + start, end - start, ret_bytes + count))
            count += 2;
        else if (may_end_in_v4 && end == length && count + 4 <= maximum &&
                 parse_v4(text + start, end - start, ret_bytes + count))
            count += 4;
        else
            return FALSE;
        if (end == length)
            break;
        start = end + 1;
    }
    *ret_count = count;
    return TRUE;
}

static BOOLEAN parse_v6(const WCHAR *text, ULONG length, UCHAR ret_bytes[16])
{
    ULONG gap = 0;
    while (gap + 1 < length && !(text[gap] == L':' && text[gap + 1] == L':'))
        gap++;

    UCHAR head[16], tail[16];
    ULONG head_count, tail_count = 0;
    if (gap + 1 >= length)
        return parse_groups(text, length, TRUE, 16, ret_bytes, &head_count) && head_count == 16;

    // "::" stands for at least one group.
    if (!parse_groups(text, gap, FALSE, 14, head, &head_count) ||
        !parse_groups(text + gap + 2, length - gap - 2, TRUE, 14, tail, &tail_count) || head_count + tail_count > 14)
        return FALSE;
    RtlZeroMemory(ret_bytes, 16);
    RtlCopyMemory(ret_bytes, head, head_count);
    RtlCopyMemory(ret_bytes + 16 - tail_count, tail, tail_count);
    return TRUE;
}

BOOLEAN wall_address_parse(const WCHAR *text, ULONG length, struct wall_address *ret_address)
{
    struct wall_address address;
    RtlZeroMemory(&address, sizeof(address));
    if (parse_v4(text, length, address.bytes + 12))
        RtlCopyMemory(address.bytes, mapped_prefix, sizeof(mapped_prefix));
    else if (!parse_v6(text, length, address.bytes))
        return FALSE;
    *ret_address = address;
    return TRUE;
}
