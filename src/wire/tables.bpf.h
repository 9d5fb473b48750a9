// Compiled tables: the layout of one layer's filters as the kernel reads them, and access to their pages.
//
// One layer is one image: a whole number of pages of WALL_PAGE_BYTES; page 0 begins with struct wall_table_head. Byte
// offsets and units count from the image's beginning. The images of all layers that the kernel decides are one bundle:
// page i is page 0 of layer i's image, whose `base` says where the others lie; all zero when the layer has none. In the
// kernel a bundle is one ARRAY map (key u32 = page number, value = one page) that programs reach through an
// ARRAY_OF_MAPS (src/bpf/maps.bpf.h); its inner maps are all made with BPF_F_INNER_MAP, as their number of pages
// differs. In user space it is a block of memory. Programs never write to it. Numbers are in the byte order of the
// machine.
//
// How a flow is decided (docs/decisions/0007-compiled-tables.md says why):
//  1. Each dimension's value is looked up in the dimension's tree (or, for app and flags, array) and becomes a class:
//     values that no filter of the layer tells apart share one. Class 0 is FWP_EMPTY. The classes are packed into four
//     words, one lane each.
//  2. Up to WALL_SLOTS_MAX slots hold the filters: each filter in exactly one. A slot with a pivot dimension picks one
//     of its groups by that dimension's class; one without has a single group.
//  3. A group finds which of its filters match: by comparing boxes, or by and-ing bits.
//  4. The smallest matching filter index of all slots is the next filter in arbitration order: sublayers by descending
//     weight are consecutive ranges of filter indexes. Its effect is folded; the search goes on at the next sublayer.
#pragma once

#include "wire/question.bpf.h"

// Inlined: the verifier follows every path through it from each place. Else a function of its own, with its own stack.
#define WALL_INLINE static inline __attribute__((always_inline))
#define WALL_OUTLINE static __attribute__((noinline))

// Large, as each change of the page costs a decision a call (4 ns): small policies fit the first page.
#define WALL_PAGE_BYTES 65536u
#define WALL_PAGE_SHIFT 16u

#define WALL_TABLE_MAGIC 0x314c4157u  // "WAL1": changes with the layout

// References to nodes and groups count units of 64 bytes (one cache line), so that 24 bits reach 1 GiB.
#define WALL_UNIT_SHIFT 6u
#define WALL_UNIT_BYTES 64u

#define WALL_SLOTS_MAX 3u       // two pivots and the rest: what fits the BPF stack
#define WALL_SUBLAYERS_MAX 64u  // sublayers with filters in one layer that the kernel decides
#define WALL_BOXES_MAX 32u      // boxes in one group
#define WALL_ROWS_MAX 8u        // dimensions of one group of bits or bit vectors
#define WALL_WORDS_MAX 8000u    // words of 64 filters in one group of bit vectors: with 125 summary words, one page
#define WALL_FLAG_BITS_MAX 8u   // bits of FWP_CONDITION_FLAG_* that one layer's filters may ask for
#define WALL_STEPS_MAX 5u       // nodes on the way to a class, for each 32 bits of the value

#define WALL_FILTER_NONE 0xffffffffu

// A packed key: the classes of all dimensions in four words, three lanes of 21 bits each. The highest bit of a lane is
// the guard bit of the lane-wise comparison.
#define WALL_CLASS_MAX 0xfffffu
#define WALL_LANE_BITS 21u
#define WALL_LANES 3u
#define WALL_KEY_WORDS 4u
#define WALL_GUARDS 0x4000020000100000ull

// A filter's `needs` and a result's `missing`: bit per dimension, and:
#define WALL_NEEDS_USER_SPACE 0x80000000u  // a condition that only user space can evaluate
#define WALL_MISSING_TABLES 0x40000000u    // no tables, damaged tables, or a limit of the evaluator

// --- Node references: the way from a value to its class ---
// Bits 31-30: kind. A class: bits 19-0 are the class. Else bits 23-0 are the unit of the node, bit 29 says that the
// node is about the next 32 bits of the value, and of a radix node bits 28-24 are how far to shift these.
#define WALL_NODE_KIND 0xc0000000u
#define WALL_NODE_CLASS 0x00000000u
#define WALL_NODE_LINE 0x40000000u   // struct wall_table_line
#define WALL_NODE_RADIX 0x80000000u  // uint32_t[256], indexed by (value >> shift) & 255
#define WALL_NODE_NEXT_WORD 0x20000000u
#define WALL_NODE_SHIFT_AT 24u
#define WALL_NODE_UNIT 0x00ffffffu
#define WALL_LINE_KEYS 7u

// One cache line: refs[number of keys <= value]. Unused keys are 0xffffffff and their references repeat the last one.
struct wall_table_line {
    uint32_t keys[WALL_LINE_KEYS];
    uint32_t reserved;
    uint32_t refs[WALL_LINE_KEYS + 1];
};

// Where the classes of one dimension are found.
struct wall_table_dimension {
    uint32_t root;   // node reference; used when `array` is 0
    uint32_t array;  // byte offset of uint32_t[]: node references, indexed by first word of the value >> shift
    uint32_t shift;
    uint32_t last;  // greatest index of `array`; greater values use it
};

struct wall_table_slot {
    uint32_t pivot;   // enum wall_dimension; WALL_DIMENSION_COUNT_: none
    uint32_t groups;  // with pivot: byte offset of uint32_t[class]: unit of the group, 0: none; without: the unit
    uint32_t firsts;  // byte offset of uint32_t[sublayer]: least filter index of this slot from this sublayer on
    uint32_t last;    // greatest class of the pivot
};

struct wall_table_head {
    uint32_t magic;  // WALL_TABLE_MAGIC
    uint16_t layer_id;
    uint16_t slot_count;
    uint32_t page_count;
    uint32_t filter_count;
    uint32_t filters;      // byte offset of struct wall_table_filter[filter_count]
    uint32_t callout_end;  // 1 + the greatest filter index whose match holds the flow or can veto
    uint32_t dimensions;   // bits: dimensions that filters ask for; the others have one class, 0 or unknown alike
    uint32_t flags_used;   // bits of FWP_CONDITION_FLAG_* that filters ask for
    uint64_t zero;         // 0, which the verifier does not know: with it, it forgets what else it knows
    uint32_t sublayer_count;
    uint32_t generation;                    // of the policy, its low 32 bits
    uint8_t flag_bits[WALL_FLAG_BITS_MAX];  // the positions of these bits; the remaining entries are 32
    uint32_t flags_rest;  // bits outside `flag_bits`: one more index bit when any of them is set; 0: nobody asks
    uint32_t base;        // page p > 0 of the image is page base + p of the map
    struct wall_table_dimension dimension[WALL_DIMENSION_COUNT_];
    struct wall_table_slot slot[WALL_SLOTS_MAX];
};

// What a match does to the outcome.
enum wall_effect {
    WALL_EFFECT_PERMIT,       // soft: a lower sublayer may still block
    WALL_EFFECT_PERMIT_HARD,  // only a callout's block beats it
    WALL_EFFECT_BLOCK,        // hard
    WALL_EFFECT_VETO,         // the block of a callout that is not registered
    WALL_EFFECT_CALLOUT,      // a callout must be asked: hold
};

struct wall_table_filter {
    uint64_t id;
    uint32_t needs;  // bit per dimension it has conditions on; WALL_NEEDS_USER_SPACE
    uint16_t sublayer;
    uint8_t effect;  // enum wall_effect
    uint8_t reserved;
};

// --- Groups: the entries of one slot (and one class of its pivot), at positions in arbitration order ---

enum wall_group_kind {
    WALL_GROUP_BOXES = 1,  // a few entries: for each, a range of classes in every dimension
    WALL_GROUP_BITS,       // at most 64: for each class a word, bit i of which says that it suits entry i
    WALL_GROUP_VECTORS,    // more: for each class a row of words
};

// What all groups begin with; aligned to two units. `filters` and `starts` are byte offsets in the image; those of
// boxes and bits lie in the group's page.
struct wall_table_group {
    uint8_t kind;        // enum wall_group_kind
    uint8_t key_words;   // boxes: 2, or 4: how many words of the key they compare
    uint16_t row_count;  // bits and vectors: dimensions, 1 to WALL_ROWS_MAX
    uint32_t count;      // positions
    uint32_t filters;    // uint32_t[count]: filter indexes, ascending
    uint32_t starts;     // uint32_t[sublayer_count]: first position of this sublayer or a later one
    uint32_t data;       // boxes: byte offset of the first one, in the group's page; vectors: `ones`, see below
    uint32_t summaries;  // vectors: words in the first part of a row
    uint64_t zero;       // as in the head
    // Bits and vectors: one dimension each.
    uint8_t dimension[WALL_ROWS_MAX];
    // Byte offset of what the dimension's class is the index of. Bits: uint64_t[class]. Vectors: uint32_t[class], the
    // row in units of 8 bytes. A row is `summaries` words, bit i of which says that data word i is not 0, and then the
    // data words; it lies in one page. `ones` is the row of a dimension nobody asks for.
    uint32_t rows[WALL_ROWS_MAX];
    uint32_t last[WALL_ROWS_MAX];  // greatest class
};

// A box of 2 or 4 key words: low[key_words], then high[key_words]. A flow matches when in every lane
// low <= class <= high. `high` has its guard bits set. They are read in fours; what lies behind the last one does not
// count. The heads of these groups end before `dimension`.

_Static_assert(sizeof(struct wall_table_line) == WALL_UNIT_BYTES, "a line is one unit");
_Static_assert(sizeof(struct wall_table_head) == 64 + 16 * (WALL_DIMENSION_COUNT_ + WALL_SLOTS_MAX), "no padding");
_Static_assert(sizeof(struct wall_table_filter) == 16, "a filter never crosses a page");
_Static_assert(sizeof(struct wall_table_group) == 104, "two units at most");

// --- Pages ---
#ifdef __bpf__
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// The inner map, as bpf_map_lookup_elem() on the ARRAY_OF_MAPS gives it.
typedef void *wall_tables;

// One page, or NULL.
WALL_INLINE const uint8_t *wall_tables_page(wall_tables tables, uint32_t page)
{
    return bpf_map_lookup_elem(tables, &page);
}
#else
struct wall_tables_image {
    const uint8_t *bytes;
    uint32_t page_count;
};
typedef const struct wall_tables_image *wall_tables;

// One page, or NULL.
WALL_INLINE const uint8_t *wall_tables_page(wall_tables tables, uint32_t page)
{
    return page < tables->page_count ? tables->bytes + (size_t)page * WALL_PAGE_BYTES : NULL;
}
#endif
