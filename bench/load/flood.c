// W5: SYNs from ever new addresses of 127/8 to --port, where nothing listens; what one costs until it is refused or
// dropped. The sender's own thread carries it through the receiving side.
#include "load.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

struct segment {
    struct iphdr ip;
    struct tcphdr tcp;
};

static uint16_t checksum(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void fill(struct segment *segment, uint32_t number, uint16_t port)
{
    uint32_t source = 0x7f010001u + (number & 0xffff), destination = INADDR_LOOPBACK;
    memset(segment, 0, sizeof(*segment));
    segment->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP };
    segment->ip.tot_len = htons(sizeof(*segment));
    segment->ip.saddr = htonl(source);
    segment->ip.daddr = htonl(destination);
    segment->tcp.source = htons((uint16_t)(1024 + (number >> 16)));
    segment->tcp.dest = htons(port);
    segment->tcp.seq = htonl(number);
    segment->tcp.doff = 5;
    segment->tcp.syn = 1;
    segment->tcp.window = htons(65535);
    uint32_t pseudo = (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + IPPROTO_TCP +
                      sizeof(segment->tcp);
    segment->tcp.check = checksum(pseudo, &segment->tcp, sizeof(segment->tcp));
}

int flood_run(const struct options *options)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct segment segment;
    struct samples samples;
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0)
        die("raw socket");
    samples_begin(&samples, options);
    do {
        fill(&segment, samples.count, options->port);
        if (sendto(fd, &segment, sizeof(segment), 0, (const struct sockaddr *)&address, sizeof(address)) < 0)
            die("sendto");
    } while (samples_add(&samples));
    samples_report(&samples, "");
    return 0;
}
