#include "cli/selector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

static const struct {
    uint8_t number;
    const char *name;
} protocols[] = {
    { 1, "ICMP" },     { 2, "IGMP" },    { 6, "TCP" },       { 17, "UDP" },      { 33, "DCCP" },
    { 41, "IPV6" },    { 47, "GRE" },    { 50, "ESP" },      { 51, "AH" },       { 58, "ICMPV6" },
    { 89, "OSPF" },    { 103, "PIM" },   { 112, "VRRP" },    { 132, "SCTP" },    { 136, "UDPLITE" },
};

const char *wall_protocol_name(uint8_t protocol)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (protocols[i].number == protocol)
            return protocols[i].name;
    return NULL;
}

// Reads text[0, length) as a decimal number; false when it is none or above `maximum`.
static bool read_number(const char *text, size_t length, uint64_t maximum, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number > maximum)
        return false;
    *ret_number = number;
    return true;
}

int wall_count_parse(const char *text, uint64_t maximum, uint64_t *ret_count, struct wall_error *err)
{
    if (!read_number(text, strlen(text), maximum, ret_count))
        return wall_error_set(err, -EINVAL, "'%s' is not a number from 0 to %" PRIu64, text, maximum);
    return 0;
}

int wall_protocol_parse(const char *text, uint8_t *ret_protocol, struct wall_error *err)
{
    uint64_t number;
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (strcasecmp(text, protocols[i].name) == 0) {
            *ret_protocol = protocols[i].number;
            return 0;
        }
    }
    if (!read_number(text, strlen(text), 255, &number))
        return wall_error_set(err, -EINVAL, "'%s' is not a protocol: use tcp, udp, icmp, icmpv6, sctp … or its number",
                              text);
    *ret_protocol = (uint8_t)number;
    return 0;
}

int wall_port_range_parse(const char *text, struct wall_port_range *ret_range, struct wall_error *err)
{
    const char *dash = strchr(text, '-');
    size_t first_length = dash ? (size_t)(dash - text) : strlen(text);
    uint64_t first, last;
    bool good = read_number(text, first_length, 65535, &first);
    if (good && dash)
        good = read_number(dash + 1, strlen(dash + 1), 65535, &last);
    else
        last = first;
    if (!good || first == 0)
        return wall_error_set(err, -EINVAL, "'%s' is not a port: use a number from 1 to 65535, or two as 1000-2000",
                              text);
    if (first > last)
        return wall_error_set(err, -EINVAL, "port range '%s' is empty: the first is above the last", text);
    *ret_range = (struct wall_port_range){ (uint16_t)first, (uint16_t)last };
    return 0;
}

static bool read_address(const char *text, size_t length, struct wall_network *network)
{
    char address[INET6_ADDRSTRLEN];
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
        if (!memchr(text, ':', length))
            return false;
    }
    if (length == 0 || length >= sizeof(address))
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    network->is_v6 = strchr(address, ':') != NULL;
    return inet_pton(network->is_v6 ? AF_INET6 : AF_INET, address, network->address) == 1;
}

// Clears what lies behind the prefix. Returns false when something did.
static bool clear_host_bits(struct wall_network *network)
{
    bool clean = true;
    for (unsigned bit = network->prefix_length; bit < (network->is_v6 ? 128u : 32u); bit++) {
        uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
        clean = clean && !(network->address[bit / 8] & mask);
        network->address[bit / 8] &= (uint8_t)~mask;
    }
    return clean;
}

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct wall_network wall_network_mapped(const struct wall_network *network)
{
    if (network->is_v6)
        return *network;
    struct wall_network mapped = { .is_v6 = true, .prefix_length = (uint8_t)(96 + network->prefix_length) };
    memcpy(mapped.address, mapped_prefix, sizeof(mapped_prefix));
    memcpy(mapped.address + sizeof(mapped_prefix), network->address, 4);
    return mapped;
}

struct wall_network wall_network_unmapped(const struct wall_network *network)
{
    if (!network->is_v6 || network->prefix_length < 96 ||
        memcmp(network->address, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return *network;
    struct wall_network ipv4 = { .prefix_length = (uint8_t)(network->prefix_length - 96) };
    memcpy(ipv4.address, network->address + sizeof(mapped_prefix), 4);
    return ipv4;
}

int wall_network_parse(const char *text, struct wall_network *ret_network, struct wall_error *err)
{
    struct wall_network network = { 0 };
    const char *slash = strchr(text, '/');
    uint64_t prefix_length;
    if (!read_address(text, slash ? (size_t)(slash - text) : strlen(text), &network))
        return wall_error_set(err, -EINVAL,
                              "'%s' is not an address: use 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32",
                              text);
    uint64_t bits = network.is_v6 ? 128 : 32;
    if (!slash)
        prefix_length = bits;
    else if (!read_number(slash + 1, strlen(slash + 1), bits, &prefix_length))
        return wall_error_set(err, -EINVAL, "'%s' has a wrong prefix length: it goes from 0 to %" PRIu64, text, bits);
    network.prefix_length = (uint8_t)prefix_length;
    if (!clear_host_bits(&network)) {
        char address[INET6_ADDRSTRLEN];
        inet_ntop(network.is_v6 ? AF_INET6 : AF_INET, network.address, address, sizeof(address));
        return wall_error_set(err, -EINVAL, "'%s' has bits behind its prefix: did you mean %s/%u?", text, address,
                              network.prefix_length);
    }
    *ret_network = wall_network_unmapped(&network);
    return 0;
}
