#include "service/compiled.h"

#include "compile/compile.h"
#include "engine/catalog.h"

static bool is_plain(const struct wall_compiled_filter *filter)
{
    return filter->kind == WALL_COMPILED_DECIDES && filter->reason == WALL_COMPILE_REASON_NONE &&
           !(filter->needs & WALL_LATE_FACTS);
}

static void add_filter(struct wall_compiled_report *report, uint16_t layer_id,
                       const struct wall_compiled_filter *filter)
{
    if (report->reply.filter_count == WALL_COMPILED_FILTERS_MAX) {
        report->reply.filters_left_out++;
        return;
    }
    report->filters[report->reply.filter_count++] = (struct wall_compiled_filter_record){
        .filter_id = filter->id,
        .needs = filter->needs & WALL_LATE_FACTS,
        .layer_id = layer_id,
        .field_id = filter->field_id,
        .kind = (uint8_t)filter->kind,
        .reason = (uint8_t)filter->reason,
    };
}

static void add_layer(struct wall_compiled_report *report, const struct wall_compiled *compiled)
{
    struct wall_compiled_layer_record *layer = &report->layers[report->reply.layer_count++];
    *layer = (struct wall_compiled_layer_record){
        .layer_id = compiled->layer_id,
        .filters = compiled->filter_count,
        .pages = compiled->page_count,
        .slots = compiled->layout.slot_count,
    };
    for (uint32_t i = 0; i < compiled->layout.slot_count; i++) {
        layer->groups += compiled->layout.slots[i].group_count;
        if (compiled->layout.slots[i].largest > layer->largest)
            layer->largest = compiled->layout.slots[i].largest;
    }
    for (uint32_t i = 0; i < compiled->filter_count; i++) {
        if (is_plain(&compiled->filters[i]))
            layer->in_kernel++;
        else
            add_filter(report, compiled->layer_id, &compiled->filters[i]);
    }
}

void wall_compiled_report(const struct wall_datapath *datapath, struct wall_compiled_report *ret_report)
{
    ret_report->reply.layers = ret_report->layers;
    ret_report->reply.filters = ret_report->filters;
    for (uint16_t id = 0; wall_catalog_layer_key(id); id++) {
        const struct wall_compiled *compiled = wall_datapath_compiled(datapath, id);
        if (compiled && ret_report->reply.layer_count < WALL_COMPILED_LAYERS_MAX)
            add_layer(ret_report, compiled);
    }
}
