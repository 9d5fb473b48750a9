#include "compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/group.h"
#include "compile/image.h"
#include "compile/partition.h"
#include "compile/reading.h"

// Filters lie far apart: those to come are on their way meanwhile.
#define AHEAD 8

struct compiler {
    const struct wall_policy_layer *layer;
    const struct wall_compile_options *options;
    struct wall_arena arena;
    struct wall_partition partitions[WALL_DIMENSION_COUNT_];
    struct wall_flags_layout flags;
    struct wall_readings *own, *readings;  // `own`: made for this compilation
    uint32_t *numbers[WALL_DIMENSION_COUNT_];  // of the readings' sets: which set it is here, 0: none yet
    struct wall_entries entries;
    struct wall_compiled_filter *filters;  // one for each filter of the layer …
    uint32_t *places;                      // … and where its reading is
    uint32_t *origins;                     // for each entry, which of the filters it was made from
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

// The number that a set of the readings has here: sets are numbered as filters ask for them.
static int number_of_set(struct compiler *compiler, enum wall_dimension dimension, uint32_t set, uint32_t *ret_number)
{
    uint32_t *number = &compiler->numbers[dimension][set];
    int r = 0;
    if (*number == 0 && set != WALL_SET_ALL)
        r = wall_partition_copy(&compiler->partitions[dimension],
                                wall_partition_set(&compiler->readings->partitions[dimension], set), number);
    *ret_number = *number;
    return r;
}

static int add_filter(struct compiler *compiler, const struct wall_filter *filter, uint16_t sublayer,
                      const struct wall_reading *reading, struct wall_compiled_filter *report)
{
    struct wall_entry entry = { .id = filter->id, .sublayer = sublayer, .needs = reading->needs };
    *report =
        (struct wall_compiled_filter){ .id = filter->id, .reason = reading->reason, .field_id = reading->field_id };
    entry.effect = (uint8_t)effect_of(compiler, filter, &report->kind);
    if (reading->is_void)
        report->kind = WALL_COMPILED_NEVER;
    if (report->kind == WALL_COMPILED_NEVER || report->kind == WALL_COMPILED_IGNORED)
        return 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        int r = number_of_set(compiler, d, reading->sets[d], &entry.sets[d]);
        if (r < 0)
            return r;
    }
    compiler->origins[compiler->entries.count] = (uint32_t)(report - compiler->filters);
    compiler->entries.items[compiler->entries.count++] = entry;
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

// The bits that conditions on the flags ask for.
static void lay_out_flags(struct compiler *compiler, const struct wall_filter *filter)
{
    for (uint32_t i = 0; i < filter->condition_count; i++) {
        const struct wall_compile_field *field =
            wall_readings_field(compiler->readings, filter->conditions[i].field_id);
        if (field && field->dimension == WALL_DIMENSION_FLAGS)
            wall_values_flags(&compiler->flags, &filter->conditions[i]);
    }
}

static const struct wall_reading *reading_of(const struct compiler *compiler, uint32_t i)
{
    return wall_vector_at(&compiler->readings->items, compiler->places[i]);
}

// Reads the filters that have not been, and knows afterwards which flags they ask for.
static int read_filters(struct compiler *compiler)
{
    const struct wall_policy_layer *layer = compiler->layer;
    uint32_t next = 0;
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++, next++) {
            const struct wall_filter *filter = layer->sublayers[s].filters[i];
            if (i + AHEAD < layer->sublayers[s].filter_count)
                __builtin_prefetch(layer->sublayers[s].filters[i + AHEAD]);
            int r = wall_readings_add(compiler->readings, filter);
            if (r < 0)
                return r;
            compiler->places[next] = (uint32_t)r;
            if (reading_of(compiler, next)->has_flags)
                lay_out_flags(compiler, filter);
        }
    return 0;
}

// Those that ask for flags are read now: numbers of flags depend on all of them.
static int read_flags(struct compiler *compiler)
{
    const struct wall_policy_layer *layer = compiler->layer;
    uint32_t next = 0;
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++, next++) {
            struct wall_reading reading;
            if (!reading_of(compiler, next)->has_flags)
                continue;
            int r = wall_readings_with_flags(compiler->readings, layer->sublayers[s].filters[i], &compiler->flags,
                                             &reading);
            compiler->places[next] = (uint32_t)compiler->readings->items.count;
            r = r < 0 ? r : wall_vector_add(&compiler->readings->items, &reading);
            if (r < 0)
                return r;
        }
    return 0;
}

static int add_filters(struct compiler *compiler)
{
    const struct wall_policy_layer *layer = compiler->layer;
    uint32_t next = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        compiler->numbers[d] = calloc(compiler->readings->partitions[d].sets.count, sizeof(uint32_t));
        if (!compiler->numbers[d])
            return -ENOMEM;
    }
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++, next++) {
            if (i + AHEAD < layer->sublayers[s].filter_count) {
                __builtin_prefetch(layer->sublayers[s].filters[i + AHEAD]);
                __builtin_prefetch(reading_of(compiler, next + AHEAD));
            }
            int r = add_filter(compiler, layer->sublayers[s].filters[i], (uint16_t)s, reading_of(compiler, next),
                               &compiler->filters[next]);
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
    if (!options->readings)
        compiler->own = wall_readings_new(layer->layer_id, options->apps, false);
    compiler->readings = options->readings ? options->readings : compiler->own;
    int r = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        unsigned bits = wall_compile_dimension_bits(layer->layer_id, d);
        int each = wall_partition_init(&compiler->partitions[d], &compiler->arena, bits);
        r = each < 0 ? each : r;
    }
    uint32_t count = layer->filter_count + 1;
    compiler->filters = calloc(count, sizeof(*compiler->filters));
    compiler->places = calloc(count, sizeof(*compiler->places));
    compiler->origins = calloc(count, sizeof(*compiler->origins));
    compiler->entries.items = calloc(count, sizeof(*compiler->entries.items));
    compiler->entries.partitions = compiler->partitions;
    compiler->entries.sublayer_count = (uint16_t)(layer->sublayer_count ? layer->sublayer_count : 1);
    bool good = compiler->readings && compiler->filters && compiler->places && compiler->origins &&
                compiler->entries.items;
    return good ? r : -ENOMEM;
}

static void done(struct compiler *compiler)
{
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++) {
        wall_partition_done(&compiler->partitions[d]);
        free(compiler->numbers[d]);
    }
    wall_arena_done(&compiler->arena);
    wall_readings_free(compiler->own);
    free(compiler->filters);
    free(compiler->places);
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
        r = read_flags(&compiler);
    if (r == 0)
        r = add_filters(&compiler);
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
