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

// Pairs of numbers are also whole words, in which wall_forget() writes them: for the verifier, half a word on the stack
// is not the same as half of a word.
struct wall_slot_state {
    union {
        struct {
            uint32_t group;      // unit of the group; 0: no match is left in this slot; or WALL_GROUP_UNKNOWN
            uint32_t candidate;  // filter index of the next match; WALL_FILTER_NONE
        };
        uint64_t word;
    };
    uint64_t position;   // boxes, bits: bit mask of the matches left, the candidate's lowest; vectors: its position
};

// The pivot is a missing fact: any filter of the slot may match. `candidate` is the first one, `position` is where the
// firsts are.
#define WALL_GROUP_UNKNOWN 0xffffffffu

// The question goes in, the decision comes out. All of it lies in the caller's stack frame, and the question's place is
// used again, as all frames of a BPF program share 512 bytes.
struct wall_evaluation {
    union {
        struct wall_question question;
        struct {
            uint64_t key[WALL_KEY_WORDS];  // packed classes, guard bits set
            struct wall_slot_state slot[WALL_SLOTS_MAX];
        };
    };
    union {
        struct wall_decision decision;
        uint64_t decision_words[3];
    };
    wall_tables tables;
    const struct wall_table_head *head;  // the page that the layer's image begins with
    uint32_t base;                       // where the others lie: its `base`
    uint32_t unknown;                    // missing facts that filters ask for, and WALL_NEEDS_USER_SPACE
    union {
        struct {
            uint32_t standing;  // enum wall_standing
            uint32_t pending;   // facts missing to filters that would not have changed what stands …
            uint32_t sublayer;  // … in this sublayer
            uint32_t passed;    // such a filter, if it was the last one
            uint64_t cursor;    // the slot to move on next; WALL_SLOTS_MAX: all have been
        };
        uint64_t step_words[3];
    };
};

_Static_assert(sizeof(struct wall_evaluation) == 152, "what is left of the stack is counted on (wall_evaluate())");

// Keeps the compiler from turning arithmetic into branches: a branch that depends on the policy or on the flow is
// mispredicted, and the verifier follows both sides of it.
#define wall_opaque(x) __asm__ volatile("" : "+r"(x))

// Keeps the compiler from holding copies of what is in memory: on the stack they would take room a second time.
#define wall_reload() __asm__ volatile("" ::: "memory")

// Makes the verifier forget what it knows of a number: paths on which it knows different things are followed apart.
#define wall_forget(e, number) ((number) ^= (e)->head->zero)

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

// A page of the layer's image, or NULL. The first one is at hand.
WALL_INLINE const uint8_t *wall_page(const struct wall_evaluation *e, uint32_t page)
{
    return page ? wall_tables_page(e->tables, e->base + page) : (const uint8_t *)e->head;
}

// Read one number at a byte offset of the image, a multiple of its size. Return 0 when there is no such page.
WALL_INLINE int wall_read32(const struct wall_evaluation *e, uint32_t offset, uint32_t *ret_value)
{
    const uint8_t *page = wall_page(e, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    *ret_value = *(const uint32_t *)(page + (offset & (WALL_PAGE_BYTES - 4)));
    return 1;
}

// The same for a number of 64 bits.
WALL_INLINE int wall_read64(const struct wall_evaluation *e, uint32_t offset, uint64_t *ret_value)
{
    const uint8_t *page = wall_page(e, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    *ret_value = *(const uint64_t *)(page + (offset & (WALL_PAGE_BYTES - 8)));
    return 1;
}

// The class of one dimension out of a packed key.
WALL_INLINE uint32_t wall_packed_class(const struct wall_evaluation *e, uint32_t dimension)
{
    uint32_t word = dimension * 11 >> 5 & (WALL_KEY_WORDS - 1);  // a third, for the few numbers it is asked for
    return (uint32_t)(e->key[word] >> ((dimension - WALL_LANES * word) * WALL_LANE_BITS & 63)) & WALL_CLASS_MAX;
}
