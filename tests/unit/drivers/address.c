#include <ntddk.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

static ULONG length_of(const WCHAR *text)
{
    ULONG length = 0;
    while (text[length])
        length++;
    return length;
}

static void test_round_trip(void **state)
{
    static const struct {
        const WCHAR *text;
        const char *printed;
    } cases[] = {
        { L"0.0.0.0", "0.0.0.0" },
        { L"255.255.255.255", "255.255.255.255" },
        { L"10.0.0.5", "10.0.0.5" },
        { L"::", "::" },
        { L"::1", "::1" },
        { L"1::", "1::" },
        { L"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { L"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
        { L"2001:0db8::0001", "2001:db8::1" },
        { L"1:0:0:2:0:0:0:3", "1:0:0:2::3" },
        { L"fe80::1:2:3:4", "fe80::1:2:3:4" },
        { L"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
        { L"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { L"::ffff:1.2.3.4", "1.2.3.4" },
        { L"64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
        { L"1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221" },
        { L"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_address address;
        CHAR text[WALL_ADDRESS_TEXT_MAX];
        assert_true(wall_address_parse(cases[i].text, length_of(cases[i].text), &address));
        wall_address_print(&address, text);
        assert_string_equal(text, cases[i].printed);
    }
}

static void test_refused(void **state)
{
    static const WCHAR *const cases[] = {
        L"", L".", L"1.2.3", L"1.2.3.4.5", L"1.2.3.", L".1.2.3", L"1..2.3", L"256.0.0.1", L"01.2.3.4", L"1.2.3.4 ",
        L" 1.2.3.4", L"1.2.3.-4", L"a.b.c.d", L":", L":::", L"1:2", L"1:2:3:4:5:6:7", L"1:2:3:4:5:6:7:8:9",
        L"1::2::3", L"12345::", L"g::", L"1:2:3:4:5:6:7:8::", L"::1:2:3:4:5:6:7:8", L"1:2:3:4::5:6:7:8", L"::1.2.3",
        L"1.2.3.4::", L"1:2:3:4:5:6:7:1.2.3.4", L"fe80::1%eth0", L":1::", L"1::2:", L"[::1]",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_address address = { { 0x5a } };
        assert_false(wall_address_parse(cases[i], length_of(cases[i]), &address));
        assert_int_equal(address.bytes[0], 0x5a);
    }
}

static void test_from_v4(void **state)
{
    struct wall_address address;
    CHAR text[WALL_ADDRESS_TEXT_MAX];
    wall_address_from_v4(0x7f000001, &address);
    assert_true(wall_address_is_v4(&address));
    wall_address_print(&address, text);
    assert_string_equal(text, "127.0.0.1");
}

static void test_number(void **state)
{
    UINT32 number;
    assert_true(wall_number_parse(L"65535", 5, 65535, &number));
    assert_int_equal(number, 65535);
    assert_true(wall_number_parse(L"0", 1, 65535, &number));
    assert_false(wall_number_parse(L"65536", 5, 65535, &number));
    assert_false(wall_number_parse(L"4294967297", 10, 65535, &number));
    assert_false(wall_number_parse(L"", 0, 65535, &number));
    assert_false(wall_number_parse(L"-1", 2, 65535, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_from_v4),
        cmocka_unit_test(test_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
