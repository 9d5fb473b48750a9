#include "service/callout.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "winerror.h"

#include "base/random.h"
#include "service/connection.h"

static void arm_timer(struct wall_callouts *callouts)
{
    if (!callouts->oldest) {
        (void)sd_event_source_set_enabled(callouts->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(callouts->timer, callouts->oldest->deadline_us);
    (void)sd_event_source_set_enabled(callouts->timer, SD_EVENT_ONESHOT);
}

static void unlink_question(struct wall_callouts *callouts, struct wall_question *question)
{
    (void)wall_map_remove(&callouts->by_serial, &question->serial, sizeof(question->serial));
    *(question->previous ? &question->previous->next : &callouts->oldest) = question->next;
    *(question->next ? &question->next->previous : &callouts->newest) = question->previous;
    struct wall_callout_entry *entry =
        wall_map_get(&callouts->by_id, &question->callout_id, sizeof(question->callout_id));
    if (entry)
        entry->questions--;
}

// Tells that no answer will come.
static void tell_failure(struct wall_callouts *callouts, struct wall_question *question)
{
    if (question->settled)
        return;
    question->settled = true;
    if (question->kind == WALL_QUESTION_CLASSIFY)
        callouts->events.classified(callouts->events.context, question->id, NULL, WALL_PENDED_NOT);
    else if (question->kind == WALL_QUESTION_NOTIFY)
        callouts->events.notified(callouts->events.context, question->id, 0);
}

// Tells it, and frees the question.
static void fail_question(struct wall_callouts *callouts, struct wall_question *question)
{
    unlink_question(callouts, question);
    tell_failure(callouts, question);
    free(question);
}

static int on_timer(sd_event_source *source, uint64_t time_us, void *context)
{
    struct wall_callouts *callouts = context;
    uint64_t now = 0;
    (void)sd_event_now(callouts->event, CLOCK_MONOTONIC, &now);
    while (callouts->oldest && callouts->oldest->deadline_us <= now) {
        struct wall_question *question = callouts->oldest;
        struct wall_connection *connection = question->connection;
        uint32_t callout_id = question->callout_id, serial = question->serial;
        callouts->events.timed_out(callouts->events.context, connection, callout_id);
        question = wall_map_get(&callouts->by_serial, &serial, sizeof(serial));
        if (question)
            fail_question(callouts, question);
    }
    arm_timer(callouts);
    return 0;
}

int wall_callouts_init(struct wall_callouts *callouts, struct wall_engine *engine, sd_event *event,
                       const struct wall_callouts_events *events)
{
    uint64_t seed[2] = {0};
    (void)wall_random_bytes(seed, sizeof(seed));
    *callouts = (struct wall_callouts){.engine = engine, .event = event, .events = *events, .next_serial = 1};
    wall_map_init(&callouts->by_id, seed);
    wall_map_init(&callouts->by_serial, seed);
    int r = sd_event_add_time(event, &callouts->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, callouts);
    return r < 0 ? r : 0;
}

void wall_callouts_done(struct wall_callouts *callouts)
{
    while (callouts->oldest) {
        struct wall_question *question = callouts->oldest;
        unlink_question(callouts, question);
        free(question);
    }
    size_t cursor = 0;
    struct wall_callout_entry *entry;
    while ((entry = wall_map_next(&callouts->by_id, &cursor))) {
        (void)wall_map_remove(&callouts->by_id, &entry->callout_id, sizeof(entry->callout_id));
        free(entry);
    }
    wall_map_done(&callouts->by_id);
    wall_map_done(&callouts->by_serial);
    callouts->timer = sd_event_source_disable_unref(callouts->timer);
}

wall_status wall_callouts_register(struct wall_callouts *callouts, struct wall_connection *connection,
                                   const struct wall_callout_register_request *request, uint32_t *ret_id)
{
    struct wall_callout_entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return ERROR_NOT_ENOUGH_MEMORY;
    *entry = (struct wall_callout_entry){.key = request->key, .flags = request->flags,
                                         .flow_delete = request->flow_delete, .connection = connection};
    wall_status status = wall_callout_register(callouts->engine, &request->key, request->flags, &entry->callout_id);
    if (status == 0 && wall_map_put(&callouts->by_id, &entry->callout_id, sizeof(entry->callout_id), entry) < 0) {
        (void)wall_callout_unregister(callouts->engine, entry->callout_id);
        status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status != 0) {
        free(entry);
        return status;
    }
    *ret_id = entry->callout_id;
    callouts->events.changed(callouts->events.context);
    return 0;
}

static void remove_callout(struct wall_callouts *callouts, struct wall_callout_entry *entry)
{
    uint32_t id = entry->callout_id;
    (void)wall_callout_unregister(callouts->engine, id);
    (void)wall_map_remove(&callouts->by_id, &id, sizeof(id));
    free(entry);
    // Telling may add questions behind the last, but takes none away.
    for (struct wall_question *question = callouts->oldest; question; question = question->next) {
        if (question->callout_id == id)
            tell_failure(callouts, question);
    }
    callouts->events.gone(callouts->events.context, id);
    arm_timer(callouts);
    callouts->events.changed(callouts->events.context);
}

wall_status wall_callouts_unregister(struct wall_callouts *callouts, struct wall_connection *connection,
                                     uint32_t callout_id)
{
    struct wall_callout_entry *entry = wall_map_get(&callouts->by_id, &callout_id, sizeof(callout_id));
    if (!entry || entry->connection != connection)
        return FWP_E_CALLOUT_NOT_FOUND;
    remove_callout(callouts, entry);
    return 0;
}

void wall_callouts_drop(struct wall_callouts *callouts, const struct wall_connection *connection)
{
    size_t cursor = 0;
    struct wall_callout_entry *entry;
    while ((entry = wall_map_next(&callouts->by_id, &cursor))) {
        if (entry->connection == connection)
            remove_callout(callouts, entry);
    }
    for (struct wall_question *question = callouts->oldest, *next; question; question = next) {
        next = question->next;
        if (question->connection != connection)
            continue;
        unlink_question(callouts, question);
        free(question);
    }
    arm_timer(callouts);
}

const struct wall_callout_entry *wall_callouts_find(const struct wall_callouts *callouts, uint32_t callout_id)
{
    return wall_map_get(&callouts->by_id, &callout_id, sizeof(callout_id));
}

unsigned wall_callouts_count(const struct wall_callouts *callouts, const struct wall_connection *connection)
{
    unsigned count = 0;
    size_t cursor = 0;
    const struct wall_callout_entry *entry;
    while ((entry = wall_map_next(&callouts->by_id, &cursor)))
        count += entry->connection == connection;
    return count;
}

static enum wall_message_type message_of(enum wall_question_kind kind)
{
    if (kind == WALL_QUESTION_CLASSIFY)
        return WALL_MESSAGE_CLASSIFY;
    return kind == WALL_QUESTION_NOTIFY ? WALL_MESSAGE_NOTIFY : WALL_MESSAGE_FLOW_DELETE;
}

static bool ask(struct wall_callouts *callouts, uint32_t callout_id, enum wall_question_kind kind, uint64_t id,
                const void *request)
{
    struct wall_callout_entry *entry = wall_map_get(&callouts->by_id, &callout_id, sizeof(callout_id));
    if (!entry || entry->questions >= WALL_QUESTIONS_MAX)
        return false;
    struct wall_question *question = calloc(1, sizeof(*question));
    if (!question)
        return false;
    uint64_t now = 0;
    (void)sd_event_now(callouts->event, CLOCK_MONOTONIC, &now);
    *question = (struct wall_question){.serial = callouts->next_serial, .kind = kind, .id = id,
                                       .connection = entry->connection, .callout_id = callout_id,
                                       .deadline_us = now + WALL_CLASSIFY_TIMEOUT_MS * 1000ull};
    callouts->next_serial += callouts->next_serial == UINT32_MAX ? 2 : 1;  // 0 marks notifications
    if (wall_map_put(&callouts->by_serial, &question->serial, sizeof(question->serial), question) < 0) {
        free(question);
        return false;
    }
    question->previous = callouts->newest;
    *(callouts->newest ? &callouts->newest->next : &callouts->oldest) = question;
    callouts->newest = question;
    entry->questions++;

    if (wall_connection_request(entry->connection, message_of(kind), question->serial, request) < 0) {
        unlink_question(callouts, question);
        free(question);
        return false;
    }
    if (callouts->oldest == question)
        arm_timer(callouts);
    return true;
}

bool wall_callouts_classify(struct wall_callouts *callouts, struct wall_classify_request *request)
{
    return ask(callouts, request->callout_id, WALL_QUESTION_CLASSIFY, request->classify_id, request);
}

bool wall_callouts_notify(struct wall_callouts *callouts, uint64_t id, const struct wall_notify_request *request)
{
    return ask(callouts, request->callout_id, WALL_QUESTION_NOTIFY, id, request);
}

bool wall_callouts_flow_delete(struct wall_callouts *callouts, const struct wall_flow_delete_request *request)
{
    return ask(callouts, request->callout_id, WALL_QUESTION_FLOW_DELETE, 0, request);
}

void wall_callouts_cancel(struct wall_callouts *callouts, uint64_t ask_id)
{
    // The question stays until its answer or its deadline: a driver that hangs is to be found out all the same.
    for (struct wall_question *question = callouts->oldest; question; question = question->next) {
        if (question->kind != WALL_QUESTION_CLASSIFY || question->id != ask_id)
            continue;
        struct wall_classify_cancel_notification cancel = {.classify_id = ask_id};
        (void)wall_connection_notify(question->connection, WALL_MESSAGE_CLASSIFY_CANCEL, &cancel);
        return;
    }
}

int wall_callouts_reply(struct wall_callouts *callouts, struct wall_connection *connection,
                        const struct wall_frame *frame, struct wall_error *err)
{
    struct wall_question *question = wall_map_get(&callouts->by_serial, &frame->serial, sizeof(frame->serial));
    if (!question || question->connection != connection || frame->type != message_of(question->kind))
        return wall_error_set(err, -EPROTO, "a reply to no open question (serial %u)", frame->serial);

    void *object = NULL;
    int r = wall_message_decode(frame, WALL_MESSAGE_TO_SERVICE, &object, err);
    if (r < 0)
        return r;
    uint64_t id = question->id;
    enum wall_question_kind kind = question->kind;
    bool settled = question->settled;
    unlink_question(callouts, question);
    free(question);
    if (settled) {
        free(object);
        return 0;
    }
    if (kind == WALL_QUESTION_CLASSIFY) {
        const struct wall_classify_reply *reply = object;
        if (reply->reply.status == 0 && reply->redirect)
            callouts->events.redirected(callouts->events.context, id, reply->redirect);
        callouts->events.classified(callouts->events.context, id, reply->reply.status == 0 ? &reply->out : NULL,
                                    (enum wall_pended)reply->pended);
    } else if (kind == WALL_QUESTION_NOTIFY) {
        const struct wall_notify_reply *reply = object;
        callouts->events.notified(callouts->events.context, id, reply->reply.status);
    }
    free(object);
    return 0;
}
