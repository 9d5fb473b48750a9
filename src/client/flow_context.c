#include "client/flow_context.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fwpsk.h"

#include "base/map.h"
#include "base/random.h"
#include "client/callout.h"
#include "client/channel.h"
#include "client/classify.h"
#include "client/status.h"

struct key {
    uint64_t flow_handle;
    uint32_t callout_id;  // the driver's
    uint32_t layer_id;
};

struct flow_context {
    struct key key;
    uint64_t context;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wall_map contexts;
static bool ready;

// With the lock held.
static void prepare(void)
{
    uint64_t seed[2] = { 0, 0 };
    if (ready)
        return;
    (void)wall_random_bytes(seed, sizeof(seed));
    wall_map_init(&contexts, seed);
    ready = true;
}

static NTSTATUS put(const struct key *key, struct wall_client_callout *callout, uint64_t context)
{
    struct flow_context *entry = malloc(sizeof(*entry));
    if (!entry)
        return STATUS_INSUFFICIENT_RESOURCES;
    *entry = (struct flow_context){ *key, context };
    pthread_mutex_lock(&lock);
    prepare();
    int r =
        contexts.count >= WALL_FLOW_CONTEXTS_MAX ? -ENOBUFS : wall_map_put(&contexts, &entry->key, sizeof(*key), entry);
    pthread_mutex_unlock(&lock);
    if (r < 0) {
        free(entry);
        return r == -EEXIST ? STATUS_OBJECT_NAME_EXISTS : STATUS_INSUFFICIENT_RESOURCES;
    }
    wall_callout_flow_contexts(callout, 1);
    return STATUS_SUCCESS;
}

static bool has(const struct key *key)
{
    pthread_mutex_lock(&lock);
    prepare();
    bool found = wall_map_get(&contexts, key, sizeof(*key)) != NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

bool wall_flow_context_take(uint64_t flow_handle, struct wall_client_callout *callout, uint16_t layer_id,
                            uint64_t *ret_context)
{
    struct key key = { flow_handle, callout->id, layer_id };
    pthread_mutex_lock(&lock);
    prepare();
    struct flow_context *entry = wall_map_remove(&contexts, &key, sizeof(key));
    pthread_mutex_unlock(&lock);
    if (!entry)
        return false;
    wall_callout_flow_contexts(callout, -1);
    *ret_context = entry->context;
    free(entry);
    return true;
}

void wall_flow_contexts_disconnected(void)
{
    struct flow_context *entry;
    do {
        size_t cursor = 0;
        struct key key;
        pthread_mutex_lock(&lock);
        prepare();
        entry = wall_map_next(&contexts, &cursor);
        if (entry)
            key = entry->key;
        pthread_mutex_unlock(&lock);

        struct wall_client_callout *callout = entry ? wall_callout_find_own(key.callout_id) : NULL;
        uint64_t context;
        if (callout && wall_flow_context_take(key.flow_handle, callout, (uint16_t)key.layer_id, &context))
            wall_classify_flow_deleted(callout, (uint16_t)key.layer_id, context);
        if (callout)
            wall_callout_unref(callout);
        else
            entry = NULL;  // a callout with contexts cannot leave, so there are none
    } while (entry);
}

// --- The API ---

static NTSTATUS ask(enum wall_message_type type, const void *request, void **ret_reply)
{
    struct wall_reply *reply = NULL;
    int r = wall_channel_call(type, request, (void **)&reply);
    if (r < 0)
        return wall_status_to_kernel(wall_status_from_errno(r));
    NTSTATUS status = reply->status == (uint32_t)STATUS_PENDING ? STATUS_PENDING : wall_status_of_reply(reply->status);
    if (status == STATUS_SUCCESS && ret_reply)
        *ret_reply = reply;
    else
        free(reply);
    return status;
}

NTSTATUS FwpsFlowAssociateContext0(UINT64 flow, UINT16 layer, UINT32 callout_id, UINT64 context)
{
    if (context == 0)
        return STATUS_INVALID_PARAMETER;
    struct wall_client_callout *callout = wall_callout_find_own(callout_id);
    if (!callout)
        return STATUS_FWP_CALLOUT_NOT_FOUND;

    // Entered first: the flow may end before the service's answer is here.
    struct key key = { flow, callout_id, layer };
    NTSTATUS status = callout->flow_delete ? put(&key, callout, context) : STATUS_INVALID_PARAMETER;
    if (status == STATUS_SUCCESS) {
        struct wall_flow_associate_request request = { flow, context, callout->service_id, layer };
        status = ask(WALL_MESSAGE_FLOW_ASSOCIATE, &request, NULL);
        uint64_t unused;
        if (status != STATUS_SUCCESS)
            (void)wall_flow_context_take(flow, callout, layer, &unused);
    }
    wall_callout_unref(callout);
    return status;
}

NTSTATUS FwpsFlowRemoveContext0(UINT64 flow, UINT16 layer, UINT32 callout_id)
{
    struct wall_client_callout *callout = wall_callout_find_own(callout_id);
    if (!callout)
        return STATUS_FWP_CALLOUT_NOT_FOUND;

    struct key key = { flow, callout_id, layer };
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    if (has(&key)) {
        struct wall_flow_remove_request request = { flow, callout->service_id, layer };
        status = ask(WALL_MESSAGE_FLOW_REMOVE, &request, NULL);
        uint64_t context;
        if (status == STATUS_SUCCESS && wall_flow_context_take(flow, callout, layer, &context))
            wall_classify_flow_deleted(callout, layer, context);
    }
    wall_callout_unref(callout);
    return status;
}

NTSTATUS FwpsFlowAbort0(UINT64 flow)
{
    struct wall_flow_abort_request request = { flow };
    return ask(WALL_MESSAGE_FLOW_ABORT, &request, NULL);
}
