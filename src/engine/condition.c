#include "engine/condition.h"

#include <string.h>

#include "base/sid.h"
#include "base/utf16.h"
#include "engine/catalog.h"
#include "engine/classify.h"
#include "engine/status.h"
#include "engine/token.h"

static bool is_unsigned(FWP_DATA_TYPE type)
{
    return type >= FWP_UINT8 && type <= FWP_UINT64;
}

static bool is_integer(FWP_DATA_TYPE type)
{
    return type >= FWP_UINT8 && type <= FWP_INT64;
}

static bool is_sortable(FWP_DATA_TYPE type)
{
    return is_integer(type) || type == FWP_BYTE_ARRAY16_TYPE || type == FWP_BYTE_BLOB_TYPE ||
           type == FWP_UNICODE_STRING_TYPE;
}

static bool is_text(FWP_DATA_TYPE type)
{
    return type == FWP_BYTE_BLOB_TYPE || type == FWP_UNICODE_STRING_TYPE;
}

static bool is_blob(FWP_DATA_TYPE type)
{
    return type == FWP_BYTE_BLOB_TYPE || type == FWP_SECURITY_DESCRIPTOR_TYPE ||
           type == FWP_TOKEN_ACCESS_INFORMATION_TYPE;
}

static bool is_token(FWP_DATA_TYPE type)
{
    return type == FWP_TOKEN_INFORMATION_TYPE || type == FWP_TOKEN_ACCESS_INFORMATION_TYPE;
}

bool wall_value_is_whole(const FWP_VALUE0 *value)
{
    if (is_blob(value->type))
        return value->byteBlob && (value->byteBlob->data || value->byteBlob->size == 0);
    switch (value->type) {
    case FWP_EMPTY:
    case FWP_UINT8:
    case FWP_UINT16:
    case FWP_UINT32:
    case FWP_INT8:
    case FWP_INT16:
    case FWP_INT32:
    case FWP_FLOAT:
        return true;
    case FWP_UINT64:
    case FWP_INT64:
    case FWP_DOUBLE:
    case FWP_BYTE_ARRAY16_TYPE:
    case FWP_BYTE_ARRAY6_TYPE:
    case FWP_SID:
    case FWP_TOKEN_INFORMATION_TYPE:
    case FWP_UNICODE_STRING_TYPE:
        return value->uint64 != NULL;
    default:
        return false;
    }
}

static uint64_t unsigned_of(const FWP_VALUE0 *value)
{
    switch (value->type) {
    case FWP_UINT8:
        return value->uint8;
    case FWP_UINT16:
        return value->uint16;
    case FWP_UINT32:
        return value->uint32;
    default:
        return *value->uint64;
    }
}

static int64_t signed_of(const FWP_VALUE0 *value)
{
    switch (value->type) {
    case FWP_INT8:
        return value->int8;
    case FWP_INT16:
        return value->int16;
    case FWP_INT32:
        return value->int32;
    default:
        return *value->int64;
    }
}

static int compare_blobs(const FWP_BYTE_BLOB *a, const FWP_BYTE_BLOB *b)
{
    size_t shared = a->size < b->size ? a->size : b->size;
    int order = shared > 0 ? memcmp(a->data, b->data, shared) : 0;
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_sids(const SID *a, const SID *b)
{
    size_t size_a = wall_sid_size(a), size_b = wall_sid_size(b);
    int order = memcmp(a, b, size_a < size_b ? size_a : size_b);
    return order != 0 ? order : (size_a > size_b) - (size_a < size_b);
}

int wall_value_compare(const FWP_VALUE0 *a, const FWP_VALUE0 *b)
{
    if (is_unsigned(a->type)) {
        uint64_t left = unsigned_of(a), right = unsigned_of(b);
        return (left > right) - (left < right);
    }
    if (is_integer(a->type)) {
        int64_t left = signed_of(a), right = signed_of(b);
        return (left > right) - (left < right);
    }
    if (is_blob(a->type))
        return compare_blobs(a->byteBlob, b->byteBlob);
    switch (a->type) {
    case FWP_FLOAT:
        return (a->float32 > b->float32) - (a->float32 < b->float32);
    case FWP_DOUBLE:
        return (*a->double64 > *b->double64) - (*a->double64 < *b->double64);
    case FWP_BYTE_ARRAY16_TYPE:
        return memcmp(a->byteArray16, b->byteArray16, sizeof(*a->byteArray16));
    case FWP_BYTE_ARRAY6_TYPE:
        return memcmp(a->byteArray6, b->byteArray6, sizeof(*a->byteArray6));
    case FWP_SID:
        return compare_sids(a->sid, b->sid);
    case FWP_UNICODE_STRING_TYPE:
        return wall_utf16_compare((const uint16_t *)a->unicodeString, (const uint16_t *)b->unicodeString);
    default:
        return 0;
    }
}

// --- Judging ---

static const FWP_VALUE0 *plain(const FWP_CONDITION_VALUE0 *value)
{
    // Both structures begin with the same type and the same union.
    return (const FWP_VALUE0 *)value;
}

// What is wrong with a value that has the right type.
static wall_status check_content(const FWP_VALUE0 *value)
{
    if (!wall_value_is_whole(value))
        return FWP_E_NULL_POINTER;
    if (is_blob(value->type) && value->byteBlob->size == 0)
        return FWP_E_ZERO_LENGTH_ARRAY;
    if (value->type == FWP_SID &&
        (value->sid->Revision != SID_REVISION || value->sid->SubAuthorityCount > WALL_SID_PARTS_MAX))
        return FWP_E_INVALID_PARAMETER;
    if (value->type == FWP_SECURITY_DESCRIPTOR_TYPE && !wall_descriptor_check(value->sd))
        return ERROR_INVALID_SECURITY_DESCR;
    return 0;
}

static wall_status check_range(FWP_DATA_TYPE type, const FWP_RANGE0 *range)
{
    if (!range)
        return FWP_E_NULL_POINTER;
    if (range->valueLow.type != type || range->valueHigh.type != type)
        return FWP_E_TYPE_MISMATCH;
    if (!is_sortable(type))
        return FWP_E_MATCH_TYPE_MISMATCH;
    wall_status status = check_content(&range->valueLow);
    if (status == 0)
        status = check_content(&range->valueHigh);
    if (status != 0)
        return status;
    return wall_value_compare(&range->valueLow, &range->valueHigh) > 0 ? FWP_E_INVALID_RANGE : 0;
}

static wall_status check_mask(const FWP_CONDITION_VALUE0 *value)
{
    if (!value->v4AddrMask)
        return FWP_E_NULL_POINTER;
    if (value->type == FWP_V6_ADDR_MASK)
        return value->v6AddrMask->prefixLength > 128 ? FWP_E_INVALID_NET_MASK : 0;
    uint32_t host_bits = ~value->v4AddrMask->mask;
    return (host_bits & (host_bits + 1)) != 0 ? FWP_E_INVALID_NET_MASK : 0;
}

static bool match_fits(FWP_MATCH_TYPE match, FWP_DATA_TYPE type)
{
    switch (match) {
    case FWP_MATCH_EQUAL:
        return true;
    case FWP_MATCH_GREATER:
    case FWP_MATCH_LESS:
    case FWP_MATCH_GREATER_OR_EQUAL:
    case FWP_MATCH_LESS_OR_EQUAL:
        return is_sortable(type);
    case FWP_MATCH_FLAGS_ALL_SET:
    case FWP_MATCH_FLAGS_ANY_SET:
    case FWP_MATCH_FLAGS_NONE_SET:
        return is_unsigned(type);
    case FWP_MATCH_EQUAL_CASE_INSENSITIVE:
        return type == FWP_UNICODE_STRING_TYPE;
    case FWP_MATCH_NOT_EQUAL:
        // Windows itself asks a SID this way.
        return is_sortable(type) || type == FWP_SID || type == FWP_BYTE_ARRAY6_TYPE || type == FWP_V4_ADDR_MASK ||
               type == FWP_V6_ADDR_MASK;
    case FWP_MATCH_PREFIX:
    case FWP_MATCH_NOT_PREFIX:
        return is_text(type);
    default:
        return false;
    }
}

wall_status wall_condition_check_type(FWP_DATA_TYPE type, FWPM_FIELD_TYPE field_type,
                                      const FWPM_FILTER_CONDITION0 *condition, bool in_template)
{
    const FWP_CONDITION_VALUE0 *value = &condition->conditionValue;
    FWP_MATCH_TYPE match = condition->matchType;
    if ((unsigned int)match >= FWP_MATCH_TYPE_MAX)
        return FWP_E_INVALID_ENUMERATOR;
    if ((match == FWP_MATCH_RANGE) != (value->type == FWP_RANGE_TYPE))
        return FWP_E_MATCH_TYPE_MISMATCH;

    switch ((int)value->type) {
    case FWP_EMPTY:
        return match == FWP_MATCH_EQUAL ? 0 : FWP_E_MATCH_TYPE_MISMATCH;
    case FWP_RANGE_TYPE:
        return check_range(type, value->rangeValue);
    case FWP_V4_ADDR_MASK:
    case FWP_V6_ADDR_MASK:
        if (field_type != FWPM_FIELD_IP_ADDRESS ||
            type != (value->type == FWP_V4_ADDR_MASK ? FWP_UINT32 : FWP_BYTE_ARRAY16_TYPE))
            return FWP_E_TYPE_MISMATCH;
        return match_fits(match, value->type) ? check_mask(value) : FWP_E_MATCH_TYPE_MISMATCH;
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        if (!is_token(type))
            return FWP_E_TYPE_MISMATCH;
        break;
    case FWP_SID:
        if (type != FWP_SID && !(in_template && is_token(type)))
            return FWP_E_TYPE_MISMATCH;
        break;
    default:
        // A token cannot be compared: who knows one asks with a security descriptor.
        if (value->type != type || is_token(type))
            return FWP_E_TYPE_MISMATCH;
        break;
    }
    if (!match_fits(match, value->type) || (is_token(type) && match != FWP_MATCH_EQUAL))
        return FWP_E_MATCH_TYPE_MISMATCH;
    return check_content(plain(value));
}

wall_status wall_condition_check(uint16_t layer_id, const FWPM_FILTER_CONDITION0 *condition, bool in_template,
                                 uint16_t *ret_field_id)
{
    uint16_t field_id;
    struct wall_catalog_field field;
    if (!wall_catalog_field_find(layer_id, &condition->fieldKey, &field_id) ||
        !wall_catalog_field(layer_id, field_id, &field))
        return FWP_E_CONDITION_NOT_FOUND;
    wall_status status = wall_condition_check_type(field.data_type, field.type, condition, in_template);
    if (status == 0)
        *ret_field_id = field_id;
    return status;
}

// --- Matching ---

static bool matches_v6_prefix(const FWP_V6_ADDR_AND_MASK *mask, const FWP_BYTE_ARRAY16 *address)
{
    unsigned int whole = mask->prefixLength / 8, rest = mask->prefixLength % 8;
    if (memcmp(mask->addr, address->byteArray16, whole) != 0)
        return false;
    return rest == 0 || ((mask->addr[whole] ^ address->byteArray16[whole]) >> (8 - rest)) == 0;
}

static bool matches_mask(const struct wall_condition *condition, const FWP_VALUE0 *value)
{
    const FWP_CONDITION_VALUE0 *asked = &condition->value;
    bool inside;
    if (asked->type == FWP_V4_ADDR_MASK && value->type == FWP_UINT32)
        inside = ((value->uint32 ^ asked->v4AddrMask->addr) & asked->v4AddrMask->mask) == 0;
    else if (asked->type == FWP_V6_ADDR_MASK && value->type == FWP_BYTE_ARRAY16_TYPE)
        inside = matches_v6_prefix(asked->v6AddrMask, value->byteArray16);
    else
        return false;
    return inside == (condition->match_type != FWP_MATCH_NOT_EQUAL);
}

static bool matches_range(const FWP_RANGE0 *range, const FWP_VALUE0 *value)
{
    return value->type == range->valueLow.type && wall_value_compare(value, &range->valueLow) >= 0 &&
           wall_value_compare(value, &range->valueHigh) <= 0;
}

static bool matches_descriptor(const FWP_BYTE_BLOB *sd, const FWP_VALUE0 *value)
{
    switch (value->type) {
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
        return wall_descriptor_grants(sd, value->tokenAccessInformation);
    case FWP_TOKEN_INFORMATION_TYPE:
        return wall_descriptor_grants_information(sd, value->tokenInformation);
    case FWP_SID:
        return wall_descriptor_grants_sid(sd, value->sid);
    default:
        return false;
    }
}

// The bytes of a text, without the terminator that a blob may count.
static FWP_BYTE_BLOB text_of(const FWP_VALUE0 *value)
{
    FWP_BYTE_BLOB text;
    if (value->type == FWP_UNICODE_STRING_TYPE) {
        text.data = (UINT8 *)value->unicodeString;
        text.size = (UINT32)(wall_utf16_length((const uint16_t *)value->unicodeString) * sizeof(uint16_t));
    } else {
        text = *value->byteBlob;
        if (text.size >= 2 && text.size % 2 == 0 && text.data[text.size - 1] == 0 && text.data[text.size - 2] == 0)
            text.size -= 2;
    }
    return text;
}

// FWP_MATCH_PREFIX asks for the end of the text, in spite of its name; so it is documented.
static bool matches_suffix(const FWP_VALUE0 *asked, const FWP_VALUE0 *value)
{
    FWP_BYTE_BLOB suffix = text_of(asked), text = text_of(value);
    if (suffix.size > text.size || (text.size - suffix.size) % sizeof(uint16_t) != 0)
        return false;
    return suffix.size == 0 || memcmp(text.data + text.size - suffix.size, suffix.data, suffix.size) == 0;
}

static bool matches_same_type(FWP_MATCH_TYPE match, const FWP_VALUE0 *asked, const FWP_VALUE0 *value)
{
    switch (match) {
    case FWP_MATCH_EQUAL:
        return wall_value_compare(value, asked) == 0;
    case FWP_MATCH_GREATER:
        return wall_value_compare(value, asked) > 0;
    case FWP_MATCH_LESS:
        return wall_value_compare(value, asked) < 0;
    case FWP_MATCH_GREATER_OR_EQUAL:
        return wall_value_compare(value, asked) >= 0;
    case FWP_MATCH_LESS_OR_EQUAL:
        return wall_value_compare(value, asked) <= 0;
    case FWP_MATCH_FLAGS_ALL_SET:
        return (unsigned_of(value) & unsigned_of(asked)) == unsigned_of(asked);
    case FWP_MATCH_FLAGS_ANY_SET:
        return (unsigned_of(value) & unsigned_of(asked)) != 0;
    case FWP_MATCH_FLAGS_NONE_SET:
        return (unsigned_of(value) & unsigned_of(asked)) == 0;
    case FWP_MATCH_EQUAL_CASE_INSENSITIVE:
        return wall_utf16_compare_caseless((const uint16_t *)value->unicodeString,
                                           (const uint16_t *)asked->unicodeString) == 0;
    case FWP_MATCH_NOT_EQUAL:
        return wall_value_compare(value, asked) != 0;
    case FWP_MATCH_PREFIX:
        return matches_suffix(asked, value);
    case FWP_MATCH_NOT_PREFIX:
        return !matches_suffix(asked, value);
    default:
        return false;
    }
}

bool wall_condition_matches(const struct wall_condition *condition, const FWP_VALUE0 *value)
{
    const FWP_CONDITION_VALUE0 *asked = &condition->value;
    if (value->type == FWP_EMPTY || asked->type == FWP_EMPTY)
        return value->type == asked->type;
    if (!wall_value_is_whole(value))
        return false;

    switch ((int)asked->type) {
    case FWP_RANGE_TYPE:
        return matches_range(asked->rangeValue, value);
    case FWP_V4_ADDR_MASK:
    case FWP_V6_ADDR_MASK:
        return matches_mask(condition, value);
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        return matches_descriptor(asked->sd, value);
    default:
        return asked->type == value->type && matches_same_type(condition->match_type, plain(asked), value);
    }
}

bool wall_filter_matches(const struct wall_filter *filter, const FWPS_INCOMING_VALUES0 *values)
{
    for (uint32_t i = 0; i < filter->condition_count;) {
        uint16_t field_id = filter->conditions[i].field_id;
        bool matched = false;
        for (; i < filter->condition_count && filter->conditions[i].field_id == field_id; i++) {
            if (!matched && field_id < values->valueCount)
                matched = wall_condition_matches(&filter->conditions[i], &values->incomingValue[field_id].value);
        }
        if (!matched)
            return false;
    }
    return true;
}
