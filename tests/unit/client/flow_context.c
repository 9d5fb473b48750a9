#include "client/flow_context.h"

#include "callout_script.h"

static void flow_contexts_live_with_their_flow(void **state)
{
    UINT32 id = register_driver();
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id + 1, 5), STATUS_FWP_CALLOUT_NOT_FOUND);
    refuse_flow = (uint32_t)STATUS_NOT_SUPPORTED;
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 5), STATUS_NOT_SUPPORTED);
    refuse_flow = 0;
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 5), STATUS_SUCCESS);
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 6), STATUS_OBJECT_NAME_EXISTS);
    assert_int_equal(FwpsFlowAssociateContext0(77, 53, id, 7), STATUS_SUCCESS);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_DEVICE_BUSY);

    // The flow ends at one layer; the driver lets go at the other.
    struct wall_flow_delete_request request = {
        .flow_handle = 77, .callout_id = first_id, .layer_id = 52, .flow_context = 5
    };
    fake_request(channel, WALL_MESSAGE_FLOW_DELETE, 1, &request);
    assert_int_equal(wait_answer(1), 0);
    assert_int_equal(driver.deleted_flow_context, 5);
    assert_int_equal(driver.irql, 2);
    fake_request(channel, WALL_MESSAGE_FLOW_DELETE, 2, &request);
    assert_int_equal(wait_answer(2), (uint32_t)STATUS_NOT_FOUND);
    assert_int_equal(driver.deletions, 1);

    assert_int_equal(FwpsFlowRemoveContext0(77, 52, id), STATUS_UNSUCCESSFUL);
    refuse_flow = (uint32_t)STATUS_PENDING;
    assert_int_equal(FwpsFlowRemoveContext0(77, 53, id), STATUS_PENDING);
    assert_int_equal(driver.deletions, 1);
    refuse_flow = 0;
    assert_int_equal(FwpsFlowRemoveContext0(77, 53, id), STATUS_SUCCESS);
    assert_int_equal(driver.deletions, 2);
    assert_int_equal(driver.deleted_flow_context, 7);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

static void flows_need_a_delete_function(void **state)
{
    UINT32 id;
    FWPS_CALLOUT3 callout = { callout_key, 0, classify, notify, NULL };
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_SUCCESS);
    assert_int_equal(FwpsFlowAssociateContext0(77, 52, id, 5), STATUS_INVALID_PARAMETER);
    assert_int_equal(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flow_contexts_live_with_their_flow, start, stop),
        cmocka_unit_test_setup_teardown(flows_need_a_delete_function, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
