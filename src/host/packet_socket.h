// Packet sockets (AF_PACKET): whole frames, which no hook of ours sees. The least that can be done is to name who has
// one.
#pragma once

#include <stddef.h>

struct wall_vector;

// Writes the programs among `processes` (pid_t) that hold a packet socket, as "tcpdump [123], dhclient [45]"; what does
// not fit is counted as "and 3 more". Returns how many hold one.
size_t wall_packet_socket_holders(const struct wall_vector *processes, char *ret_text, size_t size);
