// The objects every engine has from the start: layers, sublayers, providers, callouts, provider contexts.
#include <errno.h>
#include <string.h>

#include "base/utf16.h"
#include "engine/catalog.h"
#include "engine/state.h"
#include "engine/status.h"

// Weights as seen on a real machine (wfp-reference 1.7).
static const struct {
    const GUID *key;
    uint16_t weight;
} sublayer_weights[] = {
    { &FWPM_SUBLAYER_RPC_AUDIT, 0xc000 },
    { &FWPM_SUBLAYER_IPSEC_TUNNEL, 0xa000 },
    { &FWPM_SUBLAYER_IPSEC_FORWARD_OUTBOUND_TUNNEL, 0x9000 },
    { &FWPM_SUBLAYER_IPSEC_DOSP, 0x8800 },
    { &FWPM_SUBLAYER_UNIVERSAL, 0x8000 },
    { &FWPM_SUBLAYER_LIPS, 0x7fff },
    { &FWPM_SUBLAYER_SECURE_SOCKET, 0x4000 },
    { &FWPM_SUBLAYER_IPSEC_SECURITY_REALM, 0x3000 },
    { &FWPM_SUBLAYER_TCP_TEMPLATES, 0x2200 },
    { &FWPM_SUBLAYER_TCP_CHIMNEY_OFFLOAD, 0x2000 },
    { &FWPM_SUBLAYER_MPSSVC_APP_ISOLATION, 7 },
    { &FWPM_SUBLAYER_MPSSVC_TENANT_RESTRICTIONS, 6 },
    { &FWPM_SUBLAYER_MPSSVC_EDP, 5 },
    { &FWPM_SUBLAYER_MPSSVC_QUARANTINE, 4 },
    { &FWPM_SUBLAYER_MPSSVC_WSH, 3 },
    { &FWPM_SUBLAYER_MPSSVC_WF, 2 },
    { &FWPM_SUBLAYER_TEREDO, 1 },
    { &FWPM_SUBLAYER_INSPECTION, 0 },
};

struct callout_row {
    const GUID *key, *layer;
    bool uses_context;
};

// The built-in callouts of Windows. Nothing implements them here, so a filter that names one blocks, as it does on
// Windows when a callout is not registered. The layers of the last five are not documented.
static const struct callout_row callouts[] = {
    { &FWPM_CALLOUT_IPSEC_INBOUND_TRANSPORT_V4, &FWPM_LAYER_INBOUND_TRANSPORT_V4, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_TRANSPORT_V6, &FWPM_LAYER_INBOUND_TRANSPORT_V6, true },
    { &FWPM_CALLOUT_IPSEC_OUTBOUND_TRANSPORT_V4, &FWPM_LAYER_OUTBOUND_TRANSPORT_V4, true },
    { &FWPM_CALLOUT_IPSEC_OUTBOUND_TRANSPORT_V6, &FWPM_LAYER_OUTBOUND_TRANSPORT_V6, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_TUNNEL_V4, &FWPM_LAYER_INBOUND_TRANSPORT_V4, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_TUNNEL_V6, &FWPM_LAYER_INBOUND_TRANSPORT_V6, true },
    { &FWPM_CALLOUT_IPSEC_OUTBOUND_TUNNEL_V4, &FWPM_LAYER_OUTBOUND_TRANSPORT_V4, true },
    { &FWPM_CALLOUT_IPSEC_OUTBOUND_TUNNEL_V6, &FWPM_LAYER_OUTBOUND_TRANSPORT_V6, true },
    { &FWPM_CALLOUT_IPSEC_FORWARD_INBOUND_TUNNEL_V4, &FWPM_LAYER_IPFORWARD_V4, true },
    { &FWPM_CALLOUT_IPSEC_FORWARD_INBOUND_TUNNEL_V6, &FWPM_LAYER_IPFORWARD_V6, true },
    { &FWPM_CALLOUT_IPSEC_FORWARD_OUTBOUND_TUNNEL_V4, &FWPM_LAYER_IPFORWARD_V4, true },
    { &FWPM_CALLOUT_IPSEC_FORWARD_OUTBOUND_TUNNEL_V6, &FWPM_LAYER_IPFORWARD_V6, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_INITIATE_SECURE_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_INITIATE_SECURE_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_TUNNEL_ALE_ACCEPT_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, true },
    { &FWPM_CALLOUT_IPSEC_INBOUND_TUNNEL_ALE_ACCEPT_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, true },
    { &FWPM_CALLOUT_IPSEC_ALE_CONNECT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, true },
    { &FWPM_CALLOUT_IPSEC_ALE_CONNECT_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, true },
    { &FWPM_CALLOUT_IPSEC_DOSP_FORWARD_V6, &FWPM_LAYER_IPFORWARD_V6, true },
    { &FWPM_CALLOUT_IPSEC_DOSP_FORWARD_V4, &FWPM_LAYER_IPFORWARD_V4, true },
    { &FWPM_CALLOUT_WFP_TRANSPORT_LAYER_V4_SILENT_DROP, &FWPM_LAYER_INBOUND_TRANSPORT_V4_DISCARD, false },
    { &FWPM_CALLOUT_WFP_TRANSPORT_LAYER_V6_SILENT_DROP, &FWPM_LAYER_INBOUND_TRANSPORT_V6_DISCARD, false },
    { &FWPM_CALLOUT_TCP_CHIMNEY_CONNECT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, false },
    { &FWPM_CALLOUT_TCP_CHIMNEY_CONNECT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, false },
    { &FWPM_CALLOUT_TCP_CHIMNEY_ACCEPT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, false },
    { &FWPM_CALLOUT_TCP_CHIMNEY_ACCEPT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, false },
    { &FWPM_CALLOUT_SET_OPTIONS_AUTH_CONNECT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, true },
    { &FWPM_CALLOUT_SET_OPTIONS_AUTH_CONNECT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, true },
    { &FWPM_CALLOUT_SET_OPTIONS_AUTH_RECV_ACCEPT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, true },
    { &FWPM_CALLOUT_SET_OPTIONS_AUTH_RECV_ACCEPT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, true },
    { &FWPM_CALLOUT_RESERVED_AUTH_CONNECT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, false },
    { &FWPM_CALLOUT_RESERVED_AUTH_CONNECT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, false },
    { &FWPM_CALLOUT_TEREDO_ALE_RESOURCE_ASSIGNMENT_V6, &FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V6, false },
    { &FWPM_CALLOUT_EDGE_TRAVERSAL_ALE_RESOURCE_ASSIGNMENT_V4, &FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, false },
    { &FWPM_CALLOUT_TEREDO_ALE_LISTEN_V6, &FWPM_LAYER_ALE_AUTH_LISTEN_V6, false },
    { &FWPM_CALLOUT_EDGE_TRAVERSAL_ALE_LISTEN_V4, &FWPM_LAYER_ALE_AUTH_LISTEN_V4, false },
    { &FWPM_CALLOUT_TCP_TEMPLATES_CONNECT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, false },
    { &FWPM_CALLOUT_TCP_TEMPLATES_CONNECT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, false },
    { &FWPM_CALLOUT_TCP_TEMPLATES_ACCEPT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, false },
    { &FWPM_CALLOUT_TCP_TEMPLATES_ACCEPT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, false },
    { &FWPM_CALLOUT_POLICY_SILENT_MODE_AUTH_CONNECT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, false },
    { &FWPM_CALLOUT_POLICY_SILENT_MODE_AUTH_CONNECT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, false },
    { &FWPM_CALLOUT_POLICY_SILENT_MODE_AUTH_RECV_ACCEPT_LAYER_V4, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, false },
    { &FWPM_CALLOUT_POLICY_SILENT_MODE_AUTH_RECV_ACCEPT_LAYER_V6, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6, false },
    { &FWPM_CALLOUT_HTTP_TEMPLATE_SSL_HANDSHAKE, &FWPM_LAYER_STREAM_V4, false },
    { &FWPM_CALLOUT_OUTBOUND_NETWORK_CONNECTION_POLICY_LAYER_V4, &FWPM_LAYER_OUTBOUND_NETWORK_CONNECTION_POLICY_V4,
      true },
    { &FWPM_CALLOUT_OUTBOUND_NETWORK_CONNECTION_POLICY_LAYER_V6, &FWPM_LAYER_OUTBOUND_NETWORK_CONNECTION_POLICY_V6,
      true },
    { &FWPM_CALLOUT_BUILT_IN_RESERVED_1, &FWPM_LAYER_INBOUND_RESERVED2, false },
    { &FWPM_CALLOUT_BUILT_IN_RESERVED_2, &FWPM_LAYER_INBOUND_RESERVED2, false },
    { &FWPM_CALLOUT_BUILT_IN_RESERVED_3, &FWPM_LAYER_INBOUND_RESERVED2, false },
    { &FWPM_CALLOUT_BUILT_IN_RESERVED_4, &FWPM_LAYER_INBOUND_RESERVED2, false },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

// A text for as long as the engine lives, or NULL.
static WCHAR *wide(struct wall_engine *engine, const char *text)
{
    size_t length = strlen(text);
    uint16_t *copy = wall_arena_take_array(&engine->catalog, length + 1, sizeof(*copy));
    if (copy)
        (void)wall_utf16_from_path(text, length, copy, length);
    return (WCHAR *)copy;
}

static int display(struct wall_engine *engine, enum wall_name_kind kind, const GUID *key,
                   FWPM_DISPLAY_DATA0 *ret_display)
{
    const char *name = wall_name_of(kind, key);
    ret_display->name = wide(engine, name ? name : "ALE Accept Redirect");
    ret_display->description = NULL;
    return ret_display->name ? 0 : -ENOMEM;
}

static int add(struct wall_engine *engine, enum wall_object_type type, uint64_t id, const void *data,
               struct wall_object **ret_object)
{
    struct wall_object *object = wall_object_new(type, data);
    if (!object)
        return -ENOMEM;
    memcpy(&object->key, data, sizeof(object->key));
    object->lifetime = WALL_LIFETIME_BUILTIN;
    object->born = 0;
    object->id = id;
    if (wall_index_put(&engine->index[type], object) < 0) {
        wall_object_release(object);
        return -ENOMEM;
    }
    *ret_object = object;
    return 0;
}

static int add_layer(struct wall_engine *engine, uint16_t layer_id)
{
    uint16_t count = wall_catalog_field_count(layer_id);
    FWPM_FIELD0 *fields = wall_arena_take_array(&engine->catalog, count, sizeof(*fields));
    if (!fields)
        return -ENOMEM;
    for (uint16_t i = 0; i < count; i++) {
        struct wall_catalog_field field = { 0 };
        (void)wall_catalog_field(layer_id, i, &field);
        // The structure has a pointer to writable memory there; nobody writes.
        fields[i] = (FWPM_FIELD0){ (GUID *)wall_key_guid(field.key), field.type, field.data_type };
    }

    FWPM_LAYER0 layer = {
        .layerKey = *wall_catalog_layer_key(layer_id),
        .flags = wall_catalog_layer_flags(layer_id),
        .numFields = count,
        .field = fields,
        .defaultSubLayerKey = FWPM_SUBLAYER_UNIVERSAL,
        .layerId = layer_id,
    };
    int r = display(engine, WALL_NAME_LAYER, &layer.layerKey, &layer.displayData);
    return r < 0 ? r : add(engine, WALL_OBJECT_LAYER, layer_id, &layer, &engine->layers[layer_id]);
}

static int add_sublayer(struct wall_engine *engine, const GUID *key, uint16_t weight)
{
    struct wall_object *object;
    FWPM_SUBLAYER0 sublayer = { .subLayerKey = *key, .weight = weight };
    int r = display(engine, WALL_NAME_SUBLAYER, key, &sublayer.displayData);
    if (r == 0)
        r = add(engine, WALL_OBJECT_SUBLAYER, 0, &sublayer, &object);
    if (r == 0)
        wall_sublayer_weight_set(engine, weight, true);
    return r;
}

static int add_provider(struct wall_engine *engine, const GUID *key)
{
    struct wall_object *object;
    FWPM_PROVIDER0 provider = { .providerKey = *key };
    int r = display(engine, WALL_NAME_PROVIDER, key, &provider.displayData);
    return r < 0 ? r : add(engine, WALL_OBJECT_PROVIDER, 0, &provider, &object);
}

static int add_callout(struct wall_engine *engine, const struct callout_row *row)
{
    struct wall_callout_binding *binding = wall_callout_binding_get(engine, row->key, 0);
    if (!binding)
        return -ENOMEM;
    FWPM_CALLOUT0 callout = {
        .calloutKey = *row->key,
        .flags = row->uses_context ? FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT : 0,
        .applicableLayer = *row->layer,
        .calloutId = binding->id,
    };
    struct wall_object *object = NULL;
    int r = display(engine, WALL_NAME_CALLOUT, row->key, &callout.displayData);
    if (r == 0)
        r = add(engine, WALL_OBJECT_CALLOUT, binding->id, &callout, &object);
    if (r == 0) {
        object->binding = binding;
        binding->object_count++;
    }
    return r;
}

int wall_builtin_add(struct wall_engine *engine)
{
    int r = 0;
    for (uint16_t id = 0; r == 0 && id < FWPS_BUILTIN_LAYER_MAX; id++)
        r = add_layer(engine, id);
    for (size_t i = 0; r == 0 && i < COUNT(sublayer_weights); i++)
        r = add_sublayer(engine, sublayer_weights[i].key, sublayer_weights[i].weight);
    size_t count;
    const struct wall_name *providers = wall_name_list(WALL_NAME_PROVIDER, &count);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_provider(engine, providers[i].key);
    for (size_t i = 0; r == 0 && i < COUNT(callouts); i++)
        r = add_callout(engine, &callouts[i]);
    return r;
}
