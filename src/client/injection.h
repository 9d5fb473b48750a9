// Injection: packets that drivers put into the network, in the order they were given, by one thread. Their completion
// functions run on it as well.
#pragma once

// Packets waiting to be injected; further ones are refused with STATUS_INSUFFICIENT_RESOURCES.
#define WALL_INJECTIONS_MAX 65536u

// Ends the thread when nothing waits any more. For tests and the end of the channel.
void wall_injection_stop(void);
