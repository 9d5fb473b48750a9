#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sid.h"

static void expect_round_trip(const char *text)
{
    union wall_sid sid;
    assert_true(wall_sid_parse(text, &sid));
    char printed[WALL_SID_TEXT_SIZE];
    wall_sid_print(&sid.sid, printed);
    assert_string_equal(printed, text);
    size_t size = 0;
    assert_true(wall_sid_check(sid.bytes, sizeof(sid.bytes), &size));
    assert_int_equal(size, wall_sid_size(&sid.sid));
}

static void parses_and_prints(void **state)
{
    expect_round_trip("S-1-1-0");
    expect_round_trip("S-1-5-32-544");
    expect_round_trip("S-1-22-1-4294967295");
    expect_round_trip("S-1-4294967295-7");
    expect_round_trip("S-1-0x123456789abc-7");
    expect_round_trip("S-1-5");
    expect_round_trip("S-1-0x7fffffffffff-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295"
                      "-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295");
}

static void the_layout_is_windows(void **state)
{
    const uint8_t administrators[16] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0 };
    union wall_sid sid;
    assert_true(wall_sid_parse("s-1-5-32-544", &sid));
    assert_int_equal(wall_sid_size(&sid.sid), 16);
    assert_memory_equal(sid.bytes, administrators, 16);
    assert_true(wall_sid_equal(&sid.sid, (const SID *)administrators));
}

static void refuses_everything_else(void **state)
{
    static const char *const texts[] = {
        "", "S", "S-1", "S-1-", "S-2-5-32", "S-1-5-", "S-1-5--1", "S-1-5-4294967296", "S-1-281474976710656-1",
        "S-1-0x-1", "S-1-5 ", "S-1-5-32x", "X-1-5",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    };
    union wall_sid sid;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(wall_sid_parse(texts[i], &sid));
}

static void users_and_groups(void **state)
{
    union wall_sid user, group;
    wall_sid_from_user(1000, &user);
    wall_sid_from_group(1000, &group);
    char text[WALL_SID_TEXT_SIZE];
    wall_sid_print(&user.sid, text);
    assert_string_equal(text, "S-1-22-1-1000");
    wall_sid_print(&group.sid, text);
    assert_string_equal(text, "S-1-22-2-1000");
    assert_false(wall_sid_equal(&user.sid, &group.sid));

    uint32_t number = 0;
    assert_true(wall_sid_to_user(&user.sid, &number));
    assert_int_equal(number, 1000);
    assert_false(wall_sid_to_user(&group.sid, &number));
    assert_true(wall_sid_to_group(&group.sid, &number));
    union wall_sid other;
    assert_true(wall_sid_parse("S-1-22-1-5-6", &other));
    assert_false(wall_sid_to_user(&other.sid, &number));
    assert_true(wall_sid_parse("S-1-23-1-5", &other));
    assert_false(wall_sid_to_user(&other.sid, &number));
}

static void bytes_are_checked(void **state)
{
    union wall_sid sid;
    wall_sid_from_user(7, &sid);
    size_t size = 0;
    assert_true(wall_sid_check(sid.bytes, 16, &size));
    assert_int_equal(size, 16);
    assert_false(wall_sid_check(sid.bytes, 15, &size));
    assert_false(wall_sid_check(sid.bytes, 7, &size));
    sid.bytes[1] = 16;
    assert_false(wall_sid_check(sid.bytes, sizeof(sid.bytes), &size));
    sid.bytes[1] = 2;
    sid.bytes[0] = 2;
    assert_false(wall_sid_check(sid.bytes, sizeof(sid.bytes), &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_prints),
        cmocka_unit_test(the_layout_is_windows),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(users_and_groups),
        cmocka_unit_test(bytes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
