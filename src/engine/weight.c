#include "engine/weight.h"

#include <math.h>
#include <string.h>

#include "engine/catalog.h"
#include "engine/status.h"

// The generated part has this many bits (FWPM_AUTO_WEIGHT_BITS).
#define AUTO_BITS 60
#define RANGE_MAX 15

// One packing of the generated bits: what a field group adds to the weight. Specificities of the group's conditions
// are added up and divided by `divisor`. Fields that share one line share its bits.
struct slot {
    unsigned char shift, width, divisor;
    unsigned char keys[2];  // the fields; both the same when there is one
};

struct packing {
    const struct slot *slots;
    size_t count;
    struct slot rest;  // of the fields that no slot names: a few free bits, so that they count at all
};

#define ONE(shift, width, divisor, key) { shift, width, divisor, { WALL_KEY_##key, WALL_KEY_##key } }
#define TWO(shift, width, divisor, a, b) { shift, width, divisor, { WALL_KEY_##a, WALL_KEY_##b } }

// The slots of Windows 11, found by analysing the weights of a real machine.
static const struct slot connect_v4[] = {
    ONE(50, 10, 4, IP_REMOTE_ADDRESS),
    ONE(47, 3, 1, IP_PROTOCOL),
    ONE(41, 6, 2, IP_LOCAL_PORT),
    ONE(38, 3, 1, IP_REMOTE_PORT),
    TWO(37, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(36, 1, 1, ALE_USER_ID),
    ONE(35, 1, 1, FLAGS),
    TWO(30, 1, 1, ARRIVAL_TUNNEL_TYPE, NEXTHOP_TUNNEL_TYPE),
    ONE(7, 4, 1, ORIGINAL_PROFILE_ID),
    ONE(3, 4, 1, CURRENT_PROFILE_ID),
};

static const struct slot connect_v6[] = {
    ONE(47, 13, 4, IP_REMOTE_ADDRESS),
    ONE(45, 2, 1, IP_PROTOCOL),
    ONE(40, 5, 2, IP_LOCAL_PORT),
    ONE(37, 2, 1, IP_REMOTE_PORT),
    TWO(36, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(35, 1, 1, ALE_USER_ID),
    ONE(34, 1, 1, FLAGS),
    TWO(29, 1, 1, ARRIVAL_TUNNEL_TYPE, NEXTHOP_TUNNEL_TYPE),
    ONE(7, 3, 1, ORIGINAL_PROFILE_ID),
    ONE(3, 4, 1, CURRENT_PROFILE_ID),
};

static const struct slot accept_v4[] = {
    ONE(53, 7, 2, IP_REMOTE_ADDRESS),
    TWO(51, 2, 2, IP_ARRIVAL_INTERFACE, IP_NEXTHOP_INTERFACE),
    ONE(49, 2, 1, IP_PROTOCOL),
    TWO(43, 6, 2, IP_LOCAL_PORT, ORIGINAL_ICMP_TYPE),
    ONE(40, 3, 1, IP_REMOTE_PORT),
    TWO(39, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(38, 1, 1, ALE_USER_ID),
    ONE(35, 1, 1, FLAGS),
    ONE(34, 1, 1, ALE_SIO_FIREWALL_SYSTEM_PORT),
    TWO(29, 1, 1, ARRIVAL_INTERFACE_TYPE, NEXTHOP_INTERFACE_TYPE),
    TWO(28, 1, 1, ARRIVAL_TUNNEL_TYPE, NEXTHOP_TUNNEL_TYPE),
    ONE(7, 3, 1, ORIGINAL_PROFILE_ID),
    ONE(3, 4, 1, CURRENT_PROFILE_ID),
    ONE(1, 1, 1, INTERFACE_QUARANTINE_EPOCH),
};

static const struct slot accept_v6[] = {
    ONE(50, 10, 2, IP_REMOTE_ADDRESS),
    TWO(48, 2, 2, IP_ARRIVAL_INTERFACE, IP_NEXTHOP_INTERFACE),
    ONE(46, 2, 1, IP_PROTOCOL),
    TWO(41, 5, 2, IP_LOCAL_PORT, ORIGINAL_ICMP_TYPE),
    ONE(38, 3, 1, IP_REMOTE_PORT),
    TWO(37, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(36, 1, 1, ALE_USER_ID),
    ONE(33, 1, 1, FLAGS),
    ONE(32, 1, 1, ALE_SIO_FIREWALL_SYSTEM_PORT),
    TWO(28, 1, 1, ARRIVAL_INTERFACE_TYPE, NEXTHOP_INTERFACE_TYPE),
    TWO(27, 1, 1, ARRIVAL_TUNNEL_TYPE, NEXTHOP_TUNNEL_TYPE),
    ONE(6, 4, 1, ORIGINAL_PROFILE_ID),
    ONE(3, 3, 1, CURRENT_PROFILE_ID),
    ONE(1, 1, 1, INTERFACE_QUARANTINE_EPOCH),
};

static const struct slot assignment_v4[] = {
    ONE(48, 12, 1, IP_LOCAL_PORT),
    ONE(37, 9, 1, IP_PROTOCOL),
    TWO(36, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(35, 1, 1, ALE_USER_ID),
    ONE(20, 1, 1, FLAGS),
};

static const struct slot assignment_v6[] = {
    ONE(49, 11, 1, IP_LOCAL_PORT),
    ONE(40, 7, 1, IP_PROTOCOL),
    TWO(39, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(38, 1, 1, ALE_USER_ID),
    ONE(23, 1, 1, FLAGS),
};

static const struct slot listen_v4[] = {
    ONE(8, 22, 1, IP_LOCAL_PORT),
    TWO(7, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(6, 1, 1, ALE_USER_ID),
    ONE(5, 1, 1, FLAGS),
};

static const struct slot listen_v6[] = {
    ONE(8, 18, 1, IP_LOCAL_PORT),
    TWO(7, 1, 1, ALE_APP_ID, ALE_PACKAGE_ID),
    ONE(6, 1, 1, ALE_USER_ID),
    ONE(5, 1, 1, FLAGS),
};

#define PACKING(table, rest_shift, rest_width) \
    { table, sizeof(table) / sizeof((table)[0]), { .shift = (rest_shift), .width = (rest_width), .divisor = 16 } }

static const struct packing packings[FWPS_BUILTIN_LAYER_MAX] = {
    [FWPS_LAYER_ALE_AUTH_CONNECT_V4] = PACKING(connect_v4, 11, 16),
    [FWPS_LAYER_ALE_AUTH_CONNECT_V6] = PACKING(connect_v6, 11, 16),
    [FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4] = PACKING(accept_v4, 11, 16),
    [FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6] = PACKING(accept_v6, 11, 16),
    [FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4] = PACKING(assignment_v4, 0, 16),
    [FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6] = PACKING(assignment_v6, 0, 16),
    [FWPS_LAYER_ALE_AUTH_LISTEN_V4] = PACKING(listen_v4, 0, 5),
    [FWPS_LAYER_ALE_AUTH_LISTEN_V6] = PACKING(listen_v6, 0, 5),
};

// Where there is no table the weight follows the same order by kind of field: address, interface, protocol, local port,
// remote port, application, user, flags, the rest.
enum group {
    GROUP_ADDRESS,
    GROUP_INTERFACE,
    GROUP_PROTOCOL,
    GROUP_LOCAL_PORT,
    GROUP_REMOTE_PORT,
    GROUP_APPLICATION,
    GROUP_USER,
    GROUP_FLAGS,
    GROUP_REST,
    GROUP_COUNT_
};

static const struct slot groups[GROUP_COUNT_] = {
    [GROUP_ADDRESS] = { .shift = 48, .width = 12, .divisor = 2 },
    [GROUP_INTERFACE] = { .shift = 46, .width = 2, .divisor = 2 },
    [GROUP_PROTOCOL] = { .shift = 44, .width = 2, .divisor = 1 },
    [GROUP_LOCAL_PORT] = { .shift = 38, .width = 6, .divisor = 1 },
    [GROUP_REMOTE_PORT] = { .shift = 32, .width = 6, .divisor = 1 },
    [GROUP_APPLICATION] = { .shift = 28, .width = 4, .divisor = 4 },
    [GROUP_USER] = { .shift = 26, .width = 2, .divisor = 2 },
    [GROUP_FLAGS] = { .shift = 25, .width = 1, .divisor = 1 },
    [GROUP_REST] = { .shift = 8, .width = 16, .divisor = 16 },
};

static enum group group_of(const struct wall_catalog_field *field)
{
    switch (field->key) {
    case WALL_KEY_IP_PROTOCOL:
    case WALL_KEY_EMBEDDED_PROTOCOL:
    case WALL_KEY_ETHER_TYPE:
        return GROUP_PROTOCOL;
    case WALL_KEY_IP_LOCAL_PORT:
    case WALL_KEY_IP_SOURCE_PORT:
    case WALL_KEY_EMBEDDED_LOCAL_PORT:
        return GROUP_LOCAL_PORT;
    case WALL_KEY_IP_REMOTE_PORT:
    case WALL_KEY_IP_DESTINATION_PORT:
    case WALL_KEY_EMBEDDED_REMOTE_PORT:
        return GROUP_REMOTE_PORT;
    default:
        break;
    }
    if (field->type == FWPM_FIELD_IP_ADDRESS || field->data_type == FWP_BYTE_ARRAY6_TYPE)
        return GROUP_ADDRESS;
    if (field->type == FWPM_FIELD_FLAGS)
        return GROUP_FLAGS;
    switch (field->data_type) {
    case FWP_UINT64:
        return GROUP_INTERFACE;
    case FWP_BYTE_BLOB_TYPE:
    case FWP_SID:
        return GROUP_APPLICATION;
    case FWP_TOKEN_INFORMATION_TYPE:
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
        return GROUP_USER;
    default:
        return GROUP_REST;
    }
}

static unsigned int bits_of(FWP_DATA_TYPE type)
{
    switch (type) {
    case FWP_UINT8:
        return 8;
    case FWP_UINT16:
        return 16;
    case FWP_UINT32:
        return 32;
    case FWP_UINT64:
        return 64;
    case FWP_BYTE_ARRAY16_TYPE:
        return 128;
    default:
        return 0;
    }
}

// The value as a number; exact enough for a logarithm.
static double number_of(const FWP_VALUE0 *value)
{
    switch (value->type) {
    case FWP_UINT8:
        return value->uint8;
    case FWP_UINT16:
        return value->uint16;
    case FWP_UINT32:
        return value->uint32;
    case FWP_UINT64:
        return (double)*value->uint64;
    default:
        break;
    }
    double number = 0;
    for (int i = 0; value->type == FWP_BYTE_ARRAY16_TYPE && i < 16; i++)
        number = number * 256 + value->byteArray16->byteArray16[i];
    return number;
}

// 1 for one value, 0 for all values of the field, in between by the logarithm of their number.
static double specificity_of(unsigned int bits, double value_count)
{
    if (bits == 0 || value_count <= 1)
        return 1;
    double specificity = 1 - log2(value_count) / bits;
    return specificity < 0 ? 0 : specificity;
}

static double specificity(FWP_DATA_TYPE type, const FWPM_FILTER_CONDITION0 *condition)
{
    const FWP_CONDITION_VALUE0 *value = &condition->conditionValue;
    unsigned int bits = bits_of(type);
    switch ((int)value->type) {
    case FWP_RANGE_TYPE:
        return specificity_of(bits, number_of(&value->rangeValue->valueHigh) -
                                        number_of(&value->rangeValue->valueLow) + 1);
    case FWP_V4_ADDR_MASK:
        return specificity_of(bits, (double)(uint32_t)~value->v4AddrMask->mask + 1);
    case FWP_V6_ADDR_MASK:
        return value->v6AddrMask->prefixLength / 128.0;
    default:
        break;
    }

    double number = bits > 0 ? number_of((const FWP_VALUE0 *)value) : 0;
    switch (condition->matchType) {
    case FWP_MATCH_GREATER:
        return specificity_of(bits, exp2(bits) - number - 1);
    case FWP_MATCH_GREATER_OR_EQUAL:
        return specificity_of(bits, exp2(bits) - number);
    case FWP_MATCH_LESS:
        return specificity_of(bits, number);
    case FWP_MATCH_LESS_OR_EQUAL:
        return specificity_of(bits, number + 1);
    default:
        return 1;
    }
}

static uint64_t slot_weight(const struct slot *slot, double sum)
{
    if (sum <= 0)
        return 0;
    double share = sum / slot->divisor;
    uint64_t most = (UINT64_C(1) << slot->width) - 1;
    uint64_t value = (uint64_t)floor((share > 1 ? 1 : share) * (double)most + 0.5);
    return (value > 0 ? value : 1) << slot->shift;
}

// The slot a field counts in; every packing fits into SLOT_MAX slots.
#define SLOT_MAX 16

static size_t slot_of(const struct packing *packing, const struct wall_catalog_field *field)
{
    if (!packing->slots)
        return group_of(field);
    size_t slot = 0;
    while (slot < packing->count && packing->slots[slot].keys[0] != field->key &&
           packing->slots[slot].keys[1] != field->key)
        slot++;
    return slot;
}

static uint64_t generate(uint16_t layer_id, const FWPM_FILTER0 *filter)
{
    const struct packing *packing = &packings[layer_id];
    double sums[SLOT_MAX] = { 0 };
    for (uint32_t i = 0; i < filter->numFilterConditions; i++) {
        const FWPM_FILTER_CONDITION0 *condition = &filter->filterCondition[i];
        uint16_t field_id;
        struct wall_catalog_field field;
        if (wall_catalog_field_find(layer_id, &condition->fieldKey, &field_id) &&
            wall_catalog_field(layer_id, field_id, &field))
            sums[slot_of(packing, &field)] += specificity(field.data_type, condition);
    }

    uint64_t weight = 0;
    const struct slot *slots = packing->slots ? packing->slots : groups;
    size_t count = packing->slots ? packing->count : (size_t)GROUP_COUNT_;
    for (size_t slot = 0; slot < count; slot++)
        weight += slot_weight(&slots[slot], sums[slot]);
    if (packing->slots)
        weight += slot_weight(&packing->rest, sums[count]);
    return weight;
}

static bool is_fast_layer(uint16_t layer_id)
{
    return layer_id >= FWPS_LAYER_INBOUND_TRANSPORT_FAST && layer_id <= FWPS_LAYER_OUTBOUND_MAC_FRAME_NATIVE_FAST;
}

wall_status wall_weight_of(uint16_t layer_id, const FWPM_FILTER0 *filter, uint64_t *ret_weight)
{
    switch (filter->weight.type) {
    case FWP_UINT64:
        if (!filter->weight.uint64)
            return FWP_E_NULL_POINTER;
        *ret_weight = *filter->weight.uint64;
        return 0;
    case FWP_UINT8:
        if (filter->weight.uint8 > RANGE_MAX)
            return FWP_E_INVALID_WEIGHT;
        *ret_weight = (uint64_t)filter->weight.uint8 << AUTO_BITS | generate(layer_id, filter);
        return 0;
    case FWP_EMPTY:
        // As seen on Windows, whose reason is not known.
        *ret_weight = is_fast_layer(layer_id) ? UINT64_C(0x7ffffffffffffff) : generate(layer_id, filter);
        return 0;
    default:
        return FWP_E_INVALID_WEIGHT;
    }
}
