// Effective weights: the check vectors of the reference, which were read from a real machine.
#include "engine/weight.h"

#include "fixture.h"

enum field { END, APP, PACKAGE, USER, PROTOCOL, LOCAL_PORT, REMOTE_PORT, REMOTE_ADDRESS, LOCAL_ADDRESS, TUNNEL, FLAGS };

// One condition: an exact value, a range of `values` values, or a prefix of `bits` bits.
struct part {
    enum field field;
    uint32_t values;
    uint8_t bits;
};

#define PART_MAX 8

struct builder {
    FWPM_FILTER_CONDITION0 conditions[PART_MAX];
    FWP_RANGE0 ranges[PART_MAX];
    FWP_V4_ADDR_AND_MASK v4[PART_MAX];
    FWP_V6_ADDR_AND_MASK v6[PART_MAX];
    FWP_BYTE_ARRAY16 address;
    FWP_BYTE_BLOB blob;
    uint8_t bytes[32];
    uint32_t count;
};

static void set_address(struct builder *builder, FWPM_FILTER_CONDITION0 *condition, const struct part *part, bool v6)
{
    uint32_t i = builder->count;
    FWP_CONDITION_VALUE0 *value = &condition->conditionValue;
    if (v6 && part->bits > 0) {
        builder->v6[i].prefixLength = part->bits;
        *value = (FWP_CONDITION_VALUE0){ .type = FWP_V6_ADDR_MASK, .v6AddrMask = &builder->v6[i] };
    } else if (v6) {
        *value = (FWP_CONDITION_VALUE0){ .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &builder->address };
    } else if (part->bits > 0) {
        builder->v4[i] = (FWP_V4_ADDR_AND_MASK){ 0x0a000200, UINT32_MAX << (32 - part->bits) };
        *value = (FWP_CONDITION_VALUE0){ .type = FWP_V4_ADDR_MASK, .v4AddrMask = &builder->v4[i] };
    } else {
        *value = (FWP_CONDITION_VALUE0){ .type = FWP_UINT32, .uint32 = 0x0a000201 };
    }
}

static void set_port(struct builder *builder, FWPM_FILTER_CONDITION0 *condition, const struct part *part)
{
    if (part->values == 0) {
        condition->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_UINT16, .uint16 = 80 };
        return;
    }
    FWP_RANGE0 *range = &builder->ranges[builder->count];
    range->valueLow = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = 0 };
    range->valueHigh = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = (UINT16)(part->values - 1) };
    condition->matchType = FWP_MATCH_RANGE;
    condition->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_RANGE_TYPE, .rangeValue = range };
}

static void add(struct builder *builder, const struct part *part, bool v6)
{
    static const enum wall_key keys[] = {
        [APP] = WALL_KEY_ALE_APP_ID,
        [PACKAGE] = WALL_KEY_ALE_PACKAGE_ID,
        [USER] = WALL_KEY_ALE_USER_ID,
        [PROTOCOL] = WALL_KEY_IP_PROTOCOL,
        [LOCAL_PORT] = WALL_KEY_IP_LOCAL_PORT,
        [REMOTE_PORT] = WALL_KEY_IP_REMOTE_PORT,
        [REMOTE_ADDRESS] = WALL_KEY_IP_REMOTE_ADDRESS,
        [LOCAL_ADDRESS] = WALL_KEY_IP_LOCAL_ADDRESS,
        [TUNNEL] = WALL_KEY_ARRIVAL_TUNNEL_TYPE,
        [FLAGS] = WALL_KEY_FLAGS,
    };
    FWPM_FILTER_CONDITION0 *condition = &builder->conditions[builder->count];
    condition->fieldKey = *wall_key_guid(keys[part->field]);
    condition->matchType = part->field == FLAGS ? FWP_MATCH_FLAGS_ALL_SET : FWP_MATCH_EQUAL;
    switch (part->field) {
    case REMOTE_ADDRESS:
    case LOCAL_ADDRESS:
        set_address(builder, condition, part, v6);
        break;
    case LOCAL_PORT:
    case REMOTE_PORT:
        set_port(builder, condition, part);
        break;
    case APP:
        condition->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = &builder->blob };
        break;
    case USER:
        condition->conditionValue.type = FWP_SECURITY_DESCRIPTOR_TYPE;
        condition->conditionValue.sd = &builder->blob;
        break;
    case PROTOCOL:
        condition->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_UINT8, .uint8 = 6 };
        break;
    default:
        condition->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_UINT32, .uint32 = 1 };
        break;
    }
    builder->count++;
}

static uint64_t weight_of(uint16_t layer_id, FWP_VALUE0 asked, const struct part *parts)
{
    struct builder builder = { .count = 0 };
    builder.blob = (FWP_BYTE_BLOB){ sizeof(builder.bytes), builder.bytes };
    for (; parts && parts->field != END; parts++)
        add(&builder, parts, wall_catalog_layer_is_v6(layer_id));
    FWPM_FILTER0 filter = { .weight = asked, .numFilterConditions = builder.count };
    filter.filterCondition = builder.conditions;
    uint64_t weight = 0;
    assert_int_equal(wall_weight_of(layer_id, &filter, &weight), 0);
    return weight;
}

#define EMPTY ((FWP_VALUE0){ .type = FWP_EMPTY })
#define RANGE(n) ((FWP_VALUE0){ .type = FWP_UINT8, .uint8 = (n) })

static void check_vectors(void **state)
{
    static const struct {
        uint16_t layer_id;
        struct part parts[PART_MAX];
        uint64_t weight;
    } vectors[] = {
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4, { { APP } }, 0x2000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4, { { USER } }, 0x1000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4, { { APP }, { PROTOCOL } }, 0x3802000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4, { { APP }, { USER }, { PROTOCOL }, { LOCAL_PORT } }, 0x3c03000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4,
          { { APP }, { USER }, { PROTOCOL }, { LOCAL_PORT }, { REMOTE_PORT } },
          0x3c1f000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4,
          { { APP }, { USER }, { PROTOCOL }, { REMOTE_PORT, .values = 65535 } },
          0x3807000000000 },
        { FWPS_LAYER_ALE_AUTH_CONNECT_V4,
          { { APP }, { USER }, { PROTOCOL }, { REMOTE_PORT, .values = 64512 } },
          0x3807000000000 },
        { FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, { { APP }, { PROTOCOL }, { LOCAL_PORT } }, 0x7008000000000 },
        { FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
          { { APP },
            { USER },
            { PROTOCOL },
            { LOCAL_PORT, .values = 5 },
            { REMOTE_ADDRESS, .bits = 24 },
            { REMOTE_ADDRESS, .bits = 4 },
            { TUNNEL } },
          0x706d8c010000000 },
        { FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6,
          { { APP }, { LOCAL_PORT }, { PROTOCOL }, { REMOTE_ADDRESS, .bits = 16 } },
          0x100e02000000000 },
        { FWPS_LAYER_ALE_AUTH_LISTEN_V4, { { APP }, { LOCAL_PORT } }, 0x3fffff80 },
        { FWPS_LAYER_ALE_AUTH_LISTEN_V4, { { APP }, { USER }, { LOCAL_PORT, .values = 5 } }, 0x36b658c0 },
        { FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4,
          { { APP }, { USER }, { PROTOCOL }, { LOCAL_PORT, .values = 21 } },
          0xb9b3ff800000000 },
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        uint64_t weight = weight_of(vectors[i].layer_id, EMPTY, vectors[i].parts);
        if (weight != vectors[i].weight)
            fail_msg("vector %zu: %llx instead of %llx", i, (unsigned long long)weight,
                     (unsigned long long)vectors[i].weight);
        // A range only sets the four bits above.
        assert_true(weight_of(vectors[i].layer_id, RANGE(15), vectors[i].parts) ==
                    (vectors[i].weight | UINT64_C(0xf) << 60));
        assert_true(weight_of(vectors[i].layer_id, RANGE(0), vectors[i].parts) == vectors[i].weight);
    }
}

static void without_conditions(void **state)
{
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, EMPTY, NULL) == 0);
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, RANGE(15), NULL) == UINT64_C(0xf000000000000000));
    assert_true(weight_of(FWPS_LAYER_INBOUND_TRANSPORT_FAST, EMPTY, NULL) == UINT64_C(0x7ffffffffffffff));
    assert_true(weight_of(FWPS_LAYER_STREAM_V4, EMPTY, NULL) == 0);
}

static void own_weights_are_taken_as_they_are(void **state)
{
    uint64_t own = UINT64_C(0x123456789abcdef0);
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, (FWP_VALUE0){ .type = FWP_UINT64, .uint64 = &own },
                          (const struct part[]){ { APP }, { END } }) == own);
}

static void a_full_range_weighs_nothing(void **state)
{
    const struct part full[] = { { LOCAL_PORT, .values = 65536 }, { END } };
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_LISTEN_V4, EMPTY, full) == 0);
    assert_true(weight_of(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, EMPTY, full) == 0);
}

static void many_values_add_up_and_saturate(void **state)
{
    const struct part ports[] = { { REMOTE_PORT }, { REMOTE_PORT }, { REMOTE_PORT }, { END } };
    const struct part addresses[] = { { REMOTE_ADDRESS }, { REMOTE_ADDRESS }, { REMOTE_ADDRESS }, { REMOTE_ADDRESS },
                                      { REMOTE_ADDRESS }, { REMOTE_ADDRESS }, { END } };
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, EMPTY, ports) == UINT64_C(7) << 38);
    assert_true(weight_of(FWPS_LAYER_ALE_AUTH_CONNECT_V4, EMPTY, addresses) == UINT64_C(1023) << 50);
}

static void bad_weights_are_refused(void **state)
{
    uint64_t weight = 77;
    FWPM_FILTER0 filter = { .weight = { .type = FWP_UINT8, .uint8 = 16 } };
    assert_int_equal(wall_weight_of(48, &filter, &weight), FWP_E_INVALID_WEIGHT);
    filter.weight.type = FWP_UINT32;
    assert_int_equal(wall_weight_of(48, &filter, &weight), FWP_E_INVALID_WEIGHT);
    filter.weight.type = FWP_UINT64;
    filter.weight.uint64 = NULL;
    assert_int_equal(wall_weight_of(48, &filter, &weight), FWP_E_NULL_POINTER);
    assert_int_equal(weight, 77);
}

// In every layer, whatever can be asked makes a filter heavier than one that asks nothing, and stays below the range.
static void every_condition_counts_in_every_layer(void **state)
{
    static uint64_t number = 5;
    static uint8_t bytes[32];
    static FWP_BYTE_BLOB blob = { sizeof(bytes), bytes };
    for (uint16_t layer_id = 0; layer_id < FWPS_BUILTIN_LAYER_MAX; layer_id++) {
        struct wall_catalog_field field;
        for (uint16_t id = 0; wall_catalog_field(layer_id, id, &field); id++) {
            FWPM_FILTER_CONDITION0 condition = { .fieldKey = *wall_key_guid(field.key) };
            condition.conditionValue.type = field.data_type;
            if (field.data_type == FWP_UINT64)
                condition.conditionValue.uint64 = &number;
            else if (field.data_type == FWP_BYTE_ARRAY16_TYPE || field.data_type == FWP_BYTE_ARRAY6_TYPE)
                condition.conditionValue.byteArray16 = (FWP_BYTE_ARRAY16 *)bytes;
            else if (field.data_type >= FWP_BYTE_BLOB_TYPE)
                condition.conditionValue.byteBlob = &blob;
            FWPM_FILTER0 filter = { .numFilterConditions = 1, .filterCondition = &condition };
            uint64_t weight = 0;
            assert_int_equal(wall_weight_of(layer_id, &filter, &weight), 0);
            assert_true(weight > 0 && weight < UINT64_C(1) << 60);
        }
    }
}

static uint64_t port_weight(FWP_MATCH_TYPE match, uint16_t port)
{
    FWPM_FILTER_CONDITION0 condition = port_is(port);
    condition.matchType = match;
    FWPM_FILTER0 filter = { .numFilterConditions = 1, .filterCondition = &condition };
    uint64_t weight = 0;
    // At this layer the port has six bits of its own.
    assert_int_equal(wall_weight_of(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, &filter, &weight), 0);
    return weight >> 32;
}

static void fewer_values_weigh_more(void **state)
{
    assert_int_equal(port_weight(FWP_MATCH_EQUAL, 80), 63);
    assert_int_equal(port_weight(FWP_MATCH_NOT_EQUAL, 80), 63);
    assert_int_equal(port_weight(FWP_MATCH_LESS, 256), 32);
    assert_int_equal(port_weight(FWP_MATCH_LESS_OR_EQUAL, 255), 32);
    assert_int_equal(port_weight(FWP_MATCH_GREATER, 65535 - 256), 32);
    assert_int_equal(port_weight(FWP_MATCH_GREATER_OR_EQUAL, 65536 - 256), 32);
    assert_int_equal(port_weight(FWP_MATCH_GREATER_OR_EQUAL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_vectors),
        cmocka_unit_test(without_conditions),
        cmocka_unit_test(own_weights_are_taken_as_they_are),
        cmocka_unit_test(a_full_range_weighs_nothing),
        cmocka_unit_test(many_values_add_up_and_saturate),
        cmocka_unit_test(bad_weights_are_refused),
        cmocka_unit_test(every_condition_counts_in_every_layer),
        cmocka_unit_test(fewer_values_weigh_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
