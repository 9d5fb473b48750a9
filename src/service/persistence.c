#include "service/persistence.h"

#include <errno.h>
#include <stdlib.h>

#include "winerror.h"

#include "engine/shapes.h"
#include "service/service.h"
#include "wire/codec.h"

static wall_status report(struct wall_service *service, int r, const struct wall_error *err)
{
    if (r == 0)
        return 0;
    wall_service_log(service, "the policy cannot be stored: %s", err->text);
    return r == -ENOSPC ? ERROR_DISK_FULL : ERROR_WRITE_FAULT;
}

static wall_status store_begin(void *context)
{
    struct wall_service *service = context;
    struct wall_error err;
    return report(service, wall_store_begin(service->store, &err), &err);
}

static wall_status store_put(void *context, enum wall_object_type type, const GUID *key, const void *object)
{
    struct wall_service *service = context;
    struct wall_error err;
    if (!object)
        return report(service, wall_store_delete(service->store, type, key, &err), &err);

    struct wall_buffer buffer = {.limit = WALL_STORE_VALUE_MAX};
    int r = wall_encode(wall_shape_of_object(type), object, &buffer);
    if (r < 0)
        (void)wall_error_set(&err, r, "an object does not fit into %u bytes", WALL_STORE_VALUE_MAX);
    else
        r = wall_store_put(service->store, type, key, buffer.data, buffer.size, &err);
    wall_buffer_done(&buffer);
    return report(service, r, &err);
}

static wall_status store_commit(void *context)
{
    struct wall_service *service = context;
    struct wall_error err;
    return report(service, wall_store_commit(service->store, &err), &err);
}

void wall_persistence_events(struct wall_engine_events *events)
{
    events->store_begin = store_begin;
    events->store_put = store_put;
    events->store_commit = store_commit;
}

static int load_object(void *context, enum wall_object_type type, const GUID *key, const void *data, size_t size)
{
    struct wall_service *service = context;
    struct wall_error err = {0};
    void *object = NULL;
    const struct wall_shape *shape = wall_shape_of_object(type);
    int r = shape ? wall_decode(shape, data, size, &object, &err) : -EBADMSG;
    if (r == -ENOMEM)
        return r;
    wall_status status = r == 0 ? wall_engine_load(service->engine, type, object) : ERROR_INVALID_DATA;
    free(object);
    if (status != 0)
        wall_service_log(service, "a stored object (type %d) was not taken, status 0x%08x %s", (int)type, status,
                         err.text);
    return 0;
}

int wall_persistence_load(struct wall_service *service, struct wall_error *err)
{
    int r = wall_store_load(service->store, load_object, service, err);
    if (r == 0 && wall_engine_load_done(service->engine) != 0)
        r = wall_error_set(err, -ENOMEM, "the stored policy cannot be made effective: out of memory");
    return r;
}
