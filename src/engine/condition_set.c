#include "engine/condition_set.h"

#include <string.h>

#include "engine/condition.h"

// 128 bits, enough for any address.
struct number {
    uint64_t high, low;
};

struct interval {
    struct number first, last;
};

// Values that lie in at most two intervals: all that can be asked of a number but its bits.
struct intervals {
    unsigned int count;
    struct interval items[2];
};

static int compare(struct number a, struct number b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

static struct number next(struct number number)
{
    number.low++;
    number.high += number.low == 0;
    return number;
}

static struct number previous(struct number number)
{
    number.high -= number.low == 0;
    number.low--;
    return number;
}

static struct number number_of_address(const uint8_t *bytes)
{
    struct number number = { 0, 0 };
    for (int i = 0; i < 8; i++) {
        number.high = number.high << 8 | bytes[i];
        number.low = number.low << 8 | bytes[8 + i];
    }
    return number;
}

// The value as a number, and the greatest number of its type. False: it is not one.
static bool number_of(const FWP_VALUE0 *value, struct number *ret_number, struct number *ret_greatest)
{
    switch (value->type) {
    case FWP_UINT8:
        *ret_number = (struct number){ 0, value->uint8 };
        *ret_greatest = (struct number){ 0, UINT8_MAX };
        return true;
    case FWP_UINT16:
        *ret_number = (struct number){ 0, value->uint16 };
        *ret_greatest = (struct number){ 0, UINT16_MAX };
        return true;
    case FWP_UINT32:
        *ret_number = (struct number){ 0, value->uint32 };
        *ret_greatest = (struct number){ 0, UINT32_MAX };
        return true;
    case FWP_UINT64:
        *ret_number = (struct number){ 0, *value->uint64 };
        *ret_greatest = (struct number){ 0, UINT64_MAX };
        return true;
    case FWP_BYTE_ARRAY16_TYPE:
        *ret_number = number_of_address(value->byteArray16->byteArray16);
        *ret_greatest = (struct number){ UINT64_MAX, UINT64_MAX };
        return true;
    default:
        return false;
    }
}

static void add(struct intervals *intervals, struct number first, struct number last)
{
    intervals->items[intervals->count++] = (struct interval){ first, last };
}

// What lies outside of [first, last].
static void add_outside(struct intervals *intervals, struct number first, struct number last, struct number greatest)
{
    const struct number zero = { 0, 0 };
    if (compare(first, zero) > 0)
        add(intervals, zero, previous(first));
    if (compare(last, greatest) < 0)
        add(intervals, next(last), greatest);
}

// First and last number of an address mask.
static struct number bounds_of_mask(const FWP_CONDITION_VALUE0 *value, struct number *ret_last,
                                    struct number *ret_greatest)
{
    if (value->type == FWP_V4_ADDR_MASK) {
        uint32_t mask = value->v4AddrMask->mask, first = value->v4AddrMask->addr & mask;
        *ret_last = (struct number){ 0, first | (uint32_t)~mask };
        *ret_greatest = (struct number){ 0, UINT32_MAX };
        return (struct number){ 0, first };
    }

    unsigned int length = value->v6AddrMask->prefixLength;
    uint64_t high = length == 0 ? 0 : length >= 64 ? UINT64_MAX : UINT64_MAX << (64 - length);
    uint64_t low = length <= 64 ? 0 : UINT64_MAX << (128 - length);
    struct number first = number_of_address(value->v6AddrMask->addr);
    first.high &= high;
    first.low &= low;
    *ret_last = (struct number){ first.high | ~high, first.low | ~low };
    *ret_greatest = (struct number){ UINT64_MAX, UINT64_MAX };
    return first;
}

static bool intervals_of_number(FWP_MATCH_TYPE match, struct number number, struct number greatest,
                                struct intervals *ret_intervals)
{
    const struct number zero = { 0, 0 };
    switch (match) {
    case FWP_MATCH_EQUAL:
        add(ret_intervals, number, number);
        return true;
    case FWP_MATCH_NOT_EQUAL:
        add_outside(ret_intervals, number, number, greatest);
        return true;
    case FWP_MATCH_GREATER:
        if (compare(number, greatest) < 0)
            add(ret_intervals, next(number), greatest);
        return true;
    case FWP_MATCH_GREATER_OR_EQUAL:
        add(ret_intervals, number, greatest);
        return true;
    case FWP_MATCH_LESS:
        if (compare(number, zero) > 0)
            add(ret_intervals, zero, previous(number));
        return true;
    case FWP_MATCH_LESS_OR_EQUAL:
        add(ret_intervals, zero, number);
        return true;
    default:
        return false;
    }
}

// False: the condition is not about the order of numbers.
static bool intervals_of(const struct wall_condition *condition, struct intervals *ret_intervals)
{
    const FWP_CONDITION_VALUE0 *value = &condition->value;
    struct number first, last, greatest;
    ret_intervals->count = 0;
    switch ((int)value->type) {
    case FWP_RANGE_TYPE:
        if (!number_of(&value->rangeValue->valueLow, &first, &greatest) ||
            !number_of(&value->rangeValue->valueHigh, &last, &greatest))
            return false;
        add(ret_intervals, first, last);
        return true;
    case FWP_V4_ADDR_MASK:
    case FWP_V6_ADDR_MASK:
        first = bounds_of_mask(value, &last, &greatest);
        if (condition->match_type == FWP_MATCH_NOT_EQUAL)
            add_outside(ret_intervals, first, last, greatest);
        else
            add(ret_intervals, first, last);
        return true;
    default:
        return number_of((const FWP_VALUE0 *)value, &first, &greatest) &&
               intervals_of_number(condition->match_type, first, greatest, ret_intervals);
    }
}

// The one value that fulfils the condition, or NULL when there may be more.
static const FWP_VALUE0 *single_value(const struct wall_condition *condition)
{
    if (condition->match_type != FWP_MATCH_EQUAL || condition->value.type >= FWP_SINGLE_DATA_TYPE_MAX ||
        condition->value.type == FWP_SECURITY_DESCRIPTOR_TYPE)
        return NULL;
    return (const FWP_VALUE0 *)&condition->value;
}

static bool is_flags(const struct wall_condition *condition)
{
    return condition->match_type >= FWP_MATCH_FLAGS_ALL_SET && condition->match_type <= FWP_MATCH_FLAGS_NONE_SET;
}

static uint64_t flags_of(const struct wall_condition *condition)
{
    struct number number = { 0, 0 }, greatest;
    (void)number_of((const FWP_VALUE0 *)&condition->value, &number, &greatest);
    return number.low;
}

static bool flags_overlap(const struct wall_condition *a, const struct wall_condition *b)
{
    uint64_t left = flags_of(a), right = flags_of(b);
    if (a->match_type == FWP_MATCH_FLAGS_NONE_SET) {
        const struct wall_condition *swapped = a;
        a = b;
        b = swapped;
        left = flags_of(a);
        right = flags_of(b);
    }
    if (a->match_type == FWP_MATCH_FLAGS_ANY_SET && left == 0)
        return false;
    if (b->match_type == FWP_MATCH_FLAGS_ANY_SET && right == 0)
        return false;
    if (b->match_type != FWP_MATCH_FLAGS_NONE_SET || a->match_type == FWP_MATCH_FLAGS_NONE_SET)
        return true;
    return a->match_type == FWP_MATCH_FLAGS_ALL_SET ? (left & right) == 0 : (left & ~right) != 0;
}

static bool flags_contain(const struct wall_condition *outer, const struct wall_condition *inner)
{
    uint64_t out = flags_of(outer), in = flags_of(inner);
    switch (outer->match_type) {
    case FWP_MATCH_FLAGS_ALL_SET:
        return out == 0 || (inner->match_type == FWP_MATCH_FLAGS_ALL_SET && (out & ~in) == 0);
    case FWP_MATCH_FLAGS_NONE_SET:
        return out == 0 || (inner->match_type == FWP_MATCH_FLAGS_NONE_SET && (out & ~in) == 0);
    default:
        if (inner->match_type == FWP_MATCH_FLAGS_ALL_SET)
            return (in & out) != 0;
        return inner->match_type == FWP_MATCH_FLAGS_ANY_SET && (in & ~out) == 0;
    }
}

bool wall_condition_overlaps(const struct wall_condition *a, const struct wall_condition *b)
{
    const FWP_VALUE0 *value;
    if ((value = single_value(a)))
        return wall_condition_matches(b, value);
    if ((value = single_value(b)))
        return wall_condition_matches(a, value);
    if (is_flags(a) && is_flags(b))
        return flags_overlap(a, b);

    struct intervals left, right;
    if (!intervals_of(a, &left) || !intervals_of(b, &right))
        return true;
    for (unsigned int i = 0; i < left.count; i++) {
        for (unsigned int k = 0; k < right.count; k++) {
            if (compare(left.items[i].first, right.items[k].last) <= 0 &&
                compare(right.items[k].first, left.items[i].last) <= 0)
                return true;
        }
    }
    return false;
}

static bool is_within(const struct interval *inner, const struct intervals *outer)
{
    for (unsigned int i = 0; i < outer->count; i++) {
        if (compare(outer->items[i].first, inner->first) <= 0 && compare(inner->last, outer->items[i].last) <= 0)
            return true;
    }
    return false;
}

static bool is_same(const struct wall_condition *a, const struct wall_condition *b)
{
    return a->match_type == b->match_type && a->value.type == b->value.type &&
           a->value.type < FWP_SINGLE_DATA_TYPE_MAX &&
           wall_value_compare((const FWP_VALUE0 *)&a->value, (const FWP_VALUE0 *)&b->value) == 0;
}

bool wall_condition_contains(const struct wall_condition *outer, const struct wall_condition *inner)
{
    const FWP_VALUE0 *value = single_value(inner);
    if (value)
        return wall_condition_matches(outer, value);
    if (is_same(outer, inner))
        return true;
    if (is_flags(outer) && is_flags(inner))
        return flags_contain(outer, inner);

    struct intervals out, in;
    if (!intervals_of(outer, &out) || !intervals_of(inner, &in))
        return false;
    for (unsigned int i = 0; i < in.count; i++) {
        if (!is_within(&in.items[i], &out))
            return false;
    }
    return true;
}
