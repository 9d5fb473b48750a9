// Groups: the matches of one slot, in arbitration order.
#pragma once

#include "wire/evaluation.bpf.h"

enum wall_find {
    WALL_FIND_FIRST,          // the slot's first match
    WALL_FIND_NEXT,           // the match behind the candidate
    WALL_FIND_FROM_SUBLAYER,  // the first match in `sublayer` or a later one
};

// --- Boxes and bits: all matches at once, as a mask ---

// The guard bits of the lanes of one key word whose facts are known: only these are compared.
WALL_INLINE uint64_t wall_known_lanes(uint32_t unknown, uint32_t word)
{
    uint64_t u = unknown >> WALL_LANES * word;
    return WALL_GUARDS & ~((u & 1) << 20 | (u >> 1 & 1) << 41 | (u >> 2 & 1) << 62);
}

// The lanes in which one word of a key is outside a box.
WALL_INLINE uint64_t wall_outside(uint64_t key, uint64_t known, uint64_t low, uint64_t high)
{
    return known & ~((key - low) & (high - (key & ~WALL_GUARDS)));
}

// 1 when no bit is set; only guard bits may be.
WALL_INLINE uint64_t wall_is_inside(uint64_t outside)
{
    outside = -outside;
    wall_opaque(outside);
    return (outside >> 63) ^ 1;
}

// 1 when a box of two words matches.
WALL_INLINE uint64_t wall_box2_matches(const struct wall_evaluation *e, uint64_t known0, uint64_t known1,
                                       const uint8_t *page, uint32_t offset)
{
    const uint64_t *box = (const uint64_t *)(page + (offset & (WALL_PAGE_BYTES - 32)));
    return wall_is_inside(wall_outside(e->key[0], known0, box[0], box[2]) |
                          wall_outside(e->key[1], known1, box[1], box[3]));
}

// 1 when a box of four words matches.
WALL_INLINE uint64_t wall_box4_matches(const struct wall_evaluation *e, const uint8_t *page, uint32_t offset)
{
    const uint64_t *box = (const uint64_t *)(page + (offset & (WALL_PAGE_BYTES - 64)));
    uint32_t unknown = e->unknown;
    return wall_is_inside(wall_outside(e->key[0], wall_known_lanes(unknown, 0), box[0], box[4]) |
                          wall_outside(e->key[1], wall_known_lanes(unknown, 1), box[1], box[5]) |
                          wall_outside(e->key[2], wall_known_lanes(unknown, 2), box[2], box[6]) |
                          wall_outside(e->key[3], wall_known_lanes(unknown, 3), box[3], box[7]));
}

// Compares all boxes of a group. Always 1, as nothing can be damaged.
WALL_OUTLINE int wall_boxes_find(struct wall_evaluation *e, struct wall_slot_state *slot,
                                 const struct wall_table_group *group, const uint8_t *page)
{
    uint32_t count = group->count, box = group->data;
    uint64_t matches = 0;
    if (group->key_words == 2) {
        uint64_t known0 = wall_known_lanes(e->unknown, 0), known1 = wall_known_lanes(e->unknown, 1);
        for (uint32_t i = 0; i < WALL_BOXES_MAX / 4; i++) {
            if (4 * i >= count)
                break;
            uint64_t four = wall_box2_matches(e, known0, known1, page, box) |
                            wall_box2_matches(e, known0, known1, page, box + 32) << 1 |
                            wall_box2_matches(e, known0, known1, page, box + 64) << 2 |
                            wall_box2_matches(e, known0, known1, page, box + 96) << 3;
            matches |= four << 4 * i;
            box += 128;
        }
    } else {
        for (uint32_t i = 0; i < WALL_BOXES_MAX / 4; i++) {
            if (4 * i >= count)
                break;
            uint64_t four = wall_box4_matches(e, page, box) | wall_box4_matches(e, page, box + 64) << 1 |
                            wall_box4_matches(e, page, box + 128) << 2 | wall_box4_matches(e, page, box + 192) << 3;
            matches |= four << 4 * i;
            box += 256;
        }
    }
    slot->position = matches & ((1ull << (count & 63)) - 1);
    return 1;
}

// And-s the words of the classes. Returns 0 when the tables are damaged.
WALL_OUTLINE int wall_bits_find(struct wall_evaluation *e, struct wall_slot_state *slot,
                                const struct wall_table_group *group)
{
    uint64_t matches = ~0ull >> (-group->count & 63);
    for (uint32_t i = 0; i < WALL_ROWS_MAX; i++) {
        if (i >= group->row_count)
            break;
        uint32_t dimension = group->dimension[i];
        if (e->unknown >> (dimension & 31) & 1)
            continue;
        uint32_t class_ = wall_packed_class(e, dimension);
        uint64_t bits;
        if (class_ > group->last[i] || !wall_read64(e, group->rows[i] + 8 * class_, &bits))
            return 0;
        matches &= bits;
    }
    slot->position = matches;
    return 1;
}

// --- Bit vectors ---

struct wall_vector_search {
    const struct wall_table_group *group;
    const uint8_t *page[WALL_ROWS_MAX];  // the page of each row
    uint16_t offset[WALL_ROWS_MAX];      // of the row in its page
    uint32_t summary;                    // index of the summary word under work
    uint32_t from;                       // positions before it are not wanted
    uint64_t words;                      // data words of this summary word still to be looked at
    uint64_t found;                      // position; WALL_FILTER_NONE
};

// One word of all rows, and-ed.
WALL_INLINE uint64_t wall_rows_word(const struct wall_vector_search *search, uint32_t index)
{
    const uint32_t mask = WALL_PAGE_BYTES - 8;
    index *= 8;
    wall_reload();
#define WALL_ROW_WORD(i) (*(const uint64_t *)(search->page[i] + ((search->offset[i] + index) & mask)))
    uint64_t word = WALL_ROW_WORD(0) & WALL_ROW_WORD(1) & WALL_ROW_WORD(2) & WALL_ROW_WORD(3);
    if (search->group->row_count > 4)
        word &= WALL_ROW_WORD(4) & WALL_ROW_WORD(5) & WALL_ROW_WORD(6) & WALL_ROW_WORD(7);
#undef WALL_ROW_WORD
    return word;
}

// Looks at the next data word. Returns 1 when it holds a match.
WALL_INLINE long wall_search_word(struct wall_vector_search *search)
{
    uint32_t index = 64 * search->summary + wall_lowest_bit(search->words);
    search->words &= search->words - 1;
    uint64_t word = wall_rows_word(search, search->group->summaries + index);
    if (index == search->from >> 6)
        word &= ~0ull << (search->from & 63);
    if (!word)
        return 0;
    search->found = 64 * index + wall_lowest_bit(word);
    return 1;
}

// One step of the search: a data word, or on to the next summary word. Returns 1 to stop.
static long wall_search_step(uint32_t step, void *context)
{
    struct wall_vector_search *search = context;
    (void)step;
    if (search->words)
        return wall_search_word(search);
    // The mask only tells the verifier that there is an end.
    search->summary = (search->summary + 1) & 127;
    if (search->summary >= search->group->summaries)
        return 1;
    search->words = wall_rows_word(search, search->summary);
    return 0;
}

// Fetches the row of one dimension. Returns 0 when the tables are damaged.
WALL_INLINE int wall_search_row(const struct wall_evaluation *e, struct wall_vector_search *search, uint32_t i)
{
    const struct wall_table_group *group = search->group;
    uint32_t row = group->data, dimension = group->dimension[i];
    if (!(e->unknown >> (dimension & 31) & 1)) {
        uint32_t class_ = wall_packed_class(e, dimension);
        if (class_ > group->last[i] || !wall_read32(e, group->rows[i] + 4 * class_, &row))
            return 0;
    }
    const uint8_t *page = wall_page(e, row >> (WALL_PAGE_SHIFT - 3));
    if (!page)
        return 0;
    search->page[i] = page;
    search->offset[i] = (uint16_t)(row * 8 & (WALL_PAGE_BYTES - 1));
    return 1;
}

// Fetches the rows of all dimensions. Returns 0 when the tables are damaged.
WALL_INLINE int wall_search_rows(const struct wall_evaluation *e, struct wall_vector_search *search)
{
    if (!wall_search_row(e, search, 0) || !wall_search_row(e, search, 1) || !wall_search_row(e, search, 2) ||
        !wall_search_row(e, search, 3))
        return 0;
    search->page[4] = search->page[5] = search->page[6] = search->page[7] = search->page[0];
    search->offset[4] = search->offset[5] = search->offset[6] = search->offset[7] = search->offset[0];
    if (search->group->row_count <= 4)
        return 1;
    return wall_search_row(e, search, 4) && wall_search_row(e, search, 5) && wall_search_row(e, search, 6) &&
           wall_search_row(e, search, 7);
}

// Moves the slot to its first match at position `from` or later. Returns 0 when the tables are damaged.
WALL_OUTLINE int wall_vectors_find(const struct wall_evaluation *e, struct wall_slot_state *slot,
                                   const struct wall_table_group *group, uint32_t from)
{
    struct wall_vector_search search = {
        .group = group,
        .from = from + (uint32_t)group->zero,
        .found = WALL_FILTER_NONE,
    };
    if (!wall_search_rows(e, &search))
        return 0;
    search.summary = search.from >> 12 & 127;
    search.words = wall_rows_word(&search, search.summary) & ~0ull << (search.from >> 6 & 63);
    // The first word usually holds the match.
    if (!search.words || !wall_search_word(&search))
        bpf_loop(2 * WALL_WORDS_MAX, wall_search_step, &search, 0);
    slot->position = search.found;
    return 1;
}

// --- All kinds ---

// Moves a slot on. Returns 0 when the tables are damaged.
WALL_INLINE int wall_slot_find(struct wall_evaluation *e, struct wall_slot_state *slot, uint32_t find)
{
    uint32_t offset = slot->group << WALL_UNIT_SHIFT, filter = WALL_FILTER_NONE, start = 0;
    const uint8_t *page = wall_page(e, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    offset &= WALL_PAGE_BYTES - 2 * WALL_UNIT_BYTES;
    const struct wall_table_group *group = (const struct wall_table_group *)(page + offset);
    if (find == WALL_FIND_FROM_SUBLAYER && !wall_read32(e, group->starts + 4 * e->sublayer, &start))
        return 0;
    uint64_t position = slot->position;
    if (group->kind == WALL_GROUP_VECTORS) {
        if (find == WALL_FIND_NEXT)
            start = (uint32_t)position + 1;
        if (!wall_vectors_find(e, slot, group, start))
            return 0;
        position = slot->position;
    } else if (find == WALL_FIND_FIRST) {
        int sound =
            group->kind == WALL_GROUP_BITS ? wall_bits_find(e, slot, group) : wall_boxes_find(e, slot, group, page);
        if (!sound)
            return 0;
    } else {
        slot->position &= find == WALL_FIND_NEXT ? position - 1 : ~0ull << (start & 63);
    }
    if (group->kind != WALL_GROUP_VECTORS) {
        position = WALL_FILTER_NONE;
        if (slot->position)
            position = wall_lowest_bit(slot->position);
    }
    if (position == WALL_FILTER_NONE)
        slot->group = 0;
    else if (!wall_read32(e, group->filters + 4 * (uint32_t)position, &filter))
        return 0;
    slot->candidate = filter;
    return 1;
}
