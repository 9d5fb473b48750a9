// What has no port, or writes its own headers: ping, raw IP, SCTP, frames.
#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW_LOCAL_PORT 7900
#define CARD "cable"

static uint16_t checksum(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

// Waits for something of the peer's: a raw socket hears what is for others too.
static bool hears(int fd, const struct end *remote, int wait_ms)
{
    while (await_readable(fd, wait_ms)) {
        char data[2000];
        struct end from = { .size = sizeof(from.address) };
        if (recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from.address, &from.size) < 0)
            return false;
        if (from.size == remote->size && !memcmp(&from.address, &remote->address, from.size))
            return true;
    }
    return false;
}

// An echo request and its answer. A held ping socket may be told ENOBUFS; `ping` then tries again, as is done here.
static void ping(const char *address, int type)
{
    struct end remote = end_of(address, 0);
    bool six = remote.address.ss_family == AF_INET6;
    int fd = socket_or_none(remote.address.ss_family, type, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    unsigned char request[16] = { six ? 128 : 8, 0, 0, 0, 0x52, 0x57, 0, 1, 'r', 'i', 'n', 'g', 'w', 'a', 'l', 'l' };
    if (!six) {
        uint16_t sum = checksum(request, sizeof(request));
        memcpy(request + 2, &sum, 2);
    }
    bool good = false;
    for (int i = 0; i < ATTEMPTS && !good; i++) {
        ssize_t sent = sendto(fd, request, sizeof(request), 0, sockaddr_of(&remote), remote.size);
        if (sent < 0 && errno != ENOBUFS)
            break;
        if (i == 0)
            print_flow_ports(six ? "icmpv6" : "icmp", request[0], &remote, 0);
        good = hears(fd, &remote, sent < 0 ? WAIT_MS / 4 : WAIT_MS);
    }
    exchange_is(good, "ping");
    close(fd);
}

static void icmp_echo(const struct target *target)
{
    ping(target->address4, SOCK_DGRAM);
    ping(target->address6, SOCK_DGRAM);
}

static void icmp_raw(const struct target *target)
{
    ping(target->address4, SOCK_RAW);
    ping(target->address6, SOCK_RAW);
}

// The card's address, read without a socket call that a filter could refuse.
static struct end card_address(void)
{
    struct ifreq request = { .ifr_name = CARD };
    struct end end = { .size = sizeof(struct sockaddr_in) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(fd, SIOCGIFADDR, &request))
        perror(CARD);
    memcpy(&end.address, &request.ifr_addr, sizeof(struct sockaddr_in));
    close(fd);
    return end;
}

// Two programs do this beside each other: each has a port of its own, told by the peer's address.
static uint16_t local_port(const struct end *remote)
{
    uint32_t address = ((const struct sockaddr_in *)&remote->address)->sin_addr.s_addr;
    return (uint16_t)(RAW_LOCAL_PORT + (ntohl(address) & 0xff));
}

struct datagram {
    struct iphdr ip;
    struct udphdr udp;
    char data[12];
};

static void fill_datagram(const struct end *remote, struct datagram *ret_datagram)
{
    *ret_datagram = (struct datagram){
        .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof(*ret_datagram)) },
        .udp = { .source = htons(local_port(remote)), .dest = htons(UDP_PORT),
                 .len = htons(sizeof(*ret_datagram) - sizeof(struct iphdr)) },
        .data = "hello, peer",
    };
    struct end local = card_address();
    ret_datagram->ip.saddr = ((struct sockaddr_in *)&local.address)->sin_addr.s_addr;
    ret_datagram->ip.daddr = ((const struct sockaddr_in *)&remote->address)->sin_addr.s_addr;
    ret_datagram->ip.check = checksum(&ret_datagram->ip, sizeof(ret_datagram->ip));
}

// A UDP datagram written by hand; an ordinary socket on the same port hears the answer.
static void raw_ip(const struct target *target)
{
    struct end remote = end_of(target->address4, 0);
    struct end local = end_of("0.0.0.0", local_port(&remote));
    int fd = socket_or_none(AF_INET, SOCK_RAW, IPPROTO_RAW), ear = socket(AF_INET, SOCK_DGRAM, 0);
    struct datagram datagram;
    if (bind(ear, sockaddr_of(&local), local.size))
        perror("bind");
    struct end peer = end_of(target->address4, UDP_PORT);
    fill_datagram(&remote, &datagram);
    bool good = false;
    for (int i = 0; i < ATTEMPTS && !good; i++) {
        if (sendto(fd, &datagram, sizeof(datagram), 0, sockaddr_of(&remote), remote.size) < 0 && errno != ENOBUFS)
            break;
        if (i == 0)
            print_flow_ports("udp", local_port(&remote), &peer, UDP_PORT);
        good = receive_datagram(ear, datagram.data, sizeof(datagram.data));
    }
    exchange_is(good, "raw");
}

// Another protocol of IP that no hook at a call knows: 253 is for experiments.
static void raw_protocol(const struct target *target)
{
    const char *addresses[] = { target->address4, target->address6 };
    for (int i = 0; i < 2; i++) {
        struct end remote = end_of(addresses[i], 0);
        int fd = socket_or_none(remote.address.ss_family, SOCK_RAW, 253);
        bool sent = false;
        for (int n = 0; n < 2 * ATTEMPTS && !sent; n++) {
            sent = sendto(fd, "hello", 5, 0, sockaddr_of(&remote), remote.size) == 5;
            if (!sent && errno != ENOBUFS)
                break;
            if (n == 0)
                print_flow_ports("253", 0, &remote, 0);
            await_readable(fd, WAIT_MS / 4);  // nobody answers
        }
        exchange_is(sent, "sendto");
        close(fd);
    }
}

static void sctp(const struct target *target)
{
    struct end remote = end_of(target->address4, TCP_PORT);
    int fd = socket_or_none(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    exchange_is(connect(fd, sockaddr_of(&remote), remote.size) == 0, "connect");
    print_flow(fd, "sctp", &remote);
}

// A whole frame, handed to the network card: no routing, no hook of IP.
static void packet_frame(const struct target *target)
{
    struct {
        struct ether_header ethernet;
        struct datagram datagram;
    } __attribute__((packed)) frame = {
        .ethernet = { .ether_dhost = { 2, 0, 0, 0, 0, 2 }, .ether_shost = { 2, 0, 0, 0, 0, 1 },
                      .ether_type = htons(ETHERTYPE_IP) },
    };
    struct end remote = end_of(target->address4, 0);
    struct datagram datagram;
    fill_datagram(&remote, &datagram);
    memcpy(&frame.datagram, &datagram, sizeof(datagram));
    struct sockaddr_ll card = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(CARD), .sll_halen = 6 };
    int fd = socket_or_none(AF_PACKET, SOCK_RAW, 0);
    ssize_t sent = sendto(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&card, sizeof(card));
    exchange_is(sent == sizeof(frame), "sendto");
    struct end peer = end_of(target->address4, UDP_PORT);
    print_flow_ports("udp", local_port(&remote), &peer, UDP_PORT);
}

const struct scenario raw_scenarios[] = {
    { "icmp", icmp_echo },
    { "icmp-raw", icmp_raw },
    { "raw-ip", raw_ip },
    { "raw-protocol", raw_protocol },
    { "sctp", sctp },
    { "packet", packet_frame },
    { 0 },
};
