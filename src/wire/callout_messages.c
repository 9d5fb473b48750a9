#include "wire/callout_messages.h"

#include "engine/shapes.h"

static const struct wall_shape_field callout_register_request_fields[] = {
    WALL_FIELD_BYTES(struct wall_callout_register_request, key),
    WALL_FIELD_U32(struct wall_callout_register_request, flags),
    WALL_FIELD_U8(struct wall_callout_register_request, flow_delete),
    WALL_FIELD_TEXT8(struct wall_callout_register_request, device),
};
WALL_SHAPE(wall_shape_callout_register_request, struct wall_callout_register_request,
                  callout_register_request_fields);

static const struct wall_shape_field callout_register_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_callout_register_reply, reply, &wall_shape_reply),
    WALL_FIELD_U32(struct wall_callout_register_reply, callout_id),
};
WALL_SHAPE(wall_shape_callout_register_reply, struct wall_callout_register_reply, callout_register_reply_fields);

static const struct wall_shape_field callout_unregister_request_fields[] = {
    WALL_FIELD_U32(struct wall_callout_unregister_request, callout_id),
};
WALL_SHAPE(wall_shape_callout_unregister_request, struct wall_callout_unregister_request,
                  callout_unregister_request_fields);

static const struct wall_shape_field discard_fields[] = {
    WALL_FIELD_U32(FWPS_DISCARD_METADATA0, discardModule),
    WALL_FIELD_U32(FWPS_DISCARD_METADATA0, discardReason),
    WALL_FIELD_U64(FWPS_DISCARD_METADATA0, filterId),
};
static WALL_SHAPE(shape_discard, FWPS_DISCARD_METADATA0, discard_fields);

static const struct wall_shape_field fragment_fields[] = {
    WALL_FIELD_U32(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentIdentification),
    WALL_FIELD_U16(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentOffset),
    WALL_FIELD_U32(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentLength),
};
static WALL_SHAPE(shape_fragment, FWPS_INBOUND_FRAGMENT_METADATA0, fragment_fields);

static const struct wall_shape_field redirect_version_fields[] = {
    WALL_FIELD_BYTES(struct wall_redirect_version, local_address),
    WALL_FIELD_BYTES(struct wall_redirect_version, remote_address),
    WALL_FIELD_U16(struct wall_redirect_version, local_port),
    WALL_FIELD_U16(struct wall_redirect_version, remote_port),
    WALL_FIELD_U64(struct wall_redirect_version, filter_id),
    WALL_FIELD_U64(struct wall_redirect_version, handle),
    WALL_FIELD_U32(struct wall_redirect_version, target_process_id),
    WALL_FIELD_STRUCT(struct wall_redirect_version, context, &wall_shape_blob),
};
WALL_SHAPE(wall_shape_redirect_version, struct wall_redirect_version, redirect_version_fields);

static const struct wall_shape_field metadata_fields[] = {
    WALL_FIELD_U32(struct wall_metadata, present),
    WALL_FIELD_U32(struct wall_metadata, flags),
    WALL_FIELD_STRUCT(struct wall_metadata, discard, &shape_discard),
    WALL_FIELD_U64(struct wall_metadata, flow_handle),
    WALL_FIELD_U32(struct wall_metadata, ip_header_size),
    WALL_FIELD_U32(struct wall_metadata, transport_header_size),
    WALL_FIELD_POINTER(struct wall_metadata, process_path, &wall_shape_blob),
    WALL_FIELD_U64(struct wall_metadata, token),
    WALL_FIELD_U64(struct wall_metadata, process_id),
    WALL_FIELD_U32(struct wall_metadata, source_interface_index),
    WALL_FIELD_U32(struct wall_metadata, destination_interface_index),
    WALL_FIELD_U32(struct wall_metadata, compartment_id),
    WALL_FIELD_STRUCT(struct wall_metadata, fragment, &shape_fragment),
    WALL_FIELD_U32(struct wall_metadata, path_mtu),
    WALL_FIELD_U64(struct wall_metadata, completion_handle),
    WALL_FIELD_U64(struct wall_metadata, transport_endpoint_handle),
    WALL_FIELD_U64(struct wall_metadata, parent_endpoint_handle),
    WALL_FIELD_U32(struct wall_metadata, remote_scope_id),
    WALL_FIELD_POINTER(struct wall_metadata, control_data, &wall_shape_blob),
    WALL_FIELD_U32(struct wall_metadata, packet_direction),
    WALL_FIELD_U32(struct wall_metadata, icmp_id_and_sequence),
    WALL_FIELD_U32(struct wall_metadata, local_redirect_target_pid),
    WALL_FIELD_BYTES(struct wall_metadata, original_address),
    WALL_FIELD_U16(struct wall_metadata, original_port),
};
static WALL_SHAPE(shape_metadata, struct wall_metadata, metadata_fields);

static const struct wall_shape_field classify_request_fields[] = {
    WALL_FIELD_U64(struct wall_classify_request, classify_id),
    WALL_FIELD_U32(struct wall_classify_request, callout_id),
    WALL_FIELD_U8(struct wall_classify_request, irql),
    WALL_FIELD_U64(struct wall_classify_request, flow_context),
    WALL_FIELD_STRUCT(struct wall_classify_request, values, &wall_shape_fwps_values),
    WALL_FIELD_STRUCT(struct wall_classify_request, metadata, &shape_metadata),
    WALL_FIELD_STRUCT(struct wall_classify_request, filter, &wall_shape_fwps_filter),
    WALL_FIELD_STRUCT(struct wall_classify_request, out, &wall_shape_classify_out),
    WALL_FIELD_POINTER(struct wall_classify_request, packet, &wall_shape_blob),
    WALL_FIELD_U32(struct wall_classify_request, packet_offset),
    WALL_FIELD_U64(struct wall_classify_request, netns_cookie),
    WALL_FIELD_U64(struct wall_classify_request, completing_id),
    WALL_FIELD_U8(struct wall_classify_request, injected),
    WALL_FIELD_U64(struct wall_classify_request, injection_handle),
    WALL_FIELD_U64(struct wall_classify_request, injection_context),
    WALL_FIELD_ARRAY(struct wall_classify_request, versions, version_count, &wall_shape_redirect_version),
};
WALL_SHAPE(wall_shape_classify_request, struct wall_classify_request, classify_request_fields);

static const struct wall_shape_field classify_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_classify_reply, reply, &wall_shape_reply),
    WALL_FIELD_STRUCT(struct wall_classify_reply, out, &wall_shape_classify_out),
    WALL_FIELD_U8(struct wall_classify_reply, pended),
    WALL_FIELD_POINTER(struct wall_classify_reply, redirect, &wall_shape_redirect_version),
};
WALL_SHAPE(wall_shape_classify_reply, struct wall_classify_reply, classify_reply_fields);

static const struct wall_shape_field classify_cancel_notification_fields[] = {
    WALL_FIELD_U64(struct wall_classify_cancel_notification, classify_id),
};
WALL_SHAPE(wall_shape_classify_cancel_notification, struct wall_classify_cancel_notification,
                  classify_cancel_notification_fields);

static const struct wall_shape_field operation_complete_request_fields[] = {
    WALL_FIELD_U64(struct wall_operation_complete_request, classify_id),
    WALL_FIELD_U8(struct wall_operation_complete_request, packet_follows),
};
WALL_SHAPE(wall_shape_operation_complete_request, struct wall_operation_complete_request,
                  operation_complete_request_fields);

static const struct wall_shape_field classify_complete_request_fields[] = {
    WALL_FIELD_U64(struct wall_classify_complete_request, classify_id),
    WALL_FIELD_U8(struct wall_classify_complete_request, again),
    WALL_FIELD_STRUCT(struct wall_classify_complete_request, out, &wall_shape_classify_out),
    WALL_FIELD_POINTER(struct wall_classify_complete_request, redirect, &wall_shape_redirect_version),
};
WALL_SHAPE(wall_shape_classify_complete_request, struct wall_classify_complete_request,
                  classify_complete_request_fields);

static const struct wall_shape_field inject_request_fields[] = {
    WALL_FIELD_U64(struct wall_inject_request, origin_id),
    WALL_FIELD_U8(struct wall_inject_request, unmodified),
    WALL_FIELD_U8(struct wall_inject_request, receive),
    WALL_FIELD_U64(struct wall_inject_request, handle),
    WALL_FIELD_U64(struct wall_inject_request, context),
    WALL_FIELD_U64(struct wall_inject_request, endpoint_handle),
    WALL_FIELD_U64(struct wall_inject_request, netns_cookie),
    WALL_FIELD_U32(struct wall_inject_request, interface_index),
    WALL_FIELD_STRUCT(struct wall_inject_request, packet, &wall_shape_blob),
};
WALL_SHAPE(wall_shape_inject_request, struct wall_inject_request, inject_request_fields);

static const struct wall_shape_field packet_dropped_notification_fields[] = {
    WALL_FIELD_U64(struct wall_packet_dropped_notification, origin_id),
};
WALL_SHAPE(wall_shape_packet_dropped_notification, struct wall_packet_dropped_notification,
                  packet_dropped_notification_fields);

static const struct wall_shape_field device_open_request_fields[] = {
    WALL_FIELD_U64(struct wall_device_open_request, file_id),
    WALL_FIELD_U32(struct wall_device_open_request, process_id),
    WALL_FIELD_TEXT8(struct wall_device_open_request, name),
};
WALL_SHAPE(wall_shape_device_open_request, struct wall_device_open_request, device_open_request_fields);

static const struct wall_shape_field device_control_request_fields[] = {
    WALL_FIELD_U64(struct wall_device_control_request, file_id),
    WALL_FIELD_U32(struct wall_device_control_request, code),
    WALL_FIELD_U32(struct wall_device_control_request, output_size),
    WALL_FIELD_STRUCT(struct wall_device_control_request, input, &wall_shape_blob),
};
WALL_SHAPE(wall_shape_device_control_request, struct wall_device_control_request, device_control_request_fields);

static const struct wall_shape_field device_control_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_device_control_reply, reply, &wall_shape_reply),
    WALL_FIELD_STRUCT(struct wall_device_control_reply, output, &wall_shape_blob),
};
WALL_SHAPE(wall_shape_device_control_reply, struct wall_device_control_reply, device_control_reply_fields);

static const struct wall_shape_field device_close_notification_fields[] = {
    WALL_FIELD_U64(struct wall_device_close_notification, file_id),
};
WALL_SHAPE(wall_shape_device_close_notification, struct wall_device_close_notification,
                  device_close_notification_fields);

static const struct wall_shape_field flow_abort_request_fields[] = {
    WALL_FIELD_U64(struct wall_flow_abort_request, flow_handle),
};
WALL_SHAPE(wall_shape_flow_abort_request, struct wall_flow_abort_request, flow_abort_request_fields);

static const struct wall_shape_field notify_request_fields[] = {
    WALL_FIELD_U32(struct wall_notify_request, callout_id),
    WALL_FIELD_U32(struct wall_notify_request, type),
    WALL_FIELD_POINTER(struct wall_notify_request, filter_key, &wall_shape_guid),
    WALL_FIELD_STRUCT(struct wall_notify_request, filter, &wall_shape_fwps_filter),
};
WALL_SHAPE(wall_shape_notify_request, struct wall_notify_request, notify_request_fields);

static const struct wall_shape_field notify_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_notify_reply, reply, &wall_shape_reply),
    WALL_FIELD_U64(struct wall_notify_reply, filter_context),
};
WALL_SHAPE(wall_shape_notify_reply, struct wall_notify_reply, notify_reply_fields);

static const struct wall_shape_field flow_associate_request_fields[] = {
    WALL_FIELD_U64(struct wall_flow_associate_request, flow_handle),
    WALL_FIELD_U64(struct wall_flow_associate_request, flow_context),
    WALL_FIELD_U32(struct wall_flow_associate_request, callout_id),
    WALL_FIELD_U16(struct wall_flow_associate_request, layer_id),
};
WALL_SHAPE(wall_shape_flow_associate_request, struct wall_flow_associate_request, flow_associate_request_fields);

static const struct wall_shape_field flow_remove_request_fields[] = {
    WALL_FIELD_U64(struct wall_flow_remove_request, flow_handle),
    WALL_FIELD_U32(struct wall_flow_remove_request, callout_id),
    WALL_FIELD_U16(struct wall_flow_remove_request, layer_id),
};
WALL_SHAPE(wall_shape_flow_remove_request, struct wall_flow_remove_request, flow_remove_request_fields);

static const struct wall_shape_field flow_remove_reply_fields[] = {
    WALL_FIELD_STRUCT(struct wall_flow_remove_reply, reply, &wall_shape_reply),
    WALL_FIELD_U64(struct wall_flow_remove_reply, flow_context),
};
WALL_SHAPE(wall_shape_flow_remove_reply, struct wall_flow_remove_reply, flow_remove_reply_fields);

static const struct wall_shape_field flow_delete_request_fields[] = {
    WALL_FIELD_U64(struct wall_flow_delete_request, flow_handle),
    WALL_FIELD_U64(struct wall_flow_delete_request, flow_context),
    WALL_FIELD_U32(struct wall_flow_delete_request, callout_id),
    WALL_FIELD_U16(struct wall_flow_delete_request, layer_id),
};
WALL_SHAPE(wall_shape_flow_delete_request, struct wall_flow_delete_request, flow_delete_request_fields);

static const struct wall_shape_field log_notification_fields[] = {
    WALL_FIELD_TEXT8(struct wall_log_notification, line),
};
WALL_SHAPE(wall_shape_log_notification, struct wall_log_notification, log_notification_fields);

static const struct wall_shape_field report_notification_fields[] = {
    WALL_FIELD_TEXT8(struct wall_report_notification, text),
};
WALL_SHAPE(wall_shape_report_notification, struct wall_report_notification, report_notification_fields);
