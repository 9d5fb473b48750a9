#include "datapath/linux/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct wall_packet_ends unchanged;

// What a receiver checks: the sum over pseudo header and payload, checksum included, is all ones.
static uint16_t receiver_sum(const uint8_t *packet, size_t size, size_t transport)
{
    bool is_v6 = packet[0] >> 4 == 6;
    const uint8_t *addresses = packet + (is_v6 ? 8 : 12);
    uint32_t sum = (is_v6 ? packet[6] : packet[9]) + (uint32_t)(size - transport);
    for (size_t i = 0; i < (is_v6 ? 32u : 8u); i += 2)
        sum += (uint32_t)(addresses[i] << 8 | addresses[i + 1]);
    for (size_t i = transport; i < size; i++)
        sum += (i - transport) & 1 ? packet[i] : (uint32_t)packet[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t header_sum(const uint8_t *packet)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < (packet[0] & 0xfu) * 4; i += 2)
        sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

// 10.0.0.1:1000 to 10.0.0.2:53, payload "abc", the checksum partial as the kernel leaves it.
static const uint8_t udp4[] = {
    0x45, 0, 0, 31, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    0x03, 0xe8, 0, 53, 0, 11, 0x14, 0x21, 'a', 'b', 'c',
};

static const uint8_t other4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 11 };

static void completes_udp(void **state)
{
    uint8_t packet[sizeof(udp4)];
    memcpy(packet, udp4, sizeof(packet));
    assert_int_equal(wall_packet_prepare(packet, sizeof(packet), &unchanged), 0);
    assert_int_equal(receiver_sum(packet, sizeof(packet), 20), 0xffff);
    assert_int_equal(header_sum(packet), 0xffff);
    assert_memory_equal(packet + 12, udp4 + 12, 8);
    assert_memory_equal(packet + 28, "abc", 3);
}

static void puts_ends_right(void **state)
{
    uint8_t packet[sizeof(udp4)];
    memcpy(packet, udp4, sizeof(packet));
    struct wall_packet_ends ends = { .remote_address = other4, .remote_port = 5353 };
    assert_int_equal(wall_packet_prepare(packet, sizeof(packet), &ends), 0);
    assert_memory_equal(packet + 12, udp4 + 12, 4);
    assert_memory_equal(packet + 16, other4 + 12, 4);
    assert_int_equal(packet[20] << 8 | packet[21], 1000);
    assert_int_equal(packet[22] << 8 | packet[23], 5353);
    assert_int_equal(receiver_sum(packet, sizeof(packet), 20), 0xffff);
}

// An IPv6 SYN behind a hop-by-hop header.
static void completes_tcp_behind_extension(void **state)
{
    uint8_t packet[40 + 8 + 20] = { 0x60 };
    packet[5] = 28;
    packet[6] = 0;  // hop-by-hop
    packet[7] = 64;
    packet[8] = 0xfd, packet[23] = 1, packet[24] = 0xfd, packet[39] = 2;
    packet[40] = 6;
    packet[41] = 0;
    uint8_t *tcp = packet + 48;
    tcp[0] = 4, tcp[2] = 1, tcp[12] = 0x50, tcp[13] = 2;
    tcp[16] = 0xab, tcp[17] = 0xcd;
    assert_int_equal(wall_packet_prepare(packet, sizeof(packet), &unchanged), 0);
    packet[6] = 6;  // the pseudo header names the transport
    assert_int_equal(receiver_sum(packet, sizeof(packet), 48), 0xffff);
}

static void refuses_what_it_cannot_complete(void **state)
{
    uint8_t packet[sizeof(udp4)];
    for (size_t size = 0; size < sizeof(udp4); size++) {
        uint8_t *exact = malloc(size ? size : 1);  // an access behind its end is found by the sanitizers
        memcpy(exact, udp4, size);
        assert_int_equal(wall_packet_prepare(exact, size, &unchanged), -EBADMSG);
        free(exact);
    }
    memcpy(packet, udp4, sizeof(packet));
    packet[0] = 0x4f;  // a header longer than the packet
    assert_int_equal(wall_packet_prepare(packet, sizeof(packet), &unchanged), -EBADMSG);
    memcpy(packet, udp4, sizeof(packet));
    packet[6] = 0x20;  // a fragment
    assert_int_equal(wall_packet_prepare(packet, sizeof(packet), &unchanged), -EBADMSG);
    uint8_t routed[40 + 8] = { 0x60, [5] = 8, [6] = 43, [40] = 17 };
    assert_int_equal(wall_packet_prepare(routed, sizeof(routed), &unchanged), -EBADMSG);
    uint8_t endless[40 + 80] = { 0x60, [5] = 80 };  // hop-by-hop headers all the way
    assert_int_equal(wall_packet_prepare(endless, sizeof(endless), &unchanged), -EBADMSG);
}

static void survives_any_bytes(void **state)
{
    uint8_t packet[128];
    srandom(1);
    for (int round = 0; round < 200000; round++) {
        size_t size = (size_t)random() % sizeof(packet);
        uint8_t *exact = malloc(size ? size : 1);
        for (size_t i = 0; i < size; i++)
            exact[i] = (uint8_t)random();
        if (size > 5) {
            exact[0] = round & 1 ? 0x45 : 0x60;
            exact[2] = exact[4] = 0;
            exact[round & 1 ? 3 : 5] = (uint8_t)(round & 1 ? size : size - 40);
        }
        uint8_t destination[16];
        wall_packet_prepare(exact, size, &unchanged);
        wall_packet_destination(exact, size, destination);
        free(exact);
    }
}

static void tells_destination(void **state)
{
    uint8_t address[16], v6[40] = { 0x60, [24] = 0xfd, [39] = 2 };
    assert_int_equal(wall_packet_destination(udp4, sizeof(udp4), address), AF_INET);
    assert_memory_equal(address, udp4 + 16, 4);
    assert_int_equal(wall_packet_destination(v6, sizeof(v6), address), AF_INET6);
    assert_memory_equal(address, v6 + 24, 16);
    assert_int_equal(wall_packet_destination(v6, 39, address), 0);
    assert_int_equal(wall_packet_destination((const uint8_t *)"", 0, address), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_udp),
        cmocka_unit_test(puts_ends_right),
        cmocka_unit_test(completes_tcp_behind_extension),
        cmocka_unit_test(refuses_what_it_cannot_complete),
        cmocka_unit_test(survives_any_bytes),
        cmocka_unit_test(tells_destination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
