// IP headers of packets that drivers make.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Fills in the length and the checksum of an IPv4 header of `header_size` bytes; `packet_size` includes it.
void wall_ip_header_finish_v4(uint8_t *header, size_t header_size, size_t packet_size);
