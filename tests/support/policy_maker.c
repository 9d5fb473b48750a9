#include "support/policy_maker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/catalog.h"
#include "engine/classify.h"
#include "engine/token.h"
#include "support/random_condition.h"

// xorshift64*
uint32_t maker_below(struct maker *maker, uint32_t limit)
{
    maker->seed ^= maker->seed >> 12;
    maker->seed ^= maker->seed << 25;
    maker->seed ^= maker->seed >> 27;
    return (uint32_t)((maker->seed * 2685821657736338717u >> 32) % limit);
}

bool maker_percent(struct maker *maker, uint32_t chance)
{
    return maker_below(maker, 100) < chance;
}

void *maker_take(struct maker *maker, size_t size)
{
    void *memory = wall_arena_take(&maker->arena, size);
    if (!memory)
        abort();
    return memory;
}

void maker_init(struct maker *maker, uint64_t seed, uint16_t layer_id, enum maker_style style)
{
    *maker = (struct maker){
        .seed = (seed + 1) * 0x9e3779b97f4a7c15u,
        .layer_id = layer_id,
        .style = style,
        .app_count = style == MAKER_REALISTIC ? 1000 : 4,
    };
    wall_arena_init(&maker->arena);
    maker_layer(maker, 0, 0);
}

void maker_done(struct maker *maker)
{
    wall_arena_done(&maker->arena);
}

bool maker_is_registered(void *context, uint32_t callout_id)
{
    (void)context;
    return callout_id % 2;
}

// --- Values ---

static uint32_t random_app(struct maker *maker)
{
    if (maker->style == MAKER_SMALL_WORLD)
        return maker_below(maker, maker->app_count);
    // A few programs are in most rules (Zipf, exponent 1).
    double rank = pow(maker->app_count, maker_below(maker, 1u << 30) / (double)(1u << 30));
    return (uint32_t)rank - 1;
}

static size_t app_id(uint32_t app, uint16_t *text)
{
    char path[40];
    int length = snprintf(path, sizeof(path), "/usr/bin/program-%u", (unsigned)app);
    for (int i = 0; i <= length; i++)
        text[i] = (unsigned char)path[i];
    return (size_t)(length + 1) * sizeof(*text);
}

static uint32_t random_port(struct maker *maker)
{
    static const uint16_t usual[] = { 443, 80, 53, 22, 25, 123, 8080, 993, 3306, 5432, 6379, 9092, 8443, 143, 389 };
    if (maker->style == MAKER_SMALL_WORLD)
        return maker_below(maker, 3) ? 440 + maker_below(maker, 6) : maker_below(maker, 2) * 65535;
    return maker_below(maker, 2) ? usual[maker_below(maker, 15)] : maker_below(maker, 65536);
}

static void random_address(struct maker *maker, uint32_t words[4])
{
    memset(words, 0, 4 * sizeof(words[0]));
    bool v6 = wall_catalog_layer_is_v6(maker->layer_id);
    if (maker->style == MAKER_REALISTIC) {
        words[0] = v6 ? 0x20010000u + maker_below(maker, 0x10000) : maker_below(maker, 0xe0000000u);
        for (int i = 1; v6 && i < 4; i++)
            words[i] = maker_below(maker, i == 1 ? 0x100000 : 0xffffffffu);
        return;
    }
    words[0] = v6 ? 0x20010db8u : 0x0a000000u + maker_below(maker, 3) * 256 + maker_below(maker, 4);
    if (v6) {
        words[1] = maker_below(maker, 2);
        words[3] = maker_below(maker, 4);
    }
    if (!maker_below(maker, 12))
        memset(words, maker_below(maker, 2) ? 0xff : 0, v6 ? 16 : 4);
}

static uint8_t random_protocol(struct maker *maker)
{
    static const uint8_t usual[] = { 6, 6, 17, 1 };
    return maker_below(maker, 10) ? usual[maker_below(maker, 4)] : (uint8_t)maker_below(maker, 256);
}

static uint32_t random_flags(struct maker *maker)
{
    static const uint32_t bits[] = { 1, 4, 8, 0x10, 0x100000, 0x80000000u };
    uint32_t flags = 0;
    for (uint32_t i = 0; i < 2; i++)
        flags |= maker_below(maker, 2) ? bits[maker_below(maker, 6)] : 0;
    return flags;
}

void maker_facts(struct maker *maker, struct maker_facts *facts)
{
    facts->app = random_app(maker);
    facts->user = maker_below(maker, 8) ? 1000 + maker_below(maker, 4) : maker_below(maker, 2) * 0xffffffffu;
    facts->group = 1000 + maker_below(maker, 3);
    random_address(maker, facts->remote_address);
    random_address(maker, facts->local_address);
    facts->flags = random_flags(maker);
    facts->interface_index = maker_below(maker, 4);
    facts->remote_port = (uint16_t)random_port(maker);
    facts->local_port = (uint16_t)random_port(maker);
    facts->protocol = random_protocol(maker);
    facts->local_address_type = (uint8_t)maker_below(maker, 5);
    facts->destination_address_type = (uint8_t)maker_below(maker, 5);
    facts->other = maker_below(maker, 4);
    facts->absent = 0;
    if (maker->style == MAKER_SMALL_WORLD && !maker_below(maker, 6))
        facts->absent = (uint64_t)1 << maker_below(maker, 13) | (uint64_t)1 << maker_below(maker, 40);
}

static void bytes_of(const uint32_t words[4], UINT8 bytes[16])
{
    for (int i = 0; i < 16; i++)
        bytes[i] = (UINT8)(words[i / 4] >> 8 * (3 - i % 4));
}

// --- From facts to the values of the reference and to the question of the kernel ---

static uint32_t number_of(const struct maker_facts *facts, enum wall_key key)
{
    switch ((int)key) {
    case WALL_KEY_IP_REMOTE_ADDRESS:
        return facts->remote_address[0];
    case WALL_KEY_IP_LOCAL_ADDRESS:
        return facts->local_address[0];
    case WALL_KEY_IP_REMOTE_PORT:
        return facts->remote_port;
    case WALL_KEY_IP_LOCAL_PORT:
        return facts->local_port;
    case WALL_KEY_IP_PROTOCOL:
        return facts->protocol;
    case WALL_KEY_FLAGS:
        return facts->flags;
    case WALL_KEY_INTERFACE_INDEX:
        return facts->interface_index;
    case WALL_KEY_IP_LOCAL_ADDRESS_TYPE:
        return facts->local_address_type;
    case WALL_KEY_IP_DESTINATION_ADDRESS_TYPE:
        return facts->destination_address_type;
    default:
        return facts->other;
    }
}

static void set_value(struct maker_flow *flow, const struct wall_catalog_field *field, FWP_VALUE0 *value)
{
    uint32_t number = number_of(&flow->facts, field->key);
    value->type = field->data_type;
    switch ((int)field->data_type) {
    case FWP_UINT8:
        value->uint8 = (UINT8)number;
        break;
    case FWP_UINT16:
        value->uint16 = (UINT16)number;
        break;
    case FWP_UINT32:
        value->uint32 = number;
        break;
    case FWP_UINT64:
        value->uint64 = &flow->other_number;
        break;
    case FWP_BYTE_ARRAY16_TYPE:
        value->byteArray16 = field->key == WALL_KEY_IP_REMOTE_ADDRESS  ? &flow->remote_address
                             : field->key == WALL_KEY_IP_LOCAL_ADDRESS ? &flow->local_address
                                                                       : &flow->other_bytes;
        break;
    case FWP_BYTE_BLOB_TYPE:
        value->byteBlob = field->key == WALL_KEY_ALE_APP_ID ? &flow->app_id : &flow->other_blob;
        break;
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
        value->tokenAccessInformation = &flow->token;
        break;
    case FWP_SID:
        value->sid = &flow->other_sid.sid;
        break;
    default:
        value->type = FWP_EMPTY;
        break;
    }
}

void maker_values(struct maker *maker, struct maker_flow *flow)
{
    const struct maker_facts *facts = &flow->facts;
    flow->app_id = (FWP_BYTE_BLOB){ (UINT32)app_id(facts->app, flow->app_text), (UINT8 *)flow->app_text };
    size_t token_size = wall_token_build(facts->user, &facts->group, 1, flow->token_bytes, sizeof(flow->token_bytes));
    flow->token = (FWP_BYTE_BLOB){ (UINT32)token_size, flow->token_bytes };
    bytes_of(facts->remote_address, flow->remote_address.byteArray16);
    bytes_of(facts->local_address, flow->local_address.byteArray16);
    memset(&flow->other_bytes, (int)facts->other, sizeof(flow->other_bytes));
    flow->other_number = facts->other;
    flow->other_blob = (FWP_BYTE_BLOB){ 2, (UINT8 *)&flow->facts.other };
    wall_sid_from_user(facts->other, &flow->other_sid);

    uint16_t count = wall_catalog_field_count(maker->layer_id);
    flow->incoming = (FWPS_INCOMING_VALUES0){
        .layerId = maker->layer_id,
        .valueCount = count,
        .incomingValue = flow->values,
    };
    for (uint16_t i = 0; i < count; i++) {
        struct wall_catalog_field field;
        flow->values[i].value.type = FWP_EMPTY;
        if (wall_catalog_field(maker->layer_id, i, &field) && !(facts->absent >> i & 1))
            set_value(flow, &field, &flow->values[i].value);
    }
}

static void set_question(struct maker *maker, struct wall_apps *apps, struct maker_flow *flow)
{
    const struct maker_facts *facts = &flow->facts;
    struct wall_question *question = &flow->question;
    *question = (struct wall_question){
        .known = (1u << WALL_DIMENSION_COUNT_) - 1,
        .app = wall_apps_number(apps, &flow->app_id),
        .user = facts->user,
        .flags = facts->flags,
        .flags_known = UINT32_MAX,
        .interface_index = facts->interface_index,
        .remote_port = facts->remote_port,
        .local_port = facts->local_port,
        .protocol = facts->protocol,
        .local_address_type = facts->local_address_type,
        .destination_address_type = facts->destination_address_type,
    };
    memcpy(question->remote_address, facts->remote_address, sizeof(question->remote_address));
    memcpy(question->local_address, facts->local_address, sizeof(question->local_address));
    for (uint16_t i = 0; i < 64; i++) {
        struct wall_compile_field field;
        if ((facts->absent >> i & 1) && wall_compile_field(maker->layer_id, i, &field))
            question->empty |= 1u << field.dimension;
    }
}

void maker_flow(struct maker *maker, struct wall_apps *apps, struct maker_flow *flow)
{
    maker_facts(maker, &flow->facts);
    // Every other realistic flow is one that some filter asks for.
    if (maker->style == MAKER_REALISTIC && maker->filter_count && maker_below(maker, 2)) {
        const struct wall_filter *filter = maker->filters[maker_below(maker, maker->filter_count)];
        const struct maker_facts *wanted = (const void *)(uintptr_t)filter->context;
        if (wanted)
            flow->facts = *wanted;
    }
    maker_values(maker, flow);
    set_question(maker, apps, flow);
}

void maker_forget(struct maker *maker, struct maker_flow *flow)
{
    uint32_t known = 0;
    for (uint32_t d = 0; d < WALL_DIMENSION_COUNT_; d++)
        known |= (uint32_t)(maker_below(maker, 4) > 0) << d;
    flow->question.known &= known;
    if (!maker_below(maker, 4))
        flow->question.flags_known = random_flags(maker);
}

void maker_change_unknown(struct maker *maker, struct wall_apps *apps, struct maker_flow *flow)
{
    struct maker_facts old = flow->facts;
    uint32_t known = flow->question.known, flags_known = flow->question.flags_known;
    struct wall_question question = flow->question;
    maker_facts(maker, &flow->facts);
    struct maker_facts *facts = &flow->facts;
#define KEEP(dimension, member)                                                                                        \
    if (known >> WALL_DIMENSION_##dimension & 1)                                                                       \
    memcpy(&facts->member, &old.member, sizeof(old.member))
    KEEP(REMOTE_ADDRESS, remote_address);
    KEEP(APP, app);
    KEEP(LOCAL_ADDRESS, local_address);
    KEEP(USER, user);
    KEEP(REMOTE_PORT, remote_port);
    KEEP(PROTOCOL, protocol);
    KEEP(LOCAL_PORT, local_port);
    KEEP(INTERFACE, interface_index);
    KEEP(LOCAL_ADDRESS_TYPE, local_address_type);
    KEEP(DESTINATION_ADDRESS_TYPE, destination_address_type);
#undef KEEP
    if (known >> WALL_DIMENSION_FLAGS & 1)
        facts->flags = (old.flags & flags_known) | (facts->flags & ~flags_known);
    // What is absent stays absent for known facts.
    for (uint16_t i = 0; i < 64; i++) {
        struct wall_compile_field field;
        bool keeps = wall_compile_field(maker->layer_id, i, &field) && known >> field.dimension & 1;
        uint64_t bit = (uint64_t)1 << i;
        if (keeps)
            facts->absent = (facts->absent & ~bit) | (old.absent & bit);
    }
    maker_values(maker, flow);
    flow->question = question;
    (void)apps;
}

// --- Filters ---

static void random_action(struct maker *maker, struct wall_filter *filter)
{
    static const uint32_t callouts[] = { FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_CALLOUT_INSPECTION,
                                         FWP_ACTION_CALLOUT_UNKNOWN };
    filter->action = maker_below(maker, 2) ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
    if (maker_percent(maker, maker->callouts_percent)) {
        filter->action = callouts[maker_below(maker, 3)];
        filter->callout_id = 1 + maker_below(maker, 8);
        if (filter->action != FWP_ACTION_CALLOUT_INSPECTION && maker_below(maker, 2))
            filter->flags |= FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    }
    if (maker->style == MAKER_SMALL_WORLD && !maker_below(maker, 3))
        filter->flags |= FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
}

static int compare_conditions(const void *a, const void *b)
{
    const struct wall_condition *x = a, *y = b;
    return (x->field_id > y->field_id) - (x->field_id < y->field_id);
}

static uint16_t random_field(struct maker *maker)
{
    uint16_t count = wall_catalog_field_count(maker->layer_id);
    for (;;) {
        uint16_t field_id = (uint16_t)maker_below(maker, count);
        struct wall_compile_field field;
        struct wall_catalog_field any;
        if (wall_compile_field(maker->layer_id, field_id, &field))
            return field_id;
        // One the kernel does not know; those of the newest Windows have no values on Linux.
        if (maker_percent(maker, maker->strange_percent) && wall_catalog_field(maker->layer_id, field_id, &any) &&
            any.data_type != FWP_TOKEN_INFORMATION_TYPE && any.data_type != FWP_BYTE_ARRAY6_TYPE)
            return field_id;
    }
}

static void random_conditions(struct maker *maker, struct wall_filter *filter)
{
    struct wall_condition conditions[8];
    uint32_t count = maker_below(maker, 6);
    for (uint32_t i = 0; i < count; i++) {
        conditions[i] = maker_random_condition(maker, i > 0 && !maker_below(maker, 3) ? conditions[i - 1].field_id
                                                                                      : random_field(maker));
        // Strange are also some tests of known fields: of the text of an app id, for example.
        struct wall_compile_field field;
        FWP_MATCH_TYPE match = conditions[i].match_type;
        if (wall_compile_field(maker->layer_id, conditions[i].field_id, &field) &&
            field.data_type == FWP_BYTE_BLOB_TYPE && !maker_percent(maker, maker->strange_percent) &&
            match != FWP_MATCH_EQUAL && match != FWP_MATCH_NOT_EQUAL)
            i--;
    }
    qsort(conditions, count, sizeof(conditions[0]), compare_conditions);
    struct wall_condition *copy = maker_take(maker, (count + 1) * sizeof(*copy));
    memcpy(copy, conditions, count * sizeof(*copy));
    filter->conditions = copy;
    filter->condition_count = count;
}

static uint16_t field_of(const struct maker *maker, enum wall_key key)
{
    uint16_t count = wall_catalog_field_count(maker->layer_id);
    for (uint16_t i = 0; i < count; i++) {
        struct wall_catalog_field field;
        if (wall_catalog_field(maker->layer_id, i, &field) && field.key == key)
            return i;
    }
    return UINT16_MAX;
}

static FWP_VALUE0 value_at(struct maker *maker, const struct maker_flow *flow, enum wall_key key, uint16_t *ret_field)
{
    *ret_field = field_of(maker, key);
    if (*ret_field == UINT16_MAX)
        return (FWP_VALUE0){ FWP_EMPTY };
    return maker_copy(maker, &flow->values[*ret_field].value);
}

static void make_network(struct maker *maker, const FWP_VALUE0 *value, struct wall_condition *condition)
{
    static const uint8_t lengths[] = { 32, 32, 32, 24, 24, 24, 24, 16, 16, 8 };
    uint32_t length = lengths[maker_below(maker, 10)];
    memcpy(&condition->value, value, sizeof(*value));
    if (value->type == FWP_UINT32) {
        FWP_V4_ADDR_AND_MASK *mask = maker_take(maker, sizeof(*mask));
        *mask = (FWP_V4_ADDR_AND_MASK){ value->uint32, 0xffffffffu << (32 - length) };
        condition->value.type = FWP_V4_ADDR_MASK;
        condition->value.v4AddrMask = mask;
    } else if (value->type == FWP_BYTE_ARRAY16_TYPE) {
        FWP_V6_ADDR_AND_MASK *mask = maker_take(maker, sizeof(*mask));
        memcpy(mask->addr, value->byteArray16->byteArray16, 16);
        mask->prefixLength = (UINT8)(length == 32 ? 128 : 24 + length);
        condition->value.type = FWP_V6_ADDR_MASK;
        condition->value.v6AddrMask = mask;
    }
}

// A rule as people write them: program, network, port or range, protocol; each left out in one of four.
static void realistic_conditions(struct maker *maker, struct wall_filter *filter)
{
    struct maker_flow flow;
    maker_facts(maker, &flow.facts);
    flow.facts.protocol = maker_below(maker, 3) ? 6 : 17;
    maker_values(maker, &flow);
    struct wall_condition *conditions = maker_take(maker, 4 * sizeof(*conditions));
    uint32_t count = 0;
    static const enum wall_key keys[] = { WALL_KEY_ALE_APP_ID, WALL_KEY_IP_REMOTE_ADDRESS, WALL_KEY_IP_REMOTE_PORT,
                                          WALL_KEY_IP_PROTOCOL };
    for (uint32_t i = 0; i < 4; i++) {
        uint16_t field_id;
        FWP_VALUE0 value = value_at(maker, &flow, keys[i], &field_id);
        if (!maker_below(maker, 4) || value.type == FWP_EMPTY)
            continue;
        struct wall_condition *condition = &conditions[count++];
        *condition = (struct wall_condition){ .field_id = field_id, .match_type = FWP_MATCH_EQUAL };
        memcpy(&condition->value, &value, sizeof(value));
        if (keys[i] == WALL_KEY_IP_REMOTE_ADDRESS)
            make_network(maker, &value, condition);
        if (keys[i] == WALL_KEY_IP_REMOTE_PORT && !maker_below(maker, 5)) {
            FWP_RANGE0 *range = maker_take(maker, sizeof(*range));
            *range = (FWP_RANGE0){ value, value };
            range->valueHigh.uint16 = (UINT16)(value.uint16 + maker_below(maker, 65536u - value.uint16));
            condition->match_type = FWP_MATCH_RANGE;
            condition->value.type = FWP_RANGE_TYPE;
            condition->value.rangeValue = range;
        }
    }
    qsort(conditions, count, sizeof(conditions[0]), compare_conditions);
    struct maker_facts *facts = maker_take(maker, sizeof(*facts));
    *facts = flow.facts;
    filter->conditions = conditions;
    filter->condition_count = count;
    filter->context = (uintptr_t)facts;
}

void maker_layer_of(struct maker *maker, const struct wall_filter *const *filters, uint32_t count)
{
    struct wall_policy_sublayer *sublayers = maker_take(maker, (count + 1) * sizeof(*sublayers));
    uint32_t sublayer_count = 0;
    maker->layer = maker_take(maker, sizeof(*maker->layer));
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || filters[i]->sublayer_weight != filters[i - 1]->sublayer_weight)
            sublayers[sublayer_count++] = (struct wall_policy_sublayer){
                .weight = filters[i]->sublayer_weight,
                .filters = filters + i,
            };
        sublayers[sublayer_count - 1].filter_count++;
    }
    *maker->layer = (struct wall_policy_layer){
        .layer_id = maker->layer_id,
        .sublayer_count = sublayer_count,
        .sublayers = sublayers,
        .filter_count = count,
    };
    maker->filters = filters;
    maker->filter_count = count;
}

void maker_layer(struct maker *maker, uint32_t filter_count, uint32_t sublayer_count)
{
    wall_arena_done(&maker->arena);
    wall_arena_init(&maker->arena);
    const struct wall_filter **filters = maker_take(maker, (filter_count + 1) * sizeof(*filters));
    for (uint32_t i = 0; i < filter_count; i++) {
        struct wall_filter *filter = maker_take(maker, sizeof(*filter));
        filter->id = 1000 + i;
        filter->sublayer_weight = (uint16_t)(1000 - (uint64_t)i * sublayer_count / filter_count);
        random_action(maker, filter);
        if (maker->style == MAKER_REALISTIC)
            realistic_conditions(maker, filter);
        else
            random_conditions(maker, filter);
        filters[i] = filter;
    }
    maker_layer_of(maker, filters, filter_count);
}

struct wall_compiled *maker_compile(struct maker *maker, struct wall_apps *apps, uint64_t easy_bytes)
{
    struct wall_compile_options options = {
        .apps = apps,
        .callout_registered = maker_is_registered,
        .easy_bytes = easy_bytes,
    };
    struct wall_compiled *compiled;
    if (wall_compile_layer(maker->layer, &options, &compiled) < 0)
        abort();
    return compiled;
}

struct maker_answer maker_reference(const struct maker *maker, const struct maker_flow *flow)
{
    struct maker_answer answer = { 0 };
    // As wall_classify_begin() does, for a layer that is not part of a policy.
    struct wall_classification classification = {
        .result = { .action = FWP_ACTION_NONE, .rights = FWPS_RIGHT_ACTION_WRITE },
        .layer = maker->layer,
        .values = &flow->incoming,
    };
    while (wall_classify_next(&classification) == WALL_CLASSIFY_CALLOUT) {
        if (maker_is_registered(NULL, classification.filter->callout_id)) {
            answer.asks_callout = true;
            return answer;
        }
        wall_classify_unregistered(&classification);
    }
    answer.verdict = classification.result.action == FWP_ACTION_BLOCK ? WALL_VERDICT_BLOCK : WALL_VERDICT_PERMIT;
    answer.filter_id = classification.result.filter_id;
    return answer;
}
