#include "compile/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/signature.h"

static const struct wall_value_set *set_of(const struct wall_entries *entries, const struct wall_entry *entry,
                                           uint32_t dimension)
{
    return wall_partition_set(&entries->partitions[dimension], entry->sets[dimension]);
}

uint32_t wall_entry_boxes(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t pivot)
{
    uint32_t count = 1;
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

// --- Boxes ---

struct lane {
    uint32_t word, shift;
    uint64_t mask;
};

static struct lane lane_of(uint32_t dimension)
{
    if (dimension < WALL_DIMENSION_WIDE_COUNT)
        return (struct lane){ dimension / 2, dimension % 2 * 32, 0x7fffffff };
    dimension -= WALL_DIMENSION_WIDE_COUNT;
    return (struct lane){ 2 + dimension / 4, dimension % 4 * 16, WALL_CLASS_NARROW_MAX };
}

static void set_lane(struct wall_table_box *box, uint32_t dimension, struct wall_class_range range)
{
    struct lane lane = lane_of(dimension);
    box->low[lane.word] &= ~(lane.mask << lane.shift);
    box->low[lane.word] |= (uint64_t)range.first << lane.shift;
    box->high[lane.word] &= ~(lane.mask << lane.shift);
    box->high[lane.word] |= (uint64_t)range.last << lane.shift;
}

// All boxes of one entry: every combination of one range of each dimension.
static uint32_t list_boxes(const struct wall_entries *entries, const struct wall_entry *entry, uint32_t pivot,
                           struct wall_table_box *boxes)
{
    uint32_t count = 1;
    memset(&boxes[0].low, 0, sizeof(boxes[0].low));
    memset(&boxes[0].high, 0xff, sizeof(boxes[0].high));
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

// For each sublayer the first position of an entry in it or in a later one.
static void list_starts(const struct wall_entries *entries, const uint32_t *filters, uint32_t count, uint16_t *starts)
{
    uint32_t position = 0;
    for (uint32_t s = 0; s < entries->sublayer_count; s++) {
        while (position < count && entries->items[filters[position]].sublayer < s)
            position++;
        starts[s] = (uint16_t)position;
    }
}

static uint32_t write_boxes(const struct wall_entries *entries, const struct wall_group *group,
                            struct wall_image *image)
{
    struct wall_table_box boxes[WALL_BOXES_MAX];
    uint32_t filters[WALL_BOXES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct wall_entry *entry = &entries->items[group->indexes[i]];
        uint32_t end = count + list_boxes(entries, entry, group->pivot, &boxes[count]);
        while (count < end)
            filters[count++] = group->indexes[i];
    }
    uint16_t starts[WALL_SUBLAYERS_MAX];
    list_starts(entries, filters, count, starts);

    struct wall_table_boxes head = { .kind = WALL_GROUP_BOXES, .count = (uint8_t)count };
    head.filters = sizeof(head);
    head.starts = (uint16_t)(head.filters + 4 * count);
    uint32_t end = head.starts + 2u * entries->sublayer_count;
    head.boxes = (uint16_t)((end + WALL_UNIT_BYTES - 1) & ~(WALL_UNIT_BYTES - 1));
    uint32_t rounded = (count + 3) / 4 * 4;
    uint32_t offset = wall_image_take(image, head.boxes + rounded * sizeof(boxes[0]), WALL_UNIT_BYTES);
    uint8_t *at = wall_image_at(image, offset);
    memcpy(at, &head, sizeof(head));
    memcpy(at + head.filters, filters, 4 * count);
    memcpy(at + head.starts, starts, 2u * entries->sublayer_count);
    memcpy(at + head.boxes, boxes, count * sizeof(boxes[0]));
    return offset >> WALL_UNIT_SHIFT;
}

// --- Bit vectors ---

// From this class on a position is in, or no longer in, the row.
struct toggle {
    uint32_t class_, position, in;
};

struct rows {
    struct wall_image *image;
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

// Writes the rows of one dimension. Returns the byte offset of the array that leads from classes to rows.
static int write_rows(struct rows *rows, const struct toggle *toggles, size_t count, uint32_t class_count,
                      uint32_t *ret_offset)
{
    uint32_t array = wall_image_take(rows->image, (size_t)class_count * 4, 4);
    struct wall_signature signature = { 0, 0 };
    uint32_t row = 0;
    size_t next = 0;
    memset(rows->row, 0, (rows->summaries + rows->words) * sizeof(uint64_t));
    for (uint32_t class_ = 0; class_ < class_count; class_++) {
        bool changed = class_ == 0;
        for (; next < count && toggles[next].class_ == class_; next++, changed = true) {
            flip(rows, toggles[next].position);
            toggles[next].in ? wall_signature_add(&signature, toggles[next].position)
                             : wall_signature_remove(&signature, toggles[next].position);
        }
        if (changed) {
            uint32_t known = rows->numbers.next;
            int r = wall_signature_table_find(&rows->numbers, signature, &row);
            if (r < 0)
                return r;
            if (row == known)
                rows->offsets[row] = write_row(rows);
        }
        wall_image_put32(rows->image, array + 4 * class_, rows->offsets[row]);
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

static void leave_to_user_space(struct wall_entries *entries, const struct wall_group *group, uint32_t dimension)
{
    for (uint32_t p = 0; p < group->count; p++) {
        struct wall_entry *entry = &entries->items[group->indexes[p]];
        if (entry->sets[dimension] != WALL_SET_ALL)
            entry->needs |= WALL_NEEDS_USER_SPACE;
        entry->sets[dimension] = WALL_SET_ALL;
    }
}

// Everything of a vector group but its rows.
static void write_filters(const struct wall_entries *entries, const struct wall_group *group, struct wall_image *image,
                          struct wall_table_vectors *head)
{
    head->filters = wall_image_take(image, (size_t)group->count * 4, 4);
    for (uint32_t p = 0; p < group->count; p++)
        wall_image_put32(image, head->filters + 4 * p, group->indexes[p]);
    uint16_t starts[WALL_SUBLAYERS_MAX];
    list_starts(entries, group->indexes, group->count, starts);
    head->starts = wall_image_take(image, 2u * entries->sublayer_count, 2);
    memcpy(wall_image_at(image, head->starts), starts, 2u * entries->sublayer_count);
}

// The row of a dimension that is a missing fact: any filter may match.
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

// The evaluator fetches 4 or 8 rows: the first one stands in for what is missing, and if there is none, that of a
// fact which is never known.
static void fill_rows(struct wall_table_vectors *head, uint32_t count)
{
    if (count == 0)
        head->dimension[count++] = 31;
    head->row_count = count <= 4 ? 4 : WALL_ROWS_MAX;
    for (; count < head->row_count; count++) {
        head->dimension[count] = head->dimension[0];
        head->lane[count] = head->lane[0];
        head->bits[count] = head->bits[0];
        head->last[count] = head->last[0];
        head->rows[count] = head->rows[0];
    }
}

static int write_vectors(struct wall_entries *entries, const struct wall_group *group, struct wall_image *image,
                         uint32_t next, uint32_t *ret_unit)
{
    uint8_t dimensions[WALL_DIMENSION_COUNT_];
    uint32_t count = used_dimensions(entries, group, dimensions);
    while (count > WALL_ROWS_MAX)
        leave_to_user_space(entries, group, dimensions[--count]);

    struct rows rows = { .image = image, .words = (group->count + 63) / 64 };
    rows.summaries = (rows.words + 63) / 64;
    wall_signature_table_init(&rows.numbers, 0);
    struct wall_table_vectors head = {
        .kind = WALL_GROUP_VECTORS,
        .summaries = rows.summaries,
        .next = next,
    };
    rows.row = malloc((rows.summaries + rows.words) * sizeof(uint64_t));
    int r = rows.row ? write_ones(group, &rows, &head.ones) : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        struct lane lane = lane_of(dimensions[i]);
        head.dimension[i] = dimensions[i];
        head.lane[i] = (uint8_t)(lane.word << 6 | lane.shift);
        head.bits[i] = dimensions[i] < WALL_DIMENSION_WIDE_COUNT ? 31 : 15;
        head.last[i] = entries->partitions[dimensions[i]].class_count - 1;
        r = write_dimension(entries, group, &rows, dimensions[i], &head.rows[i]);
    }
    fill_rows(&head, count);
    write_filters(entries, group, image, &head);
    uint32_t offset = wall_image_take(image, sizeof(head), 2 * WALL_UNIT_BYTES);
    memcpy(wall_image_at(image, offset), &head, sizeof(head));
    *ret_unit = offset >> WALL_UNIT_SHIFT;

    free(rows.row);
    free(rows.offsets);
    wall_signature_table_done(&rows.numbers);
    return r;
}

int wall_group_write(struct wall_entries *entries, const struct wall_group *group, struct wall_image *image,
                     uint32_t *ret_unit)
{
    if (group->count == 0 || box_count(entries, group) <= WALL_BOXES_MAX) {
        *ret_unit = group->count ? write_boxes(entries, group, image) : 0;
        return 0;
    }
    // The last part first: each part names the one that goes on behind it.
    const uint32_t most = 64 * WALL_WORDS_MAX;
    uint32_t begin = (group->count - 1) / most * most, unit = 0;
    for (uint32_t end = group->count;; end = begin, begin -= most) {
        struct wall_group part = { group->indexes + begin, end - begin, group->pivot };
        int r = write_vectors(entries, &part, image, unit, &unit);
        if (r < 0)
            return r;
        if (begin == 0)
            break;
    }
    *ret_unit = unit;
    return 0;
}

uint64_t wall_group_estimate(const struct wall_entries *entries, const struct wall_group *group)
{
    uint32_t boxes = box_count(entries, group);
    if (boxes <= WALL_BOXES_MAX)
        return group->count ? 64 + 68 * (uint64_t)boxes : 0;
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
