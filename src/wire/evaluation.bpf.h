// Evaluation: what the evaluator knows while it decides one flow, and the small things its parts share.
#pragma once

#include "wire/tables.bpf.h"

// What stands so far, in the order of the fold table (wfp-reference 2.2).
enum wall_standing {
    WALL_STANDING_NONE,
    WALL_STANDING_PERMIT,
    WALL_STANDING_PERMIT_HARD,
    WALL_STANDING_BLOCK,
};

struct wall_slot_state {
    uint32_t group;      // unit of the group; 0: no match is left in this slot; or WALL_GROUP_UNKNOWN
    uint32_t candidate;  // filter index of the next match; WALL_FILTER_NONE or WALL_FILTER_AGAIN
    uint64_t position;   // boxes: bit mask of the matches left, the candidate's lowest; vectors: its position
};

// The pivot is a missing fact: any filter of the slot may match. `candidate` is the first one, `position` is where the
// firsts are.
#define WALL_GROUP_UNKNOWN 0xffffffffu

// The search in this group was in vain and goes on in the next one of the chain: the slot must be moved once more.
#define WALL_FILTER_AGAIN 0xfffffffeu

// The question goes in, the decision comes out. All of it lies in the caller's stack frame, and the question's place is
// used again, as all frames of a BPF program share 512 bytes.
struct wall_evaluation {
    union {
        struct wall_question question;
        struct {
            uint64_t key[4];  // packed classes, guard bits set
            struct wall_slot_state slot[WALL_SLOTS_MAX];
        };
    };
    struct wall_decision decision;
    wall_tables tables;
    uint64_t zero;            // as in the head
    uint32_t unknown;         // missing facts that filters ask for, WALL_NEEDS_USER_SPACE among them
    uint32_t filters;         // as in the head
    uint32_t callout_end;     // as in the head
    uint32_t sublayer_count;  // as in the head
    uint32_t standing;        // enum wall_standing
    uint32_t pending;         // facts missing to filters that would not have changed what stands …
    uint32_t sublayer;        // … in this sublayer
    uint32_t passed;          // such a filter, if it was the last one
    uint32_t cursor;          // the slot to move on next; WALL_SLOTS_MAX: all have been
};

// Keeps the compiler from turning arithmetic into branches: a branch that depends on the policy or on the flow is
// mispredicted, and the verifier follows both sides of it.
#define wall_opaque(x) __asm__ volatile("" : "+r"(x))

// Keeps the compiler from holding copies of what is in memory: on the stack they would take room a second time.
#define wall_reload() __asm__ volatile("" ::: "memory")

// Makes the verifier forget what it knows of a number: paths on which it knows different things are followed apart.
#define wall_forget(e, number) ((number) ^= (e)->zero)

// 1 when a <= b.
WALL_INLINE uint64_t wall_at_most(uint32_t a, uint32_t b)
{
    uint64_t difference = (uint64_t)b - a;
    wall_opaque(difference);
    return (difference >> 63) ^ 1;
}

// The position of the lowest set bit of `x`, which is not 0. (The BPF back end of clang 14 has no count of zeros.)
WALL_INLINE uint32_t wall_lowest_bit(uint64_t x)
{
    uint64_t below = (x & -x) - 1;
    below -= below >> 1 & 0x5555555555555555ull;
    below = (below & 0x3333333333333333ull) + (below >> 2 & 0x3333333333333333ull);
    below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return (uint32_t)(below * 0x0101010101010101ull >> 56);
}

// Read one number at a byte offset of the image, a multiple of its size. Return 0 when there is no such page.
WALL_INLINE int wall_read32(wall_tables tables, uint32_t offset, uint32_t *ret_value)
{
    const uint8_t *page = wall_tables_page(tables, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    *ret_value = *(const uint32_t *)(page + (offset & (WALL_PAGE_BYTES - 4)));
    return 1;
}

// The same for a number of 16 bits.
WALL_INLINE int wall_read16(wall_tables tables, uint32_t offset, uint16_t *ret_value)
{
    const uint8_t *page = wall_tables_page(tables, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    *ret_value = *(const uint16_t *)(page + (offset & (WALL_PAGE_BYTES - 2)));
    return 1;
}

// The class of one dimension out of a packed key.
WALL_INLINE uint32_t wall_packed_class(const struct wall_evaluation *e, uint32_t dimension)
{
    uint32_t narrow = dimension - WALL_DIMENSION_WIDE_COUNT;
    if (dimension < WALL_DIMENSION_WIDE_COUNT)
        return (uint32_t)(e->key[dimension >> 1 & 1] >> (dimension & 1) * 32) & 0x7fffffff;
    return (uint32_t)(e->key[2 + (narrow >> 2 & 1)] >> (narrow & 3) * 16) & WALL_CLASS_NARROW_MAX;
}
