#include <ntddk.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules.h"

static struct wall_rules rules;
static WCHAR text[WALL_RULES_TEXT_MAX];

static ULONG length_of(const WCHAR *characters)
{
    ULONG length = 0;
    while (characters[length])
        length++;
    return length;
}

// The setters cut their text, so they get a copy.
static WCHAR *copy(const WCHAR *characters)
{
    memcpy(text, characters, (length_of(characters) + 1) * sizeof(WCHAR));
    return text;
}

static int reset(void **state)
{
    memset(&rules, 0, sizeof(rules));
    return 0;
}

static bool app_blocked(const WCHAR *path)
{
    return wall_rules_match_app(&rules, path, length_of(path));
}

static bool remote_blocked(const WCHAR *address_text, UINT16 port, bool has_port)
{
    struct wall_address address;
    assert_true(wall_address_parse(address_text, length_of(address_text), &address));
    return wall_rules_match_remote(&rules, &address, port, has_port);
}

static void test_apps(void **state)
{
    PCWSTR bad;
    assert_int_equal(wall_rules_set_apps(&rules, copy(L"curl,/opt/game/"), &bad), STATUS_SUCCESS);
    assert_true(app_blocked(L"/usr/bin/curl"));
    assert_true(app_blocked(L"curl"));
    assert_true(app_blocked(L"/opt/game/run"));
    assert_false(app_blocked(L"/usr/bin/CURL"));
    assert_false(app_blocked(L"/usr/bin/cur"));
    assert_false(app_blocked(L"/opt/game"));
    assert_false(app_blocked(L""));
    assert_false(wall_rules_match_app(&rules, NULL, 0));
    // Two neighbours in the storage are not one text.
    assert_false(app_blocked(L"rl/o"));
}

static void test_no_rules(void **state)
{
    assert_false(app_blocked(L"/usr/bin/curl"));
    assert_false(remote_blocked(L"1.2.3.4", 80, true));
}

static void test_apps_refused(void **state)
{
    PCWSTR bad;
    assert_int_equal(wall_rules_set_apps(&rules, copy(L"curl,,wget"), &bad), STATUS_INVALID_PARAMETER);
    assert_ptr_equal(bad, text + 5);
    reset(NULL);
    assert_int_equal(wall_rules_set_apps(&rules, copy(L"curl,"), &bad), STATUS_INVALID_PARAMETER);
    reset(NULL);

    WCHAR many[2 * (WALL_RULES_APPS_MAX + 1)];
    for (size_t i = 0; i <= WALL_RULES_APPS_MAX; i++) {
        many[2 * i] = L'a';
        many[2 * i + 1] = L',';
    }
    many[2 * WALL_RULES_APPS_MAX + 1] = L'\0';
    assert_int_equal(wall_rules_set_apps(&rules, copy(many), &bad), STATUS_QUOTA_EXCEEDED);
    assert_ptr_equal(bad, text + 2 * WALL_RULES_APPS_MAX);
    reset(NULL);
    many[2 * WALL_RULES_APPS_MAX - 1] = L'\0';
    assert_int_equal(wall_rules_set_apps(&rules, copy(many), &bad), STATUS_SUCCESS);
}

static void test_remotes(void **state)
{
    PCWSTR bad;
    assert_int_equal(wall_rules_set_remotes(&rules, copy(L"10.0.0.1,10.0.0.2:80,[2001:db8::1]:443,:25,2001:db8::2"),
                                            &bad),
                     STATUS_SUCCESS);
    assert_true(remote_blocked(L"10.0.0.1", 1, true));
    assert_true(remote_blocked(L"10.0.0.1", 0, false));
    assert_true(remote_blocked(L"::ffff:10.0.0.1", 1, true));
    assert_true(remote_blocked(L"10.0.0.2", 80, true));
    assert_false(remote_blocked(L"10.0.0.2", 81, true));
    assert_false(remote_blocked(L"10.0.0.2", 80, false));
    assert_true(remote_blocked(L"2001:db8::1", 443, true));
    assert_false(remote_blocked(L"2001:db8::1", 80, true));
    assert_true(remote_blocked(L"2001:db8::2", 80, true));
    assert_true(remote_blocked(L"2001:db8::3", 25, true));
    assert_false(remote_blocked(L"2001:db8::3", 25, false));
    assert_false(remote_blocked(L"10.0.0.3", 26, true));
}

static void test_bracket_without_port(void **state)
{
    PCWSTR bad;
    assert_int_equal(wall_rules_set_remotes(&rules, copy(L"[::1]"), &bad), STATUS_SUCCESS);
    assert_true(remote_blocked(L"::1", 80, true));
}

static void test_remotes_refused(void **state)
{
    static const WCHAR *const cases[] = {
        L",", L":", L":0", L":65536", L":80x", L"1.2.3.4:", L"1.2.3.4:0", L"1.2.3:80", L"[::1", L"[::1]:", L"[::1]80",
        L"[::1]:0", L"[]", L"[]:80", L"[1.2.3.4]:80", L"]", L"example.org", L"example.org:80", L"1.2.3.4 ", L"::1]:80",
        L"10.0.0.0/8", L"[[::1]]:80", L"1.2.3.4,", L"[::1]:80:90",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PCWSTR bad = NULL;
        reset(NULL);
        assert_int_equal(wall_rules_set_remotes(&rules, copy(cases[i]), &bad), STATUS_INVALID_PARAMETER);
        assert_non_null(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_apps, reset),
        cmocka_unit_test_setup(test_no_rules, reset),
        cmocka_unit_test_setup(test_apps_refused, reset),
        cmocka_unit_test_setup(test_remotes, reset),
        cmocka_unit_test_setup(test_bracket_without_port, reset),
        cmocka_unit_test_setup(test_remotes_refused, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
