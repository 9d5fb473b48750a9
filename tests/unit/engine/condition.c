// Conditions: what may be asked (every match type on every type) and what matches.
#include "engine/condition.h"

#include "base/sid.h"
#include "engine/token.h"
#include "fixture.h"

// --- Values to ask with ---

static uint64_t small64 = 5, big64 = UINT64_C(0x8000000000000001);
static int64_t negative64 = -5, positive64 = 5;
static double half = 0.5;
static FWP_BYTE_ARRAY16 array16 = { { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
static FWP_BYTE_ARRAY6 array6 = { { 2, 0, 0, 0, 0, 1 } };
static uint8_t blob_bytes[] = { 'a', 0, 'b', 0, 0, 0 };
static FWP_BYTE_BLOB blob = { sizeof(blob_bytes), blob_bytes };
// O: none, D: allow FWP_ACTRL_MATCH_FILTER to S-1-1-0
static uint8_t sd_bytes[] = { 1, 0, 4, 0x80, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2, 0, 28, 0,
                              1, 0, 0, 0,    0,  0, 20, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0,  0, 0, 1, 0, 0, 0, 0 };
static FWP_BYTE_BLOB sd = { sizeof(sd_bytes), sd_bytes };
static uint8_t sid_bytes[] = { 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };
static FWP_TOKEN_INFORMATION token_information;
static FWP_V4_ADDR_AND_MASK v4_mask = { 0x0a000000, 0xff000000 };
static FWP_V6_ADDR_AND_MASK v6_mask = { { 0x20, 0x01 }, 16 };

static FWP_CONDITION_VALUE0 value_of(FWP_DATA_TYPE type)
{
    FWP_CONDITION_VALUE0 value = { .type = type };
    switch ((int)type) {
    case FWP_UINT8:
    case FWP_INT8:
        value.uint8 = 5;
        break;
    case FWP_UINT16:
    case FWP_INT16:
        value.uint16 = 5;
        break;
    case FWP_UINT32:
    case FWP_INT32:
        value.uint32 = 5;
        break;
    case FWP_UINT64:
        value.uint64 = &small64;
        break;
    case FWP_INT64:
        value.int64 = &positive64;
        break;
    case FWP_DOUBLE:
        value.double64 = &half;
        break;
    case FWP_BYTE_ARRAY16_TYPE:
        value.byteArray16 = &array16;
        break;
    case FWP_BYTE_ARRAY6_TYPE:
        value.byteArray6 = &array6;
        break;
    case FWP_BYTE_BLOB_TYPE:
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
        value.byteBlob = &blob;
        break;
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        value.sd = &sd;
        break;
    case FWP_SID:
        value.sid = (SID *)sid_bytes;
        break;
    case FWP_TOKEN_INFORMATION_TYPE:
        value.tokenInformation = &token_information;
        break;
    case FWP_UNICODE_STRING_TYPE:
        value.unicodeString = (LPWSTR)L"ab";
        break;
    case FWP_V4_ADDR_MASK:
        value.v4AddrMask = &v4_mask;
        break;
    case FWP_V6_ADDR_MASK:
        value.v6AddrMask = &v6_mask;
        break;
    default:
        break;
    }
    return value;
}

static wall_status judge(FWP_DATA_TYPE field, FWP_MATCH_TYPE match, FWP_CONDITION_VALUE0 value)
{
    const FWPM_FILTER_CONDITION0 condition = { .matchType = match, .conditionValue = value };
    return wall_condition_check_type(field, FWPM_FIELD_RAW_DATA, &condition, false);
}

// Which match types a field of each type takes, asked with a value of its own type (for tokens: a descriptor).
#define BIT(match) (1u << FWP_MATCH_##match)
#define ALWAYS BIT(EQUAL)
#define ORDER (BIT(GREATER) | BIT(LESS) | BIT(GREATER_OR_EQUAL) | BIT(LESS_OR_EQUAL) | BIT(NOT_EQUAL))
#define BITS (BIT(FLAGS_ALL_SET) | BIT(FLAGS_ANY_SET) | BIT(FLAGS_NONE_SET))
#define ENDS (BIT(PREFIX) | BIT(NOT_PREFIX))

static const struct {
    FWP_DATA_TYPE field, asked;
    uint32_t matches;
} matrix[] = {
    { FWP_UINT8, FWP_UINT8, ALWAYS | ORDER | BITS },
    { FWP_UINT16, FWP_UINT16, ALWAYS | ORDER | BITS },
    { FWP_UINT32, FWP_UINT32, ALWAYS | ORDER | BITS },
    { FWP_UINT64, FWP_UINT64, ALWAYS | ORDER | BITS },
    { FWP_INT8, FWP_INT8, ALWAYS | ORDER },
    { FWP_INT16, FWP_INT16, ALWAYS | ORDER },
    { FWP_INT32, FWP_INT32, ALWAYS | ORDER },
    { FWP_INT64, FWP_INT64, ALWAYS | ORDER },
    { FWP_FLOAT, FWP_FLOAT, ALWAYS },
    { FWP_DOUBLE, FWP_DOUBLE, ALWAYS },
    { FWP_BYTE_ARRAY16_TYPE, FWP_BYTE_ARRAY16_TYPE, ALWAYS | ORDER },
    { FWP_BYTE_BLOB_TYPE, FWP_BYTE_BLOB_TYPE, ALWAYS | ORDER | ENDS },
    { FWP_SID, FWP_SID, ALWAYS | BIT(NOT_EQUAL) },
    { FWP_TOKEN_INFORMATION_TYPE, FWP_SECURITY_DESCRIPTOR_TYPE, ALWAYS },
    { FWP_TOKEN_ACCESS_INFORMATION_TYPE, FWP_SECURITY_DESCRIPTOR_TYPE, ALWAYS },
    { FWP_UNICODE_STRING_TYPE, FWP_UNICODE_STRING_TYPE, ALWAYS | ORDER | ENDS | BIT(EQUAL_CASE_INSENSITIVE) },
    { FWP_BYTE_ARRAY6_TYPE, FWP_BYTE_ARRAY6_TYPE, ALWAYS | BIT(NOT_EQUAL) },
};

static void every_match_type_on_every_type(void **state)
{
    for (size_t i = 0; i < COUNT_OF(matrix); i++) {
        for (int match = 0; match < FWP_MATCH_TYPE_MAX; match++) {
            bool allowed = matrix[i].matches >> match & 1;
            wall_status status = judge(matrix[i].field, (FWP_MATCH_TYPE)match, value_of(matrix[i].asked));
            if (status != (allowed ? 0 : FWP_E_MATCH_TYPE_MISMATCH))
                fail_msg("field %d, match %d: %x", matrix[i].field, match, (unsigned int)status);
        }
        assert_int_equal(judge(matrix[i].field, (FWP_MATCH_TYPE)FWP_MATCH_TYPE_MAX, value_of(matrix[i].asked)),
                         FWP_E_INVALID_ENUMERATOR);
        // EMPTY can only be equal.
        for (int match = 0; match < FWP_MATCH_TYPE_MAX; match++)
            assert_int_equal(judge(matrix[i].field, (FWP_MATCH_TYPE)match, value_of(FWP_EMPTY)),
                             match == FWP_MATCH_EQUAL ? 0 : FWP_E_MATCH_TYPE_MISMATCH);
    }
}

static void no_implicit_conversion(void **state)
{
    static const FWP_DATA_TYPE types[] = { FWP_UINT8,
                                           FWP_UINT16,
                                           FWP_UINT32,
                                           FWP_UINT64,
                                           FWP_INT8,
                                           FWP_INT16,
                                           FWP_INT32,
                                           FWP_INT64,
                                           FWP_FLOAT,
                                           FWP_DOUBLE,
                                           FWP_BYTE_ARRAY16_TYPE,
                                           FWP_BYTE_BLOB_TYPE,
                                           FWP_SID,
                                           FWP_SECURITY_DESCRIPTOR_TYPE,
                                           FWP_TOKEN_INFORMATION_TYPE,
                                           FWP_TOKEN_ACCESS_INFORMATION_TYPE,
                                           FWP_UNICODE_STRING_TYPE,
                                           FWP_BYTE_ARRAY6_TYPE,
                                           FWP_V4_ADDR_MASK,
                                           FWP_V6_ADDR_MASK };
    for (size_t i = 0; i < COUNT_OF(matrix); i++) {
        for (size_t k = 0; k < COUNT_OF(types); k++) {
            wall_status status = judge(matrix[i].field, FWP_MATCH_EQUAL, value_of(types[k]));
            assert_int_equal(status, types[k] == matrix[i].asked ? 0 : FWP_E_TYPE_MISMATCH);
        }
    }
    // An unknown type is nobody's type.
    assert_int_equal(judge(FWP_UINT8, FWP_MATCH_EQUAL, value_of((FWP_DATA_TYPE)0x55)), FWP_E_TYPE_MISMATCH);
}

static wall_status judge_address(FWP_DATA_TYPE field, FWP_MATCH_TYPE match, FWP_CONDITION_VALUE0 value)
{
    const FWPM_FILTER_CONDITION0 condition = { .matchType = match, .conditionValue = value };
    return wall_condition_check_type(field, FWPM_FIELD_IP_ADDRESS, &condition, false);
}

static void masks(void **state)
{
    FWP_CONDITION_VALUE0 v4 = value_of(FWP_V4_ADDR_MASK), v6 = value_of(FWP_V6_ADDR_MASK);
    for (int match = 0; match < FWP_MATCH_TYPE_MAX; match++) {
        bool allowed = match == FWP_MATCH_EQUAL || match == FWP_MATCH_NOT_EQUAL;
        wall_status expected = allowed ? 0 : FWP_E_MATCH_TYPE_MISMATCH;
        assert_int_equal(judge_address(FWP_UINT32, (FWP_MATCH_TYPE)match, v4), expected);
        assert_int_equal(judge_address(FWP_BYTE_ARRAY16_TYPE, (FWP_MATCH_TYPE)match, v6), expected);
    }
    assert_int_equal(judge_address(FWP_UINT32, FWP_MATCH_EQUAL, v6), FWP_E_TYPE_MISMATCH);
    assert_int_equal(judge_address(FWP_BYTE_ARRAY16_TYPE, FWP_MATCH_EQUAL, v4), FWP_E_TYPE_MISMATCH);

    static const uint32_t good[] = { 0, 0x80000000, 0xffff0000, 0xfffffffe, 0xffffffff };
    static const uint32_t bad[] = { 1, 0x7fffffff, 0xff00ff00, 0xfffffffd };
    FWP_V4_ADDR_AND_MASK mask = { 0 };
    v4.v4AddrMask = &mask;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        mask.mask = good[i];
        assert_int_equal(judge_address(FWP_UINT32, FWP_MATCH_EQUAL, v4), 0);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        mask.mask = bad[i];
        assert_int_equal(judge_address(FWP_UINT32, FWP_MATCH_EQUAL, v4), FWP_E_INVALID_NET_MASK);
    }
    FWP_V6_ADDR_AND_MASK prefix = { .prefixLength = 128 };
    v6.v6AddrMask = &prefix;
    assert_int_equal(judge_address(FWP_BYTE_ARRAY16_TYPE, FWP_MATCH_EQUAL, v6), 0);
    prefix.prefixLength = 129;
    assert_int_equal(judge_address(FWP_BYTE_ARRAY16_TYPE, FWP_MATCH_EQUAL, v6), FWP_E_INVALID_NET_MASK);
    v4.v4AddrMask = NULL;
    assert_int_equal(judge_address(FWP_UINT32, FWP_MATCH_EQUAL, v4), FWP_E_NULL_POINTER);
}

static FWP_CONDITION_VALUE0 range_value(FWP_RANGE0 *range, FWP_VALUE0 low, FWP_VALUE0 high)
{
    range->valueLow = low;
    range->valueHigh = high;
    return (FWP_CONDITION_VALUE0){ .type = FWP_RANGE_TYPE, .rangeValue = range };
}

#define U16(n) ((FWP_VALUE0){ .type = FWP_UINT16, .uint16 = (n) })

static void ranges(void **state)
{
    FWP_RANGE0 range;
    assert_int_equal(judge(FWP_UINT16, FWP_MATCH_RANGE, range_value(&range, U16(5), U16(5))), 0);
    assert_int_equal(judge(FWP_UINT16, FWP_MATCH_RANGE, range_value(&range, U16(6), U16(5))), FWP_E_INVALID_RANGE);
    assert_int_equal(judge(FWP_UINT16, FWP_MATCH_EQUAL, range_value(&range, U16(1), U16(5))),
                     FWP_E_MATCH_TYPE_MISMATCH);
    assert_int_equal(judge(FWP_UINT8, FWP_MATCH_RANGE, range_value(&range, U16(1), U16(5))), FWP_E_TYPE_MISMATCH);
    FWP_VALUE0 other = { .type = FWP_UINT8 };
    assert_int_equal(judge(FWP_UINT16, FWP_MATCH_RANGE, range_value(&range, U16(1), other)), FWP_E_TYPE_MISMATCH);
    assert_int_equal(judge(FWP_UINT16, FWP_MATCH_RANGE, (FWP_CONDITION_VALUE0){ .type = FWP_RANGE_TYPE }),
                     FWP_E_NULL_POINTER);
    // A range of what has no order.
    FWP_VALUE0 sid = { .type = FWP_SID, .sid = (SID *)sid_bytes };
    assert_int_equal(judge(FWP_SID, FWP_MATCH_RANGE, range_value(&range, sid, sid)), FWP_E_MATCH_TYPE_MISMATCH);
    FWP_VALUE0 missing = { .type = FWP_UINT64 };
    assert_int_equal(judge(FWP_UINT64, FWP_MATCH_RANGE, range_value(&range, missing, missing)), FWP_E_NULL_POINTER);
    FWP_VALUE0 minus = { .type = FWP_INT64, .int64 = &negative64 }, plus = { .type = FWP_INT64, .int64 = &positive64 };
    assert_int_equal(judge(FWP_INT64, FWP_MATCH_RANGE, range_value(&range, minus, plus)), 0);
    assert_int_equal(judge(FWP_INT64, FWP_MATCH_RANGE, range_value(&range, plus, minus)), FWP_E_INVALID_RANGE);
}

static void bad_content(void **state)
{
    static const FWP_DATA_TYPE pointers[] = { FWP_UINT64, FWP_BYTE_ARRAY16_TYPE, FWP_BYTE_BLOB_TYPE, FWP_SID,
                                              FWP_UNICODE_STRING_TYPE, FWP_BYTE_ARRAY6_TYPE };
    for (size_t i = 0; i < COUNT_OF(pointers); i++)
        assert_int_equal(judge(pointers[i], FWP_MATCH_EQUAL, (FWP_CONDITION_VALUE0){ .type = pointers[i] }),
                         FWP_E_NULL_POINTER);

    FWP_BYTE_BLOB bad = { 0, blob_bytes };
    FWP_CONDITION_VALUE0 value = { .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &bad };
    assert_int_equal(judge(FWP_BYTE_BLOB_TYPE, FWP_MATCH_EQUAL, value), FWP_E_ZERO_LENGTH_ARRAY);
    bad = (FWP_BYTE_BLOB){ 4, NULL };
    assert_int_equal(judge(FWP_BYTE_BLOB_TYPE, FWP_MATCH_EQUAL, value), FWP_E_NULL_POINTER);

    uint8_t sid[sizeof(sid_bytes)];
    memcpy(sid, sid_bytes, sizeof(sid));
    sid[0] = 2;
    value = (FWP_CONDITION_VALUE0){ .type = FWP_SID, .sid = (SID *)sid };
    assert_int_equal(judge(FWP_SID, FWP_MATCH_EQUAL, value), FWP_E_INVALID_PARAMETER);
    sid[0] = 1;
    sid[1] = 16;
    assert_int_equal(judge(FWP_SID, FWP_MATCH_EQUAL, value), FWP_E_INVALID_PARAMETER);

    FWP_BYTE_BLOB not_relative = { 8, blob_bytes };
    value = (FWP_CONDITION_VALUE0){ .type = FWP_SECURITY_DESCRIPTOR_TYPE, .sd = &not_relative };
    not_relative.size = sizeof(blob_bytes);
    assert_int_equal(judge(FWP_TOKEN_ACCESS_INFORMATION_TYPE, FWP_MATCH_EQUAL, value), ERROR_INVALID_SECURITY_DESCR);
}

static void fields_of_layers(void **state)
{
    uint16_t field_id = 99;
    FWPM_FILTER_CONDITION0 condition = port_is(80);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V4, &condition, false, &field_id), 0);
    assert_int_equal(field_id, FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_LISTEN_V4, &condition, false, &field_id),
                     FWP_E_CONDITION_NOT_FOUND);
    assert_int_equal(wall_condition_check(FWPS_LAYER_INBOUND_TRANSPORT_FAST, &condition, false, &field_id),
                     FWP_E_CONDITION_NOT_FOUND);
    condition = (FWPM_FILTER_CONDITION0){ .fieldKey = FWPM_CONDITION_IP_REMOTE_ADDRESS };
    condition.conditionValue = value_of(FWP_V4_ADDR_MASK);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V4, &condition, false, &field_id), 0);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V6, &condition, false, &field_id),
                     FWP_E_TYPE_MISMATCH);
    // An interface index is no address, though it has 32 bits.
    condition.fieldKey = FWPM_CONDITION_INTERFACE_INDEX;
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V4, &condition, false, &field_id),
                     FWP_E_TYPE_MISMATCH);
    // Templates may ask for one SID, filters may not.
    condition.fieldKey = FWPM_CONDITION_ALE_USER_ID;
    condition.conditionValue = value_of(FWP_SID);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V4, &condition, false, &field_id),
                     FWP_E_TYPE_MISMATCH);
    assert_int_equal(wall_condition_check(FWPS_LAYER_ALE_AUTH_CONNECT_V4, &condition, true, &field_id), 0);
}

// --- Matching ---

static bool matches(FWP_MATCH_TYPE match, FWP_CONDITION_VALUE0 asked, FWP_VALUE0 value)
{
    const struct wall_condition condition = { 0, match, asked };
    return wall_condition_matches(&condition, &value);
}

static FWP_CONDITION_VALUE0 ask(FWP_VALUE0 value)
{
    FWP_CONDITION_VALUE0 asked;
    memcpy(&asked, &value, sizeof(value));
    return asked;
}

// `low` < `high`; every order match type, from both sides.
static void expect_order(FWP_VALUE0 low, FWP_VALUE0 high)
{
    static const struct {
        FWP_MATCH_TYPE match;
        bool low_to_high, same, high_to_low;  // value against asked
    } rows[] = {
        { FWP_MATCH_EQUAL, false, true, false },        { FWP_MATCH_NOT_EQUAL, true, false, true },
        { FWP_MATCH_GREATER, false, false, true },      { FWP_MATCH_GREATER_OR_EQUAL, false, true, true },
        { FWP_MATCH_LESS, true, false, false },         { FWP_MATCH_LESS_OR_EQUAL, true, true, false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(matches(rows[i].match, ask(high), low), rows[i].low_to_high);
        assert_int_equal(matches(rows[i].match, ask(low), low), rows[i].same);
        assert_int_equal(matches(rows[i].match, ask(low), high), rows[i].high_to_low);
    }
    FWP_RANGE0 range;
    assert_true(matches(FWP_MATCH_RANGE, range_value(&range, low, high), low));
    assert_true(matches(FWP_MATCH_RANGE, range_value(&range, low, high), high));
    assert_false(matches(FWP_MATCH_RANGE, range_value(&range, low, low), high));
    assert_false(matches(FWP_MATCH_RANGE, range_value(&range, high, high), low));
}

static void order(void **state)
{
    expect_order((FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 1 }, (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 200 });
    expect_order(U16(1), U16(40000));
    expect_order((FWP_VALUE0){ .type = FWP_UINT32, .uint32 = 1 },
                 (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = 0xf0000000 });
    expect_order((FWP_VALUE0){ .type = FWP_UINT64, .uint64 = &small64 },
                 (FWP_VALUE0){ .type = FWP_UINT64, .uint64 = &big64 });
    expect_order((FWP_VALUE0){ .type = FWP_INT8, .int8 = -1 }, (FWP_VALUE0){ .type = FWP_INT8, .int8 = 1 });
    expect_order((FWP_VALUE0){ .type = FWP_INT16, .int16 = -1 }, (FWP_VALUE0){ .type = FWP_INT16, .int16 = 1 });
    expect_order((FWP_VALUE0){ .type = FWP_INT32, .int32 = -1 }, (FWP_VALUE0){ .type = FWP_INT32, .int32 = 1 });
    expect_order((FWP_VALUE0){ .type = FWP_INT64, .int64 = &negative64 },
                 (FWP_VALUE0){ .type = FWP_INT64, .int64 = &positive64 });
    expect_order((FWP_VALUE0){ .type = FWP_FLOAT, .float32 = -1 }, (FWP_VALUE0){ .type = FWP_FLOAT, .float32 = 1 });
    double whole = 1.0;
    expect_order((FWP_VALUE0){ .type = FWP_DOUBLE, .double64 = &half },
                 (FWP_VALUE0){ .type = FWP_DOUBLE, .double64 = &whole });

    // The first byte of an address weighs most.
    FWP_BYTE_ARRAY16 low16 = { { 1, 255 } }, high16 = { { 2, 0 } };
    expect_order((FWP_VALUE0){ .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &low16 },
                 (FWP_VALUE0){ .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &high16 });
    FWP_BYTE_ARRAY6 low6 = { { 1, 255 } }, high6 = { { 2, 0 } };
    expect_order((FWP_VALUE0){ .type = FWP_BYTE_ARRAY6_TYPE, .byteArray6 = &low6 },
                 (FWP_VALUE0){ .type = FWP_BYTE_ARRAY6_TYPE, .byteArray6 = &high6 });
    // Of two blobs one of which begins the other, the shorter is less.
    FWP_BYTE_BLOB shorter = { 2, blob_bytes };
    expect_order((FWP_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &shorter },
                 (FWP_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &blob });
    expect_order((FWP_VALUE0){ .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)L"ab" },
                 (FWP_VALUE0){ .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)L"b" });
    union wall_sid user, other;
    wall_sid_from_user(1, &user);
    wall_sid_from_user(2, &other);
    expect_order((FWP_VALUE0){ .type = FWP_SID, .sid = &user.sid }, (FWP_VALUE0){ .type = FWP_SID, .sid = &other.sid });
    expect_order((FWP_VALUE0){ .type = FWP_SID, .sid = (SID *)sid_bytes },
                 (FWP_VALUE0){ .type = FWP_SID, .sid = &other.sid });
}

static void bits(void **state)
{
    static const FWP_DATA_TYPE types[] = { FWP_UINT8, FWP_UINT16, FWP_UINT32, FWP_UINT64 };
    static const struct {
        uint8_t value, asked;
        bool all, any, none;
    } rows[] = {
        { 0x05, 0x05, true, true, false }, { 0x07, 0x05, true, true, false }, { 0x04, 0x05, false, true, false },
        { 0x0a, 0x05, false, false, true }, { 0x00, 0x05, false, false, true }, { 0x05, 0x00, true, false, true },
    };
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            uint64_t wide_value = rows[i].value, wide_asked = rows[i].asked;
            FWP_VALUE0 value = { .type = types[t], .uint32 = rows[i].value };
            FWP_CONDITION_VALUE0 asked = { .type = types[t], .uint32 = rows[i].asked };
            if (types[t] == FWP_UINT64) {
                value.uint64 = &wide_value;
                asked.uint64 = &wide_asked;
            }
            assert_int_equal(matches(FWP_MATCH_FLAGS_ALL_SET, asked, value), rows[i].all);
            assert_int_equal(matches(FWP_MATCH_FLAGS_ANY_SET, asked, value), rows[i].any);
            assert_int_equal(matches(FWP_MATCH_FLAGS_NONE_SET, asked, value), rows[i].none);
        }
    }
}

static FWP_VALUE0 blob_value(FWP_BYTE_BLOB *value, const void *data, uint32_t size)
{
    *value = (FWP_BYTE_BLOB){ size, (UINT8 *)data };
    return (FWP_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = value };
}

static bool blob_ends(const void *value, uint32_t value_size, const void *asked, uint32_t asked_size)
{
    FWP_BYTE_BLOB a, b;
    FWP_VALUE0 text = blob_value(&a, value, value_size);
    FWP_CONDITION_VALUE0 suffix = ask(blob_value(&b, asked, asked_size));
    bool ends = matches(FWP_MATCH_PREFIX, suffix, text);
    assert_int_equal(matches(FWP_MATCH_NOT_PREFIX, suffix, text), !ends);
    return ends;
}

static void prefix_asks_for_the_end(void **state)
{
    static const wchar_t path[] = L"/usr/bin/curl";
    // With the terminator on both sides, on one, on none.
    assert_true(blob_ends(path, sizeof(path), L"curl", 10));
    assert_true(blob_ends(path, sizeof(path), L"curl", 8));
    assert_true(blob_ends(path, sizeof(path) - 2, L"curl", 10));
    assert_true(blob_ends(path, sizeof(path), path, sizeof(path)));
    assert_true(blob_ends(path, sizeof(path), L"", 2));
    assert_false(blob_ends(path, sizeof(path), L"/usr", 10));
    assert_false(blob_ends(path, sizeof(path), L"x/usr/bin/curl", 30));
    // Half a character is none.
    assert_false(blob_ends("xab\0", 4, "ab\0", 3));

    FWP_VALUE0 text = { .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)path };
    FWP_VALUE0 end = { .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)L"curl" };
    assert_true(matches(FWP_MATCH_PREFIX, ask(end), text));
    assert_false(matches(FWP_MATCH_PREFIX, ask(text), end));
    assert_true(matches(FWP_MATCH_NOT_PREFIX, ask(text), end));
}

static void case_insensitive(void **state)
{
    FWP_VALUE0 upper = { .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)L"CURL" };
    FWP_VALUE0 lower = { .type = FWP_UNICODE_STRING_TYPE, .unicodeString = (LPWSTR)L"curl" };
    assert_true(matches(FWP_MATCH_EQUAL_CASE_INSENSITIVE, ask(upper), lower));
    assert_false(matches(FWP_MATCH_EQUAL, ask(upper), lower));
    upper.unicodeString = (LPWSTR)L"CURLS";
    assert_false(matches(FWP_MATCH_EQUAL_CASE_INSENSITIVE, ask(upper), lower));
}

static void address_masks(void **state)
{
    FWP_CONDITION_VALUE0 v4 = value_of(FWP_V4_ADDR_MASK);
    FWP_VALUE0 inside = { .type = FWP_UINT32, .uint32 = 0x0affffff };
    FWP_VALUE0 outside = { .type = FWP_UINT32, .uint32 = 0x0b000000 };
    assert_true(matches(FWP_MATCH_EQUAL, v4, inside));
    assert_false(matches(FWP_MATCH_EQUAL, v4, outside));
    assert_false(matches(FWP_MATCH_NOT_EQUAL, v4, inside));
    assert_true(matches(FWP_MATCH_NOT_EQUAL, v4, outside));
    assert_false(matches(FWP_MATCH_EQUAL, v4, U16(10)));
    FWP_V4_ADDR_AND_MASK all = { 0x01020304, 0 };
    v4.v4AddrMask = &all;
    assert_true(matches(FWP_MATCH_EQUAL, v4, outside));

    FWP_V6_ADDR_AND_MASK prefix = { { 0x20, 0x01, 0x0d, 0xbf }, 29 };
    FWP_CONDITION_VALUE0 v6 = { .type = FWP_V6_ADDR_MASK, .v6AddrMask = &prefix };
    FWP_VALUE0 address = { .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &array16 };
    assert_true(matches(FWP_MATCH_EQUAL, v6, address));
    prefix.prefixLength = 30;
    assert_false(matches(FWP_MATCH_EQUAL, v6, address));
    assert_true(matches(FWP_MATCH_NOT_EQUAL, v6, address));
    prefix.prefixLength = 0;
    assert_true(matches(FWP_MATCH_EQUAL, v6, address));
    memcpy(prefix.addr, &array16, 16);
    prefix.prefixLength = 128;
    assert_true(matches(FWP_MATCH_EQUAL, v6, address));
    prefix.addr[15] ^= 1;
    assert_false(matches(FWP_MATCH_EQUAL, v6, address));
    assert_false(matches(FWP_MATCH_EQUAL, v6, inside));
}

static void empty_values(void **state)
{
    const FWP_VALUE0 empty = { .type = FWP_EMPTY };
    assert_true(matches(FWP_MATCH_EQUAL, ask(empty), empty));
    assert_false(matches(FWP_MATCH_EQUAL, ask(empty), U16(0)));
    for (int match = 0; match < FWP_MATCH_TYPE_MAX; match++)
        assert_false(matches((FWP_MATCH_TYPE)match, ask(U16(0)), empty));
    FWP_RANGE0 range;
    assert_false(matches(FWP_MATCH_RANGE, range_value(&range, U16(0), U16(65535)), empty));
    assert_false(matches(FWP_MATCH_NOT_EQUAL, value_of(FWP_V4_ADDR_MASK), empty));
    assert_false(matches(FWP_MATCH_EQUAL, value_of(FWP_SECURITY_DESCRIPTOR_TYPE), empty));
}

static void wrong_values_match_nothing(void **state)
{
    FWP_VALUE0 other = { .type = FWP_UINT32, .uint32 = 5 };
    for (int match = 0; match < FWP_MATCH_TYPE_MAX; match++)
        assert_false(matches((FWP_MATCH_TYPE)match, ask(U16(5)), other));
    FWP_RANGE0 range;
    assert_false(matches(FWP_MATCH_RANGE, range_value(&range, U16(0), U16(65535)), other));
    assert_false(matches(FWP_MATCH_EQUAL, value_of(FWP_SECURITY_DESCRIPTOR_TYPE), other));
    // A pointer that is missing, a type nobody knows.
    FWP_VALUE0 missing = { .type = FWP_UINT64 };
    assert_false(matches(FWP_MATCH_EQUAL, value_of(FWP_UINT64), missing));
    FWP_VALUE0 unknown = { .type = (FWP_DATA_TYPE)0x77 };
    assert_false(matches(FWP_MATCH_EQUAL, ask(unknown), unknown));
    assert_false(matches((FWP_MATCH_TYPE)99, ask(U16(5)), U16(5)));
}

static void descriptors(void **state)
{
    uint8_t token[64];
    const uint32_t group = 100;
    FWP_BYTE_BLOB blob_of_token = { (UINT32)wall_token_build(1000, &group, 1, token, sizeof(token)), token };
    FWP_VALUE0 value = { .type = FWP_TOKEN_ACCESS_INFORMATION_TYPE, .tokenAccessInformation = &blob_of_token };
    assert_true(matches(FWP_MATCH_EQUAL, value_of(FWP_SECURITY_DESCRIPTOR_TYPE), value));
    value = (FWP_VALUE0){ .type = FWP_SID, .sid = (SID *)sid_bytes };
    assert_true(matches(FWP_MATCH_EQUAL, value_of(FWP_SECURITY_DESCRIPTOR_TYPE), value));
    SID_AND_ATTRIBUTES member = { sid_bytes, SE_GROUP_ENABLED };
    FWP_TOKEN_INFORMATION information = { .sidCount = 1, .sids = &member };
    value = (FWP_VALUE0){ .type = FWP_TOKEN_INFORMATION_TYPE, .tokenInformation = &information };
    assert_true(matches(FWP_MATCH_EQUAL, value_of(FWP_SECURITY_DESCRIPTOR_TYPE), value));
}

// --- Whole filters ---

static void and_across_fields_or_within_one(void **state)
{
    const struct wall_condition conditions[] = {
        { FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL, FWP_MATCH_EQUAL, { .type = FWP_UINT8, .uint8 = 6 } },
        { FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT, FWP_MATCH_EQUAL, { .type = FWP_UINT16, .uint16 = 80 } },
        { FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT, FWP_MATCH_EQUAL, { .type = FWP_UINT16, .uint16 = 443 } },
    };
    struct wall_filter filter = { .condition_count = 3, .conditions = conditions };
    struct traffic traffic;
    traffic_to(&traffic, 1, 80);
    assert_true(wall_filter_matches(&filter, &traffic.incoming));
    traffic_to(&traffic, 1, 443);
    assert_true(wall_filter_matches(&filter, &traffic.incoming));
    traffic_to(&traffic, 1, 81);
    assert_false(wall_filter_matches(&filter, &traffic.incoming));
    traffic_to(&traffic, 1, 80);
    traffic.values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL].value.uint8 = 17;
    assert_false(wall_filter_matches(&filter, &traffic.incoming));
    traffic.incoming.valueCount = 3;
    assert_false(wall_filter_matches(&filter, &traffic.incoming));
    filter.condition_count = 0;
    assert_true(wall_filter_matches(&filter, &traffic.incoming));
}

static void conditions_are_grouped_whatever_their_order(void **state)
{
    struct fixture *fixture = *state;
    FWPM_FILTER_CONDITION0 conditions[3] = { port_is(80), { .matchType = FWP_MATCH_EQUAL }, port_is(443) };
    conditions[1].fieldKey = FWPM_CONDITION_IP_PROTOCOL;
    conditions[1].conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_UINT8, .uint8 = 6 };
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    filter.numFilterConditions = 3;
    filter.filterCondition = conditions;
    uint64_t id = add_filter(fixture->session, &filter);

    struct traffic traffic;
    traffic_to(&traffic, 1, 443);
    struct wall_classify_result result;
    assert_true(wall_classify(wall_engine_policy(fixture->engine), &traffic.incoming, NULL, NULL, &result));
    assert_int_equal(result.filter_id, id);
    traffic_to(&traffic, 1, 444);
    assert_true(wall_classify(wall_engine_policy(fixture->engine), &traffic.incoming, NULL, NULL, &result));
    assert_int_equal(result.filter_id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_match_type_on_every_type),
        cmocka_unit_test(no_implicit_conversion),
        cmocka_unit_test(masks),
        cmocka_unit_test(ranges),
        cmocka_unit_test(bad_content),
        cmocka_unit_test(fields_of_layers),
        cmocka_unit_test(order),
        cmocka_unit_test(bits),
        cmocka_unit_test(prefix_asks_for_the_end),
        cmocka_unit_test(case_insensitive),
        cmocka_unit_test(address_masks),
        cmocka_unit_test(empty_values),
        cmocka_unit_test(wrong_values_match_nothing),
        cmocka_unit_test(descriptors),
        cmocka_unit_test(and_across_fields_or_within_one),
        TEST(conditions_are_grouped_whatever_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
