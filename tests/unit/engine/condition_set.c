// Conditions as sets: checked against trying all values of a small type.
#include "engine/condition_set.h"

#include "base/sid.h"
#include "engine/condition.h"
#include "fixture.h"

static FWP_RANGE0 range_slots[64];

// Every kind of question about an 8-bit number.
static size_t make_conditions(struct wall_condition *conditions)
{
    static const uint8_t numbers[] = { 0, 1, 5, 6, 128, 254, 255 };
    static const FWP_MATCH_TYPE matches[] = {
        FWP_MATCH_EQUAL,         FWP_MATCH_NOT_EQUAL,     FWP_MATCH_GREATER,       FWP_MATCH_GREATER_OR_EQUAL,
        FWP_MATCH_LESS,          FWP_MATCH_LESS_OR_EQUAL, FWP_MATCH_FLAGS_ALL_SET, FWP_MATCH_FLAGS_ANY_SET,
        FWP_MATCH_FLAGS_NONE_SET,
    };
    size_t count = 0;
    for (size_t m = 0; m < COUNT_OF(matches); m++) {
        for (size_t n = 0; n < COUNT_OF(numbers); n++)
            conditions[count++] = (struct wall_condition){ 0, matches[m], { .type = FWP_UINT8, .uint8 = numbers[n] } };
    }
    size_t slot = 0;
    for (size_t low = 0; low < COUNT_OF(numbers); low++) {
        for (size_t high = low; high < COUNT_OF(numbers); high++) {
            range_slots[slot] = (FWP_RANGE0){ { .type = FWP_UINT8, .uint8 = numbers[low] },
                                              { .type = FWP_UINT8, .uint8 = numbers[high] } };
            conditions[count++] = (struct wall_condition){
                0, FWP_MATCH_RANGE, { .type = FWP_RANGE_TYPE, .rangeValue = &range_slots[slot++] }
            };
        }
    }
    return count;
}

static bool is_bits(const struct wall_condition *condition)
{
    return condition->match_type >= FWP_MATCH_FLAGS_ALL_SET && condition->match_type <= FWP_MATCH_FLAGS_NONE_SET;
}

static void agrees_with_trying_all_values(void **state)
{
    struct wall_condition conditions[128];
    size_t count = make_conditions(conditions);
    for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; b < count; b++) {
            bool overlap = false, contained = true;
            for (unsigned int n = 0; n < 256; n++) {
                const FWP_VALUE0 value = { .type = FWP_UINT8, .uint8 = (UINT8)n };
                bool in_a = wall_condition_matches(&conditions[a], &value);
                bool in_b = wall_condition_matches(&conditions[b], &value);
                overlap |= in_a && in_b;
                contained &= !in_b || in_a;
            }
            bool overlaps = wall_condition_overlaps(&conditions[a], &conditions[b]);
            bool contains = wall_condition_contains(&conditions[a], &conditions[b]);
            // Bits against ranges are not computed: then they may overlap, and do not contain each other.
            if (is_bits(&conditions[a]) == is_bits(&conditions[b])) {
                assert_int_equal(overlaps, overlap);
                if (is_bits(&conditions[a]))
                    assert_true(!contains || contained);
                else
                    assert_int_equal(contains, contained);
            } else {
                assert_true(overlaps || !overlap);
                assert_true(!contains || contained);
            }
        }
    }
}

static struct wall_condition v4(FWP_MATCH_TYPE match, FWP_V4_ADDR_AND_MASK *mask)
{
    return (struct wall_condition){ 0, match, { .type = FWP_V4_ADDR_MASK, .v4AddrMask = mask } };
}

static struct wall_condition v6(FWP_MATCH_TYPE match, FWP_V6_ADDR_AND_MASK *mask)
{
    return (struct wall_condition){ 0, match, { .type = FWP_V6_ADDR_MASK, .v6AddrMask = mask } };
}

static void networks(void **state)
{
    FWP_V4_ADDR_AND_MASK ten = { 0x0a010203, 0xff000000 }, part = { 0x0a020000, 0xffff0000 };
    FWP_V4_ADDR_AND_MASK other = { 0x0b000000, 0xff000000 }, all = { 0, 0 };
    struct wall_condition in_ten = v4(FWP_MATCH_EQUAL, &ten), in_part = v4(FWP_MATCH_EQUAL, &part);
    struct wall_condition in_other = v4(FWP_MATCH_EQUAL, &other), in_all = v4(FWP_MATCH_EQUAL, &all);
    struct wall_condition not_ten = v4(FWP_MATCH_NOT_EQUAL, &ten);
    assert_true(wall_condition_contains(&in_ten, &in_part));
    assert_false(wall_condition_contains(&in_part, &in_ten));
    assert_true(wall_condition_overlaps(&in_part, &in_ten));
    assert_false(wall_condition_overlaps(&in_other, &in_ten));
    assert_true(wall_condition_contains(&not_ten, &in_other));
    assert_false(wall_condition_overlaps(&not_ten, &in_part));
    assert_true(wall_condition_contains(&in_all, &not_ten));
    assert_false(wall_condition_contains(&not_ten, &in_all));

    FWP_V6_ADDR_AND_MASK site = { { 0x20, 0x01, 0x0d, 0xb8 }, 32 };
    FWP_V6_ADDR_AND_MASK host = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, 128 };
    FWP_V6_ADDR_AND_MASK subnet = { { 0x20, 0x01, 0x0d, 0xb8, [9] = 7 }, 80 }, everything = { { 0 }, 0 };
    struct wall_condition in_site = v6(FWP_MATCH_EQUAL, &site), is_host = v6(FWP_MATCH_EQUAL, &host);
    struct wall_condition in_subnet = v6(FWP_MATCH_EQUAL, &subnet), anywhere = v6(FWP_MATCH_EQUAL, &everything);
    struct wall_condition not_subnet = v6(FWP_MATCH_NOT_EQUAL, &subnet);
    assert_true(wall_condition_contains(&in_site, &is_host));
    assert_true(wall_condition_contains(&in_site, &in_subnet));
    assert_true(wall_condition_contains(&not_subnet, &is_host));
    assert_false(wall_condition_contains(&in_subnet, &is_host));
    assert_true(wall_condition_contains(&anywhere, &in_site));
    assert_false(wall_condition_contains(&in_site, &anywhere));

    FWP_BYTE_ARRAY16 address = { { 0x20, 0x01, 0x0d, 0xb8, [9] = 7, [15] = 9 } };
    const FWP_CONDITION_VALUE0 asked = { .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &address };
    const struct wall_condition exact = { 0, FWP_MATCH_EQUAL, asked }, above = { 0, FWP_MATCH_GREATER, asked };
    assert_true(wall_condition_contains(&in_subnet, &exact));
    assert_true(wall_condition_overlaps(&exact, &in_subnet));
    assert_true(wall_condition_overlaps(&above, &in_subnet));
    assert_false(wall_condition_contains(&above, &in_subnet));
}

static void wide_numbers(void **state)
{
    uint64_t low = 5, high = UINT64_MAX;
    const struct wall_condition above = { 0, FWP_MATCH_GREATER, { .type = FWP_UINT64, .uint64 = &low } };
    const struct wall_condition none = { 0, FWP_MATCH_GREATER, { .type = FWP_UINT64, .uint64 = &high } };
    const struct wall_condition below = { 0, FWP_MATCH_LESS_OR_EQUAL, { .type = FWP_UINT64, .uint64 = &low } };
    assert_false(wall_condition_overlaps(&above, &below));
    assert_false(wall_condition_overlaps(&none, &above));
    assert_true(wall_condition_contains(&above, &none));
    const struct wall_condition port = { 0, FWP_MATCH_LESS, { .type = FWP_UINT16, .uint16 = 1024 } };
    const struct wall_condition http = { 0, FWP_MATCH_EQUAL, { .type = FWP_UINT16, .uint16 = 80 } };
    assert_true(wall_condition_contains(&port, &http));
    assert_false(wall_condition_contains(&http, &port));
}

static void what_is_not_a_number(void **state)
{
    uint8_t a_bytes[] = { 'a', 0 }, b_bytes[] = { 'b', 0 };
    FWP_BYTE_BLOB a = { 2, a_bytes }, b = { 2, b_bytes };
    const struct wall_condition is_a = { 0, FWP_MATCH_EQUAL, { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &a } };
    const struct wall_condition is_b = { 0, FWP_MATCH_EQUAL, { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &b } };
    const struct wall_condition ends_a = { 0, FWP_MATCH_PREFIX, { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &a } };
    const struct wall_condition ends_b = { 0, FWP_MATCH_PREFIX, { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &b } };
    assert_false(wall_condition_overlaps(&is_a, &is_b));
    assert_true(wall_condition_contains(&ends_a, &is_a));
    assert_false(wall_condition_contains(&ends_a, &is_b));
    assert_true(wall_condition_contains(&ends_a, &ends_a));
    // Cannot be told: may overlap, does not contain.
    assert_true(wall_condition_overlaps(&ends_a, &ends_b));
    assert_false(wall_condition_contains(&ends_a, &ends_b));

    const struct wall_condition empty = { 0, FWP_MATCH_EQUAL, { .type = FWP_EMPTY } };
    assert_true(wall_condition_contains(&empty, &empty));
    assert_false(wall_condition_overlaps(&empty, &is_a));

    // Descriptor against one SID.
    static uint8_t sd_bytes[28] = { 1, 0, 4, 0x80, [16] = 20, [20] = 2, [22] = 8 };
    FWP_BYTE_BLOB nobody = { sizeof(sd_bytes), sd_bytes };
    union wall_sid sid;
    wall_sid_from_user(7, &sid);
    const FWP_CONDITION_VALUE0 asked = { .type = FWP_SECURITY_DESCRIPTOR_TYPE, .sd = &nobody };
    const struct wall_condition descriptor = { 0, FWP_MATCH_EQUAL, asked };
    const struct wall_condition user = { 0, FWP_MATCH_EQUAL, { .type = FWP_SID, .sid = &sid.sid } };
    assert_false(wall_condition_overlaps(&descriptor, &user));
    sd_bytes[2] = 0;  // no list: everybody
    assert_true(wall_condition_overlaps(&descriptor, &user));
    assert_true(wall_condition_contains(&descriptor, &descriptor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_trying_all_values),
        cmocka_unit_test(networks),
        cmocka_unit_test(wide_numbers),
        cmocka_unit_test(what_is_not_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
