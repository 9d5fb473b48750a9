// The service comes and goes; callouts and what they hold go with it.
#include "client/channel.h"

#include <unistd.h>

#include "callout_script.h"
#include "fwpmk.h"

static unsigned state_count;
static FWPM_SERVICE_STATE last_state;

static void state_changed(void *context, FWPM_SERVICE_STATE state)
{
    pthread_mutex_lock(&lock);
    state_count++;
    last_state = state;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_state(FWPM_SERVICE_STATE state)
{
    pthread_mutex_lock(&lock);
    while (state_count == 0 || last_state != state)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void callouts_survive_the_service(void **state)
{
    HANDLE handle = NULL;
    UINT32 id = register_driver();
    state_count = 0;
    assert_int_equal(FwpmBfeStateGet0(), FWPM_SERVICE_RUNNING);
    assert_int_equal(FwpmBfeStateSubscribeChanges0(NULL, state_changed, NULL, &handle), STATUS_SUCCESS);
    driver.give_context = 0x1D;
    tell(1, FWPS_CALLOUT_NOTIFY_ADD_FILTER, 9);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 5), STATUS_SUCCESS);

    // Gone: flows and filters with it.
    char directory[sizeof(service.directory)];
    memcpy(directory, service.directory, sizeof(directory));
    fake_service_stop(&service);
    wait_state(FWPM_SERVICE_STOPPED);
    assert_int_equal(driver.deletions, 1);
    assert_int_equal(driver.deleted_flow_context, 5);
    assert_int_equal(driver.type, FWPS_CALLOUT_NOTIFY_DELETE_FILTER);
    assert_int_equal(driver.deleted_context, 0x1D);
    assert_int_equal(FwpsFlowAssociateContext0(78, 52, id, 5), STATUS_DEVICE_NOT_CONNECTED);
    assert_int_equal(FwpmBfeStateGet0(), FWPM_SERVICE_STOPPED);

    // Back, with other ids: the driver keeps its own.
    memcpy(service.directory, directory, sizeof(directory));
    registrations = 0;
    first_id = 900;
    fake_service_start(&service);
    wait_state(FWPM_SERVICE_RUNNING);
    wait_registrations(1);
    assert_int_equal(FwpmBfeStateGet0(), FWPM_SERVICE_RUNNING);
    while (FwpsFlowAssociateContext0(79, 52, id, 6) != STATUS_SUCCESS)
        usleep(1000);
    ask(2, 0, 900);
    assert_int_equal(wait_answer(2), 0);
    assert_int_equal(driver.callout_id, id);
    assert_int_equal(FwpsFlowRemoveContext0(79, 52, id), STATUS_SUCCESS);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
    assert_int_equal(FwpmBfeStateUnsubscribeChanges0(handle), STATUS_SUCCESS);
    assert_int_equal(FwpmBfeStateUnsubscribeChanges0(handle), STATUS_INVALID_HANDLE);
}

static void callouts_may_come_before_the_service(void **state)
{
    char directory[sizeof(service.directory)];
    memcpy(directory, service.directory, sizeof(directory));
    fake_service_stop(&service);
    UINT32 id = register_driver();
    assert_true(id >= WALL_CALLOUT_ID_OFFLINE);
    assert_int_equal(FwpmBfeStateGet0(), FWPM_SERVICE_STOPPED);

    memcpy(service.directory, directory, sizeof(directory));
    fake_service_start(&service);
    wait_registrations(1);
    uint32_t serial = 1;
    do {  // the answer to the registration is on its way
        ask(serial, 0, 300);
    } while (wait_answer(serial) == (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND && ++serial < SERIALS);
    assert_int_equal(driver.callout_id, id);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void a_service_that_cannot_be_used_is_no_service(void **state)
{
    UINT32 id = 0;
    FWPS_CALLOUT3 callout = { callout_key, 0, classify, notify, NULL };
    service.protocol = 99;
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_REVISION_MISMATCH);
    assert_int_equal(id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(callouts_survive_the_service, start, stop),
        cmocka_unit_test_setup_teardown(callouts_may_come_before_the_service, start, stop),
        cmocka_unit_test_setup_teardown(a_service_that_cannot_be_used_is_no_service, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
