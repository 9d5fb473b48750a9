#include "base/guid.h"
#include "engine/add.h"
#include "engine/catalog.h"
#include "engine/condition.h"
#include "engine/limits.h"
#include "engine/weight.h"

// Flags a caller may set; DISABLED is output only and ignored.
#define KNOWN_FLAGS \
    (FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME | FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT | \
     FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT | FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED | \
     FWPM_FILTER_FLAG_DISABLED | FWPM_FILTER_FLAG_INDEXED | FWPM_FILTER_FLAG_HAS_SECURITY_REALM_PROVIDER_CONTEXT | \
     FWPM_FILTER_FLAG_SYSTEMOS_ONLY | FWPM_FILTER_FLAG_GAMEOS_ONLY | FWPM_FILTER_FLAG_SILENT_MODE | \
     FWPM_FILTER_FLAG_IPSEC_NO_ACQUIRE_INITIATE)

static wall_status check_action(const FWPM_FILTER0 *filter)
{
    switch (filter->action.type) {
    case FWP_ACTION_CALLOUT_TERMINATING:
    case FWP_ACTION_CALLOUT_UNKNOWN:
        return 0;
    case FWP_ACTION_BLOCK:
    case FWP_ACTION_PERMIT:
    case FWP_ACTION_CALLOUT_INSPECTION:
        return filter->flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED ? FWP_E_INVALID_FLAGS : 0;
    default:
        return FWP_E_INVALID_ACTION_TYPE;
    }
}

// What is wrong with the filter whatever the engine holds.
static wall_status check_alone(const FWPM_FILTER0 *filter)
{
    if (!filter)
        return FWP_E_NULL_POINTER;
    wall_status status = wall_add_check_common(&filter->displayData, &filter->providerData);
    if (status != 0)
        return status;
    if (filter->reserved)
        return FWP_E_RESERVED;
    if (filter->flags & ~(uint32_t)KNOWN_FLAGS)
        return FWP_E_INVALID_FLAGS;
    if ((filter->flags & FWPM_FILTER_FLAG_BOOTTIME) && (filter->flags & FWPM_FILTER_FLAG_PERSISTENT))
        return FWP_E_INVALID_FLAGS;
    if (filter->numFilterConditions > WALL_CONDITIONS_MAX)
        return FWP_E_OUT_OF_BOUNDS;
    if (filter->numFilterConditions > 0 && !filter->filterCondition)
        return FWP_E_NULL_POINTER;
    return check_action(filter);
}

static wall_status check_conditions(uint16_t layer_id, const FWPM_FILTER0 *filter)
{
    for (uint32_t i = 0; i < filter->numFilterConditions; i++) {
        uint16_t field_id;
        wall_status status = wall_condition_check(layer_id, &filter->filterCondition[i], false, &field_id);
        if (status != 0)
            return status;
    }
    return 0;
}

static bool is_ipsec_layer(uint16_t layer_id)
{
    return layer_id >= FWPS_LAYER_IPSEC_KM_DEMUX_V4 && layer_id <= FWPS_LAYER_IKEEXT_V6;
}

static bool is_authorization_layer(uint16_t layer_id)
{
    return layer_id >= FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 && layer_id <= FWPS_LAYER_ALE_AUTH_CONNECT_V6_DISCARD;
}

// Which provider contexts mean something where: key exchange policies at the IPsec layers and to callouts, options
// where connections are authorized, connection policies at their own layers. A general one means what a callout makes
// of it.
static bool context_fits_layer(FWPM_PROVIDER_CONTEXT_TYPE type, uint16_t layer_id, bool callout)
{
    switch (type) {
    case FWPM_GENERAL_CONTEXT:
        return true;
    case FWPM_CLASSIFY_OPTIONS_CONTEXT:
        return is_authorization_layer(layer_id);
    case FWPM_NETWORK_CONNECTION_POLICY_CONTEXT:
        return layer_id == FWPS_LAYER_OUTBOUND_NETWORK_CONNECTION_POLICY_V4 ||
               layer_id == FWPS_LAYER_OUTBOUND_NETWORK_CONNECTION_POLICY_V6;
    default:
        return callout || is_ipsec_layer(layer_id);
    }
}

static wall_status find_callout(struct wall_add *adding, const FWPM_FILTER0 *filter)
{
    struct wall_object *callout = wall_add_find(adding, WALL_OBJECT_CALLOUT, &filter->action.calloutKey);
    if (!callout)
        return FWP_E_CALLOUT_NOT_FOUND;
    adding->references[WALL_REFERENCE_CALLOUT] = callout;
    const FWPM_CALLOUT0 *data = callout->data;
    if (!(wall_catalog_layer_flags(adding->layer_id) & FWPM_LAYER_FLAG_KERNEL) ||
        !wall_guid_equal(&data->applicableLayer, &filter->layerKey))
        return FWP_E_ACTION_INCOMPATIBLE_WITH_LAYER;
    return 0;
}

static wall_status find_context(struct wall_add *adding, const FWPM_FILTER0 *filter)
{
    struct wall_object *context = wall_add_find(adding, WALL_OBJECT_PROVIDER_CONTEXT, &filter->providerContextKey);
    if (!context)
        return FWP_E_PROVIDER_CONTEXT_NOT_FOUND;
    adding->references[WALL_REFERENCE_CONTEXT] = context;
    const struct wall_object *callout = adding->references[WALL_REFERENCE_CALLOUT];
    if (callout && !(((const FWPM_CALLOUT0 *)callout->data)->flags & FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT))
        return FWP_E_CONTEXT_INCOMPATIBLE_WITH_CALLOUT;
    if (!context_fits_layer(((const FWPM_PROVIDER_CONTEXT3 *)context->data)->type, adding->layer_id, callout))
        return FWP_E_CONTEXT_INCOMPATIBLE_WITH_LAYER;
    return 0;
}

// Finds what the filter refers to, and judges whether it goes together.
static wall_status find_references(struct wall_add *adding, const FWPM_FILTER0 *filter)
{
    if (!wall_catalog_layer_find(&filter->layerKey, &adding->layer_id))
        return FWP_E_LAYER_NOT_FOUND;
    struct wall_object *sublayer = wall_add_find(adding, WALL_OBJECT_SUBLAYER, &filter->subLayerKey);
    if (!sublayer)
        return FWP_E_SUBLAYER_NOT_FOUND;
    adding->references[WALL_REFERENCE_SUBLAYER] = sublayer;
    if ((filter->flags & FWPM_FILTER_FLAG_BOOTTIME) &&
        !(wall_catalog_layer_flags(adding->layer_id) & FWPM_LAYER_FLAG_KERNEL))
        return FWP_E_INCOMPATIBLE_LAYER;
    // "It is used only for inspection filters", say the documents.
    if (wall_guid_equal(&filter->subLayerKey, &FWPM_SUBLAYER_INSPECTION) &&
        filter->action.type != FWP_ACTION_CALLOUT_INSPECTION)
        return FWP_E_ACTION_INCOMPATIBLE_WITH_SUBLAYER;

    wall_status status = 0;
    if (filter->action.type & FWP_ACTION_FLAG_CALLOUT)
        status = find_callout(adding, filter);
    if (status == 0 && (filter->flags & FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT))
        status = find_context(adding, filter);
    return status;
}

static enum wall_lifetime lifetime_of(const struct wall_session *session, const FWPM_FILTER0 *filter)
{
    if (filter->flags & FWPM_FILTER_FLAG_BOOTTIME)
        return WALL_LIFETIME_BOOTTIME;
    return wall_add_lifetime(session, filter->flags & FWPM_FILTER_FLAG_PERSISTENT);
}

static uint32_t final_flags(const struct wall_add *adding, uint32_t flags)
{
    const struct wall_object *provider = adding->references[WALL_REFERENCE_PROVIDER];
    bool disabled = adding->lifetime == WALL_LIFETIME_PERSISTENT && provider &&
                    (((const FWPM_PROVIDER0 *)provider->data)->flags & FWPM_PROVIDER_FLAG_DISABLED);
    flags &= ~(uint32_t)FWPM_FILTER_FLAG_DISABLED;
    return disabled ? flags | FWPM_FILTER_FLAG_DISABLED : flags;
}

static wall_status add(struct wall_session *session, const FWPM_FILTER0 *filter, GUID *ret_key, uint64_t *ret_id)
{
    struct wall_engine *engine = session->engine;
    wall_status status = check_alone(filter);
    if (status != 0)
        return status;

    FWPM_FILTER0 data = *filter;
    if (wall_guid_is_zero(&data.subLayerKey))
        data.subLayerKey = FWPM_SUBLAYER_UNIVERSAL;
    struct wall_add adding = {
        .session = session,
        .type = WALL_OBJECT_FILTER,
        .lifetime = lifetime_of(session, filter),
        .limit = engine->filters_max,
    };
    uint64_t weight;
    status = find_references(&adding, &data);
    if (status == 0)
        status = check_conditions(adding.layer_id, filter);
    if (status == 0)
        status = wall_weight_of(adding.layer_id, filter, &weight);
    if (status == 0)
        status = wall_add_prepare(&adding, &data.filterKey, data.providerKey);
    if (status != 0)
        return status;

    adding.id = wall_add_take_id(&adding, &engine->last_filter_id, filter->filterId);
    data.filterId = adding.id;
    data.flags = final_flags(&adding, filter->flags);
    data.effectiveWeight.type = FWP_UINT64;
    data.effectiveWeight.uint64 = &weight;
    status = wall_add_finish(&adding, &data);
    if (status != 0)
        return status;
    *ret_key = data.filterKey;
    *ret_id = data.filterId;
    return 0;
}

wall_status wall_filter_add(struct wall_session *session, const FWPM_FILTER0 *filter, GUID *ret_key, uint64_t *ret_id)
{
    bool implicit;
    GUID key;
    uint64_t id = 0;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    status = wall_write_leave(session, implicit, add(session, filter, &key, &id));
    if (status == 0 && ret_key)
        *ret_key = key;
    if (status == 0 && ret_id)
        *ret_id = id;
    return status;
}
