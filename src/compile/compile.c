#include "compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/group.h"
#include "compile/image.h"
#include "compile/partition.h"

#define FIELDS_MAX 64u

struct compiler {
    const struct wall_policy_layer *layer;
    const struct wall_compile_options *options;
    struct field {
        struct wall_compile_field field;
        bool is_compiled;  // the kernel knows the field
    } fields[FIELDS_MAX];  // of the layer, by their ids
    struct wall_arena arena;
    struct wall_partition partitions[WALL_DIMENSION_COUNT_];
    struct wall_flags_layout flags;
    struct wall_values values;
    struct wall_entries entries;
    struct wall_compiled_filter *filters;  // one for each filter of the layer …
    uint32_t *origins;                     // … and for each entry, which of them it was made from
};

// --- One filter ---

static bool is_registered(const struct compiler *compiler, const struct wall_filter *filter)
{
    const struct wall_compile_options *options = compiler->options;
    return !options->callout_registered || options->callout_registered(options->context, filter->callout_id);
}

// The effect of a match, as wall_classify_next() and wall_classify_unregistered() have it.
static enum wall_effect effect_of(const struct compiler *compiler, const struct wall_filter *filter,
                                  enum wall_compiled_kind *ret_kind)
{
    bool clears = filter->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT, permits = filter->action == FWP_ACTION_PERMIT;
    *ret_kind = WALL_COMPILED_DECIDES;
    if (filter->action & FWP_ACTION_FLAG_CALLOUT) {
        *ret_kind = WALL_COMPILED_HOLDS;
        if (is_registered(compiler, filter))
            return WALL_EFFECT_CALLOUT;
        *ret_kind = WALL_COMPILED_UNREGISTERED;
        permits = filter->flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
        if (filter->action == FWP_ACTION_CALLOUT_INSPECTION)
            *ret_kind = WALL_COMPILED_IGNORED;
        else if (!permits)
            return WALL_EFFECT_VETO;
    }
    if (!permits)
        return WALL_EFFECT_BLOCK;
    return clears ? WALL_EFFECT_PERMIT_HARD : WALL_EFFECT_PERMIT;
}

// NULL: the kernel does not know the field.
static const struct wall_compile_field *field_of(const struct compiler *compiler, uint16_t field_id)
{
    return field_id < FIELDS_MAX && compiler->fields[field_id].is_compiled ? &compiler->fields[field_id].field : NULL;
}

// Conditions of one field. The entry asks for their values; or, when the kernel cannot tell, for any value, and says
// that it needs user space.
static int add_field(struct compiler *compiler, const struct wall_condition *conditions, uint32_t count,
                     struct wall_entry *entry, struct wall_compiled_filter *report)
{
    enum wall_compile_reason reason = WALL_COMPILE_REASON_FIELD;
    const struct wall_compile_field *field = field_of(compiler, conditions->field_id);
    int r = 0;
    if (field) {
        r = wall_values_collect(&compiler->values, field, conditions, count, compiler->options->apps, &compiler->flags,
                                &reason);
        if (r < 0)
            return r;
    }
    if (reason != WALL_COMPILE_REASON_NONE) {
        entry->needs |= WALL_NEEDS_USER_SPACE;
        if (report->reason == WALL_COMPILE_REASON_NONE) {
            report->reason = reason;
            report->field_id = conditions->field_id;
        }
        return 0;
    }
    struct wall_partition *partition = &compiler->partitions[field->dimension];
    r = wall_partition_add(partition, compiler->values.intervals.items, (uint32_t)compiler->values.intervals.count,
                           compiler->values.empty, &entry->sets[field->dimension]);
    if (r < 0)
        return r;
    if (entry->sets[field->dimension] != WALL_SET_ALL)
        entry->needs |= (uint32_t)1 << field->dimension;
    if (wall_partition_is_void(partition, entry->sets[field->dimension]))
        report->kind = WALL_COMPILED_NEVER;
    return 0;
}

static int add_filter(struct compiler *compiler, const struct wall_filter *filter, uint16_t sublayer,
                      struct wall_compiled_filter *report)
{
    struct wall_entry entry = { .id = filter->id, .sublayer = sublayer };
    report->id = filter->id;
    entry.effect = (uint8_t)effect_of(compiler, filter, &report->kind);
    for (uint32_t i = 0; i < filter->condition_count;) {
        uint32_t end = i + 1;
        while (end < filter->condition_count && filter->conditions[end].field_id == filter->conditions[i].field_id)
            end++;
        int r = add_field(compiler, &filter->conditions[i], end - i, &entry, report);
        if (r < 0)
            return r;
        i = end;
    }
    if (report->kind != WALL_COMPILED_NEVER && report->kind != WALL_COMPILED_IGNORED) {
        compiler->origins[compiler->entries.count] = (uint32_t)(report - compiler->filters);
        compiler->entries.items[compiler->entries.count++] = entry;
    }
    return 0;
}

// --- What is too much ---

// The reference classifier treats the stream layers as a plain waterfall, which the fold of the tables is not.
static bool is_stream(uint16_t layer_id)
{
    return layer_id >= FWPS_LAYER_STREAM_V4 && layer_id <= FWPS_LAYER_STREAM_V6_DISCARD;
}

// Replaces the entries from `count` on by one that holds whatever gets there, in each of their sublayers.
static void cut(struct compiler *compiler, uint32_t count)
{
    struct wall_entries *entries = &compiler->entries;
    uint32_t end = entries->count, used = count;
    for (uint32_t i = count; i < end; i++) {
        uint16_t sublayer = entries->items[i].sublayer;
        if (sublayer >= WALL_SUBLAYERS_MAX)
            sublayer = WALL_SUBLAYERS_MAX - 1;
        // An entry that stands for others already has no origin.
        if (compiler->origins[i] != UINT32_MAX)
            compiler->filters[compiler->origins[i]].kind = WALL_COMPILED_CUT;
        if (used > count && entries->items[used - 1].sublayer == sublayer)
            continue;
        compiler->origins[used] = UINT32_MAX;
        entries->items[used++] = (struct wall_entry){
            .needs = WALL_NEEDS_USER_SPACE,
            .sublayer = sublayer,
            .effect = WALL_EFFECT_CALLOUT,
        };
    }
    entries->count = used;
}

static void cut_to_limits(struct compiler *compiler)
{
    struct wall_entries *entries = &compiler->entries;
    uint32_t count = entries->count;
    if (is_stream(compiler->layer->layer_id))
        count = 0;
    while (count > 0 && entries->sublayer_count > WALL_SUBLAYERS_MAX &&
           entries->items[count - 1].sublayer >= WALL_SUBLAYERS_MAX - 1)
        count--;
    if (count > WALL_ENTRIES_MAX - WALL_SUBLAYERS_MAX)
        count = WALL_ENTRIES_MAX - WALL_SUBLAYERS_MAX;
    if (count < entries->count)
        cut(compiler, count);
    if (entries->sublayer_count > WALL_SUBLAYERS_MAX)
        entries->sublayer_count = WALL_SUBLAYERS_MAX;
}

static int write_tables(struct compiler *compiler, struct wall_image *image, struct wall_tables_layout *layout)
{
    size_t limit = compiler->options->limit_bytes ? compiler->options->limit_bytes : WALL_COMPILE_LIMIT_BYTES;
    for (uint32_t count = compiler->entries.count;; count /= 2) {
        wall_image_init(image, limit);
        int r = wall_tables_write(compiler->layer->layer_id, &compiler->entries, &compiler->flags,
                                  compiler->options->easy_bytes, image, layout);
        // Even the tables that hold everything take a page or two.
        if (r != -E2BIG || compiler->entries.count == 0 || count == 0)
            return r;
        wall_image_done(image);
        cut(compiler, count / 2);
    }
}

// --- The layer ---

static int read_filters(struct compiler *compiler)
{
    const struct wall_policy_layer *layer = compiler->layer;
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++) {
            const struct wall_filter *filter = layer->sublayers[s].filters[i];
            for (uint32_t c = 0; c < filter->condition_count; c++) {
                const struct wall_compile_field *field = field_of(compiler, filter->conditions[c].field_id);
                if (field && field->dimension == WALL_DIMENSION_FLAGS)
                    wall_values_flags(&compiler->flags, &filter->conditions[c]);
            }
        }
    struct wall_compiled_filter *report = compiler->filters;
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++) {
            int r = add_filter(compiler, layer->sublayers[s].filters[i], (uint16_t)s, report++);
            if (r < 0)
                return r;
        }
    return 0;
}

static int init(struct compiler *compiler, const struct wall_policy_layer *layer,
                const struct wall_compile_options *options)
{
    memset(compiler, 0, sizeof(*compiler));
    compiler->layer = layer;
    compiler->options = options;
    wall_arena_init(&compiler->arena);
    wall_values_init(&compiler->values);
    int r = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        unsigned bits = wall_compile_dimension_bits(layer->layer_id, d);
        int each = wall_partition_init(&compiler->partitions[d], &compiler->arena, bits);
        r = each < 0 ? each : r;
    }
    for (uint16_t id = 0; id < FIELDS_MAX; id++)
        compiler->fields[id].is_compiled = wall_compile_field(layer->layer_id, id, &compiler->fields[id].field);
    uint32_t count = layer->filter_count + 1;
    compiler->filters = calloc(count, sizeof(*compiler->filters));
    compiler->origins = calloc(count, sizeof(*compiler->origins));
    compiler->entries.items = calloc(count, sizeof(*compiler->entries.items));
    compiler->entries.partitions = compiler->partitions;
    compiler->entries.sublayer_count = (uint16_t)(layer->sublayer_count ? layer->sublayer_count : 1);
    return compiler->filters && compiler->origins && compiler->entries.items ? r : -ENOMEM;
}

static void done(struct compiler *compiler)
{
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        wall_partition_done(&compiler->partitions[d]);
    wall_values_done(&compiler->values);
    wall_arena_done(&compiler->arena);
    free(compiler->filters);
    free(compiler->origins);
    free(compiler->entries.items);
}

static int finish(struct compiler *compiler, struct wall_compiled **ret_compiled)
{
    struct wall_compiled *compiled = calloc(1, sizeof(*compiled));
    if (!compiled)
        return -ENOMEM;
    struct wall_image image;
    int r = write_tables(compiler, &image, &compiled->layout);
    if (r < 0) {
        wall_image_done(&image);
        free(compiled);
        return r;
    }
    compiled->image = image.bytes;
    compiled->page_count = image.page_count;
    image.bytes = NULL;
    wall_image_done(&image);
    for (uint32_t i = 0; i < compiler->entries.count; i++) {
        uint32_t origin = compiler->origins[i];
        if (origin != UINT32_MAX)
            compiler->filters[origin].needs = compiler->entries.items[i].needs & ~WALL_NEEDS_USER_SPACE;
        // Conditions that the tables had no room for.
        if (origin != UINT32_MAX && compiler->entries.items[i].needs & WALL_NEEDS_USER_SPACE &&
            compiler->filters[origin].reason == WALL_COMPILE_REASON_NONE)
            compiler->filters[origin].reason = WALL_COMPILE_REASON_LIMIT;
    }
    compiled->layer_id = compiler->layer->layer_id;
    compiled->filter_count = compiler->layer->filter_count;
    compiled->filters = compiler->filters;
    compiler->filters = NULL;
    *ret_compiled = compiled;
    return 0;
}

int wall_compile_layer(const struct wall_policy_layer *layer, const struct wall_compile_options *options,
                       struct wall_compiled **ret_compiled)
{
    struct compiler compiler;
    int r = init(&compiler, layer, options);
    if (r == 0)
        r = read_filters(&compiler);
    if (r == 0)
        cut_to_limits(&compiler);
    for (uint32_t d = 0; r == 0 && d < WALL_DIMENSION_COUNT_; d++)
        r = wall_partition_build(&compiler.partitions[d]);
    for (uint32_t i = 0; r == 0 && i < compiler.entries.count; i++)
        wall_entry_count_boxes(&compiler.entries, &compiler.entries.items[i]);
    if (r == 0)
        r = finish(&compiler, ret_compiled);
    done(&compiler);
    return r;
}

void wall_compiled_free(struct wall_compiled *compiled)
{
    if (!compiled)
        return;
    free(compiled->image);
    free(compiled->filters);
    free(compiled);
}
