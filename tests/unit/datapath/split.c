#include "datapath/linux/split.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAYLOAD 3000

// A UDP packet whose payload bytes tell their place.
static size_t make_packet(uint8_t *packet, bool is_v6)
{
    size_t head = (is_v6 ? 40 : 20) + 8, size = head + PAYLOAD;
    memset(packet, 0, head);
    packet[0] = is_v6 ? 0x60 : 0x45;
    packet[is_v6 ? 6 : 9] = 17;
    size_t length = is_v6 ? size - 40 : size, at = is_v6 ? 4 : 2;
    packet[at] = (uint8_t)(length >> 8);
    packet[at + 1] = (uint8_t)length;
    packet[head - 8 + 1] = 7;
    for (size_t i = 0; i < PAYLOAD; i++)
        packet[head + i] = (uint8_t)(i % 251);
    return size;
}

static size_t read16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

static void check_segments(bool is_v6, uint32_t segment_bytes, size_t expected)
{
    uint8_t packet[PAYLOAD + 48], piece[sizeof(packet) + WALL_SPLIT_ROOM];
    size_t size = make_packet(packet, is_v6), ip = is_v6 ? 40 : 20, count = 0, done = 0;
    struct wall_split split;
    assert_int_equal(wall_split_segments(packet, size, segment_bytes, &split), 0);
    for (size_t length; (length = wall_split_next(&split, piece)); count++) {
        size_t payload = length - ip - 8;
        assert_true(payload <= segment_bytes);
        assert_int_equal(read16(piece + ip + 4), payload + 8);
        assert_int_equal(is_v6 ? read16(piece + 4) + 40 : read16(piece + 2), length);
        if (!is_v6)
            assert_int_equal(read16(piece + 4), count);
        assert_memory_equal(piece + ip + 8, packet + ip + 8 + done, payload);
        done += payload;
    }
    assert_int_equal(count, expected);
    assert_int_equal(done, PAYLOAD);
}

static void cuts_segments(void **state)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        check_segments(is_v6, 1000, 3);
        check_segments(is_v6, 1001, 3);
        check_segments(is_v6, 999, 4);
        check_segments(is_v6, 5000, 1);
    }
}

static void check_fragments(bool is_v6)
{
    uint8_t packet[PAYLOAD + 48], piece[sizeof(packet) + WALL_SPLIT_ROOM], whole[PAYLOAD + 8];
    size_t size = make_packet(packet, is_v6), ip = is_v6 ? 40 : 20, head = ip + (is_v6 ? 8 : 0), done = 0;
    bool more = true;
    struct wall_split split;
    assert_int_equal(wall_split_fragments(packet, size, 0x01020304, &split), 0);
    for (size_t length; (length = wall_split_next(&split, piece));) {
        assert_true(more);
        assert_true(length <= WALL_FRAGMENT_BYTES);
        size_t field = read16(piece + (is_v6 ? 42 : 6));
        size_t offset = is_v6 ? field & 0xfff8 : (field & 0x1fff) * 8;
        more = is_v6 ? field & 1 : field & 0x2000;
        assert_int_equal(offset, done);
        assert_int_equal(read16(piece + (is_v6 ? 46 : 4)), 0x0304);
        if (is_v6) {
            assert_int_equal(piece[6], 44);
            assert_int_equal(piece[40], 17);
        }
        assert_int_equal(is_v6 ? read16(piece + 4) + 40 : read16(piece + 2), length);
        memcpy(whole + done, piece + head, length - head);
        done += length - head;
    }
    assert_false(more);
    assert_int_equal(done, sizeof(whole));
    assert_memory_equal(whole, packet + ip, sizeof(whole));
}

static void cuts_fragments(void **state)
{
    check_fragments(false);
    check_fragments(true);
}

static void refuses_what_it_cannot_cut(void **state)
{
    uint8_t packet[PAYLOAD + 48];
    struct wall_split split;
    size_t size = make_packet(packet, false);
    assert_int_equal(wall_split_segments(packet, size, 0, &split), -EBADMSG);
    assert_int_equal(wall_split_segments(packet, 28, 100, &split), -EBADMSG);
    assert_int_equal(wall_split_fragments(packet, 19, 1, &split), -EBADMSG);
    packet[9] = 6;
    assert_int_equal(wall_split_segments(packet, size, 100, &split), -EBADMSG);
    packet[6] = 0x20;
    assert_int_equal(wall_split_fragments(packet, size, 1, &split), -EBADMSG);
    size = make_packet(packet, true);
    packet[6] = 43;
    assert_int_equal(wall_split_fragments(packet, size, 1, &split), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_segments),
        cmocka_unit_test(cuts_fragments),
        cmocka_unit_test(refuses_what_it_cannot_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
