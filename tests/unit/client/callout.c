#include "client/callout.h"

#include <errno.h>
#include <unistd.h>

#include "callout_script.h"
#include "winerror.h"

static void registering_gives_an_id(void **state)
{
    UINT32 id = register_driver();
    assert_int_equal(id, 300);
    assert_memory_equal(&registered_key, &callout_key, sizeof(callout_key));
    assert_int_equal(registered_flow_delete, 1);

    FWPS_CALLOUT3 again = { callout_key, 0, classify, notify, NULL };
    assert_int_equal(FwpsCalloutRegister3(NULL, &again, &id), STATUS_FWP_ALREADY_EXISTS);
    assert_int_equal(FwpsCalloutUnregisterById0(300), STATUS_SUCCESS);
    assert_int_equal(unregistrations, 1);
    assert_int_equal(FwpsCalloutUnregisterById0(300), STATUS_FWP_CALLOUT_NOT_FOUND);
    assert_int_equal(FwpsCalloutRegister3(NULL, &again, NULL), STATUS_SUCCESS);
    assert_int_equal(registered_flow_delete, 0);
    assert_int_equal(FwpsCalloutUnregisterByKey0(&callout_key), STATUS_SUCCESS);
    assert_int_equal(FwpsCalloutUnregisterByKey0(&callout_key), STATUS_FWP_CALLOUT_NOT_FOUND);
}

static void wrong_arguments_are_refused(void **state)
{
    UINT32 id;
    assert_int_equal(FwpsCalloutRegister0(NULL, NULL, &id), STATUS_INVALID_PARAMETER);
    FWPS_CALLOUT3 callout = { callout_key, 0, NULL, notify, NULL };
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_INVALID_PARAMETER);
    callout = (FWPS_CALLOUT3){ callout_key, 0, classify, NULL, NULL };
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_INVALID_PARAMETER);
    callout = (FWPS_CALLOUT3){ { 0 }, 0, classify, notify, NULL };
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_INVALID_PARAMETER);
    assert_int_equal(FwpsCalloutUnregisterByKey0(NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(registrations, 0);
}

static void the_services_refusal_is_returned(void **state)
{
    UINT32 id = 0;
    FWPS_CALLOUT3 callout = { callout_key, 0, classify, notify, NULL };
    refuse_registration = (uint32_t)STATUS_FWP_ALREADY_EXISTS;
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_FWP_ALREADY_EXISTS);
    refuse_registration = ERROR_ACCESS_DENIED;  // of the message, before it was looked at
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_ACCESS_DENIED);
    assert_int_equal(id, 0);
    refuse_registration = 0;
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_SUCCESS);
    refuse_unregistration = (uint32_t)STATUS_DEVICE_BUSY;
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_DEVICE_BUSY);
    refuse_unregistration = 0;
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void *unregister(void *argument)
{
    return (void *)(uintptr_t)(uint32_t)FwpsCalloutUnregisterById0((UINT32)(uintptr_t)argument);
}

static void unregistering_waits_for_callbacks(void **state)
{
    UINT32 id = register_driver();
    hold_driver();
    ask(1, 0, id);
    wait_running(1);
    pthread_t thread;
    void *status = NULL;
    pthread_create(&thread, NULL, unregister, (void *)(uintptr_t)id);
    usleep(20000);
    assert_int_equal(pthread_tryjoin_np(thread, &status), EBUSY);
    // Another one has no callout to unregister.
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_FWP_CALLOUT_NOT_FOUND);
    release_driver();
    pthread_join(thread, &status);
    assert_int_equal((uintptr_t)status, STATUS_SUCCESS);
    assert_int_equal(wait_answer(1), 0);
    ask(2, 0, id);
    assert_int_equal(wait_answer(2), (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND);
}

static void contexts_of_filters_are_kept(void **state)
{
    UINT32 id = register_driver();
    driver.give_context = 0xABCDEF;
    tell(1, FWPS_CALLOUT_NOTIFY_ADD_FILTER, 9);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(answers[1].filter_context, 0xABCDEF);
    assert_true(driver.had_key);
    ask(2, 0, id);
    assert_int_equal(wait_answer(2), 0);
    assert_int_equal(driver.seen_context, 0xABCDEF);
    tell(3, FWPS_CALLOUT_NOTIFY_DELETE_FILTER, 9);
    assert_int_equal(wait_answer(3), 0);
    assert_int_equal(driver.type, FWPS_CALLOUT_NOTIFY_DELETE_FILTER);
    assert_false(driver.had_key);
    assert_int_equal(driver.deleted_context, 0xABCDEF);
    ask(4, 0, id);
    assert_int_equal(wait_answer(4), 0);
    assert_int_equal(driver.seen_context, 0xC0);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void a_filter_can_be_refused(void **state)
{
    UINT32 id = register_driver();
    driver.notify_answer = STATUS_INVALID_PARAMETER;
    driver.give_context = 1;
    tell(1, FWPS_CALLOUT_NOTIFY_ADD_FILTER, 9);
    assert_int_equal(wait_answer(1), (uint32_t)STATUS_INVALID_PARAMETER);
    ask(2, 0, id);
    assert_int_equal(wait_answer(2), 0);
    assert_int_equal(driver.seen_context, 0xC0);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void what_is_not_here_says_so(void **state)
{
    NET_BUFFER_LIST *list;
    assert_int_equal(FwpsStreamInjectAsync0(NULL, NULL, 0, 0, 0, 0, 0, NULL, 0, NULL, NULL),
                     STATUS_NOT_SUPPORTED);
    // Packets need libntos, which this program has not.
    assert_int_equal(FwpsAllocateCloneNetBufferList0((NET_BUFFER_LIST *)&list, NULL, NULL, 0, &list),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(FwpsQueryPacketInjectionState0(NULL, NULL, NULL), FWPS_PACKET_NOT_INJECTED);
    SIZE_T copied = 5;
    FwpsCopyStreamDataToBuffer0(NULL, NULL, 0, &copied);
    assert_int_equal(copied, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registering_gives_an_id, start, stop),
        cmocka_unit_test_setup_teardown(wrong_arguments_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(the_services_refusal_is_returned, start, stop),
        cmocka_unit_test_setup_teardown(unregistering_waits_for_callbacks, start, stop),
        cmocka_unit_test_setup_teardown(contexts_of_filters_are_kept, start, stop),
        cmocka_unit_test_setup_teardown(a_filter_can_be_refused, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_here_says_so, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
