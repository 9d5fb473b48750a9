#include "datapath/linux/split.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER 40u
#define UDP_HEADER 8u
#define FRAGMENT_HEADER 8u
#define IPV4_DONT_FRAGMENT 0x40
#define IPV4_MORE_FRAGMENTS 0x20

static void write16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static int read_header(const uint8_t *data, size_t size, struct wall_split *ret_split)
{
    *ret_split = (struct wall_split){ .data = data, .size = size };
    if (size >= IPV6_HEADER && data[0] >> 4 == 6) {
        ret_split->is_v6 = true;
        ret_split->head = IPV6_HEADER;
        ret_split->protocol = data[6];
        return 0;
    }
    if (size < IPV4_HEADER_MIN || data[0] >> 4 != 4)
        return -EBADMSG;
    ret_split->head = (size_t)(data[0] & 0xf) * 4;
    ret_split->protocol = data[9];
    bool is_fragment = data[6] & (uint8_t)~IPV4_DONT_FRAGMENT || data[7];
    return is_fragment || ret_split->head < IPV4_HEADER_MIN || ret_split->head > size ? -EBADMSG : 0;
}

int wall_split_segments(const uint8_t *data, size_t size, uint32_t segment_bytes, struct wall_split *ret_split)
{
    int r = read_header(data, size, ret_split);
    if (r < 0 || ret_split->protocol != IPPROTO_UDP || size <= ret_split->head + UDP_HEADER || segment_bytes == 0)
        return -EBADMSG;
    ret_split->head += UDP_HEADER;
    ret_split->unit = segment_bytes;
    return 0;
}

int wall_split_fragments(const uint8_t *data, size_t size, uint32_t identification, struct wall_split *ret_split)
{
    int r = read_header(data, size, ret_split);
    if (r < 0 || size <= ret_split->head)
        return -EBADMSG;
    uint8_t next = ret_split->protocol;
    if (ret_split->is_v6 && (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
                             next == IPPROTO_FRAGMENT))
        return -EBADMSG;
    size_t room = WALL_FRAGMENT_BYTES - ret_split->head - (ret_split->is_v6 ? FRAGMENT_HEADER : 0);
    ret_split->unit = room & ~(size_t)7;  // offsets count in units of 8 bytes
    ret_split->is_fragments = true;
    ret_split->identification = identification;
    return 0;
}

static void checksum_header(uint8_t *header, size_t size)
{
    uint32_t sum = 0;
    write16(header + 10, 0);
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    write16(header + 10, ~sum & 0xffff);
}

static size_t finish_segment(const struct wall_split *split, uint8_t *packet, size_t size)
{
    size_t ip_header = split->head - UDP_HEADER;
    write16(packet + ip_header + 4, size - ip_header);
    if (split->is_v6) {
        write16(packet + 4, size - IPV6_HEADER);
    } else {
        size_t number = split->offset / split->unit;
        write16(packet + 2, size);
        write16(packet + 4, ((size_t)packet[4] << 8 | packet[5]) + number);
        checksum_header(packet, ip_header);
    }
    return size;
}

static size_t finish_fragment4(const struct wall_split *split, uint8_t *packet, size_t size, bool is_last)
{
    write16(packet + 2, size);
    if (!packet[4] && !packet[5])
        write16(packet + 4, split->identification);
    uint8_t flags = (uint8_t)((packet[6] & IPV4_DONT_FRAGMENT) | (is_last ? 0 : IPV4_MORE_FRAGMENTS));
    write16(packet + 6, split->offset / 8);
    packet[6] |= flags;
    checksum_header(packet, split->head);
    return size;
}

static size_t finish_fragment6(const struct wall_split *split, uint8_t *packet, size_t size, bool is_last)
{
    memmove(packet + IPV6_HEADER + FRAGMENT_HEADER, packet + IPV6_HEADER, size - IPV6_HEADER);
    uint8_t *header = packet + IPV6_HEADER;
    header[0] = packet[6];
    header[1] = 0;
    write16(header + 2, split->offset | (is_last ? 0 : 1));
    write16(header + 4, split->identification >> 16);
    write16(header + 6, split->identification);
    packet[6] = IPPROTO_FRAGMENT;
    size += FRAGMENT_HEADER;
    write16(packet + 4, size - IPV6_HEADER);
    return size;
}

size_t wall_split_next(struct wall_split *split, uint8_t *ret_packet)
{
    size_t payload = split->size - split->head;
    if (split->offset >= payload)
        return 0;
    size_t piece = payload - split->offset < split->unit ? payload - split->offset : split->unit;
    bool is_last = split->offset + piece == payload;
    size_t size = split->head + piece;
    memcpy(ret_packet, split->data, split->head);
    memcpy(ret_packet + split->head, split->data + split->head + split->offset, piece);
    if (!split->is_fragments)
        size = finish_segment(split, ret_packet, size);
    else if (split->is_v6)
        size = finish_fragment6(split, ret_packet, size, is_last);
    else
        size = finish_fragment4(split, ret_packet, size, is_last);
    split->offset += piece;
    return size;
}
