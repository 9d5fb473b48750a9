#include "client/operation.h"

#include "pend_script.h"

#include "client/redirect.h"
#include "client/verifier.h"

#define CONNECT FWPS_LAYER_ALE_AUTH_CONNECT_V4
#define REDIRECT FWPS_LAYER_ALE_CONNECT_REDIRECT_V4

static HANDLE context;
static NTSTATUS status;
static UINT64 handle;
static uint32_t again_action;

static void block_and_absorb(FWPS_CLASSIFY_OUT0 *out)
{
    out->actionType = FWP_ACTION_BLOCK;
    out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
    out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

static void pend(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *given,
                 FWPS_CLASSIFY_OUT0 *out)
{
    if (!FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_COMPLETION_HANDLE)) {
        out->actionType = again_action;
        return;
    }
    status = FwpsPendOperation0(metadata->completionHandle, &context);
    block_and_absorb(out);
}

static void pend_connect(uint32_t serial)
{
    script.classify = pend;
    again_action = FWP_ACTION_PERMIT;
    script_ask(serial, CONNECT, false, NULL, 0, 0);
    const struct wall_classify_reply *reply = script_reply(serial);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(reply->pended, WALL_PENDED_OPERATION);
    assert_int_equal(reply->out.actionType, FWP_ACTION_BLOCK);
    assert_int_equal(reply->out.flags, FWPS_CLASSIFY_OUT_FLAG_ABSORB);
}

static void the_reauthorization_runs_on_the_completing_thread(void **state)
{
    pend_connect(1);
    script.reauthorize = 2;
    FwpsCompleteOperation0(context, NULL);
    assert_int_equal(script.classifies, 2);
    assert_true(pthread_equal(script.classify_thread, pthread_self()));
    assert_int_equal(script_reply(2)->out.actionType, FWP_ACTION_PERMIT);
    assert_int_equal(script.complete.classify_id, 1001);
    assert_false(script.complete.packet_follows);
    assert_nothing_reported();
}

static void completing_twice_is_reported(void **state)
{
    pend_connect(1);
    FwpsCompleteOperation0(context, NULL);
    FwpsCompleteOperation0(context, NULL);
    assert_reported("FwpsCompleteOperation0", "twice");
    assert_int_equal(script.completes, 1);
    FwpsCompleteOperation0((HANDLE)0x7777777777, NULL);
    assert_reported("FwpsCompleteOperation0", "none that a pend has given");
    FwpsCompleteOperation0(NULL, NULL);
    assert_reported("FwpsCompleteOperation0", "none that a pend has given");
    assert_int_equal(script.completes, 1);
}

static void pend_and_complete(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet,
                              const void *given, FWPS_CLASSIFY_OUT0 *out)
{
    pend(metadata, packet, given, out);
    FwpsCompleteOperation0(context, NULL);
    assert_int_equal(script.completes, 0);
}

static void completing_inside_is_postponed_and_reported(void **state)
{
    script.classify = pend_and_complete;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_OPERATION);
    script_wait(&script.completes, 1);
    assert_reported("FwpsCompleteOperation0", "from within");
}

static pthread_t other;

static void *complete_elsewhere(void *unused)
{
    FwpsCompleteOperation0(context, NULL);
    return NULL;
}

static void pend_and_race(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *given,
                          FWPS_CLASSIFY_OUT0 *out)
{
    pend(metadata, packet, given, out);
    (void)pthread_create(&other, NULL, complete_elsewhere, NULL);
    (void)pthread_join(other, NULL);  // it did not wait for us
    assert_int_equal(script.completes, 0);
}

static void completing_too_early_elsewhere_is_postponed(void **state)
{
    script.classify = pend_and_race;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_OPERATION);
    script_wait(&script.completes, 1);
    assert_nothing_reported();
}

static void pend_anyway(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *given,
                        FWPS_CLASSIFY_OUT0 *out)
{
    status = FwpsPendOperation0((HANDLE)1001, &context);
    out->actionType = FWP_ACTION_PERMIT;
}

static void pending_a_reauthorization_fails(void **state)
{
    script.classify = pend_anyway;
    script_ask(1, CONNECT, true, NULL, 0, 0);
    const struct wall_classify_reply *reply = script_reply(1);
    assert_int_equal(status, STATUS_FWP_CANNOT_PEND);
    assert_int_equal(reply->pended, WALL_PENDED_NOT);
    assert_int_equal(reply->out.actionType, FWP_ACTION_BLOCK);  // a rule was broken: it fails closed
    assert_reported("FwpsPendOperation0", "no completion handle");
}

static void pend_twice(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *given,
                       FWPS_CLASSIFY_OUT0 *out)
{
    HANDLE second;
    pend(metadata, packet, given, out);
    assert_int_equal(FwpsPendOperation0(metadata->completionHandle, &second), STATUS_FWP_CANNOT_PEND);
}

static void one_classification_pends_once(void **state)
{
    script.classify = pend_twice;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_OPERATION);
    assert_reported("FwpsPendOperation0", "pended already");
    FwpsCompleteOperation0(context, NULL);
}

static void pend_with_another_handle(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet,
                                     const void *given, FWPS_CLASSIFY_OUT0 *out)
{
    status = FwpsPendOperation0((HANDLE)4711, &context);
    block_and_absorb(out);
}

static void handles_belong_to_their_classification(void **state)
{
    script.classify = pend_with_another_handle;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_NOT);
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    assert_reported("FwpsPendOperation0", "not the completion handle");
    assert_int_equal(FwpsPendOperation0((HANDLE)1001, &context), STATUS_FWP_CANNOT_PEND);
    assert_reported("FwpsPendOperation0", "outside of classifyFn");
}

static void a_callout_with_pends_cannot_leave(void **state)
{
    pend_connect(1);
    assert_int_equal(FwpsCalloutUnregisterById0(script.callout_id), STATUS_DEVICE_BUSY);
    assert_reported("FwpsCalloutUnregister", "not complete");
    FwpsCompleteOperation0(context, NULL);
    assert_int_equal(FwpsCalloutUnregisterById0(script.callout_id), STATUS_SUCCESS);
}

static void a_lost_service_is_not_told(void **state)
{
    pend_connect(1);
    fake_service_drop(&script.service);
    script_wait(&script.registrations, 2);  // with what is as good as a new one
    FwpsCompleteOperation0(context, NULL);
    assert_int_equal(script.completes, 0);
    assert_nothing_reported();
}

static void wait_at_dispatch(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet,
                             const void *given, FWPS_CLASSIFY_OUT0 *out)
{
    KIRQL irql;
    LARGE_INTEGER soon = { .QuadPart = -10 };
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    (void)KeDelayExecutionThread(KernelMode, FALSE, &soon);
    KeLowerIrql(irql);
    out->actionType = FWP_ACTION_PERMIT;
}

static void waiting_at_dispatch_fails_closed(void **state)
{
    script.classify = wait_at_dispatch;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->out.actionType, FWP_ACTION_BLOCK);
    assert_false(script.replies[1].out.rights & FWPS_RIGHT_ACTION_WRITE);
    assert_reported("KeDelayExecutionThread", "IRQL 2");
}

// --- FwpsPendClassify ---

static void pend_redirect(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *given,
                          FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(FwpsAcquireClassifyHandle0((void *)(uintptr_t)given, 0, &handle), STATUS_SUCCESS);
    status = FwpsPendClassify0(handle, 9, 0, out);
    block_and_absorb(out);
}

static void a_pended_classify_is_completed_with_an_answer(void **state)
{
    const FWPS_CLASSIFY_OUT0 permit = { .actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE };
    script.classify = pend_redirect;
    script_ask(1, REDIRECT, true, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_CLASSIFY);
    assert_int_equal(status, STATUS_SUCCESS);
    FwpsCompleteClassify0(handle, 0, &permit);
    assert_int_equal(script.classify_complete.classify_id, 1001);
    assert_false(script.classify_complete.again);
    assert_int_equal(script.classify_complete.out.actionType, FWP_ACTION_PERMIT);
    FwpsCompleteClassify0(handle, 0, &permit);
    assert_reported("FwpsCompleteClassify0", "twice");
    FwpsReleaseClassifyHandle0(handle);
    assert_nothing_reported();
    FwpsReleaseClassifyHandle0(handle);
    assert_reported("FwpsReleaseClassifyHandle0", "not held");
    assert_int_equal(script.classify_completes, 1);
}

static void or_classified_again(void **state)
{
    script.classify = pend_redirect;
    script_ask(1, REDIRECT, true, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_CLASSIFY);
    FwpsReleaseClassifyHandle0(handle);  // the pend has its own reference
    FwpsCompleteClassify0(handle, 0, NULL);
    assert_true(script.classify_complete.again);
    assert_nothing_reported();
}

// --- FwpsAcquireWritableLayerDataPointer ---

static void write_port(UINT64 to, uint16_t port, FWPS_CLASSIFY_OUT0 *out)
{
    const uint8_t proxy[4] = { 127, 0, 0, 1 };
    PVOID data = NULL;
    assert_int_equal(FwpsAcquireWritableLayerDataPointer0(to, 9, 0, &data, out), STATUS_SUCCESS);
    wall_redirect_address(false, proxy, port, &((FWPS_CONNECT_REQUEST0 *)data)->remoteAddressAndPort);
    FwpsApplyModifiedLayerData0(to, data, 0);
}

static void redirect_at_once(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet,
                             const void *given, FWPS_CLASSIFY_OUT0 *out)
{
    assert_int_equal(FwpsAcquireClassifyHandle0((void *)(uintptr_t)given, 0, &handle), STATUS_SUCCESS);
    write_port(handle, 9000, out);
    assert_int_equal(out->actionType, FWP_ACTION_BLOCK);
    assert_false(out->rights & FWPS_RIGHT_ACTION_WRITE);
    out->actionType = FWP_ACTION_PERMIT;
    FwpsReleaseClassifyHandle0(handle);
}

static void what_is_written_comes_with_the_answer(void **state)
{
    script.classify = redirect_at_once;
    script_ask(1, REDIRECT, true, NULL, 0, 0);
    assert_int_equal(script_reply(1)->out.actionType, FWP_ACTION_PERMIT);
    assert_int_equal(script.redirected[1], 9000);
}

static void or_with_the_completion(void **state)
{
    const FWPS_CLASSIFY_OUT0 permit = { .actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE };
    PVOID data;
    script.classify = pend_redirect;
    script_ask(1, REDIRECT, true, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_CLASSIFY);
    assert_int_equal(script.redirected[1], 0);
    write_port(handle, 9001, NULL);
    FwpsCompleteClassify0(handle, 0, &permit);
    assert_int_equal(script.redirected_late, 9001);
    FwpsApplyModifiedLayerData0(handle, NULL, 0);
    assert_reported("FwpsApplyModifiedLayerData0", "not the writable data");
    assert_int_equal(FwpsAcquireWritableLayerDataPointer0(handle, 9, 0, &data, NULL), STATUS_INVALID_PARAMETER);
    assert_reported("FwpsAcquireWritableLayerDataPointer0", "no data that may be written");
    FwpsReleaseClassifyHandle0(handle);
}

static void each_function_has_its_layers(void **state)
{
    script.classify = pend_redirect;
    script_ask(1, CONNECT, false, NULL, 0, 0);
    assert_int_equal(script_reply(1)->pended, WALL_PENDED_NOT);
    assert_int_equal(status, STATUS_FWP_CANNOT_PEND);
    assert_reported("FwpsPendClassify0", "use FwpsPendOperation0");
    FwpsCompleteClassify0(handle, 0, NULL);
    assert_reported("FwpsCompleteClassify0", "nothing was pended");
    FwpsReleaseClassifyHandle0(handle);
    assert_int_equal(FwpsAcquireClassifyHandle0(&handle, 0, &handle), STATUS_INVALID_PARAMETER);
    assert_reported("FwpsAcquireClassifyHandle0", "not the context");
}

static void violations_are_counted_for_their_thread(void **state)
{
    uint64_t before = wall_verifier_count();
    wall_verifier_report("Test", "number %d", 1);
    assert_int_equal(wall_verifier_count(), before + 1);
    assert_reported("Test", "number 1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_start, script_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_reauthorization_runs_on_the_completing_thread),
        TEST(completing_twice_is_reported),
        TEST(completing_inside_is_postponed_and_reported),
        TEST(completing_too_early_elsewhere_is_postponed),
        TEST(pending_a_reauthorization_fails),
        TEST(one_classification_pends_once),
        TEST(handles_belong_to_their_classification),
        TEST(a_callout_with_pends_cannot_leave),
        TEST(a_lost_service_is_not_told),
        TEST(waiting_at_dispatch_fails_closed),
        TEST(a_pended_classify_is_completed_with_an_answer),
        TEST(or_classified_again),
        TEST(what_is_written_comes_with_the_answer),
        TEST(or_with_the_completion),
        TEST(each_function_has_its_layers),
        TEST(violations_are_counted_for_their_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
