#include "compile/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/group.h"
#include "compile/plan.h"
#include "compile/tree.h"

// Gives up the conditions on dimensions that have too many classes.
static uint32_t used_dimensions(struct wall_entries *entries)
{
    uint32_t used = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        bool fits = entries->partitions[d].class_count - 1 <= WALL_CLASS_MAX;
        for (uint32_t i = 0; i < entries->count; i++) {
            struct wall_entry *entry = &entries->items[i];
            if (entry->sets[d] == WALL_SET_ALL)
                continue;
            used |= (uint32_t)fits << d;
            if (!fits) {
                entry->sets[d] = WALL_SET_ALL;
                entry->needs |= WALL_NEEDS_USER_SPACE;
            }
        }
    }
    return used;
}

static void write_firsts(const struct wall_entries *entries, const struct wall_plan_slot *slot,
                         struct wall_image *image, uint32_t offset)
{
    uint32_t next = slot->count;
    for (uint32_t s = entries->sublayer_count; s-- > 0;) {
        while (next > 0 && entries->items[slot->indexes[next - 1]].sublayer >= s)
            next--;
        wall_image_put32(image, offset + 4 * s, next < slot->count ? slot->indexes[next] : WALL_FILTER_NONE);
    }
}

static int write_slot(struct wall_entries *entries, const struct wall_plan_slot *slot, struct wall_image *image,
                      struct wall_table_slot *ret_slot)
{
    struct wall_table_slot table = { .pivot = slot->pivot };
    int r = 0;
    if (slot->pivot == WALL_DIMENSION_COUNT_) {
        struct wall_group group = { slot->indexes, slot->count, slot->pivot };
        r = wall_group_write(entries, &group, image, &table.groups);
    } else {
        table.firsts = wall_image_take(image, 4u * entries->sublayer_count, 4);
        write_firsts(entries, slot, image, table.firsts);
        table.last = slot->group_count - 1;
        table.groups = wall_image_take(image, (size_t)slot->group_count * 4, 4);
        for (uint32_t c = 0; r == 0 && c < slot->group_count; c++) {
            struct wall_group group = wall_plan_group(entries, slot, c);
            uint32_t unit = 0;
            r = wall_group_write(entries, &group, image, &unit);
            wall_image_put32(image, table.groups + 4 * c, unit);
        }
    }
    if (r == 0)
        *ret_slot = table;
    return r;
}

static void describe_slot(const struct wall_plan_slot *slot, struct wall_tables_slot *description)
{
    description->pivot = slot->pivot;
    description->entry_count = slot->count;
    description->group_count = slot->pivot == WALL_DIMENSION_COUNT_;
    description->largest = slot->pivot == WALL_DIMENSION_COUNT_ ? slot->count : 0;
    for (uint32_t c = 0; slot->pivot != WALL_DIMENSION_COUNT_ && c < slot->group_count; c++) {
        uint32_t count = slot->begins[c + 1] - slot->begins[c];
        description->group_count += count > 0;
        description->largest = count > description->largest ? count : description->largest;
    }
}

static uint32_t write_filters(const struct wall_entries *entries, struct wall_image *image, uint32_t *ret_callout_end)
{
    uint32_t offset = wall_image_take(image, entries->count * sizeof(struct wall_table_filter), 16);
    uint32_t callout_end = 0;
    for (uint32_t i = 0; i < entries->count && !image->error; i++) {
        const struct wall_entry *entry = &entries->items[i];
        struct wall_table_filter filter = {
            .id = entry->id,
            .needs = entry->needs,
            .sublayer = entry->sublayer,
            .effect = entry->effect,
        };
        memcpy(wall_image_at(image, offset + i * (uint32_t)sizeof(filter)), &filter, sizeof(filter));
        if (entry->effect == WALL_EFFECT_CALLOUT || entry->effect == WALL_EFFECT_VETO)
            callout_end = i + 1;
    }
    *ret_callout_end = callout_end;
    return offset;
}

static void write_flags(const struct wall_flags_layout *flags, struct wall_table_head *head)
{
    uint32_t mask = 0;
    memset(head->flag_bits, 32, sizeof(head->flag_bits));
    for (uint32_t i = 0; i < flags->bit_count; i++) {
        head->flag_bits[i] = flags->bits[i];
        mask |= (uint32_t)1 << flags->bits[i];
    }
    head->flags_rest = flags->rest ? ~mask : 0;
    head->flags_used = head->dimensions >> WALL_DIMENSION_FLAGS & 1 ? mask | head->flags_rest : 0;
}

static int write_everything(struct wall_table_head *head, struct wall_entries *entries, struct wall_plan *plan,
                            struct wall_image *image, struct wall_tables_layout *layout)
{
    int r = 0;
    for (uint32_t d = 0; r == 0 && d < WALL_DIMENSION_COUNT_; d++) {
        layout->class_counts[d] = entries->partitions[d].class_count;
        if (head->dimensions >> d & 1)
            r = wall_tree_write(&entries->partitions[d], image, &head->dimension[d]);
    }
    for (uint32_t i = 0; i < plan->slot_count && r == 0; i++) {
        r = write_slot(entries, &plan->slots[i], image, &head->slot[i]);
        describe_slot(&plan->slots[i], &layout->slots[i]);
    }
    head->slot_count = (uint16_t)plan->slot_count;
    layout->slot_count = plan->slot_count;
    head->filters = write_filters(entries, image, &head->callout_end);
    return r;
}

int wall_tables_write(uint16_t layer_id, struct wall_entries *entries, const struct wall_flags_layout *flags,
                      uint64_t easy_bytes, struct wall_image *image, struct wall_tables_layout *ret_layout)
{
    if (entries->count > WALL_ENTRIES_MAX)
        return -E2BIG;
    struct wall_table_head head = {
        .magic = WALL_TABLE_MAGIC,
        .layer_id = layer_id,
        .filter_count = entries->count,
        .sublayer_count = entries->sublayer_count,
        .dimensions = used_dimensions(entries),
    };
    write_flags(flags, &head);
    struct wall_tables_layout layout = { 0 };
    struct wall_plan plan;
    // The image has a page 0 even when nothing else is in it.
    (void)wall_image_take(image, 4, 4);
    int r = wall_plan_make(layer_id, entries, easy_bytes, &plan);
    if (r == 0)
        r = write_everything(&head, entries, &plan, image, &layout);
    wall_plan_done(&plan);
    if (r == 0)
        r = image->error;
    if (r < 0)
        return r;
    head.page_count = image->page_count;
    memcpy(image->bytes, &head, sizeof(head));
    *ret_layout = layout;
    return 0;
}
