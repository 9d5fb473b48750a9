#include "datapath/linux/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER 40u
#define EXTENSIONS_MAX 8  // more is no packet an ordinary socket sends

struct transport {
    bool is_v6;
    uint8_t protocol;
    size_t offset;  // of the transport header
};

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void write16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// Ones' complement sum of big-endian words, on top of `sum`.
static uint32_t sum_words(const uint8_t *data, size_t size, uint32_t sum)
{
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += read16(data + i);
    if (size & 1)
        sum += (uint32_t)data[size - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static int find_transport6(const uint8_t *data, size_t size, struct transport *ret_transport)
{
    if (size < IPV6_HEADER || read16(data + 4) + IPV6_HEADER != size)
        return -EBADMSG;
    uint8_t next = data[6];
    size_t offset = IPV6_HEADER;
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS) {
            // A routing header puts another address into the pseudo header; a fragment has no whole payload.
            if (next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT)
                return -EBADMSG;
            *ret_transport = (struct transport){ .is_v6 = true, .protocol = next, .offset = offset };
            return 0;
        }
        if (offset + 8 > size)
            return -EBADMSG;
        next = data[offset];
        offset += 8 + (size_t)data[offset + 1] * 8;
        if (offset > size)
            return -EBADMSG;
    }
    return -EBADMSG;
}

static int find_transport(const uint8_t *data, size_t size, struct transport *ret_transport)
{
    if (size < IPV4_HEADER_MIN)
        return -EBADMSG;
    if (data[0] >> 4 == 6)
        return find_transport6(data, size, ret_transport);
    size_t header = (size_t)(data[0] & 0xf) * 4;
    bool is_fragment = (read16(data + 6) & 0x3fff) != 0;
    if (data[0] >> 4 != 4 || header < IPV4_HEADER_MIN || header > size || read16(data + 2) != size || is_fragment)
        return -EBADMSG;
    *ret_transport = (struct transport){ .protocol = data[9], .offset = header };
    return 0;
}

static void set_address(uint8_t *data, bool is_v6, bool is_source, const uint8_t *address)
{
    if (!address)
        return;
    if (is_v6)
        memcpy(data + (is_source ? 8 : 24), address, 16);
    else
        memcpy(data + (is_source ? 12 : 16), address + 12, 4);
}

static uint32_t sum_pseudo_header(const uint8_t *data, const struct transport *transport, size_t length)
{
    uint32_t sum = transport->is_v6 ? sum_words(data + 8, 32, 0) : sum_words(data + 12, 8, 0);
    return sum + transport->protocol + (uint32_t)(length >> 16) + (uint32_t)(length & 0xffff);
}

static void set_checksum(uint8_t *data, const struct transport *transport, size_t size, size_t field)
{
    size_t length = size - transport->offset;
    uint8_t *at = data + transport->offset;
    write16(at + field, 0);
    uint32_t sum = sum_pseudo_header(data, transport, length);
    uint16_t checksum = (uint16_t)~sum_words(at, length, sum);
    if (checksum == 0 && transport->protocol != IPPROTO_TCP)
        checksum = 0xffff;  // 0 would mean: none
    write16(at + field, checksum);
}

int wall_packet_prepare(uint8_t *data, size_t size, const struct wall_packet_ends *ends)
{
    struct transport transport;
    int r = find_transport(data, size, &transport);
    if (r < 0)
        return r;

    size_t length = size - transport.offset;
    bool is_tcp = transport.protocol == IPPROTO_TCP, is_udp = transport.protocol == IPPROTO_UDP;
    if ((is_tcp && length < 20) || (is_udp && length < 8))
        return -EBADMSG;
    set_address(data, transport.is_v6, true, ends->local_address);
    set_address(data, transport.is_v6, false, ends->remote_address);
    if (is_tcp || is_udp) {
        if (ends->local_port)
            write16(data + transport.offset, ends->local_port);
        if (ends->remote_port)
            write16(data + transport.offset + 2, ends->remote_port);
        set_checksum(data, &transport, size, is_tcp ? 16 : 6);
    }
    if (!transport.is_v6) {
        write16(data + 10, 0);
        write16(data + 10, (uint16_t)~sum_words(data, transport.offset, 0));
    }
    return 0;
}

int wall_packet_destination(const uint8_t *data, size_t size, uint8_t ret_address[16])
{
    if (size >= IPV4_HEADER_MIN && data[0] >> 4 == 4) {
        memcpy(ret_address, data + 16, 4);
        return AF_INET;
    }
    if (size >= IPV6_HEADER && data[0] >> 4 == 6) {
        memcpy(ret_address, data + 24, 16);
        return AF_INET6;
    }
    return 0;
}
