#include "base/sid.h"

#include <stdio.h>
#include <string.h>

// Revision, count, and the six bytes of the authority.
#define HEADER_BYTES 8

#define UNIX_AUTHORITY 22
#define UNIX_USERS 1
#define UNIX_GROUPS 2

size_t wall_sid_size_of(unsigned int part_count)
{
    return HEADER_BYTES + 4 * (size_t)part_count;
}

size_t wall_sid_size(const SID *sid)
{
    return wall_sid_size_of(sid->SubAuthorityCount);
}

bool wall_sid_check(const void *data, size_t size, size_t *ret_size)
{
    const uint8_t *bytes = data;
    if (size < HEADER_BYTES || bytes[0] != SID_REVISION || bytes[1] > WALL_SID_PARTS_MAX ||
        size < wall_sid_size_of(bytes[1]))
        return false;
    *ret_size = wall_sid_size_of(bytes[1]);
    return true;
}

bool wall_sid_equal(const SID *a, const SID *b)
{
    return a->SubAuthorityCount == b->SubAuthorityCount && memcmp(a, b, wall_sid_size(a)) == 0;
}

static void set_part(union wall_sid *sid, unsigned int index, uint32_t part)
{
    memcpy(sid->bytes + wall_sid_size_of(index), &part, sizeof(part));
}

static uint32_t part_of(const SID *sid, unsigned int index)
{
    uint32_t part;
    memcpy(&part, (const uint8_t *)sid + wall_sid_size_of(index), sizeof(part));
    return part;
}

static uint64_t authority_of(const SID *sid)
{
    uint64_t authority = 0;
    for (int i = 0; i < 6; i++)
        authority = authority << 8 | sid->IdentifierAuthority.Value[i];
    return authority;
}

static void begin(union wall_sid *sid, uint64_t authority)
{
    memset(sid, 0, sizeof(*sid));
    sid->bytes[0] = SID_REVISION;
    for (int i = 0; i < 6; i++)
        sid->bytes[2 + i] = (uint8_t)(authority >> (8 * (5 - i)));
}

static void from_unix(uint32_t kind, uint32_t number, union wall_sid *ret_sid)
{
    begin(ret_sid, UNIX_AUTHORITY);
    ret_sid->bytes[1] = 2;
    set_part(ret_sid, 0, kind);
    set_part(ret_sid, 1, number);
}

static bool to_unix(const SID *sid, uint32_t kind, uint32_t *ret_number)
{
    if (sid->SubAuthorityCount != 2 || authority_of(sid) != UNIX_AUTHORITY || part_of(sid, 0) != kind)
        return false;
    *ret_number = part_of(sid, 1);
    return true;
}

void wall_sid_from_user(uint32_t user_id, union wall_sid *ret_sid)
{
    from_unix(UNIX_USERS, user_id, ret_sid);
}

void wall_sid_from_group(uint32_t group_id, union wall_sid *ret_sid)
{
    from_unix(UNIX_GROUPS, group_id, ret_sid);
}

bool wall_sid_to_user(const SID *sid, uint32_t *ret_user_id)
{
    return to_unix(sid, UNIX_USERS, ret_user_id);
}

bool wall_sid_to_group(const SID *sid, uint32_t *ret_group_id)
{
    return to_unix(sid, UNIX_GROUPS, ret_group_id);
}

// Reads digits of `base` up to `limit`. Returns the position behind them, or NULL.
static const char *parse_number(const char *at, unsigned int base, uint64_t limit, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *begin_of_digits = at;
    for (;; at++) {
        unsigned int digit;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned int)(*at - '0');
        else if (base == 16 && (*at | 0x20) >= 'a' && (*at | 0x20) <= 'f')
            digit = (unsigned int)((*at | 0x20) - 'a' + 10);
        else
            break;
        number = number * base + digit;
        if (number > limit)
            return NULL;
    }
    if (at == begin_of_digits)
        return NULL;
    *ret_number = number;
    return at;
}

bool wall_sid_parse(const char *text, union wall_sid *ret_sid)
{
    if ((text[0] != 'S' && text[0] != 's') || strncmp(text + 1, "-1-", 3) != 0)
        return false;

    const char *at = text + 4;
    unsigned int base = 10;
    if (at[0] == '0' && (at[1] | 0x20) == 'x') {
        base = 16;
        at += 2;
    }
    uint64_t number;
    at = parse_number(at, base, (UINT64_C(1) << 48) - 1, &number);
    if (!at)
        return false;

    union wall_sid sid;
    begin(&sid, number);
    while (*at == '-') {
        if (sid.bytes[1] == WALL_SID_PARTS_MAX)
            return false;
        at = parse_number(at + 1, 10, UINT32_MAX, &number);
        if (!at)
            return false;
        set_part(&sid, sid.bytes[1]++, (uint32_t)number);
    }
    if (*at != '\0')
        return false;
    *ret_sid = sid;
    return true;
}

void wall_sid_print(const SID *sid, char text[WALL_SID_TEXT_SIZE])
{
    uint64_t authority = authority_of(sid);
    size_t length = authority > UINT32_MAX
        ? (size_t)snprintf(text, WALL_SID_TEXT_SIZE, "S-1-0x%012llx", (unsigned long long)authority)
        : (size_t)snprintf(text, WALL_SID_TEXT_SIZE, "S-1-%llu", (unsigned long long)authority);
    for (unsigned int i = 0; i < sid->SubAuthorityCount && i < WALL_SID_PARTS_MAX; i++)
        length += (size_t)snprintf(text + length, WALL_SID_TEXT_SIZE - length, "-%lu", (unsigned long)part_of(sid, i));
}
