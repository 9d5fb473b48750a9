#include "engine/shapes.h"

#include "fwpstypes.h"

// An anonymous union: told from its widest member, printed as `text`.
#define FIELD_UNION(text, type, widest, selector, mask, table)                                                \
    { .name = (text), .kind = WALL_SHAPE_UNION, .offset = (uint32_t)offsetof(type, widest),                   \
      .size = (uint32_t)sizeof(((type *)0)->widest), .link_offset = (uint32_t)offsetof(type, selector),       \
      .link_mask = (mask), .cases = (table), .case_count = (uint32_t)(sizeof(table) / sizeof((table)[0])) }

// A scalar or byte array that something points to.
#define LONE_FIELD(text, of_kind, bytes) { .name = (text), .kind = (of_kind), .size = (bytes) }

// --- Values ---

static const struct wall_shape_field guid_fields[] = { LONE_FIELD("guid", WALL_SHAPE_BYTES, sizeof(GUID)) };
WALL_SHAPE(wall_shape_guid, GUID, guid_fields);

static const struct wall_shape_field number_fields[] = { LONE_FIELD("number", WALL_SHAPE_U64, sizeof(UINT64)) };
static WALL_SHAPE(shape_number, UINT64, number_fields);

static const struct wall_shape_field array16_fields[] = { WALL_FIELD_BYTES(FWP_BYTE_ARRAY16, byteArray16) };
static WALL_SHAPE(shape_array16, FWP_BYTE_ARRAY16, array16_fields);

static const struct wall_shape_field array6_fields[] = { WALL_FIELD_BYTES(FWP_BYTE_ARRAY6, byteArray6) };
static WALL_SHAPE(shape_array6, FWP_BYTE_ARRAY6, array6_fields);

static const struct wall_shape_field blob_fields[] = { WALL_FIELD_DATA(FWP_BYTE_BLOB, data, size) };
WALL_SHAPE(wall_shape_blob, FWP_BYTE_BLOB, blob_fields);

static const struct wall_shape_field sid_and_attributes_fields[] = {
    WALL_FIELD_SID(SID_AND_ATTRIBUTES, Sid),
    WALL_FIELD_U32(SID_AND_ATTRIBUTES, Attributes),
};
static WALL_SHAPE(shape_sid_and_attributes, SID_AND_ATTRIBUTES, sid_and_attributes_fields);

static const struct wall_shape_field token_information_fields[] = {
    WALL_FIELD_ARRAY(FWP_TOKEN_INFORMATION, sids, sidCount, &shape_sid_and_attributes),
    WALL_FIELD_ARRAY(FWP_TOKEN_INFORMATION, restrictedSids, restrictedSidCount, &shape_sid_and_attributes),
};
static WALL_SHAPE(shape_token_information, FWP_TOKEN_INFORMATION, token_information_fields);

// What FWP_VALUE0 and FWP_CONDITION_VALUE0 have in common.
#define VALUE_CASES                                                                  \
    { FWP_EMPTY, WALL_SHAPE_BYTES, 0, NULL },                                        \
    { FWP_UINT8, WALL_SHAPE_U8, 0, NULL },                                           \
    { FWP_UINT16, WALL_SHAPE_U16, 0, NULL },                                         \
    { FWP_UINT32, WALL_SHAPE_U32, 0, NULL },                                         \
    { FWP_UINT64, WALL_SHAPE_POINTER, 0, &shape_number },                            \
    { FWP_INT8, WALL_SHAPE_U8, 0, NULL },                                            \
    { FWP_INT16, WALL_SHAPE_U16, 0, NULL },                                          \
    { FWP_INT32, WALL_SHAPE_U32, 0, NULL },                                          \
    { FWP_INT64, WALL_SHAPE_POINTER, 0, &shape_number },                             \
    { FWP_FLOAT, WALL_SHAPE_U32, 0, NULL },                                          \
    { FWP_DOUBLE, WALL_SHAPE_POINTER, 0, &shape_number },                            \
    { FWP_BYTE_ARRAY16_TYPE, WALL_SHAPE_POINTER, 0, &shape_array16 },                \
    { FWP_BYTE_BLOB_TYPE, WALL_SHAPE_POINTER, 0, &wall_shape_blob },                 \
    { FWP_SID, WALL_SHAPE_SID, 0, NULL },                                            \
    { FWP_SECURITY_DESCRIPTOR_TYPE, WALL_SHAPE_POINTER, 0, &wall_shape_blob },       \
    { FWP_TOKEN_INFORMATION_TYPE, WALL_SHAPE_POINTER, 0, &shape_token_information }, \
    { FWP_TOKEN_ACCESS_INFORMATION_TYPE, WALL_SHAPE_POINTER, 0, &wall_shape_blob },  \
    { FWP_UNICODE_STRING_TYPE, WALL_SHAPE_TEXT, 0, NULL },                           \
    { FWP_BYTE_ARRAY6_TYPE, WALL_SHAPE_POINTER, 0, &shape_array6 }

static const struct wall_shape_case value_cases[] = { VALUE_CASES };
static const struct wall_shape_field value_fields[] = {
    FIELD_UNION("value", FWP_VALUE0, uint64, type, 0, value_cases),
};
WALL_SHAPE(wall_shape_value, FWP_VALUE0, value_fields);

static const struct wall_shape_field v4_mask_fields[] = {
    WALL_FIELD_U32(FWP_V4_ADDR_AND_MASK, addr),
    WALL_FIELD_U32(FWP_V4_ADDR_AND_MASK, mask),
};
static WALL_SHAPE(shape_v4_mask, FWP_V4_ADDR_AND_MASK, v4_mask_fields);

static const struct wall_shape_field v6_mask_fields[] = {
    WALL_FIELD_BYTES(FWP_V6_ADDR_AND_MASK, addr),
    WALL_FIELD_U8(FWP_V6_ADDR_AND_MASK, prefixLength),
};
static WALL_SHAPE(shape_v6_mask, FWP_V6_ADDR_AND_MASK, v6_mask_fields);

static const struct wall_shape_field range_fields[] = {
    WALL_FIELD_STRUCT(FWP_RANGE0, valueLow, &wall_shape_value),
    WALL_FIELD_STRUCT(FWP_RANGE0, valueHigh, &wall_shape_value),
};
static WALL_SHAPE(shape_range, FWP_RANGE0, range_fields);

static const struct wall_shape_case condition_value_cases[] = {
    VALUE_CASES,
    { FWP_V4_ADDR_MASK, WALL_SHAPE_POINTER, 0, &shape_v4_mask },
    { FWP_V6_ADDR_MASK, WALL_SHAPE_POINTER, 0, &shape_v6_mask },
    { FWP_RANGE_TYPE, WALL_SHAPE_POINTER, 0, &shape_range },
};
static const struct wall_shape_field condition_value_fields[] = {
    FIELD_UNION("value", FWP_CONDITION_VALUE0, uint64, type, 0, condition_value_cases),
};
WALL_SHAPE(wall_shape_condition_value, FWP_CONDITION_VALUE0, condition_value_fields);

static const struct wall_shape_field display_data_fields[] = {
    WALL_FIELD_TEXT(FWPM_DISPLAY_DATA0, name),
    WALL_FIELD_TEXT(FWPM_DISPLAY_DATA0, description),
};
WALL_SHAPE(wall_shape_display_data, FWPM_DISPLAY_DATA0, display_data_fields);

// --- Objects ---

static const struct wall_shape_field session_fields[] = {
    WALL_FIELD_BYTES(FWPM_SESSION0, sessionKey),
    WALL_FIELD_STRUCT(FWPM_SESSION0, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_SESSION0, flags),
    WALL_FIELD_U32(FWPM_SESSION0, txnWaitTimeoutInMSec),
    WALL_FIELD_U32(FWPM_SESSION0, processId),
    WALL_FIELD_SID(FWPM_SESSION0, sid),
    WALL_FIELD_TEXT(FWPM_SESSION0, username),
    WALL_FIELD_U32(FWPM_SESSION0, kernelMode),
};
WALL_SHAPE(wall_shape_session, FWPM_SESSION0, session_fields);

static const struct wall_shape_field provider_fields[] = {
    WALL_FIELD_BYTES(FWPM_PROVIDER0, providerKey),
    WALL_FIELD_STRUCT(FWPM_PROVIDER0, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_PROVIDER0, flags),
    WALL_FIELD_STRUCT(FWPM_PROVIDER0, providerData, &wall_shape_blob),
    WALL_FIELD_TEXT(FWPM_PROVIDER0, serviceName),
};
WALL_SHAPE(wall_shape_provider, FWPM_PROVIDER0, provider_fields);

static const struct wall_shape_field classify_option_fields[] = {
    WALL_FIELD_U32(FWPM_CLASSIFY_OPTION0, type),
    WALL_FIELD_STRUCT(FWPM_CLASSIFY_OPTION0, value, &wall_shape_value),
};
static WALL_SHAPE(shape_classify_option, FWPM_CLASSIFY_OPTION0, classify_option_fields);

static const struct wall_shape_field classify_options_fields[] = {
    WALL_FIELD_ARRAY(FWPM_CLASSIFY_OPTIONS0, options, numOptions, &shape_classify_option),
};
static WALL_SHAPE(shape_classify_options, FWPM_CLASSIFY_OPTIONS0, classify_options_fields);

static const struct wall_shape_field policy_setting_fields[] = {
    WALL_FIELD_U32(FWPM_NETWORK_CONNECTION_POLICY_SETTING0, type),
    WALL_FIELD_STRUCT(FWPM_NETWORK_CONNECTION_POLICY_SETTING0, value, &wall_shape_value),
};
static WALL_SHAPE(shape_policy_setting, FWPM_NETWORK_CONNECTION_POLICY_SETTING0, policy_setting_fields);

static const struct wall_shape_field policy_settings_fields[] = {
    WALL_FIELD_ARRAY(FWPM_NETWORK_CONNECTION_POLICY_SETTINGS0, settings, numSettings, &shape_policy_setting),
};
static WALL_SHAPE(shape_policy_settings, FWPM_NETWORK_CONNECTION_POLICY_SETTINGS0, policy_settings_fields);

static const struct wall_shape_case provider_context_cases[] = {
    { FWPM_GENERAL_CONTEXT, WALL_SHAPE_POINTER, 0, &wall_shape_blob },
    { FWPM_CLASSIFY_OPTIONS_CONTEXT, WALL_SHAPE_POINTER, 0, &shape_classify_options },
    { FWPM_NETWORK_CONNECTION_POLICY_CONTEXT, WALL_SHAPE_POINTER, 0, &shape_policy_settings },
};
static const struct wall_shape_field provider_context_fields[] = {
    WALL_FIELD_BYTES(FWPM_PROVIDER_CONTEXT3, providerContextKey),
    WALL_FIELD_STRUCT(FWPM_PROVIDER_CONTEXT3, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_PROVIDER_CONTEXT3, flags),
    WALL_FIELD_POINTER(FWPM_PROVIDER_CONTEXT3, providerKey, &wall_shape_guid),
    WALL_FIELD_STRUCT(FWPM_PROVIDER_CONTEXT3, providerData, &wall_shape_blob),
    FIELD_UNION("context", FWPM_PROVIDER_CONTEXT3, dataBuffer, type, 0, provider_context_cases),
    WALL_FIELD_U64(FWPM_PROVIDER_CONTEXT3, providerContextId),
};
WALL_SHAPE(wall_shape_provider_context, FWPM_PROVIDER_CONTEXT3, provider_context_fields);

static const struct wall_shape_field sublayer_fields[] = {
    WALL_FIELD_BYTES(FWPM_SUBLAYER0, subLayerKey),
    WALL_FIELD_STRUCT(FWPM_SUBLAYER0, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_SUBLAYER0, flags),
    WALL_FIELD_POINTER(FWPM_SUBLAYER0, providerKey, &wall_shape_guid),
    WALL_FIELD_STRUCT(FWPM_SUBLAYER0, providerData, &wall_shape_blob),
    WALL_FIELD_U16(FWPM_SUBLAYER0, weight),
};
WALL_SHAPE(wall_shape_sublayer, FWPM_SUBLAYER0, sublayer_fields);

static const struct wall_shape_field field_fields[] = {
    WALL_FIELD_POINTER(FWPM_FIELD0, fieldKey, &wall_shape_guid),
    WALL_FIELD_U32(FWPM_FIELD0, type),
    WALL_FIELD_U32(FWPM_FIELD0, dataType),
};
WALL_SHAPE(wall_shape_field, FWPM_FIELD0, field_fields);

static const struct wall_shape_field layer_fields[] = {
    WALL_FIELD_BYTES(FWPM_LAYER0, layerKey),
    WALL_FIELD_STRUCT(FWPM_LAYER0, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_LAYER0, flags),
    WALL_FIELD_ARRAY(FWPM_LAYER0, field, numFields, &wall_shape_field),
    WALL_FIELD_BYTES(FWPM_LAYER0, defaultSubLayerKey),
    WALL_FIELD_U16(FWPM_LAYER0, layerId),
};
WALL_SHAPE(wall_shape_layer, FWPM_LAYER0, layer_fields);

static const struct wall_shape_field callout_fields[] = {
    WALL_FIELD_BYTES(FWPM_CALLOUT0, calloutKey),
    WALL_FIELD_STRUCT(FWPM_CALLOUT0, displayData, &wall_shape_display_data),
    WALL_FIELD_U32(FWPM_CALLOUT0, flags),
    WALL_FIELD_POINTER(FWPM_CALLOUT0, providerKey, &wall_shape_guid),
    WALL_FIELD_STRUCT(FWPM_CALLOUT0, providerData, &wall_shape_blob),
    WALL_FIELD_BYTES(FWPM_CALLOUT0, applicableLayer),
    WALL_FIELD_U32(FWPM_CALLOUT0, calloutId),
};
WALL_SHAPE(wall_shape_callout, FWPM_CALLOUT0, callout_fields);

static const struct wall_shape_field condition_fields[] = {
    WALL_FIELD_BYTES(FWPM_FILTER_CONDITION0, fieldKey),
    WALL_FIELD_U32(FWPM_FILTER_CONDITION0, matchType),
    WALL_FIELD_STRUCT(FWPM_FILTER_CONDITION0, conditionValue, &wall_shape_condition_value),
};
WALL_SHAPE(wall_shape_condition, FWPM_FILTER_CONDITION0, condition_fields);

static const struct wall_shape_field action_fields[] = {
    WALL_FIELD_U32(FWPM_ACTION0, type),
    WALL_FIELD_BYTES(FWPM_ACTION0, calloutKey),
};
static WALL_SHAPE(shape_action, FWPM_ACTION0, action_fields);

static const struct wall_shape_case filter_context_cases[] = {
    { 0, WALL_SHAPE_U64, 0, NULL },
    { FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT, WALL_SHAPE_BYTES, sizeof(GUID), NULL },
};
// `flags` is carried by the union it tells.
static const struct wall_shape_field filter_fields[] = {
    WALL_FIELD_BYTES(FWPM_FILTER0, filterKey),
    WALL_FIELD_STRUCT(FWPM_FILTER0, displayData, &wall_shape_display_data),
    WALL_FIELD_POINTER(FWPM_FILTER0, providerKey, &wall_shape_guid),
    WALL_FIELD_STRUCT(FWPM_FILTER0, providerData, &wall_shape_blob),
    WALL_FIELD_BYTES(FWPM_FILTER0, layerKey),
    WALL_FIELD_BYTES(FWPM_FILTER0, subLayerKey),
    WALL_FIELD_STRUCT(FWPM_FILTER0, weight, &wall_shape_value),
    WALL_FIELD_ARRAY(FWPM_FILTER0, filterCondition, numFilterConditions, &wall_shape_condition),
    WALL_FIELD_STRUCT(FWPM_FILTER0, action, &shape_action),
    FIELD_UNION("context", FWPM_FILTER0, providerContextKey, flags, FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT,
                filter_context_cases),
    WALL_FIELD_POINTER(FWPM_FILTER0, reserved, &wall_shape_guid),
    WALL_FIELD_U64(FWPM_FILTER0, filterId),
    WALL_FIELD_STRUCT(FWPM_FILTER0, effectiveWeight, &wall_shape_value),
};
WALL_SHAPE(wall_shape_filter, FWPM_FILTER0, filter_fields);

// --- Enumeration templates, subscriptions, changes ---

static const struct wall_shape_field provider_template_fields[] = {
    WALL_FIELD_U64(FWPM_PROVIDER_ENUM_TEMPLATE0, reserved),
};
WALL_SHAPE(wall_shape_provider_template, FWPM_PROVIDER_ENUM_TEMPLATE0, provider_template_fields);

static const struct wall_shape_field layer_template_fields[] = {
    WALL_FIELD_U64(FWPM_LAYER_ENUM_TEMPLATE0, reserved),
};
WALL_SHAPE(wall_shape_layer_template, FWPM_LAYER_ENUM_TEMPLATE0, layer_template_fields);

static const struct wall_shape_field session_template_fields[] = {
    WALL_FIELD_U64(FWPM_SESSION_ENUM_TEMPLATE0, reserved),
};
WALL_SHAPE(wall_shape_session_template, FWPM_SESSION_ENUM_TEMPLATE0, session_template_fields);

static const struct wall_shape_field provider_context_template_fields[] = {
    WALL_FIELD_POINTER(FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0, providerKey, &wall_shape_guid),
    WALL_FIELD_U32(FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0, providerContextType),
};
WALL_SHAPE(wall_shape_provider_context_template, FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0,
           provider_context_template_fields);

static const struct wall_shape_field sublayer_template_fields[] = {
    WALL_FIELD_POINTER(FWPM_SUBLAYER_ENUM_TEMPLATE0, providerKey, &wall_shape_guid),
};
WALL_SHAPE(wall_shape_sublayer_template, FWPM_SUBLAYER_ENUM_TEMPLATE0, sublayer_template_fields);

static const struct wall_shape_field callout_template_fields[] = {
    WALL_FIELD_POINTER(FWPM_CALLOUT_ENUM_TEMPLATE0, providerKey, &wall_shape_guid),
    WALL_FIELD_BYTES(FWPM_CALLOUT_ENUM_TEMPLATE0, layerKey),
};
WALL_SHAPE(wall_shape_callout_template, FWPM_CALLOUT_ENUM_TEMPLATE0, callout_template_fields);

static const struct wall_shape_field filter_template_fields[] = {
    WALL_FIELD_POINTER(FWPM_FILTER_ENUM_TEMPLATE0, providerKey, &wall_shape_guid),
    WALL_FIELD_BYTES(FWPM_FILTER_ENUM_TEMPLATE0, layerKey),
    WALL_FIELD_U32(FWPM_FILTER_ENUM_TEMPLATE0, enumType),
    WALL_FIELD_U32(FWPM_FILTER_ENUM_TEMPLATE0, flags),
    WALL_FIELD_POINTER(FWPM_FILTER_ENUM_TEMPLATE0, providerContextTemplate, &wall_shape_provider_context_template),
    WALL_FIELD_ARRAY(FWPM_FILTER_ENUM_TEMPLATE0, filterCondition, numFilterConditions, &wall_shape_condition),
    WALL_FIELD_U32(FWPM_FILTER_ENUM_TEMPLATE0, actionMask),
    WALL_FIELD_POINTER(FWPM_FILTER_ENUM_TEMPLATE0, calloutKey, &wall_shape_guid),
};
WALL_SHAPE(wall_shape_filter_template, FWPM_FILTER_ENUM_TEMPLATE0, filter_template_fields);

static const struct wall_shape_field provider_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_PROVIDER_SUBSCRIPTION0, enumTemplate, &wall_shape_provider_template),
    WALL_FIELD_U32(FWPM_PROVIDER_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_PROVIDER_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_provider_subscription, FWPM_PROVIDER_SUBSCRIPTION0, provider_subscription_fields);

static const struct wall_shape_field provider_change_fields[] = {
    WALL_FIELD_U32(FWPM_PROVIDER_CHANGE0, changeType),
    WALL_FIELD_BYTES(FWPM_PROVIDER_CHANGE0, providerKey),
};
WALL_SHAPE(wall_shape_provider_change, FWPM_PROVIDER_CHANGE0, provider_change_fields);

static const struct wall_shape_field provider_context_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0, enumTemplate, &wall_shape_provider_context_template),
    WALL_FIELD_U32(FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_provider_context_subscription, FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0,
           provider_context_subscription_fields);

static const struct wall_shape_field provider_context_change_fields[] = {
    WALL_FIELD_U32(FWPM_PROVIDER_CONTEXT_CHANGE0, changeType),
    WALL_FIELD_BYTES(FWPM_PROVIDER_CONTEXT_CHANGE0, providerContextKey),
    WALL_FIELD_U64(FWPM_PROVIDER_CONTEXT_CHANGE0, providerContextId),
};
WALL_SHAPE(wall_shape_provider_context_change, FWPM_PROVIDER_CONTEXT_CHANGE0, provider_context_change_fields);

static const struct wall_shape_field sublayer_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_SUBLAYER_SUBSCRIPTION0, enumTemplate, &wall_shape_sublayer_template),
    WALL_FIELD_U32(FWPM_SUBLAYER_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_SUBLAYER_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_sublayer_subscription, FWPM_SUBLAYER_SUBSCRIPTION0, sublayer_subscription_fields);

static const struct wall_shape_field sublayer_change_fields[] = {
    WALL_FIELD_U32(FWPM_SUBLAYER_CHANGE0, changeType),
    WALL_FIELD_BYTES(FWPM_SUBLAYER_CHANGE0, subLayerKey),
};
WALL_SHAPE(wall_shape_sublayer_change, FWPM_SUBLAYER_CHANGE0, sublayer_change_fields);

static const struct wall_shape_field callout_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_CALLOUT_SUBSCRIPTION0, enumTemplate, &wall_shape_callout_template),
    WALL_FIELD_U32(FWPM_CALLOUT_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_CALLOUT_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_callout_subscription, FWPM_CALLOUT_SUBSCRIPTION0, callout_subscription_fields);

static const struct wall_shape_field callout_change_fields[] = {
    WALL_FIELD_U32(FWPM_CALLOUT_CHANGE0, changeType),
    WALL_FIELD_BYTES(FWPM_CALLOUT_CHANGE0, calloutKey),
    WALL_FIELD_U32(FWPM_CALLOUT_CHANGE0, calloutId),
};
WALL_SHAPE(wall_shape_callout_change, FWPM_CALLOUT_CHANGE0, callout_change_fields);

static const struct wall_shape_field filter_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_FILTER_SUBSCRIPTION0, enumTemplate, &wall_shape_filter_template),
    WALL_FIELD_U32(FWPM_FILTER_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_FILTER_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_filter_subscription, FWPM_FILTER_SUBSCRIPTION0, filter_subscription_fields);

static const struct wall_shape_field filter_change_fields[] = {
    WALL_FIELD_U32(FWPM_FILTER_CHANGE0, changeType),
    WALL_FIELD_BYTES(FWPM_FILTER_CHANGE0, filterKey),
    WALL_FIELD_U64(FWPM_FILTER_CHANGE0, filterId),
};
WALL_SHAPE(wall_shape_filter_change, FWPM_FILTER_CHANGE0, filter_change_fields);

// --- Net events ---

static const struct wall_shape_field filetime_fields[] = {
    WALL_FIELD_U32(FILETIME, dwLowDateTime),
    WALL_FIELD_U32(FILETIME, dwHighDateTime),
};
static WALL_SHAPE(shape_filetime, FILETIME, filetime_fields);

static const struct wall_shape_case address_cases[] = {
    { FWP_IP_VERSION_V4, WALL_SHAPE_U32, 0, NULL },
    { FWP_IP_VERSION_V6, WALL_SHAPE_BYTES, sizeof(FWP_BYTE_ARRAY16), NULL },
    { FWP_IP_VERSION_NONE, WALL_SHAPE_BYTES, 0, NULL },
};
static const struct wall_shape_field net_event_header_fields[] = {
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_HEADER3, timeStamp, &shape_filetime),
    WALL_FIELD_U32(FWPM_NET_EVENT_HEADER3, flags),
    WALL_FIELD_U8(FWPM_NET_EVENT_HEADER3, ipProtocol),
    FIELD_UNION("localAddr", FWPM_NET_EVENT_HEADER3, localAddrV6, ipVersion, 0, address_cases),
    FIELD_UNION("remoteAddr", FWPM_NET_EVENT_HEADER3, remoteAddrV6, ipVersion, 0, address_cases),
    WALL_FIELD_U16(FWPM_NET_EVENT_HEADER3, localPort),
    WALL_FIELD_U16(FWPM_NET_EVENT_HEADER3, remotePort),
    WALL_FIELD_U32(FWPM_NET_EVENT_HEADER3, scopeId),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_HEADER3, appId, &wall_shape_blob),
    WALL_FIELD_SID(FWPM_NET_EVENT_HEADER3, userId),
    WALL_FIELD_U32(FWPM_NET_EVENT_HEADER3, addressFamily),
    WALL_FIELD_SID(FWPM_NET_EVENT_HEADER3, packageSid),
    WALL_FIELD_TEXT(FWPM_NET_EVENT_HEADER3, enterpriseId),
    WALL_FIELD_U64(FWPM_NET_EVENT_HEADER3, policyFlags),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_HEADER3, effectiveName, &wall_shape_blob),
};
static WALL_SHAPE(shape_net_event_header, FWPM_NET_EVENT_HEADER3, net_event_header_fields);

static const struct wall_shape_field classify_allow_fields[] = {
    WALL_FIELD_U64(FWPM_NET_EVENT_CLASSIFY_ALLOW0, filterId),
    WALL_FIELD_U16(FWPM_NET_EVENT_CLASSIFY_ALLOW0, layerId),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_ALLOW0, reauthReason),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_ALLOW0, originalProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_ALLOW0, currentProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_ALLOW0, msFwpDirection),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_ALLOW0, isLoopback),
};
static WALL_SHAPE(shape_classify_allow, FWPM_NET_EVENT_CLASSIFY_ALLOW0, classify_allow_fields);

static const struct wall_shape_field classify_drop_fields[] = {
    WALL_FIELD_U64(FWPM_NET_EVENT_CLASSIFY_DROP2, filterId),
    WALL_FIELD_U16(FWPM_NET_EVENT_CLASSIFY_DROP2, layerId),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, reauthReason),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, originalProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, currentProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, msFwpDirection),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, isLoopback),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_CLASSIFY_DROP2, vSwitchId, &wall_shape_blob),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, vSwitchSourcePort),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP2, vSwitchDestinationPort),
};
static WALL_SHAPE(shape_classify_drop, FWPM_NET_EVENT_CLASSIFY_DROP2, classify_drop_fields);

static const struct wall_shape_field classify_drop_mac_fields[] = {
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, localMacAddr, &shape_array6),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, remoteMacAddr, &shape_array6),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, mediaType),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, ifType),
    WALL_FIELD_U16(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, etherType),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, ndisPortNumber),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, reserved),
    WALL_FIELD_U16(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, vlanTag),
    WALL_FIELD_U64(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, ifLuid),
    WALL_FIELD_U64(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, filterId),
    WALL_FIELD_U16(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, layerId),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, reauthReason),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, originalProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, currentProfile),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, msFwpDirection),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, isLoopback),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, vSwitchId, &wall_shape_blob),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, vSwitchSourcePort),
    WALL_FIELD_U32(FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, vSwitchDestinationPort),
};
static WALL_SHAPE(shape_classify_drop_mac, FWPM_NET_EVENT_CLASSIFY_DROP_MAC0, classify_drop_mac_fields);

static const struct wall_shape_field capability_drop_fields[] = {
    WALL_FIELD_U32(FWPM_NET_EVENT_CAPABILITY_DROP0, networkCapabilityId),
    WALL_FIELD_U64(FWPM_NET_EVENT_CAPABILITY_DROP0, filterId),
    WALL_FIELD_U32(FWPM_NET_EVENT_CAPABILITY_DROP0, isLoopback),
};
static WALL_SHAPE(shape_capability_drop, FWPM_NET_EVENT_CAPABILITY_DROP0, capability_drop_fields);

static const struct wall_shape_field capability_allow_fields[] = {
    WALL_FIELD_U32(FWPM_NET_EVENT_CAPABILITY_ALLOW0, networkCapabilityId),
    WALL_FIELD_U64(FWPM_NET_EVENT_CAPABILITY_ALLOW0, filterId),
    WALL_FIELD_U32(FWPM_NET_EVENT_CAPABILITY_ALLOW0, isLoopback),
};
static WALL_SHAPE(shape_capability_allow, FWPM_NET_EVENT_CAPABILITY_ALLOW0, capability_allow_fields);

static const struct wall_shape_case net_event_cases[] = {
    { FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, WALL_SHAPE_POINTER, 0, &shape_classify_drop },
    { FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, WALL_SHAPE_POINTER, 0, &shape_classify_allow },
    { FWPM_NET_EVENT_TYPE_CAPABILITY_DROP, WALL_SHAPE_POINTER, 0, &shape_capability_drop },
    { FWPM_NET_EVENT_TYPE_CAPABILITY_ALLOW, WALL_SHAPE_POINTER, 0, &shape_capability_allow },
    { FWPM_NET_EVENT_TYPE_CLASSIFY_DROP_MAC, WALL_SHAPE_POINTER, 0, &shape_classify_drop_mac },
};
static const struct wall_shape_field net_event_fields[] = {
    WALL_FIELD_STRUCT(FWPM_NET_EVENT5, header, &shape_net_event_header),
    FIELD_UNION("event", FWPM_NET_EVENT5, classifyDrop, type, 0, net_event_cases),
};
WALL_SHAPE(wall_shape_net_event, FWPM_NET_EVENT5, net_event_fields);

static const struct wall_shape_field net_event_template_fields[] = {
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_ENUM_TEMPLATE0, startTime, &shape_filetime),
    WALL_FIELD_STRUCT(FWPM_NET_EVENT_ENUM_TEMPLATE0, endTime, &shape_filetime),
    WALL_FIELD_ARRAY(FWPM_NET_EVENT_ENUM_TEMPLATE0, filterCondition, numFilterConditions, &wall_shape_condition),
};
WALL_SHAPE(wall_shape_net_event_template, FWPM_NET_EVENT_ENUM_TEMPLATE0, net_event_template_fields);

static const struct wall_shape_field net_event_subscription_fields[] = {
    WALL_FIELD_POINTER(FWPM_NET_EVENT_SUBSCRIPTION0, enumTemplate, &wall_shape_net_event_template),
    WALL_FIELD_U32(FWPM_NET_EVENT_SUBSCRIPTION0, flags),
    WALL_FIELD_BYTES(FWPM_NET_EVENT_SUBSCRIPTION0, sessionKey),
};
WALL_SHAPE(wall_shape_net_event_subscription, FWPM_NET_EVENT_SUBSCRIPTION0, net_event_subscription_fields);

// --- Run time ---

static const struct wall_shape_field fwps_condition_fields[] = {
    WALL_FIELD_U16(FWPS_FILTER_CONDITION0, fieldId),
    WALL_FIELD_U16(FWPS_FILTER_CONDITION0, reserved),
    WALL_FIELD_U32(FWPS_FILTER_CONDITION0, matchType),
    WALL_FIELD_STRUCT(FWPS_FILTER_CONDITION0, conditionValue, &wall_shape_condition_value),
};
WALL_SHAPE(wall_shape_fwps_condition, FWPS_FILTER_CONDITION0, fwps_condition_fields);

static const struct wall_shape_field fwps_action_fields[] = {
    WALL_FIELD_U32(FWPS_ACTION0, type),
    WALL_FIELD_U32(FWPS_ACTION0, calloutId),
};
static WALL_SHAPE(shape_fwps_action, FWPS_ACTION0, fwps_action_fields);

static const struct wall_shape_field fwps_filter_fields[] = {
    WALL_FIELD_U64(FWPS_FILTER3, filterId),
    WALL_FIELD_STRUCT(FWPS_FILTER3, weight, &wall_shape_value),
    WALL_FIELD_U16(FWPS_FILTER3, subLayerWeight),
    WALL_FIELD_U16(FWPS_FILTER3, flags),
    WALL_FIELD_ARRAY(FWPS_FILTER3, filterCondition, numFilterConditions, &wall_shape_fwps_condition),
    WALL_FIELD_STRUCT(FWPS_FILTER3, action, &shape_fwps_action),
    WALL_FIELD_U64(FWPS_FILTER3, context),
    WALL_FIELD_POINTER(FWPS_FILTER3, providerContext, &wall_shape_provider_context),
};
WALL_SHAPE(wall_shape_fwps_filter, FWPS_FILTER3, fwps_filter_fields);

static const struct wall_shape_field fwps_value_fields[] = {
    WALL_FIELD_STRUCT(FWPS_INCOMING_VALUE0, value, &wall_shape_value),
};
static WALL_SHAPE(shape_fwps_value, FWPS_INCOMING_VALUE0, fwps_value_fields);

static const struct wall_shape_field fwps_values_fields[] = {
    WALL_FIELD_U16(FWPS_INCOMING_VALUES0, layerId),
    WALL_FIELD_ARRAY(FWPS_INCOMING_VALUES0, incomingValue, valueCount, &shape_fwps_value),
};
WALL_SHAPE(wall_shape_fwps_values, FWPS_INCOMING_VALUES0, fwps_values_fields);

static const struct wall_shape_field classify_out_fields[] = {
    WALL_FIELD_U32(FWPS_CLASSIFY_OUT0, actionType),
    WALL_FIELD_U64(FWPS_CLASSIFY_OUT0, outContext),
    WALL_FIELD_U64(FWPS_CLASSIFY_OUT0, filterId),
    WALL_FIELD_U32(FWPS_CLASSIFY_OUT0, rights),
    WALL_FIELD_U32(FWPS_CLASSIFY_OUT0, flags),
    WALL_FIELD_U32(FWPS_CLASSIFY_OUT0, reserved),
};
WALL_SHAPE(wall_shape_classify_out, FWPS_CLASSIFY_OUT0, classify_out_fields);

// --- By object type ---

static const struct wall_shape *const object_shapes[] = {
    [WALL_OBJECT_PROVIDER] = &wall_shape_provider,
    [WALL_OBJECT_PROVIDER_CONTEXT] = &wall_shape_provider_context,
    [WALL_OBJECT_SUBLAYER] = &wall_shape_sublayer,
    [WALL_OBJECT_LAYER] = &wall_shape_layer,
    [WALL_OBJECT_CALLOUT] = &wall_shape_callout,
    [WALL_OBJECT_FILTER] = &wall_shape_filter,
    [WALL_OBJECT_SESSION] = &wall_shape_session,
};

static const struct wall_shape *const template_shapes[] = {
    [WALL_OBJECT_PROVIDER] = &wall_shape_provider_template,
    [WALL_OBJECT_PROVIDER_CONTEXT] = &wall_shape_provider_context_template,
    [WALL_OBJECT_SUBLAYER] = &wall_shape_sublayer_template,
    [WALL_OBJECT_LAYER] = &wall_shape_layer_template,
    [WALL_OBJECT_CALLOUT] = &wall_shape_callout_template,
    [WALL_OBJECT_FILTER] = &wall_shape_filter_template,
    [WALL_OBJECT_SESSION] = &wall_shape_session_template,
};

const struct wall_shape *wall_shape_of_object(enum wall_object_type type)
{
    return (unsigned)type < WALL_OBJECT_COUNT_ ? object_shapes[type] : NULL;
}

const struct wall_shape *wall_shape_of_template(enum wall_object_type type)
{
    return (unsigned)type < WALL_OBJECT_COUNT_ ? template_shapes[type] : NULL;
}
