// The evaluator: what the compiled filters of one layer say about one flow. The same source is built into the BPF
// programs and into user space (compile/evaluate.c), where it is proven equal to the reference classifier.
//
// User space defines bpf_loop() before including it.
//
// Use in a program (`policy` is an ARRAY_OF_MAPS, see tables.bpf.h):
//     struct wall_evaluation evaluation = { .question = { … } };
//     void *tables = bpf_map_lookup_elem(&policy, &zero);  // once: a decision sees one policy only
//     if (!tables) … fail closed …
//     wall_evaluate(tables, LAYER_INDEX, &evaluation);
//     switch (evaluation.decision.verdict) …
// Stack: see the numbers at wall_evaluate(). Cost: flat in the number of filters; no map is written.
#pragma once

#include "wire/classes.bpf.h"
#include "wire/groups.bpf.h"

// Chooses the slot's group and finds its first match. Returns 0 when the tables are damaged.
WALL_INLINE int wall_slot_begin(struct wall_evaluation *e, struct wall_slot_state *slot,
                                const struct wall_table_slot *table)
{
    uint32_t pivot = table->pivot;
    slot->candidate = WALL_FILTER_NONE;
    slot->group = table->groups;
    if (pivot < WALL_DIMENSION_COUNT_) {
        if (e->unknown >> pivot & 1) {
            int sound = wall_read32(e, table->firsts, &slot->candidate);
            slot->group = WALL_GROUP_UNKNOWN;
            slot->position = table->firsts;
            return sound;
        }
        uint32_t class_ = wall_packed_class(e, pivot);
        uint32_t entry = table->groups + 4 * class_;
        if (class_ > table->last || !wall_read32(e, entry, &slot->group))
            return 0;
    }
    return !slot->group || wall_slot_find(e, slot, WALL_FIND_FIRST);
}

// Whether an effect would change what stands (the fold table without the rows and columns that need a callout).
WALL_INLINE int wall_effect_changes(uint32_t standing, uint32_t effect)
{
    if (standing == WALL_STANDING_NONE)
        return 1;
    if (standing == WALL_STANDING_PERMIT)
        return effect != WALL_EFFECT_PERMIT;
    return standing == WALL_STANDING_PERMIT_HARD && effect == WALL_EFFECT_VETO;
}

// What stands after an effect that has changed it.
WALL_INLINE uint32_t wall_standing_of(uint32_t effect)
{
    if (effect == WALL_EFFECT_PERMIT)
        return WALL_STANDING_PERMIT;
    return effect == WALL_EFFECT_PERMIT_HARD ? WALL_STANDING_PERMIT_HARD : WALL_STANDING_BLOCK;
}

// Ends the search: what stands is the answer.
WALL_INLINE long wall_decide(struct wall_evaluation *e)
{
    e->decision.verdict = e->standing == WALL_STANDING_BLOCK ? WALL_VERDICT_BLOCK : WALL_VERDICT_PERMIT;
    e->decision.missing = 0;
    return 1;
}

// Ends the search: user space must answer.
WALL_INLINE long wall_hold(struct wall_evaluation *e, uint32_t filter, uint64_t id, uint32_t missing)
{
    e->decision.verdict = WALL_VERDICT_HOLD;
    e->decision.filter = filter;
    e->decision.filter_id = id;
    e->decision.missing = missing;
    return 1;
}

// The next matching filter in arbitration order, out of the slots' candidates. Returns 1 when the flow is decided or
// held; else the slots must be moved on.
WALL_OUTLINE long wall_fold(struct wall_evaluation *e)
{
    uint32_t filter = WALL_FILTER_NONE;
    for (uint32_t i = 0; i < WALL_SLOTS_MAX; i++)
        filter = e->slot[i].candidate < filter ? e->slot[i].candidate : filter;
    if (filter == WALL_FILTER_NONE)
        return wall_decide(e);

    uint32_t offset = e->head->filters + filter * (uint32_t)sizeof(struct wall_table_filter);
    const uint8_t *page = wall_page(e, offset >> WALL_PAGE_SHIFT);
    if (!page)
        return wall_hold(e, WALL_FILTER_NONE, 0, WALL_MISSING_TABLES);
    offset &= WALL_PAGE_BYTES - sizeof(struct wall_table_filter);
    const struct wall_table_filter *table = (const struct wall_table_filter *)(page + offset);

    for (uint32_t i = 0; i < WALL_SLOTS_MAX; i++)
        if (e->slot[i].candidate == filter && e->slot[i].group == WALL_GROUP_UNKNOWN)
            return wall_hold(e, filter, table->id, e->unknown & ~WALL_NEEDS_USER_SPACE);

    if (table->sublayer != e->sublayer)
        e->pending = 0;
    e->sublayer = table->sublayer;
    uint32_t effect = table->effect;
    uint32_t missing = table->needs & e->unknown;
    int changes = wall_effect_changes(e->standing, effect);
    if (effect == WALL_EFFECT_CALLOUT || (changes && (missing | e->pending)))
        return wall_hold(e, filter, table->id, missing | e->pending);
    e->cursor = 0;
    if (missing) {
        // Whether it matches makes no difference; what comes behind it in this sublayer may.
        e->pending |= missing;
        e->passed = filter;
        return 0;
    }
    if (changes) {
        // A permit that makes a permit hard leaves it its owner.
        if (e->standing != WALL_STANDING_PERMIT || effect != WALL_EFFECT_PERMIT_HARD) {
            e->decision.filter = filter;
            e->decision.filter_id = table->id;
        }
        e->standing = wall_standing_of(effect);
    }
    e->sublayer++;
    e->pending = 0;
    e->passed = WALL_FILTER_NONE;
    if (e->sublayer >= e->head->sublayer_count ||
        (e->standing >= WALL_STANDING_PERMIT_HARD && e->head->callout_end <= filter + 1))
        return wall_decide(e);
    return 0;
}

// Moves one slot on: past the filter that was passed over, or to the next sublayer.
// Returns 0 when the tables are damaged.
WALL_INLINE int wall_slot_move(struct wall_evaluation *e, struct wall_slot_state *slot)
{
    uint32_t find = WALL_FIND_FROM_SUBLAYER;
    if (e->passed != WALL_FILTER_NONE) {
        if (slot->candidate != e->passed)
            return 1;
        find = WALL_FIND_NEXT;
    } else if (slot->group == WALL_GROUP_UNKNOWN) {
        return wall_read32(e, (uint32_t)slot->position + 4 * e->sublayer, &slot->candidate);
    }
    return !slot->group || wall_slot_find(e, slot, find);
}

// Which way a slot came to its state is not worth following.
WALL_INLINE void wall_forget_slot(const struct wall_evaluation *e, struct wall_slot_state *slot)
{
    wall_forget(e, slot->word);
    wall_forget(e, slot->position);
}

// A step's state must look the same as the step's before, or every step of the loop is followed for itself.
WALL_INLINE void wall_forget_step(struct wall_evaluation *e)
{
    for (uint32_t i = 0; i < 3; i++) {
        wall_forget(e, e->step_words[i]);
        wall_forget(e, e->decision_words[i]);
    }
}

// One step behind the first match: a slot is moved on, or, when all have been, the next match is folded.
static long wall_step(uint32_t step, void *context)
{
    struct wall_evaluation *e = context;
    struct wall_slot_state *slot = &e->slot[0];
    long end = 0;
    (void)step;
    if (e->cursor < WALL_SLOTS_MAX) {
        if (e->cursor == 1)
            slot = &e->slot[1];
        if (e->cursor == 2)
            slot = &e->slot[2];
        wall_opaque(slot);
        if (!wall_slot_move(e, slot))
            end = wall_hold(e, WALL_FILTER_NONE, 0, WALL_MISSING_TABLES);
        wall_forget_slot(e, slot);
        e->cursor++;
    } else {
        end = wall_fold(e);
    }
    wall_forget_step(e);
    return end;
}

// Matches of filters that lack a fact, and of sublayers, times slots: behind this many steps user space decides.
#define WALL_STEPS_TOTAL 1024

// Finds each slot's first match. Returns 0 when the tables are damaged.
WALL_OUTLINE int wall_evaluation_begin(struct wall_evaluation *e)
{
    const struct wall_table_head *head = e->head;
    e->base = head->base;
    e->decision.generation = head->generation;
    if (!wall_evaluation_pack(e))
        return 0;
    for (uint32_t i = 0; i < WALL_SLOTS_MAX; i++) {
        e->slot[i].candidate = WALL_FILTER_NONE;
        e->slot[i].group = 0;
        e->slot[i].position = 0;
        if (i < head->slot_count && !wall_slot_begin(e, &e->slot[i], &head->slot[i]))
            return 0;
        wall_forget_slot(e, &e->slot[i]);
    }
    return 1;
}

// Decides one flow by the filters of the bundle's layer `layer`. Never fails: what it cannot tell is WALL_VERDICT_HOLD.
// When `missing` is then 0, a callout's filter has matched for certain and it is the callout that must be asked.
// Stack: the evaluation has 152 bytes; below the caller up to 256 more are used, rounded as kernel 6.1 does, so that
// the caller has 104 for itself and for whoever calls it.
WALL_INLINE void wall_evaluate(wall_tables tables, uint32_t layer, struct wall_evaluation *e)
{
    const struct wall_table_head *head = (const struct wall_table_head *)wall_tables_page(tables, layer);
    e->tables = tables;
    e->head = head;
    e->decision.generation = 0;
    e->standing = WALL_STANDING_NONE;
    e->pending = 0;
    e->sublayer = 0;
    e->cursor = 0;
    e->passed = WALL_FILTER_NONE;
    (void)wall_hold(e, WALL_FILTER_NONE, 0, WALL_MISSING_TABLES);
    if (!head || head->magic != WALL_TABLE_MAGIC || !wall_evaluation_begin(e))
        return;
    if (wall_fold(e))
        return;
    wall_forget_step(e);
    bpf_loop(WALL_STEPS_TOTAL, wall_step, e, 0);
}
