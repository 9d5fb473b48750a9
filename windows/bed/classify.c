// From a connection attempt to a verdict, as the stack does it: values, metadata, classification, enforcement.
#include "packet.h"

#include <string.h>

#include "engine/catalog.h"

#define FIELDS_MAX 64
#define PROTOCOL_TCP 6
#define TYPE_UNICAST 1  // NL_ADDRESS_TYPE

// The incoming values of any layer; what the attempt does not tell stays FWP_EMPTY.
struct values {
    FWPS_INCOMING_VALUES0 incoming;
    FWPS_INCOMING_VALUE0 fields[FIELDS_MAX];
    FWP_BYTE_BLOB app;
    FWP_BYTE_ARRAY16 local, remote;
};

static void set_address(const struct bed_attempt *attempt, const UINT8 bytes[16], FWP_BYTE_ARRAY16 *room,
                        FWP_VALUE0 *value)
{
    if (wall_catalog_layer_is_v6(attempt->layer_id)) {
        memcpy(room->byteArray16, bytes, 16);
        value->type = FWP_BYTE_ARRAY16_TYPE;
        value->byteArray16 = room;
        return;
    }
    value->type = FWP_UINT32;
    value->uint32 = (UINT32)bytes[0] << 24 | (UINT32)bytes[1] << 16 | (UINT32)bytes[2] << 8 | bytes[3];
}

static void set_u16(FWP_VALUE0 *value, UINT16 number)
{
    value->type = FWP_UINT16;
    value->uint16 = number;
}

static void set_u32(FWP_VALUE0 *value, UINT32 number)
{
    value->type = FWP_UINT32;
    value->uint32 = number;
}

static void set_field(struct values *values, const struct bed_attempt *attempt, enum wall_key key, UINT32 flags,
                      UINT32 reason, FWP_VALUE0 *value)
{
    switch (key) {
    case WALL_KEY_ALE_APP_ID:
    case WALL_KEY_ALE_ORIGINAL_APP_ID:
        value->type = FWP_BYTE_BLOB_TYPE;
        value->byteBlob = &values->app;
        break;
    case WALL_KEY_IP_LOCAL_ADDRESS:
        set_address(attempt, attempt->local, &values->local, value);
        break;
    case WALL_KEY_IP_REMOTE_ADDRESS:
        set_address(attempt, attempt->remote, &values->remote, value);
        break;
    case WALL_KEY_IP_LOCAL_PORT:
        set_u16(value, attempt->local_port);
        break;
    case WALL_KEY_IP_REMOTE_PORT:
        set_u16(value, attempt->remote_port);
        break;
    case WALL_KEY_IP_PROTOCOL:
        value->type = FWP_UINT8;
        value->uint8 = attempt->protocol;
        break;
    case WALL_KEY_IP_LOCAL_ADDRESS_TYPE:
    case WALL_KEY_IP_DESTINATION_ADDRESS_TYPE:
        value->type = FWP_UINT8;
        value->uint8 = TYPE_UNICAST;
        break;
    case WALL_KEY_FLAGS:
        set_u32(value, flags);
        break;
    case WALL_KEY_REAUTHORIZE_REASON:
        set_u32(value, reason);
        break;
    case WALL_KEY_COMPARTMENT_ID:
        set_u32(value, 1);
        break;
    default:
        break;
    }
}

static void set_values(struct values *values, const struct bed_attempt *attempt, UINT32 flags, UINT32 reason)
{
    UINT16 count = wall_catalog_field_count(attempt->layer_id);
    memset(values, 0, sizeof(*values));
    values->app.data = (UINT8 *)(ULONG_PTR)attempt->path;
    while (attempt->path[values->app.size / 2])
        values->app.size += 2;
    values->app.size += 2;
    for (UINT16 i = 0; i < count && i < FIELDS_MAX; i++) {
        struct wall_catalog_field field;
        if (wall_catalog_field(attempt->layer_id, i, &field))
            set_field(values, attempt, field.key, flags, reason, &values->fields[i].value);
    }
    values->incoming.layerId = attempt->layer_id;
    values->incoming.valueCount = count;
    values->incoming.incomingValue = values->fields;
}

static void set_metadata(FWPS_INCOMING_METADATA_VALUES0 *metadata, const struct bed_attempt *attempt,
                         struct values *values, struct bed_operation *operation)
{
    bool is_inbound = attempt->layer_id == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 ||
                      attempt->layer_id == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6;
    memset(metadata, 0, sizeof(*metadata));
    metadata->currentMetadataValues =
        FWPS_METADATA_FIELD_PROCESS_PATH | FWPS_METADATA_FIELD_PROCESS_ID | FWPS_METADATA_FIELD_COMPARTMENT_ID |
        FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE | (operation ? FWPS_METADATA_FIELD_COMPLETION_HANDLE : 0);
    if (is_inbound) {
        metadata->currentMetadataValues |=
            FWPS_METADATA_FIELD_IP_HEADER_SIZE | FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE;
        metadata->ipHeaderSize = wall_catalog_layer_is_v6(attempt->layer_id) ? 40 : 20;
        metadata->transportHeaderSize = attempt->protocol == PROTOCOL_TCP ? 20 : 8;
    }
    metadata->processPath = &values->app;
    metadata->processId = attempt->process_id;
    metadata->compartmentId = 1;
    metadata->transportEndpointHandle = attempt->endpoint;
    metadata->completionHandle = operation;
}

static bool ask(void *context, const struct wall_filter *filter, FWPS_CLASSIFY_OUT0 *out)
{
    return bed_callout_ask(context, filter, out);
}

// The policy of the moment, with a reference. The counter is not atomic: under the lock.
static struct wall_policy *take_policy(void)
{
    bed_lock();
    struct wall_policy *policy = wall_policy_ref(wall_engine_policy(bed_engine()));
    bed_unlock();
    return policy;
}

static void drop_policy(struct wall_policy *policy)
{
    bed_lock();
    wall_policy_unref(policy);
    bed_unlock();
}

static void classify(const struct bed_attempt *attempt, UINT32 flags, UINT32 reason, struct bed_operation *operation,
                     NET_BUFFER_LIST *packet, struct bed_verdict *ret_verdict)
{
    struct values values;
    FWPS_INCOMING_METADATA_VALUES0 metadata;
    struct wall_classification classification;
    struct bed_classification asking = { .values = &values.incoming, .metadata = &metadata,
                                         .packet = packet };
    set_values(&values, attempt, flags, reason);
    set_metadata(&metadata, attempt, &values, operation);
    memset(ret_verdict, 0, sizeof(*ret_verdict));
    ret_verdict->action = FWP_ACTION_BLOCK;  // should the layer be unknown

    bed_classification_begin(&asking);
    struct wall_policy *policy = take_policy();
    bed_lock();
    bool begun = wall_classify_begin(&classification, policy, &values.incoming);
    bed_unlock();
    if (begun) {
        UINT8 irql = bed_irql_set(attempt->irql);
        while (wall_classify_next(&classification) == WALL_CLASSIFY_CALLOUT) {
            FWPS_CLASSIFY_OUT0 out = classification.out;
            if (ask(&asking, classification.filter, &out))
                wall_classify_answer(&classification, &out);
            else
                wall_classify_unregistered(&classification);
        }
        bed_irql_set(irql);
        ret_verdict->action = classification.result.action;
        ret_verdict->rights = classification.result.rights;
        ret_verdict->filter_id = classification.result.filter_id;
        ret_verdict->veto = classification.result.veto;
        ret_verdict->absorbed = (classification.result.flags & FWPS_CLASSIFY_OUT_FLAG_ABSORB) != 0;
        bed_lock();
        wall_classify_end(&classification);
        bed_unlock();
    }
    ret_verdict->callouts = asking.asked;
    drop_policy(policy);
    bed_classification_end(&asking);
}

void bed_reauthorize(const struct bed_attempt *attempt, UINT32 reason, struct bed_verdict *ret_verdict)
{
    classify(attempt, FWP_CONDITION_FLAG_IS_REAUTHORIZE, reason, NULL, NULL, ret_verdict);
}

void bed_classify_injected(const struct bed_attempt *attempt, NET_BUFFER_LIST *packet, struct bed_verdict *ret_verdict)
{
    classify(attempt, 0, 0, NULL, packet, ret_verdict);
}

void bed_inject(const struct bed_attempt *attempt, bool reauthorize, struct bed_verdict *ret_verdict)
{
    if (reauthorize) {
        bed_reauthorize(attempt, FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE, ret_verdict);
        return;
    }
    struct bed_operation *operation = bed_operation_new(attempt);
    NET_BUFFER_LIST *packet = bed_packet_new(attempt);
    if (packet)
        bed_packet_set_operation(packet, operation ? bed_operation_id(operation) : 0);
    classify(attempt, 0, 0, operation, packet, ret_verdict);
    bed_packet_free(packet);
    if (operation)
        bed_operation_classified(operation, ret_verdict);
}
