// Memory that runs out: every allocation of a whole life of an engine fails once. Nothing breaks, nothing leaks (the
// sanitizer's part), and what the engine then shows is whole.
#include "engine/net_event.h"
#include "fixture.h"

// The linker sends every allocation of the engine here (--wrap).
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long allocations_left = -1;  // negative: memory is plenty
static bool failed;

static bool fails(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left-- > 0)
        return false;
    // Only one fails: what comes after it must find its way.
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

// True when the call did its work; the only excuse is memory.
static bool worked(wall_status status)
{
    if (status != 0 && (!failed || status != ERROR_NOT_ENOUGH_MEMORY))
        fail_msg("status %x", (unsigned int)status);
    return status == 0;
}

static uint32_t count_filters(struct wall_session *session)
{
    struct wall_enumeration *enumeration;
    FWPM_FILTER_CONDITION0 conditions[2] = { port_is(80), port_is(6) };
    conditions[1].fieldKey = FWPM_CONDITION_IP_PROTOCOL;
    conditions[1].conditionValue.type = FWP_UINT8;
    FWPM_FILTER_ENUM_TEMPLATE0 asked = { .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4, .actionMask = UINT32_MAX };
    asked.enumType = FWP_FILTER_ENUM_OVERLAPPING;
    asked.numFilterConditions = 2;
    asked.filterCondition = conditions;
    wall_status status;
    do
        status = wall_enumeration_new(session, WALL_OBJECT_FILTER, &asked, &enumeration);
    while (!worked(status));
    const void *const *objects;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, 100, &objects, &count), 0);
    wall_enumeration_free(enumeration);
    return count;
}

static void add_objects(struct wall_session *session)
{
    const FWPM_PROVIDER0 provider = { .displayData = NAME };
    GUID provider_key, sublayer, context_key, callout_key;
    if (!worked(wall_provider_add(session, &provider, &provider_key)))
        return;
    const FWPM_SUBLAYER0 some_sublayer = { .displayData = NAME, .providerKey = &provider_key };
    FWP_BYTE_BLOB blob = { 1, (UINT8 *)"x" };
    FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME, .type = FWPM_GENERAL_CONTEXT, .dataBuffer = &blob };
    FWPM_CALLOUT0 callout = { .displayData = NAME, .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4 };
    callout.flags = FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT;
    if (!worked(wall_sublayer_add(session, &some_sublayer, &sublayer)) ||
        !worked(wall_provider_context_add(session, &context, &context_key, NULL)) ||
        !worked(wall_callout_add(session, &callout, &callout_key, NULL)))
        return;
    FWPM_FILTER0 filter = plain_filter(&sublayer, FWP_ACTION_CALLOUT_UNKNOWN);
    filter.flags = FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT;
    filter.providerContextKey = context_key;
    filter.action.calloutKey = callout_key;
    uint64_t id;
    if (!worked(wall_filter_add(session, &filter, NULL, &id)))
        return;
    void *object = NULL;
    if (worked(wall_object_get(session, WALL_OBJECT_FILTER, NULL, id, &object)))
        free(object);
    struct wall_enumeration *enumeration;
    if (worked(wall_enumeration_new(session, WALL_OBJECT_CALLOUT, NULL, &enumeration)))
        wall_enumeration_free(enumeration);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_CALLOUT, &callout_key, 0), FWP_E_IN_USE);
}

static void use_transactions(struct wall_engine *engine, struct wall_session *session)
{
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t first = 0, second = 0;
    uint32_t before = count_filters(session);
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    bool one = worked(wall_filter_add(session, &filter, NULL, &first));
    bool two = worked(wall_filter_add(session, &filter, NULL, &second));
    bool deleted = two && worked(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, second));
    bool committed = worked(wall_transaction_commit(session));
    uint32_t expected = before + (committed ? (uint32_t)one + (two && !deleted) : 0);
    assert_int_equal(count_filters(session), expected);
    assert_int_equal(filter_count(engine), expected);
}

static void use_net_events(struct wall_engine *engine, struct wall_session *session)
{
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop = { .filterId = 1 };
    FWPM_NET_EVENT5 event = { .type = FWPM_NET_EVENT_TYPE_CLASSIFY_DROP };
    event.classifyDrop = &drop;
    wall_net_event_add(engine, &event);
    wall_net_event_add(engine, &event);
    struct wall_enumeration *enumeration;
    if (worked(wall_net_event_enumeration_new(session, NULL, &enumeration)))
        wall_enumeration_free(enumeration);
}

static void use_dynamic_session(struct wall_engine *engine, struct wall_session *session)
{
    const FWPM_SESSION0 dynamic = { .displayData = NAME, .flags = FWPM_SESSION_FLAG_DYNAMIC };
    const struct wall_caller caller = { .user_name = "somebody", .may_write = true };
    struct wall_session *short_lived;
    if (!worked(wall_session_open(engine, &dynamic, &caller, &short_lived)))
        return;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    (void)worked(wall_filter_add(short_lived, &filter, NULL, NULL));
    wall_session_close(short_lived);
    // The session's objects are gone in any case; the policy follows at the next commit at the latest.
    GUID key = { 0x77 };
    const FWPM_SUBLAYER0 sublayer = { .subLayerKey = key, .displayData = NAME };
    wall_status status;
    do
        status = wall_sublayer_add(session, &sublayer, NULL);
    while (!worked(status));
    assert_int_equal(filter_count(engine), count_filters(session));
}

static void live(void)
{
    struct wall_engine *engine;
    int r = wall_engine_new(NULL, NULL, &engine);
    if (r < 0) {
        assert_true(failed);
        return;
    }
    GUID key = { 5 };
    uint32_t callout_id;
    if (worked(wall_callout_register(engine, &key, 0, &callout_id)))
        assert_int_equal(wall_callout_unregister(engine, callout_id), 0);
    struct wall_session *session;
    const struct wall_caller caller = { .user_name = "somebody", .may_write = true };
    wall_status status;
    do
        status = wall_session_open(engine, NULL, &caller, &session);
    while (!worked(status));
    add_objects(session);
    use_transactions(engine, session);
    use_net_events(engine, session);
    use_dynamic_session(engine, session);
    assert_int_equal(filter_count(engine), count_filters(session));
    wall_session_close(session);
    wall_engine_free(engine);
}

static void every_allocation_fails_once(void **state)
{
    for (long n = 0;; n++) {
        allocations_left = n;
        failed = false;
        live();
        allocations_left = -1;
        if (!failed)
            break;
        assert_true(n < 100000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
