#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/guid.h"

static const GUID CONNECT_V4 = { 0xc38d57d1, 0x05a7, 0x4c33, { 0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82 } };

static void parses_and_prints(void **state)
{
    GUID guid;
    assert_true(wall_guid_parse("c38d57d1-05a7-4c33-904f-7fbceee60e82", &guid));
    assert_true(wall_guid_equal(&guid, &CONNECT_V4));
    assert_true(wall_guid_parse("{C38D57D1-05A7-4C33-904F-7FBCEEE60E82}", &guid));
    assert_true(wall_guid_equal(&guid, &CONNECT_V4));
    char text[WALL_GUID_TEXT_SIZE];
    wall_guid_print(&guid, text);
    assert_string_equal(text, "c38d57d1-05a7-4c33-904f-7fbceee60e82");
}

static void refuses_everything_else(void **state)
{
    static const char *const texts[] = {
        "", "{}", "c38d57d1", "c38d57d1-05a7-4c33-904f-7fbceee60e8", "c38d57d1-05a7-4c33-904f-7fbceee60e822",
        "{c38d57d1-05a7-4c33-904f-7fbceee60e82", "c38d57d1-05a7-4c33-904f-7fbceee60e82}",
        "c38d57d1-05a7-4c33-904f7-fbceee60e82", "g38d57d1-05a7-4c33-904f-7fbceee60e82",
        "c38d57d1 05a7-4c33-904f-7fbceee60e82", "c38d57d1-05a7-4c33-904f-7fbceee60e8-",
    };
    GUID guid = CONNECT_V4;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(wall_guid_parse(texts[i], &guid));
        assert_true(wall_guid_equal(&guid, &CONNECT_V4));
    }
}

static void orders_as_printed(void **state)
{
    static const char *const texts[] = {
        "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0100-000000000000", "00000000-0000-0001-0000-000000000000",
        "00000000-0001-0000-0000-000000000000", "00000001-0000-0000-0000-000000000000",
        "01000000-0000-0000-0000-000000000000",
    };
    enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
    GUID guids[COUNT];
    for (int i = 0; i < COUNT; i++)
        assert_true(wall_guid_parse(texts[i], &guids[i]));
    for (int a = 0; a < COUNT; a++) {
        for (int b = 0; b < COUNT; b++) {
            int order = wall_guid_compare(&guids[a], &guids[b]);
            assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
        }
    }
    assert_true(wall_guid_is_zero(&guids[0]));
    assert_false(wall_guid_is_zero(&guids[1]));
}

static void random_ones_are_version_4_and_differ(void **state)
{
    GUID a, b;
    assert_int_equal(wall_guid_random(&a), 0);
    assert_int_equal(wall_guid_random(&b), 0);
    assert_false(wall_guid_equal(&a, &b));
    assert_int_equal(a.Data3 >> 12, 4);
    assert_int_equal(a.Data4[0] >> 6, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_prints),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(orders_as_printed),
        cmocka_unit_test(random_ones_are_version_4_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
