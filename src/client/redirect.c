#include "client/redirect.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "client/operation.h"
#include "client/verifier.h"

// Frees what callouts allocate. Absent in programs without libntos, whose pool it is.
void ExFreePool(void *memory);
#pragma weak ExFreePool

// Of the layer.
union request {
    FWPS_CONNECT_REQUEST0 connect;
    FWPS_BIND_REQUEST0 bind;
};

struct wall_redirect_data {
    bool is_v6, binds;
    uint32_t count;
    union request now;         // what the callout writes to
    union request versions[];  // as it came: the newest last
};

void wall_redirect_address(bool is_v6, const uint8_t *address, uint16_t port, SOCKADDR_STORAGE *ret_address)
{
    *ret_address = (SOCKADDR_STORAGE){ 0 };
    if (is_v6) {
        struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        memcpy(&to.sin6_addr, address, 16);
        memcpy(ret_address, &to, sizeof(to));
    } else {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
        memcpy(&to.sin_addr, address, 4);
        memcpy(ret_address, &to, sizeof(to));
    }
}

// Returns false for an address of another family.
static bool read_address(bool is_v6, const SOCKADDR_STORAGE *from, uint8_t *ret_address, uint16_t *ret_port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->ss_family != (is_v6 ? AF_INET6 : AF_INET))
        return false;
    memcpy(&v4, from, sizeof(v4));
    memcpy(&v6, from, sizeof(v6));
    memcpy(ret_address, is_v6 ? (const void *)&v6.sin6_addr : (const void *)&v4.sin_addr, is_v6 ? 16 : 4);
    *ret_port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    return true;
}

// --- The writable data ---

static void set_connect(const struct wall_redirect_version *from, bool is_v6, FWPS_CONNECT_REQUEST0 *ret_request)
{
    *ret_request = (FWPS_CONNECT_REQUEST0){
        .localRedirectTargetPID = from->target_process_id,
        .modifierFilterId = from->filter_id,
        .localRedirectHandle = (HANDLE)(uintptr_t)from->handle,
    };
    wall_redirect_address(is_v6, from->local_address, from->local_port, &ret_request->localAddressAndPort);
    wall_redirect_address(is_v6, from->remote_address, from->remote_port, &ret_request->remoteAddressAndPort);
}

static void set_bind(const struct wall_redirect_version *from, bool is_v6, FWPS_BIND_REQUEST0 *ret_request)
{
    *ret_request = (FWPS_BIND_REQUEST0){.modifierFilterId = from->filter_id};
    wall_redirect_address(is_v6, from->local_address, from->local_port, &ret_request->localAddressAndPort);
}

// The newest version, with room for the callout's own.
static void begin_version(struct wall_redirect_data *data, UINT64 filter_id)
{
    union request *last = &data->versions[data->count - 1];
    data->now = *last;
    if (data->binds) {
        data->now.bind.previousVersion = &last->bind;
        data->now.bind.modifierFilterId = filter_id;
    } else {
        data->now.connect.previousVersion = &last->connect;
        data->now.connect.modifierFilterId = filter_id;
        data->now.connect.localRedirectHandle = NULL;
    }
}

struct wall_redirect_data *wall_redirect_data_new(const struct wall_classify_request *request)
{
    uint16_t layer_id = request->values.layerId;
    bool binds = layer_id == FWPS_LAYER_ALE_BIND_REDIRECT_V4 || layer_id == FWPS_LAYER_ALE_BIND_REDIRECT_V6;
    bool is_v6 = layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V6 || layer_id == FWPS_LAYER_ALE_BIND_REDIRECT_V6;
    if ((!is_v6 && !binds && layer_id != FWPS_LAYER_ALE_CONNECT_REDIRECT_V4) || !request->version_count)
        return NULL;
    uint32_t count = request->version_count;
    struct wall_redirect_data *data = calloc(1, sizeof(*data) + count * sizeof(data->versions[0]));
    if (!data)
        return NULL;
    data->is_v6 = is_v6;
    data->binds = binds;
    data->count = count;
    for (uint32_t i = 0; i < count; i++) {
        union request *at = &data->versions[i];
        if (binds) {
            set_bind(&request->versions[i], is_v6, &at->bind);
            at->bind.previousVersion = i ? &data->versions[i - 1].bind : NULL;
        } else {
            set_connect(&request->versions[i], is_v6, &at->connect);
            at->connect.previousVersion = i ? &data->versions[i - 1].connect : NULL;
        }
    }
    begin_version(data, request->filter.filterId);
    return data;
}

void wall_redirect_data_free(struct wall_redirect_data *data)
{
    free(data);
}

void *wall_redirect_data_request(struct wall_redirect_data *data)
{
    return &data->now;
}

static bool is_changed(const struct wall_redirect_data *data)
{
    const union request *last = &data->versions[data->count - 1];
    const FWPS_CONNECT_REQUEST0 *was = &last->connect, *now = &data->now.connect;
    if (data->binds)
        return memcmp(&last->bind.localAddressAndPort, &data->now.bind.localAddressAndPort,
                      sizeof(last->bind.localAddressAndPort)) != 0;
    return memcmp(&was->remoteAddressAndPort, &now->remoteAddressAndPort, sizeof(now->remoteAddressAndPort)) != 0 ||
           now->localRedirectHandle || now->localRedirectContext ||
           now->localRedirectTargetPID != was->localRedirectTargetPID;
}

// One block from malloc(), or NULL with the status.
static struct wall_redirect_version *copy_version(bool good, const struct wall_redirect_version *version,
                                                  NTSTATUS *ret_status)
{
    struct wall_redirect_version *taken = good ? wall_shape_clone(&wall_shape_redirect_version, version) : NULL;
    if (!taken)
        *ret_status = good ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER;
    return taken;
}

static struct wall_redirect_version *take_connect(struct wall_redirect_data *data, NTSTATUS *ret_status)
{
    FWPS_CONNECT_REQUEST0 *now = &data->now.connect;
    struct wall_redirect_version version = {
        .handle = (uint64_t)(uintptr_t)now->localRedirectHandle,
        .target_process_id = now->localRedirectTargetPID,
        .context = { .size = now->localRedirectContext ? (UINT32)now->localRedirectContextSize : 0,
                     .data = now->localRedirectContext },
    };
    struct wall_redirect_version *taken = NULL;
    if (is_changed(data)) {
        bool good = read_address(data->is_v6, &now->remoteAddressAndPort, version.remote_address,
                                 &version.remote_port) &&
                    read_address(data->is_v6, &now->localAddressAndPort, version.local_address, &version.local_port);
        taken = copy_version(good, &version, ret_status);
    }
    if (now->localRedirectContext && ExFreePool)
        ExFreePool(now->localRedirectContext);
    now->localRedirectContext = NULL;
    return taken;
}

static struct wall_redirect_version *take_bind(const struct wall_redirect_data *data, NTSTATUS *ret_status)
{
    const SOCKADDR_STORAGE *local = &data->now.bind.localAddressAndPort;
    struct wall_redirect_version version = {0};
    if (!is_changed(data))
        return NULL;
    bool good = read_address(data->is_v6, local, version.local_address, &version.local_port);
    return copy_version(good, &version, ret_status);
}

struct wall_redirect_version *wall_redirect_data_take(struct wall_redirect_data *data, NTSTATUS *ret_status)
{
    *ret_status = STATUS_SUCCESS;
    return data->binds ? take_bind(data, ret_status) : take_connect(data, ret_status);
}

// --- Redirect handles: numbers that no other process has ---

struct handle {
    struct handle *next;
    uint64_t id;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *handles;

static struct handle **find(HANDLE given)
{
    struct handle **at = &handles;
    while (*at && (*at)->id != (uint64_t)(uintptr_t)given)
        at = &(*at)->next;
    return at;
}

NTSTATUS FwpsRedirectHandleCreate0(const GUID *provider, UINT32 flags, HANDLE *ret_handle)
{
    if (!provider || flags || !ret_handle)
        return STATUS_INVALID_PARAMETER;
    struct handle *handle = calloc(1, sizeof(*handle));
    int r = handle ? 0 : -1;
    while (r == 0 && !handle->id)
        r = wall_random_bytes(&handle->id, sizeof(handle->id));
    if (r < 0) {
        free(handle);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ret_handle = (HANDLE)(uintptr_t)handle->id;
    pthread_mutex_lock(&lock);
    handle->next = handles;
    handles = handle;
    pthread_mutex_unlock(&lock);
    return STATUS_SUCCESS;
}

void FwpsRedirectHandleDestroy0(HANDLE given)
{
    pthread_mutex_lock(&lock);
    struct handle **at = find(given), *handle = *at;
    if (handle)
        *at = handle->next;
    pthread_mutex_unlock(&lock);
    free(handle);
    if (!handle)
        wall_verifier_report("FwpsRedirectHandleDestroy0", "%p is no redirect handle", given);
}

// --- Who has redirected it ---

FWPS_CONNECTION_REDIRECT_STATE FwpsQueryConnectionRedirectState0(HANDLE records, HANDLE redirect, void **ret_context)
{
    if (ret_context)
        *ret_context = NULL;
    if (!records)
        return FWPS_CONNECTION_NOT_REDIRECTED;
    const struct wall_classify_request *request = wall_operation_request();
    if (!request || records != (HANDLE)request->versions) {
        wall_verifier_report("FwpsQueryConnectionRedirectState0", "%p are not the records of this classification",
                             records);
        return FWPS_CONNECTION_NOT_REDIRECTED;
    }
    uint32_t last = request->version_count - 1;
    for (uint32_t i = last; i > 0; i--) {
        const struct wall_redirect_version *version = &request->versions[i];
        if (version->handle != (uint64_t)(uintptr_t)redirect)
            continue;
        if (ret_context)
            *ret_context = version->context.data;
        return i == last ? FWPS_CONNECTION_REDIRECTED_BY_SELF : FWPS_CONNECTION_PREVIOUSLY_REDIRECTED_BY_SELF;
    }
    return last ? FWPS_CONNECTION_REDIRECTED_BY_OTHER : FWPS_CONNECTION_NOT_REDIRECTED;
}
