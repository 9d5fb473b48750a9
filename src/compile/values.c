#include "compile/values.h"

#include <errno.h>
#include <string.h>

#include "engine/token.h"

// Tests of bits that fall into more intervals than this are left to user space.
#define FLAG_INTERVALS_MAX 4096
// Users one descriptor may name.
#define USERS_MAX 256

struct collector {
    struct wall_values *values;
    const struct wall_compile_field *field;
    struct wall_apps *apps;
    const struct wall_flags_layout *flags;
    struct wall_wide greatest;
};

void wall_values_init(struct wall_values *values)
{
    wall_vector_init(&values->intervals, sizeof(struct wall_interval), 0);
    values->empty = false;
}

void wall_values_done(struct wall_values *values)
{
    wall_vector_done(&values->intervals);
}

static int add(struct collector *collector, struct wall_wide first, struct wall_wide last)
{
    return wall_vector_add(&collector->values->intervals, &(struct wall_interval){ first, last });
}

static int add_below(struct collector *collector, struct wall_wide value)
{
    if (wall_wide_compare(value, wall_wide_of(0)) == 0)
        return 0;
    return add(collector, wall_wide_of(0), wall_wide_previous(value));
}

static int add_above(struct collector *collector, struct wall_wide value)
{
    if (wall_wide_compare(value, collector->greatest) == 0)
        return 0;
    return add(collector, wall_wide_next(value), collector->greatest);
}

static int add_all_but(struct collector *collector, struct wall_wide first, struct wall_wide last)
{
    int r = add_below(collector, first);
    return r < 0 ? r : add_above(collector, last);
}

// --- Values ---

static struct wall_wide wide_of_bytes(const UINT8 *bytes)
{
    struct wall_wide wide = { 0, 0 };
    for (int i = 0; i < 8; i++) {
        wide.high = wide.high << 8 | bytes[i];
        wide.low = wide.low << 8 | bytes[8 + i];
    }
    return wide;
}

// The number that a value of the field's type is. False: it has another type, or the type has no numbers.
static bool number_of(const struct collector *collector, const FWP_VALUE0 *value, struct wall_wide *ret_number)
{
    if (value->type != collector->field->data_type)
        return false;
    switch ((int)value->type) {
    case FWP_UINT8:
        *ret_number = wall_wide_of(value->uint8);
        return true;
    case FWP_UINT16:
        *ret_number = wall_wide_of(value->uint16);
        return true;
    case FWP_UINT32:
        *ret_number = wall_wide_of(value->uint32);
        return true;
    case FWP_UINT64:
        *ret_number = wall_wide_of(value->uint64 ? *value->uint64 : 0);
        return value->uint64 != NULL;
    case FWP_BYTE_ARRAY16_TYPE:
        if (value->byteArray16)
            *ret_number = wide_of_bytes(value->byteArray16->byteArray16);
        return value->byteArray16 != NULL;
    default:
        return false;
    }
}

// The values x with x & mask == wanted, by which side of the highest bit of the mask they are on.
static int add_masked(struct collector *collector, uint64_t base, unsigned bits, uint64_t mask, uint64_t wanted)
{
    uint64_t below = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    if (!(mask & below))
        return add(collector, wall_wide_of(base), wall_wide_of(base | below));
    if (collector->values->intervals.count > FLAG_INTERVALS_MAX)
        return -E2BIG;
    uint64_t top = (uint64_t)1 << (bits - 1);
    int r = 0;
    if (!(mask & top) || !(wanted & top))
        r = add_masked(collector, base, bits - 1, mask, wanted);
    if (r == 0 && (!(mask & top) || (wanted & top)))
        r = add_masked(collector, base | top, bits - 1, mask, wanted);
    return r;
}

static int add_bits_test(struct collector *collector, FWP_MATCH_TYPE match, uint64_t mask)
{
    unsigned bits = collector->field->bits;
    if (match == FWP_MATCH_FLAGS_ALL_SET)
        return add_masked(collector, 0, bits, mask, mask);
    if (match == FWP_MATCH_FLAGS_NONE_SET)
        return add_masked(collector, 0, bits, mask, 0);
    int r = 0;
    for (unsigned bit = 0; r == 0 && bit < bits; bit++)
        if (mask >> bit & 1)
            r = add_masked(collector, 0, bits, (uint64_t)1 << bit, (uint64_t)1 << bit);
    return r;
}

static int add_comparison(struct collector *collector, FWP_MATCH_TYPE match, struct wall_wide number)
{
    switch (match) {
    case FWP_MATCH_EQUAL:
        return add(collector, number, number);
    case FWP_MATCH_NOT_EQUAL:
        return add_all_but(collector, number, number);
    case FWP_MATCH_GREATER:
        return add_above(collector, number);
    case FWP_MATCH_GREATER_OR_EQUAL:
        return add(collector, number, collector->greatest);
    case FWP_MATCH_LESS:
        return add_below(collector, number);
    case FWP_MATCH_LESS_OR_EQUAL:
        return add(collector, wall_wide_of(0), number);
    case FWP_MATCH_FLAGS_ALL_SET:
    case FWP_MATCH_FLAGS_ANY_SET:
    case FWP_MATCH_FLAGS_NONE_SET:
        return collector->field->bits > 64 ? -EOPNOTSUPP : add_bits_test(collector, match, number.low);
    default:
        return -EOPNOTSUPP;
    }
}

static int add_prefix(struct collector *collector, const struct wall_condition *condition)
{
    const FWP_CONDITION_VALUE0 *value = &condition->value;
    struct wall_wide first, last;
    if (value->type == FWP_V4_ADDR_MASK) {
        uint32_t mask = value->v4AddrMask->mask;
        if (collector->field->data_type != FWP_UINT32 || (~mask & (~mask + 1)) != 0)
            return -EOPNOTSUPP;
        first = wall_wide_of(value->v4AddrMask->addr & mask);
        last = wall_wide_of(first.low | (uint32_t)~mask);
    } else {
        unsigned length = value->v6AddrMask->prefixLength;
        if (collector->field->data_type != FWP_BYTE_ARRAY16_TYPE || length > 128)
            return -EOPNOTSUPP;
        struct wall_wide host = length < 128 ? wall_wide_max(128 - length) : wall_wide_of(0);
        first = wide_of_bytes(value->v6AddrMask->addr);
        last = (struct wall_wide){ first.high | host.high, first.low | host.low };
        first = (struct wall_wide){ first.high & ~host.high, first.low & ~host.low };
    }
    if (condition->match_type == FWP_MATCH_EQUAL)
        return add(collector, first, last);
    return condition->match_type == FWP_MATCH_NOT_EQUAL ? add_all_but(collector, first, last) : -EOPNOTSUPP;
}

static int add_app(struct collector *collector, const struct wall_condition *condition)
{
    const FWP_BYTE_BLOB *app_id = condition->value.byteBlob;
    bool equal = condition->match_type == FWP_MATCH_EQUAL;
    if (condition->value.type != FWP_BYTE_BLOB_TYPE || !app_id ||
        (!equal && condition->match_type != FWP_MATCH_NOT_EQUAL))
        return -EOPNOTSUPP;
    uint32_t number = wall_apps_number(collector->apps, app_id);
    if (number == 0)
        return -E2BIG;
    return add_comparison(collector, condition->match_type, wall_wide_of(number));
}

// The numbers between those named, when all others are granted.
static int add_other_users(struct collector *collector, const struct wall_descriptor_user *users, size_t count)
{
    struct wall_wide from = wall_wide_of(0);
    for (;;) {
        // The least named user from here on.
        struct wall_wide next = collector->greatest;
        bool named = false;
        for (size_t i = 0; i < count; i++) {
            if (users[i].user_id >= from.low && users[i].user_id <= next.low) {
                next.low = users[i].user_id;
                named = true;
            }
        }
        if (!named)
            return add(collector, from, collector->greatest);
        int r = next.low > from.low ? add(collector, from, wall_wide_previous(next)) : 0;
        if (r < 0 || wall_wide_compare(next, collector->greatest) == 0)
            return r;
        from = wall_wide_next(next);
    }
}

static int add_users(struct collector *collector, const struct wall_condition *condition)
{
    struct wall_descriptor_user users[USERS_MAX];
    size_t count;
    bool others;
    if (condition->value.type != FWP_SECURITY_DESCRIPTOR_TYPE || condition->match_type != FWP_MATCH_EQUAL ||
        !condition->value.sd || !wall_descriptor_check(condition->value.sd) ||
        !wall_descriptor_users(condition->value.sd, users, USERS_MAX, &count, &others))
        return -EOPNOTSUPP;
    int r = others ? add_other_users(collector, users, count) : 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        if (users[i].granted)
            r = add(collector, wall_wide_of(users[i].user_id), wall_wide_of(users[i].user_id));
    return r;
}

// --- Flags ---

static bool knows_bit(const struct wall_flags_layout *flags, uint32_t bit)
{
    for (uint32_t i = 0; i < flags->bit_count; i++)
        if (flags->bits[i] == bit)
            return true;
    return false;
}

void wall_values_flags(struct wall_flags_layout *flags, const struct wall_condition *condition)
{
    if (condition->value.type != FWP_UINT32)
        return;
    uint32_t bits = condition->value.uint32, missing = 0;
    for (uint32_t bit = 0; bit < 32; bit++)
        missing += (bits >> bit & 1) && !knows_bit(flags, bit);
    if (flags->bit_count + missing > WALL_FLAG_BITS_MAX)
        return;
    for (uint32_t bit = 0; bit < 32; bit++)
        if ((bits >> bit & 1) && !knows_bit(flags, bit))
            flags->bits[flags->bit_count++] = (uint8_t)bit;
    if (condition->match_type == FWP_MATCH_EQUAL || condition->match_type == FWP_MATCH_NOT_EQUAL)
        flags->rest = true;
}

// The flags behind a number, as far as it tells them.
static uint32_t flags_of(const struct wall_flags_layout *flags, uint32_t number)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < flags->bit_count; i++)
        value |= (number >> i & 1) << flags->bits[i];
    return value;
}

static bool flags_match(FWP_MATCH_TYPE match, uint32_t value, bool rest, uint32_t asked)
{
    switch (match) {
    case FWP_MATCH_EQUAL:
        return value == asked && !rest;
    case FWP_MATCH_NOT_EQUAL:
        return value != asked || rest;
    case FWP_MATCH_FLAGS_ALL_SET:
        return (value & asked) == asked;
    case FWP_MATCH_FLAGS_ANY_SET:
        return (value & asked) != 0;
    default:
        return (value & asked) == 0;
    }
}

static int add_flags(struct collector *collector, const struct wall_condition *condition)
{
    FWP_MATCH_TYPE match = condition->match_type;
    bool tests_bits = match >= FWP_MATCH_FLAGS_ALL_SET && match <= FWP_MATCH_FLAGS_NONE_SET;
    bool is_known = match == FWP_MATCH_EQUAL || match == FWP_MATCH_NOT_EQUAL || tests_bits;
    if (condition->value.type != FWP_UINT32 || !is_known)
        return -EOPNOTSUPP;
    for (uint32_t bit = 0; bit < 32; bit++)
        if ((condition->value.uint32 >> bit & 1) && !knows_bit(collector->flags, bit))
            return -E2BIG;
    int r = 0;
    const uint32_t end = (uint32_t)2 << WALL_FLAG_BITS_MAX;
    uint32_t from = 0;
    for (uint32_t number = 0; r == 0 && number <= end; number++) {
        bool rest = number >> WALL_FLAG_BITS_MAX;
        if (number < end && flags_match(match, flags_of(collector->flags, number), rest, condition->value.uint32))
            continue;
        if (number > from)
            r = add(collector, wall_wide_of(from), wall_wide_of(number - 1));
        from = number + 1;
    }
    return r;
}

// --- Conditions ---

static int add_condition(struct collector *collector, const struct wall_condition *condition)
{
    const FWP_CONDITION_VALUE0 *value = &condition->value;
    struct wall_wide first, last;
    if (value->type == FWP_EMPTY) {
        collector->values->empty = true;
        return 0;
    }
    switch (collector->field->dimension) {
    case WALL_DIMENSION_APP:
        return add_app(collector, condition);
    case WALL_DIMENSION_USER:
        return add_users(collector, condition);
    case WALL_DIMENSION_FLAGS:
        return add_flags(collector, condition);
    default:
        break;
    }
    switch ((int)value->type) {
    case FWP_V4_ADDR_MASK:
    case FWP_V6_ADDR_MASK:
        return add_prefix(collector, condition);
    case FWP_RANGE_TYPE:
        if (!number_of(collector, &value->rangeValue->valueLow, &first) ||
            !number_of(collector, &value->rangeValue->valueHigh, &last) || wall_wide_compare(first, last) > 0)
            return -EOPNOTSUPP;
        return add(collector, first, last);
    default:
        // Both structures begin with the same type and the same union.
        if (!number_of(collector, (const FWP_VALUE0 *)value, &first))
            return -EOPNOTSUPP;
        return add_comparison(collector, condition->match_type, first);
    }
}

int wall_values_collect(struct wall_values *values, const struct wall_compile_field *field,
                        const struct wall_condition *conditions, uint32_t count, struct wall_apps *apps,
                        const struct wall_flags_layout *flags, enum wall_compile_reason *ret_reason)
{
    struct collector collector = {
        .values = values,
        .field = field,
        .apps = apps,
        .flags = flags,
        .greatest = wall_wide_max(field->bits),
    };
    wall_vector_truncate(&values->intervals, 0);
    values->empty = false;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < count; i++)
        r = add_condition(&collector, &conditions[i]);
    if (r < 0 && r != -EOPNOTSUPP && r != -E2BIG)
        return r;
    *ret_reason = r == 0             ? WALL_COMPILE_REASON_NONE
                  : r == -EOPNOTSUPP ? WALL_COMPILE_REASON_CONDITION
                                     : WALL_COMPILE_REASON_LIMIT;
    return 0;
}
