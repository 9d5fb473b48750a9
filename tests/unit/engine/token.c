// Access checks of security descriptors against tokens.
#include "engine/token.h"

#include "base/sid.h"
#include "fixture.h"

struct entry {
    uint8_t type, flags;
    uint32_t mask;
    const char *sid;
};

// A self-relative descriptor with these entries. `count` < 0: without a DACL.
static FWP_BYTE_BLOB make_descriptor(uint8_t *buffer, const struct entry *entries, int count)
{
    memset(buffer, 0, 20);
    buffer[0] = 1;
    uint16_t control = SE_SELF_RELATIVE | (count >= 0 ? SE_DACL_PRESENT : 0);
    memcpy(buffer + 2, &control, 2);
    if (count < 0)
        return (FWP_BYTE_BLOB){ 20, buffer };

    uint32_t offset = 20;
    memcpy(buffer + 16, &offset, 4);
    uint8_t *at = buffer + 28;
    for (int i = 0; i < count; i++) {
        union wall_sid sid;
        assert_true(wall_sid_parse(entries[i].sid, &sid));
        uint16_t size = (uint16_t)(8 + wall_sid_size(&sid.sid));
        at[0] = entries[i].type;
        at[1] = entries[i].flags;
        memcpy(at + 2, &size, 2);
        memcpy(at + 4, &entries[i].mask, 4);
        memcpy(at + 8, sid.bytes, wall_sid_size(&sid.sid));
        at += size;
    }
    uint16_t acl_size = (uint16_t)(at - (buffer + 20)), acl_count = (uint16_t)count;
    buffer[20] = ACL_REVISION;
    buffer[21] = 0;
    memcpy(buffer + 22, &acl_size, 2);
    memcpy(buffer + 24, &acl_count, 2);
    memset(buffer + 26, 0, 2);
    return (FWP_BYTE_BLOB){ (UINT32)(at - buffer), buffer };
}

static bool grants(const struct entry *entries, int count)
{
    uint8_t descriptor[512], token[256];
    const uint32_t groups[] = { 100, 27 };
    FWP_BYTE_BLOB sd = make_descriptor(descriptor, entries, count);
    FWP_BYTE_BLOB who = { (UINT32)wall_token_build(1000, groups, 2, token, sizeof(token)), token };
    assert_true(wall_descriptor_check(&sd));
    assert_true(wall_token_check(&who));
    return wall_descriptor_grants(&sd, &who);
}

#define USER "S-1-22-1-1000"
#define OTHER "S-1-22-1-1001"
#define GROUP "S-1-22-2-27"
#define ALLOW(sid) { ACCESS_ALLOWED_ACE_TYPE, 0, FWP_ACTRL_MATCH_FILTER, sid }
#define DENY(sid) { ACCESS_DENIED_ACE_TYPE, 0, FWP_ACTRL_MATCH_FILTER, sid }

static void entries_count_in_their_order(void **state)
{
    assert_true(grants((const struct entry[]){ ALLOW(USER) }, 1));
    assert_true(grants((const struct entry[]){ ALLOW(GROUP) }, 1));
    assert_true(grants((const struct entry[]){ ALLOW("S-1-1-0") }, 1));
    assert_false(grants((const struct entry[]){ ALLOW(OTHER) }, 1));
    assert_false(grants((const struct entry[]){ ALLOW("S-1-22-2-1000") }, 1));
    assert_false(grants((const struct entry[]){ DENY(USER), ALLOW("S-1-1-0") }, 2));
    assert_true(grants((const struct entry[]){ ALLOW(GROUP), DENY(USER) }, 2));
    assert_true(grants((const struct entry[]){ DENY(OTHER), ALLOW(USER) }, 2));
    assert_false(grants((const struct entry[]){ DENY(GROUP), ALLOW(USER) }, 2));
}

// Whether the users a descriptor is said to grant are the ones it grants.
static void compare_users(const struct entry *entries, int count)
{
    uint8_t descriptor[512], token[256];
    FWP_BYTE_BLOB sd = make_descriptor(descriptor, entries, count);
    struct wall_descriptor_user users[8];
    size_t user_count;
    bool others;
    assert_true(wall_descriptor_users(&sd, users, 8, &user_count, &others));
    for (uint32_t user = 998; user < 1005; user++) {
        FWP_BYTE_BLOB who = { (UINT32)wall_token_build(user, NULL, 0, token, sizeof(token)), token };
        bool granted = others;
        for (size_t i = 0; i < user_count; i++)
            if (users[i].user_id == user)
                granted = users[i].granted;
        assert_int_equal(granted, wall_descriptor_grants(&sd, &who));
    }
}

static void users_are_told(void **state)
{
    compare_users(NULL, -1);
    compare_users(NULL, 0);
    compare_users((const struct entry[]){ ALLOW(USER) }, 1);
    compare_users((const struct entry[]){ DENY(USER), ALLOW("S-1-1-0") }, 2);
    compare_users((const struct entry[]){ ALLOW(OTHER), DENY("S-1-1-0"), ALLOW(USER) }, 3);
    compare_users((const struct entry[]){ ALLOW(OTHER), DENY(OTHER), ALLOW(USER) }, 3);
    compare_users((const struct entry[]){ { ACCESS_ALLOWED_ACE_TYPE, 0, 2, USER }, ALLOW("S-1-5-18") }, 2);
    compare_users((const struct entry[]){ ALLOW("S-1-1-0"), DENY(GROUP) }, 2);

    uint8_t descriptor[512];
    struct wall_descriptor_user users[1];
    size_t count;
    bool others;
    FWP_BYTE_BLOB groups = make_descriptor(descriptor, (const struct entry[]){ DENY(GROUP), ALLOW(USER) }, 2);
    assert_false(wall_descriptor_users(&groups, users, 1, &count, &others));
    FWP_BYTE_BLOB two = make_descriptor(descriptor, (const struct entry[]){ ALLOW(OTHER), ALLOW(USER) }, 2);
    assert_false(wall_descriptor_users(&two, users, 1, &count, &others));
}

static void no_list_grants_all_and_an_empty_one_nothing(void **state)
{
    assert_true(grants(NULL, -1));
    assert_false(grants(NULL, 0));
}

static void only_the_match_right_counts(void **state)
{
    assert_false(grants((const struct entry[]){ { ACCESS_ALLOWED_ACE_TYPE, 0, 2, USER } }, 1));
    assert_true(grants((const struct entry[]){ { ACCESS_ALLOWED_ACE_TYPE, 0, GENERIC_ALL, USER } }, 1));
    assert_true(grants((const struct entry[]){ { ACCESS_DENIED_ACE_TYPE, 0, 2, USER }, ALLOW(USER) }, 2));
    // What is only for children does not count.
    assert_false(grants((const struct entry[]){ { ACCESS_ALLOWED_ACE_TYPE, INHERIT_ONLY_ACE, 1, USER } }, 1));
}

static void restricted_tokens_must_pass_twice(void **state)
{
    uint8_t descriptor[512], token[256];
    const struct entry entries[] = { ALLOW(USER) };
    FWP_BYTE_BLOB sd = make_descriptor(descriptor, entries, 1);
    size_t size = wall_token_build(1000, NULL, 0, token, sizeof(token));
    union wall_sid sid;
    wall_sid_from_user(1001, &sid);
    memcpy(token + size, sid.bytes, 16);
    token[4] = 1;
    FWP_BYTE_BLOB who = { (UINT32)size + 16, token };
    assert_true(wall_token_check(&who));
    assert_false(wall_descriptor_grants(&sd, &who));
    wall_sid_from_user(1000, &sid);
    memcpy(token + size, sid.bytes, 16);
    assert_true(wall_descriptor_grants(&sd, &who));
}

static void malformed_tokens_get_nothing(void **state)
{
    uint8_t descriptor[512], token[256];
    FWP_BYTE_BLOB sd = make_descriptor(descriptor, NULL, -1);
    uint32_t size = (uint32_t)wall_token_build(1000, NULL, 0, token, sizeof(token));
    for (uint32_t cut = 0; cut < size; cut++) {
        FWP_BYTE_BLOB who = { cut, token };
        assert_false(wall_token_check(&who));
        assert_false(wall_descriptor_grants(&sd, &who));
    }
    FWP_BYTE_BLOB more = { size + 1, token }, none = { size, NULL };
    assert_false(wall_token_check(&more));
    assert_false(wall_token_check(&none));
    token[0] = 0xff;
    FWP_BYTE_BLOB wrong_count = { size, token };
    assert_false(wall_descriptor_grants(&sd, &wrong_count));
}

static void tokens_are_built_to_size(void **state)
{
    uint8_t token[60];
    memset(token, 0xaa, sizeof(token));
    assert_int_equal(wall_token_build(5, NULL, 0, NULL, 0), 8 + 16 + 12);
    assert_int_equal(wall_token_build(5, NULL, 0, token, 35), 36);
    assert_int_equal(token[0], 0xaa);
    const uint32_t groups[] = { 1 };
    assert_int_equal(wall_token_build(5, groups, 1, token, sizeof(token)), 52);
    assert_int_equal(token[52], 0xaa);
}

static void malformed_descriptors_are_refused(void **state)
{
    uint8_t buffer[512];
    const struct entry entries[] = { ALLOW(USER), DENY(OTHER) };
    FWP_BYTE_BLOB sd = make_descriptor(buffer, entries, 2);
    assert_true(wall_descriptor_check(&sd));
    for (uint32_t cut = 0; cut < sd.size; cut++) {
        FWP_BYTE_BLOB shorter = { cut, buffer };
        assert_false(wall_descriptor_check(&shorter));
    }
    FWP_BYTE_BLOB none = { sd.size, NULL };
    assert_false(wall_descriptor_check(&none));

    static const struct {
        uint8_t offset, value;
    } damages[] = {
        { 0, 2 },     // revision
        { 3, 0 },     // not self-relative
        { 4, 7 },     // an owner inside the header
        { 8, 0xff },  // a group behind the end
        { 16, 4 },    // a list inside the header
        { 17, 0xff }, // a list behind the end
        { 22, 4 },    // a list smaller than its header
        { 24, 3 },    // more entries than fit
        { 28, 9 },    // a conditional entry: who ignored it might allow too much
        { 30, 4 },    // an entry smaller than its header
        { 36, 9 },    // a SID of another revision
        { 37, 14 },   // a SID that does not fit its entry
    };
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        sd = make_descriptor(buffer, entries, 2);
        buffer[damages[i].offset] = damages[i].value;
        if (wall_descriptor_check(&sd))
            fail_msg("damage %zu was not seen", i);
    }
}

static void owner_and_group_are_checked(void **state)
{
    uint8_t buffer[64];
    FWP_BYTE_BLOB sd = make_descriptor(buffer, NULL, -1);
    union wall_sid sid;
    wall_sid_from_user(0, &sid);
    memcpy(buffer + 20, sid.bytes, 16);
    buffer[4] = 20;
    sd.size = 36;
    assert_true(wall_descriptor_check(&sd));
    sd.size = 35;
    assert_false(wall_descriptor_check(&sd));
}

static void the_other_form_of_a_token(void **state)
{
    uint8_t buffer[512];
    const struct entry allow[] = { ALLOW(GROUP) }, deny[] = { DENY(GROUP), ALLOW(USER) };
    union wall_sid user, group;
    wall_sid_from_user(1000, &user);
    wall_sid_from_group(27, &group);
    SID_AND_ATTRIBUTES members[] = { { &user, 0 }, { &group, SE_GROUP_ENABLED } };
    FWP_TOKEN_INFORMATION token = { .sidCount = 2, .sids = members };
    FWP_BYTE_BLOB sd = make_descriptor(buffer, allow, 1);
    assert_true(wall_descriptor_grants_information(&sd, &token));
    // A group for denying only.
    members[1].Attributes = SE_GROUP_USE_FOR_DENY_ONLY;
    assert_false(wall_descriptor_grants_information(&sd, &token));
    sd = make_descriptor(buffer, deny, 2);
    assert_false(wall_descriptor_grants_information(&sd, &token));
    members[1].Sid = NULL;
    assert_true(wall_descriptor_grants_information(&sd, &token));

    token.restrictedSidCount = 1;
    assert_false(wall_descriptor_grants_information(&sd, &token));
    token.restrictedSids = members;
    assert_true(wall_descriptor_grants_information(&sd, &token));
    token.sids = NULL;
    assert_false(wall_descriptor_grants_information(&sd, &token));
}

static void one_sid(void **state)
{
    uint8_t buffer[512];
    const struct entry allow[] = { ALLOW(USER) }, everyone[] = { ALLOW("S-1-1-0") };
    union wall_sid user;
    wall_sid_from_user(1000, &user);
    FWP_BYTE_BLOB sd = make_descriptor(buffer, allow, 1);
    assert_true(wall_descriptor_grants_sid(&sd, &user.sid));
    wall_sid_from_user(1001, &user);
    assert_false(wall_descriptor_grants_sid(&sd, &user.sid));
    sd = make_descriptor(buffer, everyone, 1);
    assert_true(wall_descriptor_grants_sid(&sd, &user.sid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_count_in_their_order),
        cmocka_unit_test(users_are_told),
        cmocka_unit_test(no_list_grants_all_and_an_empty_one_nothing),
        cmocka_unit_test(only_the_match_right_counts),
        cmocka_unit_test(restricted_tokens_must_pass_twice),
        cmocka_unit_test(malformed_tokens_get_nothing),
        cmocka_unit_test(tokens_are_built_to_size),
        cmocka_unit_test(malformed_descriptors_are_refused),
        cmocka_unit_test(owner_and_group_are_checked),
        cmocka_unit_test(the_other_form_of_a_token),
        cmocka_unit_test(one_sid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
