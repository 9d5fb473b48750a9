// Sessions: who they belong to, their keys, their limits.
#include "base/guid.h"
#include "base/sid.h"
#include "base/utf16.h"
#include "engine/limits.h"
#include "fixture.h"

static void a_session_tells_who_it_is(void **state)
{
    struct fixture *fixture = *state;
    const struct wall_caller caller = { .process_id = 7, .user_id = 1000, .user_name = "j\xc3\xa9", .may_write = true };
    const FWPM_SESSION0 asked = {
        .sessionKey = { 9 },
        .displayData = NAME,
        .flags = FWPM_SESSION_FLAG_DYNAMIC,
        .txnWaitTimeoutInMSec = 250,
        .processId = 99,
        .kernelMode = TRUE,
    };
    struct wall_session *session;
    assert_int_equal(wall_session_open(fixture->engine, &asked, &caller, &session), 0);
    const FWPM_SESSION0 *told = wall_session_describe(session);
    assert_true(wall_guid_equal(&told->sessionKey, &asked.sessionKey));
    // What the client says about itself does not count.
    assert_int_equal(told->processId, 7);
    assert_false(told->kernelMode);
    uint32_t user_id = 0;
    assert_true(wall_sid_to_user(told->sid, &user_id));
    assert_int_equal(user_id, 1000);
    assert_int_equal(wall_utf16_compare((uint16_t *)told->username, (const uint16_t *)L"j\u00e9"), 0);
    assert_int_equal(told->flags, FWPM_SESSION_FLAG_DYNAMIC);
    assert_int_equal(wall_session_wait_ms(session), 250);
    struct wall_session *twin;
    assert_int_equal(wall_session_open(fixture->engine, &asked, &caller, &twin), FWP_E_ALREADY_EXISTS);
    wall_session_close(session);
    assert_int_equal(wall_session_open(fixture->engine, &asked, &caller, &twin), 0);
    wall_session_close(twin);
}

static void defaults(void **state)
{
    struct fixture *fixture = *state;
    const struct wall_caller caller = { .kernel_mode = true };
    struct wall_session *session;
    assert_int_equal(wall_session_open(fixture->engine, NULL, &caller, &session), 0);
    assert_false(wall_guid_is_zero(&wall_session_describe(session)->sessionKey));
    assert_null(wall_session_describe(session)->username);
    assert_true(wall_session_describe(session)->kernelMode);
    assert_int_equal(wall_session_wait_ms(session), WALL_TRANSACTION_WAIT_MS);
    // A driver may write without being told so.
    (void)add_sublayer(session, 5);
    wall_session_close(session);
    wall_session_close(NULL);

    const FWPM_SESSION0 wrong = { .flags = 2 };
    assert_int_equal(wall_session_open(fixture->engine, &wrong, &caller, &session), FWP_E_INVALID_FLAGS);
    const FWPM_SESSION0 patient = { .txnWaitTimeoutInMSec = UINT32_MAX };
    assert_int_equal(wall_session_open(fixture->engine, &patient, &caller, &session), 0);
    assert_int_equal(wall_session_wait_ms(session), UINT32_MAX);
    wall_session_close(session);
}

static void sessions_can_be_enumerated(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session *other = open_session(fixture->engine, 0);
    struct wall_enumeration *enumeration;
    FWPM_SESSION_ENUM_TEMPLATE0 wrong = { 1 };
    assert_int_equal(wall_enumeration_new(other, WALL_OBJECT_SESSION, &wrong, &enumeration), FWP_E_RESERVED);
    assert_int_equal(wall_enumeration_new(other, WALL_OBJECT_SESSION, NULL, &enumeration), 0);
    GUID key = wall_session_describe(other)->sessionKey;
    wall_session_close(other);

    // A snapshot outlives what it shows.
    const void *const *sessions;
    uint32_t count;
    assert_int_equal(wall_enumeration_next(enumeration, 10, &sessions, &count), 0);
    assert_int_equal(count, 2);
    assert_true(wall_guid_equal(&((const FWPM_SESSION0 *)sessions[1])->sessionKey, &key));
    wall_enumeration_free(enumeration);
}

static void their_number_is_limited(void **state)
{
    struct fixture *fixture = *state;
    struct wall_session **sessions = calloc(WALL_SESSIONS_MAX, sizeof(*sessions));
    const struct wall_caller caller = { .process_id = 1 };
    int count = 0;
    wall_status status;
    while ((status = wall_session_open(fixture->engine, NULL, &caller, &sessions[count])) == 0)
        count++;
    assert_int_equal(status, WALL_STATUS_QUOTA);
    assert_int_equal(count, WALL_SESSIONS_MAX - 1);
    while (count > 0)
        wall_session_close(sessions[--count]);
    free(sessions);
}

static void an_engine_goes_with_its_sessions(void **state)
{
    struct wall_engine *engine;
    assert_int_equal(wall_engine_new(NULL, NULL, &engine), 0);
    struct wall_session *session = open_session(engine, FWPM_SESSION_FLAG_DYNAMIC);
    FWPM_FILTER0 filter = plain_filter(NULL, FWP_ACTION_BLOCK);
    (void)add_filter(session, &filter);
    assert_int_equal(wall_transaction_begin(session, 0), 0);
    (void)add_filter(session, &filter);
    struct wall_policy *policy = wall_policy_ref(wall_engine_policy(engine));
    wall_engine_free(engine);
    // A policy outlives its engine.
    assert_int_equal(wall_policy_layer(policy, 48)->filter_count, 1);
    wall_policy_unref(policy);
    wall_engine_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_tells_who_it_is),
        TEST(defaults),
        TEST(sessions_can_be_enumerated),
        TEST(their_number_is_limited),
        cmocka_unit_test(an_engine_goes_with_its_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
