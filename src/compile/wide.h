// Wide numbers and intervals of them: the values of a dimension, of up to 128 bits.
#pragma once

#include <stdint.h>

// Compared as one number of 128 bits; values of fewer bits lie in the low end of it.
struct wall_wide {
    uint64_t high, low;
};

// Both ends belong to it.
struct wall_interval {
    struct wall_wide first, last;
};

static inline int wall_wide_compare(struct wall_wide a, struct wall_wide b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

// One more; must not be called on the greatest number.
static inline struct wall_wide wall_wide_next(struct wall_wide a)
{
    a.low++;
    a.high += a.low == 0;
    return a;
}

// One less; must not be called on 0.
static inline struct wall_wide wall_wide_previous(struct wall_wide a)
{
    a.high -= a.low == 0;
    a.low--;
    return a;
}

static inline struct wall_wide wall_wide_of(uint64_t value)
{
    struct wall_wide wide = { 0, value };
    return wide;
}

// The greatest number of `bits` bits, 1 to 128.
static inline struct wall_wide wall_wide_max(unsigned bits)
{
    struct wall_wide wide = { 0, UINT64_MAX };
    if (bits > 64)
        wide.high = UINT64_MAX >> (128 - bits);
    else
        wide.low >>= 64 - bits;
    return wide;
}
