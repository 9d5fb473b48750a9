// The engine's side of the messages of src/wire: what the service does on Linux, for sessions inside the bed.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "winerror.h"

#include "engine/net_event.h"
#include "engine/shapes.h"
#include "wire/codec.h"
#include "wire/messages.h"

#include "core.h"

#define ENUMERATIONS_MAX 16
// A page leaves room for the reply's own members.
#define PAGE_BYTES_MAX (BED_MESSAGE_MAX - 4096u)

struct bed_session {
    struct wall_session *session;
    uint32_t process_id;
    bool kernel_mode;
    struct {
        struct wall_enumeration *objects;
        uint32_t type;
        const void *held;  // got, but did not fit into the last page
    } enumerations[ENUMERATIONS_MAX];
};

// Where a reply is encoded.
struct answer {
    struct bed_session *session;
    enum wall_message_type type;
    uint32_t serial;
    struct wall_buffer buffer;
};

static void reply(struct answer *answer, const void *object)
{
    if (wall_message_reply(&answer->buffer, answer->type, answer->serial, object) < 0)
        (void)wall_message_refuse(&answer->buffer, answer->type, answer->serial, ERROR_NOT_ENOUGH_MEMORY, NULL);
}

static void refuse(struct answer *answer, wall_status status)
{
    (void)wall_message_refuse(&answer->buffer, answer->type, answer->serial, status, NULL);
}

// --- Sessions ---

struct bed_session *bed_session_new(uint32_t process_id, bool kernel_mode)
{
    struct bed_session *session = calloc(1, sizeof(*session));
    if (session) {
        session->process_id = process_id;
        session->kernel_mode = kernel_mode;
    }
    return session;
}

static void close_session(struct bed_session *session)
{
    for (unsigned i = 0; i < ENUMERATIONS_MAX; i++) {
        if (session->enumerations[i].objects)
            wall_enumeration_free(session->enumerations[i].objects);
        session->enumerations[i].objects = NULL;
    }
    if (session->session) {
        wall_session_close(session->session);
        bed_session_count--;
    }
    session->session = NULL;
}

void bed_session_free(struct bed_session *session)
{
    bed_lock();
    close_session(session);
    bed_unlock();
    free(session);
}

static wall_status open_session(struct bed_session *session, const struct wall_session_open_request *request)
{
    struct wall_caller caller = { .process_id = session->process_id, .user_name = "SYSTEM",
                                  .kernel_mode = session->kernel_mode, .may_write = true };
    FWPM_SESSION0 defaults = { 0 };
    if (session->session)
        return FWP_E_ALREADY_EXISTS;
    wall_status status =
        wall_session_open(bed_engine(), request->session ? request->session : &defaults, &caller, &session->session);
    if (status == 0)
        bed_session_count++;
    return status;
}

// --- Objects ---

static wall_status add_filter(struct wall_session *session, const FWPM_FILTER0 *filter, GUID *ret_key, uint64_t *ret_id)
{
    bool asks = (filter->action.type & FWP_ACTION_FLAG_CALLOUT) != 0;
    bool implicit = asks && !wall_transaction_active(session);
    wall_status status = implicit ? wall_transaction_begin(session, 0) : 0;
    if (status != 0)
        return status;
    status = wall_filter_add(session, filter, ret_key, ret_id);
    if (status == 0 && asks && bed_notify_added(filter, *ret_id) < 0) {
        (void)wall_object_delete(session, WALL_OBJECT_FILTER, NULL, *ret_id);
        status = FWP_E_CALLOUT_NOTIFICATION_FAILED;
    }
    if (implicit && status == 0)
        status = wall_transaction_commit(session);
    else if (implicit)
        (void)wall_transaction_abort(session);
    return status;
}

static void add(struct answer *answer, struct wall_session *session, const struct wall_any *any)
{
    struct wall_object_add_reply added = { 0 };
    uint32_t callout_id = 0;
    wall_status status = ERROR_INVALID_PARAMETER;
    if (!any->pointer)
        status = FWP_E_NULL_POINTER;
    else if (any->type == WALL_OBJECT_FILTER)
        status = add_filter(session, any->filter, &added.key, &added.id);
    else if (any->type == WALL_OBJECT_PROVIDER)
        status = wall_provider_add(session, any->provider, &added.key);
    else if (any->type == WALL_OBJECT_PROVIDER_CONTEXT)
        status = wall_provider_context_add(session, any->provider_context, &added.key, &added.id);
    else if (any->type == WALL_OBJECT_SUBLAYER)
        status = wall_sublayer_add(session, any->sublayer, &added.key);
    else if (any->type == WALL_OBJECT_CALLOUT)
        status = wall_callout_add(session, any->callout, &added.key, &callout_id);
    if (callout_id != 0)
        added.id = callout_id;
    if (status == 0)
        reply(answer, &added);
    else
        refuse(answer, status);
}

static wall_status delete(struct wall_session *session, const struct wall_object_find_request *request)
{
    FWPM_FILTER0 *filter = NULL;
    if (request->type >= WALL_OBJECT_COUNT_)
        return ERROR_INVALID_PARAMETER;
    if (request->type == WALL_OBJECT_FILTER)
        (void)wall_object_get(session, WALL_OBJECT_FILTER, request->key, request->id, (void **)&filter);
    wall_status status = wall_object_delete(session, (enum wall_object_type)request->type, request->key, request->id);
    if (status == 0 && filter && (filter->action.type & FWP_ACTION_FLAG_CALLOUT))
        bed_notify_deleted(wall_callout_id(bed_engine(), &filter->action.calloutKey), filter->filterId);
    free(filter);
    return status;
}

static void get(struct answer *answer, struct wall_session *session, const struct wall_object_find_request *request)
{
    struct wall_object_get_reply got = { .object.type = request->type };
    wall_status status = request->type < WALL_OBJECT_COUNT_
                             ? wall_object_get(session, (enum wall_object_type)request->type, request->key,
                                               request->id, &got.object.pointer)
                             : ERROR_INVALID_PARAMETER;
    if (status == 0)
        reply(answer, &got);
    else
        refuse(answer, status);
    free(got.object.pointer);
}

// --- Enumerations: ids are places in the session's table plus 1 ---

static void enumerate(struct answer *answer, const struct wall_any_template *template_)
{
    struct bed_session *session = answer->session;
    struct wall_enumeration_new_reply made = { 0 };
    unsigned place = 0;
    while (place < ENUMERATIONS_MAX && session->enumerations[place].objects)
        place++;
    wall_status status = ERROR_NOT_ENOUGH_MEMORY;
    if (place < ENUMERATIONS_MAX && template_->type < WALL_OBJECT_COUNT_)
        status = wall_enumeration_new(session->session, (enum wall_object_type)template_->type, template_->pointer,
                                      &session->enumerations[place].objects);
    if (status != 0) {
        refuse(answer, status);
        return;
    }
    session->enumerations[place].type = template_->type;
    session->enumerations[place].held = NULL;
    made.enumeration_id = place + 1;
    reply(answer, &made);
}

static const void *next_object(struct bed_session *session, unsigned place)
{
    const void *held = session->enumerations[place].held;
    session->enumerations[place].held = NULL;
    const void *const *objects = NULL;
    uint32_t count = 0;
    if (held)
        return held;
    if (wall_enumeration_next(session->enumerations[place].objects, 1, &objects, &count) != 0 || count == 0)
        return NULL;
    return objects[0];
}

static bool is_enumeration(const struct bed_session *session, uint64_t id)
{
    return id >= 1 && id <= ENUMERATIONS_MAX && session->enumerations[id - 1].objects;
}

static void next_page(struct answer *answer, const struct wall_enumeration_next_request *request)
{
    struct bed_session *session = answer->session;
    uint32_t limit = request->count < 1024 ? request->count : 1024;
    struct wall_any *objects = calloc(limit + 1, sizeof(*objects));
    if (!objects || !is_enumeration(session, request->enumeration_id)) {
        refuse(answer, objects ? ERROR_INVALID_HANDLE : ERROR_NOT_ENOUGH_MEMORY);
        free(objects);
        return;
    }
    unsigned place = (unsigned)request->enumeration_id - 1;
    struct wall_enumeration_next_reply page = { .objects = objects };
    size_t bytes = 0;
    while (page.count < limit && !page.finished) {
        const void *object = next_object(session, place);
        uint32_t type = session->enumerations[place].type;
        page.finished = object == NULL;
        if (!object)
            break;
        bytes += 8 + wall_encoded_size(wall_shape_of_object((enum wall_object_type)type), object);
        if (bytes > PAGE_BYTES_MAX && page.count > 0) {
            session->enumerations[place].held = object;
            break;
        }
        objects[page.count++] = (struct wall_any){ .type = type, .pointer = (void *)(uintptr_t)object };
    }
    reply(answer, &page);
    free(objects);
}

static wall_status free_enumeration(struct bed_session *session, uint64_t id)
{
    if (!is_enumeration(session, id))
        return ERROR_INVALID_HANDLE;
    wall_enumeration_free(session->enumerations[id - 1].objects);
    session->enumerations[id - 1].objects = NULL;
    return 0;
}

// --- Messages ---

static void handle_session(struct answer *answer, const void *object)
{
    struct bed_session *session = answer->session;
    switch (answer->type) {
    case WALL_MESSAGE_SESSION_CLOSE:
        close_session(session);
        refuse(answer, 0);
        break;
    case WALL_MESSAGE_TRANSACTION_BEGIN:
        refuse(answer, wall_transaction_begin(session->session,
                                              ((const struct wall_transaction_begin_request *)object)->flags));
        break;
    case WALL_MESSAGE_TRANSACTION_COMMIT:
        refuse(answer, wall_transaction_commit(session->session));
        break;
    case WALL_MESSAGE_TRANSACTION_ABORT:
        refuse(answer, wall_transaction_abort(session->session));
        break;
    case WALL_MESSAGE_OBJECT_ADD:
        add(answer, session->session, &((const struct wall_object_add_request *)object)->object);
        break;
    case WALL_MESSAGE_OBJECT_DELETE:
        refuse(answer, delete (session->session, object));
        break;
    case WALL_MESSAGE_OBJECT_GET:
        get(answer, session->session, object);
        break;
    case WALL_MESSAGE_ENUMERATION_NEW:
        enumerate(answer, &((const struct wall_enumeration_new_request *)object)->template_);
        break;
    case WALL_MESSAGE_ENUMERATION_NEXT:
        next_page(answer, object);
        break;
    case WALL_MESSAGE_ENUMERATION_FREE:
        refuse(answer, free_enumeration(session,
                                        ((const struct wall_enumeration_free_request *)object)->enumeration_id));
        break;
    default:
        refuse(answer, ERROR_CALL_NOT_IMPLEMENTED);
        break;
    }
}

static void handle(struct answer *answer, const void *object)
{
    if (answer->type == WALL_MESSAGE_SESSION_OPEN)
        refuse(answer, open_session(answer->session, object));
    else if (!answer->session->session)
        refuse(answer, ERROR_INVALID_HANDLE);
    else
        handle_session(answer, object);
}

uint32_t bed_session_call(struct bed_session *session, const void *bytes, uint32_t size, void *buffer,
                          uint32_t buffer_size)
{
    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    void *object = NULL;
    uint32_t used = 0;
    if (wall_frame_reader_feed(&reader, bytes, size) == 0 && wall_frame_reader_next(&reader, &frame, NULL) == 1 &&
        wall_message_decode(&frame, WALL_MESSAGE_TO_SERVICE, &object, NULL) == 0) {
        struct answer answer = { session, (enum wall_message_type)frame.type, frame.serial,
                                 { .limit = BED_MESSAGE_MAX } };
        bed_lock();
        handle(&answer, object);
        bed_unlock();
        if (answer.buffer.size <= buffer_size && answer.buffer.size > 0) {
            used = (uint32_t)answer.buffer.size;
            memcpy(buffer, answer.buffer.data, used);
        }
        wall_buffer_done(&answer.buffer);
    }
    free(object);
    wall_frame_reader_done(&reader);
    return used;
}
