// Tree: the way from a value to its class, as nodes in an image (wire/tables.bpf.h, "Node references").
//
// A node of few boundaries is one cache line that is searched without branches; of many, an array over the next 8
// bits. Large dimensions begin with one array over as many bits as there are boundaries to tell apart. So a lookup
// takes at most WALL_STEPS_MAX nodes for each 32 bits of the value, and one or two in most policies.
#pragma once

#include "compile/image.h"
#include "compile/partition.h"

#include "wire/tables.bpf.h"

// Writes the nodes of a built partition. Returns 0 or -ENOMEM; the image has its own error.
int wall_tree_write(const struct wall_partition *partition, struct wall_image *image,
                    struct wall_table_dimension *ret_dimension);
