// Fuzzes the engine with sequences of calls of several sessions, and checks every answer against a model: whole states
// that are copied, compared and thrown away, and a classifier that folds by a table. It shares no code with the engine.
#include "fuzz/engine_model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/classify.h"
#include "engine/status.h"
#include "fuzz/standalone.h"

// The input, read byte by byte; zeroes behind its end.
struct input {
    const uint8_t *data;
    size_t size, at;
};

static uint8_t take(struct input *input)
{
    return input->at < input->size ? input->data[input->at++] : 0;
}

struct world {
    struct input input;
    struct model model;
    struct wall_engine *engine;
    struct wall_session *sessions[SESSION_MAX];
    GUID callout;
    uint32_t callout_id;
    uint64_t now_ms;
};

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

static uint64_t now_ms(void *context)
{
    return ((struct world *)context)->now_ms;
}

static wall_status store_put(void *context, enum wall_object_type type, const GUID *key, const void *object)
{
    return ((struct world *)context)->model.store_fails ? ERROR_ACCESS_DENIED : 0;
}

static bool ask(void *context, const struct wall_filter *filter, FWPS_CLASSIFY_OUT0 *out)
{
    struct world *world = context;
    CHECK(filter->callout_id == world->callout_id);
    if (!wall_callout_registered(world->engine, filter->callout_id))
        return false;
    model_answer((enum model_answer)filter->context, out);
    return true;
}

// --- Sessions and transactions ---

static void open_session(struct world *world, int slot)
{
    bool dynamic = take(&world->input) & 1;
    if (world->sessions[slot])
        return;
    const FWPM_SESSION0 session = { .flags = dynamic ? FWPM_SESSION_FLAG_DYNAMIC : 0 };
    const struct wall_caller caller = { .may_write = true };
    CHECK(wall_session_open(world->engine, &session, &caller, &world->sessions[slot]) == 0);
    model_open(&world->model, slot, dynamic);
}

static void close_session(struct world *world, int slot)
{
    wall_session_close(world->sessions[slot]);
    world->sessions[slot] = NULL;
    model_close(&world->model, slot);
}

static void run_transaction(struct world *world, int slot, uint8_t kind)
{
    struct wall_session *session = world->sessions[slot];
    switch (kind % 6) {
    case 0:
        CHECK(wall_transaction_begin(session, 0) == model_begin(&world->model, slot, false));
        break;
    case 1:
        CHECK(wall_transaction_begin(session, FWPM_TXN_READ_ONLY) == model_begin(&world->model, slot, true));
        break;
    case 2:
        CHECK(wall_transaction_abort(session) == model_end(&world->model, slot, false));
        break;
    case 3:
        // An hour and a bit: whoever holds a transaction loses it.
        world->now_ms += 3600u * 1000 + take(&world->input);
        (void)wall_transaction_expire(world->engine);
        model_expire(&world->model);
        break;
    default:
        CHECK(wall_transaction_commit(session) == model_end(&world->model, slot, true));
        break;
    }
}

// --- Objects ---

// One of a few keys, so that a key changes its object, and versions pile up behind readers.
static GUID take_key(struct world *world)
{
    return (GUID){ 0x5eb1a0e0u + take(&world->input) % 6 };
}

static void add_sublayer(struct world *world, int slot)
{
    uint16_t wanted = (uint16_t)(1000 + take(&world->input) % 6);
    bool persistent = take(&world->input) % 3 == 0;
    if (!model_has_room(&world->model))
        return;
    const FWPM_SUBLAYER0 sublayer = {
        .subLayerKey = take_key(world),
        .displayData = { .name = (WCHAR *)L"s" },
        .flags = persistent ? FWPM_SUBLAYER_FLAG_PERSISTENT : 0,
        .weight = wanted,
    };
    wall_status status = wall_sublayer_add(world->sessions[slot], &sublayer, NULL);
    CHECK(status == model_add_sublayer(&world->model, slot, wanted, persistent, &sublayer.subLayerKey));
}

static void get_sublayer(struct world *world, int slot)
{
    GUID key = take_key(world);
    FWPM_SUBLAYER0 *sublayer = NULL;
    wall_status status = wall_object_get(world->sessions[slot], WALL_OBJECT_SUBLAYER, &key, 0, (void **)&sublayer);
    const struct model_state *view = model_view(&world->model, slot);
    const struct model_sublayer *expected = view ? model_find_sublayer(view, &key) : NULL;
    CHECK(status == (expected ? 0 : view ? FWP_E_SUBLAYER_NOT_FOUND : FWP_E_TXN_ABORTED));
    CHECK(!expected || sublayer->weight == expected->weight);
    free(sublayer);
}

static void delete_sublayer(struct world *world, int slot)
{
    GUID key = take_key(world);
    wall_status status = wall_object_delete(world->sessions[slot], WALL_OBJECT_SUBLAYER, &key, 0);
    CHECK(status == model_delete_sublayer(&world->model, slot, &key));
}

static void make_condition(struct input *input, struct model_condition *ret_condition)
{
    static const FWP_MATCH_TYPE matches[] = {
        FWP_MATCH_EQUAL,         FWP_MATCH_NOT_EQUAL,     FWP_MATCH_GREATER,        FWP_MATCH_LESS,
        FWP_MATCH_LESS_OR_EQUAL, FWP_MATCH_RANGE,         FWP_MATCH_FLAGS_ALL_SET,  FWP_MATCH_FLAGS_ANY_SET,
        FWP_MATCH_GREATER_OR_EQUAL, FWP_MATCH_FLAGS_NONE_SET,
    };
    *ret_condition = (struct model_condition){
        .field = (enum model_field)(take(input) % MODEL_FIELD_COUNT),
        .match = matches[take(input) % (sizeof(matches) / sizeof(matches[0]))],
        .value = take(input) % 8,
    };
    ret_condition->high = ret_condition->value + take(input) % 3;
    uint32_t host_bits = take(input) % 4;
    if (ret_condition->field == MODEL_REMOTE_ADDRESS && ret_condition->match != FWP_MATCH_RANGE && host_bits > 0)
        ret_condition->bits = 32 - host_bits;
}

static void add_filter(struct world *world, int slot)
{
    struct model_filter filter = { .weight = take(&world->input) % 8, .kind = (enum model_kind)(take(&world->input)) };
    filter.kind = (enum model_kind)(filter.kind % MODEL_KIND_COUNT);
    filter.answer = (enum model_answer)(take(&world->input) % MODEL_ANSWER_COUNT);
    filter.owner = take(&world->input) % 4 == 0 ? MODEL_PERSISTENT : MODEL_STATIC;
    const struct model_sublayer *sublayer = model_pick_sublayer(&world->model, slot, take(&world->input));
    filter.condition_count = take(&world->input) % (MODEL_CONDITION_MAX + 1);
    for (uint32_t i = 0; i < filter.condition_count; i++)
        make_condition(&world->input, &filter.conditions[i]);
    if (!sublayer || !model_has_room(&world->model))
        return;
    filter.sublayer_key = sublayer->key;

    struct model_filter_object object;
    model_make_filter(&filter, &world->callout, &object);
    uint64_t id = 0;
    wall_status status = wall_filter_add(world->sessions[slot], &object.filter, NULL, &id);
    filter.id = id;
    CHECK(status == model_add_filter(&world->model, slot, &filter));
}

static void delete_filter(struct world *world, int slot)
{
    const struct model_filter *filter = model_pick_filter(&world->model, slot, take(&world->input));
    uint64_t id = filter ? filter->id : 1;
    wall_status status = wall_object_delete(world->sessions[slot], WALL_OBJECT_FILTER, NULL, id);
    CHECK(status == model_delete_filter(&world->model, slot, id));
}

// Conditions that may be anything: whatever the answer is, nothing breaks, and what was taken can be deleted again.
static void add_strange_filter(struct world *world, int slot)
{
    struct input *input = &world->input;
    // Enough for the longest SID, and aligned for every type.
    static union {
        uint64_t aligned;
        uint8_t bytes[72];
    } memory;
    FWP_BYTE_BLOB blob = { take(input) % 40u, take(input) & 1 ? memory.bytes : NULL };
    for (size_t i = 0; i < 40; i++)
        memory.bytes[i] = take(input);
    FWP_RANGE0 range = { { .type = (FWP_DATA_TYPE)(take(input) % 24) }, { .type = (FWP_DATA_TYPE)(take(input) % 24) } };
    if (range.valueLow.type >= FWP_BYTE_BLOB_TYPE || range.valueHigh.type >= FWP_BYTE_BLOB_TYPE)
        return;
    void *const pointers[] = { memory.bytes, &blob, &range };
    FWPM_FILTER_CONDITION0 conditions[3];
    memset(conditions, 0, sizeof(conditions));
    for (int i = 0; i < 3; i++) {
        uint16_t field = take(input) % wall_catalog_field_count(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
        struct wall_catalog_field described;
        CHECK(wall_catalog_field(FWPS_LAYER_ALE_AUTH_CONNECT_V4, field, &described));
        conditions[i].fieldKey = *wall_key_guid(described.key);
        conditions[i].matchType = (FWP_MATCH_TYPE)(take(input) % 14);
        FWP_CONDITION_VALUE0 *value = &conditions[i].conditionValue;
        // Types must fit what the pointer points to: that is the caller's part.
        static const uint16_t types[] = { 0, 1, 2, 3, 5, 6, 7, 11, 18, 13, 0x100, 0x101, 12, 14, 16, 0x102 };
        uint8_t type = take(input) % 16;
        value->type = (FWP_DATA_TYPE)types[type];
        value->uint32 = take(input);
        if (type >= 7)
            value->byteBlob = take(input) % 4 == 0 ? NULL : pointers[type < 12 ? 0 : type < 15 ? 1 : 2];
    }
    FWPM_FILTER0 filter = {
        .displayData = { .name = (WCHAR *)L"f" },
        .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
        .flags = take(input),
        .numFilterConditions = 3,
        .filterCondition = conditions,
        .action = { .type = FWP_ACTION_BLOCK },
    };
    uint64_t id = 0;
    wall_status status = wall_filter_add(world->sessions[slot], &filter, NULL, &id);
    if (status == 0) {
        status = wall_object_delete(world->sessions[slot], WALL_OBJECT_FILTER, NULL, id);
        CHECK(status == 0);
    }
}

// --- Looking ---

static void enumerate(struct world *world, int slot)
{
    struct wall_enumeration *enumeration = NULL;
    wall_status status = wall_enumeration_new(world->sessions[slot], WALL_OBJECT_FILTER, NULL, &enumeration);
    const struct model_state *view = model_view(&world->model, slot);
    if (!view) {
        CHECK(status == FWP_E_TXN_ABORTED);
        return;
    }
    CHECK(status == 0);
    const void *const *objects;
    uint32_t count = 0;
    CHECK(wall_enumeration_next(enumeration, UINT32_MAX, &objects, &count) == 0);
    CHECK(count == view->filter_count);
    for (uint32_t i = 0; i < count; i++)
        CHECK(model_find_filter(view, ((const FWPM_FILTER0 *)objects[i])->filterId));
    wall_enumeration_free(enumeration);
}

static void classify(struct world *world)
{
    struct model_traffic traffic = {
        .absent = take(&world->input) & take(&world->input),
    };
    for (int field = 0; field < MODEL_FIELD_COUNT; field++)
        traffic.numbers[field] = take(&world->input) % 8;
    FWPS_INCOMING_VALUE0 values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX];
    FWPS_INCOMING_VALUES0 incoming = { FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX, values };
    model_make_values(&traffic, values);
    struct wall_classify_result result;
    CHECK(wall_classify(wall_engine_policy(world->engine), &incoming, ask, world, &result));
    struct model_verdict verdict = model_classify(&world->model, &traffic);
    CHECK(result.action == verdict.action);
    CHECK(result.filter_id == verdict.filter_id);
    CHECK(result.veto == verdict.veto);
    CHECK((result.rights != 0) == verdict.soft);
}

static void check_policy(struct world *world)
{
    const struct wall_policy_layer *layer =
        wall_policy_layer(wall_engine_policy(world->engine), FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    CHECK(layer->filter_count == world->model.committed.filter_count);
    uint32_t count = 0;
    for (uint32_t s = 0; s < layer->sublayer_count; s++) {
        const struct wall_policy_sublayer *sublayer = &layer->sublayers[s];
        CHECK(sublayer->filter_count > 0);
        CHECK(s == 0 || layer->sublayers[s - 1].weight > sublayer->weight);
        for (uint32_t i = 0; i < sublayer->filter_count; i++) {
            CHECK(model_find_filter(&world->model.committed, sublayer->filters[i]->id));
            CHECK(sublayer->filters[i]->sublayer_weight == sublayer->weight);
            CHECK(i == 0 || sublayer->filters[i - 1]->weight >= sublayer->filters[i]->weight);
        }
        count += sublayer->filter_count;
    }
    CHECK(count == layer->filter_count);
}

static void toggle_callout(struct world *world)
{
    bool registered = wall_callout_registered(world->engine, world->callout_id);
    CHECK(registered == world->model.callout_registered);
    if (registered)
        CHECK(wall_callout_unregister(world->engine, world->callout_id) == 0);
    else
        CHECK(wall_callout_register(world->engine, &world->callout, 0, NULL) == 0);
    world->model.callout_registered = !registered;
}

static void step(struct world *world)
{
    uint8_t operation = take(&world->input);
    int slot = operation / 16 % SESSION_MAX;
    if (!world->sessions[slot]) {
        open_session(world, slot);
        return;
    }
    switch (operation % 16) {
    case 0:
        close_session(world, slot);
        break;
    case 1:
    case 2:
    case 3:
        run_transaction(world, slot, take(&world->input));
        break;
    case 4:
    case 5:
        add_sublayer(world, slot);
        break;
    case 6:
        delete_sublayer(world, slot);
        break;
    case 7:
        delete_filter(world, slot);
        break;
    case 8:
        enumerate(world, slot);
        get_sublayer(world, slot);
        break;
    case 9:
        if (take(&world->input) & 1)
            toggle_callout(world);
        else
            world->model.store_fails = !world->model.store_fails;
        break;
    case 10:
        add_strange_filter(world, slot);
        break;
    case 11:
    case 12:
        classify(world);
        break;
    default:
        add_filter(world, slot);
        break;
    }
    check_policy(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    world = (struct world){ .input = { data, size, 0 } };
    model_init(&world.model);
    const struct wall_engine_events events = { .context = &world, .store_put = store_put };
    CHECK(wall_engine_new(&events, now_ms, &world.engine) == 0);
    open_session(&world, 0);
    const FWPM_CALLOUT0 callout = {
        .calloutKey = { 0x77616c6c },
        .displayData = { .name = (WCHAR *)L"c" },
        .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
    };
    struct wall_session *owner;
    const struct wall_caller caller = { .may_write = true };
    CHECK(wall_session_open(world.engine, NULL, &caller, &owner) == 0);
    CHECK(wall_callout_add(owner, &callout, &world.callout, &world.callout_id) == 0);
    wall_session_close(owner);

    while (world.input.at < world.input.size)
        step(&world);
    classify(&world);
    for (int slot = 0; slot < SESSION_MAX; slot++) {
        if (world.sessions[slot])
            close_session(&world, slot);
    }
    check_policy(&world);
    model_done(&world.model);
    wall_engine_free(world.engine);
    return 0;
}

size_t fuzz_make_input(struct random *random, uint8_t *data, size_t capacity)
{
    size_t size = 50 + random_below(random, 1500);
    for (size_t i = 0; i < size && i < capacity; i++)
        data[i] = (uint8_t)random_next(random);
    return size < capacity ? size : capacity;
}
