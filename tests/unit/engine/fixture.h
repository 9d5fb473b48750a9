// What the tests of the engine share: an engine with a session, and short ways to make objects and values.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpmu.h"

#include "engine/catalog.h"
#include "engine/classify.h"
#include "engine/engine.h"
#include "engine/status.h"

struct fixture {
    struct wall_engine *engine;
    struct wall_session *session;  // static, may write
    uint64_t now_ms;
    // What the hooks were told:
    unsigned int lock_released_count, enforce_count, added_count, deleted_count;
    const struct wall_policy *enforced;  // the last policy that was put in force
    wall_status enforce_status;          // what putting one in force returns
    unsigned int store_begin_count, store_put_count, store_forget_count, store_commit_count;
    wall_status store_status;        // what store_put() answers
    const struct wall_session *last_origin;
    GUID last_key;
};

static inline void fixture_lock_released(void *context)
{
    ((struct fixture *)context)->lock_released_count++;
}

static inline wall_status fixture_policy_enforce(void *context, struct wall_policy *policy)
{
    struct fixture *fixture = context;
    assert_non_null(policy);
    if (fixture->enforce_status != 0)
        return fixture->enforce_status;
    fixture->enforce_count++;
    fixture->enforced = policy;
    return 0;
}

static inline void fixture_object_changed(void *context, enum wall_object_type type, FWPM_CHANGE_TYPE change,
                                          const GUID *key, uint64_t id, const struct wall_session *origin)
{
    struct fixture *fixture = context;
    if (change == FWPM_CHANGE_ADD)
        fixture->added_count++;
    else
        fixture->deleted_count++;
    fixture->last_origin = origin;
    fixture->last_key = *key;
}

static inline wall_status fixture_store_begin(void *context)
{
    ((struct fixture *)context)->store_begin_count++;
    return 0;
}

static inline wall_status fixture_store_put(void *context, enum wall_object_type type, const GUID *key,
                                            const void *object)
{
    struct fixture *fixture = context;
    if (object)
        fixture->store_put_count++;
    else
        fixture->store_forget_count++;
    return fixture->store_status;
}

static inline wall_status fixture_store_commit(void *context)
{
    ((struct fixture *)context)->store_commit_count++;
    return 0;
}

static inline uint64_t fixture_now_ms(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static inline struct wall_session *open_session(struct wall_engine *engine, uint32_t flags)
{
    const FWPM_SESSION0 session = { .flags = flags };
    const struct wall_caller caller = { .process_id = 42, .user_name = "tester", .may_write = true };
    struct wall_session *opened = NULL;
    assert_int_equal(wall_session_open(engine, &session, &caller, &opened), 0);
    return opened;
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    const struct wall_engine_events events = {
        .context = fixture,
        .lock_released = fixture_lock_released,
        .policy_enforce = fixture_policy_enforce,
        .object_changed = fixture_object_changed,
        .store_begin = fixture_store_begin,
        .store_put = fixture_store_put,
        .store_commit = fixture_store_commit,
    };
    assert_int_equal(wall_engine_new(&events, fixture_now_ms, &fixture->engine), 0);
    fixture->session = open_session(fixture->engine, 0);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    wall_session_close(fixture->session);
    wall_engine_free(fixture->engine);
    free(fixture);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
#define NAME ((FWPM_DISPLAY_DATA0){ .name = (WCHAR *)L"test" })
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

// --- Objects ---

static inline GUID add_sublayer(struct wall_session *session, uint16_t weight)
{
    const FWPM_SUBLAYER0 sublayer = { .displayData = NAME, .weight = weight };
    GUID key;
    assert_int_equal(wall_sublayer_add(session, &sublayer, &key), 0);
    return key;
}

static inline GUID add_callout(struct wall_session *session, const GUID *layer)
{
    const FWPM_CALLOUT0 callout = { .displayData = NAME, .applicableLayer = *layer };
    GUID key;
    assert_int_equal(wall_callout_add(session, &callout, &key, NULL), 0);
    return key;
}

// A filter at AUTH_CONNECT_V4 that matches everything.
static inline FWPM_FILTER0 plain_filter(const GUID *sublayer, FWP_ACTION_TYPE action)
{
    FWPM_FILTER0 filter = {
        .displayData = NAME,
        .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
        .action = { .type = action },
    };
    if (sublayer)
        filter.subLayerKey = *sublayer;
    return filter;
}

static inline uint64_t add_filter(struct wall_session *session, const FWPM_FILTER0 *filter)
{
    uint64_t id = 0;
    assert_int_equal(wall_filter_add(session, filter, NULL, &id), 0);
    assert_int_not_equal(id, 0);
    return id;
}

// --- Values ---

// All fields of AUTH_CONNECT_V4, empty at first.
struct traffic {
    FWPS_INCOMING_VALUE0 values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX];
    FWPS_INCOMING_VALUES0 incoming;
};

static inline void traffic_init(struct traffic *traffic)
{
    memset(traffic, 0, sizeof(*traffic));
    traffic->incoming.layerId = FWPS_LAYER_ALE_AUTH_CONNECT_V4;
    traffic->incoming.valueCount = FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX;
    traffic->incoming.incomingValue = traffic->values;
}

static inline void traffic_to(struct traffic *traffic, uint32_t address, uint16_t port)
{
    traffic_init(traffic);
    traffic->values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS].value =
        (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = address };
    traffic->values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value =
        (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = port };
    traffic->values[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL].value = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = 6 };
}

static inline FWPM_FILTER_CONDITION0 port_is(uint16_t port)
{
    return (FWPM_FILTER_CONDITION0){
        .fieldKey = FWPM_CONDITION_IP_REMOTE_PORT,
        .matchType = FWP_MATCH_EQUAL,
        .conditionValue = { .type = FWP_UINT16, .uint16 = port },
    };
}

static inline uint32_t filter_count(const struct wall_engine *engine)
{
    return wall_policy_layer(wall_engine_policy(engine), FWPS_LAYER_ALE_AUTH_CONNECT_V4)->filter_count;
}
