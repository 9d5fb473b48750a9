// The engine as a whole: persistent objects put back, options.
#include "base/guid.h"
#include "base/shape.h"
#include "base/utf16.h"
#include "engine/shapes.h"
#include "fixture.h"

#define SAVED_MAX 16

// A store in memory: copies of what was put, in order.
struct saved {
    struct {
        enum wall_object_type type;
        void *object;
    } items[SAVED_MAX];
    int count;
    bool service_enabled;
};

static wall_status save(void *context, enum wall_object_type type, const GUID *key, const void *object)
{
    struct saved *saved = context;
    if (object) {
        assert_true(saved->count < SAVED_MAX);
        saved->items[saved->count].type = type;
        saved->items[saved->count++].object = wall_shape_clone(wall_shape_of_object(type), object);
    }
    return 0;
}

static bool is_enabled(void *context, const WCHAR *service_name)
{
    assert_int_equal(wall_utf16_compare((const uint16_t *)service_name, (const uint16_t *)L"wall.service"), 0);
    return ((struct saved *)context)->service_enabled;
}

static struct wall_engine *new_engine(struct saved *saved)
{
    const struct wall_engine_events events = { .context = saved, .store_put = save, .provider_enabled = is_enabled };
    struct wall_engine *engine;
    assert_int_equal(wall_engine_new(&events, NULL, &engine), 0);
    return engine;
}

struct keys {
    GUID provider, sublayer, callout, context;
    uint64_t filter_id, context_id;
    uint32_t callout_id;
};

// A persistent policy of one provider.
static void fill(struct wall_engine *engine, struct keys *keys)
{
    struct wall_session *session = open_session(engine, 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    for (int i = 0; i < 3; i++)
        (void)add_filter(session, &filter);  // static ones, which are not kept
    FWPM_PROVIDER0 provider = { .displayData = NAME, .flags = FWPM_PROVIDER_FLAG_PERSISTENT };
    provider.serviceName = (WCHAR *)L"wall.service";
    assert_int_equal(wall_provider_add(session, &provider, &keys->provider), 0);
    FWP_BYTE_BLOB blob = { 2, (UINT8 *)"ab" };
    FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME, .flags = FWPM_PROVIDER_CONTEXT_FLAG_PERSISTENT };
    context.providerKey = &keys->provider;
    context.type = FWPM_GENERAL_CONTEXT;
    context.dataBuffer = &blob;
    assert_int_equal(wall_provider_context_add(session, &context, &keys->context, &keys->context_id), 0);
    FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .flags = FWPM_SUBLAYER_FLAG_PERSISTENT, .weight = 77 };
    sublayer.providerKey = &keys->provider;
    assert_int_equal(wall_sublayer_add(session, &sublayer, &keys->sublayer), 0);
    FWPM_CALLOUT0 callout = { .displayData = NAME };
    callout.flags = FWPM_CALLOUT_FLAG_PERSISTENT | FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT;
    callout.providerKey = &keys->provider;
    callout.applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    assert_int_equal(wall_callout_add(session, &callout, &keys->callout, &keys->callout_id), 0);
    filter = plain_filter(&keys->sublayer, FWP_ACTION_CALLOUT_TERMINATING);
    filter.providerKey = &keys->provider;
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.action.calloutKey = keys->callout;
    filter.providerContextKey = keys->context;
    keys->filter_id = add_filter(session, &filter);
    wall_session_close(session);
}

static void release(struct saved *saved)
{
    for (int i = 0; i < saved->count; i++)
        free(saved->items[i].object);
}

static void persistent_objects_come_back_with_their_ids(void **state)
{
    struct saved saved = { .service_enabled = true };
    struct keys keys;
    struct wall_engine *engine = new_engine(&saved);
    fill(engine, &keys);
    assert_int_equal(filter_count(engine), 4);
    wall_engine_free(engine);
    assert_int_equal(saved.count, 5);

    struct saved again = { .service_enabled = true };
    engine = new_engine(&again);
    for (int i = 0; i < saved.count; i++)
        assert_int_equal(wall_engine_load(engine, saved.items[i].type, saved.items[i].object), 0);
    // Effective in one commit, and not stored once more.
    assert_int_equal(filter_count(engine), 0);
    assert_int_equal(wall_engine_load_done(engine), 0);
    assert_int_equal(wall_engine_load_done(engine), 0);
    assert_int_equal(wall_policy_generation(wall_engine_policy(engine)), 1);
    assert_int_equal(again.count, 0);
    const struct wall_policy_layer *layer = wall_policy_layer(wall_engine_policy(engine), 48);
    assert_int_equal(layer->filter_count, 1);
    assert_int_equal(layer->sublayers[0].weight, 77);
    assert_int_equal(layer->sublayers[0].filters[0]->id, keys.filter_id);
    assert_int_equal(layer->sublayers[0].filters[0]->callout_id, keys.callout_id);
    assert_int_equal(layer->sublayers[0].filters[0]->provider_context_id, keys.context_id);

    // New ids begin behind the old ones.
    struct wall_session *session = open_session(engine, 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    assert_true(add_filter(session, &filter) > keys.filter_id);
    GUID callout = add_callout(session, &FWPM_LAYER_STREAM_V4);
    assert_int_not_equal(wall_callout_id(engine, &callout), keys.callout_id);
    wall_session_close(session);
    wall_engine_free(engine);
    release(&saved);
}

static void objects_of_a_disabled_service_stay_out(void **state)
{
    struct saved saved = { .service_enabled = true }, again = { .service_enabled = false };
    struct keys keys;
    struct wall_engine *engine = new_engine(&saved);
    fill(engine, &keys);
    wall_engine_free(engine);
    engine = new_engine(&again);
    for (int i = 0; i < saved.count; i++)
        assert_int_equal(wall_engine_load(engine, saved.items[i].type, saved.items[i].object), 0);
    // Opening a session completes the loading.
    struct wall_session *session = open_session(engine, 0);
    assert_int_equal(filter_count(engine), 0);
    FWPM_PROVIDER0 *provider = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_PROVIDER, &keys.provider, 0, (void **)&provider), 0);
    assert_int_equal(provider->flags, FWPM_PROVIDER_FLAG_PERSISTENT | FWPM_PROVIDER_FLAG_DISABLED);
    free(provider);
    FWPM_FILTER0 *filter = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_FILTER, NULL, keys.filter_id, (void **)&filter), 0);
    assert_true(filter->flags & FWPM_FILTER_FLAG_DISABLED);
    free(filter);

    FWPM_FILTER_ENUM_TEMPLATE0 asked = { .actionMask = UINT32_MAX };
    for (int i = 0; i < 2; i++) {
        asked.flags = i == 0 ? 0 : FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED;
        struct wall_enumeration *enumeration;
        assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_FILTER, &asked, &enumeration), 0);
        const void *const *objects;
        uint32_t count;
        assert_int_equal(wall_enumeration_next(enumeration, 9, &objects, &count), 0);
        assert_int_equal(count, i);
        wall_enumeration_free(enumeration);
    }
    wall_session_close(session);
    wall_engine_free(engine);
    release(&saved);
}

static void what_cannot_be_loaded_is_refused_alone(void **state)
{
    struct saved saved = { 0 };
    struct wall_engine *engine = new_engine(&saved);
    GUID unknown = { 3 };
    FWPM_FILTER0 filter = plain_filter(&unknown, FWP_ACTION_BLOCK);
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    filter.filterId = 70000;
    assert_int_equal(wall_engine_load(engine, WALL_OBJECT_FILTER, &filter), FWP_E_SUBLAYER_NOT_FOUND);
    filter.subLayerKey = (GUID){ 0 };
    assert_int_equal(wall_engine_load(engine, WALL_OBJECT_FILTER, &filter), 0);
    // An id that is taken, and one that cannot be.
    assert_int_equal(wall_engine_load(engine, WALL_OBJECT_FILTER, &filter), 0);
    filter.filterId = UINT64_MAX;
    assert_int_equal(wall_engine_load(engine, WALL_OBJECT_FILTER, &filter), 0);
    assert_int_equal(wall_engine_load(engine, WALL_OBJECT_LAYER, &filter), FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_engine_load_done(engine), 0);
    const struct wall_policy_layer *layer = wall_policy_layer(wall_engine_policy(engine), 48);
    assert_int_equal(layer->filter_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(layer->sublayers[0].filters[i]->id, 70000 + i);
    wall_engine_free(engine);
}

// --- Options ---

static void options(void **state)
{
    struct fixture *fixture = *state;
    FWP_VALUE0 value = { .type = FWP_EMPTY };
    assert_int_equal(wall_option_get(fixture->session, FWPM_ENGINE_COLLECT_NET_EVENTS, &value), 0);
    assert_int_equal(value.type, FWP_UINT32);
    assert_int_equal(value.uint32, 1);
    assert_int_equal(wall_option_get(fixture->session, FWPM_ENGINE_OPTION_MAX, &value), FWP_E_INVALID_ENUMERATOR);
    static const struct {
        FWPM_ENGINE_OPTION option;
        uint32_t number;
        wall_status status;
    } rows[] = {
        { FWPM_ENGINE_COLLECT_NET_EVENTS, 0, 0 },
        { FWPM_ENGINE_COLLECT_NET_EVENTS, 2, FWP_E_OUT_OF_BOUNDS },
        { FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS, 0x3f, 0 },
        { FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS, 0x40, FWP_E_OUT_OF_BOUNDS },
        { FWPM_ENGINE_NAME_CACHE, 1, 0 },
        { FWPM_ENGINE_MONITOR_IPSEC_CONNECTIONS, 1, 0 },
        { FWPM_ENGINE_PACKET_QUEUING, 7, 0 },
        { FWPM_ENGINE_PACKET_QUEUING, 8, FWP_E_OUT_OF_BOUNDS },
        { FWPM_ENGINE_TXN_WATCHDOG_TIMEOUT_IN_MSEC, 123456, 0 },
        { FWPM_ENGINE_OPTION_MAX, 0, FWP_E_INVALID_ENUMERATOR },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        value = (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = rows[i].number };
        assert_int_equal(wall_option_set(fixture->session, rows[i].option, &value), rows[i].status);
        if (rows[i].status == 0) {
            assert_int_equal(wall_option_get(fixture->session, rows[i].option, &value), 0);
            assert_int_equal(value.uint32, rows[i].number);
        }
    }
}

static void options_that_cannot_be_set(void **state)
{
    struct fixture *fixture = *state;
    FWP_VALUE0 value = { .type = FWP_UINT8 };
    assert_int_equal(wall_option_set(fixture->session, FWPM_ENGINE_NAME_CACHE, &value), FWP_E_TYPE_MISMATCH);
    assert_int_equal(wall_option_set(fixture->session, FWPM_ENGINE_NAME_CACHE, NULL), FWP_E_NULL_POINTER);
    value.type = FWP_UINT32;
    assert_int_equal(wall_transaction_begin(fixture->session, 0), 0);
    assert_int_equal(wall_option_set(fixture->session, FWPM_ENGINE_NAME_CACHE, &value), FWP_E_TXN_IN_PROGRESS);
    assert_int_equal(wall_option_get(fixture->session, FWPM_ENGINE_NAME_CACHE, &value), 0);
    assert_int_equal(wall_transaction_abort(fixture->session), 0);
    struct wall_session *dynamic = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
    assert_int_equal(wall_option_set(dynamic, FWPM_ENGINE_NAME_CACHE, &value), FWP_E_DYNAMIC_SESSION_IN_PROGRESS);
    wall_session_close(dynamic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persistent_objects_come_back_with_their_ids),
        cmocka_unit_test(objects_of_a_disabled_service_stay_out),
        cmocka_unit_test(what_cannot_be_loaded_is_refused_alone),
        TEST(options),
        TEST(options_that_cannot_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
