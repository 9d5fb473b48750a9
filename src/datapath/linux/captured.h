// The captured packets of a held flow, when they are sent after all.
#pragma once

struct wall_datapath;
struct wall_held;

// Sends the flow's queue, in order, and leaves it as it is. What cannot be sent is lost, as any packet may be.
void wall_captured_send(struct wall_datapath *datapath, struct wall_held *held);
