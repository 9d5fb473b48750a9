// Enumerations of an engine handle: pages of the service's snapshot become one array.
#include "client/engine.h"

#include <stdlib.h>
#include <string.h>

#include "winerror.h"

#include "client/handle.h"
#include "client/net_event.h"
#include "client/session.h"
#include "client/status.h"
#include "engine/shapes.h"

// The alignment of whatever is placed into an array's block.
#define PART_ALIGNMENT 8u

struct enumeration {
    struct wall_handle_object object;
    uint64_t id;
    uint32_t type;
};

// Pages got from the service, and which of their objects the caller's version of the structure can hold.
struct pages {
    struct wall_enumeration_next_reply **pages;
    size_t page_count;
    const void **objects;
    size_t object_count;
};

static void destroy_enumeration(struct wall_handle_object *object)
{
    free(object);
}

uint32_t wall_client_enumerate(HANDLE handle, uint32_t type, const void *template_, HANDLE *ret_enumeration)
{
    if (!ret_enumeration)
        return FWP_E_NULL_POINTER;
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    if (!engine)
        return ERROR_INVALID_HANDLE;

    struct wall_enumeration_new_request request = { { type, { .pointer = (void *)template_ } } };
    struct wall_enumeration_new_reply *reply;
    uint32_t status = wall_client_call(engine, WALL_MESSAGE_ENUMERATION_NEW, &request, (void **)&reply);
    if (status == ERROR_SUCCESS) {
        struct enumeration *enumeration = calloc(1, sizeof(*enumeration));
        status = ERROR_NOT_ENOUGH_MEMORY;
        if (enumeration) {
            enumeration->object = (struct wall_handle_object){ 1, destroy_enumeration, &engine->object };
            enumeration->id = reply->enumeration_id;
            enumeration->type = type;
            int r = wall_handle_new(WALL_HANDLE_ENUMERATION, &enumeration->object, ret_enumeration);
            status = wall_status_from_errno(r);
            if (r < 0)
                free(enumeration);
        }
        free(reply);
    }
    wall_handle_unref(engine);
    return status;
}

uint32_t wall_client_enumeration_free(HANDLE handle, HANDLE enumeration_handle, uint32_t type)
{
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    struct enumeration *enumeration =
        engine ? wall_handle_ref(enumeration_handle, WALL_HANDLE_ENUMERATION, engine) : NULL;
    uint32_t status = ERROR_INVALID_HANDLE;
    if (enumeration && enumeration->type == type &&
        wall_handle_take(enumeration_handle, WALL_HANDLE_ENUMERATION, engine)) {
        struct wall_enumeration_free_request request = { enumeration->id };
        status = wall_client_call(engine, WALL_MESSAGE_ENUMERATION_FREE, &request, NULL);
        wall_handle_unref(enumeration);  // the table's reference
    }
    wall_handle_unref(enumeration);
    wall_handle_unref(engine);
    return status;
}

// --- Collecting pages ---

static void free_pages(struct pages *pages)
{
    for (size_t i = 0; i < pages->page_count; i++)
        free(pages->pages[i]);
    free(pages->pages);
    free(pages->objects);
}

static bool version_holds(const struct wall_any *any, unsigned version)
{
    if (any->type == WALL_ANY_NET_EVENT)
        return wall_net_event_known(any->net_event->type, version);
    if (any->type == WALL_OBJECT_PROVIDER_CONTEXT)
        return version >= 3 || any->provider_context->type != FWPM_NETWORK_CONNECTION_POLICY_CONTEXT;
    return true;
}

static uint32_t add_page(struct pages *pages, struct wall_enumeration_next_reply *page, uint32_t type, unsigned version)
{
    void *larger = reallocarray(pages->pages, pages->page_count + 1, sizeof(*pages->pages));
    if (!larger) {
        free(page);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    pages->pages = larger;
    pages->pages[pages->page_count++] = page;

    larger = reallocarray(pages->objects, pages->object_count + page->count + 1, sizeof(*pages->objects));
    if (!larger)
        return ERROR_NOT_ENOUGH_MEMORY;
    pages->objects = larger;
    for (uint32_t i = 0; i < page->count; i++) {
        const struct wall_any *any = &page->objects[i];
        if (any->type != type || !any->pointer)
            return RPC_S_CALL_FAILED;
        if (version_holds(any, version))
            pages->objects[pages->object_count++] = any->pointer;
    }
    return ERROR_SUCCESS;
}

static uint32_t collect(struct wall_client_engine *engine, const struct enumeration *enumeration, unsigned version,
                        uint32_t count, struct pages *pages)
{
    bool finished = false;
    while (!finished && pages->object_count < count) {
        struct wall_enumeration_next_request request = { enumeration->id, count - (uint32_t)pages->object_count };
        struct wall_enumeration_next_reply *page;
        uint32_t status = wall_client_call(engine, WALL_MESSAGE_ENUMERATION_NEXT, &request, (void **)&page);
        if (status != ERROR_SUCCESS)
            return status;
        if (page->count > request.count || (page->count == 0 && !page->finished)) {
            free(page);
            return RPC_S_CALL_FAILED;
        }
        finished = page->finished;
        status = add_page(pages, page, enumeration->type, version);
        if (status != ERROR_SUCCESS)
            return status;
    }
    return ERROR_SUCCESS;
}

// --- One block: the pointers, then the objects; net events of older versions in front of what they point into ---

static size_t align(size_t size)
{
    return (size + PART_ALIGNMENT - 1) & ~(size_t)(PART_ALIGNMENT - 1);
}

static bool is_converted(uint32_t type, unsigned version)
{
    return type == WALL_ANY_NET_EVENT && version < 3;
}

static void **make_block(const struct pages *pages, uint32_t type, unsigned version)
{
    const struct wall_shape *shape = type == WALL_ANY_NET_EVENT ? &wall_shape_net_event : wall_shape_of_object(type);
    size_t head = is_converted(type, version) ? align(sizeof(union wall_net_event)) : 0;
    size_t size = align(pages->object_count * sizeof(void *));
    for (size_t i = 0; i < pages->object_count; i++)
        size += head + align(wall_shape_measure(shape, pages->objects[i]));

    void **block = calloc(1, size);
    if (!block)
        return NULL;
    unsigned char *at = (unsigned char *)block + align(pages->object_count * sizeof(void *));
    for (size_t i = 0; i < pages->object_count; i++) {
        void *copy = at + head;
        wall_shape_place(shape, pages->objects[i], copy);
        block[i] = copy;
        if (head) {
            union wall_net_event converted;
            wall_net_event_convert(copy, version, &converted);
            memcpy(at, &converted, sizeof(converted));
            block[i] = at;
        }
        at += head + align(wall_shape_measure(shape, pages->objects[i]));
    }
    return block;
}

static uint32_t next(struct wall_client_engine *engine, const struct enumeration *enumeration, unsigned version,
                     uint32_t count, void ***ret_entries, uint32_t *ret_count)
{
    struct pages pages = { 0 };
    uint32_t status = collect(engine, enumeration, version, count, &pages);
    void **block = NULL;
    if (status == ERROR_SUCCESS && pages.object_count) {
        block = make_block(&pages, enumeration->type, version);
        if (!block)
            status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status == ERROR_SUCCESS) {
        *ret_entries = block;
        *ret_count = (uint32_t)pages.object_count;
    }
    free_pages(&pages);
    return status;
}

uint32_t wall_client_enumeration_next(HANDLE handle, HANDLE enumeration_handle, uint32_t type, unsigned version,
                                      uint32_t count, void ***ret_entries, uint32_t *ret_count)
{
    if (!ret_entries || !ret_count)
        return FWP_E_NULL_POINTER;
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    struct enumeration *enumeration =
        engine ? wall_handle_ref(enumeration_handle, WALL_HANDLE_ENUMERATION, engine) : NULL;
    uint32_t status = ERROR_INVALID_HANDLE;
    if (enumeration && enumeration->type == type)
        status = next(engine, enumeration, version, count, ret_entries, ret_count);
    wall_handle_unref(enumeration);
    wall_handle_unref(engine);
    return status;
}
