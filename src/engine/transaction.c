#include <assert.h>
#include <errno.h>

#include "engine/limits.h"
#include "engine/policy_build.h"
#include "engine/state.h"
#include "engine/status.h"

static uint64_t now_ms(const struct wall_engine *engine)
{
    return engine->now_ms ? engine->now_ms(engine->events.context) : 0;
}

wall_status wall_status_of_copy(void)
{
    return errno == EINVAL ? FWP_E_INVALID_PARAMETER : ERROR_NOT_ENOUGH_MEMORY;
}

struct wall_view wall_session_view(const struct wall_session *session)
{
    const struct wall_engine *engine = session->engine;
    if (session->transaction == WALL_TRANSACTION_READ)
        return (struct wall_view){ false, session->read_generation };
    return (struct wall_view){ engine->writer == session, engine->generation };
}

wall_status wall_session_check(const struct wall_session *session)
{
    return session->transaction == WALL_TRANSACTION_ABORTED ? FWP_E_TXN_ABORTED : 0;
}

bool wall_transaction_active(const struct wall_session *session)
{
    return session->transaction != WALL_TRANSACTION_NONE;
}

wall_status wall_transaction_begin(struct wall_session *session, uint32_t flags)
{
    struct wall_engine *engine = session->engine;
    if (session->transaction == WALL_TRANSACTION_ABORTED) {
        session->transaction = WALL_TRANSACTION_NONE;
        return FWP_E_TXN_ABORTED;
    }
    if (session->transaction != WALL_TRANSACTION_NONE)
        return FWP_E_TXN_IN_PROGRESS;
    if (flags & ~(uint32_t)FWPM_TXN_READ_ONLY)
        return FWP_E_INVALID_FLAGS;

    if (flags & FWPM_TXN_READ_ONLY) {
        session->transaction = WALL_TRANSACTION_READ;
        session->read_generation = engine->generation;
        engine->reader_count++;
    } else {
        if (!session->may_write)
            return ERROR_ACCESS_DENIED;
        if (engine->writer)
            return WALL_STATUS_WAIT;
        session->transaction = WALL_TRANSACTION_WRITE;
        engine->writer = session;
        engine->writer_explicit = true;
    }
    session->transaction_began_ms = now_ms(engine);
    return 0;
}

static void release_lock(struct wall_engine *engine)
{
    bool was_explicit = engine->writer_explicit;
    engine->writer = NULL;
    engine->writer_explicit = false;
    if (was_explicit && engine->events.lock_released)
        engine->events.lock_released(engine->events.context);
}

static void end_read(struct wall_session *session)
{
    session->transaction = WALL_TRANSACTION_NONE;
    session->engine->reader_count--;
    wall_graveyard_purge(session->engine);
}

static void undo(struct wall_engine *engine)
{
    while (engine->added.last)
        wall_object_remove(engine, engine->added.last);
    while (engine->deleted.last) {
        struct wall_object *object = engine->deleted.last;
        wall_changes_remove(&engine->deleted, object);
        object->died = WALL_GENERATION_NEVER;
        wall_object_link(object);
        if (object->entry)
            object->entry->gone = false;
        if (object->type == WALL_OBJECT_SUBLAYER)
            wall_sublayer_weight_set(engine, ((const FWPM_SUBLAYER0 *)object->data)->weight, true);
    }
}

static wall_status store_list(const struct wall_engine *engine, const struct wall_object_list *list, bool put,
                              bool *begun)
{
    const struct wall_engine_events *events = &engine->events;
    for (const struct wall_object *object = list->first; object && list->persistent_count;
         object = object->changed.next) {
        if (!wall_object_is_persistent(object))
            continue;
        wall_status status = 0;
        if (!*begun && events->store_begin)
            status = events->store_begin(events->context);
        if (status != 0)
            return status;
        *begun = true;
        if (events->store_put)
            status = events->store_put(events->context, object->type, &object->key, put ? object->data : NULL);
        if (status != 0)
            return status;
    }
    return 0;
}

static wall_status store(const struct wall_engine *engine, const struct wall_session *session)
{
    bool begun = false;
    if (session == &engine->loader)
        return 0;
    wall_status status = store_list(engine, &engine->deleted, false, &begun);
    if (status == 0)
        status = store_list(engine, &engine->added, true, &begun);
    if (status == 0 && begun && engine->events.store_commit)
        status = engine->events.store_commit(engine->events.context);
    return status;
}

static void tell(const struct wall_engine *engine, const struct wall_object *object, FWPM_CHANGE_TYPE change,
                 const struct wall_session *origin)
{
    const struct wall_engine_events *events = &engine->events;
    if (events->object_changed && origin != &engine->loader)
        events->object_changed(events->context, object->type, change, &object->key, object->id, origin);
}

static wall_status enforce(const struct wall_engine *engine, struct wall_policy *policy)
{
    if (!engine->events.policy_enforce)
        return 0;
    return engine->events.policy_enforce(engine->events.context, policy);
}

// Takes over the reference.
static void set_policy(struct wall_engine *engine, struct wall_policy *policy)
{
    wall_policy_unref(engine->policy);
    engine->policy = policy;
}

// Enforces first, as what is stored cannot be taken back.
static wall_status enforce_and_store(struct wall_engine *engine, const struct wall_session *session,
                                     struct wall_policy *policy)
{
    bool changes = policy != engine->policy;
    wall_status status = changes ? enforce(engine, policy) : 0;
    if (status != 0)
        return status;
    status = store(engine, session);
    if (status != 0 && changes && enforce(engine, engine->policy) != 0)
        engine->policy_stale = true;
    return status;
}

static wall_status commit(struct wall_session *session)
{
    struct wall_engine *engine = session->engine;
    if (engine->added.count == 0 && engine->deleted.count == 0 && !engine->policy_stale)
        return 0;

    struct wall_policy *policy;
    if (wall_policy_build(engine, &engine->added, &engine->deleted, &policy) < 0)
        return ERROR_NOT_ENOUGH_MEMORY;
    wall_status status = enforce_and_store(engine, session, policy);
    if (status != 0) {
        wall_policy_unref(policy);
        return status;
    }

    engine->generation++;
    engine->policy_stale = false;
    while (engine->deleted.first) {
        struct wall_object *object = engine->deleted.first;
        __builtin_prefetch(object->ahead, 1);
        wall_changes_remove(&engine->deleted, object);
        wall_changes_add(&engine->graveyard, object);
        object->died = engine->generation;
        tell(engine, object, FWPM_CHANGE_DELETE, session);
    }
    while (engine->added.first) {
        struct wall_object *object = engine->added.first;
        __builtin_prefetch(object->ahead, 1);
        wall_changes_remove(&engine->added, object);
        object->born = engine->generation;
        tell(engine, object, FWPM_CHANGE_ADD, session);
    }
    set_policy(engine, policy);
    wall_graveyard_purge(engine);
    return 0;
}

wall_status wall_transaction_commit(struct wall_session *session)
{
    wall_status status;
    switch (session->transaction) {
    case WALL_TRANSACTION_NONE:
        return FWP_E_NO_TXN_IN_PROGRESS;
    case WALL_TRANSACTION_ABORTED:
        session->transaction = WALL_TRANSACTION_NONE;
        return FWP_E_TXN_ABORTED;
    case WALL_TRANSACTION_READ:
        end_read(session);
        return 0;
    case WALL_TRANSACTION_WRITE:
    default:
        status = commit(session);
        if (status != 0)
            undo(session->engine);
        session->transaction = WALL_TRANSACTION_NONE;
        release_lock(session->engine);
        return status;
    }
}

wall_status wall_transaction_abort(struct wall_session *session)
{
    switch (session->transaction) {
    case WALL_TRANSACTION_NONE:
        return FWP_E_NO_TXN_IN_PROGRESS;
    case WALL_TRANSACTION_READ:
        end_read(session);
        return 0;
    case WALL_TRANSACTION_WRITE:
        undo(session->engine);
        session->transaction = WALL_TRANSACTION_NONE;
        release_lock(session->engine);
        return 0;
    case WALL_TRANSACTION_ABORTED:
    default:
        session->transaction = WALL_TRANSACTION_NONE;
        return 0;
    }
}

// Ends a transaction against the will of its session.
static void abort_by_force(struct wall_session *session)
{
    (void)wall_transaction_abort(session);
    session->transaction = WALL_TRANSACTION_ABORTED;
}

uint64_t wall_transaction_expire(struct wall_engine *engine)
{
    uint64_t now = now_ms(engine), next = UINT64_MAX;
    const struct wall_index *sessions = &engine->index[WALL_OBJECT_SESSION];
    size_t cursor = 0;
    for (struct wall_object *object = NULL; (object = wall_index_next(sessions, &cursor, object));) {
        struct wall_session *session = object->owner;
        if (session->kernel_mode || (session->transaction != WALL_TRANSACTION_READ &&
                                     session->transaction != WALL_TRANSACTION_WRITE))
            continue;
        uint64_t held = now - session->transaction_began_ms;
        if (held >= WALL_TRANSACTION_HOLD_MS)
            abort_by_force(session);
        else if (WALL_TRANSACTION_HOLD_MS - held < next)
            next = WALL_TRANSACTION_HOLD_MS - held;
    }
    return next;
}

wall_status wall_write_enter(struct wall_session *session, bool *ret_implicit)
{
    struct wall_engine *engine = session->engine;
    wall_status status = wall_session_check(session);
    if (status != 0)
        return status;
    if (!session->may_write)
        return ERROR_ACCESS_DENIED;
    if (session->transaction == WALL_TRANSACTION_READ)
        return FWP_E_INCOMPATIBLE_TXN;
    if (engine->writer && engine->writer != session)
        return WALL_STATUS_WAIT;

    *ret_implicit = session->transaction == WALL_TRANSACTION_NONE;
    engine->writer = session;
    return 0;
}

wall_status wall_write_leave(struct wall_session *session, bool implicit, wall_status status)
{
    if (!implicit)
        return status;
    if (status == 0)
        status = commit(session);
    if (status != 0)
        undo(session->engine);
    release_lock(session->engine);
    return status;
}

wall_status wall_object_add(struct wall_session *session, struct wall_object *object)
{
    struct wall_engine *engine = session->engine;
    if (wall_index_put(&engine->index[object->type], object) < 0) {
        wall_object_release(object);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    wall_changes_add(&engine->added, object);
    wall_object_link(object);
    if (session->dynamic) {
        object->owner = session;
        wall_owned_add(&session->owned, object);
    }
    return 0;
}

// Takes an object that no view shows any more out of everything.
static void bury(struct wall_engine *engine, struct wall_object *object)
{
    if (object->owner) {
        wall_owned_remove(&object->owner->owned, object);
        object->owner = NULL;
    }
    wall_object_retire(engine, object);
    wall_index_remove(&engine->index[object->type], object);
}

void wall_object_retire(struct wall_engine *engine, struct wall_object *object)
{
    if (object->binding && --object->binding->object_count == 0)
        wall_callout_binding_drop(engine, object->binding);
    object->binding = NULL;
}

static void give_weight_back(struct wall_engine *engine, const struct wall_object *object)
{
    if (object->type == WALL_OBJECT_SUBLAYER)
        wall_sublayer_weight_set(engine, ((const FWPM_SUBLAYER0 *)object->data)->weight, false);
}

void wall_object_remove(struct wall_engine *engine, struct wall_object *object)
{
    assert(object->died == WALL_GENERATION_NEVER && object->reference_count == 0);
    wall_object_unlink(object);
    give_weight_back(engine, object);
    if (object->born == WALL_GENERATION_PENDING) {
        wall_changes_remove(&engine->added, object);
        bury(engine, object);
        return;
    }
    object->died = WALL_GENERATION_PENDING;
    wall_changes_add(&engine->deleted, object);
}

static struct wall_session *oldest_reader(const struct wall_engine *engine)
{
    struct wall_session *oldest = NULL;
    const struct wall_index *sessions = &engine->index[WALL_OBJECT_SESSION];
    size_t cursor = 0;
    for (struct wall_object *object = NULL; (object = wall_index_next(sessions, &cursor, object));) {
        struct wall_session *session = object->owner;
        if (session->transaction == WALL_TRANSACTION_READ &&
            (!oldest || session->read_generation < oldest->read_generation))
            oldest = session;
    }
    return oldest;
}

void wall_graveyard_purge(struct wall_engine *engine)
{
    if (!engine->graveyard.first)
        return;
    struct wall_session *reader = engine->reader_count > 0 ? oldest_reader(engine) : NULL;
    while (engine->graveyard.first && (!reader || engine->graveyard.first->died <= reader->read_generation)) {
        struct wall_object *object = engine->graveyard.first;
        __builtin_prefetch(object->ahead, 1);
        wall_changes_remove(&engine->graveyard, object);
        bury(engine, object);
    }
    // The forced abort ends in another purge.
    if (reader && engine->graveyard.count > WALL_GRAVEYARD_MAX)
        abort_by_force(reader);
}

// Deletes one object of a dying session. Returns true when the committed state loses it.
static bool rundown_object(struct wall_engine *engine, struct wall_object *object)
{
    if (object->died != WALL_GENERATION_NEVER && object->died != WALL_GENERATION_PENDING)
        return false;
    if (object->died == WALL_GENERATION_PENDING) {
        wall_changes_remove(&engine->deleted, object);
    } else {
        wall_object_unlink(object);
        give_weight_back(engine, object);
    }
    object->died = engine->generation;
    return true;
}

void wall_session_rundown(struct wall_session *session)
{
    struct wall_engine *engine = session->engine;
    if (session->owned.count == 0)
        return;

    engine->generation++;
    struct wall_object_list gone = { 0 }, none = { 0 };
    // The newest first: what refers goes before what is referred to.
    while (session->owned.last) {
        struct wall_object *object = session->owned.last;
        wall_owned_remove(&session->owned, object);
        object->owner = NULL;
        if (rundown_object(engine, object))
            wall_changes_add(&gone, object);
    }

    struct wall_policy *policy;
    bool built = wall_policy_build(engine, &none, &gone, &policy) == 0;
    // A death cannot be refused: what cannot be put in force now is so with the next commit.
    bool enforced = built && (policy == engine->policy || enforce(engine, policy) == 0);
    engine->policy_stale |= !enforced;
    while (gone.first) {
        struct wall_object *object = gone.first;
        wall_changes_remove(&gone, object);
        wall_changes_add(&engine->graveyard, object);
        tell(engine, object, FWPM_CHANGE_DELETE, session);
    }
    if (enforced)
        set_policy(engine, policy);
    else if (built)
        wall_policy_unref(policy);
    wall_graveyard_purge(engine);
}
