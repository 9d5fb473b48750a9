// Compiled: what the tables in the kernel were made of, for people.
#pragma once

#include "datapath/datapath.h"
#include "wire/messages.h"

// Layers that may have tables at once.
#define WALL_COMPILED_LAYERS_MAX 32u

struct wall_compiled_report {
    struct wall_compiled_reply reply;  // points into what follows
    struct wall_compiled_layer_record layers[WALL_COMPILED_LAYERS_MAX];
    struct wall_compiled_filter_record filters[WALL_COMPILED_FILTERS_MAX];
};

// Fills in a zeroed report.
void wall_compiled_report(const struct wall_datapath *datapath, struct wall_compiled_report *ret_report);
