// Groups: the matches of one slot, in arbitration order.
#pragma once

#include "wire/evaluation.bpf.h"

// The guard bits of the lanes that are known: only these are compared.
WALL_INLINE void wall_known_lanes(uint32_t unknown, uint64_t check[4])
{
    uint64_t u = unknown;
    check[0] = check[1] = WALL_GUARD_WIDE;
    check[2] = check[3] = WALL_GUARD_NARROW;
    if (!(unknown & ((1u << WALL_DIMENSION_COUNT_) - 1)))
        return;
    check[0] &= ~((u & 1) << 31 | (u >> 1 & 1) << 63);
    check[1] &= ~((u >> 2 & 1) << 31 | (u >> 3 & 1) << 63);
    u >>= WALL_DIMENSION_WIDE_COUNT;
    check[2] &= ~((u & 1) << 15 | (u >> 1 & 1) << 31 | (u >> 2 & 1) << 47 | (u >> 3 & 1) << 63);
    u >>= 4;
    check[3] &= ~((u & 1) << 15 | (u >> 1 & 1) << 31 | (u >> 2 & 1) << 47 | (u >> 3 & 1) << 63);
}

// 1 when a box matches, without a branch.
WALL_INLINE uint64_t wall_box_matches(const struct wall_evaluation *e, const uint64_t check[4],
                                      const struct wall_table_box *box)
{
    uint64_t outside = check[0] & ~((e->key[0] - box->low[0]) & (box->high[0] - (e->key[0] & ~WALL_GUARD_WIDE)));
    outside |= check[1] & ~((e->key[1] - box->low[1]) & (box->high[1] - (e->key[1] & ~WALL_GUARD_WIDE)));
    outside |= check[2] & ~((e->key[2] - box->low[2]) & (box->high[2] - (e->key[2] & ~WALL_GUARD_NARROW)));
    outside |= check[3] & ~((e->key[3] - box->low[3]) & (box->high[3] - (e->key[3] & ~WALL_GUARD_NARROW)));
    // Only guard bits are left, so that halving loses nothing and the sign tells whether any is set.
    outside = -(outside >> 1);
    wall_opaque(outside);
    return (outside >> 63) ^ 1;
}

// The box at this byte of a page, or of the page's beginning when the offset is damaged.
WALL_INLINE const struct wall_table_box *wall_box_at(const uint8_t *page, uint32_t offset)
{
    return (const struct wall_table_box *)(page + (offset & (WALL_PAGE_BYTES - WALL_UNIT_BYTES)));
}

enum wall_find {
    WALL_FIND_FIRST,          // the slot's first match
    WALL_FIND_NEXT,           // the match behind the candidate
    WALL_FIND_FROM_SUBLAYER,  // the first match in `sublayer` or a later one
};

// Moves a slot whose group is boxes: all boxes are compared once, and what matched is kept as bits.
WALL_OUTLINE int wall_boxes_find(const struct wall_evaluation *e, struct wall_slot_state *slot, const uint8_t *page,
                                 uint32_t offset, uint32_t find)
{
    const struct wall_table_boxes *group =
        (const struct wall_table_boxes *)(page + (offset & (WALL_PAGE_BYTES - WALL_UNIT_BYTES)));
    uint64_t matches = slot->position;

    if (find == WALL_FIND_FIRST) {
        uint32_t boxes = offset + group->boxes;
        uint64_t check[4];
        wall_known_lanes(e->unknown, check);
        matches = 0;
        for (uint32_t i = 0; i < WALL_BOXES_MAX / 4; i++) {
            if (4 * i >= group->count)
                break;
            uint64_t four = wall_box_matches(e, check, wall_box_at(page, boxes)) |
                            wall_box_matches(e, check, wall_box_at(page, boxes + 64)) << 1 |
                            wall_box_matches(e, check, wall_box_at(page, boxes + 128)) << 2 |
                            wall_box_matches(e, check, wall_box_at(page, boxes + 192)) << 3;
            matches |= four << 4 * i;
            boxes += 4 * WALL_UNIT_BYTES;
        }
        matches &= (1ull << (group->count & 63)) - 1;
    } else if (find == WALL_FIND_NEXT) {
        matches &= matches - 1;
    } else {
        uint32_t start = (offset + group->starts + 2 * e->sublayer) & (WALL_PAGE_BYTES - 2);
        matches &= ~0ull << (*(const uint16_t *)(page + start) & 63);
    }

    slot->position = matches;
    slot->candidate = WALL_FILTER_NONE;
    if (matches) {
        uint32_t filter = offset + group->filters + 4 * wall_lowest_bit(matches);
        slot->candidate = *(const uint32_t *)(page + (filter & (WALL_PAGE_BYTES - 4)));
    } else {
        slot->group = 0;
    }
    return 1;
}

struct wall_vector_search {
    const struct wall_table_vectors *group;
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
    search->summary = (search->summary + 1) & 15;
    if (search->summary >= search->group->summaries)
        return 1;
    search->words = wall_rows_word(search, search->summary);
    return 0;
}

// Fetches the row of one dimension. Returns 0 when the tables are damaged.
WALL_INLINE int wall_search_row(const struct wall_evaluation *e, struct wall_vector_search *search, uint32_t i)
{
    const struct wall_table_vectors *group = search->group;
    uint32_t row = group->ones;
    if (!(e->unknown >> (group->dimension[i] & 31) & 1)) {
        uint8_t lane = group->lane[i];
        uint32_t class_ = (uint32_t)(e->key[lane >> 6] >> (lane & 63)) & ((1u << (group->bits[i] & 31)) - 1);
        if (class_ > group->last[i] || !wall_read32(e->tables, group->rows[i] + 4 * class_, &row))
            return 0;
    }
    const uint8_t *page = wall_tables_page(e->tables, row >> (WALL_PAGE_SHIFT - 3));
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

// Moves a slot whose group is bit vectors to its first match at position `from` or later. Without one, the slot goes
// over to the next group of the chain, where nothing has been searched yet. Returns 0 when the tables are damaged.
WALL_OUTLINE int wall_vectors_find(const struct wall_evaluation *e, struct wall_slot_state *slot,
                                   const struct wall_table_vectors *group, uint32_t from)
{
    struct wall_vector_search search = {
        .group = group,
        .from = from + group->zero,
        .found = WALL_FILTER_NONE,
    };
    if (!wall_search_rows(e, &search))
        return 0;
    search.summary = search.from >> 12 & 15;
    search.words = wall_rows_word(&search, search.summary) & ~0ull << (search.from >> 6 & 63);
    // The first word usually holds the match.
    if (!search.words || !wall_search_word(&search))
        bpf_loop(WALL_WORDS_MAX + WALL_PAGE_BYTES / 512, wall_search_step, &search, 0);
    slot->position = search.found;
    if (search.found != WALL_FILTER_NONE)
        return wall_read32(e->tables, group->filters + 4 * (uint32_t)search.found, &slot->candidate);
    slot->group = group->next;
    slot->candidate = slot->group ? WALL_FILTER_AGAIN : WALL_FILTER_NONE;
    return 1;
}

// Moves a slot on. Returns 0 when the tables are damaged.
WALL_INLINE int wall_slot_find(struct wall_evaluation *e, struct wall_slot_state *slot, uint32_t find)
{
    uint32_t offset = slot->group << WALL_UNIT_SHIFT;
    const uint8_t *page = wall_tables_page(e->tables, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return 0;
    int sound;
    uint8_t kind = page[offset & (WALL_PAGE_BYTES - WALL_UNIT_BYTES)];
    if (kind == WALL_GROUP_BOXES) {
        sound = wall_boxes_find(e, slot, page, offset, find);
    } else {
        const struct wall_table_vectors *group =
            (const struct wall_table_vectors *)(page + (offset & (WALL_PAGE_BYTES - 2 * WALL_UNIT_BYTES)));
        uint16_t start = 0;
        uint32_t from = find == WALL_FIND_NEXT ? (uint32_t)slot->position + 1 : 0;
        if (kind != WALL_GROUP_VECTORS)
            return 0;
        if (find == WALL_FIND_FROM_SUBLAYER) {
            if (!wall_read16(e->tables, group->starts + 2 * e->sublayer, &start))
                return 0;
            from = start;
        }
        sound = wall_vectors_find(e, slot, group, from);
    }
    // The verifier need not know which way it came.
    wall_forget(e, slot->group);
    wall_forget(e, slot->candidate);
    wall_forget(e, slot->position);
    return sound;
}
