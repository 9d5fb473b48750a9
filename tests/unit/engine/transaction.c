// Transactions: isolation, the one writer, undo, the store, forced aborts, and dynamic sessions that end.
#include "engine/limits.h"
#include "fixture.h"

static bool sees_filter(struct wall_session *session, uint64_t id)
{
    void *filter = NULL;
    wall_status status = wall_object_get(session, WALL_OBJECT_FILTER, NULL, id, &filter);
    free(filter);
    assert_true(status == 0 || status == FWP_E_FILTER_NOT_FOUND);
    return status == 0;
}

static uint32_t count_objects(struct wall_session *session, enum wall_object_type type)
{
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_enumeration_new(session, type, NULL, &enumeration), 0);
    const void *const *objects;
    uint32_t count = 0;
    assert_int_equal(wall_enumeration_next(enumeration, UINT32_MAX, &objects, &count), 0);
    wall_enumeration_free(enumeration);
    return count;
}

static void wrong_use(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    assert_int_equal(wall_transaction_commit(session), FWP_E_NO_TXN_IN_PROGRESS);
    assert_int_equal(wall_transaction_abort(session), FWP_E_NO_TXN_IN_PROGRESS);
    assert_int_equal(wall_transaction_begin(session, 2), FWP_E_INVALID_FLAGS);
    assert_false(wall_transaction_active(session));
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    assert_true(wall_transaction_active(session));
    assert_int_equal(wall_transaction_begin(session, 0), FWP_E_TXN_IN_PROGRESS);
    assert_int_equal(wall_transaction_begin(session, FWPM_TXN_READ_ONLY), FWP_E_TXN_IN_PROGRESS);
    assert_int_equal(wall_transaction_commit(session), 0);
    assert_int_equal(wall_transaction_commit(session), FWP_E_NO_TXN_IN_PROGRESS);
}

static void others_see_only_what_is_committed(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *writer = fixture->session, *other = open_session(fixture->engine, 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t before = add_filter(writer, &filter);
    uint64_t generation = wall_policy_generation(wall_engine_policy(fixture->engine));

    assert_int_equal(wall_transaction_begin(writer, 0), 0);
    uint64_t added = add_filter(writer, &filter);
    assert_int_equal(wall_object_delete(writer, WALL_OBJECT_FILTER, NULL, before), 0);
    assert_true(sees_filter(writer, added));
    assert_false(sees_filter(writer, before));
    assert_false(sees_filter(other, added));
    assert_true(sees_filter(other, before));
    assert_int_equal(count_objects(writer, WALL_OBJECT_FILTER), 1);
    assert_int_equal(count_objects(other, WALL_OBJECT_FILTER), 1);
    // The run-time policy waits for the commit, too.
    assert_int_equal(wall_policy_generation(wall_engine_policy(fixture->engine)), generation);

    assert_int_equal(wall_transaction_commit(writer), 0);
    assert_true(sees_filter(other, added));
    assert_false(sees_filter(other, before));
    assert_int_equal(wall_policy_generation(wall_engine_policy(fixture->engine)), generation + 1);
    wall_session_close(other);
}

static void an_abort_undoes_everything(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    GUID sublayer = add_sublayer(session, 100);
    FWPM_FILTER0 filter = plain_filter(&sublayer, FWP_ACTION_BLOCK);
    uint64_t before = add_filter(session, &filter);
    struct wall_policy *policy = wall_engine_policy(fixture->engine);

    assert_int_equal(wall_transaction_begin(session, 0), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, before), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &sublayer, 0), 0);
    // The same key, the same weight, another object.
    FWPM_SUBLAYER0 again = { .subLayerKey = sublayer, .displayData = NAME, .weight = 100 };
    assert_int_equal(wall_sublayer_add(session, &again, NULL), 0);
    (void)add_filter(session, &filter);
    assert_int_equal(wall_transaction_abort(session), 0);

    assert_true(sees_filter(session, before));
    assert_int_equal(count_objects(session, WALL_OBJECT_FILTER), 1);
    assert_ptr_equal(wall_engine_policy(fixture->engine), policy);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &sublayer, 0), FWP_E_IN_USE);
    // The weight is taken again: a newcomer gets the one below.
    FWPM_SUBLAYER0 *next = NULL;
    GUID next_key = add_sublayer(session, 100);
    assert_int_equal(wall_object_get(session, WALL_OBJECT_SUBLAYER, &next_key, 0, (void **)&next), 0);
    assert_int_equal(next->weight, 99);
    free(next);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, before), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &sublayer, 0), 0);
}

static void a_key_changes_its_object(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *writer = fixture->session, *other = open_session(fixture->engine, 0);
    FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .weight = 100 };
    GUID key;
    assert_int_equal(wall_sublayer_add(writer, &sublayer, &key), 0);
    sublayer.subLayerKey = key;
    sublayer.weight = 200;

    FWPM_SUBLAYER0 *seen = NULL;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(wall_transaction_begin(writer, 0), 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(wall_object_delete(writer, WALL_OBJECT_SUBLAYER, &key, 0), 0);
            assert_int_equal(wall_sublayer_add(writer, &sublayer, NULL), 0);
            assert_int_equal(wall_sublayer_add(writer, &sublayer, NULL), FWP_E_ALREADY_EXISTS);
        }
        assert_int_equal(wall_object_get(other, WALL_OBJECT_SUBLAYER, &key, 0, (void **)&seen), 0);
        assert_int_equal(seen->weight, 100);
        free(seen);
        assert_int_equal(wall_object_get(writer, WALL_OBJECT_SUBLAYER, &key, 0, (void **)&seen), 0);
        assert_int_equal(seen->weight, 200);
        free(seen);
        assert_int_equal(round == 0 ? wall_transaction_abort(writer) : wall_transaction_commit(writer), 0);
    }
    assert_int_equal(wall_object_get(other, WALL_OBJECT_SUBLAYER, &key, 0, (void **)&seen), 0);
    assert_int_equal(seen->weight, 200);
    free(seen);
    wall_session_close(other);
}

static void a_failed_call_does_not_poison(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t id = add_filter(session, &filter);
    filter.action.type = 7;
    assert_int_equal(wall_filter_add(session, &filter, NULL, NULL), FWP_E_INVALID_ACTION_TYPE);
    assert_int_equal(wall_transaction_commit(session), 0);
    assert_true(sees_filter(session, id));
}

static void others_wait_for_the_writer(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *writer = fixture->session, *other = open_session(fixture->engine, 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    assert_int_equal(wall_transaction_begin(writer, 0), 0);
    uint64_t id = 77;
    assert_int_equal(wall_filter_add(other, &filter, NULL, &id), WALL_STATUS_WAIT);
    assert_int_equal(id, 77);
    assert_int_equal(wall_transaction_begin(other, 0), WALL_STATUS_WAIT);
    assert_int_equal(wall_object_delete(other, WALL_OBJECT_FILTER, NULL, 1), WALL_STATUS_WAIT);
    // Reading goes on.
    assert_int_equal(wall_transaction_begin(other, FWPM_TXN_READ_ONLY), 0);
    assert_int_equal(wall_transaction_commit(other), 0);

    assert_int_equal(fixture->lock_released_count, 0);
    assert_int_equal(wall_transaction_commit(writer), 0);
    assert_int_equal(fixture->lock_released_count, 1);
    assert_int_equal(wall_transaction_begin(other, 0), 0);
    wall_session_close(other);
    assert_int_equal(fixture->lock_released_count, 2);
    // An implicit transaction tells nobody: nobody can have waited for it.
    (void)add_filter(writer, &filter);
    assert_int_equal(fixture->lock_released_count, 2);
}

static void read_only_transactions_see_one_state(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *writer = fixture->session, *reader = open_session(fixture->engine, 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t first = add_filter(writer, &filter);

    assert_int_equal(wall_transaction_begin(reader, FWPM_TXN_READ_ONLY), 0);
    uint64_t second = add_filter(writer, &filter);
    assert_int_equal(wall_object_delete(writer, WALL_OBJECT_FILTER, NULL, first), 0);
    assert_true(sees_filter(reader, first));
    assert_false(sees_filter(reader, second));
    assert_int_equal(count_objects(reader, WALL_OBJECT_FILTER), 1);
    assert_int_equal(wall_filter_add(reader, &filter, NULL, NULL), FWP_E_INCOMPATIBLE_TXN);
    assert_int_equal(wall_object_delete(reader, WALL_OBJECT_FILTER, NULL, first), FWP_E_INCOMPATIBLE_TXN);

    // A second reader begins later and sees more; both end in any order.
    struct wall_session *later = open_session(fixture->engine, 0);
    assert_int_equal(wall_transaction_begin(later, FWPM_TXN_READ_ONLY), 0);
    assert_int_equal(wall_object_delete(writer, WALL_OBJECT_FILTER, NULL, second), 0);
    assert_true(sees_filter(later, second));
    assert_int_equal(wall_transaction_abort(reader), 0);
    assert_false(sees_filter(reader, first));
    assert_true(sees_filter(later, second));
    wall_session_close(later);
    wall_session_close(reader);
    assert_int_equal(count_objects(writer, WALL_OBJECT_FILTER), 0);
}

static void versions_of_one_key_for_three_readers(void **state)
{
    struct fixture *fixture = *state;
    FWPM_PROVIDER0 provider = { .displayData = NAME };
    struct wall_session *readers[3];
    GUID key = { 0 };
    for (int i = 0; i < 3; i++) {
        FWP_BYTE_BLOB data = { 1, (UINT8 *)"abc" + i };
        provider.providerKey = key;
        provider.providerData = data;
        if (i > 0)
            assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_PROVIDER, &key, 0), 0);
        assert_int_equal(wall_provider_add(fixture->session, &provider, &key), 0);
        readers[i] = open_session(fixture->engine, 0);
        assert_int_equal(wall_transaction_begin(readers[i], FWPM_TXN_READ_ONLY), 0);
    }
    static const int order[] = { 1, 0, 2 };
    for (int i = 0; i < 3; i++) {
        for (int k = i; k < 3; k++) {
            FWPM_PROVIDER0 *seen = NULL;
            assert_int_equal(wall_object_get(readers[order[k]], WALL_OBJECT_PROVIDER, &key, 0, (void **)&seen), 0);
            assert_int_equal(seen->providerData.data[0], 'a' + order[k]);
            free(seen);
            assert_int_equal(count_objects(readers[order[k]], WALL_OBJECT_PROVIDER), 10);
        }
        wall_session_close(readers[order[i]]);
    }
}

static void the_store_is_asked_before_the_commit(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .flags = FWPM_SUBLAYER_FLAG_PERSISTENT };
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    GUID kept, dropped;
    assert_int_equal(wall_sublayer_add(session, &sublayer, &kept), 0);
    assert_int_equal(wall_sublayer_add(session, &sublayer, &dropped), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &dropped, 0), 0);
    (void)add_sublayer(session, 7);
    assert_int_equal(fixture->store_begin_count, 0);
    assert_int_equal(wall_transaction_commit(session), 0);
    assert_int_equal(fixture->store_begin_count, 1);
    assert_int_equal(fixture->store_put_count, 1);
    assert_int_equal(fixture->store_forget_count, 0);
    assert_int_equal(fixture->store_commit_count, 1);

    // What is not persistent does not touch the store.
    (void)add_sublayer(session, 8);
    assert_int_equal(fixture->store_begin_count, 1);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_SUBLAYER, &kept, 0), 0);
    assert_int_equal(fixture->store_forget_count, 1);
    assert_int_equal(fixture->store_commit_count, 2);
}

static void a_store_that_fails_aborts(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t before = add_filter(session, &filter);
    struct wall_policy *policy = wall_engine_policy(fixture->engine);
    uint32_t told = fixture->enforce_count;

    fixture->store_status = ERROR_ACCESS_DENIED;
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    uint64_t id = 0;
    assert_int_equal(wall_filter_add(session, &filter, NULL, &id), ERROR_ACCESS_DENIED);
    assert_int_equal(id, 0);
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, before), 0);
    (void)add_filter(session, &filter);
    assert_int_equal(wall_transaction_commit(session), ERROR_ACCESS_DENIED);
    assert_false(wall_transaction_active(session));

    assert_ptr_equal(wall_engine_policy(fixture->engine), policy);
    assert_int_equal(fixture->enforce_count, told + 4);  // each time the new one, and the one before again
    assert_ptr_equal(fixture->enforced, policy);
    assert_int_equal(count_objects(session, WALL_OBJECT_FILTER), 1);
    assert_true(sees_filter(session, before));
    fixture->store_status = 0;
    (void)add_filter(session, &filter);
    // The filter whose deletion was undone is still part of the policy.
    assert_int_equal(filter_count(fixture->engine), 2);
}

static void what_cannot_be_enforced_is_not_committed(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t before = add_filter(session, &filter);
    struct wall_policy *policy = wall_engine_policy(fixture->engine);
    FWPM_SESSION0 dynamic = { .flags = FWPM_SESSION_FLAG_DYNAMIC };
    const struct wall_caller caller = { .process_id = 43, .user_name = "tester", .may_write = true };
    struct wall_session *other;
    assert_int_equal(wall_session_open(fixture->engine, &dynamic, &caller, &other), 0);

    fixture->enforce_status = ERROR_NOT_ENOUGH_MEMORY;
    uint64_t id = 0;
    assert_int_equal(wall_filter_add(session, &filter, NULL, &id), ERROR_NOT_ENOUGH_MEMORY);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, before), ERROR_NOT_ENOUGH_MEMORY);
    assert_ptr_equal(wall_engine_policy(fixture->engine), policy);
    assert_true(sees_filter(session, before));

    // A session's end is not to be stopped; its filters stay in force until something can be put in force again.
    fixture->enforce_status = 0;
    (void)add_filter(other, &filter);
    const struct wall_policy *with_both = fixture->enforced;
    fixture->enforce_status = ERROR_NOT_ENOUGH_MEMORY;
    wall_session_close(other);
    assert_int_equal(count_objects(session, WALL_OBJECT_FILTER), 1);
    assert_ptr_equal(wall_engine_policy(fixture->engine), with_both);
    fixture->enforce_status = 0;
    (void)add_sublayer(session, 9);
    assert_int_equal(filter_count(fixture->engine), 1);
    assert_ptr_equal(fixture->enforced, wall_engine_policy(fixture->engine));
}

static void hooks_tell_the_net_change(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t before = add_filter(session, &filter);
    fixture->added_count = fixture->deleted_count = fixture->enforce_count = 0;

    assert_int_equal(wall_transaction_begin(session, 0), 0);
    uint64_t gone = add_filter(session, &filter);
    (void)add_filter(session, &filter);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, gone), 0);
    assert_int_equal(wall_object_delete(session, WALL_OBJECT_FILTER, NULL, before), 0);
    assert_int_equal(fixture->added_count + fixture->deleted_count, 0);
    assert_int_equal(wall_transaction_commit(session), 0);
    assert_int_equal(fixture->added_count, 1);
    assert_int_equal(fixture->deleted_count, 1);
    assert_int_equal(fixture->enforce_count, 1);
    assert_ptr_equal(fixture->last_origin, session);

    (void)add_sublayer(session, 5);
    assert_int_equal(fixture->added_count, 2);
    assert_int_equal(fixture->enforce_count, 1);
}

static void a_transaction_may_be_held_for_an_hour(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *session = fixture->session;
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    assert_true(wall_transaction_expire(fixture->engine) == UINT64_MAX);
    fixture->now_ms = 1000;
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    uint64_t id = add_filter(session, &filter);
    fixture->now_ms += WALL_TRANSACTION_HOLD_MS - 1;
    assert_int_equal(wall_transaction_expire(fixture->engine), 1);
    assert_true(sees_filter(session, id));
    fixture->now_ms++;
    assert_true(wall_transaction_expire(fixture->engine) == UINT64_MAX);
    assert_int_equal(fixture->lock_released_count, 1);

    // Every call in it says so, until the session ends it.
    void *object = NULL;
    struct wall_enumeration *enumeration;
    assert_int_equal(wall_object_get(session, WALL_OBJECT_FILTER, NULL, id, &object), FWP_E_TXN_ABORTED);
    assert_int_equal(wall_filter_add(session, &filter, NULL, NULL), FWP_E_TXN_ABORTED);
    assert_int_equal(wall_enumeration_new(session, WALL_OBJECT_FILTER, NULL, &enumeration), FWP_E_TXN_ABORTED);
    assert_true(wall_transaction_active(session));
    assert_int_equal(wall_transaction_commit(session), FWP_E_TXN_ABORTED);
    assert_false(sees_filter(session, id));

    for (int i = 0; i < 2; i++) {
        assert_int_equal(wall_transaction_begin(session, i == 0 ? FWPM_TXN_READ_ONLY : 0), 0);
        fixture->now_ms += WALL_TRANSACTION_HOLD_MS;
        assert_true(wall_transaction_expire(fixture->engine) == UINT64_MAX);
        wall_status status = i == 0 ? wall_transaction_abort(session) : wall_transaction_begin(session, 0);
        assert_int_equal(status, i == 0 ? 0 : FWP_E_TXN_ABORTED);
        assert_false(wall_transaction_active(session));
    }
}

static void drivers_may_hold_it_longer(void **state)
{
    struct fixture *fixture = *state;
    const struct wall_caller caller = { .kernel_mode = true };
    struct wall_session *driver;
    assert_int_equal(wall_session_open(fixture->engine, NULL, &caller, &driver), 0);
    assert_int_equal(wall_transaction_begin(driver, 0), 0);
    fixture->now_ms += 10ull * WALL_TRANSACTION_HOLD_MS;
    assert_true(wall_transaction_expire(fixture->engine) == UINT64_MAX);
    assert_int_equal(wall_transaction_commit(driver), 0);
    wall_session_close(driver);
}

static void who_may_not_write_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    const struct wall_caller caller = { .user_id = 1000 };
    struct wall_session *guest;
    assert_int_equal(wall_session_open(fixture->engine, NULL, &caller, &guest), 0);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    uint64_t id = add_filter(fixture->session, &filter);
    const FWPM_PROVIDER0 provider = { .displayData = NAME };
    const FWPM_SUBLAYER0 sublayer = { .displayData = NAME };
    const FWPM_CALLOUT0 callout = { .displayData = NAME };
    const FWPM_PROVIDER_CONTEXT3 context = { .displayData = NAME };
    const FWP_VALUE0 value = { .type = FWP_UINT32 };
    assert_int_equal(wall_filter_add(guest, &filter, NULL, NULL), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_provider_add(guest, &provider, NULL), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_sublayer_add(guest, &sublayer, NULL), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_callout_add(guest, &callout, NULL, NULL), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_provider_context_add(guest, &context, NULL, NULL), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_object_delete(guest, WALL_OBJECT_FILTER, NULL, id), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_transaction_begin(guest, 0), ERROR_ACCESS_DENIED);
    assert_int_equal(wall_option_set(guest, FWPM_ENGINE_COLLECT_NET_EVENTS, &value), ERROR_ACCESS_DENIED);
    assert_true(sees_filter(guest, id));
    assert_int_equal(wall_transaction_begin(guest, FWPM_TXN_READ_ONLY), 0);
    wall_session_close(guest);
}

// --- Dynamic sessions ---

static void a_dynamic_session_takes_its_objects_along(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *dynamic = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
    GUID sublayer = add_sublayer(dynamic, 500);
    GUID callout = add_callout(dynamic, &FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    FWPM_FILTER0 filter = plain_filter(&sublayer, FWP_ACTION_CALLOUT_UNKNOWN);
    filter.action.calloutKey = callout;
    (void)add_filter(dynamic, &filter);
    uint32_t callout_id = wall_callout_id(fixture->engine, &callout);
    assert_int_not_equal(callout_id, 0);
    assert_int_equal(filter_count(fixture->engine), 1);
    fixture->deleted_count = fixture->enforce_count = 0;

    wall_session_close(dynamic);
    assert_int_equal(filter_count(fixture->engine), 0);
    assert_int_equal(fixture->deleted_count, 3);
    assert_int_equal(fixture->enforce_count, 1);
    assert_int_equal(wall_callout_id(fixture->engine, &callout), 0);
    void *object;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_SUBLAYER, &sublayer, 0, &object),
                     FWP_E_SUBLAYER_NOT_FOUND);
    // Its weight is free again.
    GUID key = add_sublayer(fixture->session, 500);
    FWPM_SUBLAYER0 *again = NULL;
    assert_int_equal(wall_object_get(fixture->session, WALL_OBJECT_SUBLAYER, &key, 0, (void **)&again), 0);
    assert_int_equal(again->weight, 500);
    free(again);
}

static void its_open_transaction_is_aborted_first(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *dynamic = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    (void)add_filter(dynamic, &filter);
    assert_int_equal(wall_transaction_begin(dynamic, 0), 0);
    (void)add_filter(dynamic, &filter);
    fixture->deleted_count = 0;
    wall_session_close(dynamic);
    assert_int_equal(fixture->deleted_count, 1);
    assert_int_equal(fixture->lock_released_count, 1);
    assert_int_equal(filter_count(fixture->engine), 0);
}

static void a_session_can_die_under_a_writer(void **state)
{
    for (int committed = 0; committed < 2; committed++) {
        void *fresh;
        fixture_setup(&fresh);
        struct fixture *fixture = fresh;
        struct wall_session *writer = fixture->session, *reader = open_session(fixture->engine, 0);
        struct wall_session *dynamic = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
        FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
        uint64_t static_one = add_filter(writer, &filter);
        uint64_t touched = add_filter(dynamic, &filter), untouched = add_filter(dynamic, &filter);
        assert_int_equal(wall_transaction_begin(reader, FWPM_TXN_READ_ONLY), 0);

        // A static session may delete what belongs to a dynamic one; then that one ends.
        assert_int_equal(wall_transaction_begin(writer, 0), 0);
        assert_int_equal(wall_object_delete(writer, WALL_OBJECT_FILTER, NULL, touched), 0);
        assert_int_equal(wall_object_delete(writer, WALL_OBJECT_FILTER, NULL, static_one), 0);
        uint64_t added = add_filter(writer, &filter);
        fixture->deleted_count = 0;
        wall_session_close(dynamic);
        assert_int_equal(fixture->deleted_count, 2);
        // At once, and without what the writer has not committed.
        assert_int_equal(filter_count(fixture->engine), 1);
        assert_false(sees_filter(writer, untouched));
        assert_true(sees_filter(reader, touched));
        assert_true(sees_filter(reader, untouched));

        assert_int_equal(committed ? wall_transaction_commit(writer) : wall_transaction_abort(writer), 0);
        assert_int_equal(filter_count(fixture->engine), 1);
        assert_int_equal(sees_filter(writer, added), committed);
        assert_int_equal(sees_filter(writer, static_one), !committed);
        assert_false(sees_filter(writer, touched));
        wall_session_close(reader);
        assert_int_equal(count_objects(writer, WALL_OBJECT_FILTER), 1);
        fixture_teardown(&fresh);
    }
}

static void dynamic_objects_have_their_rules(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *one = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
    struct wall_session *two = open_session(fixture->engine, FWPM_SESSION_FLAG_DYNAMIC);
    GUID dynamic = add_sublayer(one, 300), fixed = add_sublayer(fixture->session, 301);
    assert_int_equal(wall_object_delete(two, WALL_OBJECT_SUBLAYER, &dynamic, 0), FWP_E_WRONG_SESSION);
    assert_int_equal(wall_object_delete(two, WALL_OBJECT_SUBLAYER, &fixed, 0), FWP_E_DYNAMIC_SESSION_IN_PROGRESS);
    assert_int_equal(wall_object_delete(two, WALL_OBJECT_SUBLAYER, &FWPM_SUBLAYER_UNIVERSAL, 0), FWP_E_BUILTIN_OBJECT);

    FWPM_FILTER0 filter = plain_filter(&dynamic, FWP_ACTION_BLOCK);
    assert_int_equal(wall_filter_add(two, &filter, NULL, NULL), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(wall_filter_add(fixture->session, &filter, NULL, NULL), FWP_E_LIFETIME_MISMATCH);
    assert_int_equal(wall_filter_add(one, &filter, NULL, NULL), 0);
    filter.subLayerKey = fixed;
    assert_int_equal(wall_filter_add(two, &filter, NULL, NULL), 0);
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    assert_int_equal(wall_filter_add(two, &filter, NULL, NULL), FWP_E_DYNAMIC_SESSION_IN_PROGRESS);
    wall_session_close(two);
    assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_SUBLAYER, &dynamic, 0), FWP_E_IN_USE);
    wall_session_close(one);
}

static void a_reader_that_never_ends_is_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *reader = open_session(fixture->engine, 0);
    assert_int_equal(wall_transaction_begin(reader, FWPM_TXN_READ_ONLY), 0);
    // A key that changes its object over and over.
    FWPM_PROVIDER0 provider = { .displayData = NAME };
    assert_int_equal(wall_provider_add(fixture->session, &provider, &provider.providerKey), 0);
    for (int i = 0; i <= WALL_GRAVEYARD_MAX; i++) {
        assert_int_equal(wall_transaction_begin(fixture->session, 0), 0);
        assert_int_equal(wall_object_delete(fixture->session, WALL_OBJECT_PROVIDER, &provider.providerKey, 0), 0);
        assert_int_equal(wall_provider_add(fixture->session, &provider, NULL), 0);
        assert_int_equal(wall_transaction_commit(fixture->session), 0);
    }
    assert_int_equal(wall_transaction_commit(reader), FWP_E_TXN_ABORTED);
    wall_session_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_use),
        TEST(others_see_only_what_is_committed),
        TEST(an_abort_undoes_everything),
        TEST(a_key_changes_its_object),
        TEST(a_failed_call_does_not_poison),
        TEST(others_wait_for_the_writer),
        TEST(read_only_transactions_see_one_state),
        TEST(versions_of_one_key_for_three_readers),
        TEST(the_store_is_asked_before_the_commit),
        TEST(a_store_that_fails_aborts),
        TEST(what_cannot_be_enforced_is_not_committed),
        TEST(hooks_tell_the_net_change),
        TEST(a_transaction_may_be_held_for_an_hour),
        TEST(drivers_may_hold_it_longer),
        TEST(who_may_not_write_is_told_so),
        TEST(a_dynamic_session_takes_its_objects_along),
        TEST(its_open_transaction_is_aborted_first),
        cmocka_unit_test(a_session_can_die_under_a_writer),
        TEST(dynamic_objects_have_their_rules),
        TEST(a_reader_that_never_ends_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
