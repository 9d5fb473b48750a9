// The management API against a scripted service, in both modes (this file: user mode; kernel_twins.c: kernel mode).
#include "client/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpmu.h"

#include "engine/shapes.h"
#include "fake_service.h"
#include "kernel_twins.h"

#define FILTERS 25u

static struct fake_service service;
static HANDLE engine;

// What the service got last.
static struct {
    uint16_t type;
    uint32_t object_type;
    uint64_t id;
    bool has_key;
    GUID key;
    uint32_t flags, option, count;
    FWPM_FILTER0 *filter;
    unsigned enumerations_freed;
} last;

static uint32_t next_status;  // answers the next request that is not SESSION_CLOSE
static uint32_t position;     // of the enumeration

static WCHAR name[] = L"name";

static void reply_page(struct fake_connection *connection, const struct wall_frame *frame, uint32_t count)
{
    // At most ten at a time: a frame holds no more, this service says.
    FWPM_FILTER0 filters[10];
    struct wall_any objects[10];
    uint32_t n = 0;
    while (n < 10 && n < count && position < FILTERS) {
        filters[n] = (FWPM_FILTER0){ .filterId = ++position, .displayData = { name, NULL } };
        objects[n] = (struct wall_any){ WALL_OBJECT_FILTER, { .filter = &filters[n] } };
        n++;
    }
    struct wall_enumeration_next_reply reply = { .count = n, .objects = objects, .finished = position == FILTERS };
    fake_reply(connection, frame, &reply);
}

static void reply_get(struct fake_connection *connection, const struct wall_frame *frame, uint32_t type)
{
    static FWPM_PROVIDER_CONTEXT3 context = { .type = FWPM_NETWORK_CONNECTION_POLICY_CONTEXT, .providerContextId = 5 };
    static FWPM_LAYER0 layer = { .layerId = 48, .displayData = { name, NULL } };
    struct wall_object_get_reply reply = { .object = { type, { .layer = &layer } } };
    if (type == WALL_OBJECT_PROVIDER_CONTEXT)
        reply.object.provider_context = &context;
    else if (type != WALL_OBJECT_LAYER)
        reply.object = (struct wall_any){ WALL_OBJECT_LAYER, { .layer = &layer } };  // not what was asked for
    fake_reply(connection, frame, &reply);
}

static void note_find(const struct wall_object_find_request *request)
{
    last.object_type = request->type;
    last.id = request->id;
    last.has_key = request->key != NULL;
    if (request->key)
        last.key = *request->key;
}

static bool answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    const struct wall_object_add_request *add = object;
    last.type = frame->type;
    if (next_status && frame->type != WALL_MESSAGE_SESSION_CLOSE) {
        fake_refuse(connection, frame, next_status, NULL);
        next_status = 0;
        return true;
    }
    switch (frame->type) {
    case WALL_MESSAGE_TRANSACTION_BEGIN:
        last.flags = ((struct wall_transaction_begin_request *)object)->flags;
        return false;
    case WALL_MESSAGE_OBJECT_ADD:
        last.object_type = add->object.type;
        free(last.filter);
        last.filter = NULL;
        if (add->object.type == WALL_OBJECT_FILTER)
            last.filter = wall_shape_clone(&wall_shape_filter, add->object.filter);
        fake_reply(connection, frame, &(struct wall_object_add_reply){ .id = 0x1122334455 });
        return true;
    case WALL_MESSAGE_OBJECT_DELETE:
        note_find(object);
        return false;
    case WALL_MESSAGE_OBJECT_GET:
        note_find(object);
        reply_get(connection, frame, last.object_type);
        return true;
    case WALL_MESSAGE_ENUMERATION_NEW:
        position = 0;
        fake_reply(connection, frame, &(struct wall_enumeration_new_reply){ .enumeration_id = 7 });
        return true;
    case WALL_MESSAGE_ENUMERATION_NEXT:
        last.count = ((struct wall_enumeration_next_request *)object)->count;
        reply_page(connection, frame, last.count);
        return true;
    case WALL_MESSAGE_ENUMERATION_FREE:
        last.enumerations_freed++;
        return false;
    case WALL_MESSAGE_OPTION_GET:
        last.option = ((struct wall_option_get_request *)object)->option;
        fake_reply(connection, frame, &(struct wall_option_get_reply){ .value = { .type = FWP_UINT32, .uint32 = 44 } });
        return true;
    case WALL_MESSAGE_OPTION_SET:
        last.option = ((struct wall_option_set_request *)object)->value.uint32;
        return false;
    default:
        return false;
    }
}

static int start(void **state)
{
    service = (struct fake_service){ .handle = answer };
    fake_service_start(&service);
    free(last.filter);
    memset(&last, 0, sizeof(last));
    next_status = 0;
    return FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine) == ERROR_SUCCESS ? 0 : -1;
}

static int stop(void **state)
{
    if (engine)
        (void)FwpmEngineClose0(engine);
    engine = NULL;
    fake_service_stop(&service);
    free(last.filter);
    last.filter = NULL;
    return 0;
}

static void opening_checks_its_arguments(void **state)
{
    HANDLE other = NULL;
    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmEngineOpen0(L"host", RPC_C_AUTHN_WINNT, NULL, NULL, &other), ERROR_NOT_SUPPORTED);
    assert_int_equal(FwpmEngineOpen0(NULL, 3, NULL, NULL, &other), ERROR_INVALID_PARAMETER);
    next_status = FWP_E_ALREADY_EXISTS;
    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_DEFAULT, NULL, NULL, &other), FWP_E_ALREADY_EXISTS);
    assert_null(other);

    FWPM_SESSION0 session = { .flags = FWPM_SESSION_FLAG_DYNAMIC };
    memset(&session.sid, 0xEE, sizeof(session.sid));  // not the caller's to fill: it may be garbage
    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_DEFAULT, NULL, &session, &other), ERROR_SUCCESS);
    assert_int_equal(FwpmEngineClose0(other), ERROR_SUCCESS);
    assert_int_equal(last.type, WALL_MESSAGE_SESSION_CLOSE);
}

static void a_stopped_service_is_unavailable(void **state)
{
    assert_int_equal(FwpmEngineClose0(engine), ERROR_SUCCESS);
    setenv("RINGWALL_RUNTIME_DIR", "/nonexistent", 1);
    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine), RPC_S_SERVER_UNAVAILABLE);
    setenv("RINGWALL_RUNTIME_DIR", service.directory, 1);
    engine = NULL;
}

static void a_dead_service_is_unavailable(void **state)
{
    fake_service_drop(&service);
    assert_int_equal(FwpmTransactionBegin0(engine, 0), RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(FwpmTransactionBegin0(engine, 0), RPC_S_SERVER_UNAVAILABLE);
    // It still has to be closed, and can be.
    assert_int_equal(FwpmEngineClose0(engine), ERROR_SUCCESS);
    engine = NULL;
}

static void garbage_handles_are_refused(void **state)
{
    GUID key = { .Data1 = 1 };
    UINT32 count;
    FWPM_FILTER0 filter = { 0 }, **filters;
    HANDLE garbage[] = { NULL, (HANDLE)1, (HANDLE)&key, (HANDLE)-1, (HANDLE)((uintptr_t)engine ^ 4) };
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        HANDLE bad = garbage[i];
        assert_int_equal(FwpmEngineClose0(bad), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmTransactionBegin0(bad, 0), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmFilterAdd0(bad, &filter, NULL, NULL), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmFilterDeleteByKey0(bad, &key), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmFilterEnum0(engine, bad, 1, &filters, &count), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmFilterDestroyEnumHandle0(engine, bad), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmFilterUnsubscribeChanges0(engine, bad), ERROR_INVALID_HANDLE);
        assert_int_equal(FwpmEngineSetSecurityInfo0(bad, 0, NULL, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
    }
    HANDLE closed = engine;
    assert_int_equal(FwpmEngineClose0(engine), ERROR_SUCCESS);
    engine = NULL;
    assert_int_equal(FwpmEngineClose0(closed), ERROR_INVALID_HANDLE);
    assert_int_equal(FwpmTransactionCommit0(closed), ERROR_INVALID_HANDLE);
}

static void null_pointers_are_refused(void **state)
{
    GUID key = { 0 };
    HANDLE handle = NULL;
    UINT32 count;
    assert_int_equal(FwpmFilterAdd0(engine, NULL, NULL, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterDeleteByKey0(engine, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterGetByKey0(engine, &key, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterGetByKey0(engine, NULL, (FWPM_FILTER0 **)&handle), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterCreateEnumHandle0(engine, NULL, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterEnum0(engine, NULL, 1, NULL, &count), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmEngineSetOption0(engine, FWPM_ENGINE_COLLECT_NET_EVENTS, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmEngineGetOption0(engine, FWPM_ENGINE_COLLECT_NET_EVENTS, NULL), FWP_E_NULL_POINTER);
    assert_int_equal(FwpmFilterSubscribeChanges0(engine, NULL, NULL, NULL, &handle), FWP_E_NULL_POINTER);
    FWPM_FILTER_SUBSCRIPTION0 subscription = { 0 };
    assert_int_equal(FwpmFilterSubscribeChanges0(engine, &subscription, NULL, NULL, &handle), FWP_E_NULL_POINTER);
    FWPM_FILTER0 filter = { .numFilterConditions = 3 };
    assert_int_equal(FwpmFilterAdd0(engine, &filter, NULL, NULL), FWP_E_NULL_POINTER);
    FwpmFreeMemory0(NULL);
    void *nothing = NULL;
    FwpmFreeMemory0(&nothing);
}

static void transactions_are_passed_on(void **state)
{
    assert_int_equal(FwpmTransactionBegin0(engine, FWPM_TXN_READ_ONLY), ERROR_SUCCESS);
    assert_int_equal(last.flags, FWPM_TXN_READ_ONLY);
    assert_int_equal(FwpmTransactionCommit0(engine), ERROR_SUCCESS);
    assert_int_equal(last.type, WALL_MESSAGE_TRANSACTION_COMMIT);
    next_status = FWP_E_NO_TXN_IN_PROGRESS;
    assert_int_equal(FwpmTransactionAbort0(engine), FWP_E_NO_TXN_IN_PROGRESS);
    assert_int_equal(last.type, WALL_MESSAGE_TRANSACTION_ABORT);
}

static void filters_arrive_whole(void **state)
{
    FWPM_FILTER_CONDITION0 condition = { .matchType = FWP_MATCH_EQUAL,
                                         .conditionValue = { .type = FWP_UINT16, .uint16 = 443 } };
    FWPM_FILTER0 filter = { .displayData = { name, NULL },
                            .numFilterConditions = 1,
                            .filterCondition = &condition,
                            .action = { .type = FWP_ACTION_BLOCK } };
    memset(&filter.effectiveWeight, 0xEE, sizeof(filter.effectiveWeight));  // may be garbage
    UINT64 id = 0;
    assert_int_equal(FwpmFilterAdd0(engine, &filter, NULL, &id), ERROR_SUCCESS);
    assert_int_equal(id, 0x1122334455);
    assert_int_equal(last.filter->filterCondition[0].conditionValue.uint16, 443);
    assert_memory_equal(last.filter->displayData.name, name, sizeof(name));
    assert_int_equal(last.filter->effectiveWeight.type, FWP_EMPTY);
    assert_int_equal(FwpmFilterAdd0(engine, &filter, NULL, NULL), ERROR_SUCCESS);

    UINT32 callout_id = 0;
    FWPM_CALLOUT0 callout = { .displayData = { name, NULL } };
    assert_int_equal(FwpmCalloutAdd0(engine, &callout, NULL, &callout_id), ERROR_SUCCESS);
    assert_int_equal(callout_id, 0x22334455);
    assert_int_equal(last.object_type, WALL_OBJECT_CALLOUT);
}

static void other_objects_are_told_apart(void **state)
{
    FWPM_PROVIDER0 provider = { .displayData = { name, NULL } };
    FWPM_SUBLAYER0 sublayer = { .displayData = { name, NULL } };
    assert_int_equal(FwpmProviderAdd0(engine, &provider, NULL), ERROR_SUCCESS);
    assert_int_equal(last.object_type, WALL_OBJECT_PROVIDER);
    assert_int_equal(FwpmSubLayerAdd0(engine, &sublayer, NULL), ERROR_SUCCESS);
    assert_int_equal(last.object_type, WALL_OBJECT_SUBLAYER);
    GUID key = { .Data1 = 9 };
    assert_int_equal(FwpmSubLayerDeleteByKey0(engine, &key), ERROR_SUCCESS);
    assert_true(last.has_key && last.key.Data1 == 9 && last.object_type == WALL_OBJECT_SUBLAYER);
    assert_int_equal(FwpmFilterDeleteById0(engine, 1234), ERROR_SUCCESS);
    assert_true(!last.has_key && last.id == 1234 && last.object_type == WALL_OBJECT_FILTER);
    next_status = FWP_E_PROVIDER_NOT_FOUND;
    assert_int_equal(FwpmProviderDeleteByKey0(engine, &key), FWP_E_PROVIDER_NOT_FOUND);
}

static void descriptors_of_objects_are_refused(void **state)
{
    SECURITY_DESCRIPTOR descriptor = { 0 };
    FWPM_PROVIDER0 provider = { .displayData = { name, NULL } };
    assert_int_equal(FwpmProviderAdd0(engine, &provider, &descriptor), ERROR_CALL_NOT_IMPLEMENTED);
}

static void getting_checks_what_came(void **state)
{
    FWPM_LAYER0 *layer = NULL;
    assert_int_equal(FwpmLayerGetById0(engine, 48, &layer), ERROR_SUCCESS);
    assert_int_equal(layer->layerId, 48);
    assert_memory_equal(layer->displayData.name, name, sizeof(name));
    FwpmFreeMemory0((void **)&layer);
    assert_null(layer);

    // The service answers with a layer: not believed.
    FWPM_FILTER0 *filter = NULL;
    assert_int_equal(FwpmFilterGetById0(engine, 1, &filter), RPC_S_CALL_FAILED);
    assert_null(filter);
}

static void versions_of_provider_contexts_differ(void **state)
{
    FWP_BYTE_BLOB blob = { 0 };
    FWPM_PROVIDER_CONTEXT3 context = { .displayData = { name, NULL },
                                       .type = FWPM_GENERAL_CONTEXT,
                                       .dataBuffer = &blob };
    UINT64 id = 0;
    assert_int_equal(FwpmProviderContextAdd0(engine, (FWPM_PROVIDER_CONTEXT0 *)&context, NULL, &id), ERROR_SUCCESS);
    context.type = FWPM_NETWORK_CONNECTION_POLICY_CONTEXT;
    context.networkConnectionPolicy = NULL;
    assert_int_equal(FwpmProviderContextAdd3(engine, &context, NULL, &id), ERROR_SUCCESS);
    assert_int_equal(FwpmProviderContextAdd2(engine, (FWPM_PROVIDER_CONTEXT2 *)&context, NULL, &id),
                     FWP_E_INVALID_ENUMERATOR);
    context.type = FWPM_IPSEC_IKE_MM_CONTEXT;
    assert_int_equal(FwpmProviderContextAdd3(engine, &context, NULL, &id), ERROR_CALL_NOT_IMPLEMENTED);
    context.type = FWPM_PROVIDER_CONTEXT_TYPE_MAX;
    assert_int_equal(FwpmProviderContextAdd3(engine, &context, NULL, &id), FWP_E_INVALID_ENUMERATOR);

    FWPM_PROVIDER_CONTEXT3 *got = NULL;
    assert_int_equal(FwpmProviderContextGetById3(engine, 5, &got), ERROR_SUCCESS);
    assert_int_equal(got->providerContextId, 5);
    FwpmFreeMemory0((void **)&got);
    assert_int_equal(FwpmProviderContextGetById0(engine, 5, (FWPM_PROVIDER_CONTEXT0 **)&got),
                     FWP_E_PROVIDER_CONTEXT_MISMATCH);
}

static void enumerations_join_pages(void **state)
{
    HANDLE enumeration;
    FWPM_FILTER0 **filters = NULL;
    UINT32 count = 0;
    assert_int_equal(FwpmFilterCreateEnumHandle0(engine, NULL, &enumeration), ERROR_SUCCESS);
    assert_int_equal(FwpmFilterEnum0(engine, enumeration, 12, &filters, &count), ERROR_SUCCESS);
    assert_int_equal(count, 12);
    for (UINT32 i = 0; i < count; i++) {
        assert_int_equal(filters[i]->filterId, i + 1);
        assert_memory_equal(filters[i]->displayData.name, name, sizeof(name));
    }
    FwpmFreeMemory0((void **)&filters);

    assert_int_equal(FwpmFilterEnum0(engine, enumeration, INFINITE, &filters, &count), ERROR_SUCCESS);
    assert_int_equal(count, FILTERS - 12);
    assert_int_equal(filters[0]->filterId, 13);
    FwpmFreeMemory0((void **)&filters);
    assert_int_equal(FwpmFilterEnum0(engine, enumeration, 10, &filters, &count), ERROR_SUCCESS);
    assert_int_equal(count, 0);
    assert_null(filters);

    // Another type's functions do not take the handle.
    FWPM_LAYER0 **layers;
    assert_int_equal(FwpmLayerEnum0(engine, enumeration, 1, &layers, &count), ERROR_INVALID_HANDLE);
    assert_int_equal(FwpmLayerDestroyEnumHandle0(engine, enumeration), ERROR_INVALID_HANDLE);
    assert_int_equal(FwpmFilterDestroyEnumHandle0(engine, enumeration), ERROR_SUCCESS);
    assert_int_equal(last.enumerations_freed, 1);
    assert_int_equal(FwpmFilterDestroyEnumHandle0(engine, enumeration), ERROR_INVALID_HANDLE);
}

static void enumerations_belong_to_their_engine(void **state)
{
    HANDLE other, enumeration;
    FWPM_FILTER0 **filters;
    UINT32 count;
    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &other), ERROR_SUCCESS);
    assert_int_equal(FwpmFilterCreateEnumHandle0(engine, NULL, &enumeration), ERROR_SUCCESS);
    assert_int_equal(FwpmFilterEnum0(other, enumeration, 1, &filters, &count), ERROR_INVALID_HANDLE);
    assert_int_equal(FwpmEngineClose0(engine), ERROR_SUCCESS);
    assert_int_equal(FwpmFilterEnum0(other, enumeration, 1, &filters, &count), ERROR_INVALID_HANDLE);
    engine = other;
}

static void wrong_answers_are_not_believed(void **state)
{
    HANDLE enumeration;
    FWPM_LAYER0 **layers = NULL;
    UINT32 count;
    assert_int_equal(FwpmLayerCreateEnumHandle0(engine, NULL, &enumeration), ERROR_SUCCESS);
    assert_int_equal(FwpmLayerEnum0(engine, enumeration, 5, &layers, &count), RPC_S_CALL_FAILED);  // filters came
    assert_null(layers);
}

static void options_are_values(void **state)
{
    FWP_VALUE0 *value = NULL;
    assert_int_equal(FwpmEngineGetOption0(engine, FWPM_ENGINE_PACKET_QUEUING, &value), ERROR_SUCCESS);
    assert_int_equal(last.option, FWPM_ENGINE_PACKET_QUEUING);
    assert_int_equal(value->type, FWP_UINT32);
    assert_int_equal(value->uint32, 44);
    FwpmFreeMemory0((void **)&value);
    FWP_VALUE0 on = { .type = FWP_UINT32, .uint32 = 1 };
    assert_int_equal(FwpmEngineSetOption0(engine, FWPM_ENGINE_COLLECT_NET_EVENTS, &on), ERROR_SUCCESS);
    assert_int_equal(last.option, 1);
}

static void what_is_not_here_says_so(void **state)
{
    FWPM_CONNECTION0 *connection;
    IKEEXT_SA_DETAILS0 *details;
    IPSEC_STATISTICS0 statistics;
    assert_int_equal(FwpmConnectionGetById0(engine, 1, &connection), FWP_E_CONNECTIONS_DISABLED);
    assert_int_equal(IkeextSaGetById0(engine, 1, &details), FWP_E_IKEEXT_NOT_RUNNING);
    assert_int_equal(IPsecGetStatistics0(engine, &statistics), ERROR_CALL_NOT_IMPLEMENTED);
}

static void kernel_twins_return_their_own_codes(void **state)
{
    kernel_twins_check();
    assert_int_equal(kernel_twins_delete(engine), 0);
    assert_true(last.object_type == WALL_OBJECT_CALLOUT && last.id == 7);
    next_status = FWP_E_CALLOUT_NOT_FOUND;
    assert_int_equal(kernel_twins_delete(engine), 0xC0220001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening_checks_its_arguments, start, stop),
        cmocka_unit_test_setup_teardown(a_stopped_service_is_unavailable, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_service_is_unavailable, start, stop),
        cmocka_unit_test_setup_teardown(garbage_handles_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(null_pointers_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(transactions_are_passed_on, start, stop),
        cmocka_unit_test_setup_teardown(filters_arrive_whole, start, stop),
        cmocka_unit_test_setup_teardown(other_objects_are_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(descriptors_of_objects_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(getting_checks_what_came, start, stop),
        cmocka_unit_test_setup_teardown(versions_of_provider_contexts_differ, start, stop),
        cmocka_unit_test_setup_teardown(enumerations_join_pages, start, stop),
        cmocka_unit_test_setup_teardown(enumerations_belong_to_their_engine, start, stop),
        cmocka_unit_test_setup_teardown(wrong_answers_are_not_believed, start, stop),
        cmocka_unit_test_setup_teardown(options_are_values, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_here_says_so, start, stop),
        cmocka_unit_test_setup_teardown(kernel_twins_return_their_own_codes, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
