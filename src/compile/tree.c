#include "compile/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_REFS (WALL_LINE_KEYS + 1)
// From here on an array over the next bits is tried first: below, two lines are as fast and a fraction of its size.
#define ARRAY_ITEMS_MIN 256
#define ARRAY_BITS_MAX 16

// From `start` on, a word of a value leads to `ref`. The first item of a node's list starts where its values do, or
// before.
struct item {
    uint32_t start, ref;
};

struct writer {
    struct wall_image *image;
    const struct wall_class_begin *begins;
    unsigned words;  // 32-bit words of a value
};

static uint32_t node_ref(uint32_t kind, uint32_t offset)
{
    return kind | offset >> WALL_UNIT_SHIFT;
}

static uint32_t write_line(struct writer *writer, const struct item *items, size_t count)
{
    if (count == 1)
        return items[0].ref;
    uint32_t offset = wall_image_take(writer->image, sizeof(struct wall_table_line), WALL_UNIT_BYTES);
    struct wall_table_line *line = wall_image_at(writer->image, offset);
    line->refs[0] = items[0].ref;
    for (size_t i = 1; i < LINE_REFS; i++) {
        line->keys[i - 1] = i < count ? items[i].start : UINT32_MAX;
        line->refs[i] = items[i < count ? i : count - 1].ref;
    }
    return node_ref(WALL_NODE_LINE, offset);
}

// A line of lines, each as full as the others.
static uint32_t write_two_lines(struct writer *writer, const struct item *items, size_t count)
{
    struct item parts[LINE_REFS];
    size_t part_count = (count + LINE_REFS - 1) / LINE_REFS, done = 0;
    for (size_t i = 0; i < part_count; i++) {
        size_t end = count * (i + 1) / part_count;
        parts[i] = (struct item){ items[done].start, write_line(writer, items + done, end - done) };
        done = end;
    }
    return write_line(writer, parts, part_count);
}

static uint32_t write_node(struct writer *writer, const struct item *items, size_t count, uint32_t base, unsigned bits);

// The items of the values from `base` on, `bits` bits wide, starting at or behind `*from`, which moves on.
static uint32_t write_part(struct writer *writer, const struct item *items, size_t count, size_t *from, uint32_t base,
                           unsigned bits)
{
    uint32_t last = base + (uint32_t)(((uint64_t)1 << bits) - 1);
    while (*from + 1 < count && items[*from + 1].start <= base)
        (*from)++;
    size_t end = *from + 1;
    while (end < count && items[end].start <= last)
        end++;
    return write_node(writer, items + *from, end - *from, base, bits);
}

static uint32_t write_radix(struct writer *writer, const struct item *items, size_t count, uint32_t base, unsigned bits)
{
    unsigned shift = bits > 8 ? bits - 8 : 0;
    uint32_t offset = wall_image_take(writer->image, 256 * sizeof(uint32_t), WALL_UNIT_BYTES);
    uint32_t used = (uint32_t)1 << (bits - shift);
    // The index has 8 bits of the value even when fewer are left: the array then repeats itself.
    size_t from = 0;
    for (uint32_t i = 0; i < used; i++) {
        uint32_t ref = write_part(writer, items, count, &from, base + (i << shift), shift);
        for (uint32_t j = i; j < 256; j += used)
            wall_image_put32(writer->image, offset + 4 * j, ref);
    }
    return node_ref(WALL_NODE_RADIX, offset) | shift << WALL_NODE_SHIFT_AT;
}

// The node of the values from `base` on that differ in their last `bits` bits.
static uint32_t write_node(struct writer *writer, const struct item *items, size_t count, uint32_t base, unsigned bits)
{
    if (count <= LINE_REFS)
        return write_line(writer, items, count);
    if (count <= LINE_REFS * LINE_REFS)
        return write_two_lines(writer, items, count);
    return write_radix(writer, items, count, base, bits);
}

// --- From wide values to items of one word ---

static uint32_t word_of(const struct writer *writer, struct wall_wide value, unsigned word)
{
    unsigned shift = 32 * (writer->words - 1 - word);
    return (uint32_t)(shift >= 64 ? value.high >> (shift - 64) : value.low >> shift);
}

static bool words_behind_are_zero(const struct writer *writer, struct wall_wide value, unsigned word)
{
    for (unsigned i = word + 1; i < writer->words; i++)
        if (word_of(writer, value, i))
            return false;
    return true;
}

static int add_item(struct wall_vector *items, uint32_t start, uint32_t ref)
{
    if (items->count) {
        struct item *last = wall_vector_at(items, items->count - 1);
        if (last->ref == ref)
            return 0;
        if (last->start == start) {
            last->ref = ref;
            return 0;
        }
    }
    return wall_vector_add(items, &(struct item){ start, ref });
}

static int list_items(struct writer *writer, struct wall_vector *items, size_t from, size_t end, unsigned word);

// The values of which `word` is the same: begins [from, end).
static int write_next_word(struct writer *writer, size_t from, size_t end, unsigned word, uint32_t *ret_ref)
{
    struct wall_vector items;
    wall_vector_init(&items, sizeof(struct item), 0);
    int r = list_items(writer, &items, from, end, word + 1);
    if (r == 0)
        *ret_ref = write_node(writer, items.items, items.count, 0, 32) | WALL_NODE_NEXT_WORD;
    wall_vector_done(&items);
    return r;
}

// What the values do at `word`, whose words before are the same: begins [from, end), and what came before them.
static int list_items(struct writer *writer, struct wall_vector *items, size_t from, size_t end, unsigned word)
{
    const struct wall_class_begin *begins = writer->begins;
    int r = add_item(items, 0, begins[from > 0 ? from - 1 : 0].class_);
    while (r == 0 && from < end) {
        uint32_t value = word_of(writer, begins[from].value, word);
        size_t same = from + 1;
        while (same < end && word_of(writer, begins[same].value, word) == value)
            same++;
        uint32_t ref = begins[from].class_;
        if (same > from + 1 || !words_behind_are_zero(writer, begins[from].value, word))
            r = write_next_word(writer, from, same, word, &ref);
        if (r == 0)
            r = add_item(items, value, ref);
        if (r == 0 && ref & WALL_NODE_NEXT_WORD && value < UINT32_MAX)
            r = add_item(items, value + 1, begins[same - 1].class_);
        from = same;
    }
    return r;
}

// --- The first step ---

static unsigned bits_for(size_t count)
{
    unsigned bits = 0;
    while (((size_t)1 << bits) < count)
        bits++;
    return bits;
}

static void write_array(struct writer *writer, const struct item *items, size_t count, unsigned shift, uint32_t last,
                        struct wall_table_dimension *dimension)
{
    dimension->shift = shift;
    dimension->last = last;
    dimension->array = wall_image_take(writer->image, ((size_t)last + 1) * sizeof(uint32_t), WALL_UNIT_BYTES);
    size_t from = 0;
    for (uint32_t i = 0; i <= last; i++) {
        uint32_t ref = write_part(writer, items, count, &from, i << shift, shift);
        wall_image_put32(writer->image, dimension->array + 4 * i, ref);
    }
}

static void write_first(struct writer *writer, const struct item *items, size_t count, unsigned bits,
                        struct wall_table_dimension *dimension)
{
    uint32_t greatest = items[count - 1].start;
    if (count > LINE_REFS && greatest <= 4 * count) {
        // Small numbers, given out in sequence: the value itself is the index, and all greater ones are alike.
        write_array(writer, items, count, 0, greatest, dimension);
        return;
    }
    if (count < ARRAY_ITEMS_MIN) {
        dimension->root = write_node(writer, items, count, 0, bits);
        return;
    }
    unsigned index_bits = bits_for(count) + 1;
    index_bits = index_bits > ARRAY_BITS_MAX ? ARRAY_BITS_MAX : index_bits;
    index_bits = index_bits > bits ? bits : index_bits;
    uint32_t last = ((uint32_t)1 << index_bits) - 1;
    write_array(writer, items, count, bits - index_bits, last, dimension);
}

int wall_tree_write(const struct wall_partition *partition, struct wall_image *image,
                    struct wall_table_dimension *ret_dimension)
{
    struct writer writer = {
        .image = image,
        .begins = partition->begins.items,
        .words = partition->bits > 32 ? partition->bits / 32 : 1,
    };
    struct wall_table_dimension dimension = { 0 };
    struct wall_vector items;
    wall_vector_init(&items, sizeof(struct item), 0);
    int r = list_items(&writer, &items, 0, partition->begins.count, 0);
    if (r == 0) {
        write_first(&writer, items.items, items.count, partition->bits < 32 ? partition->bits : 32, &dimension);
        *ret_dimension = dimension;
    }
    wall_vector_done(&items);
    return r;
}
