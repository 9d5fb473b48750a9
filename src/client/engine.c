#include "client/engine.h"

#include <stdlib.h>

#include "winerror.h"

#include "client/handle.h"
#include "client/session.h"
#include "engine/shapes.h"

static uint32_t call_handle(HANDLE handle, enum wall_message_type type, const void *request, void **ret_reply)
{
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    if (!engine)
        return ERROR_INVALID_HANDLE;
    uint32_t status = wall_client_call(engine, type, request, ret_reply);
    wall_handle_unref(engine);
    return status;
}

uint32_t wall_client_transaction(HANDLE engine, enum wall_message_type type, uint32_t flags)
{
    struct wall_transaction_begin_request request = { flags };
    return call_handle(engine, type, type == WALL_MESSAGE_TRANSACTION_BEGIN ? &request : NULL, NULL);
}

uint32_t wall_client_option_get(HANDLE engine, FWPM_ENGINE_OPTION option, FWP_VALUE0 **ret_value)
{
    if (!ret_value)
        return FWP_E_NULL_POINTER;
    struct wall_option_get_request request = { (uint32_t)option };
    struct wall_option_get_reply *reply;
    uint32_t status = call_handle(engine, WALL_MESSAGE_OPTION_GET, &request, (void **)&reply);
    if (status != ERROR_SUCCESS)
        return status;

    FWP_VALUE0 *value = wall_shape_clone(&wall_shape_value, &reply->value);
    free(reply);
    if (!value)
        return ERROR_NOT_ENOUGH_MEMORY;
    *ret_value = value;
    return ERROR_SUCCESS;
}

uint32_t wall_client_option_set(HANDLE engine, FWPM_ENGINE_OPTION option, const FWP_VALUE0 *value)
{
    if (!value)
        return FWP_E_NULL_POINTER;
    struct wall_option_set_request request = { (uint32_t)option, *value };
    return call_handle(engine, WALL_MESSAGE_OPTION_SET, &request, NULL);
}

// --- Objects ---

// Provider contexts of IPsec and IKE are not kept here (docs/api-support.md); 13 came with version 3.
static uint32_t check_provider_context(const FWPM_PROVIDER_CONTEXT3 *context, unsigned version)
{
    if ((unsigned)context->type >= FWPM_PROVIDER_CONTEXT_TYPE_MAX)
        return FWP_E_INVALID_ENUMERATOR;
    if (context->type == FWPM_NETWORK_CONNECTION_POLICY_CONTEXT)
        return version >= 3 ? ERROR_SUCCESS : FWP_E_INVALID_ENUMERATOR;
    bool known = context->type == FWPM_GENERAL_CONTEXT || context->type == FWPM_CLASSIFY_OPTIONS_CONTEXT;
    return known ? ERROR_SUCCESS : ERROR_CALL_NOT_IMPLEMENTED;
}

// Whether a structure of this version can hold the object.
static bool version_holds(uint32_t type, const void *object, unsigned version)
{
    if (type == WALL_OBJECT_PROVIDER_CONTEXT)
        return check_provider_context(object, version) == ERROR_SUCCESS;
    return true;
}

uint32_t wall_client_add(HANDLE engine, enum wall_object_type type, unsigned version, const void *object,
                         const void *descriptor, uint64_t *ret_id)
{
    if (!object)
        return FWP_E_NULL_POINTER;
    if (descriptor)
        return ERROR_CALL_NOT_IMPLEMENTED;

    struct wall_object_add_request request = { { type, { .pointer = (void *)object } } };
    FWPM_FILTER0 filter;
    if (type == WALL_OBJECT_PROVIDER_CONTEXT) {
        uint32_t status = check_provider_context(object, version);
        if (status != ERROR_SUCCESS)
            return status;
    } else if (type == WALL_OBJECT_FILTER) {
        // The engine's to fill: many programs leave it uninitialised.
        filter = *(const FWPM_FILTER0 *)object;
        filter.effectiveWeight.type = FWP_EMPTY;
        request.object.filter = &filter;
    }

    struct wall_object_add_reply *reply;
    uint32_t status = call_handle(engine, WALL_MESSAGE_OBJECT_ADD, &request, (void **)&reply);
    if (status != ERROR_SUCCESS)
        return status;
    if (ret_id)
        *ret_id = reply->id;
    free(reply);
    return ERROR_SUCCESS;
}

static uint32_t delete_object(HANDLE engine, enum wall_object_type type, const GUID *key, uint64_t id)
{
    struct wall_object_find_request request = { type, (GUID *)key, id };
    return call_handle(engine, WALL_MESSAGE_OBJECT_DELETE, &request, NULL);
}

uint32_t wall_client_delete_key(HANDLE engine, enum wall_object_type type, const GUID *key)
{
    return key ? delete_object(engine, type, key, 0) : FWP_E_NULL_POINTER;
}

uint32_t wall_client_delete_id(HANDLE engine, enum wall_object_type type, uint64_t id)
{
    return delete_object(engine, type, NULL, id);
}

static uint32_t get_object(HANDLE engine, enum wall_object_type type, unsigned version, const GUID *key, uint64_t id,
                           void **ret_object)
{
    if (!ret_object)
        return FWP_E_NULL_POINTER;
    struct wall_object_find_request request = { type, (GUID *)key, id };
    struct wall_object_get_reply *reply;
    uint32_t status = call_handle(engine, WALL_MESSAGE_OBJECT_GET, &request, (void **)&reply);
    if (status != ERROR_SUCCESS)
        return status;

    void *copy = NULL;
    if (reply->object.type != (uint32_t)type || !reply->object.pointer)
        status = RPC_S_CALL_FAILED;
    else if (!version_holds(type, reply->object.pointer, version))
        status = FWP_E_PROVIDER_CONTEXT_MISMATCH;
    else if (!(copy = wall_shape_clone(wall_shape_of_object(type), reply->object.pointer)))
        status = ERROR_NOT_ENOUGH_MEMORY;
    else
        *ret_object = copy;
    free(reply);
    return status;
}

uint32_t wall_client_get_key(HANDLE engine, enum wall_object_type type, unsigned version, const GUID *key,
                             void **ret_object)
{
    return key ? get_object(engine, type, version, key, 0, ret_object) : FWP_E_NULL_POINTER;
}

uint32_t wall_client_get_id(HANDLE engine, enum wall_object_type type, unsigned version, uint64_t id, void **ret_object)
{
    return get_object(engine, type, version, NULL, id, ret_object);
}
