// The messages of the callout channel (Fwps*): structures of wire/messages.h, which says what holds for all.
#pragma once

#include <stdint.h>

#include "fwpstypes.h"

#include "base/shape.h"

// Begins every reply.
struct wall_reply {
    uint32_t status;    // 0, FWP_E_* or ERROR_*; on the callout channel 0 or an NTSTATUS; for control 0 or an errno
    const char *error;  // what went wrong, for people; UTF-8, may be NULL
};

// A reply that says nothing more.
struct wall_plain_reply {
    struct wall_reply reply;
};

// --- CALLOUT_REGISTER, _UNREGISTER: to the service. They end with the connection. ---

struct wall_callout_register_request {
    GUID key;
    uint32_t flags;      // FWP_CALLOUT_FLAG_*
    uint8_t flow_delete;  // has a flowDeleteFn: contexts may be associated
    const char *device;  // name of the device object, may be NULL
};

struct wall_callout_register_reply {
    struct wall_reply reply;
    uint32_t callout_id;
};

struct wall_callout_unregister_request {
    uint32_t callout_id;
};

// --- CLASSIFY: to the client. The answer is the callout's classifyOut. CLASSIFY_CANCEL: a notification to the client;
// the question needs no answer any more (it is answered nonetheless). ---

// Where a connection is to go: as its program asked (the first version), and as each callout changed it. Addresses of
// the layer's family in network byte order, ports in host byte order.
struct wall_redirect_version {
    uint8_t local_address[16], remote_address[16];
    uint16_t local_port, remote_port;
    uint64_t filter_id;   // whose callout made it; 0: the program
    uint64_t handle;      // of FwpsRedirectHandleCreate0, as its process numbers it; 0: none
    uint32_t target_process_id;
    FWP_BYTE_BLOB context;  // of the callout, for the program it goes to
};

// `present` says which members hold something: FWPS_METADATA_FIELD_*.
struct wall_metadata {
    uint32_t present;
    uint32_t flags;  // FWPS_INCOMING_FLAG_*
    FWPS_DISCARD_METADATA0 discard;
    uint64_t flow_handle;
    uint32_t ip_header_size, transport_header_size;
    FWP_BYTE_BLOB *process_path;  // UTF-16 with its NUL
    uint64_t token, process_id;
    uint32_t source_interface_index, destination_interface_index;
    uint32_t compartment_id;
    FWPS_INBOUND_FRAGMENT_METADATA0 fragment;
    uint32_t path_mtu;
    uint64_t completion_handle;
    uint64_t transport_endpoint_handle, parent_endpoint_handle;
    uint32_t remote_scope_id;
    FWP_BYTE_BLOB *control_data;
    uint32_t packet_direction;  // FWP_DIRECTION
    uint32_t icmp_id_and_sequence;
    uint32_t local_redirect_target_pid;
    uint8_t original_address[16];  // as in a redirect version, of the layer's family
    uint16_t original_port;
};

struct wall_classify_request {
    uint64_t classify_id;  // unique for the life of the service
    uint32_t callout_id;
    uint8_t irql;           // 0 PASSIVE_LEVEL, 2 DISPATCH_LEVEL
    uint64_t flow_context;  // associated with the flow for this callout; 0: none
    FWPS_INCOMING_VALUES0 values;
    struct wall_metadata metadata;
    FWPS_FILTER3 filter;
    FWPS_CLASSIFY_OUT0 out;  // suggested action, rights
    FWP_BYTE_BLOB *packet;   // from the IP header on; NULL: no layer data
    uint32_t packet_offset;  // where the NET_BUFFER's data begins in it (wfp-reference 3.5)
    uint64_t netns_cookie;   // of the flow, for packets injected on its behalf
    // The classify_id of the operation whose completion this is: it runs on the thread that completes. 0: any thread.
    uint64_t completing_id;
    // What injected the packet; `injection_handle` is the client's own one, or 0 for another's.
    uint8_t injected;
    uint64_t injection_handle, injection_context;
    uint32_t version_count;  // ALE_CONNECT_REDIRECT: the oldest first
    struct wall_redirect_version *versions;
};

// How a callout deferred its answer.
enum wall_pended { WALL_PENDED_NOT, WALL_PENDED_OPERATION, WALL_PENDED_CLASSIFY };

struct wall_classify_reply {
    struct wall_reply reply;
    FWPS_CLASSIFY_OUT0 out;  // valid with status 0; otherwise the callout could not be asked
    uint8_t pended;          // enum wall_pended: exactly one completion follows, in _COMPLETE
    struct wall_redirect_version *redirect;  // as the callout changed it; NULL: it did not
};

struct wall_classify_cancel_notification {
    uint64_t classify_id;
};

// --- OPERATION_COMPLETE, CLASSIFY_COMPLETE: to the service. The reply to the former comes after the classification it
// caused: its CLASSIFY requests come before. STATUS_NOT_FOUND: the flow has ended or was refused meanwhile. ---

struct wall_operation_complete_request {
    uint64_t classify_id;
    uint8_t packet_follows;  // ALE_AUTH_RECV_ACCEPT: the packet, or a clone of it, is still there to be injected
};

struct wall_classify_complete_request {
    uint64_t classify_id;
    uint8_t again;           // classify again; otherwise `out` is the answer
    FWPS_CLASSIFY_OUT0 out;
    struct wall_redirect_version *redirect;  // as in the reply
};

// --- INJECT: to the service; the reply comes when the packet is on its way. PACKET_DROPPED: a notification to the
// service; the last clone of a packet whose operation is complete has gone without having been injected. ---

struct wall_inject_request {
    uint64_t origin_id;      // classify_id the packet came with; 0: the driver made it
    uint8_t unmodified;      // byte for byte what came
    uint8_t receive;
    uint64_t handle, context;
    uint64_t endpoint_handle;  // 0: none
    uint64_t netns_cookie;     // 0: that of the endpoint, or of the service
    uint32_t interface_index;
    FWP_BYTE_BLOB packet;      // from the IP header on
};

struct wall_packet_dropped_notification {
    uint64_t origin_id;
};

// --- DEVICE_OPEN, _CONTROL: to the client, which has a driver's devices; DEVICE_CLOSE: a notification to it. What
// programs do with CreateFile, DeviceIoControl and CloseHandle. ---

struct wall_device_open_request {
    uint64_t file_id;  // chosen by the service
    uint32_t process_id;  // on whose behalf
    const char *name;
};

struct wall_device_control_request {
    uint64_t file_id;
    uint32_t code, output_size;
    FWP_BYTE_BLOB input;
};

struct wall_device_control_reply {
    struct wall_reply reply;  // status: the driver's NTSTATUS, also when it is no success
    FWP_BYTE_BLOB output;
};

struct wall_device_close_notification {
    uint64_t file_id;
};

// --- FLOW_ABORT: to the service (FwpsFlowAbort0) ---

struct wall_flow_abort_request {
    uint64_t flow_handle;
};

// --- NOTIFY: to the client (notifyFn). A non-success status of ADD_FILTER refuses the filter. ---

struct wall_notify_request {
    uint32_t callout_id;
    uint32_t type;     // FWPS_CALLOUT_NOTIFY_TYPE
    GUID *filter_key;  // NULL for DELETE_FILTER
    FWPS_FILTER3 filter;
};

struct wall_notify_reply {
    struct wall_reply reply;
    uint64_t filter_context;  // filter.context as the callout left it
};

// --- FLOW_ASSOCIATE, FLOW_REMOVE: to the service; FLOW_DELETE: to the client (flowDeleteFn) ---

struct wall_flow_associate_request {
    uint64_t flow_handle;
    uint64_t flow_context;  // not 0
    uint32_t callout_id;
    uint16_t layer_id;
};

struct wall_flow_remove_request {
    uint64_t flow_handle;
    uint32_t callout_id;
    uint16_t layer_id;
};

// With status 0 the client runs flowDeleteFn itself; with STATUS_PENDING a FLOW_DELETE follows.
struct wall_flow_remove_reply {
    struct wall_reply reply;
    uint64_t flow_context;
};

struct wall_flow_delete_request {
    uint64_t flow_handle;
    uint64_t flow_context;
    uint32_t callout_id;
    uint16_t layer_id;
};

// --- LOG, REPORT: notifications to the service ---

struct wall_log_notification {
    const char *line;  // without a newline
};

struct wall_report_notification {
    const char *text;  // lines: what a checker found, or why the program ends
};

// Their shapes, in the order of the table in messages.c.
extern const struct wall_shape wall_shape_reply;
extern const struct wall_shape wall_shape_callout_register_request;
extern const struct wall_shape wall_shape_callout_register_reply;
extern const struct wall_shape wall_shape_callout_unregister_request;
extern const struct wall_shape wall_shape_redirect_version;
extern const struct wall_shape wall_shape_classify_request;
extern const struct wall_shape wall_shape_classify_reply;
extern const struct wall_shape wall_shape_classify_cancel_notification;
extern const struct wall_shape wall_shape_operation_complete_request;
extern const struct wall_shape wall_shape_classify_complete_request;
extern const struct wall_shape wall_shape_inject_request;
extern const struct wall_shape wall_shape_packet_dropped_notification;
extern const struct wall_shape wall_shape_device_open_request;
extern const struct wall_shape wall_shape_device_control_request;
extern const struct wall_shape wall_shape_device_control_reply;
extern const struct wall_shape wall_shape_device_close_notification;
extern const struct wall_shape wall_shape_flow_abort_request;
extern const struct wall_shape wall_shape_notify_request;
extern const struct wall_shape wall_shape_notify_reply;
extern const struct wall_shape wall_shape_flow_associate_request;
extern const struct wall_shape wall_shape_flow_remove_request;
extern const struct wall_shape wall_shape_flow_remove_reply;
extern const struct wall_shape wall_shape_flow_delete_request;
extern const struct wall_shape wall_shape_log_notification;
extern const struct wall_shape wall_shape_report_notification;
