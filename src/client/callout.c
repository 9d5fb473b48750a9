#include "client/callout.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/guid.h"
#include "client/channel.h"
#include "client/classify.h"
#include "client/device.h"
#include "client/flow_context.h"
#include "client/operation.h"
#include "client/status.h"
#include "client/verifier.h"

struct wall_known_filter {
    struct wall_known_filter *next;
    uint64_t id, context;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct wall_client_callout *callouts;
static uint32_t callout_count;
static uint32_t next_offline_id = WALL_CALLOUT_ID_OFFLINE;
static unsigned registering;  // calls to the service under way

// Whose callback the calling thread runs.
static _Thread_local const struct wall_client_callout *inside;

// --- Finding ---

static struct wall_client_callout *ref(struct wall_client_callout *callout)
{
    if (!callout || callout->leaving)
        return NULL;
    callout->running++;
    return callout;
}

static struct wall_client_callout *find_known(uint32_t service_id)
{
    struct wall_client_callout *callout = callouts;
    while (callout && (callout->service_id != service_id || service_id == 0))
        callout = callout->next;
    return callout;
}

// The service may ask before the reply that tells the callout's id has been taken in: then that is waited for.
struct wall_client_callout *wall_callout_find(uint32_t service_id)
{
    pthread_mutex_lock(&lock);
    struct wall_client_callout *callout;
    while (!(callout = find_known(service_id)) && registering)
        pthread_cond_wait(&changed, &lock);
    callout = ref(callout);
    pthread_mutex_unlock(&lock);
    return callout;
}

struct wall_client_callout *wall_callout_find_own(uint32_t id)
{
    pthread_mutex_lock(&lock);
    struct wall_client_callout *callout = callouts;
    while (callout && callout->id != id)
        callout = callout->next;
    callout = ref(callout);
    pthread_mutex_unlock(&lock);
    return callout;
}

void wall_callout_unref(struct wall_client_callout *callout)
{
    pthread_mutex_lock(&lock);
    callout->running--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

const struct wall_client_callout *wall_callout_enter(const struct wall_client_callout *callout)
{
    const struct wall_client_callout *before = inside;
    inside = callout;
    return before;
}

void wall_callout_leave(const struct wall_client_callout *before)
{
    inside = before;
}

void wall_callout_flow_contexts(struct wall_client_callout *callout, int change)
{
    pthread_mutex_lock(&lock);
    callout->flow_contexts += (unsigned)change;
    pthread_mutex_unlock(&lock);
}

// --- Contexts of filters ---

static struct wall_known_filter **find_filter(struct wall_client_callout *callout, uint64_t filter_id)
{
    struct wall_known_filter **at = &callout->filters;
    while (*at && (*at)->id != filter_id)
        at = &(*at)->next;
    return at;
}

int wall_callout_filter_put(struct wall_client_callout *callout, uint64_t filter_id, uint64_t context)
{
    struct wall_known_filter *fresh = malloc(sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    pthread_mutex_lock(&lock);
    struct wall_known_filter **at = find_filter(callout, filter_id);
    if (*at) {
        (*at)->context = context;
        free(fresh);
    } else {
        *fresh = (struct wall_known_filter){ .id = filter_id, .context = context };
        *at = fresh;
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

uint64_t wall_callout_filter_get(struct wall_client_callout *callout, uint64_t filter_id, uint64_t otherwise)
{
    pthread_mutex_lock(&lock);
    struct wall_known_filter *filter = *find_filter(callout, filter_id);
    uint64_t context = filter ? filter->context : otherwise;
    pthread_mutex_unlock(&lock);
    return context;
}

uint64_t wall_callout_filter_take(struct wall_client_callout *callout, uint64_t filter_id, uint64_t otherwise)
{
    pthread_mutex_lock(&lock);
    struct wall_known_filter **at = find_filter(callout, filter_id), *filter = *at;
    uint64_t context = filter ? filter->context : otherwise;
    if (filter)
        *at = filter->next;
    pthread_mutex_unlock(&lock);
    free(filter);
    return context;
}

// --- Registering with the service ---

static void register_with_service(struct wall_client_callout *callout)
{
    struct wall_callout_register_request request = { .key = callout->key,
                                                     .flags = callout->flags,
                                                     .flow_delete = callout->flow_delete != NULL };
    struct wall_callout_register_reply *reply = NULL;
    pthread_mutex_lock(&lock);
    registering++;
    pthread_mutex_unlock(&lock);
    int r = wall_channel_call(WALL_MESSAGE_CALLOUT_REGISTER, &request, (void **)&reply);
    pthread_mutex_lock(&lock);
    registering--;
    if (r == 0 && reply->reply.status == 0)
        callout->service_id = reply->callout_id;
    else if (r == 0)
        callout->refused = wall_status_of_reply(reply->reply.status);
    if (callout->id == 0 && callout->service_id)
        callout->id = callout->service_id;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    free(r == 0 ? reply : NULL);
}

void wall_callouts_register_pending(void)
{
    struct wall_client_callout *callout;
    do {
        pthread_mutex_lock(&lock);
        callout = callouts;
        while (callout && (callout->service_id || callout->refused || callout->leaving))
            callout = callout->next;
        callout = ref(callout);
        pthread_mutex_unlock(&lock);
        if (callout) {
            register_with_service(callout);
            wall_callout_unref(callout);
        }
    } while (callout && wall_channel_is_up());
}

void wall_callouts_disconnected(void)
{
    wall_flow_contexts_disconnected();
    wall_operations_disconnected();
    wall_devices_disconnected();
    pthread_mutex_lock(&lock);
    for (struct wall_client_callout *callout = callouts; callout; callout = callout->next) {
        callout->service_id = 0;
        callout->refused = STATUS_SUCCESS;
        callout->running++;
        while (callout->filters) {
            uint64_t filter_id = callout->filters->id;
            pthread_mutex_unlock(&lock);
            wall_classify_filter_deleted(callout, filter_id);
            pthread_mutex_lock(&lock);
        }
        callout->running--;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static bool is_settled(void *context)
{
    const struct wall_client_callout *callout = context;
    pthread_mutex_lock(&lock);
    bool settled = callout->service_id || callout->refused;
    pthread_mutex_unlock(&lock);
    return settled;
}

// --- The API ---

static NTSTATUS add(const struct wall_client_callout *given, struct wall_client_callout **ret_callout)
{
    struct wall_client_callout *fresh = malloc(sizeof(*fresh));
    if (!fresh)
        return STATUS_INSUFFICIENT_RESOURCES;
    *fresh = *given;
    NTSTATUS status = STATUS_SUCCESS;
    pthread_mutex_lock(&lock);
    for (struct wall_client_callout *other = callouts; other; other = other->next)
        if (wall_guid_equal(&other->key, &fresh->key))
            status = STATUS_FWP_ALREADY_EXISTS;
    if (callout_count >= WALL_CALLOUTS_MAX)
        status = STATUS_FWP_TOO_MANY_CALLOUTS;
    if (status == STATUS_SUCCESS) {
        fresh->next = callouts;
        callouts = fresh;
        callout_count++;
    }
    pthread_mutex_unlock(&lock);
    if (status != STATUS_SUCCESS)
        free(fresh);
    else
        *ret_callout = fresh;
    return status;
}

// Waits until nobody uses the callout, takes it out of the list and releases it.
static void remove_callout(struct wall_client_callout *callout)
{
    pthread_mutex_lock(&lock);
    callout->leaving = true;
    while (callout->running)
        pthread_cond_wait(&changed, &lock);
    struct wall_client_callout **at = &callouts;
    while (*at != callout)
        at = &(*at)->next;
    *at = callout->next;
    callout_count--;
    pthread_mutex_unlock(&lock);
    while (callout->filters)
        (void)wall_callout_filter_take(callout, callout->filters->id, 0);
    free(callout);
}

static NTSTATUS register_callout(const struct wall_client_callout *given, UINT32 *ret_id)
{
    if (!given->classify.v0 || !given->notify.v0 || wall_guid_is_zero(&given->key))
        return STATUS_INVALID_PARAMETER;
    struct wall_client_callout *callout;
    NTSTATUS status = add(given, &callout);
    if (status != STATUS_SUCCESS)
        return status;

    int r = 0;
    if (wall_channel_is_keeper())  // within a callback for the service's state
        register_with_service(callout);
    else if ((r = wall_channel_start()) == 0) {
        wall_channel_wake();
        wall_channel_wait(is_settled, callout);
    }

    pthread_mutex_lock(&lock);
    // Without a service the callout is registered as soon as there is one.
    status = r == 0 || r == -ENOTCONN ? callout->refused : wall_status_to_kernel(wall_status_from_errno(r));
    if (status == STATUS_SUCCESS && callout->id == 0)
        callout->id = next_offline_id++;
    uint32_t id = callout->id;
    pthread_mutex_unlock(&lock);
    if (status != STATUS_SUCCESS)
        remove_callout(callout);
    else if (ret_id)
        *ret_id = id;
    return status;
}

static NTSTATUS unregister(struct wall_client_callout *callout)
{
    pthread_mutex_lock(&lock);
    bool is_busy = callout->flow_contexts != 0 || inside == callout;
    uint32_t service_id = callout->service_id;
    pthread_mutex_unlock(&lock);
    if (is_busy)
        return STATUS_DEVICE_BUSY;
    unsigned pended = wall_operations_of(callout);
    if (pended) {
        wall_verifier_report("FwpsCalloutUnregister", "%u operations that the callout pended are not complete", pended);
        return STATUS_DEVICE_BUSY;
    }

    struct wall_callout_unregister_request request = { service_id };
    struct wall_reply *reply = NULL;
    if (service_id && wall_channel_call(WALL_MESSAGE_CALLOUT_UNREGISTER, &request, (void **)&reply) == 0) {
        NTSTATUS status = (NTSTATUS)reply->status;
        free(reply);
        if (status == STATUS_DEVICE_BUSY)
            return status;
    }
    remove_callout(callout);
    return STATUS_SUCCESS;
}

// Has one caller unregister a callout; NULL when there is none, or another caller does.
static struct wall_client_callout *claim(uint32_t id, const GUID *key)
{
    pthread_mutex_lock(&lock);
    struct wall_client_callout *callout = callouts;
    while (callout && (callout->claimed || (key ? !wall_guid_equal(&callout->key, key) : callout->id != id)))
        callout = callout->next;
    if (callout)
        callout->claimed = true;
    pthread_mutex_unlock(&lock);
    return callout;
}

static NTSTATUS unregister_claimed(struct wall_client_callout *callout)
{
    if (!callout)
        return STATUS_FWP_CALLOUT_NOT_FOUND;
    NTSTATUS status = unregister(callout);
    if (status != STATUS_SUCCESS) {
        pthread_mutex_lock(&lock);
        callout->claimed = false;
        pthread_mutex_unlock(&lock);
    }
    return status;
}

#define REGISTER(digit)                                                                                                \
    NTSTATUS FwpsCalloutRegister##digit(void *device, const FWPS_CALLOUT##digit *callout, UINT32 *ret_id)              \
    {                                                                                                                  \
        if (!callout)                                                                                                  \
            return STATUS_INVALID_PARAMETER;                                                                           \
        struct wall_client_callout given = { .key = callout->calloutKey,                                               \
                                             .flags = callout->flags,                                                  \
                                             .version = digit,                                                         \
                                             .classify = { .v##digit = callout->classifyFn },                          \
                                             .notify = { .v##digit = callout->notifyFn },                              \
                                             .flow_delete = callout->flowDeleteFn };                                   \
        return register_callout(&given, ret_id);                                                                       \
    }

REGISTER(0)
REGISTER(1)
REGISTER(2)
REGISTER(3)

NTSTATUS FwpsCalloutUnregisterById0(const UINT32 id)
{
    return unregister_claimed(claim(id, NULL));
}

NTSTATUS FwpsCalloutUnregisterByKey0(const GUID *key)
{
    return key ? unregister_claimed(claim(0, key)) : STATUS_INVALID_PARAMETER;
}
