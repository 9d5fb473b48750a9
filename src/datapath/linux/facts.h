// The facts of a flow, as the programs have written them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_datapath;
struct wall_flow;
struct wall_flow_facts;

// Reads facts from a map of them into datapath->facts. Returns false when they are gone.
bool wall_facts_read(const struct wall_datapath *datapath, int map_fd, uint64_t flow_id);
// What the user is told of a flow with these facts, without what is known only here.
void wall_facts_describe(const struct wall_flow_facts *facts, struct wall_flow *ret_flow);
