// Providers, provider contexts, sublayers, callouts: adding, reading, deleting.
#include "base/guid.h"
#include "base/utf16.h"
#include "engine/limits.h"
#include "engine/state.h"
#include "fixture.h"

// --- Providers ---

static void providers(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_PROVIDER0 provider = { .displayData = NAME, .serviceName = (WCHAR *)L"wall.service" };
    GUID key;
    assert_int_equal(wall_provider_add(session, NULL, &key), FWP_E_NULL_POINTER);
    provider.flags = 2;
    assert_int_equal(wall_provider_add(session, &provider, &key), FWP_E_INVALID_FLAGS);
    provider.flags = 0;
    provider.displayData.name = NULL;
    assert_int_equal(wall_provider_add(session, &provider, &key), FWP_E_NULL_DISPLAY_NAME);
    provider.displayData = NAME;
    provider.providerData.size = 5;
    assert_int_equal(wall_provider_add(session, &provider, &key), FWP_E_NULL_POINTER);
    provider.providerData.size = 0;
    assert_int_equal(wall_provider_add(session, &provider, &key), 0);
    assert_int_equal(key.Data3 >> 12, 4);

    FWPM_PROVIDER0 *got = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_PROVIDER, &key, 0, (void **)&got), 0);
    assert_int_equal(wall_utf16_compare((uint16_t *)got->serviceName, (const uint16_t *)L"wall.service"), 0);
    free(got);
    provider.providerKey = key;
    assert_int_equal(wall_provider_add(session, &provider, NULL), FWP_E_ALREADY_EXISTS);
    // Providers have no number.
    assert_int_equal(wall_object_get(session, WALL_OBJECT_PROVIDER, NULL, 1, (void **)&got), FWP_E_NULL_POINTER);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_PROVIDER, &key, 0), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_PROVIDER, &key, 0), FWP_E_PROVIDER_NOT_FOUND);
}

static void provider_limit(void **state)
{
    struct fixture *fixture = *state;
    const FWPM_PROVIDER0 provider = { .displayData = NAME };
    assert_int_equal(wall_transaction_begin(fixture->session, 0), 0);
    wall_status status = 0;
    int added = 0;
    while ((status = wall_provider_add(fixture->session, &provider, NULL)) == 0)
        added++;
    assert_int_equal(status, WALL_STATUS_QUOTA);
    assert_int_equal(added, WALL_PROVIDERS_MAX - 9);
}

// --- Provider contexts ---

static void provider_contexts(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWP_BYTE_BLOB blob = { 4, (UINT8 *)"wall" };
    FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME, .type = FWPM_GENERAL_CONTEXT, .dataBuffer = &blob };
    GUID key;
    uint64_t id;
    assert_int_equal(wall_provider_context_add(session, NULL, &key, &id), FWP_E_NULL_POINTER);
    context.flags = 4;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_INVALID_FLAGS);
    context.flags = 0;
    context.type = FWPM_PROVIDER_CONTEXT_TYPE_MAX;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_INVALID_ENUMERATOR);
    context.type = FWPM_GENERAL_CONTEXT;
    context.displayData.name = NULL;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_NULL_DISPLAY_NAME);
    context.displayData = NAME;
    context.dataBuffer = NULL;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_NULL_POINTER);
    FWP_BYTE_BLOB bad = { 4, NULL };
    context.dataBuffer = &bad;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_NULL_POINTER);
    context.dataBuffer = &blob;
    GUID unknown = { 1 };
    context.providerKey = &unknown;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_PROVIDER_NOT_FOUND);
    context.providerKey = NULL;

    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), 0);
    FWPM_PROVIDER_CONTEXT3 *got = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_PROVIDER_CONTEXT, NULL, id, (void **)&got), 0);
    assert_true(wall_guid_equal(&got->providerContextKey, &key));
    assert_int_equal(got->providerContextId, id);
    assert_memory_equal(got->dataBuffer->data, "wall", 4);
    free(got);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_PROVIDER_CONTEXT, NULL, id), 0);
    assert_int_equal(wall_object_get(session, WALL_OBJECT_PROVIDER_CONTEXT, NULL, id, (void **)&got),
                     FWP_E_PROVIDER_CONTEXT_NOT_FOUND);
    // Key exchange policies have no use here and are refused.
    context.type = FWPM_IPSEC_KEYING_CONTEXT;
    assert_int_equal(wall_provider_context_add(session, &context, &key, &id), FWP_E_INVALID_PARAMETER);
}

// --- Sublayers ---

static uint16_t weight_of(struct wall_session *session, const GUID *key)
{
    FWPM_SUBLAYER0 *sublayer = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_SUBLAYER, key, 0, (void **)&sublayer), 0);
    uint16_t weight = sublayer->weight;
    free(sublayer);
    return weight;
}

static void sublayer_weights_are_unique(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    static const struct {
        uint16_t asked, given;
    } rows[] = {
        { 100, 100 }, { 100, 99 }, { 100, 101 }, { 100, 98 }, { 99, 97 },
        { 0xffff, 0xffff }, { 0xffff, 0xfffe }, { 0xffff, 0xfffd }, { 0, 8 }, { 0x8000, 0x8001 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        GUID key = add_sublayer(session, rows[i].asked);
        assert_int_equal(weight_of(session, &key), rows[i].given);
    }
}

static void sublayers(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_SUBLAYER0 sublayer = { .displayData = NAME };
    assert_int_equal(wall_sublayer_add(session, NULL, NULL), FWP_E_NULL_POINTER);
    sublayer.flags = 2;
    assert_int_equal(wall_sublayer_add(session, &sublayer, NULL), FWP_E_INVALID_FLAGS);
    sublayer.flags = 0;
    sublayer.displayData.name = NULL;
    assert_int_equal(wall_sublayer_add(session, &sublayer, NULL), FWP_E_NULL_DISPLAY_NAME);
    sublayer.displayData = NAME;
    GUID unknown = { 1 };
    sublayer.providerKey = &unknown;
    assert_int_equal(wall_sublayer_add(session, &sublayer, NULL), FWP_E_PROVIDER_NOT_FOUND);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &unknown, 0), FWP_E_SUBLAYER_NOT_FOUND);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, NULL, 1), FWP_E_NULL_POINTER);
}

static void all_weights_can_be_taken(void **state)
{
    struct fixture *fixture = *state;
    // As if everything but one weight were taken; adding 65,535 sublayers shows no more.
    memset(fixture->engine->sublayer_weights, 0xff, sizeof(fixture->engine->sublayer_weights));
    wall_sublayer_weight_set(fixture->engine, 12345, false);
    GUID key = add_sublayer(fixture->session, 60000);
    assert_int_equal(weight_of(fixture->session, &key), 12345);
    const FWPM_SUBLAYER0 sublayer = { .displayData = NAME };
    assert_int_equal(wall_sublayer_add(fixture->session, &sublayer, NULL), FWP_E_TOO_MANY_SUBLAYERS);
}

// --- Callouts ---

static uint32_t flags_of(struct wall_session *session, const GUID *key)
{
    FWPM_CALLOUT0 *callout = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_CALLOUT, key, 0, (void **)&callout), 0);
    uint32_t flags = callout->flags;
    free(callout);
    return flags;
}

static void callouts(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_CALLOUT0 callout = { .displayData = NAME, .applicableLayer = FWPM_LAYER_STREAM_V4 };
    GUID key;
    uint32_t id;
    assert_int_equal(wall_callout_add(session, NULL, &key, &id), FWP_E_NULL_POINTER);
    callout.flags = 1;
    assert_int_equal(wall_callout_add(session, &callout, &key, &id), FWP_E_INVALID_FLAGS);
    callout.flags = FWPM_CALLOUT_FLAG_REGISTERED;
    callout.applicableLayer.Data1++;
    assert_int_equal(wall_callout_add(session, &callout, &key, &id), FWP_E_LAYER_NOT_FOUND);
    callout.applicableLayer.Data1--;
    callout.displayData.name = NULL;
    assert_int_equal(wall_callout_add(session, &callout, &key, &id), FWP_E_NULL_DISPLAY_NAME);
    callout.displayData = NAME;
    assert_int_equal(wall_callout_add(session, &callout, &key, &id), 0);
    assert_int_equal(flags_of(session, &key), 0);
    assert_int_equal(wall_callout_id(fixture->engine, &key), id);
    callout.calloutKey = key;
    assert_int_equal(wall_callout_add(session, &callout, NULL, NULL), FWP_E_ALREADY_EXISTS);
    FWPM_CALLOUT0 *got = NULL;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_CALLOUT, NULL, id, (void **)&got), 0);
    assert_true(wall_guid_equal(&got->calloutKey, &key));
    assert_int_equal(got->calloutId, id);
    free(got);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_CALLOUT, NULL, id), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_CALLOUT, NULL, id), FWP_E_CALLOUT_NOT_FOUND);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_CALLOUT, NULL, UINT64_MAX), FWP_E_CALLOUT_NOT_FOUND);
    assert_int_equal(wall_callout_id(fixture->engine, &key), 0);
}

static void registration_comes_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    struct wall_engine *engine = fixture->engine;
    GUID key = { 5 };
    FWPM_CALLOUT0 callout = { .calloutKey = key, .displayData = NAME, .applicableLayer = FWPM_LAYER_STREAM_V4 };
    uint32_t registered, added;
    assert_int_equal(wall_callout_register(engine, &key, FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW, &registered), 0);
    assert_int_equal(wall_callout_register(engine, &key, 0, NULL), FWP_E_ALREADY_EXISTS);
    assert_int_equal(wall_callout_id(engine, &key), registered);
    assert_int_equal(wall_callout_add(fixture->session, &callout, NULL, &added), 0);
    assert_int_equal(added, registered);
    assert_true(wall_callout_registered(engine, registered));
    assert_int_equal(flags_of(fixture->session, &key), FWPM_CALLOUT_FLAG_REGISTERED);

    // The object goes, the registration stays, and with it the id.
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_CALLOUT, &key, 0), 0);
    assert_true(wall_callout_registered(engine, registered));
    assert_int_equal(wall_callout_add(fixture->session, &callout, NULL, &added), 0);
    assert_int_equal(added, registered);
    // The registration goes, the object stays.
    assert_int_equal(wall_callout_unregister(engine, registered), 0);
    assert_int_equal(wall_callout_unregister(engine, registered), FWP_E_CALLOUT_NOT_FOUND);
    assert_false(wall_callout_registered(engine, registered));
    assert_int_equal(flags_of(fixture->session, &key), 0);
    assert_int_equal(wall_callout_register(engine, &key, 0, &added), 0);
    assert_int_equal(added, registered);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_CALLOUT, &key, 0), 0);
    assert_int_equal(wall_callout_unregister(engine, registered), 0);
    assert_int_equal(wall_callout_id(engine, &key), 0);
}

static void bad_registrations(void **state)
{
    struct fixture *fixture = *state;
    GUID zero = { 0 }, key = { 5 };
    assert_int_equal(wall_callout_register(fixture->engine, NULL, 0, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(wall_callout_register(fixture->engine, &zero, 0, NULL), FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_callout_unregister(fixture->engine, 0), FWP_E_CALLOUT_NOT_FOUND);
    assert_false(wall_callout_registered(fixture->engine, 999999));
    fixture->engine->registered_count = WALL_CALLOUTS_MAX;
    assert_int_equal(wall_callout_register(fixture->engine, &key, 0, NULL), FWP_E_TOO_MANY_CALLOUTS);
    fixture->engine->registered_count = 0;
}

static void callout_limit(void **state)
{
    struct fixture *fixture = *state;
    const FWPM_CALLOUT0 callout = { .displayData = NAME, .applicableLayer = FWPM_LAYER_STREAM_V4 };
    assert_int_equal(wall_transaction_begin(fixture->session, 0), 0);
    wall_status status;
    while ((status = wall_callout_add(fixture->session, &callout, NULL, NULL)) == 0)
        continue;
    assert_int_equal(status, FWP_E_TOO_MANY_CALLOUTS);
    assert_int_equal(fixture->engine->index[WALL_OBJECT_CALLOUT].by_key.count, WALL_CALLOUTS_MAX);
}

static void unknown_types(void **state)
{
    struct fixture *fixture = *state;
    void *object;
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_COUNT_, NULL, 1, &object), FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_COUNT_, NULL, 1), FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_enumeration_new(fixture->session, WALL_OBJECT_COUNT_, NULL, &enumeration),
                     FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_SESSION, &FWPM_LAYER_STREAM_V4, 0),
                     FWP_E_INVALID_PARAMETER);
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_SESSION, &FWPM_LAYER_STREAM_V4, 0, &object),
                     FWP_E_NOT_FOUND);
}

// --- Lists of changes ---

// In whatever order objects come and go, the list and what it says to prefetch know none that is gone (and freed).
static void changes_come_and_go(void **state)
{
    (void)state;
    struct wall_object_list list = { 0 };
    struct wall_object *objects[40] = { NULL };
    uint32_t random = 1, expected = 0;
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        struct wall_object **at = &objects[(random >> 16) % (step % 500 < 250 ? 40 : 10)];
        if (*at) {
            wall_changes_remove(&list, *at);
            free(*at);
            *at = NULL;
            expected--;
        } else {
            *at = calloc(1, sizeof(**at));
            assert_non_null(*at);
            wall_changes_add(&list, *at);
            expected++;
        }
        uint32_t count = 0;
        bool is_behind_known = !list.behind;
        for (const struct wall_object *object = list.first; object; object = object->changed.next, count++)
            is_behind_known = is_behind_known || object == list.behind;
        assert_int_equal(count, expected);
        assert_int_equal(list.count, expected);
        assert_true(is_behind_known);
    }
    for (int i = 0; i < 40; i++)
        free(objects[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(providers),
        TEST(provider_limit),
        TEST(provider_contexts),
        TEST(sublayer_weights_are_unique),
        TEST(sublayers),
        TEST(all_weights_can_be_taken),
        TEST(callouts),
        TEST(registration_comes_in_any_order),
        TEST(bad_registrations),
        TEST(callout_limit),
        TEST(unknown_types),
        TEST(changes_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
