#include "engine/net_event.h"

#include <stdlib.h>

#include "base/guid.h"
#include "base/shape.h"
#include "engine/condition.h"
#include "engine/limits.h"
#include "engine/names.h"
#include "engine/shapes.h"
#include "engine/state.h"
#include "engine/status.h"

// msFwpDirection of an inbound packet.
#define DIRECTION_INBOUND 0x3900

struct slot {
    FWPM_NET_EVENT5 *event;
    size_t bytes;
};

struct wall_net_events {
    struct slot slots[WALL_NET_EVENTS_MAX];
    size_t first, count;
    size_t bytes;
    struct wall_net_event_counts counts;
};

struct wall_net_events *wall_net_events_new(void)
{
    return calloc(1, sizeof(struct wall_net_events));
}

static void forget_oldest(struct wall_net_events *events)
{
    struct slot *slot = &events->slots[events->first];
    events->bytes -= slot->bytes;
    free(slot->event);
    *slot = (struct slot){ 0 };
    events->first = (events->first + 1) % WALL_NET_EVENTS_MAX;
    events->count--;
}

void wall_net_events_free(struct wall_net_events *events)
{
    while (events && events->count > 0)
        forget_oldest(events);
    free(events);
}

struct wall_net_event_counts wall_net_event_counts(const struct wall_engine *engine)
{
    return engine->net_events->counts;
}

static bool is_inbound_to(const FWPM_NET_EVENT5 *event, bool broadcast)
{
    const FWPM_NET_EVENT_HEADER3 *header = &event->header;
    if (event->type != FWPM_NET_EVENT_TYPE_CLASSIFY_DROP || !event->classifyDrop ||
        event->classifyDrop->msFwpDirection != DIRECTION_INBOUND ||
        !(header->flags & FWPM_NET_EVENT_FLAG_LOCAL_ADDR_SET))
        return false;
    if (header->ipVersion == FWP_IP_VERSION_V6)
        return !broadcast && header->localAddrV6.byteArray16[0] == 0xff;
    return broadcast ? header->localAddrV4 == UINT32_MAX : header->localAddrV4 >> 28 == 0xe;
}

static bool is_port_scan(const FWPM_NET_EVENT5 *event)
{
    return event->type == FWPM_NET_EVENT_TYPE_CLASSIFY_DROP && event->classifyDrop &&
           (event->classifyDrop->layerId == FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD ||
            event->classifyDrop->layerId == FWPS_LAYER_INBOUND_TRANSPORT_V6_DISCARD);
}

// The keyword that must be set for this event; 0: none.
static uint32_t keyword_of(const FWPM_NET_EVENT5 *event)
{
    switch (event->type) {
    case FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW:
        return FWPM_NET_EVENT_KEYWORD_CLASSIFY_ALLOW;
    case FWPM_NET_EVENT_TYPE_CAPABILITY_DROP:
        return FWPM_NET_EVENT_KEYWORD_CAPABILITY_DROP;
    case FWPM_NET_EVENT_TYPE_CAPABILITY_ALLOW:
        return FWPM_NET_EVENT_KEYWORD_CAPABILITY_ALLOW;
    default:
        break;
    }
    if (is_inbound_to(event, false))
        return FWPM_NET_EVENT_KEYWORD_INBOUND_MCAST;
    if (is_inbound_to(event, true))
        return FWPM_NET_EVENT_KEYWORD_INBOUND_BCAST;
    return is_port_scan(event) ? FWPM_NET_EVENT_KEYWORD_PORT_SCANNING_DROP : 0;
}

static bool is_collected(const struct wall_engine *engine, uint32_t keyword)
{
    return engine->options[FWPM_ENGINE_COLLECT_NET_EVENTS] != 0 &&
           (keyword == 0 || (engine->options[FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS] & keyword));
}

bool wall_net_event_wants_permits(const struct wall_engine *engine)
{
    return is_collected(engine, FWPM_NET_EVENT_KEYWORD_CLASSIFY_ALLOW);
}

static void keep(struct wall_net_events *events, const FWPM_NET_EVENT5 *event)
{
    struct slot slot = { .bytes = wall_shape_measure(&wall_shape_net_event, event) };
    if (slot.bytes > 0 && slot.bytes <= WALL_NET_EVENTS_BYTES_MAX)
        slot.event = wall_shape_clone(&wall_shape_net_event, event);
    if (!slot.event) {
        events->counts.forgotten++;
        return;
    }
    while (events->count == WALL_NET_EVENTS_MAX || events->bytes + slot.bytes > WALL_NET_EVENTS_BYTES_MAX) {
        forget_oldest(events);
        events->counts.forgotten++;
    }
    events->slots[(events->first + events->count++) % WALL_NET_EVENTS_MAX] = slot;
    events->bytes += slot.bytes;
}

void wall_net_event_add(struct wall_engine *engine, const FWPM_NET_EVENT5 *event)
{
    if (!is_collected(engine, keyword_of(event))) {
        engine->net_events->counts.ignored++;
        return;
    }
    engine->net_events->counts.added++;
    keep(engine->net_events, event);
    if (engine->events.net_event)
        engine->events.net_event(engine->events.context, event);
}

static FWP_DATA_TYPE address_type(const FWP_CONDITION_VALUE0 *value)
{
    FWP_DATA_TYPE type = value->type;
    if (type == FWP_RANGE_TYPE && value->rangeValue)
        type = value->rangeValue->valueLow.type;
    return type == FWP_BYTE_ARRAY16_TYPE || type == FWP_V6_ADDR_MASK ? FWP_BYTE_ARRAY16_TYPE : FWP_UINT32;
}

// The fields a template may ask about, and their types.
static bool type_of(const FWPM_FILTER_CONDITION0 *condition, FWP_DATA_TYPE *ret_type)
{
    static const struct {
        enum wall_key key;
        FWP_DATA_TYPE type;
    } fields[] = {
        { WALL_KEY_NET_EVENT_TYPE, FWP_UINT32 }, { WALL_KEY_IP_PROTOCOL, FWP_UINT8 },
        { WALL_KEY_IP_LOCAL_PORT, FWP_UINT16 },  { WALL_KEY_IP_REMOTE_PORT, FWP_UINT16 },
        { WALL_KEY_ALE_APP_ID, FWP_BYTE_BLOB_TYPE }, { WALL_KEY_ALE_USER_ID, FWP_SID },
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (wall_guid_equal(&condition->fieldKey, wall_key_guid(fields[i].key))) {
            *ret_type = fields[i].type;
            return true;
        }
    }
    if (!wall_guid_equal(&condition->fieldKey, wall_key_guid(WALL_KEY_IP_LOCAL_ADDRESS)) &&
        !wall_guid_equal(&condition->fieldKey, wall_key_guid(WALL_KEY_IP_REMOTE_ADDRESS)))
        return false;
    *ret_type = address_type(&condition->conditionValue);
    return true;
}

static uint64_t number_of_time(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

wall_status wall_net_event_template_check(const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_)
{
    if (!template_)
        return 0;
    if (number_of_time(&template_->endTime) != 0 &&
        number_of_time(&template_->startTime) > number_of_time(&template_->endTime))
        return FWP_E_INVALID_INTERVAL;
    if (template_->numFilterConditions > 0 && !template_->filterCondition)
        return FWP_E_NULL_POINTER;

    for (uint32_t i = 0; i < template_->numFilterConditions; i++) {
        const FWPM_FILTER_CONDITION0 *condition = &template_->filterCondition[i];
        FWP_DATA_TYPE type;
        if (!type_of(condition, &type))
            return FWP_E_CONDITION_NOT_FOUND;
        // Only known fields come by here, and each at most once, so this ends soon.
        for (uint32_t k = 0; k < i; k++) {
            if (wall_guid_equal(&template_->filterCondition[k].fieldKey, &condition->fieldKey))
                return FWP_E_DUPLICATE_CONDITION;
        }
        wall_status status = wall_condition_check_type(type, FWPM_FIELD_IP_ADDRESS, condition, true);
        if (status != 0)
            return status;
    }
    return 0;
}

static FWP_VALUE0 address_value(const FWPM_NET_EVENT_HEADER3 *header, bool local)
{
    uint32_t flag = local ? FWPM_NET_EVENT_FLAG_LOCAL_ADDR_SET : FWPM_NET_EVENT_FLAG_REMOTE_ADDR_SET;
    FWP_VALUE0 value = { .type = FWP_EMPTY };
    if (!(header->flags & flag))
        return value;
    if (header->ipVersion == FWP_IP_VERSION_V6) {
        value.type = FWP_BYTE_ARRAY16_TYPE;
        value.byteArray16 = (FWP_BYTE_ARRAY16 *)(local ? &header->localAddrV6 : &header->remoteAddrV6);
    } else {
        value.type = FWP_UINT32;
        value.uint32 = local ? header->localAddrV4 : header->remoteAddrV4;
    }
    return value;
}

// What the event says about a field that a template may ask for; FWP_EMPTY when it says nothing.
static FWP_VALUE0 value_of(const FWPM_NET_EVENT5 *event, const GUID *key)
{
    const FWPM_NET_EVENT_HEADER3 *header = &event->header;
    if (wall_guid_equal(key, wall_key_guid(WALL_KEY_NET_EVENT_TYPE)))
        return (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = (UINT32)event->type };
    if (wall_guid_equal(key, wall_key_guid(WALL_KEY_IP_LOCAL_ADDRESS)))
        return address_value(header, true);
    if (wall_guid_equal(key, wall_key_guid(WALL_KEY_IP_REMOTE_ADDRESS)))
        return address_value(header, false);

    FWP_VALUE0 value = { .type = FWP_EMPTY };
    if (wall_guid_equal(key, wall_key_guid(WALL_KEY_IP_PROTOCOL))) {
        if (header->flags & FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET)
            value = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = header->ipProtocol };
    } else if (wall_guid_equal(key, wall_key_guid(WALL_KEY_IP_LOCAL_PORT))) {
        if (header->flags & FWPM_NET_EVENT_FLAG_LOCAL_PORT_SET)
            value = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = header->localPort };
    } else if (wall_guid_equal(key, wall_key_guid(WALL_KEY_IP_REMOTE_PORT))) {
        if (header->flags & FWPM_NET_EVENT_FLAG_REMOTE_PORT_SET)
            value = (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = header->remotePort };
    } else if (wall_guid_equal(key, wall_key_guid(WALL_KEY_ALE_APP_ID))) {
        if (header->flags & FWPM_NET_EVENT_FLAG_APP_ID_SET)
            value = (FWP_VALUE0){ .type = FWP_BYTE_BLOB_TYPE, .byteBlob = (FWP_BYTE_BLOB *)&header->appId };
    } else if (header->flags & FWPM_NET_EVENT_FLAG_USER_ID_SET) {
        value = (FWP_VALUE0){ .type = FWP_SID, .sid = header->userId };
    }
    return value;
}

bool wall_net_event_matches(const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_, const FWPM_NET_EVENT5 *event)
{
    if (!template_)
        return true;
    uint64_t time = number_of_time(&event->header.timeStamp), end = number_of_time(&template_->endTime);
    if (time < number_of_time(&template_->startTime) || (end != 0 && time > end))
        return false;
    for (uint32_t i = 0; i < template_->numFilterConditions; i++) {
        const FWPM_FILTER_CONDITION0 *asked = &template_->filterCondition[i];
        const struct wall_condition condition = { 0, asked->matchType, asked->conditionValue };
        FWP_VALUE0 value = value_of(event, &asked->fieldKey);
        if (!wall_condition_matches(&condition, &value))
            return false;
    }
    return true;
}

// Copies what matches. Returns the status; on failure what was copied stays in `items`.
static wall_status copy_matching(const struct wall_net_events *events, const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_,
                                 const void **items, size_t *count)
{
    for (size_t i = 0; i < events->count; i++) {
        const FWPM_NET_EVENT5 *event = events->slots[(events->first + i) % WALL_NET_EVENTS_MAX].event;
        if (!wall_net_event_matches(template_, event))
            continue;
        items[*count] = wall_shape_clone(&wall_shape_net_event, event);
        if (!items[*count])
            return wall_status_of_copy();
        ++*count;
    }
    return 0;
}

wall_status wall_net_event_enumeration_new(struct wall_session *session,
                                           const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_,
                                           struct wall_enumeration **ret_enumeration)
{
    const struct wall_engine *engine = session->engine;
    wall_status status = wall_session_check(session);
    if (status != 0)
        return status;
    if (wall_transaction_active(session))
        return FWP_E_TXN_IN_PROGRESS;
    if (engine->options[FWPM_ENGINE_COLLECT_NET_EVENTS] == 0)
        return FWP_E_NET_EVENTS_DISABLED;
    status = wall_net_event_template_check(template_);
    if (status != 0)
        return status;

    const void **items = calloc(engine->net_events->count + 1, sizeof(*items));
    size_t count = 0;
    status = items ? copy_matching(engine->net_events, template_, items, &count) : ERROR_NOT_ENOUGH_MEMORY;
    struct wall_enumeration *enumeration = items ? wall_enumeration_of_copies(items, count) : NULL;
    if (!enumeration) {
        while (count > 0)
            free((void *)items[--count]);
        free(items);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status != 0)
        wall_enumeration_free(enumeration);
    else
        *ret_enumeration = enumeration;
    return status;
}
