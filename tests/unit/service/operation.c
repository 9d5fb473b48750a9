// The handlers of the callout channel, through the socket, over the fake datapath.
#include "requests.h"

#include "fwpsmetadata.h"
#include "ntstatus.h"

static const GUID key = {0x21111111, 0x2222, 0x3333, {4}};
static struct lab_client *engine;
static uint32_t callout_id;

static void add_policy(const GUID *layer)
{
    FWPM_CALLOUT0 callout = {.calloutKey = key, .displayData.name = (WCHAR *)L"callout", .applicableLayer = *layer};
    FWPM_FILTER0 filter = make_filter(FWP_ACTION_CALLOUT_UNKNOWN, 0);
    filter.action.calloutKey = key;
    filter.layerKey = *layer;
    engine = open_session(FWPM_SESSION_FLAG_DYNAMIC, 0);
    assert_int_equal(add_object(engine, WALL_OBJECT_CALLOUT, &callout, NULL), 0);
    assert_int_equal(add_object(engine, WALL_OBJECT_FILTER, &filter, NULL), 0);
}

static int at_connect(void **state)
{
    add_policy(&FWPM_LAYER_ALE_AUTH_CONNECT_V4);
    return 0;
}

static int at_accept(void **state)
{
    add_policy(&FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
    return 0;
}

static int at_established(void **state)
{
    add_policy(&FWPM_LAYER_ALE_FLOW_ESTABLISHED_V4);
    return 0;
}

static int remove_policy(void **state)
{
    lab_close(engine);
    return 0;
}

static struct lab_client *register_callout(void)
{
    struct lab_client *driver = lab_hello(WALL_ROLE_CALLOUTS);
    const struct wall_callout_register_request request = {.key = key, .flow_delete = 1};
    struct wall_callout_register_reply *reply = lab_call(driver, WALL_MESSAGE_CALLOUT_REGISTER, &request);
    assert_int_equal(reply->reply.status, 0);
    callout_id = reply->callout_id;
    free(reply);
    return driver;
}

static struct wall_classify_request *expect_question(struct lab_client *driver, uint32_t *ret_serial)
{
    struct wall_classify_request *question = expect_frame(driver, WALL_MESSAGE_CLASSIFY, ret_serial);
    assert_non_null(question);
    return question;
}

static void reply(struct lab_client *driver, uint32_t serial, uint32_t action, enum wall_pended pended)
{
    const struct wall_classify_reply answer = {
        .out = {.actionType = action, .rights = action == FWP_ACTION_BLOCK ? 0 : FWPS_RIGHT_ACTION_WRITE,
                .flags = pended ? FWPS_CLASSIFY_OUT_FLAG_ABSORB : 0},
        .pended = (uint8_t)pended,
    };
    struct wall_buffer buffer = {0};
    assert_int_equal(wall_message_reply(&buffer, WALL_MESSAGE_CLASSIFY, serial, &answer), 0);
    lab_send(driver, buffer.data, buffer.size);
    wall_buffer_done(&buffer);
}

static void a_completion_is_answered_after_its_classification(void **state)
{
    struct lab_client *driver = register_callout();
    uint32_t serial;
    connect_somewhere(101);
    struct wall_classify_request *question = expect_question(driver, &serial);
    assert_true(question->metadata.present & FWPS_METADATA_FIELD_COMPLETION_HANDLE);
    assert_int_equal(question->metadata.completion_handle, question->classify_id);
    const struct wall_operation_complete_request complete = {question->classify_id, 0};
    free(question);
    reply(driver, serial, FWP_ACTION_BLOCK, WALL_PENDED_OPERATION);
    assert_int_equal(decision_of(101), -1);

    struct lab_client *other = lab_hello(WALL_ROLE_CALLOUTS);
    assert_int_equal(lab_status(other, WALL_MESSAGE_OPERATION_COMPLETE, &complete), (uint32_t)STATUS_NOT_FOUND);
    assert_int_equal(decision_of(101), -1);
    lab_close(other);

    lab_send_message(driver, WALL_MESSAGE_OPERATION_COMPLETE, &complete);
    uint32_t complete_serial = driver->serial;
    question = expect_question(driver, &serial);
    assert_int_equal(question->completing_id, complete.classify_id);
    assert_false(question->metadata.present & FWPS_METADATA_FIELD_COMPLETION_HANDLE);
    assert_true(question->metadata.present & FWPS_METADATA_FIELD_PACKET_DIRECTION);
    free(question);
    reply(driver, serial, FWP_ACTION_PERMIT, WALL_PENDED_NOT);
    assert_int_equal(decision_of(101), WALL_FLOW_PERMIT);
    struct wall_frame frame;
    void *done = NULL;
    assert_true(lab_receive(driver, &frame, &done));
    assert_int_equal(frame.type, WALL_MESSAGE_OPERATION_COMPLETE);
    assert_int_equal(frame.serial, complete_serial);
    assert_int_equal(((struct wall_reply *)done)->status, 0);
    free(done);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_OPERATION_COMPLETE, &complete), (uint32_t)STATUS_NOT_FOUND);
    lab_close(driver);
}

static void a_driver_that_dies_while_completing_blocks(void **state)
{
    struct lab_client *driver = register_callout();
    uint32_t serial;
    connect_somewhere(102);
    struct wall_classify_request *question = expect_question(driver, &serial);
    const struct wall_operation_complete_request complete = {question->classify_id, 0};
    free(question);
    reply(driver, serial, FWP_ACTION_BLOCK, WALL_PENDED_OPERATION);
    lab_send_message(driver, WALL_MESSAGE_OPERATION_COMPLETE, &complete);
    (void)service_lab_turn();
    assert_int_equal(decision_of(102), -1);
    lab_close(driver);
    assert_int_equal(decision_of(102), WALL_FLOW_BLOCK);
    assert_null(lab_service.completions);
}

static const uint8_t packet[28] = {0x45, [9] = 17, [12] = 10, 9, 0, 2, 10, 9, 0, 1};

static void receive_somewhere(uint64_t flow_id)
{
    const struct wall_flow flow = {
        .id = flow_id, .handle = flow_id, .layer_id = FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, .family = AF_INET,
        .protocol = IPPROTO_UDP, .executable_path = "/usr/sbin/dnsmasq", .process_name = "dnsmasq", .inbound = true,
        .irql = 2, .packet = packet, .packet_bytes = sizeof(packet), .netns_cookie = 5,
    };
    assert_int_equal(wall_fake_hold(wall_fake_datapath(), &flow), 0);
    (void)service_lab_turn();
}

static struct wall_inject_request make_injection(uint64_t origin_id)
{
    return (struct wall_inject_request){
        .origin_id = origin_id, .unmodified = 1, .receive = 1, .handle = 77, .context = 78, .netns_cookie = 5,
        .packet = {sizeof(packet), (UINT8 *)(uintptr_t)packet},
    };
}

static void an_injected_packet_accepts(void **state)
{
    struct lab_client *driver = register_callout();
    uint32_t serial;
    receive_somewhere(103);
    struct wall_classify_request *question = expect_question(driver, &serial);
    assert_int_equal(question->packet->size, sizeof(packet));
    assert_int_equal(question->packet_offset, 28);
    assert_int_equal(question->metadata.ip_header_size, 20);
    assert_int_equal(question->metadata.transport_header_size, 8);
    assert_false(question->injected);
    uint64_t origin = question->classify_id;
    free(question);
    reply(driver, serial, FWP_ACTION_BLOCK, WALL_PENDED_OPERATION);
    const struct wall_operation_complete_request complete = {origin, 1};
    assert_int_equal(lab_status(driver, WALL_MESSAGE_OPERATION_COMPLETE, &complete), 0);
    assert_int_equal(decision_of(103), -1);

    const struct wall_inject_request injection = make_injection(origin);
    lab_send_message(driver, WALL_MESSAGE_INJECT, &injection);
    question = expect_question(driver, &serial);
    assert_true(question->injected);
    assert_int_equal(question->injection_handle, 77);
    assert_int_equal(question->injection_context, 78);
    free(question);
    reply(driver, serial, FWP_ACTION_PERMIT, WALL_PENDED_NOT);
    assert_int_equal(decision_of(103), WALL_FLOW_PERMIT);
    assert_int_equal(wall_fake_deeds(wall_fake_datapath())->injections, 0);  // the datapath has it already
    lab_close(driver);
}

static void a_dropped_packet_blocks(void **state)
{
    struct lab_client *driver = register_callout();
    uint32_t serial;
    receive_somewhere(104);
    struct wall_classify_request *question = expect_question(driver, &serial);
    const struct wall_operation_complete_request complete = {question->classify_id, 1};
    const struct wall_packet_dropped_notification dropped = {question->classify_id};
    free(question);
    reply(driver, serial, FWP_ACTION_BLOCK, WALL_PENDED_OPERATION);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_OPERATION_COMPLETE, &complete), 0);
    struct wall_buffer buffer = {0};
    assert_int_equal(wall_message_notify(&buffer, WALL_MESSAGE_PACKET_DROPPED, &dropped), 0);
    lab_send(driver, buffer.data, buffer.size);
    wall_buffer_done(&buffer);
    assert_int_equal(decision_of(104), WALL_FLOW_BLOCK);
    lab_close(driver);
}

static void what_the_datapath_sends_is_not_sent_twice(void **state)
{
    struct lab_client *driver = register_callout();
    const struct wall_fake_deeds *deeds = wall_fake_deeds(wall_fake_datapath());
    unsigned before = deeds->injections;
    struct wall_inject_request injection = make_injection(12345);
    injection.receive = 0;
    assert_int_equal(lab_status(driver, WALL_MESSAGE_INJECT, &injection), 0);
    assert_int_equal(deeds->injections, before);
    injection.unmodified = 0;
    assert_int_equal(lab_status(driver, WALL_MESSAGE_INJECT, &injection), 0);
    assert_int_equal(deeds->injections, before + 1);
    assert_false(deeds->injection.receive);
    assert_int_equal(deeds->injection.netns_cookie, 5);
    assert_memory_equal(deeds->packet, packet, sizeof(packet));
    injection.packet.size = 0;
    assert_int_equal(lab_status(driver, WALL_MESSAGE_INJECT, &injection), (uint32_t)STATUS_INVALID_PARAMETER);
    lab_close(driver);
}

static void notice(uint64_t handle, uint16_t layer_id)
{
    const struct wall_flow flow = {.id = handle * 10 + layer_id, .handle = handle, .layer_id = layer_id,
                                   .family = AF_INET, .protocol = IPPROTO_TCP, .executable_path = "/usr/bin/curl",
                                   .process_name = "curl", .socket_cookie = handle + 1, .netns_cookie = 5};
    assert_int_equal(wall_fake_notice(wall_fake_datapath(), &flow), 0);
    (void)service_lab_turn();
}

static void a_flow_context_ends_with_its_flow(void **state)
{
    struct lab_client *driver = register_callout();
    uint32_t serial;
    struct wall_flow_associate_request associate = {.flow_handle = 900, .flow_context = 5, .callout_id = callout_id,
                                                    .layer_id = FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4};
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_ASSOCIATE, &associate), (uint32_t)STATUS_NOT_FOUND);
    notice(900, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4);
    free(expect_question(driver, &serial));
    reply(driver, serial, FWP_ACTION_PERMIT, WALL_PENDED_NOT);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_ASSOCIATE, &associate), 0);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_ASSOCIATE, &associate),
                     (uint32_t)STATUS_OBJECT_NAME_EXISTS);
    // The next classification of the flow at that layer is given it.
    notice(900, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4);
    struct wall_classify_request *question = expect_question(driver, &serial);
    assert_int_equal(question->flow_context, 5);
    assert_int_equal(question->metadata.flow_handle, 900);
    free(question);
    reply(driver, serial, FWP_ACTION_PERMIT, WALL_PENDED_NOT);

    assert_int_equal(wall_fake_end(wall_fake_datapath(), 900), 0);
    (void)service_lab_turn();
    struct wall_flow_delete_request *ended = expect_frame(driver, WALL_MESSAGE_FLOW_DELETE, &serial);
    assert_non_null(ended);
    assert_int_equal(ended->flow_handle, 900);
    assert_int_equal(ended->flow_context, 5);
    assert_int_equal(ended->callout_id, callout_id);
    free(ended);
    const struct wall_flow_remove_request remove = {900, callout_id, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4};
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_REMOVE, &remove), (uint32_t)STATUS_UNSUCCESSFUL);
    lab_close(driver);
}

static void a_block_when_established_cuts(void **state)
{
    struct lab_client *driver = register_callout();
    const struct wall_fake_deeds *deeds = wall_fake_deeds(wall_fake_datapath());
    uint32_t serial;
    unsigned before = deeds->aborts;
    notice(901, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4);
    free(expect_question(driver, &serial));
    reply(driver, serial, FWP_ACTION_BLOCK, WALL_PENDED_NOT);
    assert_int_equal(deeds->aborts, before + 1);
    assert_int_equal(deeds->aborted, 901);
    const struct wall_flow_abort_request abort = {901}, unknown = {902};
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_ABORT, &abort), 0);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_FLOW_ABORT, &unknown), (uint32_t)STATUS_NOT_FOUND);
    lab_close(driver);
}

#define TEST(name, layer) cmocka_unit_test_setup_teardown(name, layer, remove_policy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_completion_is_answered_after_its_classification, at_connect),
        TEST(a_driver_that_dies_while_completing_blocks, at_connect),
        TEST(an_injected_packet_accepts, at_accept),
        TEST(a_dropped_packet_blocks, at_accept),
        TEST(what_the_datapath_sends_is_not_sent_twice, at_accept),
        TEST(a_flow_context_ends_with_its_flow, at_established),
        TEST(a_block_when_established_cuts, at_established),
    };
    RUN_WITH_SERVICE(tests);
}
