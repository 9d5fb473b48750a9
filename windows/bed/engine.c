#include <windows.h>

#include "core.h"

static CRITICAL_SECTION lock;
static struct wall_engine *engine;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
uint32_t bed_session_count;

static uint64_t now_ms(void *context)
{
    (void)context;
    return GetTickCount64();
}

static BOOL CALLBACK make_engine(INIT_ONCE *this_once, void *parameter, void **context)
{
    (void)this_once;
    (void)parameter;
    (void)context;
    InitializeCriticalSection(&lock);
    struct wall_engine_events events = { 0 };
    return wall_engine_new(&events, now_ms, &engine) == 0 && wall_engine_load_done(engine) == 0;
}

void bed_lock(void)
{
    InitOnceExecuteOnce(&once, make_engine, NULL, NULL);
    EnterCriticalSection(&lock);
}

void bed_unlock(void)
{
    LeaveCriticalSection(&lock);
}

struct wall_engine *bed_engine(void)
{
    return engine;
}

// --- Counting ---

static uint32_t built_in[WALL_OBJECT_COUNT_];

static uint32_t count_objects(struct wall_session *session, enum wall_object_type type)
{
    struct wall_enumeration *enumeration;
    const void *const *objects;
    uint32_t count = 0;
    if (wall_enumeration_new(session, type, NULL, &enumeration) != 0)
        return UINT32_MAX;
    (void)wall_enumeration_next(enumeration, UINT32_MAX, &objects, &count);
    wall_enumeration_free(enumeration);
    return count;
}

void bed_engine_count(struct bed_state *state)
{
    static bool counted;
    static const enum wall_object_type types[] = { WALL_OBJECT_PROVIDER, WALL_OBJECT_SUBLAYER, WALL_OBJECT_CALLOUT,
                                                   WALL_OBJECT_FILTER };
    uint32_t *targets[] = { &state->providers, &state->sublayers, &state->callouts, &state->filters };
    struct wall_caller caller = { .kernel_mode = true, .may_write = true };
    FWPM_SESSION0 description = { 0 };
    struct wall_session *session;
    if (wall_session_open(engine, &description, &caller, &session) != 0)
        return;
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        uint32_t count = count_objects(session, types[i]);
        if (!counted)
            built_in[types[i]] = count;
        *targets[i] = count - built_in[types[i]];
    }
    counted = true;
    wall_session_close(session);
    state->sessions = bed_session_count;
}
