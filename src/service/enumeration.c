#include "service/enumeration.h"

#include <stdlib.h>

#include "winerror.h"

#include "engine/net_event.h"
#include "engine/shapes.h"
#include "wire/codec.h"

// A page leaves room for the reply's own members.
#define PAGE_BYTES_MAX (WALL_FRAME_PAYLOAD_MAX - 4096u)
#define PAGE_OBJECTS_MAX 4096u

static void free_enumeration(struct wall_client_enumeration *enumeration)
{
    wall_enumeration_free(enumeration->objects);
    free(enumeration);
}

void wall_enumeration_drop(struct wall_client *client)
{
    size_t cursor = 0;
    struct wall_client_enumeration *enumeration;
    while ((enumeration = wall_map_next(&client->enumerations, &cursor))) {
        (void)wall_map_remove(&client->enumerations, &enumeration->id, sizeof(enumeration->id));
        free_enumeration(enumeration);
    }
}

static wall_status open_enumeration(struct wall_client *client, const struct wall_any_template *template_,
                                    uint64_t *ret_id)
{
    if (client->enumerations.count >= WALL_CLIENT_ENUMERATIONS_MAX)
        return ERROR_NOT_ENOUGH_MEMORY;
    struct wall_client_enumeration *enumeration = calloc(1, sizeof(*enumeration));
    if (!enumeration)
        return ERROR_NOT_ENOUGH_MEMORY;
    enumeration->id = client->next_id++;
    enumeration->type = template_->type;
    wall_status status =
        template_->type == WALL_ANY_NET_EVENT
            ? wall_net_event_enumeration_new(client->session, template_->net_event, &enumeration->objects)
            : wall_enumeration_new(client->session, (enum wall_object_type)template_->type, template_->pointer,
                                   &enumeration->objects);
    if (status == 0 &&
        wall_map_put(&client->enumerations, &enumeration->id, sizeof(enumeration->id), enumeration) < 0)
        status = ERROR_NOT_ENOUGH_MEMORY;
    if (status != 0)
        free_enumeration(enumeration);
    else
        *ret_id = enumeration->id;
    return status;
}

bool wall_enumeration_handle_new(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_enumeration_new_request *request = object;
    struct wall_enumeration_new_reply reply = {0};
    wall_status status = ERROR_INVALID_HANDLE;
    if (client->session &&
        (request->template_.type < WALL_OBJECT_COUNT_ || request->template_.type == WALL_ANY_NET_EVENT))
        status = open_enumeration(client, &request->template_, &reply.enumeration_id);
    if (status == 0)
        wall_client_reply(client, WALL_MESSAGE_ENUMERATION_NEW, serial, &reply);
    else
        wall_client_status(client, WALL_MESSAGE_ENUMERATION_NEW, serial, status, NULL);
    return false;
}

// The next object, or NULL at the end.
static const void *next_object(struct wall_client_enumeration *enumeration)
{
    const void *held = enumeration->held;
    enumeration->held = NULL;
    if (held)
        return held;
    const void *const *objects = NULL;
    uint32_t count = 0;
    if (wall_enumeration_next(enumeration->objects, 1, &objects, &count) != 0 || count == 0)
        return NULL;
    return objects[0];
}

bool wall_enumeration_handle_next(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_enumeration_next_request *request = object;
    struct wall_client_enumeration *enumeration =
        wall_map_get(&client->enumerations, &request->enumeration_id, sizeof(request->enumeration_id));
    uint32_t limit = request->count < PAGE_OBJECTS_MAX ? request->count : PAGE_OBJECTS_MAX;
    struct wall_any *objects = calloc(limit ? limit : 1, sizeof(*objects));
    if (!enumeration || !objects) {
        free(objects);
        wall_client_status(client, WALL_MESSAGE_ENUMERATION_NEXT, serial,
                           enumeration ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_HANDLE, NULL);
        return false;
    }
    struct wall_enumeration_next_reply reply = {.objects = objects};
    size_t bytes = 0;
    while (reply.count < limit) {
        const void *next = next_object(enumeration);
        if (!next) {
            reply.finished = 1;
            break;
        }
        struct wall_any any = {.type = enumeration->type, .pointer = (void *)(uintptr_t)next};
        const struct wall_shape *shape = any.type == WALL_ANY_NET_EVENT
                                             ? &wall_shape_net_event
                                             : wall_shape_of_object((enum wall_object_type)any.type);
        bytes += sizeof(any.type) + 1 + wall_encoded_size(shape, next);
        if (bytes > PAGE_BYTES_MAX && reply.count) {
            enumeration->held = next;
            break;
        }
        objects[reply.count++] = any;
    }
    wall_client_reply(client, WALL_MESSAGE_ENUMERATION_NEXT, serial, &reply);
    free(objects);
    return false;
}

bool wall_enumeration_handle_free(struct wall_client *client, uint32_t serial, const void *object)
{
    const struct wall_enumeration_free_request *request = object;
    struct wall_client_enumeration *enumeration =
        wall_map_remove(&client->enumerations, &request->enumeration_id, sizeof(request->enumeration_id));
    if (enumeration)
        free_enumeration(enumeration);
    wall_client_status(client, WALL_MESSAGE_ENUMERATION_FREE, serial, enumeration ? 0 : ERROR_INVALID_HANDLE, NULL);
    return false;
}
