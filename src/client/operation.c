#include "client/operation.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "fwpsk.h"

#include "base/map.h"
#include "base/random.h"
#include "client/callout.h"
#include "client/channel.h"
#include "client/classify.h"
#include "client/packet.h"
#include "client/redirect.h"
#include "client/verifier.h"

enum state {
    ACQUIRED,     // a classify handle that nothing was pended with
    CLASSIFYING,  // pended, and classifyFn has not returned
    PENDED,
    DONE,  // completed; a classify handle lives until it is released
};

struct operation {
    uint64_t id;
    uint64_t classify_id;
    const struct wall_client_callout *callout;  // compared only
    enum wall_pended kind;
    enum state state;
    bool lost;       // the service that knew of it is gone
    bool completed;  // before classifyFn returned
    bool packet, again;
    FWPS_CLASSIFY_OUT0 out;
    struct wall_redirect_data *data;         // what may be written; NULL: nothing
    bool acquired;                           // and is to be applied
    struct wall_redirect_version *redirect;  // what was written after classifyFn had returned
    unsigned references;  // classify handles: the holder's, and the pend's
};

// A classification to be run by a thread that completes.
struct job {
    struct job *next;
    uint64_t generation;
    uint32_t serial;
    struct wall_classify_request *request;
};

// A thread inside FwpsCompleteOperation0.
struct completing {
    struct completing *next;
    uint64_t classify_id;
    struct job *first, **last;
};

// How long a completion by another thread waits for classifyFn to return, which it is about to do, before it is left
// for later.
#define UNWIND_MS 50

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t settled = PTHREAD_COND_INITIALIZER;
static struct wall_map operations;
static uint64_t next_id = 1;
static struct completing *completings;
static bool ready;

static _Thread_local struct wall_classifying *current;

// --- The classification that runs ---

void wall_operation_enter(struct wall_classifying *classifying, const struct wall_classify_request *request,
                          struct wall_client_callout *callout)
{
    *classifying = (struct wall_classifying){ .outer = current, .request = request, .callout = callout };
    current = classifying;
}

void wall_operation_leave(struct wall_classifying *classifying)
{
    current = classifying->outer;
}

const struct wall_classify_request *wall_operation_request(void)
{
    return current ? current->request : NULL;
}

// --- The table; with the lock held ---

static struct operation *find(uint64_t id)
{
    return ready ? wall_map_get(&operations, &id, sizeof(id)) : NULL;
}

static struct operation *add(const struct operation *given)
{
    uint64_t seed[2] = { 0, 0 };
    if (!ready) {
        (void)wall_random_bytes(seed, sizeof(seed));
        wall_map_init(&operations, seed);
        ready = true;
    }
    struct operation *operation = operations.count < WALL_OPERATIONS_MAX ? malloc(sizeof(*operation)) : NULL;
    if (!operation)
        return NULL;
    *operation = *given;
    operation->id = next_id++;
    if (wall_map_put(&operations, &operation->id, sizeof(operation->id), operation) == 0)
        return operation;
    free(operation);
    return NULL;
}

static void unref(struct operation *operation)
{
    if (--operation->references)
        return;
    (void)wall_map_remove(&operations, &operation->id, sizeof(operation->id));
    wall_redirect_data_free(operation->data);
    free(operation->redirect);
    free(operation);
}

unsigned wall_operations_of(const struct wall_client_callout *callout)
{
    unsigned count = 0;
    size_t cursor = 0;
    pthread_mutex_lock(&lock);
    const struct operation *operation;
    while (ready && (operation = wall_map_next(&operations, &cursor)))
        count += operation->callout == callout && (operation->state == PENDED || operation->state == CLASSIFYING);
    pthread_mutex_unlock(&lock);
    return count;
}

void wall_operations_disconnected(void)
{
    size_t cursor = 0;
    pthread_mutex_lock(&lock);
    struct operation *operation;
    while (ready && (operation = wall_map_next(&operations, &cursor)))
        operation->lost = true;
    pthread_mutex_unlock(&lock);
}

// --- Completing ---

static bool serve(void *context)
{
    struct completing *completing = context;
    pthread_mutex_lock(&lock);
    struct job *job = completing->first;
    if (job && !(completing->first = job->next))
        completing->last = &completing->first;
    pthread_mutex_unlock(&lock);
    if (!job)
        return false;
    wall_classify_run(job->generation, WALL_MESSAGE_CLASSIFY, job->serial, job->request);
    free(job->request);
    free(job);
    return true;
}

bool wall_operation_route(uint64_t generation, uint32_t serial, struct wall_classify_request *request)
{
    struct job *job = request->completing_id ? malloc(sizeof(*job)) : NULL;
    if (!job)
        return false;
    *job = (struct job){ NULL, generation, serial, request };
    pthread_mutex_lock(&lock);
    struct completing *completing = completings;
    while (completing && completing->classify_id != request->completing_id)
        completing = completing->next;
    if (completing) {
        *completing->last = job;
        completing->last = &job->next;
    }
    pthread_mutex_unlock(&lock);
    if (completing)
        wall_channel_wake_serving();
    else
        free(job);
    return completing != NULL;
}

// The reauthorizing classification runs in here, on this thread.
static void send_operation(uint64_t classify_id, bool packet_follows)
{
    struct completing completing = { .classify_id = classify_id, .last = &completing.first };
    pthread_mutex_lock(&lock);
    completing.next = completings;
    completings = &completing;
    pthread_mutex_unlock(&lock);

    const struct wall_operation_complete_request request = { classify_id, packet_follows };
    void *reply = NULL;
    (void)wall_channel_call_serving(WALL_MESSAGE_OPERATION_COMPLETE, &request, serve, &completing, &reply);
    free(reply);

    pthread_mutex_lock(&lock);
    struct completing **at = &completings;
    while (*at != &completing)
        at = &(*at)->next;
    *at = completing.next;
    pthread_mutex_unlock(&lock);
    while (serve(&completing))
        continue;
}

static void send_completion(const struct operation *operation)
{
    if (operation->lost) {
        free(operation->redirect);
        return;
    }
    if (operation->kind == WALL_PENDED_OPERATION) {
        bool left = wall_packet_follows(operation->classify_id);
        send_operation(operation->classify_id, left || operation->packet);
        return;
    }
    const struct wall_classify_complete_request request = { operation->classify_id, operation->again, operation->out,
                                                             operation->redirect };
    void *reply = NULL;
    (void)wall_channel_call(WALL_MESSAGE_CLASSIFY_COMPLETE, &request, &reply);
    free(reply);
    free(operation->redirect);
}

// With the lock held: a completion that comes from another thread while classifyFn has not returned waits a little.
static struct operation *find_unwound(uint64_t id)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += UNWIND_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    struct operation *operation;
    int r = 0;
    while ((operation = find(id)) && operation->state == CLASSIFYING && !(current && current->id == id) && r == 0)
        r = pthread_cond_timedwait(&settled, &lock, &until);
    return operation;
}

// What its completion sends, and owns from now on.
static struct operation give(struct operation *operation)
{
    struct operation given = *operation;
    operation->redirect = NULL;
    unref(operation);
    return given;
}

// Takes the operation for its one completion. Returns false when it cannot be completed (now).
static bool take(const char *function, uint64_t id, enum wall_pended kind, const struct operation *how,
                 struct operation *ret_operation)
{
    const char *wrong = NULL;
    pthread_mutex_lock(&lock);
    struct operation *operation = find_unwound(id);
    bool early = operation && operation->kind == kind && operation->state == CLASSIFYING && !operation->completed;
    if (early) {
        operation->completed = true;
        operation->packet = how->packet;
        operation->again = how->again;
        operation->out = how->out;
        // Another thread cannot know, so it is no fault: the work is done once classifyFn has returned.
        if (current && current->id == id)
            wrong = "completed from within the classification that pended: postponed until it has returned";
    } else if (!operation && (id == 0 || id >= next_id)) {
        wrong = "the context is none that a pend has given";
    } else if (!operation || operation->kind != kind || operation->state == DONE || operation->completed) {
        wrong = "completed twice: exactly one completion for each pend";
    } else if (operation->state == ACQUIRED) {
        wrong = "nothing was pended with this classify handle";
    } else {
        operation->packet = how->packet;
        operation->again = how->again;
        operation->out = how->out;
        operation->state = DONE;
        *ret_operation = give(operation);
    }
    pthread_mutex_unlock(&lock);
    if (wrong)
        wall_verifier_report(function, "%s", wrong);
    return !wrong && !early;
}

void wall_operation_settle(const struct wall_classifying *classifying)
{
    struct operation due = { 0 };
    if (classifying->pended == WALL_PENDED_NOT)
        return;
    pthread_mutex_lock(&lock);
    struct operation *operation = find(classifying->id);
    operation->state = operation->completed ? DONE : PENDED;
    pthread_cond_broadcast(&settled);
    if (operation->completed)
        due = give(operation);
    pthread_mutex_unlock(&lock);
    if (due.id)
        send_completion(&due);
}

// --- FwpsPendOperation ---

// Whether anything can be pended with the classification that runs on this thread; if not, reports why.
static bool may_pend(const char *function)
{
    const char *wrong = NULL;
    if (!current)
        wrong = "called outside of classifyFn";
    else if (current->request->filter.action.type == FWP_ACTION_CALLOUT_INSPECTION)
        wrong = "an inspection callout cannot pend: its answer does not count";
    else if (current->pended != WALL_PENDED_NOT)
        wrong = "this classification has been pended already";
    if (wrong)
        wall_verifier_report(function, "%s", wrong);
    return !wrong;
}

NTSTATUS FwpsPendOperation0(HANDLE completion_handle, HANDLE *ret_context)
{
    static const char function[] = "FwpsPendOperation0";
    if (!may_pend(function))
        return STATUS_FWP_CANNOT_PEND;
    const struct wall_metadata *metadata = &current->request->metadata;
    if (!(metadata->present & FWPS_METADATA_FIELD_COMPLETION_HANDLE)) {
        wall_verifier_report(function, "this classification has no completion handle: at layer %u, or as a "
                             "reauthorization, nothing can be pended", current->request->values.layerId);
        return STATUS_FWP_CANNOT_PEND;
    }
    if (!ret_context || (uint64_t)(uintptr_t)completion_handle != metadata->completion_handle) {
        wall_verifier_report(function, "%p is not the completion handle of this classification", completion_handle);
        return STATUS_INVALID_PARAMETER;
    }
    const struct operation given = { .classify_id = current->request->classify_id, .callout = current->callout,
                                     .kind = WALL_PENDED_OPERATION, .state = CLASSIFYING, .references = 1 };
    pthread_mutex_lock(&lock);
    const struct operation *operation = add(&given);
    uint64_t id = operation ? operation->id : 0;
    pthread_mutex_unlock(&lock);
    if (!id)
        return STATUS_INSUFFICIENT_RESOURCES;
    current->pended = WALL_PENDED_OPERATION;
    current->id = id;
    *ret_context = (HANDLE)(uintptr_t)id;
    return STATUS_SUCCESS;
}

void FwpsCompleteOperation0(HANDLE context, NET_BUFFER_LIST *packet)
{
    const struct operation how = { .packet = packet != NULL };
    struct operation operation;
    if (take("FwpsCompleteOperation0", (uint64_t)(uintptr_t)context, WALL_PENDED_OPERATION, &how, &operation))
        send_completion(&operation);
}

// --- FwpsPendClassify ---

NTSTATUS FwpsAcquireClassifyHandle0(void *classify_context, UINT32 flags, UINT64 *ret_handle)
{
    if (!ret_handle || !current || classify_context != current) {
        wall_verifier_report("FwpsAcquireClassifyHandle0", "%p is not the context of the classification that runs",
                             classify_context);
        return STATUS_INVALID_PARAMETER;
    }
    const struct operation given = { .classify_id = current->request->classify_id, .callout = current->callout,
                                     .kind = WALL_PENDED_CLASSIFY, .state = ACQUIRED, .references = 1,
                                     .data = wall_redirect_data_new(current->request) };
    pthread_mutex_lock(&lock);
    const struct operation *operation = add(&given);
    if (operation)
        *ret_handle = operation->id;
    pthread_mutex_unlock(&lock);
    if (!operation)
        wall_redirect_data_free(given.data);
    return operation ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void FwpsReleaseClassifyHandle0(UINT64 handle)
{
    pthread_mutex_lock(&lock);
    struct operation *operation = find(handle);
    // The last reference of a pended one is the pend's.
    bool held = operation && operation->kind == WALL_PENDED_CLASSIFY &&
                (operation->references > 1 || operation->state == ACQUIRED || operation->state == DONE);
    if (held)
        unref(operation);
    pthread_mutex_unlock(&lock);
    if (!held)
        wall_verifier_report("FwpsReleaseClassifyHandle0", "the classify handle %llu is not held",
                             (unsigned long long)handle);
}

static bool pends_classify(uint16_t layer_id)
{
    return (layer_id >= FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V4 && layer_id <= FWPS_LAYER_ALE_BIND_REDIRECT_V6);
}

NTSTATUS FwpsPendClassify0(UINT64 handle, UINT64 filter_id, UINT32 flags, FWPS_CLASSIFY_OUT0 *out)
{
    static const char function[] = "FwpsPendClassify0";
    if (!may_pend(function))
        return STATUS_FWP_CANNOT_PEND;
    if (!pends_classify(current->request->values.layerId)) {
        wall_verifier_report(function, "a classification at layer %u cannot be pended: use FwpsPendOperation0",
                             current->request->values.layerId);
        return STATUS_FWP_CANNOT_PEND;
    }
    pthread_mutex_lock(&lock);
    struct operation *operation = find(handle);
    bool good = operation && out && filter_id == current->request->filter.filterId && operation->state == ACQUIRED &&
                operation->classify_id == current->request->classify_id;
    if (good) {
        operation->state = CLASSIFYING;
        operation->references++;
    }
    pthread_mutex_unlock(&lock);
    if (!good) {
        wall_verifier_report(function, "the classify handle or the filter is not that of this classification");
        return STATUS_INVALID_PARAMETER;
    }
    current->pended = WALL_PENDED_CLASSIFY;
    current->id = handle;
    return STATUS_SUCCESS;
}

void FwpsCompleteClassify0(UINT64 handle, UINT32 flags, const FWPS_CLASSIFY_OUT0 *out)
{
    struct operation how = { .again = !out };
    struct operation operation;
    if (out)
        how.out = *out;
    if (take("FwpsCompleteClassify0", handle, WALL_PENDED_CLASSIFY, &how, &operation))
        send_completion(&operation);
}

// --- Writable data ---

// With the lock held: whether the data of this handle may be written now.
static bool may_write(const struct operation *operation)
{
    bool runs = current && operation && operation->classify_id == current->request->classify_id;
    return operation && operation->kind == WALL_PENDED_CLASSIFY && operation->data &&
           (runs || operation->state == CLASSIFYING || operation->state == PENDED);
}

NTSTATUS FwpsAcquireWritableLayerDataPointer0(UINT64 handle, UINT64 filter_id, UINT32 flags, PVOID *ret_data,
                                              FWPS_CLASSIFY_OUT0 *out)
{
    pthread_mutex_lock(&lock);
    struct operation *operation = find(handle);
    bool good = ret_data && may_write(operation) && !operation->acquired;
    if (good) {
        operation->acquired = true;
        *ret_data = wall_redirect_data_request(operation->data);
    }
    pthread_mutex_unlock(&lock);
    if (!good) {
        wall_verifier_report("FwpsAcquireWritableLayerDataPointer0", "the classify handle %llu has no data that may be "
                             "written now", (unsigned long long)handle);
        return STATUS_INVALID_PARAMETER;
    }
    if (out) {
        out->actionType = FWP_ACTION_BLOCK;
        out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
    }
    return STATUS_SUCCESS;
}

void FwpsApplyModifiedLayerData0(UINT64 handle, PVOID data, UINT32 flags)
{
    static const char function[] = "FwpsApplyModifiedLayerData0";
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    struct wall_redirect_version *version = NULL;
    pthread_mutex_lock(&lock);
    struct operation *operation = find(handle);
    bool good = may_write(operation) && operation->acquired && data == wall_redirect_data_request(operation->data);
    if (good) {
        operation->acquired = false;
        version = wall_redirect_data_take(operation->data, &status);
    }
    bool runs = good && current && operation->classify_id == current->request->classify_id;
    struct wall_redirect_version **place = runs ? &current->redirect : good ? &operation->redirect : NULL;
    if (version && place) {
        free(*place);
        *place = version;
    }
    pthread_mutex_unlock(&lock);
    if (!good)
        wall_verifier_report(function, "%p is not the writable data of the classify handle %llu", data,
                             (unsigned long long)handle);
    else if (!NT_SUCCESS(status))
        wall_verifier_report(function, "what was written cannot be used: status 0x%x", (unsigned)status);
}
