#include "rules.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// {c53f5a6e-7d42-4a0b-9a61-20b1f3f0e911}
static const GUID sublayer_key = { 0xc53f5a6e, 0x7d42, 0x4a0b, { 0x9a, 0x61, 0x20, 0xb1, 0xf3, 0xf0, 0xe9, 0x11 } };

// xorshift64*
static uint32_t below(struct rules *rules, uint32_t limit)
{
    rules->seed ^= rules->seed >> 12;
    rules->seed ^= rules->seed << 25;
    rules->seed ^= rules->seed >> 27;
    return (uint32_t)((rules->seed * 2685821657736338717u >> 32) % limit);
}

static DWORD app_of(const char *path, FWP_BYTE_BLOB **ret_app)
{
    WCHAR wide[PATH_MAX];
    size_t length = 0;
    for (; path[length] && length + 1 < PATH_MAX; length++)
        wide[length] = (unsigned char)path[length];
    wide[length] = 0;
    return FwpmGetAppIdFromFileName0(wide, ret_app);
}

static DWORD make_app(const char *folder, uint32_t number, FWP_BYTE_BLOB **ret_app)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/program-%u", folder, number);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    if (fd < 0)
        return ERROR_ACCESS_DENIED;
    close(fd);
    return app_of(path, ret_app);
}

DWORD rules_open(struct rules *rules, const char *load, const char *folder, uint32_t app_count)
{
    *rules = (struct rules){ .seed = 0x9e3779b97f4a7c15u, .sublayer = sublayer_key };
    rules->apps = calloc(app_count, sizeof(FWP_BYTE_BLOB *));
    if (!rules->apps)
        return ERROR_OUTOFMEMORY;
    DWORD status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_DEFAULT, NULL, NULL, &rules->engine);
    if (status == ERROR_SUCCESS)
        status = app_of(load, &rules->load_app);
    rules->apps[rules->app_count++] = rules->load_app;
    while (status == ERROR_SUCCESS && rules->app_count < app_count)
        status = make_app(folder, rules->app_count, &rules->apps[rules->app_count]), rules->app_count++;
    return status;
}

void rules_close(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->app_count; i++)
        FwpmFreeMemory0((void **)&rules->apps[i]);
    free(rules->apps);
    if (rules->engine)
        FwpmEngineClose0(rules->engine);
}

DWORD rules_add_sublayer(struct rules *rules)
{
    WCHAR name[] = L"benchmark";
    FWPM_SUBLAYER0 sublayer = { .subLayerKey = rules->sublayer, .weight = 1000 };
    sublayer.displayData.name = name;
    DWORD status = FwpmSubLayerAdd0(rules->engine, &sublayer, NULL);
    return status == (DWORD)FWP_E_ALREADY_EXISTS ? ERROR_SUCCESS : status;
}

static DWORD add(struct rules *rules, const GUID *layer, FWPM_FILTER_CONDITION0 *conditions, uint32_t count, bool block,
                 uint64_t weight, UINT64 *ret_id)
{
    WCHAR name[] = L"benchmark";
    FWPM_FILTER0 filter = { .layerKey = *layer, .subLayerKey = rules->sublayer };
    filter.displayData.name = name;
    filter.weight.type = FWP_UINT64;
    filter.weight.uint64 = &weight;
    filter.numFilterConditions = count;
    filter.filterCondition = conditions;
    filter.action.type = block ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT;
    return FwpmFilterAdd0(rules->engine, &filter, NULL, ret_id);
}

static FWPM_FILTER_CONDITION0 *condition(FWPM_FILTER_CONDITION0 *conditions, uint32_t *count, const GUID *field,
                                         FWP_DATA_TYPE type)
{
    FWPM_FILTER_CONDITION0 *new = &conditions[(*count)++];
    memset(new, 0, sizeof(*new));
    new->fieldKey = *field;
    new->matchType = FWP_MATCH_EQUAL;
    new->conditionValue.type = type;
    return new;
}

// Anywhere but in 127/8.
static FWP_V4_ADDR_AND_MASK random_network(struct rules *rules)
{
    static const uint8_t lengths[] = { 32, 32, 32, 24, 24, 24, 24, 16, 16, 12 };
    uint32_t mask = 0xffffffffu << (32 - lengths[below(rules, 10)]);
    uint32_t address = below(rules, 0xe0000000u);
    if (address >> 24 == 127)
        address ^= 0x40000000;
    return (FWP_V4_ADDR_AND_MASK){ address & mask, mask };
}

static void add_random_port(struct rules *rules, FWPM_FILTER_CONDITION0 *conditions, uint32_t *count, FWP_RANGE0 *range)
{
    static const uint16_t usual[] = { 443, 80, 53, 22, 25, 123, 8080, 993, 3306, 5432, 6379, 9092, 8443, 143, 389 };
    FWPM_FILTER_CONDITION0 *port = condition(conditions, count, &FWPM_CONDITION_IP_REMOTE_PORT, FWP_UINT16);
    port->conditionValue.uint16 = usual[below(rules, 15)];
    if (below(rules, 10) < 7)
        return;
    uint16_t low = (uint16_t)below(rules, 60000);
    range->valueLow = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = low };
    range->valueHigh = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = (UINT16)(low + below(rules, 5000)) };
    port->matchType = FWP_MATCH_RANGE;
    port->conditionValue.type = FWP_RANGE_TYPE;
    port->conditionValue.rangeValue = range;
}

DWORD rules_add_random(struct rules *rules, uint64_t weight, UINT64 *ret_id)
{
    FWPM_FILTER_CONDITION0 conditions[4];
    FWP_RANGE0 range;
    FWP_V4_ADDR_AND_MASK network = random_network(rules);
    uint32_t count = 0, app = 0;
    bool any_app = below(rules, 4) == 0, any_network = below(rules, 4) == 0;
    if (!any_app) {
        // A few programs are in most filters (Zipf, exponent 1).
        app = (uint32_t)pow(rules->app_count, below(rules, 1u << 30) / (double)(1u << 30)) - 1;
        condition(conditions, &count, &FWPM_CONDITION_ALE_APP_ID, FWP_BYTE_BLOB_TYPE)->conditionValue.byteBlob =
            rules->apps[app];
    }
    if (!any_network || app == 0)  // one that the load generator could match is about other places
        condition(conditions, &count, &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_V4_ADDR_MASK)->conditionValue.v4AddrMask =
            &network;
    if (below(rules, 4))
        add_random_port(rules, conditions, &count, &range);
    if (below(rules, 4))
        condition(conditions, &count, &FWPM_CONDITION_IP_PROTOCOL, FWP_UINT8)->conditionValue.uint8 =
            below(rules, 10) < 7 ? 6 : 17;
    return add(rules, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, conditions, count, below(rules, 2), weight, ret_id);
}

DWORD rules_add_port(struct rules *rules, const GUID *layer, bool only_load, uint16_t port, bool block, uint64_t weight,
                     UINT64 *ret_id)
{
    FWPM_FILTER_CONDITION0 conditions[2];
    uint32_t count = 0;
    bool inbound = IsEqualGUID(layer, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4) ||
                   IsEqualGUID(layer, &FWPM_LAYER_INBOUND_TRANSPORT_V4);
    if (only_load)
        condition(conditions, &count, &FWPM_CONDITION_ALE_APP_ID, FWP_BYTE_BLOB_TYPE)->conditionValue.byteBlob =
            rules->load_app;
    if (port)
        condition(conditions, &count, inbound ? &FWPM_CONDITION_IP_LOCAL_PORT : &FWPM_CONDITION_IP_REMOTE_PORT,
                  FWP_UINT16)
            ->conditionValue.uint16 = port;
    return add(rules, layer, conditions, count, block, weight, ret_id);
}

DWORD rules_add_addresses(struct rules *rules, uint32_t first, uint32_t count, uint64_t weight)
{
    FWPM_FILTER_CONDITION0 *conditions = calloc(count, sizeof(*conditions));
    if (!conditions)
        return ERROR_OUTOFMEMORY;
    for (uint32_t i = 0, used = 0; i < count; i++) {
        // A permutation of 32 bits: all different, scattered; those of 127/8 move to class E.
        uint32_t address = (first + i) * 2654435761u;
        if (address >> 24 == 127)
            address |= 0xf0000000u;
        condition(conditions, &used, &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_UINT32)->conditionValue.uint32 = address;
    }
    DWORD status = add(rules, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, conditions, count, true, weight, NULL);
    free(conditions);
    return status;
}
