#include "cli/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fwpmu.h"

#include "base/utf16.h"
#include "cli/json.h"
#include "cli/text.h"

// {4f0d9b1e-6a83-4c55-9d0e-5b1f3a7c2e60}
const GUID wall_rule_provider = { 0x4f0d9b1e, 0x6a83, 0x4c55, { 0x9d, 0x0e, 0x5b, 0x1f, 0x3a, 0x7c, 0x2e, 0x60 } };
// {a2c7e8d4-0b96-4e1f-8f3a-c64d1e92b705}
const GUID wall_rule_sublayer = { 0xa2c7e8d4, 0x0b96, 0x4e1f, { 0x8f, 0x3a, 0xc6, 0x4d, 0x1e, 0x92, 0xb7, 0x05 } };

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

// --- To a filter ---

static FWPM_FILTER_CONDITION0 *add_condition(struct wall_rule_filter *filter, const GUID *key, FWP_DATA_TYPE type)
{
    FWPM_FILTER_CONDITION0 *condition = &filter->conditions[filter->count++];
    condition->fieldKey = *key;
    condition->matchType = FWP_MATCH_EQUAL;
    condition->conditionValue.type = type;
    return condition;
}

static uint32_t read_v4(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void add_v4(struct wall_rule_filter *filter, const struct wall_network *network)
{
    uint32_t address = read_v4(network->address);
    FWP_V4_ADDR_AND_MASK *mask = &filter->values[filter->count].v4;
    FWPM_FILTER_CONDITION0 *condition = add_condition(filter, &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_UINT32);
    condition->conditionValue.uint32 = address;
    if (network->prefix_length == 32)
        return;
    mask->addr = address;
    mask->mask = network->prefix_length == 0 ? 0 : 0xFFFFFFFFu << (32 - network->prefix_length);
    condition->conditionValue.type = FWP_V4_ADDR_MASK;
    condition->conditionValue.v4AddrMask = mask;
}

static void add_v6(struct wall_rule_filter *filter, const struct wall_network *network)
{
    FWP_BYTE_ARRAY16 *address = &filter->values[filter->count].address;
    FWP_V6_ADDR_AND_MASK *mask = &filter->values[filter->count].v6;
    FWPM_FILTER_CONDITION0 *condition = add_condition(filter, &FWPM_CONDITION_IP_REMOTE_ADDRESS,
                                                      FWP_BYTE_ARRAY16_TYPE);
    if (network->prefix_length == 128) {
        memcpy(address->byteArray16, network->address, 16);
        condition->conditionValue.byteArray16 = address;
        return;
    }
    memcpy(mask->addr, network->address, 16);
    mask->prefixLength = network->prefix_length;
    condition->conditionValue.type = FWP_V6_ADDR_MASK;
    condition->conditionValue.v6AddrMask = mask;
}

static void add_ports(struct wall_rule_filter *filter, const struct wall_port_range *ports)
{
    FWP_RANGE0 *range = &filter->values[filter->count].range;
    FWPM_FILTER_CONDITION0 *condition = add_condition(filter, &FWPM_CONDITION_IP_REMOTE_PORT, FWP_UINT16);
    condition->conditionValue.uint16 = ports->first;
    if (ports->first == ports->last)
        return;
    range->valueLow.type = range->valueHigh.type = FWP_UINT16;
    range->valueLow.uint16 = ports->first;
    range->valueHigh.uint16 = ports->last;
    condition->matchType = FWP_MATCH_RANGE;
    condition->conditionValue.type = FWP_RANGE_TYPE;
    condition->conditionValue.rangeValue = range;
}

static void add_protocol(struct wall_rule_filter *filter, uint8_t protocol)
{
    add_condition(filter, &FWPM_CONDITION_IP_PROTOCOL, FWP_UINT8)->conditionValue.uint8 = protocol;
}

// Conditions on one field stand together: they are alternatives.
static void add_conditions(const struct wall_rule *rule, bool is_v6, struct wall_rule_filter *filter)
{
    for (size_t i = 0; i < rule->app_count; i++)
        add_condition(filter, &FWPM_CONDITION_ALE_APP_ID, FWP_BYTE_BLOB_TYPE)->conditionValue.byteBlob = rule->apps[i];
    for (size_t i = 0; i < rule->network_count; i++) {
        const struct wall_network mapped = wall_network_mapped(&rule->networks[i]);
        if (is_v6)  // WFP has what sockets of IPv6 do at the layers of IPv6, also when they use IPv4
            add_v6(filter, &mapped);
        else if (!rule->networks[i].is_v6)
            add_v4(filter, &rule->networks[i]);
    }
    for (size_t i = 0; i < rule->port_count; i++)
        add_ports(filter, &rule->ports[i]);
    for (size_t i = 0; i < rule->protocol_count; i++)
        add_protocol(filter, rule->protocols[i]);
    if (rule->port_count > 0 && rule->protocol_count == 0) {
        add_protocol(filter, PROTOCOL_TCP);
        add_protocol(filter, PROTOCOL_UDP);
    }
}

static bool concerns_family(const struct wall_rule *rule, bool is_v6)
{
    for (size_t i = 0; i < rule->network_count; i++)
        if (is_v6 || !rule->networks[i].is_v6)
            return true;
    return rule->network_count == 0;
}

bool wall_rule_build(const struct wall_rule *rule, const GUID *rule_key, bool is_v6,
                     struct wall_rule_filter *ret_filter)
{
    if (!concerns_family(rule, is_v6))
        return false;
    memset(ret_filter, 0, sizeof(*ret_filter));
    add_conditions(rule, is_v6, ret_filter);
    ret_filter->key = *rule_key;

    FWPM_FILTER0 *filter = &ret_filter->filter;
    filter->displayData.name = (WCHAR *)rule->name;
    filter->flags = rule->persistent ? FWPM_FILTER_FLAG_PERSISTENT : 0;
    filter->providerKey = (GUID *)&wall_rule_provider;
    filter->providerData.size = sizeof(ret_filter->key);
    filter->providerData.data = (UINT8 *)&ret_filter->key;
    filter->layerKey = is_v6 ? FWPM_LAYER_ALE_AUTH_CONNECT_V6 : FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    filter->subLayerKey = wall_rule_sublayer;
    if (rule->weight >= 0) {
        filter->weight.type = FWP_UINT8;
        filter->weight.uint8 = (UINT8)rule->weight;
    }
    filter->numFilterConditions = (UINT32)ret_filter->count;
    filter->filterCondition = ret_filter->conditions;
    filter->action.type = rule->block ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT;
    return true;
}

bool wall_rule_key_of(const FWPM_FILTER0 *filter, GUID *ret_key)
{
    if (!filter->providerKey || !IsEqualGUID(filter->providerKey, &wall_rule_provider) || !filter->providerData.data ||
        filter->providerData.size != sizeof(*ret_key))
        return false;
    memcpy(ret_key, filter->providerData.data, sizeof(*ret_key));
    return true;
}

// --- And back to text ---

// Adds to a list unless it is there. Returns false when memory is short.
static bool append(struct wall_texts *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool append(struct wall_texts *list, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            free(text);
            return true;
        }
    }
    char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items) {
        free(text);
        return false;
    }
    list->items = items;
    list->items[list->count++] = text;
    return true;
}

char *wall_texts_join(const struct wall_texts *texts)
{
    char *joined = NULL;
    bool good = texts->count > 0 || wall_text_append(&joined, "any");
    for (size_t i = 0; good && i < texts->count; i++)
        good = wall_text_append(&joined, "%s%s", i > 0 ? "," : "", texts->items[i]);
    return joined;
}

static bool append_address(struct wall_texts *list, int family, const void *bytes, int prefix_length)
{
    char text[INET6_ADDRSTRLEN];
    int bits = family == AF_INET6 ? 128 : 32;
    if (!inet_ntop(family, bytes, text, sizeof(text)))
        return false;
    return prefix_length == bits ? append(list, "%s", text) : append(list, "%s/%d", text, prefix_length);
}

static bool append_v6(struct wall_texts *list, const uint8_t *bytes, int prefix_length)
{
    struct wall_network network = { .is_v6 = true, .prefix_length = (uint8_t)prefix_length };
    memcpy(network.address, bytes, sizeof(network.address));
    network = wall_network_unmapped(&network);
    return append_address(list, network.is_v6 ? AF_INET6 : AF_INET, network.address, network.prefix_length);
}

static bool append_mask(struct wall_texts *list, uint32_t address, uint32_t mask)
{
    int prefix_length = 0;
    while (prefix_length < 32 && mask & 0x80000000u >> prefix_length)
        prefix_length++;
    uint32_t network = htonl(address);
    return append_address(list, AF_INET, &network, prefix_length);
}

static bool append_app(struct wall_texts *list, const FWP_BYTE_BLOB *blob)
{
    size_t count = blob->size / 2;
    uint16_t *units = calloc(count + 1, 2);
    if (!units)
        return false;
    if (blob->data)
        memcpy(units, blob->data, count * 2);
    char *text = wall_utf16_new_utf8(units);
    free(units);
    bool good = text && append(list, "%s", text);
    free(text);
    return good;
}

static bool append_protocol(struct wall_texts *list, uint8_t protocol)
{
    const char *name = wall_protocol_name(protocol);
    if (!name)
        return append(list, "%u", protocol);
    char lower[16];
    size_t length = strlen(name);
    for (size_t i = 0; i <= length && i < sizeof(lower); i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    return append(list, "%s", lower);
}

static bool append_other(struct wall_texts *list, const GUID *field)
{
    char text[WALL_KEY_TEXT_SIZE];
    const char *name = wall_key_text(field, text);
    return append(list, "%s", strncmp(name, "FWPM_CONDITION_", 15) == 0 ? name + 15 : name);
}

// Whether the condition is one that add_conditions() makes; then it has been appended, unless memory was short.
static bool append_known(const FWPM_FILTER_CONDITION0 *condition, struct wall_rule_text *text, bool *ret_good)
{
    const FWP_CONDITION_VALUE0 *value = &condition->conditionValue;
    const GUID *field = &condition->fieldKey;
    bool is_equal = condition->matchType == FWP_MATCH_EQUAL;
    bool is_remote = is_equal && IsEqualGUID(field, &FWPM_CONDITION_IP_REMOTE_ADDRESS);
    bool is_port = IsEqualGUID(field, &FWPM_CONDITION_IP_REMOTE_PORT);
    if (is_equal && IsEqualGUID(field, &FWPM_CONDITION_ALE_APP_ID) && value->type == FWP_BYTE_BLOB_TYPE)
        *ret_good = append_app(&text->apps, value->byteBlob);
    else if (is_remote && value->type == FWP_UINT32)
        *ret_good = append_mask(&text->remotes, value->uint32, 0xFFFFFFFFu);
    else if (is_remote && value->type == FWP_V4_ADDR_MASK)
        *ret_good = append_mask(&text->remotes, value->v4AddrMask->addr, value->v4AddrMask->mask);
    else if (is_remote && value->type == FWP_BYTE_ARRAY16_TYPE)
        *ret_good = append_v6(&text->remotes, value->byteArray16->byteArray16, 128);
    else if (is_remote && value->type == FWP_V6_ADDR_MASK)
        *ret_good = append_v6(&text->remotes, value->v6AddrMask->addr, value->v6AddrMask->prefixLength);
    else if (is_port && is_equal && value->type == FWP_UINT16)
        *ret_good = append(&text->ports, "%u", value->uint16);
    else if (is_port && condition->matchType == FWP_MATCH_RANGE && value->type == FWP_RANGE_TYPE)
        *ret_good = append(&text->ports, "%u-%u", value->rangeValue->valueLow.uint16,
                           value->rangeValue->valueHigh.uint16);
    else if (is_equal && IsEqualGUID(field, &FWPM_CONDITION_IP_PROTOCOL) && value->type == FWP_UINT8)
        *ret_good = append_protocol(&text->protocols, value->uint8);
    else
        return false;
    return true;
}

bool wall_rule_is_of_mapped(const FWPM_FILTER0 *filter)
{
    if (filter->numFilterConditions == 0)
        return false;
    // Both structures begin with the same type and the same union.
    const FWP_VALUE0 *value = (const FWP_VALUE0 *)&filter->filterCondition->conditionValue;
    if (value->type == (FWP_DATA_TYPE)FWP_RANGE_TYPE)
        value = &filter->filterCondition->conditionValue.rangeValue->valueLow;
    if (value->type != FWP_BYTE_ARRAY16_TYPE)
        return false;
    struct wall_network address = { .is_v6 = true, .prefix_length = 128 };
    memcpy(address.address, value->byteArray16->byteArray16, sizeof(address.address));
    return !wall_network_unmapped(&address).is_v6;
}

int wall_rule_describe(const FWPM_FILTER0 *filter, struct wall_rule_text *text)
{
    bool good = true;
    for (UINT32 i = 0; good && i < filter->numFilterConditions; i++)
        if (!append_known(&filter->filterCondition[i], text, &good))
            good = append_other(&text->others, &filter->filterCondition[i].fieldKey);
    return good ? 0 : -ENOMEM;
}

static void free_texts(struct wall_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

void wall_rule_text_done(struct wall_rule_text *text)
{
    free_texts(&text->apps);
    free_texts(&text->remotes);
    free_texts(&text->ports);
    free_texts(&text->protocols);
    free_texts(&text->others);
    memset(text, 0, sizeof(*text));
}
