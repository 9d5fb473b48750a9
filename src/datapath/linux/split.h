// One captured packet cut into several: datagrams that were sent in one call (UDP_SEGMENT), or IP fragments.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Every link carries IPv6 packets of this size, and in practice IPv4 ones.
#define WALL_FRAGMENT_BYTES 1280u

// What a piece may be longer than the packet: an IPv6 fragment header.
#define WALL_SPLIT_ROOM 8u

struct wall_split {
    const uint8_t *data;  // one whole packet, borrowed
    size_t size;
    size_t head;   // bytes that every piece begins with a copy of
    size_t unit;   // payload bytes of every piece but the last
    size_t offset;  // of the next piece in the payload
    uint8_t protocol;
    bool is_v6, is_fragments;
    uint32_t identification;
};

// Cuts a packet of several datagrams into packets of one, of `segment_bytes` payload each. Their checksums must be made
// by wall_packet_prepare(). Returns 0, or -EBADMSG when the packet is none of UDP.
int wall_split_segments(const uint8_t *data, size_t size, uint32_t segment_bytes, struct wall_split *ret_split);
// Cuts a prepared packet into fragments of at most WALL_FRAGMENT_BYTES. Returns 0, or -EBADMSG when it is a fragment
// already or has IPv6 extension headers. `identification`: tells the fragments of two packets apart; not 0.
int wall_split_fragments(const uint8_t *data, size_t size, uint32_t identification, struct wall_split *ret_split);
// Writes the next piece into `ret_packet`, which has room for the whole packet and WALL_SPLIT_ROOM. Returns its size,
// or 0 when there is no more.
size_t wall_split_next(struct wall_split *split, uint8_t *ret_packet);
