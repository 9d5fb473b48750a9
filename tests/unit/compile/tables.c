// Random entries over a small world of values: the evaluator against a plain scan of the same entries.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "compile/evaluate.h"
#include "compile/tables.h"

// xorshift64*
static uint64_t seed = 88172645463325252u;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * 2685821657736338717u >> 33) % limit);
}

enum { POOL = 200 };

struct world {
    struct wall_arena arena;
    struct wall_partition partitions[WALL_DIMENSION_COUNT_];
    struct wall_wide pool[WALL_DIMENSION_COUNT_][POOL];  // where interesting things happen
    struct wall_entries entries;
    struct wall_flags_layout flags;
    struct wall_image image;
    struct wall_tables_layout layout;
    uint32_t pool_used;
    uint32_t used;  // dimensions that entries may ask for
    uint16_t layer_id;
};

static const unsigned v4_bits[WALL_DIMENSION_COUNT_] = { 32, 32, 16, 8, 32, 16, 32, 9, 32, 64, 8, 8 };

static unsigned bits_of(const struct world *world, uint32_t dimension)
{
    bool address = dimension == WALL_DIMENSION_REMOTE_ADDRESS || dimension == WALL_DIMENSION_LOCAL_ADDRESS;
    return address && world->layer_id == 50 ? 128 : v4_bits[dimension];
}

static struct wall_wide random_value(unsigned bits)
{
    struct wall_wide max = wall_wide_max(bits), value;
    value.high = ((uint64_t)random_below(1u << 31) << 33) ^ random_below(1u << 31);
    value.low = ((uint64_t)random_below(1u << 31) << 33) ^ random_below(1u << 31);
    // Many values share their first words, as addresses do.
    if (random_below(2))
        value.high = 0x20010db800000000u;
    if (random_below(3) == 0)
        value.low &= 0xff;
    value.high &= max.high;
    value.low &= max.low;
    if (random_below(8) == 0)
        value = random_below(2) ? max : wall_wide_of(0);
    return value;
}

static struct wall_wide pick(const struct world *world, uint32_t dimension)
{
    struct wall_wide value = world->pool[dimension][random_below(world->pool_used)];
    struct wall_wide max = wall_wide_max(bits_of(world, dimension));
    uint32_t where = random_below(6);
    if (where == 0 && wall_wide_compare(value, max) < 0)
        return wall_wide_next(value);
    if (where == 1 && wall_wide_compare(value, wall_wide_of(0)) > 0)
        return wall_wide_previous(value);
    if (where == 2)
        return random_value(bits_of(world, dimension));
    return value;
}

static uint32_t random_set(struct world *world, uint32_t dimension)
{
    struct wall_interval intervals[4];
    uint32_t count = 1 + (random_below(4) == 0 ? random_below(4) : 0);
    for (uint32_t i = 0; i < count; i++) {
        intervals[i].first = pick(world, dimension);
        intervals[i].last = random_below(3) ? intervals[i].first : pick(world, dimension);
        if (wall_wide_compare(intervals[i].first, intervals[i].last) > 0) {
            struct wall_wide first = intervals[i].first;
            intervals[i].first = intervals[i].last;
            intervals[i].last = first;
        }
    }
    uint32_t set;
    bool empty = random_below(10) == 0;
    if (empty && random_below(2))
        count = 0;
    assert_int_equal(wall_partition_add(&world->partitions[dimension], intervals, count, empty, &set), 0);
    return set;
}

static void make_world(struct world *world, uint32_t count, uint16_t sublayers, uint64_t easy_bytes)
{
    wall_arena_init(&world->arena);
    world->pool_used = easy_bytes && random_below(2) ? POOL : 12;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        assert_int_equal(wall_partition_init(&world->partitions[d], &world->arena, bits_of(world, d)), 0);
        for (uint32_t i = 0; i < POOL; i++)
            world->pool[d][i] = random_value(bits_of(world, d));
    }
    world->entries = (struct wall_entries){
        .items = calloc(count, sizeof(struct wall_entry)),
        .count = count,
        .sublayer_count = sublayers,
        .partitions = world->partitions,
    };
    uint32_t chance = 1 + random_below(4), effects = random_below(3);
    for (uint32_t i = 0; i < count; i++) {
        struct wall_entry *entry = &world->entries.items[i];
        entry->id = 1000 + i;
        entry->sublayer = (uint16_t)((uint64_t)i * sublayers / count);
        entry->effect = (uint8_t)(effects == 0 ? random_below(3) : random_below(5));
        if (random_below(40) == 0)
            entry->needs = WALL_NEEDS_USER_SPACE;
        for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
            if ((world->used >> d & 1) && random_below(4) < chance)
                entry->sets[d] = random_set(world, d);
            if (entry->sets[d] != WALL_SET_ALL)
                entry->needs |= 1u << d;
        }
    }
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        assert_int_equal(wall_partition_build(&world->partitions[d]), 0);
    world->flags = (struct wall_flags_layout){ .bits = { 0, 2, 31 }, .bit_count = 3, .rest = true };
    wall_image_init(&world->image, 64 << 20);
    int r = wall_tables_write(world->layer_id, &world->entries, &world->flags, easy_bytes, &world->image,
                              &world->layout);
    assert_int_equal(r, 0);
}

static void free_world(struct world *world)
{
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        wall_partition_done(&world->partitions[d]);
    wall_arena_done(&world->arena);
    wall_image_done(&world->image);
    free(world->entries.items);
}

static void set_words(uint32_t words[4], struct wall_wide value, bool wide)
{
    if (!wide) {
        words[0] = (uint32_t)value.low;
        return;
    }
    words[0] = (uint32_t)(value.high >> 32);
    words[1] = (uint32_t)value.high;
    words[2] = (uint32_t)(value.low >> 32);
    words[3] = (uint32_t)value.low;
}

static uint32_t flags_of(uint64_t number)
{
    return (uint32_t)((number & 1) | (number >> 1 & 1) << 2 | (number >> 2 & 1) << 31 | (number >> 8 & 1) << 5);
}

static void ask(const struct world *world, struct wall_question *question, struct wall_wide *values)
{
    memset(question, 0, sizeof(*question));
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        values[d] = pick(world, d);
    values[WALL_DIMENSION_FLAGS].low &= 0x107;  // what the layout of the flags can say
    bool v6 = world->layer_id == 50;
    set_words(question->remote_address, values[WALL_DIMENSION_REMOTE_ADDRESS], v6);
    set_words(question->local_address, values[WALL_DIMENSION_LOCAL_ADDRESS], v6);
    question->app = (uint32_t)values[WALL_DIMENSION_APP].low;
    question->user = (uint32_t)values[WALL_DIMENSION_USER].low;
    question->remote_port = (uint16_t)values[WALL_DIMENSION_REMOTE_PORT].low;
    question->local_port = (uint16_t)values[WALL_DIMENSION_LOCAL_PORT].low;
    question->protocol = (uint8_t)values[WALL_DIMENSION_PROTOCOL].low;
    question->flags = flags_of(values[WALL_DIMENSION_FLAGS].low);
    question->flags_known = UINT32_MAX;
    question->interface_index = (uint32_t)values[WALL_DIMENSION_INTERFACE].low;
    question->cgroup = values[WALL_DIMENSION_CGROUP].low;
    question->local_address_type = (uint8_t)values[WALL_DIMENSION_LOCAL_ADDRESS_TYPE].low;
    question->destination_address_type = (uint8_t)values[WALL_DIMENSION_DESTINATION_ADDRESS_TYPE].low;
    question->known = (1u << WALL_DIMENSION_COUNT_) - 1;
    if (random_below(4) == 0)
        question->known &= random_below(1u << WALL_DIMENSION_COUNT_) | random_below(1u << WALL_DIMENSION_COUNT_);
    if (random_below(8) == 0)
        question->empty = random_below(1u << WALL_DIMENSION_COUNT_) & random_below(1u << WALL_DIMENSION_COUNT_);
}

static bool holds(const struct wall_value_set *set, struct wall_wide value)
{
    for (uint32_t i = 0; i < set->interval_count; i++)
        if (wall_wide_compare(value, set->intervals[i].first) >= 0 &&
            wall_wide_compare(value, set->intervals[i].last) <= 0)
            return true;
    return false;
}

// Whether the known facts leave a match possible.
static bool may_match(const struct world *world, const struct wall_entry *entry, const struct wall_question *question,
                      const struct wall_wide *values)
{
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        if (entry->sets[d] == WALL_SET_ALL || !(question->known >> d & 1))
            continue;
        const struct wall_value_set *set = wall_partition_set(&world->partitions[d], entry->sets[d]);
        if (question->empty >> d & 1 ? !set->empty : !holds(set, values[d]))
            return false;
    }
    return true;
}

// What stands after an effect, by the fold table of WFP; the effect of a callout is not in it.
enum { NOTHING, PERMITTED, PERMITTED_HARD, BLOCKED };

static uint32_t fold(uint32_t standing, uint32_t effect)
{
    static const uint32_t table[4][4] = {
        // PERMIT, PERMIT_HARD, BLOCK, VETO
        [NOTHING] = { PERMITTED, PERMITTED_HARD, BLOCKED, BLOCKED },
        [PERMITTED] = { PERMITTED, PERMITTED_HARD, BLOCKED, BLOCKED },
        [PERMITTED_HARD] = { PERMITTED_HARD, PERMITTED_HARD, PERMITTED_HARD, BLOCKED },
        [BLOCKED] = { BLOCKED, BLOCKED, BLOCKED, BLOCKED },
    };
    return table[standing][effect];
}

// The rules of the evaluator, in words instead of tables.
static struct wall_decision scan(const struct world *world, const struct wall_question *question,
                                 const struct wall_wide *values)
{
    struct wall_decision decision = { .filter = WALL_FILTER_NONE };
    uint32_t standing = NOTHING, pending = 0;
    for (uint32_t i = 0; i < world->entries.count; i++) {
        const struct wall_entry *entry = &world->entries.items[i];
        if (i > 0 && entry->sublayer != entry[-1].sublayer)
            pending = 0;
        if (!may_match(world, entry, question, values))
            continue;
        uint32_t missing = entry->needs & (~question->known | WALL_NEEDS_USER_SPACE);
        bool callout = entry->effect == WALL_EFFECT_CALLOUT;
        uint32_t after = callout ? standing : fold(standing, entry->effect);
        if (callout || (after != standing && (missing | pending))) {
            decision.verdict = WALL_VERDICT_HOLD;
            decision.filter = i;
            decision.filter_id = entry->id;
            return decision;
        }
        pending |= missing;
        if (missing)
            continue;
        // The owner is who brought the action that stands, not who made it final.
        if (after != standing && !(standing == PERMITTED && after == PERMITTED_HARD)) {
            decision.filter = i;
            decision.filter_id = entry->id;
        }
        standing = after;
        while (i + 1 < world->entries.count && entry[0].sublayer == world->entries.items[i + 1].sublayer)
            i++;
    }
    decision.verdict = standing == BLOCKED ? WALL_VERDICT_BLOCK : WALL_VERDICT_PERMIT;
    return decision;
}

static void compare(const struct world *world, uint32_t questions)
{
    for (uint32_t q = 0; q < questions; q++) {
        struct wall_question question;
        struct wall_wide values[WALL_DIMENSION_COUNT_];
        ask(world, &question, values);
        struct wall_decision decision, expected = scan(world, &question, values);
        wall_pages_evaluate(world->image.bytes, world->image.page_count, 0, &question, &decision);
        // A pivot that is a missing fact may hold more than it must.
        if (decision.verdict == WALL_VERDICT_HOLD && expected.verdict != WALL_VERDICT_HOLD) {
            assert_true(world->layout.slot_count > 1);
            assert_true(decision.missing & ~question.known &
                        (1u << world->layout.slots[0].pivot | 1u << world->layout.slots[1].pivot));
            continue;
        }
        assert_int_equal(decision.verdict, expected.verdict);
        if (decision.verdict != WALL_VERDICT_HOLD || world->layout.slot_count == 1) {
            assert_int_equal(decision.filter, expected.filter);
            assert_int_equal(decision.filter_id, expected.filter_id);
        }
    }
}

static void try_worlds(uint32_t worlds, uint32_t count, uint32_t questions, uint64_t easy_bytes)
{
    uint32_t slots[WALL_SLOTS_MAX + 1] = { 0 };
    for (uint32_t i = 0; i < worlds; i++) {
        struct world world = { .layer_id = i % 2 ? 48 : 50 };
        world.used = random_below(3) ? random_below(1u << WALL_DIMENSION_COUNT_) : 0x3f;
        make_world(&world, 1 + random_below(count), (uint16_t)(1 + random_below(i % 5 == 0 ? 40 : 4)), easy_bytes);
        slots[world.layout.slot_count]++;
        compare(&world, questions);
        free_world(&world);
    }
    // Ask for small tables and the entries are spread over slots.
    if (easy_bytes)
        assert_true(slots[2] > 0 && slots[3] > 0);
}

static void few_entries_agree(void **state)
{
    try_worlds(1500, 6, 40, 0);
}

static void some_entries_agree(void **state)
{
    try_worlds(400, 100, 150, 0);
}

static void entries_in_slots_agree(void **state)
{
    try_worlds(60, 4000, 200, 1);
}

static void many_entries_agree(void **state)
{
    try_worlds(10, 8000, 300, 0);
}

static void no_entries_permit(void **state)
{
    struct world world = { .layer_id = 48 };
    make_world(&world, 1, 1, 0);
    world.entries.count = 0;
    wall_image_done(&world.image);
    wall_image_init(&world.image, 64 << 20);
    assert_int_equal(wall_tables_write(48, &world.entries, &world.flags, 0, &world.image, &world.layout), 0);
    struct wall_question question = { 0 };
    struct wall_decision decision;
    wall_pages_evaluate(world.image.bytes, world.image.page_count, 0, &question, &decision);
    assert_int_equal(decision.verdict, WALL_VERDICT_PERMIT);
    assert_int_equal(decision.filter, WALL_FILTER_NONE);
    world.entries.count = 1;
    free_world(&world);
}

static void damaged_tables_hold(void **state)
{
    struct world world = { .layer_id = 48, .used = 0x3f };
    make_world(&world, 200, 3, 1);
    struct wall_question question;
    struct wall_wide values[WALL_DIMENSION_COUNT_];
    struct wall_decision decision;
    wall_pages_evaluate(NULL, 0, 0, &(struct wall_question){ 0 }, &decision);
    assert_int_equal(decision.verdict, WALL_VERDICT_HOLD);
    assert_int_equal(decision.missing, WALL_MISSING_TABLES);
    size_t size = (size_t)world.image.page_count * WALL_PAGE_BYTES;
    uint8_t *copy = malloc(size);
    for (int i = 0; i < 2000; i++) {
        memcpy(copy, world.image.bytes, size);
        for (int j = 0; j < 20; j++)
            copy[4 + random_below((uint32_t)size - 4)] = (uint8_t)random_below(256);
        ask(&world, &question, values);
        // Nothing is expected of the answer, but that it comes, and that nothing outside the image is read.
        wall_pages_evaluate(copy, world.image.page_count, 0, &question, &decision);
        assert_in_range(decision.verdict, WALL_VERDICT_PERMIT, WALL_VERDICT_HOLD);
    }
    free(copy);
    free_world(&world);
}

static void same_entries_same_bytes(void **state)
{
    uint64_t begin = seed;
    struct world a = { .layer_id = 50, .used = 0x3f }, b = { .layer_id = 50, .used = 0x3f };
    make_world(&a, 500, 3, 1);
    seed = begin;
    make_world(&b, 500, 3, 1);
    assert_int_equal(a.image.page_count, b.image.page_count);
    assert_memory_equal(a.image.bytes, b.image.bytes, (size_t)a.image.page_count * WALL_PAGE_BYTES);
    free_world(&a);
    free_world(&b);
}

static void the_limit_is_kept(void **state)
{
    struct world world = { .layer_id = 48, .used = 0x3f };
    make_world(&world, 500, 1, 0);
    wall_image_done(&world.image);
    wall_image_init(&world.image, WALL_PAGE_BYTES);
    assert_int_equal(wall_tables_write(48, &world.entries, &world.flags, 0, &world.image, &world.layout), -E2BIG);
    free_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_entries_agree),       cmocka_unit_test(some_entries_agree),
        cmocka_unit_test(entries_in_slots_agree),  cmocka_unit_test(many_entries_agree),
        cmocka_unit_test(no_entries_permit),       cmocka_unit_test(damaged_tables_hold),
        cmocka_unit_test(same_entries_same_bytes), cmocka_unit_test(the_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
