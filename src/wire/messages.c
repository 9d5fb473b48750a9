#include "wire/messages.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/shapes.h"
#include "wire/codec.h"

static const struct wall_shape_field reply_fields[] = {
    WALL_FIELD_U32(struct wall_reply, status),
    WALL_FIELD_TEXT8(struct wall_reply, error),
};
WALL_SHAPE(wall_shape_reply, struct wall_reply, reply_fields);

static const struct wall_shape_field plain_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_plain_reply, reply, &wall_shape_reply),
};
static WALL_SHAPE(shape_plain_reply, struct wall_plain_reply, plain_reply_fields);

// --- HELLO ---

static const struct wall_shape_field hello_request_fields[] = {
    WALL_FIELD_U32(struct wall_hello_request, protocol),
    WALL_FIELD_U32(struct wall_hello_request, role),
    WALL_FIELD_U32(struct wall_hello_request, process_id),
    WALL_FIELD_TEXT8(struct wall_hello_request, name),
};
static WALL_SHAPE(shape_hello_request, struct wall_hello_request, hello_request_fields);

static const struct wall_shape_field hello_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_hello_reply, reply, &wall_shape_reply),
    WALL_FIELD_U32(struct wall_hello_reply, protocol),
    WALL_FIELD_TEXT8(struct wall_hello_reply, version),
};
static WALL_SHAPE(shape_hello_reply, struct wall_hello_reply, hello_reply_fields);

// --- Objects of any type ---

// The numbers are on the wire and in stored files.
_Static_assert(WALL_OBJECT_PROVIDER == 0 && WALL_OBJECT_PROVIDER_CONTEXT == 1 && WALL_OBJECT_SUBLAYER == 2 &&
                   WALL_OBJECT_LAYER == 3 && WALL_OBJECT_CALLOUT == 4 && WALL_OBJECT_FILTER == 5 &&
                   WALL_OBJECT_SESSION == 6 && WALL_OBJECT_COUNT_ == 7,
               "object types keep their numbers");

static const struct wall_shape_case any_cases[] = {
    { WALL_OBJECT_PROVIDER, WALL_SHAPE_POINTER, 0, &wall_shape_provider },
    { WALL_OBJECT_PROVIDER_CONTEXT, WALL_SHAPE_POINTER, 0, &wall_shape_provider_context },
    { WALL_OBJECT_SUBLAYER, WALL_SHAPE_POINTER, 0, &wall_shape_sublayer },
    { WALL_OBJECT_LAYER, WALL_SHAPE_POINTER, 0, &wall_shape_layer },
    { WALL_OBJECT_CALLOUT, WALL_SHAPE_POINTER, 0, &wall_shape_callout },
    { WALL_OBJECT_FILTER, WALL_SHAPE_POINTER, 0, &wall_shape_filter },
    { WALL_OBJECT_SESSION, WALL_SHAPE_POINTER, 0, &wall_shape_session },
    { WALL_ANY_NET_EVENT, WALL_SHAPE_POINTER, 0, &wall_shape_net_event },
};
static const struct wall_shape_field any_fields[] = {
    WALL_FIELD_UNION(struct wall_any, pointer, type, any_cases),
};
WALL_SHAPE(wall_shape_any, struct wall_any, any_fields);

static const struct wall_shape_case any_template_cases[] = {
    { WALL_OBJECT_PROVIDER, WALL_SHAPE_POINTER, 0, &wall_shape_provider_template },
    { WALL_OBJECT_PROVIDER_CONTEXT, WALL_SHAPE_POINTER, 0, &wall_shape_provider_context_template },
    { WALL_OBJECT_SUBLAYER, WALL_SHAPE_POINTER, 0, &wall_shape_sublayer_template },
    { WALL_OBJECT_LAYER, WALL_SHAPE_POINTER, 0, &wall_shape_layer_template },
    { WALL_OBJECT_CALLOUT, WALL_SHAPE_POINTER, 0, &wall_shape_callout_template },
    { WALL_OBJECT_FILTER, WALL_SHAPE_POINTER, 0, &wall_shape_filter_template },
    { WALL_OBJECT_SESSION, WALL_SHAPE_POINTER, 0, &wall_shape_session_template },
    { WALL_ANY_NET_EVENT, WALL_SHAPE_POINTER, 0, &wall_shape_net_event_template },
};
static const struct wall_shape_field any_template_fields[] = {
    WALL_FIELD_UNION(struct wall_any_template, pointer, type, any_template_cases),
};
static WALL_SHAPE(shape_any_template, struct wall_any_template, any_template_fields);

// --- Management ---

static const struct wall_shape_field session_open_request_fields[] = {
    WALL_FIELD_POINTER(struct wall_session_open_request, session, &wall_shape_session),
};
static WALL_SHAPE(shape_session_open_request, struct wall_session_open_request, session_open_request_fields);

static const struct wall_shape_field transaction_begin_request_fields[] = {
    WALL_FIELD_U32(struct wall_transaction_begin_request, flags),
};
static WALL_SHAPE(shape_transaction_begin_request, struct wall_transaction_begin_request,
                  transaction_begin_request_fields);

static const struct wall_shape_field object_add_request_fields[] = {
    WALL_FIELD_STRUCT(struct wall_object_add_request, object, &wall_shape_any),
};
static WALL_SHAPE(shape_object_add_request, struct wall_object_add_request, object_add_request_fields);

static const struct wall_shape_field object_add_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_object_add_reply, reply, &wall_shape_reply),
    WALL_FIELD_BYTES(struct wall_object_add_reply, key),
    WALL_FIELD_U64(struct wall_object_add_reply, id),
};
static WALL_SHAPE(shape_object_add_reply, struct wall_object_add_reply, object_add_reply_fields);

static const struct wall_shape_field object_find_request_fields[] = {
    WALL_FIELD_U32(struct wall_object_find_request, type),
    WALL_FIELD_POINTER(struct wall_object_find_request, key, &wall_shape_guid),
    WALL_FIELD_U64(struct wall_object_find_request, id),
};
static WALL_SHAPE(shape_object_find_request, struct wall_object_find_request, object_find_request_fields);

static const struct wall_shape_field object_get_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_object_get_reply, reply, &wall_shape_reply),
    WALL_FIELD_STRUCT(struct wall_object_get_reply, object, &wall_shape_any),
};
static WALL_SHAPE(shape_object_get_reply, struct wall_object_get_reply, object_get_reply_fields);

static const struct wall_shape_field enumeration_new_request_fields[] = {
    WALL_FIELD_STRUCT(struct wall_enumeration_new_request, template_, &shape_any_template),
};
static WALL_SHAPE(shape_enumeration_new_request, struct wall_enumeration_new_request, enumeration_new_request_fields);

static const struct wall_shape_field enumeration_new_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_enumeration_new_reply, reply, &wall_shape_reply),
    WALL_FIELD_U64(struct wall_enumeration_new_reply, enumeration_id),
};
static WALL_SHAPE(shape_enumeration_new_reply, struct wall_enumeration_new_reply, enumeration_new_reply_fields);

static const struct wall_shape_field enumeration_next_request_fields[] = {
    WALL_FIELD_U64(struct wall_enumeration_next_request, enumeration_id),
    WALL_FIELD_U32(struct wall_enumeration_next_request, count),
};
static WALL_SHAPE(shape_enumeration_next_request, struct wall_enumeration_next_request,
                  enumeration_next_request_fields);

static const struct wall_shape_field enumeration_next_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_enumeration_next_reply, reply, &wall_shape_reply),
    WALL_FIELD_ARRAY(struct wall_enumeration_next_reply, objects, count, &wall_shape_any),
    WALL_FIELD_U8(struct wall_enumeration_next_reply, finished),
};
static WALL_SHAPE(shape_enumeration_next_reply, struct wall_enumeration_next_reply, enumeration_next_reply_fields);

static const struct wall_shape_field enumeration_free_request_fields[] = {
    WALL_FIELD_U64(struct wall_enumeration_free_request, enumeration_id),
};
static WALL_SHAPE(shape_enumeration_free_request, struct wall_enumeration_free_request,
                  enumeration_free_request_fields);

static const struct wall_shape_field option_get_request_fields[] = {
    WALL_FIELD_U32(struct wall_option_get_request, option),
};
static WALL_SHAPE(shape_option_get_request, struct wall_option_get_request, option_get_request_fields);

static const struct wall_shape_field option_get_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_option_get_reply, reply, &wall_shape_reply),
    WALL_FIELD_STRUCT(struct wall_option_get_reply, value, &wall_shape_value),
};
static WALL_SHAPE(shape_option_get_reply, struct wall_option_get_reply, option_get_reply_fields);

static const struct wall_shape_field option_set_request_fields[] = {
    WALL_FIELD_U32(struct wall_option_set_request, option),
    WALL_FIELD_STRUCT(struct wall_option_set_request, value, &wall_shape_value),
};
static WALL_SHAPE(shape_option_set_request, struct wall_option_set_request, option_set_request_fields);

static const struct wall_shape_field subscribe_request_fields[] = {
    WALL_FIELD_STRUCT(struct wall_subscribe_request, template_, &shape_any_template),
    WALL_FIELD_U32(struct wall_subscribe_request, flags),
};
static WALL_SHAPE(shape_subscribe_request, struct wall_subscribe_request, subscribe_request_fields);

static const struct wall_shape_field subscribe_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_subscribe_reply, reply, &wall_shape_reply),
    WALL_FIELD_U64(struct wall_subscribe_reply, subscription_id),
};
static WALL_SHAPE(shape_subscribe_reply, struct wall_subscribe_reply, subscribe_reply_fields);

static const struct wall_shape_field unsubscribe_request_fields[] = {
    WALL_FIELD_U64(struct wall_unsubscribe_request, subscription_id),
};
static WALL_SHAPE(shape_unsubscribe_request, struct wall_unsubscribe_request, unsubscribe_request_fields);

static const struct wall_shape_field change_notification_fields[] = {
    WALL_FIELD_U64(struct wall_change_notification, subscription_id),
    WALL_FIELD_U32(struct wall_change_notification, change),
    WALL_FIELD_BYTES(struct wall_change_notification, key),
    WALL_FIELD_U64(struct wall_change_notification, id),
};
static WALL_SHAPE(shape_change_notification, struct wall_change_notification, change_notification_fields);

static const struct wall_shape_field net_event_notification_fields[] = {
    WALL_FIELD_U64(struct wall_net_event_notification, subscription_id),
    WALL_FIELD_POINTER(struct wall_net_event_notification, event, &wall_shape_net_event),
};
static WALL_SHAPE(shape_net_event_notification, struct wall_net_event_notification, net_event_notification_fields);

// --- Control ---

static const struct wall_shape_field status_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_status_reply, reply, &wall_shape_reply),
    WALL_FIELD_TEXT8(struct wall_status_reply, version),
    WALL_FIELD_TEXT8(struct wall_status_reply, scope),
    WALL_FIELD_TEXT8(struct wall_status_reply, datapath),
    WALL_FIELD_U32(struct wall_status_reply, process_id),
    WALL_FIELD_U64(struct wall_status_reply, uptime_ms),
    WALL_FIELD_U64(struct wall_status_reply, generation),
    WALL_FIELD_U32(struct wall_status_reply, filters),
    WALL_FIELD_U32(struct wall_status_reply, callouts),
    WALL_FIELD_U32(struct wall_status_reply, sublayers),
    WALL_FIELD_U32(struct wall_status_reply, providers),
    WALL_FIELD_U32(struct wall_status_reply, sessions),
    WALL_FIELD_U32(struct wall_status_reply, connections),
    WALL_FIELD_U32(struct wall_status_reply, drivers),
    WALL_FIELD_U64(struct wall_status_reply, flows_seen),
    WALL_FIELD_U64(struct wall_status_reply, flows_held_now),
    WALL_FIELD_U64(struct wall_status_reply, flows_permitted),
    WALL_FIELD_U64(struct wall_status_reply, flows_blocked),
    WALL_FIELD_U64(struct wall_status_reply, flows_gone),
    WALL_FIELD_U64(struct wall_status_reply, events_lost),
    WALL_FIELD_U64(struct wall_status_reply, fail_closed),
    WALL_FIELD_U64(struct wall_status_reply, table_bytes),
    WALL_FIELD_U64(struct wall_status_reply, compile_us),
    WALL_FIELD_U64(struct wall_status_reply, load_us),
};
static WALL_SHAPE(shape_status_reply, struct wall_status_reply, status_reply_fields);

static const struct wall_shape_field coverage_record_fields[] = {
    WALL_FIELD_TEXT8(struct wall_coverage_record, name),
    WALL_FIELD_TEXT8(struct wall_coverage_record, state),
    WALL_FIELD_TEXT8(struct wall_coverage_record, detail),
};
static WALL_SHAPE(shape_coverage_record, struct wall_coverage_record, coverage_record_fields);

static const struct wall_shape_field coverage_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_coverage_reply, reply, &wall_shape_reply),
    WALL_FIELD_ARRAY(struct wall_coverage_reply, items, count, &shape_coverage_record),
};
static WALL_SHAPE(shape_coverage_reply, struct wall_coverage_reply, coverage_reply_fields);

static const struct wall_shape_field text_fields[] = {
    WALL_FIELD_TEXT8(struct wall_text, text),
};
static WALL_SHAPE(shape_text, struct wall_text, text_fields);

static const struct wall_shape_field driver_load_request_fields[] = {
    WALL_FIELD_TEXT8(struct wall_driver_load_request, path),
    WALL_FIELD_TEXT8(struct wall_driver_load_request, name),
    WALL_FIELD_ARRAY(struct wall_driver_load_request, parameters, parameter_count, &shape_text),
};
static WALL_SHAPE(shape_driver_load_request, struct wall_driver_load_request, driver_load_request_fields);

static const struct wall_shape_field driver_load_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_driver_load_reply, reply, &wall_shape_reply),
    WALL_FIELD_U32(struct wall_driver_load_reply, process_id),
};
static WALL_SHAPE(shape_driver_load_reply, struct wall_driver_load_reply, driver_load_reply_fields);

static const struct wall_shape_field driver_unload_request_fields[] = {
    WALL_FIELD_TEXT8(struct wall_driver_unload_request, name),
};
static WALL_SHAPE(shape_driver_unload_request, struct wall_driver_unload_request, driver_unload_request_fields);

static const struct wall_shape_field driver_record_fields[] = {
    WALL_FIELD_TEXT8(struct wall_driver_record, name),     WALL_FIELD_TEXT8(struct wall_driver_record, path),
    WALL_FIELD_TEXT8(struct wall_driver_record, state),    WALL_FIELD_TEXT8(struct wall_driver_record, failure),
    WALL_FIELD_U32(struct wall_driver_record, process_id), WALL_FIELD_U32(struct wall_driver_record, callouts),
    WALL_FIELD_U64(struct wall_driver_record, uptime_ms),  WALL_FIELD_U64(struct wall_driver_record, classifies),
    WALL_FIELD_U64(struct wall_driver_record, timeouts),
};
static WALL_SHAPE(shape_driver_record, struct wall_driver_record, driver_record_fields);

static const struct wall_shape_field driver_list_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_driver_list_reply, reply, &wall_shape_reply),
    WALL_FIELD_ARRAY(struct wall_driver_list_reply, drivers, count, &shape_driver_record),
};
static WALL_SHAPE(shape_driver_list_reply, struct wall_driver_list_reply, driver_list_reply_fields);

static const struct wall_shape_field compiled_filter_fields[] = {
    WALL_FIELD_U64(struct wall_compiled_filter_record, filter_id),
    WALL_FIELD_U32(struct wall_compiled_filter_record, needs),
    WALL_FIELD_U16(struct wall_compiled_filter_record, layer_id),
    WALL_FIELD_U16(struct wall_compiled_filter_record, field_id),
    WALL_FIELD_U8(struct wall_compiled_filter_record, kind),
    WALL_FIELD_U8(struct wall_compiled_filter_record, reason),
};
static WALL_SHAPE(shape_compiled_filter, struct wall_compiled_filter_record, compiled_filter_fields);

static const struct wall_shape_field compiled_layer_fields[] = {
    WALL_FIELD_U16(struct wall_compiled_layer_record, layer_id),
    WALL_FIELD_U32(struct wall_compiled_layer_record, filters),
    WALL_FIELD_U32(struct wall_compiled_layer_record, in_kernel),
    WALL_FIELD_U32(struct wall_compiled_layer_record, pages),
    WALL_FIELD_U32(struct wall_compiled_layer_record, slots),
    WALL_FIELD_U32(struct wall_compiled_layer_record, groups),
    WALL_FIELD_U32(struct wall_compiled_layer_record, largest),
};
static WALL_SHAPE(shape_compiled_layer, struct wall_compiled_layer_record, compiled_layer_fields);

static const struct wall_shape_field compiled_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_compiled_reply, reply, &wall_shape_reply),
    WALL_FIELD_ARRAY(struct wall_compiled_reply, layers, layer_count, &shape_compiled_layer),
    WALL_FIELD_ARRAY(struct wall_compiled_reply, filters, filter_count, &shape_compiled_filter),
    WALL_FIELD_U32(struct wall_compiled_reply, filters_left_out),
};
static WALL_SHAPE(shape_compiled_reply, struct wall_compiled_reply, compiled_reply_fields);

static const struct wall_shape_field file_open_request_fields[] = {
    WALL_FIELD_TEXT8(struct wall_file_open_request, driver),
    WALL_FIELD_TEXT8(struct wall_file_open_request, device),
};
static WALL_SHAPE(shape_file_open_request, struct wall_file_open_request, file_open_request_fields);

static const struct wall_shape_field file_open_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_file_open_reply, reply, &wall_shape_reply),
    WALL_FIELD_U64(struct wall_file_open_reply, file_id),
};
static WALL_SHAPE(shape_file_open_reply, struct wall_file_open_reply, file_open_reply_fields);

static const struct wall_shape_field file_control_request_fields[] = {
    WALL_FIELD_U64(struct wall_file_control_request, file_id),
    WALL_FIELD_U32(struct wall_file_control_request, code),
    WALL_FIELD_U32(struct wall_file_control_request, output_size),
    WALL_FIELD_STRUCT(struct wall_file_control_request, input, &wall_shape_blob),
};
static WALL_SHAPE(shape_file_control_request, struct wall_file_control_request, file_control_request_fields);

static const struct wall_shape_field file_control_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_file_control_reply, reply, &wall_shape_reply),
    WALL_FIELD_U32(struct wall_file_control_reply, driver_status),
    WALL_FIELD_STRUCT(struct wall_file_control_reply, output, &wall_shape_blob),
};
static WALL_SHAPE(shape_file_control_reply, struct wall_file_control_reply, file_control_reply_fields);

static const struct wall_shape_field monitor_request_fields[] = {
    WALL_FIELD_U32(struct wall_monitor_request, flags),
};
static WALL_SHAPE(shape_monitor_request, struct wall_monitor_request, monitor_request_fields);

static const struct wall_shape_field monitor_decision_fields[] = {
    WALL_FIELD_U64(struct wall_monitor_decision, time_us),
    WALL_FIELD_U64(struct wall_monitor_decision, held_us),
    WALL_FIELD_U64(struct wall_monitor_decision, filter_id),
    WALL_FIELD_U64(struct wall_monitor_decision, flow_id),
    WALL_FIELD_U64(struct wall_monitor_decision, repeats),
    WALL_FIELD_U32(struct wall_monitor_decision, action),
    WALL_FIELD_U32(struct wall_monitor_decision, process_id),
    WALL_FIELD_U32(struct wall_monitor_decision, user_id),
    WALL_FIELD_U16(struct wall_monitor_decision, layer_id),
    WALL_FIELD_U16(struct wall_monitor_decision, local_port),
    WALL_FIELD_U16(struct wall_monitor_decision, remote_port),
    WALL_FIELD_U8(struct wall_monitor_decision, family),
    WALL_FIELD_U8(struct wall_monitor_decision, protocol),
    WALL_FIELD_U8(struct wall_monitor_decision, veto),
    WALL_FIELD_BYTES(struct wall_monitor_decision, local_address),
    WALL_FIELD_BYTES(struct wall_monitor_decision, remote_address),
    WALL_FIELD_TEXT8(struct wall_monitor_decision, executable),
    WALL_FIELD_TEXT8(struct wall_monitor_decision, process_name),
    WALL_FIELD_TEXT8(struct wall_monitor_decision, filter_name),
    WALL_FIELD_TEXT8(struct wall_monitor_decision, driver),
};
static WALL_SHAPE(shape_monitor_decision, struct wall_monitor_decision, monitor_decision_fields);

static const struct wall_shape_field monitor_line_fields[] = {
    WALL_FIELD_U64(struct wall_monitor_line, time_us),
    WALL_FIELD_TEXT8(struct wall_monitor_line, driver),
    WALL_FIELD_TEXT8(struct wall_monitor_line, line),
};
static WALL_SHAPE(shape_monitor_line, struct wall_monitor_line, monitor_line_fields);

static const struct wall_shape_field monitor_lost_fields[] = {
    WALL_FIELD_U64(struct wall_monitor_lost, count),
};
static WALL_SHAPE(shape_monitor_lost, struct wall_monitor_lost, monitor_lost_fields);

// --- The table, by type ---

#define REQUEST(message, direction, request, reply)                                                                    \
    {                                                                                                                  \
        WALL_MESSAGE_##message, #message, WALL_MESSAGE_##direction, false, request, reply                              \
    }
#define NOTIFICATION(message, direction, request)                                                                      \
    {                                                                                                                  \
        WALL_MESSAGE_##message, #message, WALL_MESSAGE_##direction, true, request, NULL                                \
    }

static const struct wall_message messages[] = {
    REQUEST(HELLO, TO_SERVICE, &shape_hello_request, &shape_hello_reply),
    REQUEST(SESSION_OPEN, TO_SERVICE, &shape_session_open_request, &shape_plain_reply),
    REQUEST(SESSION_CLOSE, TO_SERVICE, NULL, &shape_plain_reply),
    REQUEST(TRANSACTION_BEGIN, TO_SERVICE, &shape_transaction_begin_request, &shape_plain_reply),
    REQUEST(TRANSACTION_COMMIT, TO_SERVICE, NULL, &shape_plain_reply),
    REQUEST(TRANSACTION_ABORT, TO_SERVICE, NULL, &shape_plain_reply),
    REQUEST(OBJECT_ADD, TO_SERVICE, &shape_object_add_request, &shape_object_add_reply),
    REQUEST(OBJECT_DELETE, TO_SERVICE, &shape_object_find_request, &shape_plain_reply),
    REQUEST(OBJECT_GET, TO_SERVICE, &shape_object_find_request, &shape_object_get_reply),
    REQUEST(ENUMERATION_NEW, TO_SERVICE, &shape_enumeration_new_request, &shape_enumeration_new_reply),
    REQUEST(ENUMERATION_NEXT, TO_SERVICE, &shape_enumeration_next_request, &shape_enumeration_next_reply),
    REQUEST(ENUMERATION_FREE, TO_SERVICE, &shape_enumeration_free_request, &shape_plain_reply),
    REQUEST(OPTION_GET, TO_SERVICE, &shape_option_get_request, &shape_option_get_reply),
    REQUEST(OPTION_SET, TO_SERVICE, &shape_option_set_request, &shape_plain_reply),
    REQUEST(SUBSCRIBE, TO_SERVICE, &shape_subscribe_request, &shape_subscribe_reply),
    REQUEST(UNSUBSCRIBE, TO_SERVICE, &shape_unsubscribe_request, &shape_plain_reply),
    NOTIFICATION(CHANGE, TO_CLIENT, &shape_change_notification),
    NOTIFICATION(NET_EVENT, TO_CLIENT, &shape_net_event_notification),
    REQUEST(CALLOUT_REGISTER, TO_SERVICE, &wall_shape_callout_register_request, &wall_shape_callout_register_reply),
    REQUEST(CALLOUT_UNREGISTER, TO_SERVICE, &wall_shape_callout_unregister_request, &shape_plain_reply),
    REQUEST(CLASSIFY, TO_CLIENT, &wall_shape_classify_request, &wall_shape_classify_reply),
    NOTIFICATION(CLASSIFY_CANCEL, TO_CLIENT, &wall_shape_classify_cancel_notification),
    REQUEST(NOTIFY, TO_CLIENT, &wall_shape_notify_request, &wall_shape_notify_reply),
    REQUEST(FLOW_ASSOCIATE, TO_SERVICE, &wall_shape_flow_associate_request, &shape_plain_reply),
    REQUEST(FLOW_REMOVE, TO_SERVICE, &wall_shape_flow_remove_request, &wall_shape_flow_remove_reply),
    REQUEST(FLOW_DELETE, TO_CLIENT, &wall_shape_flow_delete_request, &shape_plain_reply),
    REQUEST(FLOW_ABORT, TO_SERVICE, &wall_shape_flow_abort_request, &shape_plain_reply),
    REQUEST(OPERATION_COMPLETE, TO_SERVICE, &wall_shape_operation_complete_request, &shape_plain_reply),
    REQUEST(CLASSIFY_COMPLETE, TO_SERVICE, &wall_shape_classify_complete_request, &shape_plain_reply),
    REQUEST(INJECT, TO_SERVICE, &wall_shape_inject_request, &shape_plain_reply),
    NOTIFICATION(PACKET_DROPPED, TO_SERVICE, &wall_shape_packet_dropped_notification),
    REQUEST(DEVICE_OPEN, TO_CLIENT, &wall_shape_device_open_request, &shape_plain_reply),
    REQUEST(DEVICE_CONTROL, TO_CLIENT, &wall_shape_device_control_request, &wall_shape_device_control_reply),
    NOTIFICATION(DEVICE_CLOSE, TO_CLIENT, &wall_shape_device_close_notification),
    NOTIFICATION(LOG, TO_SERVICE, &wall_shape_log_notification),
    NOTIFICATION(REPORT, TO_SERVICE, &wall_shape_report_notification),
    REQUEST(STATUS, TO_SERVICE, NULL, &shape_status_reply),
    REQUEST(STOP, TO_SERVICE, NULL, &shape_plain_reply),
    REQUEST(COMPILED, TO_SERVICE, NULL, &shape_compiled_reply),
    REQUEST(COVERAGE, TO_SERVICE, NULL, &shape_coverage_reply),
    REQUEST(DRIVER_LOAD, TO_SERVICE, &shape_driver_load_request, &shape_driver_load_reply),
    REQUEST(DRIVER_UNLOAD, TO_SERVICE, &shape_driver_unload_request, &shape_plain_reply),
    REQUEST(DRIVER_LIST, TO_SERVICE, NULL, &shape_driver_list_reply),
    REQUEST(FILE_OPEN, TO_SERVICE, &shape_file_open_request, &shape_file_open_reply),
    REQUEST(FILE_CONTROL, TO_SERVICE, &shape_file_control_request, &shape_file_control_reply),
    REQUEST(MONITOR, TO_SERVICE, &shape_monitor_request, &shape_plain_reply),
    NOTIFICATION(MONITOR_DECISION, TO_CLIENT, &shape_monitor_decision),
    NOTIFICATION(MONITOR_LINE, TO_CLIENT, &shape_monitor_line),
    NOTIFICATION(MONITOR_LOST, TO_CLIENT, &shape_monitor_lost),
};

#define MESSAGE_COUNT (sizeof(messages) / sizeof(messages[0]))

size_t wall_message_list(const struct wall_message **ret_messages)
{
    *ret_messages = messages;
    return MESSAGE_COUNT;
}

const struct wall_message *wall_message_find(uint16_t type)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++)
        if (messages[i].type == type)
            return &messages[i];
    return NULL;
}

static size_t payload_max(const struct wall_message *message, bool is_reply)
{
    return message->type == WALL_MESSAGE_OBJECT_ADD && !is_reply ? WALL_MESSAGE_ADD_SIZE_MAX : WALL_FRAME_PAYLOAD_MAX;
}

int wall_message_decode(const struct wall_frame *frame, enum wall_message_direction direction, void **ret_object,
                        struct wall_error *err)
{
    const struct wall_message *message = wall_message_find(frame->type);
    bool is_reply = frame->flags & WALL_FRAME_REPLY;
    if (!message || (is_reply && message->notification) || (message->direction == direction) == is_reply)
        return wall_error_set(err, -EPROTO, "message 0x%x does not belong here", (unsigned)frame->type);
    if (frame->payload_size > payload_max(message, is_reply))
        return wall_error_set(err, -EMSGSIZE, "%s is larger than allowed", message->name);

    const struct wall_shape *shape = is_reply ? message->reply : message->request;
    if (shape)
        return wall_decode(shape, frame->payload, frame->payload_size, ret_object, err);
    if (frame->payload_size)
        return wall_error_set(err, -EBADMSG, "%s has no content", message->name);
    *ret_object = NULL;
    return 0;
}

static int append(struct wall_buffer *buffer, enum wall_message_type type, uint16_t flags, uint32_t serial,
                  const void *object)
{
    const struct wall_message *message = wall_message_find((uint16_t)type);
    bool is_reply = flags & WALL_FRAME_REPLY;
    const struct wall_shape *shape = is_reply ? message->reply : message->request;
    size_t start = buffer->size;
    int r = wall_frame_append(buffer, message->type, flags, serial, shape, object);
    if (r < 0)
        return r;
    if (buffer->size - start - WALL_FRAME_HEADER_SIZE > payload_max(message, is_reply)) {
        buffer->size = start;
        return -EMSGSIZE;
    }
    return 0;
}

int wall_message_request(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, const void *object)
{
    return append(buffer, type, 0, serial, object);
}

int wall_message_notify(struct wall_buffer *buffer, enum wall_message_type type, const void *object)
{
    return append(buffer, type, 0, 0, object);
}

int wall_message_reply(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, const void *object)
{
    return append(buffer, type, WALL_FRAME_REPLY, serial, object);
}

int wall_message_refuse(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, uint32_t status,
                        const char *error)
{
    const struct wall_message *message = wall_message_find((uint16_t)type);
    if (!message || !message->reply)
        return -EPROTO;
    // Every reply begins with struct wall_reply; the rest stays zero.
    struct wall_reply *reply = calloc(1, message->reply->size);
    if (!reply)
        return -ENOMEM;
    reply->status = status;
    reply->error = error;
    int r = wall_message_reply(buffer, type, serial, reply);
    free(reply);
    return r;
}
