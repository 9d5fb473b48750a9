// The schema: every message between ringwalld and its clients.
//
// One socket, RUNTIME/api.sock. A client says HELLO with its role first; nothing else is answered before. Every request
// gets exactly one reply of the same type and serial, beginning with a struct wall_reply; a notification gets none.
// Replies may overtake each other; the frames of one sender are otherwise handled in order.
//
// The structures' shapes are in messages.c, in the same order; a test proves that they leave no member out. A zeroed
// reply can always be encoded, so that any request can be refused. To add a message: structure here, shape and row in
// messages.c; the codec, the fuzz harness and the round-trip test take it from there. Numbers are never used again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpmtypes.h"
#include "fwpstypes.h"

#include "base/error.h"
#include "base/shape.h"
#include "engine/engine.h"

#include "wire/buffer.h"
#include "wire/callout_messages.h"
#include "wire/frame.h"

// Raised with every change that an older peer would misread; both sides must have the same.
#define WALL_PROTOCOL_VERSION 2u

enum wall_message_type {
    WALL_MESSAGE_HELLO = 0x0001,

    // The management API (Fwpm*)
    WALL_MESSAGE_SESSION_OPEN = 0x0101,
    WALL_MESSAGE_SESSION_CLOSE = 0x0102,
    WALL_MESSAGE_TRANSACTION_BEGIN = 0x0110,
    WALL_MESSAGE_TRANSACTION_COMMIT = 0x0111,
    WALL_MESSAGE_TRANSACTION_ABORT = 0x0112,
    WALL_MESSAGE_OBJECT_ADD = 0x0120,
    WALL_MESSAGE_OBJECT_DELETE = 0x0121,
    WALL_MESSAGE_OBJECT_GET = 0x0122,
    WALL_MESSAGE_ENUMERATION_NEW = 0x0130,
    WALL_MESSAGE_ENUMERATION_NEXT = 0x0131,
    WALL_MESSAGE_ENUMERATION_FREE = 0x0132,
    WALL_MESSAGE_OPTION_GET = 0x0140,
    WALL_MESSAGE_OPTION_SET = 0x0141,
    WALL_MESSAGE_SUBSCRIBE = 0x0150,
    WALL_MESSAGE_UNSUBSCRIBE = 0x0151,
    WALL_MESSAGE_CHANGE = 0x0152,
    WALL_MESSAGE_NET_EVENT = 0x0153,

    // The callout channel (Fwps*)
    WALL_MESSAGE_CALLOUT_REGISTER = 0x0201,
    WALL_MESSAGE_CALLOUT_UNREGISTER = 0x0202,
    WALL_MESSAGE_CLASSIFY = 0x0203,
    WALL_MESSAGE_CLASSIFY_CANCEL = 0x0204,
    WALL_MESSAGE_NOTIFY = 0x0205,
    WALL_MESSAGE_FLOW_ASSOCIATE = 0x0210,
    WALL_MESSAGE_FLOW_REMOVE = 0x0211,
    WALL_MESSAGE_FLOW_DELETE = 0x0212,
    WALL_MESSAGE_FLOW_ABORT = 0x0213,
    WALL_MESSAGE_OPERATION_COMPLETE = 0x0220,
    WALL_MESSAGE_CLASSIFY_COMPLETE = 0x0221,
    WALL_MESSAGE_INJECT = 0x0222,
    WALL_MESSAGE_PACKET_DROPPED = 0x0223,
    WALL_MESSAGE_DEVICE_OPEN = 0x0230,
    WALL_MESSAGE_DEVICE_CONTROL = 0x0231,
    WALL_MESSAGE_DEVICE_CLOSE = 0x0232,
    WALL_MESSAGE_LOG = 0x0240,
    WALL_MESSAGE_REPORT = 0x0241,

    // Control (the command line)
    WALL_MESSAGE_STATUS = 0x0301,
    WALL_MESSAGE_STOP = 0x0302,
    WALL_MESSAGE_COMPILED = 0x0303,
    WALL_MESSAGE_COVERAGE = 0x0304,
    WALL_MESSAGE_DRIVER_LOAD = 0x0310,
    WALL_MESSAGE_DRIVER_UNLOAD = 0x0311,
    WALL_MESSAGE_DRIVER_LIST = 0x0312,
    WALL_MESSAGE_FILE_OPEN = 0x0313,
    WALL_MESSAGE_FILE_CONTROL = 0x0314,
    WALL_MESSAGE_MONITOR = 0x0320,
    WALL_MESSAGE_MONITOR_DECISION = 0x0321,
    WALL_MESSAGE_MONITOR_LINE = 0x0322,
    WALL_MESSAGE_MONITOR_LOST = 0x0323,
};

enum wall_message_direction { WALL_MESSAGE_TO_SERVICE, WALL_MESSAGE_TO_CLIENT };

struct wall_message {
    uint16_t type;
    const char *name;
    enum wall_message_direction direction;  // of the request; the reply goes the other way
    bool notification;                      // has no reply
    const struct wall_shape *request;       // NULL: empty
    const struct wall_shape *reply;         // NULL: a notification
};

// --- HELLO: to the service. A wrong version or a second HELLO ends the connection after the reply. ---

enum wall_role { WALL_ROLE_ENGINE = 1, WALL_ROLE_CALLOUTS = 2, WALL_ROLE_CONTROL = 3 };

struct wall_hello_request {
    uint32_t protocol;  // WALL_PROTOCOL_VERSION
    uint32_t role;      // enum wall_role
    uint32_t process_id;
    const char *name;  // of the program or driver, for lists and logs
};

struct wall_hello_reply {
    struct wall_reply reply;
    uint32_t protocol;    // the service's
    const char *version;  // of the service
};

// --- Objects of any type ---

// Object types on the wire are enum wall_object_type, and this one.
#define WALL_ANY_NET_EVENT 0x40u

struct wall_any {
    uint32_t type;
    union {
        void *pointer;
        FWPM_PROVIDER0 *provider;
        FWPM_PROVIDER_CONTEXT3 *provider_context;
        FWPM_SUBLAYER0 *sublayer;
        FWPM_LAYER0 *layer;
        FWPM_CALLOUT0 *callout;
        FWPM_FILTER0 *filter;
        FWPM_SESSION0 *session;
        FWPM_NET_EVENT5 *net_event;
    };
};

// For wall_encoded_size(): how many objects fit into a page.
extern const struct wall_shape wall_shape_any;

// An enumeration template of any type; a NULL pointer: everything.
struct wall_any_template {
    uint32_t type;
    union {
        void *pointer;
        FWPM_PROVIDER_ENUM_TEMPLATE0 *provider;
        FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 *provider_context;
        FWPM_SUBLAYER_ENUM_TEMPLATE0 *sublayer;
        FWPM_LAYER_ENUM_TEMPLATE0 *layer;
        FWPM_CALLOUT_ENUM_TEMPLATE0 *callout;
        FWPM_FILTER_ENUM_TEMPLATE0 *filter;
        FWPM_SESSION_ENUM_TEMPLATE0 *session;
        FWPM_NET_EVENT_ENUM_TEMPLATE0 *net_event;
    };
};

// --- SESSION_OPEN, SESSION_CLOSE: to the service. One session for each connection; its end is the session's. ---

struct wall_session_open_request {
    FWPM_SESSION0 *session;  // may be NULL
};

// --- TRANSACTION_BEGIN, _COMMIT, _ABORT: to the service. Begin may be answered late (wfp-reference 1.4). ---

struct wall_transaction_begin_request {
    uint32_t flags;  // FWPM_TXN_READ_ONLY
};

// --- OBJECT_ADD, _DELETE, _GET: to the service ---

// An added object must come back in an enumeration, with what the engine fills in.
#define WALL_MESSAGE_ADD_SIZE_MAX (WALL_FRAME_PAYLOAD_MAX - 4096u)

struct wall_object_add_request {
    struct wall_any object;  // not a layer, session or net event
};

struct wall_object_add_reply {
    struct wall_reply reply;
    GUID key;     // the object's, made when it was zero
    uint64_t id;  // 0 for providers and sublayers
};

struct wall_object_find_request {  // DELETE and GET
    uint32_t type;                 // enum wall_object_type
    GUID *key;                     // NULL: by id
    uint64_t id;
};

struct wall_object_get_reply {
    struct wall_reply reply;
    struct wall_any object;
};

// --- ENUMERATION_NEW, _NEXT, _FREE: to the service ---

struct wall_enumeration_new_request {
    struct wall_any_template template_;
};

struct wall_enumeration_new_reply {
    struct wall_reply reply;
    uint64_t enumeration_id;
};

struct wall_enumeration_next_request {
    uint64_t enumeration_id;
    uint32_t count;
};

// At most the count asked for, and no more than fit into a frame.
struct wall_enumeration_next_reply {
    struct wall_reply reply;
    uint32_t count;
    struct wall_any *objects;
    uint8_t finished;  // there are no more
};

struct wall_enumeration_free_request {
    uint64_t enumeration_id;
};

// --- OPTION_GET, _SET: to the service ---

struct wall_option_get_request {
    uint32_t option;  // FWPM_ENGINE_OPTION
};

struct wall_option_get_reply {
    struct wall_reply reply;
    FWP_VALUE0 value;
};

struct wall_option_set_request {
    uint32_t option;
    FWP_VALUE0 value;
};

// --- SUBSCRIBE, UNSUBSCRIBE: to the service; CHANGE, NET_EVENT: notifications to the client. Nothing of a
// subscription follows the reply to UNSUBSCRIBE. ---

struct wall_subscribe_request {
    struct wall_any_template template_;
    uint32_t flags;  // FWPM_SUBSCRIPTION_FLAG_*; 0 for net events
};

struct wall_subscribe_reply {
    struct wall_reply reply;
    uint64_t subscription_id;
};

struct wall_unsubscribe_request {
    uint64_t subscription_id;
};

struct wall_change_notification {
    uint64_t subscription_id;
    uint32_t change;  // FWPM_CHANGE_TYPE
    GUID key;
    uint64_t id;
};

struct wall_net_event_notification {
    uint64_t subscription_id;
    FWPM_NET_EVENT5 *event;
};

// --- STATUS: to the service ---

struct wall_status_reply {
    struct wall_reply reply;
    const char *version;
    const char *scope;     // the cgroup enforced on, absolute
    const char *datapath;  // its body: "ebpf", "fake"
    uint32_t process_id;
    uint64_t uptime_ms;
    uint64_t generation;  // of the run-time policy
    uint32_t filters, callouts, sublayers, providers;
    uint32_t sessions, connections, drivers;
    uint64_t flows_seen, flows_held_now, flows_permitted, flows_blocked, flows_gone;
    uint64_t events_lost, fail_closed;
    uint64_t table_bytes;          // of the compiled policy in the kernel
    uint64_t compile_us, load_us;  // how long the last commit took
};

// --- COVERAGE: to the service ---

struct wall_coverage_record {
    const char *name;
    const char *state;   // "open", "partial", "idle", "covered", "absent"
    const char *detail;  // for people
};

struct wall_coverage_reply {
    struct wall_reply reply;
    uint32_t count;
    struct wall_coverage_record *items;
};

// --- STOP, DRIVER_LOAD, DRIVER_UNLOAD, DRIVER_LIST: to the service ---

struct wall_text {
    const char *text;
};

struct wall_driver_load_request {
    const char *path;  // absolute
    const char *name;
    uint32_t parameter_count;
    struct wall_text *parameters;  // each `name=value`
};

struct wall_driver_load_reply {
    struct wall_reply reply;
    uint32_t process_id;
};

struct wall_driver_unload_request {
    const char *name;
};

struct wall_driver_record {
    const char *name, *path;
    const char *state;    // "starting", "running", "stopping", "failed"
    const char *failure;  // why it failed; NULL otherwise
    uint32_t process_id;
    uint32_t callouts;
    uint64_t uptime_ms;
    uint64_t classifies, timeouts;
};

struct wall_driver_list_reply {
    struct wall_reply reply;
    uint32_t count;
    struct wall_driver_record *drivers;
};

// --- COMPILED: to the service. How the filters of each layer became the kernel's tables. ---

// Filters told one by one; of more, the number.
#define WALL_COMPILED_FILTERS_MAX 4096u

// A filter that the kernel does not decide at the socket call, or not as it is written.
struct wall_compiled_filter_record {
    uint64_t filter_id;
    uint32_t needs;     // bits of enum wall_dimension
    uint16_t layer_id;
    uint16_t field_id;  // with a reason: the field
    uint8_t kind;       // enum wall_compiled_kind
    uint8_t reason;     // enum wall_compile_reason
};

struct wall_compiled_layer_record {
    uint16_t layer_id;
    uint32_t filters;
    uint32_t in_kernel;  // of these, the kernel decides at the socket call
    uint32_t pages;      // of 64 KiB
    uint32_t slots;
    uint32_t groups, largest;  // of all slots; entries of the largest group
};

struct wall_compiled_reply {
    struct wall_reply reply;
    uint32_t layer_count;
    struct wall_compiled_layer_record *layers;
    uint32_t filter_count;
    struct wall_compiled_filter_record *filters;
    uint32_t filters_left_out;
};

// --- FILE_OPEN, FILE_CONTROL: to the service, which hands them to the driver. The file is closed with the connection;
// the reply to FILE_CONTROL may take as long as the driver likes. ---

struct wall_file_open_request {
    const char *driver;  // its name
    const char *device;
};

struct wall_file_open_reply {
    struct wall_reply reply;
    uint64_t file_id;
};

struct wall_file_control_request {
    uint64_t file_id;
    uint32_t code, output_size;
    FWP_BYTE_BLOB input;
};

struct wall_file_control_reply {
    struct wall_reply reply;  // 0 or an errno: whether the driver was asked
    uint32_t driver_status;   // its NTSTATUS
    FWP_BYTE_BLOB output;
};

// --- MONITOR: to the service, then notifications to the client until the connection ends ---

#define WALL_MONITOR_DECISIONS 0x1u
#define WALL_MONITOR_LINES 0x2u

struct wall_monitor_request {
    uint32_t flags;  // WALL_MONITOR_*
};

struct wall_monitor_decision {
    uint64_t time_us;  // since 1970
    uint64_t held_us;  // how long the flow waited; 0: decided in the kernel
    uint64_t filter_id;
    uint64_t flow_id;
    uint64_t repeats;  // decisions like this one before it that were not told one by one
    uint32_t action;  // FWP_ACTION_PERMIT or FWP_ACTION_BLOCK
    uint32_t process_id, user_id;
    uint16_t layer_id;
    uint16_t local_port, remote_port;
    uint8_t family, protocol;
    uint8_t veto;  // a callout's block beat a hard permit
    uint8_t local_address[16], remote_address[16];  // IPv4 in the first 4 bytes
    const char *executable, *process_name;
    const char *filter_name;
    const char *driver;  // whose callout decided; NULL: none
};

struct wall_monitor_line {
    uint64_t time_us;
    const char *driver;
    const char *line;
};

// Records the client was too slow for.
struct wall_monitor_lost {
    uint64_t count;
};

// --- Finding, decoding, encoding ---

// The row of a message type, or NULL.
const struct wall_message *wall_message_find(uint16_t type);
// All rows, for tests. Returns their number.
size_t wall_message_list(const struct wall_message **ret_messages);

// Decodes a frame that travelled in `direction`: a request or notification of that direction, or a reply to one of the
// other.
// *ret_object is one block to free(), or NULL when the message is empty.
// Returns 0, -EPROTO when no such frame travels that way, -EMSGSIZE when it is larger than its type may be,
// -EBADMSG when its bytes are wrong, or -ENOMEM.
int wall_message_decode(const struct wall_frame *frame, enum wall_message_direction direction, void **ret_object,
                        struct wall_error *err);

// Append a frame with the message's own shape. `object` may be NULL for an empty message. They return what
// wall_frame_append() returns, and -EMSGSIZE also above the type's own limit.
int wall_message_request(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, const void *object);
int wall_message_notify(struct wall_buffer *buffer, enum wall_message_type type, const void *object);
int wall_message_reply(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, const void *object);

// A reply with a status, an optional text and nothing else; -EPROTO when `type` is no request at all.
int wall_message_refuse(struct wall_buffer *buffer, enum wall_message_type type, uint32_t serial, uint32_t status,
                        const char *error);
