#include "compile/partition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct wall_value_set *set_at(const struct wall_partition *partition, uint32_t set)
{
    return wall_vector_at(&partition->sets, set);
}

int wall_partition_init(struct wall_partition *partition, struct wall_arena *arena, unsigned bits)
{
    partition->arena = arena;
    partition->bits = bits;
    partition->class_count = 0;
    wall_vector_init(&partition->sets, sizeof(struct wall_value_set), 0);
    wall_vector_init(&partition->begins, sizeof(struct wall_class_begin), 0);
    wall_signature_table_init(&partition->indexes, WALL_SET_ALL + 1);
    struct wall_interval *everything = wall_arena_take(arena, sizeof(*everything));
    if (!everything)
        return -ENOMEM;
    everything->last = wall_wide_max(bits);
    struct wall_value_set all = { .intervals = everything, .interval_count = 1, .empty = true };
    return wall_vector_add(&partition->sets, &all);
}

void wall_partition_done(struct wall_partition *partition)
{
    wall_vector_done(&partition->sets);
    wall_vector_done(&partition->begins);
    wall_signature_table_done(&partition->indexes);
}

static int compare_intervals(const void *a, const void *b)
{
    const struct wall_interval *x = a, *y = b;
    return wall_wide_compare(x->first, y->first);
}

// Sorts and joins; returns how many are left.
static uint32_t normalize(struct wall_interval *intervals, uint32_t count)
{
    if (count < 2)
        return count;
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++)
        sorted = compare_intervals(&intervals[i - 1], &intervals[i]) <= 0;
    if (!sorted)
        qsort(intervals, count, sizeof(*intervals), compare_intervals);
    uint32_t used = 0;
    for (uint32_t i = 1; i < count; i++) {
        struct wall_interval *last = &intervals[used];
        struct wall_interval next = intervals[i];
        bool apart = wall_wide_compare(next.first, last->last) > 0 &&
                     wall_wide_compare(wall_wide_previous(next.first), last->last) > 0;
        if (apart)
            intervals[++used] = next;
        else if (wall_wide_compare(next.last, last->last) > 0)
            last->last = next.last;
    }
    return used + 1;
}

static bool is_all(const struct wall_partition *partition, const struct wall_interval *intervals, uint32_t count,
                   bool empty)
{
    const struct wall_interval *all = set_at(partition, WALL_SET_ALL)->intervals;
    return empty && count == 1 && memcmp(intervals, all, sizeof(*all)) == 0;
}

static bool is_content(const struct wall_value_set *set, const uint64_t *content, uint32_t count)
{
    return set->interval_count == count && set->empty == (content[0] != 0) &&
           (count == 0 || memcmp(set->intervals, content + 1, count * sizeof(*set->intervals)) == 0);
}

// The content of a set as one string of words: one for FWP_EMPTY, then the intervals.
static int intern(struct wall_partition *partition, uint64_t *content, uint32_t count, uint32_t *ret_set)
{
    size_t size = sizeof(*content) + count * sizeof(struct wall_interval);
    struct wall_signature signature = wall_signature_of_words(content, size / sizeof(*content));
    uint32_t number = 0;
    int r;
    while ((r = wall_signature_table_find(&partition->indexes, signature, &number)) == 0 &&
           number < partition->sets.count && !is_content(set_at(partition, number), content, count))
        signature.a++;
    if (r < 0)
        return r;
    *ret_set = number;
    if (number < partition->sets.count)
        return 0;
    content = wall_arena_copy(partition->arena, content, size);
    if (!content)
        return -ENOMEM;
    struct wall_value_set set = {
        .intervals = (const struct wall_interval *)(content + 1),
        .interval_count = count,
        .empty = content[0] != 0,
    };
    return wall_vector_add(&partition->sets, &set);
}

int wall_partition_add(struct wall_partition *partition, struct wall_interval *intervals, uint32_t count, bool empty,
                       uint32_t *ret_set)
{
    count = normalize(intervals, count);
    if (is_all(partition, intervals, count, empty)) {
        *ret_set = WALL_SET_ALL;
        return 0;
    }
    uint64_t small[1 + 8 * sizeof(struct wall_interval) / sizeof(uint64_t)];
    uint64_t *content = small;
    if (count > 8) {
        content = malloc(sizeof(*content) + count * sizeof(*intervals));
        if (!content)
            return -ENOMEM;
    }
    content[0] = empty;
    if (count)
        memcpy(content + 1, intervals, count * sizeof(*intervals));
    int r = intern(partition, content, count, ret_set);
    if (content != small)
        free(content);
    return r;
}

int wall_partition_copy(struct wall_partition *partition, const struct wall_value_set *set, uint32_t *ret_set)
{
    *ret_set = (uint32_t)partition->sets.count;
    return wall_vector_add(&partition->sets, set);
}

bool wall_partition_is_void(const struct wall_partition *partition, uint32_t set)
{
    const struct wall_value_set *s = set_at(partition, set);
    return !s->empty && s->interval_count == 0;
}

// --- The walk over the ends of all intervals ---

struct end {
    struct wall_wide at;  // from this value on …
    uint32_t set;         // … values are inside, or no longer inside, this set
    uint32_t mark;        // twice the interval's number, counted over all sets; and 1 more for no longer inside
};

static unsigned byte_of(const struct wall_wide *value, unsigned byte)
{
    return (byte < 8 ? value->low >> 8 * byte : value->high >> 8 * (byte - 8)) & 255;
}

// Radix sort, stable, byte by byte; bytes that are the same everywhere cost one walk, and so do ends that are in order
// already, as those of a list of addresses are. Returns the sorted array, which is `ends` or `other`.
static struct end *sort_ends(struct end *ends, struct end *other, size_t count)
{
    struct wall_wide varies = { 0, 0 };
    bool is_sorted = true;
    for (size_t i = 1; i < count; i++) {
        varies.high |= ends[i].at.high ^ ends[0].at.high;
        varies.low |= ends[i].at.low ^ ends[0].at.low;
        is_sorted = is_sorted && wall_wide_compare(ends[i - 1].at, ends[i].at) <= 0;
    }
    if (is_sorted)
        return ends;
    for (unsigned byte = 0; byte < 16; byte++) {
        if (!byte_of(&varies, byte))
            continue;
        size_t position[256] = { 0 }, sum = 0;
        for (size_t i = 0; i < count; i++)
            position[byte_of(&ends[i].at, byte)]++;
        for (unsigned i = 0; i < 256; i++) {
            size_t here = position[i];
            position[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            other[position[byte_of(&ends[i].at, byte)]++] = ends[i];
        struct end *sorted = other;
        other = ends;
        ends = sorted;
    }
    return ends;
}

static size_t list_ends(const struct wall_partition *partition, struct end *ends)
{
    struct wall_wide greatest = wall_wide_max(partition->bits);
    size_t count = 0;
    uint32_t mark = 0;
    for (uint32_t s = WALL_SET_ALL + 1; s < partition->sets.count; s++) {
        const struct wall_value_set *set = set_at(partition, s);
        for (uint32_t i = 0; i < set->interval_count; i++, mark += 2) {
            struct wall_interval interval = set->intervals[i];
            ends[count++] = (struct end){ interval.first, s, mark };
            if (wall_wide_compare(interval.last, greatest) < 0)
                ends[count++] = (struct end){ wall_wide_next(interval.last), s, mark + 1 };
        }
    }
    return count;
}

// Fills in, for each mark, how many classes are first seen below its end.
static int walk_ends(struct wall_partition *partition, const struct end *ends, size_t count, uint32_t *ret_marks)
{
    // Which sets a value is in: two values are in one class when this is equal.
    struct wall_signature signature = { 0, 0 };
    struct wall_signature_table table;
    wall_signature_table_init(&table, 1);
    struct wall_class_begin begin = { .value = { 0, 0 } };
    uint32_t previous = 0;
    size_t i = 0;
    int r = 0;
    do {
        for (; i < count && wall_wide_compare(ends[i].at, begin.value) == 0; i++) {
            if (ends[i].mark & 1)
                wall_signature_remove(&signature, ends[i].set);
            else
                wall_signature_add(&signature, ends[i].set);
            ret_marks[ends[i].mark] = table.next;
        }
        begin.seen_before = table.next;
        r = wall_signature_table_find(&table, signature, &begin.class_);
        if (r == 0 && begin.class_ != previous)
            r = wall_vector_add(&partition->begins, &begin);
        previous = begin.class_;
        if (i < count)
            begin.value = ends[i].at;
    } while (r == 0 && i < count);
    partition->class_count = table.next;
    wall_signature_table_done(&table);
    return r;
}

// --- Ranges of class numbers ---

static void add_range(struct wall_class_range *ranges, uint32_t *count, uint32_t first, uint32_t end)
{
    if (first >= end)
        return;
    if (*count && ranges[*count - 1].last + 1 == first)
        ranges[*count - 1].last = end - 1;
    else
        ranges[(*count)++] = (struct wall_class_range){ first, end - 1 };
}

// `marks`: of the set's intervals.
static int find_ranges(struct wall_partition *partition, struct wall_value_set *set, const uint32_t *marks,
                       struct wall_class_range *scratch)
{
    uint32_t count = 0;
    if (set->empty)
        add_range(scratch, &count, 0, 1);
    for (uint32_t i = 0; i < set->interval_count; i++)
        add_range(scratch, &count, marks[2 * i], marks[2 * i + 1]);
    set->range_count = count;
    set->class_count = 0;
    for (uint32_t i = 0; i < count; i++)
        set->class_count += scratch[i].last - scratch[i].first + 1;
    set->ranges = wall_arena_copy(partition->arena, scratch, count * sizeof(*scratch));
    return count && !set->ranges ? -ENOMEM : 0;
}

static int find_all_ranges(struct wall_partition *partition, uint32_t *marks, size_t mark_count, size_t most)
{
    struct wall_class_range *ranges = calloc(most + 1, sizeof(*ranges));
    const uint32_t all[2] = { 1, partition->class_count };
    int r = ranges ? find_ranges(partition, set_at(partition, WALL_SET_ALL), all, ranges) : -ENOMEM;
    // An interval that goes on to the greatest value has no second end.
    for (size_t i = 0; i < mark_count; i++)
        marks[i] = marks[i] ? marks[i] : partition->class_count;
    for (uint32_t s = WALL_SET_ALL + 1; r == 0 && s < partition->sets.count; s++) {
        struct wall_value_set *set = set_at(partition, s);
        r = find_ranges(partition, set, marks, ranges);
        marks += 2 * (size_t)set->interval_count;
    }
    free(ranges);
    return r;
}

int wall_partition_build(struct wall_partition *partition)
{
    size_t interval_count = 0, most = 1;
    for (uint32_t s = WALL_SET_ALL + 1; s < partition->sets.count; s++) {
        size_t here = set_at(partition, s)->interval_count;
        interval_count += here;
        most = here > most ? here : most;
    }
    struct end *ends = malloc((4 * interval_count + 1) * sizeof(*ends));
    uint32_t *marks = calloc(2 * interval_count + 1, sizeof(*marks));
    int r = ends && marks ? 0 : -ENOMEM;
    if (r == 0) {
        size_t count = list_ends(partition, ends);
        r = walk_ends(partition, sort_ends(ends, ends + 2 * interval_count, count), count, marks);
    }
    r = r < 0 ? r : find_all_ranges(partition, marks, 2 * interval_count, most);
    free(ends);
    free(marks);
    return r;
}
