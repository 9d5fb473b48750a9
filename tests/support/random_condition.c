#include "support/random_condition.h"

#include <stdlib.h>
#include <string.h>

#include "engine/catalog.h"
#include "engine/condition.h"

static FWP_BYTE_BLOB *random_descriptor(struct maker *maker)
{
    static const char *const sids[] = { "S-1-22-1-1000", "S-1-22-1-1001", "S-1-22-1-4294967295", "S-1-22-1-0",
                                        "S-1-1-0",       "S-1-5-18",      "S-1-22-2-1001" };
    uint8_t *bytes = maker_take(maker, 256);
    uint16_t count = (uint16_t)maker_below(maker, 4), control = SE_SELF_RELATIVE;
    uint32_t offset = 20;
    bytes[0] = 1;
    if (maker_below(maker, 10)) {
        control |= SE_DACL_PRESENT;
        memcpy(bytes + 16, &offset, 4);
    }
    memcpy(bytes + 2, &control, 2);
    uint8_t *at = bytes + 28;
    for (int i = 0; i < count; i++) {
        union wall_sid sid;
        // Groups are what the kernel does not know.
        uint32_t kinds = maker_percent(maker, maker->strange_percent) ? 7 : 6;
        if (!wall_sid_parse(sids[maker_below(maker, kinds)], &sid))
            abort();
        uint16_t size = (uint16_t)(8 + wall_sid_size(&sid.sid));
        uint32_t mask = maker_below(maker, 8) ? FWP_ACTRL_MATCH_FILTER : 2;
        at[0] = maker_below(maker, 3) ? ACCESS_ALLOWED_ACE_TYPE : ACCESS_DENIED_ACE_TYPE;
        memcpy(at + 2, &size, 2);
        memcpy(at + 4, &mask, 4);
        memcpy(at + 8, sid.bytes, wall_sid_size(&sid.sid));
        at += size;
    }
    uint16_t acl_size = (uint16_t)(at - bytes - 20);
    bytes[20] = 2;
    memcpy(bytes + 22, &acl_size, 2);
    memcpy(bytes + 24, &count, 2);
    FWP_BYTE_BLOB *blob = maker_take(maker, sizeof(*blob));
    *blob = (FWP_BYTE_BLOB){ (UINT32)(at - bytes), bytes };
    return blob;
}

// The value of a field in `flow`, copied so that a condition may keep it.
FWP_VALUE0 maker_copy(struct maker *maker, const FWP_VALUE0 *value)
{
    FWP_VALUE0 copy = *value;
    if (value->type == FWP_BYTE_ARRAY16_TYPE) {
        copy.byteArray16 = maker_take(maker, sizeof(*copy.byteArray16));
        *copy.byteArray16 = *value->byteArray16;
    } else if (value->type == FWP_UINT64) {
        copy.uint64 = maker_take(maker, sizeof(*copy.uint64));
        *copy.uint64 = *value->uint64;
    } else if (value->type == FWP_BYTE_BLOB_TYPE || value->type == FWP_TOKEN_ACCESS_INFORMATION_TYPE) {
        copy.byteBlob = maker_take(maker, sizeof(*copy.byteBlob));
        copy.byteBlob->size = value->byteBlob->size;
        copy.byteBlob->data = maker_take(maker, value->byteBlob->size);
        memcpy(copy.byteBlob->data, value->byteBlob->data, value->byteBlob->size);
    } else if (value->type == FWP_SID) {
        copy.sid = maker_take(maker, wall_sid_size(value->sid));
        memcpy(copy.sid, value->sid, wall_sid_size(value->sid));
    }
    return copy;
}

static FWP_VALUE0 random_value(struct maker *maker, uint16_t field_id)
{
    struct maker_flow flow;
    maker_facts(maker, &flow.facts);
    flow.facts.absent = 0;
    maker_values(maker, &flow);
    return maker_copy(maker, &flow.values[field_id].value);
}

static void make_range(struct maker *maker, uint16_t field_id, struct wall_condition *condition)
{
    FWP_RANGE0 *range = maker_take(maker, sizeof(*range));
    range->valueLow = random_value(maker, field_id);
    range->valueHigh = random_value(maker, field_id);
    if (wall_value_is_whole(&range->valueLow) && wall_value_compare(&range->valueLow, &range->valueHigh) > 0) {
        FWP_VALUE0 low = range->valueHigh;
        range->valueHigh = range->valueLow;
        range->valueLow = low;
    }
    condition->value.type = FWP_RANGE_TYPE;
    condition->value.rangeValue = range;
}

static void make_prefix(struct maker *maker, const FWP_VALUE0 *value, struct wall_condition *condition)
{
    uint32_t bits = maker_below(maker, 4) ? 24 + maker_below(maker, 9) : maker_below(maker, 33);
    if (value->type == FWP_UINT32) {
        FWP_V4_ADDR_AND_MASK *mask = maker_take(maker, sizeof(*mask));
        mask->addr = value->uint32;
        mask->mask = bits ? 0xffffffffu << (32 - bits) : 0;
        condition->value.type = FWP_V4_ADDR_MASK;
        condition->value.v4AddrMask = mask;
    } else if (value->type == FWP_BYTE_ARRAY16_TYPE) {
        FWP_V6_ADDR_AND_MASK *mask = maker_take(maker, sizeof(*mask));
        memcpy(mask->addr, value->byteArray16->byteArray16, 16);
        mask->prefixLength = (UINT8)(maker_below(maker, 3) ? 128 - bits / 4 : bits * 4);
        condition->value.type = FWP_V6_ADDR_MASK;
        condition->value.v6AddrMask = mask;
    }
}

// A condition that the engine would accept.
struct wall_condition maker_random_condition(struct maker *maker, uint16_t field_id)
{
    struct wall_catalog_field field;
    for (;;) {
        FWP_MATCH_TYPE match = (FWP_MATCH_TYPE)maker_below(maker, FWP_MATCH_TYPE_MAX);
        struct wall_condition condition = { .field_id = field_id, .match_type = match };
        if (maker_below(maker, 2))
            condition.match_type = FWP_MATCH_EQUAL;
        FWP_VALUE0 value = random_value(maker, field_id);
        memcpy(&condition.value, &value, sizeof(value));
        wall_catalog_field(maker->layer_id, field_id, &field);
        if (condition.match_type == FWP_MATCH_RANGE)
            make_range(maker, field_id, &condition);
        else if (field.type == FWPM_FIELD_IP_ADDRESS && maker_below(maker, 2))
            make_prefix(maker, &value, &condition);
        else if (field.data_type == FWP_TOKEN_ACCESS_INFORMATION_TYPE) {
            condition.value.type = FWP_SECURITY_DESCRIPTOR_TYPE;
            condition.value.sd = random_descriptor(maker);
        }
        if (!maker_below(maker, 12) && condition.match_type == FWP_MATCH_EQUAL)
            condition.value.type = FWP_EMPTY;
        FWPM_FILTER_CONDITION0 judged = { .matchType = condition.match_type, .conditionValue = condition.value };
        if (wall_condition_check_type(field.data_type, field.type, &judged, false) == 0)
            return condition;
    }
}

struct wall_condition maker_condition(struct maker *maker, uint16_t field_id, uint32_t first, uint32_t last)
{
    struct maker_flow flow = { .facts = { .app = first, .other = first } };
    struct wall_catalog_field field;
    struct wall_condition condition = { .field_id = field_id, .match_type = FWP_MATCH_EQUAL };
    wall_catalog_field(maker->layer_id, field_id, &field);
    maker_values(maker, &flow);
    FWP_RANGE0 *range = maker_take(maker, sizeof(*range));
    range->valueLow = maker_copy(maker, &flow.values[field_id].value);
    range->valueHigh = range->valueLow;
    if (field.data_type != FWP_BYTE_BLOB_TYPE) {
        memcpy(&range->valueLow.uint32, &first, sizeof(first));
        memcpy(&range->valueHigh.uint32, &last, sizeof(last));
    }
    memcpy(&condition.value, &range->valueLow, sizeof(range->valueLow));
    if (last > first) {
        condition.match_type = FWP_MATCH_RANGE;
        condition.value.type = FWP_RANGE_TYPE;
        condition.value.rangeValue = range;
    }
    return condition;
}
