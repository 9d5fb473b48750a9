#include "client/packet.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ndis.h>

#include "base/map.h"
#include "client/channel.h"
#include "client/ip_header.h"
#include "client/verifier.h"

// Of libntos; absent in programs without it, which get no packets.
#pragma weak NdisAllocateNetBufferListPool
#pragma weak NdisAllocateNetBufferAndNetBufferList
#pragma weak NdisFreeNetBufferList
#pragma weak NdisAllocateCloneNetBufferList
#pragma weak NdisFreeCloneNetBufferList
#pragma weak NdisAllocateMdl
#pragma weak NdisFreeMdl
#pragma weak NdisGetDataBuffer
#pragma weak NdisAdjustNetBufferCurrentMdl

#define PACKET_MAX 65575u  // an IPv6 packet with the largest payload
#define TAG 0x70667757u    // 'Wwfp'
// A driver that keeps the original so long keeps a network card's memory on Windows.
#define REFERENCE_SECONDS_MAX 10

struct origin {
    uint64_t id;
    uint64_t netns_cookie;
    uint8_t injected;
    uint64_t injection_handle, injection_context;
    uint8_t *bytes;  // as it came; the MDL describes a copy, which drivers may change
    uint8_t *data;
    size_t size;
    NET_BUFFER_LIST *list;
    MDL *mdl;
    ULONG offset;
    unsigned references;  // the classification, FwpsReferenceNetBufferList, clones
    bool complete;  // tell when it goes
    bool was_injected;
    time_t since;
};

// Every NET_BUFFER_LIST that is known: originals and clones.
struct entry {
    const NET_BUFFER_LIST *list;
    struct origin *origin;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wall_map entries, origins;
static NDIS_HANDLE pool;
static bool ready;

// With the lock held. The addresses and numbers in it are nobody's input, so any seed does.
static bool prepare(void)
{
    static const uint64_t seed[2] = { 1, 2 };
    if (ready)
        return true;
    if (!NdisAllocateNetBufferListPool)
        return false;
    NET_BUFFER_LIST_POOL_PARAMETERS parameters = {
        .Header = { NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, sizeof(parameters) },
        .fAllocateNetBuffer = TRUE,
        .PoolTag = TAG,
    };
    pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    if (!pool)
        return false;
    wall_map_init(&entries, seed);
    wall_map_init(&origins, seed);
    ready = true;
    return true;
}

static struct origin *origin_of(const NET_BUFFER_LIST *list)
{
    const struct entry *entry = ready ? wall_map_get(&entries, &list, sizeof(list)) : NULL;
    return entry ? entry->origin : NULL;
}

static int add_entry(const NET_BUFFER_LIST *list, struct origin *origin)
{
    struct entry *entry = malloc(sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    *entry = (struct entry){ list, origin };
    int r = wall_map_put(&entries, &entry->list, sizeof(entry->list), entry);
    if (r < 0)
        free(entry);
    return r;
}

static void free_origin(struct origin *origin)
{
    if (origin->list)
        NdisFreeNetBufferList(origin->list);
    if (origin->mdl)
        NdisFreeMdl(origin->mdl);
    free(origin->bytes);
    free(origin->data);
    free(origin);
}

// Drops a reference, with the lock held. Returns the origin when it was the last: to be freed without the lock.
static struct origin *unref(struct origin *origin)
{
    if (--origin->references)
        return NULL;
    const NET_BUFFER_LIST *list = origin->list;
    free(wall_map_remove(&entries, &list, sizeof(list)));
    (void)wall_map_remove(&origins, &origin->id, sizeof(origin->id));
    return origin;
}

static void let_go(struct origin *origin)
{
    if (!origin)
        return;
    const struct wall_packet_dropped_notification dropped = { origin->id };
    if (origin->complete && !origin->was_injected)
        wall_channel_notify(WALL_MESSAGE_PACKET_DROPPED, &dropped);
    free_origin(origin);
}

// --- The packet of a classification ---

static struct origin *make_origin(const struct wall_classify_request *request)
{
    struct origin *origin = calloc(1, sizeof(*origin));
    size_t size = request->packet->size;
    if (!origin)
        return NULL;
    *origin = (struct origin){ .id = request->classify_id, .netns_cookie = request->netns_cookie,
                               .injected = request->injected, .injection_handle = request->injection_handle,
                               .injection_context = request->injection_context, .size = size,
                               .offset = request->packet_offset, .references = 1, .since = time(NULL),
                               .bytes = malloc(size), .data = malloc(size) };
    if (origin->bytes && origin->data) {
        memcpy(origin->bytes, request->packet->data, size);
        memcpy(origin->data, request->packet->data, size);
        origin->mdl = NdisAllocateMdl(NULL, origin->data, (UINT)size);
    }
    if (origin->mdl)
        origin->list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, origin->mdl, origin->offset,
                                                             size - origin->offset);
    if (origin->list)
        return origin;
    free_origin(origin);
    return NULL;
}

NET_BUFFER_LIST *wall_packet_new(const struct wall_classify_request *request, bool *ret_failed)
{
    const FWP_BYTE_BLOB *packet = request->packet;
    *ret_failed = false;
    if (!packet || !packet->size || request->packet_offset > packet->size || packet->size > PACKET_MAX)
        return NULL;
    pthread_mutex_lock(&lock);
    struct origin *origin = NULL;
    if (prepare()) {
        origin = make_origin(request);
        if (origin && (add_entry(origin->list, origin) < 0 ||
                       wall_map_put(&origins, &origin->id, sizeof(origin->id), origin) < 0)) {
            free(wall_map_remove(&entries, &origin->list, sizeof(origin->list)));
            free_origin(origin);
            origin = NULL;
        }
        *ret_failed = !origin;
    }
    pthread_mutex_unlock(&lock);
    return origin ? origin->list : NULL;
}

bool wall_packet_end(NET_BUFFER_LIST *packet)
{
    pthread_mutex_lock(&lock);
    struct origin *origin = origin_of(packet);
    NET_BUFFER *buffer = packet->FirstNetBuffer;
    bool good = buffer->DataOffset == origin->offset && buffer->MdlChain == origin->mdl;
    if (!good) {
        buffer->MdlChain = origin->mdl;
        buffer->DataOffset = origin->offset;
        buffer->DataLength = (ULONG)origin->size - origin->offset;
        NdisAdjustNetBufferCurrentMdl(buffer);
    }
    struct origin *last = unref(origin);
    pthread_mutex_unlock(&lock);
    let_go(last);
    return good;
}

bool wall_packet_follows(uint64_t classify_id)
{
    pthread_mutex_lock(&lock);
    struct origin *origin = ready ? wall_map_get(&origins, &classify_id, sizeof(classify_id)) : NULL;
    if (origin)
        origin->complete = true;
    pthread_mutex_unlock(&lock);
    return origin != NULL;
}

// --- What is injected ---

// The header of the origin in front of a payload of `size` bytes.
static void put_header(const struct origin *origin, uint8_t *bytes, size_t size)
{
    memcpy(bytes, origin->bytes, origin->offset);
    if (bytes[0] >> 4 == 4) {
        wall_ip_header_finish_v4(bytes, origin->offset, origin->offset + size);
        return;
    }
    size_t payload = origin->offset + size - 40;
    bytes[4] = (uint8_t)(payload >> 8);
    bytes[5] = (uint8_t)payload;
}

int wall_packet_read(const NET_BUFFER_LIST *packet, bool with_header, struct wall_packet_bytes *ret_bytes)
{
    NET_BUFFER *buffer = packet->FirstNetBuffer;
    if (!NdisGetDataBuffer || !buffer || buffer->Next || packet->Next || !buffer->DataLength ||
        buffer->DataLength > PACKET_MAX)
        return -EINVAL;
    pthread_mutex_lock(&lock);
    const struct origin *origin = origin_of(packet);
    size_t before = with_header || !origin ? 0 : origin->offset;
    struct wall_packet_bytes result = { .size = before + buffer->DataLength };
    int r = with_header || (origin && before) ? 0 : -EINVAL;
    if (r == 0 && !(result.bytes = malloc(result.size)))
        r = -ENOMEM;
    if (r == 0) {
        void *data = NdisGetDataBuffer(buffer, buffer->DataLength, result.bytes + before, 1, 0);
        if (!data)
            r = -EINVAL;
        else if (data != result.bytes + before)
            memcpy(result.bytes + before, data, buffer->DataLength);
    }
    if (r == 0 && before)
        put_header(origin, result.bytes, buffer->DataLength);
    if (r == 0 && result.bytes[0] >> 4 != 4 && result.bytes[0] >> 4 != 6)
        r = -EINVAL;
    if (r == 0 && origin) {
        result.origin_id = origin->id;
        result.netns_cookie = origin->netns_cookie;
        result.unmodified = result.size == origin->size &&
                            memcmp(result.bytes + before, origin->bytes + before, result.size - before) == 0;
    }
    pthread_mutex_unlock(&lock);
    if (r < 0)
        free(result.bytes);
    else
        *ret_bytes = result;
    return r;
}

void wall_packet_injected(const NET_BUFFER_LIST *packet)
{
    pthread_mutex_lock(&lock);
    struct origin *origin = origin_of(packet);
    if (origin)
        origin->was_injected = true;
    pthread_mutex_unlock(&lock);
}

// --- The API ---

NTSTATUS FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST *original, PVOID list_pool, PVOID buffer_pool, ULONG flags,
                                         NET_BUFFER_LIST **ret_clone)
{
    if (!NdisAllocateCloneNetBufferList)
        return STATUS_NOT_SUPPORTED;
    if (!original || !ret_clone)
        return STATUS_INVALID_PARAMETER;
    NET_BUFFER_LIST *clone = NdisAllocateCloneNetBufferList(original, list_pool, buffer_pool, flags);
    if (!clone)
        return STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&lock);
    struct origin *origin = origin_of(original);
    int r = origin ? add_entry(clone, origin) : 0;
    if (r == 0 && origin)
        origin->references++;
    pthread_mutex_unlock(&lock);
    if (r < 0) {
        NdisFreeCloneNetBufferList(clone, flags);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ret_clone = clone;
    return STATUS_SUCCESS;
}

void FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *clone, ULONG flags)
{
    if (!clone || !NdisFreeCloneNetBufferList)
        return;
    pthread_mutex_lock(&lock);
    struct entry *entry = ready ? wall_map_remove(&entries, &clone, sizeof(clone)) : NULL;
    pthread_mutex_unlock(&lock);
    NdisFreeCloneNetBufferList(clone, flags);
    if (!entry)
        return;
    pthread_mutex_lock(&lock);
    struct origin *last = unref(entry->origin);
    pthread_mutex_unlock(&lock);
    free(entry);
    let_go(last);
}

NTSTATUS FwpsAllocateNetBufferAndNetBufferList0(PVOID list_pool, USHORT context_size, USHORT context_backfill,
                                                MDL *mdl_chain, ULONG data_offset, SIZE_T data_length,
                                                NET_BUFFER_LIST **ret_list)
{
    if (!NdisAllocateNetBufferAndNetBufferList)
        return STATUS_NOT_SUPPORTED;
    if (!list_pool || !ret_list)
        return STATUS_INVALID_PARAMETER;
    NET_BUFFER_LIST *list = NdisAllocateNetBufferAndNetBufferList(list_pool, context_size, context_backfill, mdl_chain,
                                                                  data_offset, data_length);
    if (!list)
        return STATUS_INSUFFICIENT_RESOURCES;
    *ret_list = list;
    return STATUS_SUCCESS;
}

void FwpsFreeNetBufferList0(NET_BUFFER_LIST *list)
{
    if (list && NdisFreeNetBufferList)
        NdisFreeNetBufferList(list);
}

void FwpsReferenceNetBufferList0(NET_BUFFER_LIST *list, BOOLEAN intend_to_modify)
{
    pthread_mutex_lock(&lock);
    struct origin *origin = origin_of(list);
    if (origin)
        origin->references++;
    pthread_mutex_unlock(&lock);
    if (!origin)
        wall_verifier_report("FwpsReferenceNetBufferList0", "%p is no packet of a classification", (void *)list);
}

void FwpsDereferenceNetBufferList0(NET_BUFFER_LIST *list, BOOLEAN dispatch_level)
{
    pthread_mutex_lock(&lock);
    struct origin *origin = origin_of(list);
    bool late = origin && time(NULL) - origin->since > REFERENCE_SECONDS_MAX;
    struct origin *last = origin ? unref(origin) : NULL;
    pthread_mutex_unlock(&lock);
    if (!origin)
        wall_verifier_report("FwpsDereferenceNetBufferList0", "%p is not referenced", (void *)list);
    else if (late)
        wall_verifier_report("FwpsDereferenceNetBufferList0",
                             "the original packet was kept for more than %d s: clone it instead",
                             REFERENCE_SECONDS_MAX);
    let_go(last);
}

FWPS_PACKET_INJECTION_STATE FwpsQueryPacketInjectionState0(HANDLE injection, const NET_BUFFER_LIST *list,
                                                           HANDLE *ret_context)
{
    pthread_mutex_lock(&lock);
    const struct origin *origin = list ? origin_of(list) : NULL;
    FWPS_PACKET_INJECTION_STATE state = FWPS_PACKET_NOT_INJECTED;
    if (origin && origin->injected)
        state = (uint64_t)(uintptr_t)injection == origin->injection_handle ? FWPS_PACKET_INJECTED_BY_SELF
                                                                           : FWPS_PACKET_INJECTED_BY_OTHER;
    if (ret_context)
        *ret_context = state == FWPS_PACKET_INJECTED_BY_SELF ? (HANDLE)(uintptr_t)origin->injection_context : NULL;
    pthread_mutex_unlock(&lock);
    return state;
}
