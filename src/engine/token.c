#include "engine/token.h"

#include <string.h>

#include "base/sid.h"

#define TOKEN_HEADER_BYTES 8
#define DESCRIPTOR_HEADER_BYTES 20
#define ACL_HEADER_BYTES 8
#define ACE_HEADER_BYTES 8  // type, flags, size, mask; the SID follows

static const uint8_t everyone[12] = { SID_REVISION, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };

static uint16_t read16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t read32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

size_t wall_token_build(uint32_t user_id, const uint32_t *group_ids, size_t group_count, void *buffer,
                        size_t capacity)
{
    size_t unix_size = wall_sid_size_of(2);
    size_t size = TOKEN_HEADER_BYTES + (1 + group_count) * unix_size + sizeof(everyone);
    if (size > capacity)
        return size;

    const uint32_t counts[2] = { (uint32_t)group_count + 2, 0 };
    uint8_t *at = buffer;
    memcpy(at, counts, sizeof(counts));
    at += sizeof(counts);
    union wall_sid sid;
    wall_sid_from_user(user_id, &sid);
    memcpy(at, sid.bytes, unix_size);
    for (size_t i = 0; i < group_count; i++) {
        at += unix_size;
        wall_sid_from_group(group_ids[i], &sid);
        memcpy(at, sid.bytes, unix_size);
    }
    memcpy(at + unix_size, everyone, sizeof(everyone));
    return size;
}

// A set of SIDs, in whichever form it came. An entry that only denies counts for deny entries alone.
struct sid_set {
    const uint8_t *sids;  // one after another, or …
    const SID_AND_ATTRIBUTES *array;
    uint32_t count;
};

// SIDs are taken as bytes: in a blob they need not be aligned.
static bool same_sid(const uint8_t *a, const uint8_t *b)
{
    return a[1] == b[1] && memcmp(a, b, wall_sid_size_of(a[1])) == 0;
}

static bool set_has(const struct sid_set *set, const uint8_t *sid, bool allow)
{
    const uint8_t *at = set->sids;
    for (uint32_t i = 0; i < set->count; i++) {
        const uint8_t *member = at ? at : set->array[i].Sid;
        bool counts = at || !allow || !(set->array[i].Attributes & SE_GROUP_USE_FOR_DENY_ONLY);
        if (counts && member && same_sid(member, sid))
            return true;
        if (at)
            at += wall_sid_size_of(member[1]);
    }
    return false;
}

// Walks `count` SIDs. Returns the position behind them, or NULL when they do not fit.
static const uint8_t *skip_sids(const uint8_t *at, const uint8_t *end, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        if (!wall_sid_check(at, (size_t)(end - at), &size))
            return NULL;
        at += size;
    }
    return at;
}

static bool parse_token(const FWP_BYTE_BLOB *token, struct sid_set *ret_sids, struct sid_set *ret_restricted)
{
    if (token->size < TOKEN_HEADER_BYTES || !token->data)
        return false;
    const uint8_t *end = token->data + token->size;
    const uint8_t *sids = token->data + TOKEN_HEADER_BYTES;
    *ret_sids = (struct sid_set){ .sids = sids, .count = read32(token->data) };
    const uint8_t *restricted = skip_sids(sids, end, ret_sids->count);
    if (!restricted)
        return false;
    *ret_restricted = (struct sid_set){ .sids = restricted, .count = read32(token->data + 4) };
    return skip_sids(restricted, end, ret_restricted->count) == end;
}

bool wall_token_check(const FWP_BYTE_BLOB *token)
{
    struct sid_set sids, restricted;
    return parse_token(token, &sids, &restricted);
}

// The DACL, or NULL when everything is granted.
static const uint8_t *dacl_of(const FWP_BYTE_BLOB *sd)
{
    uint32_t offset = read32(sd->data + 16);
    return (read16(sd->data + 2) & SE_DACL_PRESENT) && offset != 0 ? sd->data + offset : NULL;
}

static bool check_sid_at(const FWP_BYTE_BLOB *sd, uint32_t offset)
{
    size_t size;
    return offset == 0 || (offset >= DESCRIPTOR_HEADER_BYTES && offset <= sd->size &&
                           wall_sid_check(sd->data + offset, sd->size - offset, &size));
}

static bool check_entry(const uint8_t *ace, size_t size)
{
    size_t sid_size;
    return (ace[0] == ACCESS_ALLOWED_ACE_TYPE || ace[0] == ACCESS_DENIED_ACE_TYPE) &&
           wall_sid_check(ace + ACE_HEADER_BYTES, size - ACE_HEADER_BYTES, &sid_size);
}

static bool check_dacl(const uint8_t *acl, size_t room)
{
    if (room < ACL_HEADER_BYTES || read16(acl + 2) < ACL_HEADER_BYTES || read16(acl + 2) > room)
        return false;
    const uint8_t *ace = acl + ACL_HEADER_BYTES, *end = acl + read16(acl + 2);
    for (unsigned int left = read16(acl + 4); left > 0; left--) {
        if (end - ace < ACE_HEADER_BYTES || read16(ace + 2) < ACE_HEADER_BYTES || read16(ace + 2) > end - ace)
            return false;
        if (!check_entry(ace, read16(ace + 2)))
            return false;
        ace += read16(ace + 2);
    }
    return true;
}

bool wall_descriptor_check(const FWP_BYTE_BLOB *sd)
{
    if (sd->size < DESCRIPTOR_HEADER_BYTES || !sd->data || sd->data[0] != SECURITY_DESCRIPTOR_REVISION)
        return false;
    if (!(read16(sd->data + 2) & SE_SELF_RELATIVE))
        return false;
    if (!check_sid_at(sd, read32(sd->data + 4)) || !check_sid_at(sd, read32(sd->data + 8)))
        return false;

    uint32_t offset = read32(sd->data + 16);
    if (!dacl_of(sd))
        return true;
    return offset >= DESCRIPTOR_HEADER_BYTES && offset <= sd->size && check_dacl(sd->data + offset, sd->size - offset);
}

// The next entry of the DACL that bears on a filter condition; start with the DACL's beginning and *left entries.
static const uint8_t *next_entry(const uint8_t *ace, unsigned int *left)
{
    for (; *left > 0; ace += read16(ace + 2)) {
        (*left)--;
        if (!(ace[1] & INHERIT_ONLY_ACE) && read32(ace + 4) & (FWP_ACTRL_MATCH_FILTER | GENERIC_ALL))
            return ace;
    }
    return NULL;
}

static bool grants(const FWP_BYTE_BLOB *sd, const struct sid_set *sids)
{
    const uint8_t *acl = dacl_of(sd);
    if (!acl)
        return true;

    unsigned int left = read16(acl + 4);
    const uint8_t *ace = acl + ACL_HEADER_BYTES;
    for (; (ace = next_entry(ace, &left)); ace += read16(ace + 2)) {
        bool allow = ace[0] == ACCESS_ALLOWED_ACE_TYPE;
        if (set_has(sids, ace + ACE_HEADER_BYTES, allow))
            return allow;
    }
    return false;
}

bool wall_descriptor_users(const FWP_BYTE_BLOB *sd, struct wall_descriptor_user *users, size_t capacity,
                           size_t *ret_count, bool *ret_others_granted)
{
    const uint8_t *acl = dacl_of(sd);
    unsigned int left = acl ? read16(acl + 4) : 0;
    const uint8_t *ace = acl ? acl + ACL_HEADER_BYTES : NULL;
    size_t count = 0;
    bool others = acl == NULL, is_everyone = false;
    for (; !is_everyone && left > 0 && (ace = next_entry(ace, &left)); ace += read16(ace + 2)) {
        union wall_sid sid;
        memcpy(sid.bytes, ace + ACE_HEADER_BYTES, wall_sid_size_of(ace[ACE_HEADER_BYTES + 1]));
        uint32_t id;
        bool allow = ace[0] == ACCESS_ALLOWED_ACE_TYPE;
        is_everyone = same_sid(sid.bytes, everyone);
        if (is_everyone)
            others = allow;
        else if (wall_sid_to_group(&sid.sid, &id))
            return false;
        // No token of ours has any other SID.
        if (!wall_sid_to_user(&sid.sid, &id))
            continue;
        size_t i = 0;
        while (i < count && users[i].user_id != id)
            i++;
        if (i == capacity)
            return false;
        // The first entry that names somebody decides.
        if (i == count)
            users[count++] = (struct wall_descriptor_user){ id, allow };
    }
    *ret_count = count;
    *ret_others_granted = others;
    return true;
}

bool wall_descriptor_grants(const FWP_BYTE_BLOB *sd, const FWP_BYTE_BLOB *token)
{
    struct sid_set sids, restricted;
    if (!parse_token(token, &sids, &restricted))
        return false;
    return grants(sd, &sids) && (restricted.count == 0 || grants(sd, &restricted));
}

bool wall_descriptor_grants_information(const FWP_BYTE_BLOB *sd, const FWP_TOKEN_INFORMATION *token)
{
    struct sid_set sids = { .array = token->sids, .count = token->sids ? token->sidCount : 0 };
    struct sid_set restricted = { .array = token->restrictedSids, .count = token->restrictedSidCount };
    if (restricted.count > 0 && !restricted.array)
        return false;
    return grants(sd, &sids) && (restricted.count == 0 || grants(sd, &restricted));
}

bool wall_descriptor_grants_sid(const FWP_BYTE_BLOB *sd, const SID *sid)
{
    const SID_AND_ATTRIBUTES members[2] = { { (PSID)sid, 0 }, { (PSID)everyone, 0 } };
    const struct sid_set sids = { .array = members, .count = 2 };
    return grants(sd, &sids);
}
