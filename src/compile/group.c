#include "compile/group.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "compile/signature.h"

static const struct wall_value_set *set_of(const struct wall_entries *entries, const struct wall_entry *entry,
                                           uint32_t dimension)
{
    return wall_partition_set(&entries->partitions[dimension], entry->sets[dimension]);
}

void wall_entry_count_boxes(const struct wall_entries *entries, struct wall_entry *entry)
{
    uint64_t count = 1;  // below 2^8 before it is multiplied
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_ && count <= UINT8_MAX; d++)
        if (entry->sets[d] != WALL_SET_ALL)
            count *= set_of(entries, entry, d)->range_count;
    entry->boxes = count > UINT8_MAX ? 0 : (uint8_t)count;
}

uint32_t wall_entry_boxes(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t pivot)
{
    uint32_t count = 1;
    if (entry->boxes) {
        bool is_divided = pivot < WALL_DIMENSION_COUNT_ && entry->sets[pivot] != WALL_SET_ALL && entry->boxes > 1;
        count = is_divided ? entry->boxes / set_of(entries, entry, pivot)->range_count : entry->boxes;
        return count > WALL_BOXES_MAX ? WALL_BOXES_MAX + 1 : count;
    }
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        if (d == pivot || entry->sets[d] == WALL_SET_ALL)
            continue;
        uint32_t ranges = set_of(entries, entry, d)->range_count;
        count = ranges > WALL_BOXES_MAX ? WALL_BOXES_MAX + 1 : count * ranges;
        if (count > WALL_BOXES_MAX)
            return WALL_BOXES_MAX + 1;
    }
    return count;
}

static uint32_t box_count(const struct wall_entries *entries, const struct wall_group *group)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < group->count && count <= WALL_BOXES_MAX; i++)
        count += wall_entry_boxes(entries, &entries->items[group->indexes[i]], group->pivot);
    return count;
}

// Which dimensions the entries ask for, the most used first.
static uint32_t used_dimensions(const struct wall_entries *entries, const struct wall_group *group,
                                uint8_t dimensions[WALL_DIMENSION_COUNT_])
{
    uint32_t uses[WALL_DIMENSION_COUNT_] = { 0 };
    for (uint32_t p = 0; p < group->count; p++)
        for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
            uses[d] += d != group->pivot && entries->items[group->indexes[p]].sets[d] != WALL_SET_ALL;
    uint32_t count = 0;
    for (;;) {
        uint32_t most = 0;
        for (uint32_t d = 1; d < WALL_DIMENSION_COUNT_; d++)
            most = uses[d] > uses[most] ? d : most;
        if (!uses[most])
            return count;
        dimensions[count++] = (uint8_t)most;
        uses[most] = 0;
    }
}

// For each sublayer the first position of an entry in it or in a later one.
static void list_starts(const struct wall_entries *entries, const uint32_t *filters, uint32_t count, uint32_t *starts)
{
    uint32_t position = 0;
    for (uint32_t s = 0; s < entries->sublayer_count; s++) {
        while (position < count && entries->items[filters[position]].sublayer < s)
            position++;
        starts[s] = position;
    }
}

// Writes the group's head, as far as its kind uses it, and behind it, in the same page, the filters, the starts and
// room for `data_bytes` aligned to 64. Returns the head's byte offset.
static uint32_t write_head(const struct wall_entries *entries, const uint32_t *filters, struct wall_table_group *head,
                           size_t data_bytes, struct wall_image *image)
{
    uint32_t starts[WALL_SUBLAYERS_MAX];
    bool has_rows = head->kind != WALL_GROUP_BOXES;
    size_t filters_at = has_rows ? sizeof(*head) : offsetof(struct wall_table_group, dimension);
    size_t starts_at = filters_at + 4 * (size_t)head->count;
    size_t data_at = (starts_at + 4u * entries->sublayer_count + 63) / 64 * 64;
    list_starts(entries, filters, head->count, starts);
    uint32_t offset = wall_image_take(image, data_at + data_bytes, 2 * WALL_UNIT_BYTES);
    head->filters = offset + (uint32_t)filters_at;
    head->starts = offset + (uint32_t)starts_at;
    if (data_bytes)
        head->data = offset + (uint32_t)data_at;
    uint8_t *at = wall_image_at(image, offset);
    memcpy(at, head, filters_at);
    memcpy(at + filters_at, filters, 4 * (size_t)head->count);
    memcpy(at + starts_at, starts, 4u * entries->sublayer_count);
    return offset;
}

// --- Boxes ---

// A box of all four key words; of two, the others do not count.
struct box {
    uint64_t low[WALL_KEY_WORDS];
    uint64_t high[WALL_KEY_WORDS];
};

static void set_lane(struct box *box, uint32_t dimension, struct wall_class_range range)
{
    uint32_t word = dimension / WALL_LANES, shift = dimension % WALL_LANES * WALL_LANE_BITS;
    uint64_t mask = (uint64_t)WALL_CLASS_MAX << shift;
    box->low[word] = (box->low[word] & ~mask) | (uint64_t)range.first << shift;
    box->high[word] = (box->high[word] & ~mask) | (uint64_t)range.last << shift;
}

// All boxes of one entry: every combination of one range of each dimension.
static uint32_t list_boxes(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t pivot,
                           struct box *boxes)
{
    uint32_t count = 1;
    memset(boxes[0].low, 0, sizeof(boxes[0].low));
    memset(boxes[0].high, 0xff, sizeof(boxes[0].high));
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        if (d == pivot || entry->sets[d] == WALL_SET_ALL)
            continue;
        const struct wall_value_set *set = set_of(entries, entry, d);
        for (uint32_t r = set->range_count; r-- > 0;) {
            for (uint32_t i = 0; i < count; i++) {
                boxes[r * count + i] = boxes[i];
                set_lane(&boxes[r * count + i], d, set->ranges[r]);
            }
        }
        count *= set->range_count;
    }
    return count;
}

static uint32_t write_boxes(const struct wall_entries *entries, const struct wall_group *group, bool is_wide,
                            struct wall_image *image)
{
    struct box boxes[WALL_BOXES_MAX];
    uint32_t filters[WALL_BOXES_MAX];
    struct wall_table_group head = { .kind = WALL_GROUP_BOXES, .key_words = is_wide ? WALL_KEY_WORDS : 2 };
    for (uint32_t i = 0; i < group->count; i++) {
        const struct wall_entry *entry = &entries->items[group->indexes[i]];
        uint32_t end = head.count + list_boxes(entries, entry, group->pivot, &boxes[head.count]);
        while (head.count < end)
            filters[head.count++] = group->indexes[i];
    }
    size_t half = head.key_words * sizeof(uint64_t);
    uint32_t offset = write_head(entries, filters, &head, head.count * 2 * half, image);
    // The data lie in the head's page, so that both are found from the head.
    uint8_t *at = (uint8_t *)wall_image_at(image, offset) + (head.data - offset);
    for (uint32_t i = 0; i < head.count; i++) {
        memcpy(at + 2 * i * half, boxes[i].low, half);
        memcpy(at + (2 * i + 1) * half, boxes[i].high, half);
    }
    return offset >> WALL_UNIT_SHIFT;
}

// --- Bits and bit vectors ---

// From this class on a position is in, or no longer in, the row.
struct toggle {
    uint32_t class_, position, in;
};

struct rows {
    struct wall_image *image;
    enum wall_group_kind kind;
    uint64_t *row;  // the row under work: summary words, then data words
    uint32_t words, summaries;
    uint32_t room, room_end;  // where the next new row goes
    uint32_t expected;        // rows still to come, at most
    uint32_t *offsets;        // of the rows written so far, in units of 8 bytes, by their number
    struct wall_signature_table numbers;
};

static uint32_t write_row(struct rows *rows)
{
    memset(rows->row, 0, rows->summaries * sizeof(uint64_t));
    for (uint32_t i = 0; i < rows->words; i++)
        if (rows->row[rows->summaries + i])
            rows->row[i / 64] |= (uint64_t)1 << i % 64;
    uint32_t size = (rows->summaries + rows->words) * 8;
    if (rows->room + size > rows->room_end) {
        uint32_t fitting = WALL_PAGE_BYTES / size;
        uint32_t count = fitting < rows->expected ? fitting : rows->expected ? rows->expected : 1;
        rows->room = wall_image_take(rows->image, (size_t)count * size, 8);
        rows->room_end = rows->room + count * size;
    }
    memcpy(wall_image_at(rows->image, rows->room), rows->row, size);
    uint32_t offset = rows->room / 8;
    rows->room += size;
    rows->expected -= rows->expected > 0;
    return offset;
}

static int compare_toggles(const void *a, const void *b)
{
    const struct toggle *x = a, *y = b;
    if (x->class_ != y->class_)
        return x->class_ < y->class_ ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

// Few toggles are sorted by comparing; many by counting, as there are about as many classes.
static int sort_toggles(struct toggle *toggles, size_t count, uint32_t class_count)
{
    if (count < 256) {
        qsort(toggles, count, sizeof(*toggles), compare_toggles);
        return 0;
    }
    struct toggle *copy = malloc(count * sizeof(*copy));
    uint32_t *position = calloc((size_t)class_count + 1, sizeof(*position));
    int r = copy && position ? 0 : -ENOMEM;
    if (r == 0) {
        memcpy(copy, toggles, count * sizeof(*copy));
        for (size_t i = 0; i < count; i++)
            position[copy[i].class_ + 1]++;
        for (uint32_t i = 0; i < class_count; i++)
            position[i + 1] += position[i];
        for (size_t i = 0; i < count; i++)
            toggles[position[copy[i].class_]++] = copy[i];
    }
    free(copy);
    free(position);
    return r;
}

static void flip(struct rows *rows, uint32_t position)
{
    rows->row[rows->summaries + position / 64] ^= (uint64_t)1 << position % 64;
}

static size_t list_toggles(const struct wall_entries *entries, const struct wall_group *group, uint32_t dimension,
                           struct toggle *toggles)
{
    uint32_t class_count = entries->partitions[dimension].class_count;
    size_t count = 0;
    for (uint32_t p = 0; p < group->count; p++) {
        const struct wall_value_set *set = set_of(entries, &entries->items[group->indexes[p]], dimension);
        for (uint32_t i = 0; i < set->range_count; i++) {
            toggles[count++] = (struct toggle){ set->ranges[i].first, p, 1 };
            if (set->ranges[i].last + 1 < class_count)
                toggles[count++] = (struct toggle){ set->ranges[i].last + 1, p, 0 };
        }
    }
    return count;
}

// The row of one class: bits are a word in the array itself, vectors a reference in it to a row which classes share.
static int write_class(struct rows *rows, uint32_t array, uint32_t class_, bool changed,
                       struct wall_signature signature, uint32_t *row)
{
    if (rows->kind == WALL_GROUP_BITS) {
        wall_image_put32(rows->image, array + 8 * class_, (uint32_t)rows->row[0]);
        wall_image_put32(rows->image, array + 8 * class_ + 4, (uint32_t)(rows->row[0] >> 32));
        return 0;
    }
    if (changed) {
        uint32_t known = rows->numbers.next;
        int r = wall_signature_table_find(&rows->numbers, signature, row);
        if (r < 0)
            return r;
        if (*row == known)
            rows->offsets[*row] = write_row(rows);
    }
    wall_image_put32(rows->image, array + 4 * class_, rows->offsets[*row]);
    return 0;
}

// Writes the rows of one dimension. Returns the byte offset of the array that leads from classes to rows.
static int write_rows(struct rows *rows, const struct toggle *toggles, size_t count, uint32_t class_count,
                      uint32_t *ret_offset)
{
    size_t item = rows->kind == WALL_GROUP_BITS ? 8 : 4;
    uint32_t array = wall_image_take(rows->image, class_count * item, item);
    struct wall_signature signature = { 0, 0 };
    uint32_t row = 0;
    size_t next = 0;
    memset(rows->row, 0, (rows->summaries + rows->words) * sizeof(uint64_t));
    for (uint32_t class_ = 0; class_ < class_count; class_++) {
        bool changed = class_ == 0;
        for (; next < count && toggles[next].class_ == class_; next++, changed = true) {
            flip(rows, toggles[next].position);
            if (toggles[next].in)
                wall_signature_add(&signature, toggles[next].position);
            else
                wall_signature_remove(&signature, toggles[next].position);
        }
        int r = write_class(rows, array, class_, changed, signature, &row);
        if (r < 0)
            return r;
    }
    *ret_offset = array;
    return 0;
}

static size_t toggle_count(const struct wall_entries *entries, const struct wall_group *group, uint32_t dimension)
{
    size_t count = 0;
    for (uint32_t p = 0; p < group->count; p++)
        count += 2 * (size_t)set_of(entries, &entries->items[group->indexes[p]], dimension)->range_count;
    return count;
}

static int write_dimension(const struct wall_entries *entries, const struct wall_group *group, struct rows *rows,
                           uint32_t dimension, uint32_t *ret_offset)
{
    uint32_t class_count = entries->partitions[dimension].class_count;
    size_t count = toggle_count(entries, group, dimension);
    struct toggle *toggles = malloc(count * sizeof(*toggles));
    uint32_t *offsets = realloc(rows->offsets, (rows->numbers.next + count + 1) * sizeof(*offsets));
    rows->offsets = offsets ? offsets : rows->offsets;
    int r = toggles && offsets ? 0 : -ENOMEM;
    if (r == 0) {
        rows->expected = (uint32_t)(count + 1);
        count = list_toggles(entries, group, dimension, toggles);
        r = sort_toggles(toggles, count, class_count);
    }
    if (r == 0)
        r = write_rows(rows, toggles, count, class_count, ret_offset);
    free(toggles);
    return r;
}

static void leave_to_user_space(struct wall_entries *entries, const struct wall_group *group, uint32_t dimension)
{
    for (uint32_t p = 0; p < group->count; p++) {
        struct wall_entry *entry = &entries->items[group->indexes[p]];
        if (entry->sets[dimension] != WALL_SET_ALL)
            entry->needs |= WALL_NEEDS_USER_SPACE;
        entry->sets[dimension] = WALL_SET_ALL;
    }
}

// The row of a dimension that nobody asks for, or that is a missing fact: any filter may match.
static int write_ones(const struct wall_group *group, struct rows *rows, uint32_t *ret_row)
{
    memset(rows->row, 0, (rows->summaries + rows->words) * sizeof(uint64_t));
    struct wall_signature signature = { 0, 0 };
    for (uint32_t p = 0; p < group->count; p++) {
        flip(rows, p);
        wall_signature_add(&signature, p);
    }
    rows->expected = 1;
    rows->offsets = malloc(sizeof(*rows->offsets));
    if (!rows->offsets)
        return -ENOMEM;
    uint32_t number;
    int r = wall_signature_table_find(&rows->numbers, signature, &number);
    if (r == 0)
        *ret_row = rows->offsets[number] = write_row(rows);
    return r;
}

// The evaluator fetches 4 or 8 rows of vectors: the first one stands in for what is missing, and if there is none, that
// of a dimension which is never known.
static void fill_rows(struct wall_table_group *head)
{
    uint32_t count = head->row_count;
    if (count == 0)
        head->dimension[count++] = 31;
    head->row_count = count <= 4 ? 4 : WALL_ROWS_MAX;
    for (; count < head->row_count; count++) {
        head->dimension[count] = head->dimension[0];
        head->last[count] = head->last[0];
        head->rows[count] = head->rows[0];
    }
}

static int write_bits_or_vectors(const struct wall_entries *entries, const struct wall_group *group,
                                 enum wall_group_kind kind, const uint8_t *dimensions, uint32_t dimension_count,
                                 struct wall_image *image, uint32_t *ret_unit)
{
    struct rows rows = { .image = image, .kind = kind, .words = (group->count + 63) / 64 };
    rows.summaries = kind == WALL_GROUP_BITS ? 0 : (rows.words + 63) / 64;
    struct wall_table_group head = {
        .kind = (uint8_t)kind,
        .row_count = (uint16_t)dimension_count,
        .count = group->count,
        .summaries = rows.summaries,
    };
    wall_signature_table_init(&rows.numbers, 0);
    rows.row = malloc((rows.summaries + rows.words) * sizeof(uint64_t));
    int r = rows.row ? 0 : -ENOMEM;
    if (r == 0 && kind == WALL_GROUP_VECTORS)
        r = write_ones(group, &rows, &head.data);
    for (uint32_t i = 0; r == 0 && i < dimension_count; i++) {
        head.dimension[i] = dimensions[i];
        head.last[i] = entries->partitions[dimensions[i]].class_count - 1;
        r = write_dimension(entries, group, &rows, dimensions[i], &head.rows[i]);
    }
    if (kind == WALL_GROUP_VECTORS)
        fill_rows(&head);
    if (r == 0)
        *ret_unit = write_head(entries, group->indexes, &head, 0, image) >> WALL_UNIT_SHIFT;

    free(rows.row);
    free(rows.offsets);
    wall_signature_table_done(&rows.numbers);
    return r;
}

// --- Which of them ---

// Bytes of the words of a group of bits.
static uint64_t bits_size(const struct wall_entries *entries, const uint8_t *dimensions, uint32_t count)
{
    uint64_t classes = 0;
    for (uint32_t i = 0; i < count; i++)
        classes += entries->partitions[dimensions[i]].class_count;
    return 8 * classes;
}

// What a group of bits may cost for each of its entries: four times a box.
#define BITS_BYTES_MAX 256
// Up to here boxes are as fast as bits.
#define BOXES_FAST 8

static enum wall_group_kind kind_of(const struct wall_entries *entries, const struct wall_group *group, uint32_t boxes,
                                    const uint8_t *dimensions, uint32_t count)
{
    if (boxes <= BOXES_FAST)
        return WALL_GROUP_BOXES;
    if (group->count <= 64 && count <= WALL_ROWS_MAX &&
        bits_size(entries, dimensions, count) <= (uint64_t)BITS_BYTES_MAX * group->count)
        return WALL_GROUP_BITS;
    return boxes <= WALL_BOXES_MAX ? WALL_GROUP_BOXES : WALL_GROUP_VECTORS;
}

int wall_group_write(struct wall_entries *entries, const struct wall_group *group, struct wall_image *image,
                     uint32_t *ret_unit)
{
    *ret_unit = 0;
    if (group->count == 0)
        return 0;
    if (group->count > 64 * WALL_WORDS_MAX)
        return -E2BIG;
    uint8_t dimensions[WALL_DIMENSION_COUNT_];
    uint32_t count = used_dimensions(entries, group, dimensions);
    enum wall_group_kind kind = kind_of(entries, group, box_count(entries, group), dimensions, count);
    if (kind == WALL_GROUP_BOXES) {
        bool is_wide = false;
        for (uint32_t i = 0; i < count; i++)
            is_wide |= dimensions[i] >= 2 * WALL_LANES;
        *ret_unit = write_boxes(entries, group, is_wide, image);
        return 0;
    }
    while (count > WALL_ROWS_MAX)
        leave_to_user_space(entries, group, dimensions[--count]);
    return write_bits_or_vectors(entries, group, kind, dimensions, count, image, ret_unit);
}

uint64_t wall_group_estimate(const struct wall_entries *entries, const struct wall_group *group)
{
    if (group->count == 0)
        return 0;
    uint32_t boxes = box_count(entries, group);
    if (boxes <= WALL_BOXES_MAX)
        return 64 + 36 * (uint64_t)boxes;
    uint64_t row = ((uint64_t)group->count + 63) / 64 * 8, size = 256 + 4 * (uint64_t)group->count;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        if (d == group->pivot)
            continue;
        uint64_t rows = 0, classes = entries->partitions[d].class_count;
        for (uint32_t p = 0; p < group->count; p++)
            if (entries->items[group->indexes[p]].sets[d] != WALL_SET_ALL)
                rows += 2 * (uint64_t)set_of(entries, &entries->items[group->indexes[p]], d)->range_count;
        rows = rows < classes ? rows : classes;
        size += rows ? rows * row + 4 * classes : 0;
    }
    return size;
}
