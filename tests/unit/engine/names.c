// Symbolic names of GUIDs.
#include "engine/names.h"

#include "base/guid.h"
#include "fixture.h"

static void both_directions(void **state)
{
    for (int kind = 0; kind < WALL_NAME_COUNT_; kind++) {
        size_t count;
        const struct wall_name *names = wall_name_list((enum wall_name_kind)kind, &count);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(wall_name_of((enum wall_name_kind)kind, names[i].key), names[i].name);
            assert_ptr_equal(wall_name_find((enum wall_name_kind)kind, names[i].name), names[i].key);
        }
    }
}

static void how_many(void **state)
{
    static const size_t counts[] = { 97, 18, 138, 9, 2, 51, 3 };
    for (int kind = 0; kind < WALL_NAME_COUNT_; kind++) {
        size_t count;
        (void)wall_name_list((enum wall_name_kind)kind, &count);
        assert_int_equal(count, counts[kind]);
    }
    assert_int_equal(WALL_KEY_COUNT_, 138);
}

static void values_of_the_reference(void **state)
{
    static const struct {
        enum wall_name_kind kind;
        const char *name, *guid;
    } rows[] = {
        { WALL_NAME_LAYER, "FWPM_LAYER_ALE_AUTH_CONNECT_V4", "c38d57d1-05a7-4c33-904f-7fbceee60e82" },
        { WALL_NAME_LAYER, "ALE_AUTH_RECV_ACCEPT_V6", "a3b42c97-9f04-4672-b87e-cee9c483257f" },
        { WALL_NAME_CONDITION, "FWPM_CONDITION_ALE_APP_ID", "d78e1e87-8644-4ea5-9437-d809ecefc971" },
        { WALL_NAME_CONDITION, "ICMP_TYPE", "0c1ba1af-5765-453f-af22-a8f791ac775b" },
        { WALL_NAME_SUBLAYER, "UNIVERSAL", "eebecc03-ced4-4380-819a-2734397b2b74" },
        { WALL_NAME_PROVIDER, "IPSEC_DOSP_CONFIG", "3c6c05a9-c05c-4bb9-8338-2327814ce8bf" },
        { WALL_NAME_CALLOUT, "TEREDO_ALE_LISTEN_V6", "81a434e7-f60c-4378-bab8-c625a30f0197" },
        { WALL_NAME_KEYING_MODULE, "IKEV2", "041792cc-8f07-419d-a394-716968cb1647" },
        { WALL_NAME_PROVIDER_CONTEXT, "SECURE_SOCKET_IPSEC", "8c2d4144-f8e0-42c0-94ce-7ccfc63b2f9b" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        GUID guid;
        assert_true(wall_guid_parse(rows[i].guid, &guid));
        const GUID *found = wall_name_find(rows[i].kind, rows[i].name);
        assert_non_null(found);
        assert_true(wall_guid_equal(found, &guid));
    }
}

static void aliases_are_understood_but_not_said(void **state)
{
    assert_string_equal(wall_name_of(WALL_NAME_CONDITION, &FWPM_CONDITION_ICMP_TYPE), "FWPM_CONDITION_IP_LOCAL_PORT");
    assert_ptr_equal(wall_name_find(WALL_NAME_CONDITION, "FWPM_CONDITION_ICMP_CODE"), &FWPM_CONDITION_IP_REMOTE_PORT);
    assert_ptr_equal(wall_name_find(WALL_NAME_CONDITION, "INTERFACE"), &FWPM_CONDITION_IP_LOCAL_INTERFACE);
}

static void unknown_ones(void **state)
{
    assert_null(wall_name_find(WALL_NAME_LAYER, "FWPM_LAYER_"));
    assert_null(wall_name_find(WALL_NAME_LAYER, "FWPM_CONDITION_FLAGS"));
    assert_null(wall_name_of(WALL_NAME_LAYER, &FWPM_CONDITION_FLAGS));
}

static void keys_are_positions(void **state)
{
    assert_true(wall_guid_equal(wall_key_guid(WALL_KEY_IP_REMOTE_PORT), &FWPM_CONDITION_IP_REMOTE_PORT));
    assert_true(wall_guid_equal(wall_key_guid(WALL_KEY_RESERVED15), &FWPM_CONDITION_RESERVED15));
    assert_true(wall_guid_equal(wall_key_guid((enum wall_key)0), &FWPM_CONDITION_ALE_PACKAGE_FAMILY_NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions),
        cmocka_unit_test(how_many),
        cmocka_unit_test(values_of_the_reference),
        cmocka_unit_test(aliases_are_understood_but_not_said),
        cmocka_unit_test(unknown_ones),
        cmocka_unit_test(keys_are_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
