#include "cli/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static struct wall_error err;

static void test_networks(void **state)
{
    struct wall_network network;
    assert_int_equal(wall_network_parse("192.0.2.1", &network, &err), 0);
    assert_false(network.is_v6);
    assert_int_equal(network.prefix_length, 32);
    assert_memory_equal(network.address, ((uint8_t[]){ 192, 0, 2, 1 }), 4);
    assert_int_equal(wall_network_parse("10.0.0.0/8", &network, &err), 0);
    assert_int_equal(network.prefix_length, 8);
    assert_int_equal(wall_network_parse("0.0.0.0/0", &network, &err), 0);
    assert_int_equal(network.prefix_length, 0);
    assert_int_equal(wall_network_parse("2001:db8::/33", &network, &err), 0);
    assert_true(network.is_v6);
    assert_int_equal(network.prefix_length, 33);
    assert_int_equal(wall_network_parse("[::1]", &network, &err), 0);
    assert_int_equal(network.prefix_length, 128);
    assert_int_equal(network.address[15], 1);
    assert_int_equal(wall_network_parse("::/0", &network, &err), 0);
    assert_int_equal(wall_network_parse("::ffff:192.0.2.0/120", &network, &err), 0);
    assert_false(network.is_v6);
    assert_int_equal(network.prefix_length, 24);
    assert_memory_equal(network.address, ((uint8_t[]){ 192, 0, 2, 0 }), 4);
}

static void test_networks_refused(void **state)
{
    static const char *const cases[] = {
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "[10.0.0.1]", "[::1",
        "example.org", "10.0.0", "10.0.0.1 ", " 10.0.0.1", "10.0.0.1:80", "::1%eth0", "10.0.0.0/255.0.0.0",
        "10.0.0.0/99999999999999999999999",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_network network = { .prefix_length = 77 };
        memset(&err, 0, sizeof(err));
        assert_int_equal(wall_network_parse(cases[i], &network, &err), -EINVAL);
        assert_int_equal(network.prefix_length, 77);
        assert_true(err.text[0] != '\0');
    }
}

static void test_host_bits(void **state)
{
    struct wall_network network;
    assert_int_equal(wall_network_parse("10.1.2.3/8", &network, &err), -EINVAL);
    assert_non_null(strstr(err.text, "did you mean 10.0.0.0/8?"));
    assert_int_equal(wall_network_parse("2001:db8:ff00::/36", &network, &err), -EINVAL);
    assert_non_null(strstr(err.text, "did you mean 2001:db8:f000::/36?"));
}

static void test_ports(void **state)
{
    struct wall_port_range range;
    assert_int_equal(wall_port_range_parse("443", &range, &err), 0);
    assert_int_equal(range.first, 443);
    assert_int_equal(range.last, 443);
    assert_int_equal(wall_port_range_parse("1-65535", &range, &err), 0);
    assert_int_equal(range.last, 65535);
    static const char *const cases[] = { "", "0", "-", "1-", "-1", "65536", "1-65536", "20-10", "80x", "80,81",
                                         "80-81-82", "http", "0-5" };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(wall_port_range_parse(cases[i], &range, &err), -EINVAL);
}

static void test_protocols(void **state)
{
    uint8_t protocol;
    assert_int_equal(wall_protocol_parse("tcp", &protocol, &err), 0);
    assert_int_equal(protocol, 6);
    assert_int_equal(wall_protocol_parse("ICMPv6", &protocol, &err), 0);
    assert_int_equal(protocol, 58);
    assert_int_equal(wall_protocol_parse("255", &protocol, &err), 0);
    assert_int_equal(protocol, 255);
    assert_int_equal(wall_protocol_parse("256", &protocol, &err), -EINVAL);
    assert_int_equal(wall_protocol_parse("", &protocol, &err), -EINVAL);
    assert_int_equal(wall_protocol_parse("tcpx", &protocol, &err), -EINVAL);
    assert_string_equal(wall_protocol_name(17), "UDP");
    assert_null(wall_protocol_name(254));
}

static void test_counts(void **state)
{
    uint64_t count;
    assert_int_equal(wall_count_parse("18446744073709551615", UINT64_MAX, &count, &err), 0);
    assert_true(count == UINT64_MAX);
    assert_int_equal(wall_count_parse("18446744073709551616", UINT64_MAX, &count, &err), -EINVAL);
    assert_int_equal(wall_count_parse("16", 15, &count, &err), -EINVAL);
    assert_int_equal(wall_count_parse("", 15, &count, &err), -EINVAL);
    assert_int_equal(wall_count_parse("-1", 15, &count, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_networks_refused),
        cmocka_unit_test(test_host_bits),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
