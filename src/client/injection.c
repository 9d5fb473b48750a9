#include "client/injection.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include <ndis.h>

#include "fwpsk.h"

#include "client/channel.h"
#include "client/irql.h"
#include "client/link.h"
#include "client/packet.h"
#include "client/status.h"
#include "client/verifier.h"

#define KNOWN_TYPES                                                                                                    \
    (FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_TRANSPORT | FWPS_INJECTION_TYPE_NETWORK |                        \
     FWPS_INJECTION_TYPE_FORWARD | FWPS_INJECTION_TYPE_L2)

struct handle {
    struct handle *next;
    uint64_t id;
    UINT32 types;
    unsigned under_way;
    bool closing;
};

struct job {
    struct job *next;
    struct wall_inject_request request;  // packet.data is owned
    struct handle *handle;
    NET_BUFFER_LIST *packet;
    FWPS_INJECT_COMPLETE0 completion;
    HANDLE completion_context;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct handle *handles;
static uint64_t next_id = 1;
static struct job *first, **last = &first;
static unsigned waiting;
static bool running;
static pthread_t worker;
static bool stopping;

static NTSTATUS send_job(const struct job *job)
{
    struct wall_reply *reply = NULL;
    int r = wall_channel_call(WALL_MESSAGE_INJECT, &job->request, (void **)&reply);
    NTSTATUS status = r < 0 ? STATUS_FWP_TCPIP_NOT_READY : wall_status_of_reply(reply->status);
    free(reply);
    return status;
}

static void finish(struct job *job, NTSTATUS status)
{
    job->packet->Status = status;
    struct wall_irql_state irql = wall_irql_raise(2, 0);
    uint8_t found;
    job->completion(job->completion_context, job->packet, TRUE);
    if (!wall_irql_restore(&irql, 2, &found))
        wall_verifier_report("completionFn", "returned at IRQL %u, called at IRQL 2", found);
    free(job->request.packet.data);
}

static void *work(void *unused)
{
    pthread_mutex_lock(&lock);
    while (first || !stopping) {
        if (!first) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        struct job *job = first;
        if (!(first = job->next))
            last = &first;
        waiting--;
        pthread_mutex_unlock(&lock);
        finish(job, send_job(job));
        pthread_mutex_lock(&lock);
        job->handle->under_way--;
        free(job);
        pthread_cond_broadcast(&changed);
    }
    running = false;
    pthread_mutex_unlock(&lock);
    return NULL;
}

void wall_injection_stop(void)
{
    pthread_mutex_lock(&lock);
    bool was_running = running;
    stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (was_running)
        pthread_join(worker, NULL);
    pthread_mutex_lock(&lock);
    stopping = false;
    pthread_mutex_unlock(&lock);
}

// --- Handles; found with the lock held ---

static struct handle *find(HANDLE handle)
{
    struct handle *at = handles;
    while (at && at->id != (uint64_t)(uintptr_t)handle)
        at = at->next;
    return at;
}

NTSTATUS FwpsInjectionHandleCreate0(ADDRESS_FAMILY family, UINT32 types, HANDLE *ret_handle)
{
    if (!ret_handle || (types & ~(UINT32)KNOWN_TYPES) || !types)
        return STATUS_INVALID_PARAMETER;
    struct handle *handle = calloc(1, sizeof(*handle));
    if (!handle)
        return STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&lock);
    handle->types = types;
    handle->id = next_id++;
    handle->next = handles;
    handles = handle;
    *ret_handle = (HANDLE)(uintptr_t)handle->id;
    pthread_mutex_unlock(&lock);
    return STATUS_SUCCESS;
}

NTSTATUS FwpsInjectionHandleDestroy0(HANDLE given)
{
    pthread_mutex_lock(&lock);
    struct handle *handle = find(given);
    if (!handle || handle->closing) {
        pthread_mutex_unlock(&lock);
        wall_verifier_report("FwpsInjectionHandleDestroy0", "%p is no injection handle", given);
        return STATUS_INVALID_HANDLE;
    }
    handle->closing = true;
    while (handle->under_way)
        pthread_cond_wait(&changed, &lock);
    struct handle **at = &handles;
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    pthread_mutex_unlock(&lock);
    free(handle);
    return STATUS_SUCCESS;
}

// --- Injecting ---

// Puts the job behind the others. It takes over what it points to, unless it fails.
static NTSTATUS queue(const struct job *given, HANDLE handle, UINT32 type)
{
    struct job *job = malloc(sizeof(*job));
    NTSTATUS status = job ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&lock);
    struct handle *found = find(handle);
    if (!found || !(found->types & type))
        status = STATUS_INVALID_HANDLE;
    else if (found->closing)
        status = STATUS_FWP_INJECT_HANDLE_CLOSING;
    else if (waiting >= WALL_INJECTIONS_MAX || (!running && wall_thread_start(work, NULL, &worker) < 0))
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (status == STATUS_SUCCESS) {
        running = true;
        *job = *given;
        job->next = NULL;
        job->handle = found;
        job->request.handle = found->id;
        *last = job;
        last = &job->next;
        waiting++;
        found->under_way++;
        wall_packet_injected(job->packet);
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    if (status != STATUS_SUCCESS)
        free(job);
    return status;
}

static NTSTATUS inject(const char *function, HANDLE handle, UINT32 type, bool with_header, struct job *job)
{
    if (!job->packet || !job->completion)
        return STATUS_INVALID_PARAMETER;
    struct wall_packet_bytes bytes;
    int r = wall_packet_read(job->packet, with_header, &bytes);
    if (r == -EINVAL) {
        wall_verifier_report(function, with_header
                             ? "the data does not begin with an IP header, or the list holds several packets"
                             : "there is no packet of a classification to take the IP header from, or several packets");
        return STATUS_INVALID_PARAMETER;
    }
    if (r < 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    job->request.origin_id = bytes.origin_id;
    job->request.netns_cookie = bytes.netns_cookie;
    job->request.unmodified = bytes.unmodified;
    job->request.packet = (FWP_BYTE_BLOB){ (UINT32)bytes.size, bytes.bytes };
    NTSTATUS status = queue(job, handle, type);
    if (status != STATUS_SUCCESS)
        free(bytes.bytes);
    return status;
}

static struct job job_of(HANDLE context, NET_BUFFER_LIST *packet, FWPS_INJECT_COMPLETE0 completion, HANDLE given)
{
    return (struct job){ .request = { .context = (uint64_t)(uintptr_t)context }, .packet = packet,
                         .completion = completion, .completion_context = given };
}

NTSTATUS FwpsInjectTransportSendAsync1(HANDLE handle, HANDLE context, UINT64 endpoint, UINT32 flags,
                                       FWPS_TRANSPORT_SEND_PARAMS1 *parameters, ADDRESS_FAMILY family,
                                       COMPARTMENT_ID compartment, NET_BUFFER_LIST *packet,
                                       FWPS_INJECT_COMPLETE0 completion, HANDLE completion_context)
{
    struct job job = job_of(context, packet, completion, completion_context);
    job.request.endpoint_handle = endpoint;
    return inject("FwpsInjectTransportSendAsync1", handle, FWPS_INJECTION_TYPE_TRANSPORT, false, &job);
}

NTSTATUS FwpsInjectTransportSendAsync0(HANDLE handle, HANDLE context, UINT64 endpoint, UINT32 flags,
                                       FWPS_TRANSPORT_SEND_PARAMS0 *parameters, ADDRESS_FAMILY family,
                                       COMPARTMENT_ID compartment, NET_BUFFER_LIST *packet,
                                       FWPS_INJECT_COMPLETE0 completion, HANDLE completion_context)
{
    struct job job = job_of(context, packet, completion, completion_context);
    job.request.endpoint_handle = endpoint;
    return inject("FwpsInjectTransportSendAsync0", handle, FWPS_INJECTION_TYPE_TRANSPORT, false, &job);
}

NTSTATUS FwpsInjectTransportReceiveAsync0(HANDLE handle, HANDLE context, PVOID reserved, UINT32 flags,
                                          ADDRESS_FAMILY family, COMPARTMENT_ID compartment, IF_INDEX interface_index,
                                          IF_INDEX sub_interface_index, NET_BUFFER_LIST *packet,
                                          FWPS_INJECT_COMPLETE0 completion, HANDLE completion_context)
{
    struct job job = job_of(context, packet, completion, completion_context);
    job.request.receive = 1;
    job.request.interface_index = interface_index;
    return inject("FwpsInjectTransportReceiveAsync0", handle, FWPS_INJECTION_TYPE_TRANSPORT, true, &job);
}

NTSTATUS FwpsInjectNetworkSendAsync0(HANDLE handle, HANDLE context, UINT32 flags, COMPARTMENT_ID compartment,
                                     NET_BUFFER_LIST *packet, FWPS_INJECT_COMPLETE0 completion,
                                     HANDLE completion_context)
{
    struct job job = job_of(context, packet, completion, completion_context);
    return inject("FwpsInjectNetworkSendAsync0", handle, FWPS_INJECTION_TYPE_NETWORK, true, &job);
}

NTSTATUS FwpsInjectNetworkReceiveAsync0(HANDLE handle, HANDLE context, UINT32 flags, COMPARTMENT_ID compartment,
                                        IF_INDEX interface_index, IF_INDEX sub_interface_index,
                                        NET_BUFFER_LIST *packet, FWPS_INJECT_COMPLETE0 completion,
                                        HANDLE completion_context)
{
    struct job job = job_of(context, packet, completion, completion_context);
    job.request.receive = 1;
    job.request.interface_index = interface_index;
    return inject("FwpsInjectNetworkReceiveAsync0", handle, FWPS_INJECTION_TYPE_NETWORK, true, &job);
}
