#include "client/injection.h"

#include "pend_script.h"

static const uint8_t packet[28] = { 0x45, 0, 0, 28, [8] = 64, 17, [12] = 10, 9, 0, 2, 10, 9, 0, 1 };

static HANDLE injector;
static unsigned completions;
static NTSTATUS completed;
static KIRQL completed_irql;
static NET_BUFFER_LIST *list;
static MDL *mdl;
static uint8_t data[28];

static int start(void **state)
{
    static NDIS_HANDLE pool;
    NET_BUFFER_LIST_POOL_PARAMETERS parameters = {
        .Header = { NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, sizeof(parameters) },
        .fAllocateNetBuffer = TRUE, .PoolTag = 'tseT',
    };
    if (!pool)
        pool = NdisAllocateNetBufferListPool(NULL, &parameters);
    int r = script_start(state);
    memcpy(data, packet, sizeof(data));
    mdl = NdisAllocateMdl(NULL, data, sizeof(data));
    completions = 0;
    if (FwpsAllocateNetBufferAndNetBufferList0(pool, 0, 0, mdl, 0, sizeof(data), &list) != STATUS_SUCCESS)
        return -1;
    return r == 0 ? FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_TRANSPORT, &injector) : r;
}

static int stop(void **state)
{
    FwpsFreeNetBufferList0(list);
    NdisFreeMdl(mdl);
    return script_stop(state);
}

static void done(void *context, NET_BUFFER_LIST *given, BOOLEAN dispatch)
{
    assert_ptr_equal(given, list);
    assert_ptr_equal(context, &completions);
    pthread_mutex_lock(&script.lock);
    completions++;
    completed = NET_BUFFER_LIST_STATUS(given);
    completed_irql = KeGetCurrentIrql();
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static NTSTATUS receive(void)
{
    return FwpsInjectTransportReceiveAsync0(injector, (HANDLE)0x55, NULL, 0, AF_INET, 1, 3, 0, list, done,
                                            &completions);
}

static void an_injection_completes(void **state)
{
    assert_int_equal(receive(), STATUS_SUCCESS);
    script_wait(&completions, 1);
    assert_int_equal(completed, STATUS_SUCCESS);
    assert_int_equal(completed_irql, DISPATCH_LEVEL);
    assert_int_equal(script.inject.origin_id, 0);
    assert_int_equal(script.inject.context, 0x55);
    assert_int_equal(script.inject.interface_index, 3);
    assert_true(script.inject.receive);
    assert_memory_equal(script.injected, packet, sizeof(packet));
    assert_int_equal(FwpsInjectionHandleDestroy0(injector), STATUS_SUCCESS);
    assert_int_equal(receive(), STATUS_INVALID_HANDLE);
    assert_int_equal(completions, 1);
    assert_nothing_reported();
}

static void a_failed_one_tells_its_status(void **state)
{
    script.inject_status = (uint32_t)STATUS_NOT_FOUND;
    assert_int_equal(receive(), STATUS_SUCCESS);
    script_wait(&completions, 1);
    assert_int_equal(completed, STATUS_NOT_FOUND);
    assert_int_equal(FwpsInjectionHandleDestroy0(injector), STATUS_SUCCESS);
}

static void destroying_waits(void **state)
{
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(receive(), STATUS_SUCCESS);
    assert_int_equal(FwpsInjectionHandleDestroy0(injector), STATUS_SUCCESS);
    assert_int_equal(completions, 100);
}

static void mistakes_are_told(void **state)
{
    HANDLE other;
    assert_int_equal(FwpsInjectionHandleCreate0(AF_INET, 0, &other), STATUS_INVALID_PARAMETER);
    assert_int_equal(FwpsInjectionHandleDestroy0((HANDLE)4711), STATUS_INVALID_HANDLE);
    assert_reported("FwpsInjectionHandleDestroy0", "no injection handle");
    assert_int_equal(FwpsInjectNetworkSendAsync0(injector, NULL, 0, 1, list, done, &completions),
                     STATUS_INVALID_HANDLE);  // it is for the transport layers
    assert_int_equal(FwpsInjectTransportSendAsync0(injector, NULL, 7, 0, NULL, AF_INET, 1, list, done, &completions),
                     STATUS_INVALID_PARAMETER);
    assert_reported("FwpsInjectTransportSendAsync0", "IP header");
    data[0] = 0;
    assert_int_equal(receive(), STATUS_INVALID_PARAMETER);
    assert_reported("FwpsInjectTransportReceiveAsync0", "does not begin with an IP header");
    assert_int_equal(FwpsInjectionHandleDestroy0(injector), STATUS_SUCCESS);
    assert_int_equal(completions, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_injection_completes),
        TEST(a_failed_one_tells_its_status),
        TEST(destroying_waits),
        TEST(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
