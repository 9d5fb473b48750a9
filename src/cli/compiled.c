#include "cli/compiled.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/control.h"
#include "cli/json.h"
#include "cli/table.h"
#include "engine/catalog.h"
#include "engine/names.h"

static const char *const places[] = {
    [WALL_CONTROL_IN_KERNEL] = "kernel",
    [WALL_CONTROL_ASKS] = "callout",
    [WALL_CONTROL_UNREGISTERED] = "unregistered",
    [WALL_CONTROL_IGNORED] = "ignored",
    [WALL_CONTROL_NEVER] = "never",
    [WALL_CONTROL_TABLES_FULL] = "service",
};

static const char *place_of(const struct wall_control_compiled_filter *filter)
{
    if (filter->place == WALL_CONTROL_IN_KERNEL && filter->reason != WALL_CONTROL_NO_REASON)
        return "service";
    if (filter->place == WALL_CONTROL_IN_KERNEL && filter->late)
        return "packet";
    return (size_t)filter->place < sizeof(places) / sizeof(places[0]) ? places[filter->place] : "?";
}

static const char *why(const struct wall_control_compiled_filter *filter)
{
    switch (filter->reason) {
    case WALL_CONTROL_FIELD:
        return "the kernel does not know this field";
    case WALL_CONTROL_CONDITION:
        return "the kernel cannot evaluate this condition";
    case WALL_CONTROL_LIMIT:
        return "too many values for the tables";
    default:
        break;
    }
    switch (filter->place) {
    case WALL_CONTROL_ASKS:
        return "its callout decides";
    case WALL_CONTROL_UNREGISTERED:
        return "its callout is not registered; decided in the kernel";
    case WALL_CONTROL_IGNORED:
        return "its inspection callout is not registered";
    case WALL_CONTROL_NEVER:
        return "no value fulfils its conditions";
    case WALL_CONTROL_TABLES_FULL:
        return "the tables are full";
    default:
        return "it asks for a local address, port or interface";
    }
}

static const char *layer_text(uint16_t layer_id, char text[WALL_KEY_TEXT_SIZE])
{
    const GUID *key = wall_catalog_layer_key(layer_id);
    const char *name = key ? wall_key_text(key, text) : "?";
    return strncmp(name, "FWPM_LAYER_", 11) == 0 ? name + 11 : name;
}

static const char *field_text(const struct wall_control_compiled_filter *filter, char text[WALL_KEY_TEXT_SIZE])
{
    struct wall_catalog_field field;
    if (filter->reason == WALL_CONTROL_NO_REASON ||
        !wall_catalog_field(filter->layer_id, filter->field_id, &field))
        return NULL;
    const char *name = wall_key_text(wall_key_guid(field.key), text);
    return strncmp(name, "FWPM_CONDITION_", 15) == 0 ? name + 15 : name;
}

static int print_layers(const struct wall_control_compiled *compiled)
{
    static const char *const titles[] = { "LAYER", ">FILTERS", ">IN KERNEL", ">KIB", ">SLOTS", ">GROUPS", ">LARGEST",
                                          NULL };
    struct wall_table table;
    char text[WALL_KEY_TEXT_SIZE];
    wall_table_init(&table, titles);
    for (size_t i = 0; i < compiled->layer_count; i++) {
        const struct wall_control_compiled_layer *layer = &compiled->layers[i];
        wall_table_add(&table, layer_text(layer->layer_id, text));
        wall_table_add_format(&table, "%u", layer->filters);
        wall_table_add_format(&table, "%u", layer->in_kernel);
        wall_table_add_format(&table, "%" PRIu64, layer->bytes / 1024);
        wall_table_add_format(&table, "%u", layer->slots);
        wall_table_add_format(&table, "%u", layer->groups);
        wall_table_add_format(&table, "%u", layer->largest_group);
    }
    int r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    return r;
}

static int print_filters(const struct wall_control_compiled *compiled)
{
    static const char *const titles[] = { ">FILTER", "LAYER", "DECIDED BY", "FIELD", "WHY", NULL };
    struct wall_table table;
    char text[WALL_KEY_TEXT_SIZE];
    if (compiled->filter_count == 0)
        return 0;
    wall_table_init(&table, titles);
    for (size_t i = 0; i < compiled->filter_count; i++) {
        const struct wall_control_compiled_filter *filter = &compiled->filters[i];
        wall_table_add_format(&table, "%" PRIu64, filter->filter_id);
        wall_table_add(&table, layer_text(filter->layer_id, text));
        wall_table_add(&table, place_of(filter));
        wall_table_add(&table, field_text(filter, text));
        wall_table_add(&table, why(filter));
    }
    putchar('\n');
    int r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    if (compiled->filters_left_out > 0)
        printf("… and %u more\n", compiled->filters_left_out);
    return r;
}

static json_t *layers_json(const struct wall_control_compiled *compiled)
{
    json_t *list = json_array();
    char text[WALL_KEY_TEXT_SIZE];
    for (size_t i = 0; i < compiled->layer_count; i++) {
        const struct wall_control_compiled_layer *layer = &compiled->layers[i];
        (void)json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:I, s:i, s:i, s:i}", "layer", layer_text(layer->layer_id, text),
                            "filters", (int)layer->filters, "inKernel", (int)layer->in_kernel, "bytes",
                            (json_int_t)layer->bytes, "slots", (int)layer->slots, "groups", (int)layer->groups,
                            "largestGroup", (int)layer->largest_group));
    }
    return list;
}

static json_t *filters_json(const struct wall_control_compiled *compiled)
{
    json_t *list = json_array();
    char layer[WALL_KEY_TEXT_SIZE], field[WALL_KEY_TEXT_SIZE];
    for (size_t i = 0; i < compiled->filter_count; i++) {
        const struct wall_control_compiled_filter *filter = &compiled->filters[i];
        (void)json_array_append_new(
            list, json_pack("{s:I, s:s, s:s, s:s?, s:s}", "filterId", (json_int_t)filter->filter_id, "layer",
                            layer_text(filter->layer_id, layer), "decidedBy", place_of(filter), "field",
                            field_text(filter, field), "why", why(filter)));
    }
    return list;
}

static int print_json(const struct wall_control_compiled *compiled)
{
    json_t *json = json_pack("{s:o, s:o, s:i}", "layers", layers_json(compiled), "filters", filters_json(compiled),
                             "filtersLeftOut", (int)compiled->filters_left_out);
    int r = json ? 0 : -ENOMEM;
    if (r == 0 && (json_dumpf(json, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(json);
    return r;
}

int wall_compiled_show(bool json)
{
    struct wall_control *control;
    struct wall_control_compiled *compiled;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_compiled(control, &compiled, error);
    if (r < 0) {
        code = wall_control_complain(r, error);
    } else {
        r = json ? print_json(compiled) : print_layers(compiled);
        if (r == 0 && !json)
            r = print_filters(compiled);
        if (r < 0)
            code = wall_complain_error(r, NULL);
        wall_control_free(compiled);
    }
    wall_control_close(control);
    return code;
}
