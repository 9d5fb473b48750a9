#include "cli/json.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fwpmtypes.h"
#include "fwptypes.h"

#include "base/guid.h"
#include "base/sid.h"
#include "base/utf16.h"
#include "cli/symbols.h"
#include "engine/names.h"

// What is around the member being printed.
struct place {
    const struct wall_shape *shape;
    bool is_address;  // the value of a condition on an address
};

enum style { STYLE_NAME, STYLE_FLAGS, STYLE_BOOL, STYLE_ADDRESS, STYLE_HEX };

// Members that are more than a number. `link` names the selector of a union, which is printed before it.
static const struct note {
    const char *shape, *field;
    enum style style;
    const struct wall_symbol *symbols;
    const char *link;
} notes[] = {
    { "FWPM_SESSION0", "flags", STYLE_FLAGS, wall_symbols_session_flag, NULL },
    { "FWPM_SESSION0", "kernelMode", STYLE_BOOL, NULL, NULL },
    { "FWPM_PROVIDER0", "flags", STYLE_FLAGS, wall_symbols_provider_flag, NULL },
    { "FWPM_PROVIDER_CONTEXT3", "flags", STYLE_FLAGS, wall_symbols_provider_context_flag, NULL },
    { "FWPM_PROVIDER_CONTEXT3", "context", STYLE_NAME, wall_symbols_provider_context_type, "type" },
    { "FWPM_SUBLAYER0", "flags", STYLE_FLAGS, wall_symbols_sublayer_flag, NULL },
    { "FWPM_FIELD0", "type", STYLE_NAME, wall_symbols_field_type, NULL },
    { "FWPM_FIELD0", "dataType", STYLE_NAME, wall_symbols_data_type, NULL },
    { "FWPM_LAYER0", "flags", STYLE_FLAGS, wall_symbols_layer_flag, NULL },
    { "FWPM_CALLOUT0", "flags", STYLE_FLAGS, wall_symbols_callout_flag, NULL },
    { "FWPM_FILTER_CONDITION0", "matchType", STYLE_NAME, wall_symbols_match_type, NULL },
    { "FWPM_ACTION0", "type", STYLE_NAME, wall_symbols_action, NULL },
    { "FWPM_FILTER0", "context", STYLE_FLAGS, wall_symbols_filter_flag, "flags" },
    { "FWP_VALUE0", "value", STYLE_NAME, wall_symbols_data_type, "type" },
    { "FWP_CONDITION_VALUE0", "value", STYLE_NAME, wall_symbols_data_type, "type" },
    { "FWPM_NET_EVENT_HEADER3", "flags", STYLE_FLAGS, wall_symbols_net_event_flag, NULL },
    { "FWPM_NET_EVENT_HEADER3", "localAddr", STYLE_NAME, wall_symbols_ip_version, "ipVersion" },
    { "FWPM_NET_EVENT_HEADER3", "remoteAddr", STYLE_ADDRESS, NULL, NULL },
    { "FWPM_NET_EVENT_HEADER3", "policyFlags", STYLE_HEX, NULL, NULL },
    { "FWPM_NET_EVENT5", "event", STYLE_NAME, wall_symbols_net_event_type, "type" },
    { "FWPM_NET_EVENT_CLASSIFY_DROP2", "isLoopback", STYLE_BOOL, NULL, NULL },
    { "FWPM_NET_EVENT_CLASSIFY_ALLOW0", "isLoopback", STYLE_BOOL, NULL, NULL },
    { "FWPM_NET_EVENT_CAPABILITY_DROP0", "isLoopback", STYLE_BOOL, NULL, NULL },
    { "FWPM_NET_EVENT_CAPABILITY_ALLOW0", "isLoopback", STYLE_BOOL, NULL, NULL },
    { "FWPM_NET_EVENT_CLASSIFY_DROP_MAC0", "isLoopback", STYLE_BOOL, NULL, NULL },
};

static const struct note *find_note(const char *shape, const char *field)
{
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        if (strcmp(notes[i].shape, shape) == 0 && strcmp(notes[i].field, field) == 0)
            return &notes[i];
    return NULL;
}

const char *wall_key_text(const GUID *key, char text[WALL_KEY_TEXT_SIZE])
{
    for (int kind = 0; kind < WALL_NAME_COUNT_; kind++) {
        const char *name = wall_name_of((enum wall_name_kind)kind, key);
        if (name)
            return name;
    }
    wall_guid_print(key, text);
    return text;
}

// --- Scalars ---

static json_t *json_hex_number(uint64_t number)
{
    return json_sprintf("0x%016" PRIx64, number);
}

static json_t *json_number(uint64_t number)
{
    return number <= INT64_MAX ? json_integer((json_int_t)number) : json_hex_number(number);
}

static json_t *json_symbol(const struct wall_symbol *symbols, uint64_t value)
{
    const char *name = wall_symbol_find(symbols, value);
    return name ? json_string(name) : json_number(value);
}

static json_t *json_flags(const struct wall_symbol *symbols, uint64_t flags)
{
    json_t *list = json_array();
    for (; list && symbols->name; symbols++) {
        if ((flags & symbols->value) == 0)
            continue;
        flags &= ~symbols->value;
        if (json_array_append_new(list, json_string(symbols->name)) < 0)
            return json_decref(list), NULL;
    }
    if (list && flags != 0 && json_array_append_new(list, json_sprintf("0x%" PRIx64, flags)) < 0)
        return json_decref(list), NULL;
    return list;
}

static json_t *json_key(const GUID *key)
{
    char text[WALL_KEY_TEXT_SIZE];
    return json_string(wall_key_text(key, text));
}

static json_t *json_hex(const uint8_t *bytes, size_t size)
{
    char *text = malloc(2 * size + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[2 * size] = '\0';
    json_t *json = json_stringn(text, 2 * size);
    free(text);
    return json;
}

static json_t *json_v4(uint32_t address)
{
    return json_sprintf("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

static json_t *json_v6(const uint8_t bytes[16])
{
    char text[INET6_ADDRSTRLEN];
    return json_string(inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static json_t *json_utf16(const uint16_t *units, size_t count)
{
    size_t size = wall_utf16_to_utf8(units, count, NULL, 0);
    char *bytes = malloc(size + 1);
    if (!bytes)
        return NULL;
    wall_utf16_to_utf8(units, count, bytes, size);
    json_t *json = json_stringn(bytes, size);
    free(bytes);
    return json;
}

// Text of bytes that somebody wrote: not UTF-8 becomes null.
static json_t *json_utf8(const char *text)
{
    json_t *json = text ? json_string(text) : NULL;
    return json ? json : json_null();
}

// --- Structures with a form of their own ---

// 100 ns units since 1601 to "2025-06-01T12:00:00.1234567Z".
static json_t *json_filetime(const FILETIME *filetime)
{
    const uint64_t units_per_second = 10000000, seconds_to_1970 = 11644473600u;
    uint64_t units = (uint64_t)filetime->dwHighDateTime << 32 | filetime->dwLowDateTime;
    time_t seconds = (time_t)(units / units_per_second) - (time_t)seconds_to_1970;
    struct tm parts;
    char text[32];
    if (!gmtime_r(&seconds, &parts) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return json_null();
    return json_sprintf("%s.%07uZ", text, (unsigned)(units % units_per_second));
}

// A blob is shown as text when it is UTF-16 with a terminator, as app ids are.
static json_t *json_blob(const FWP_BYTE_BLOB *blob)
{
    json_t *text = NULL;
    size_t count = blob->size / 2;
    uint16_t *units = blob->data && blob->size >= 2 && blob->size % 2 == 0 ? malloc(blob->size) : NULL;
    if (units) {
        memcpy(units, blob->data, blob->size);
        if (units[count - 1] == 0 && wall_utf16_length(units) == count - 1)
            text = json_utf16(units, count - 1);
    }
    free(units);
    return json_pack("{s:o, s:o}", "hex", json_hex(blob->data, blob->data ? blob->size : 0), "text",
                     text ? text : json_null());
}

static json_t *json_v4_mask(const FWP_V4_ADDR_AND_MASK *value)
{
    uint32_t length = 0;
    while (length < 32 && value->mask & 0x80000000u >> length)
        length++;
    bool is_prefix = length == 32 || (value->mask & 0xFFFFFFFFu >> length) == 0;
    uint32_t a = value->addr, m = value->mask;
    if (is_prefix)
        return json_sprintf("%u.%u.%u.%u/%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, length);
    return json_sprintf("%u.%u.%u.%u/%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, m >> 24,
                        m >> 16 & 255, m >> 8 & 255, m & 255);
}

static json_t *json_v6_mask(const FWP_V6_ADDR_AND_MASK *value)
{
    char text[INET6_ADDRSTRLEN];
    return json_sprintf("%s/%u", inet_ntop(AF_INET6, value->addr, text, sizeof(text)), value->prefixLength);
}

static json_t *json_array6(const FWP_BYTE_ARRAY6 *value)
{
    const uint8_t *b = value->byteArray6;
    return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

// Returns false when the structure is printed member by member.
static bool print_special(const struct place *place, const void *object, json_t **ret_json)
{
    const char *name = place->shape->name;
    uint64_t number;
    if (strcmp(name, "GUID") == 0) {
        *ret_json = json_key(object);
    } else if (strcmp(name, "FWP_BYTE_BLOB") == 0) {
        *ret_json = json_blob(object);
    } else if (strcmp(name, "FILETIME") == 0) {
        *ret_json = json_filetime(object);
    } else if (strcmp(name, "UINT64") == 0) {
        memcpy(&number, object, sizeof(number));
        *ret_json = json_hex_number(number);
    } else if (strcmp(name, "FWP_BYTE_ARRAY16") == 0) {
        *ret_json = place->is_address ? json_v6(object) : json_hex(object, 16);
    } else if (strcmp(name, "FWP_BYTE_ARRAY6") == 0) {
        *ret_json = json_array6(object);
    } else if (strcmp(name, "FWP_V4_ADDR_AND_MASK") == 0) {
        *ret_json = json_v4_mask(object);
    } else if (strcmp(name, "FWP_V6_ADDR_AND_MASK") == 0) {
        *ret_json = json_v6_mask(object);
    } else {
        return false;
    }
    return true;
}

// --- The walk ---

static json_t *print_structure(const struct place *place, const void *object);

static json_t *print_number(const struct note *note, uint64_t number)
{
    if (note && !note->link) {
        switch (note->style) {
        case STYLE_NAME:
            return json_symbol(note->symbols, number);
        case STYLE_FLAGS:
            return json_flags(note->symbols, number);
        case STYLE_BOOL:
            return json_boolean(number != 0);
        case STYLE_HEX:
            return json_hex_number(number);
        case STYLE_ADDRESS:
            break;
        }
    }
    return json_number(number);
}

static uint64_t load_number(const void *member, size_t size)
{
    uint8_t byte;
    uint16_t word;
    uint32_t half;
    uint64_t whole;
    switch (size) {
    case 1:
        memcpy(&byte, member, 1);
        return byte;
    case 2:
        memcpy(&word, member, 2);
        return word;
    case 4:
        memcpy(&half, member, 4);
        return half;
    default:
        memcpy(&whole, member, 8);
        return whole;
    }
}

static json_t *print_list(const struct place *place, const struct wall_shape_field *field, const void *object)
{
    const void *first;
    memcpy(&first, (const char *)object + field->offset, sizeof(first));
    uint32_t count = wall_shape_link(field, object);
    json_t *list = json_array();
    struct place inner = { .shape = field->shape, .is_address = place->is_address };
    for (uint32_t i = 0; list && first && i < count; i++) {
        const void *element = (const char *)first + (size_t)i * field->shape->size;
        if (field->kind == WALL_SHAPE_POINTERS)
            element = ((const void *const *)first)[i];
        if (json_array_append_new(list, print_structure(&inner, element)) < 0)
            return json_decref(list), NULL;
    }
    return list;
}

static json_t *print_bytes(const struct place *place, const struct wall_shape_field *field, const void *member)
{
    GUID key;
    if (field->size != sizeof(key))
        return field->size == 0 ? json_null() : json_hex(member, field->size);
    if (place->is_address)
        return json_v6(member);
    memcpy(&key, member, sizeof(key));
    return json_key(&key);
}

static json_t *print_pointer(const struct place *place, const struct wall_shape_field *field, const void *target)
{
    struct place inner = { .shape = field->shape, .is_address = place->is_address };
    char sid[WALL_SID_TEXT_SIZE];
    if (!target)
        return json_null();
    switch (field->kind) {
    case WALL_SHAPE_TEXT:
        return json_utf16(target, wall_utf16_length(target));
    case WALL_SHAPE_TEXT8:
        return json_utf8(target);
    case WALL_SHAPE_SID:
        wall_sid_print(target, sid);
        return json_string(sid);
    default:
        return print_structure(&inner, target);
    }
}

// A member that is no union.
static json_t *print_member(const struct place *place, const struct wall_shape_field *field, const void *object,
                            const struct note *note)
{
    const void *member = (const char *)object + field->offset, *target;
    struct place inner = { .shape = field->shape, .is_address = place->is_address };
    switch (field->kind) {
    case WALL_SHAPE_U8:
    case WALL_SHAPE_U16:
    case WALL_SHAPE_U32:
    case WALL_SHAPE_U64:
        if (place->is_address && field->kind == WALL_SHAPE_U32)
            return json_v4((uint32_t)load_number(member, 4));
        return print_number(note, load_number(member, wall_shape_inline_size(field)));
    case WALL_SHAPE_BYTES:
        return print_bytes(place, field, member);
    case WALL_SHAPE_STRUCT:
        return print_structure(&inner, member);
    case WALL_SHAPE_ARRAY:
    case WALL_SHAPE_POINTERS:
        return print_list(place, field, object);
    case WALL_SHAPE_DATA:
        memcpy(&target, member, sizeof(target));
        return json_hex(target, target ? wall_shape_link(field, object) : 0);
    default:
        memcpy(&target, member, sizeof(target));
        return print_pointer(place, field, target);
    }
}

// Signed and floating values travel as unsigned members.
static json_t *print_value_number(FWP_DATA_TYPE type, uint64_t number)
{
    float single;
    uint32_t half = (uint32_t)number;
    switch ((int)type) {
    case FWP_INT8:
        return json_integer((int8_t)number);
    case FWP_INT16:
        return json_integer((int16_t)number);
    case FWP_INT32:
        return json_integer((int32_t)number);
    case FWP_FLOAT:
        memcpy(&single, &half, sizeof(single));
        return json_real((double)single);
    default:
        return NULL;
    }
}

// Adds the selector, where it has a name, and what it chose.
static int print_union(const struct place *place, const struct wall_shape_field *field, const void *object,
                       json_t *json)
{
    const struct note *note = find_note(place->shape->name, field->name);
    uint32_t link = wall_shape_link(field, object);
    bool is_value = note && note->symbols == wall_symbols_data_type;
    bool is_address = place->is_address || strcmp(place->shape->name, "FWPM_NET_EVENT_HEADER3") == 0;
    if (note && note->link) {
        json_t *selector = note->style == STYLE_FLAGS ? json_flags(note->symbols, link)
                                                      : json_symbol(note->symbols, link);
        if (json_object_set_new(json, note->link, selector) < 0)
            return -1;
    }
    struct wall_shape_field chosen;
    json_t *value = NULL;
    if (!wall_shape_select(field, link, &chosen)) {
        value = json_null();
    } else {
        struct place inner = { .shape = place->shape, .is_address = is_address };
        if (is_value && chosen.kind <= WALL_SHAPE_U32)
            value = print_value_number((FWP_DATA_TYPE)link, load_number((const char *)object + chosen.offset,
                                                                       wall_shape_inline_size(&chosen)));
        if (!value)
            value = print_member(&inner, &chosen, object, NULL);
    }
    return json_object_set_new(json, field->name, value);
}

// Conditions on addresses show them as such.
static bool is_address_condition(const struct wall_shape *shape, const void *object)
{
    if (strcmp(shape->name, "FWPM_FILTER_CONDITION0") != 0)
        return false;
    const FWPM_FILTER_CONDITION0 *condition = object;
    const char *name = wall_name_of(WALL_NAME_CONDITION, &condition->fieldKey);
    const char *found = name ? strstr(name, "_ADDRESS") : NULL;
    return found && strncmp(name, "FWPM_CONDITION_IP_", 18) == 0 &&
           (strcmp(found, "_ADDRESS") == 0 || strcmp(found, "_ADDRESS_V4") == 0 || strcmp(found, "_ADDRESS_V6") == 0);
}

static json_t *print_structure(const struct place *place, const void *object)
{
    json_t *json;
    if (print_special(place, object, &json))
        return json;
    const struct wall_shape *shape = place->shape;
    bool has_address = is_address_condition(shape, object);
    json = json_object();
    for (uint32_t i = 0; json && i < shape->field_count; i++) {
        const struct wall_shape_field *field = &shape->fields[i];
        bool is_address = place->is_address || (has_address && strcmp(field->name, "conditionValue") == 0);
        struct place inner = { .shape = shape, .is_address = is_address };
        int failed;
        if (field->kind == WALL_SHAPE_UNION)
            failed = print_union(&inner, field, object, json);
        else
            failed = json_object_set_new(json, field->name,
                                         print_member(&inner, field, object, find_note(shape->name, field->name)));
        if (failed)
            return json_decref(json), NULL;
    }
    return json;
}

json_t *wall_json_from_object(const struct wall_shape *shape, const void *object)
{
    struct place place = { .shape = shape };
    return print_structure(&place, object);
}
