#include "client/classify.h"

#include "callout_script.h"

static void classify0(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                      void *layer_data, const FWPS_FILTER0 *filter, UINT64 flow_context, FWPS_CLASSIFY_OUT0 *out)
{
    classify(values, metadata, layer_data, NULL, (const FWPS_FILTER3 *)filter, flow_context, out);
}

static NTSTATUS notify0(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER0 *filter)
{
    return notify(type, key, (FWPS_FILTER3 *)filter);
}

static void classify_gets_everything(void **state)
{
    UINT32 id = register_driver();
    ask(1, 2, id);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(answers[1].out.actionType, FWP_ACTION_PERMIT);
    assert_int_equal(answers[1].out.rights, FWPS_RIGHT_ACTION_WRITE);
    assert_int_equal(driver.irql, 2);
    assert_int_equal(driver.process, 0);
    assert_int_equal(driver.layer_id, 48);
    assert_int_equal(driver.remote_port, 443);
    assert_int_equal(driver.condition_port, 80);
    assert_int_equal(driver.seen_context, 0xC0);
    assert_int_equal(driver.flow_context, 0xF10);
    assert_int_equal(driver.callout_id, id);
    assert_int_equal(driver.suggested, FWP_ACTION_CONTINUE);
    assert_true(driver.had_classify_context);
    assert_false(driver.had_layer_data);
    assert_memory_equal(driver.path, L"/usr/bin/curl", sizeof(L"/usr/bin/curl"));
    assert_int_equal(driver.metadata.processId, 4242);
    assert_int_equal(driver.metadata.flowHandle, 77);

    // What is absent is no number by chance, and what the message cannot carry is not announced.
    assert_false(FWPS_IS_METADATA_FIELD_PRESENT(&driver.metadata, FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER));
    UINT64 poison;
    memset(&poison, WALL_METADATA_POISON, sizeof(poison));
    assert_int_equal((uintptr_t)driver.metadata.headerIncludeHeader, poison);
    assert_int_equal(driver.metadata.transportEndpointHandle, poison);
    assert_int_equal((uintptr_t)driver.metadata.controlData, poison);
    assert_int_equal(driver.metadata.currentL2MetadataValues, 0);

    // At PASSIVE_LEVEL it runs in the process that called.
    driver.answer = FWP_ACTION_BLOCK;
    ask(2, 0, id);
    assert_int_equal(wait_answer(2), 0);
    assert_int_equal(answers[2].out.actionType, FWP_ACTION_BLOCK);
    assert_int_equal(answers[2].out.rights, 0);
    assert_int_equal(driver.irql, 0);
    assert_int_equal(driver.process, 4242);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void version_0_has_no_classify_context(void **state)
{
    UINT32 id;
    memset(&driver, 0, sizeof(driver));
    driver.answer = FWP_ACTION_CONTINUE;
    FWPS_CALLOUT0 callout = { callout_key, 0, classify0, notify0, NULL };
    assert_int_equal(FwpsCalloutRegister0(NULL, &callout, &id), STATUS_SUCCESS);
    ask(1, 0, id);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(answers[1].out.actionType, FWP_ACTION_CONTINUE);
    assert_false(driver.had_classify_context);
    assert_int_equal(driver.condition_port, 80);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void an_action_that_is_none_blocks(void **state)
{
    UINT32 id = register_driver();
    driver.answer = FWP_ACTION_CALLOUT_TERMINATING;
    ask(1, 0, id);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(answers[1].out.actionType, FWP_ACTION_BLOCK);
    assert_int_equal(answers[1].out.rights, 0);
    wait_report("action 0x5003");
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void a_wrong_irql_is_reported_and_mended(void **state)
{
    UINT32 id = register_driver();
    driver.leave_irql = 3;  // 2: a spin lock that was not released
    ask(1, 0, id);
    assert_int_equal(wait_answer(1), 0);
    wait_report("classifyFn of callout {12345678-0001-0002-0304-05060708090a} was called at IRQL 0 and returned at "
                "IRQL 2");
    driver.leave_irql = 1;  // 0: lowered too far
    ask(2, 2, id);
    assert_int_equal(wait_answer(2), 0);
    wait_report("was called at IRQL 2 and returned at IRQL 0");
    driver.leave_irql = 0;
    ask(3, 0, id);
    assert_int_equal(wait_answer(3), 0);
    assert_int_equal(driver.irql, 0);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void unknown_callouts_are_refused(void **state)
{
    UINT32 id = register_driver();
    ask(1, 0, id + 5);
    assert_int_equal(wait_answer(1), (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND);
    ask(2, 0, 0);
    assert_int_equal(wait_answer(2), (uint32_t)STATUS_FWP_CALLOUT_NOT_FOUND);
    assert_int_equal(driver.calls, 0);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void classifications_run_in_parallel(void **state)
{
    UINT32 id = register_driver();
    hold_driver();
    for (uint32_t serial = 1; serial <= 20; serial++)
        ask(serial, 0, id);
    wait_running(8);
    // The ninth waits, and can be taken back; one that runs cannot.
    fake_notify(channel, WALL_MESSAGE_CLASSIFY_CANCEL, &(struct wall_classify_cancel_notification){ 1000 + 20 });
    assert_int_equal(wait_answer(20), (uint32_t)STATUS_CANCELLED);
    fake_notify(channel, WALL_MESSAGE_CLASSIFY_CANCEL, &(struct wall_classify_cancel_notification){ 1000 + 1 });
    fake_notify(channel, WALL_MESSAGE_CLASSIFY_CANCEL, &(struct wall_classify_cancel_notification){ 5 });
    ask(21, 0, id);  // behind the one that was taken back
    release_driver();
    for (uint32_t serial = 1; serial <= 21; serial++)
        if (serial != 20)
            assert_int_equal(wait_answer(serial), 0);
    assert_int_equal(driver.calls, 20);
    assert_int_equal(driver.most_running, 8);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(classify_gets_everything, start, stop),
        cmocka_unit_test_setup_teardown(version_0_has_no_classify_context, start, stop),
        cmocka_unit_test_setup_teardown(an_action_that_is_none_blocks, start, stop),
        cmocka_unit_test_setup_teardown(a_wrong_irql_is_reported_and_mended, start, stop),
        cmocka_unit_test_setup_teardown(unknown_callouts_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(classifications_run_in_parallel, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
