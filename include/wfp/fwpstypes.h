// Types of the run-time part of the API: compiled filters, classification, notifications, ALE endpoints.
#pragma once

#include "fwptypes.h"

#include "fwpslayers.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Filters as the engine matches them ---

typedef struct FWPS_FILTER_CONDITION0_ {
    UINT16 fieldId;  // FWPS_FIELD_<layer>_*
    UINT16 reserved;
    FWP_MATCH_TYPE matchType;
    FWP_CONDITION_VALUE0 conditionValue;
} FWPS_FILTER_CONDITION0;

typedef struct FWPS_ACTION0_ {
    FWP_ACTION_TYPE type;
    UINT32 calloutId;  // when type has FWP_ACTION_FLAG_CALLOUT
} FWPS_ACTION0;

#define FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT (0x0001)
#define FWPS_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED (0x0002)
#define FWPS_FILTER_FLAG_OR_CONDITIONS (0x0004)
#define FWPS_FILTER_FLAG_HAS_SECURITY_REALM_PROVIDER_CONTEXT (0x0008)
#define FWPS_FILTER_FLAG_SILENT_MODE (0x0010)
#define FWPS_FILTER_FLAG_IPSEC_NO_ACQUIRE_INITIATE (0x0020)
#define FWPS_FILTER_FLAG_RESERVED0 (0x0040)
#define FWPS_FILTER_FLAG_RESERVED1 (0x0080)
#define FWPS_FILTER_FLAG_RESERVED2 (0x0100)

struct FWPM_PROVIDER_CONTEXT0_;
struct FWPM_PROVIDER_CONTEXT1_;
struct FWPM_PROVIDER_CONTEXT2_;
struct FWPM_PROVIDER_CONTEXT3_;

// The four versions differ in the provider context they point to: set when the callout has
// FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT, otherwise NULL. A callout may keep its own pointer in `context`.
typedef struct FWPS_FILTER0_ {
    UINT64 filterId;
    FWP_VALUE0 weight;
    UINT16 subLayerWeight;
    UINT16 flags;
    UINT32 numFilterConditions;
    FWPS_FILTER_CONDITION0 *filterCondition;
    FWPS_ACTION0 action;
    UINT64 context;
    struct FWPM_PROVIDER_CONTEXT0_ *providerContext;
} FWPS_FILTER0;

typedef struct FWPS_FILTER1_ {
    UINT64 filterId;
    FWP_VALUE0 weight;
    UINT16 subLayerWeight;
    UINT16 flags;
    UINT32 numFilterConditions;
    FWPS_FILTER_CONDITION0 *filterCondition;
    FWPS_ACTION0 action;
    UINT64 context;
    struct FWPM_PROVIDER_CONTEXT1_ *providerContext;
} FWPS_FILTER1;

typedef struct FWPS_FILTER2_ {
    UINT64 filterId;
    FWP_VALUE0 weight;
    UINT16 subLayerWeight;
    UINT16 flags;
    UINT32 numFilterConditions;
    FWPS_FILTER_CONDITION0 *filterCondition;
    FWPS_ACTION0 action;
    UINT64 context;
    struct FWPM_PROVIDER_CONTEXT2_ *providerContext;
} FWPS_FILTER2;

typedef struct FWPS_FILTER3_ {
    UINT64 filterId;
    FWP_VALUE0 weight;
    UINT16 subLayerWeight;
    UINT16 flags;
    UINT32 numFilterConditions;
    FWPS_FILTER_CONDITION0 *filterCondition;
    FWPS_ACTION0 action;
    UINT64 context;
    struct FWPM_PROVIDER_CONTEXT3_ *providerContext;
} FWPS_FILTER3;

// --- Classifying ---

typedef struct FWPS_INCOMING_VALUE0_ {
    FWP_VALUE0 value;
} FWPS_INCOMING_VALUE0;

// One value for each field of the layer, indexed by FWPS_FIELD_<layer>_*; FWP_EMPTY where a fact is absent.
typedef struct FWPS_INCOMING_VALUES0_ {
    UINT16 layerId;
    UINT32 valueCount;
    FWPS_INCOMING_VALUE0 *incomingValue;
} FWPS_INCOMING_VALUES0;

typedef enum FWPS_DISCARD_MODULE0_ {
    FWPS_DISCARD_MODULE_NETWORK = 0,
    FWPS_DISCARD_MODULE_TRANSPORT = 1,
    FWPS_DISCARD_MODULE_GENERAL = 2,
    FWPS_DISCARD_MODULE_MAX
} FWPS_DISCARD_MODULE0;

typedef enum FWPS_GENERAL_DISCARD_REASON_ {
    FWPS_DISCARD_FIREWALL_POLICY = 0,
    FWPS_DISCARD_IPSEC = 1,
    FWPS_GENERAL_DISCARD_REASON_MAX
} FWPS_GENERAL_DISCARD_REASON;

typedef struct FWPS_DISCARD_METADATA0_ {
    FWPS_DISCARD_MODULE0 discardModule;
    UINT32 discardReason;
    UINT64 filterId;
} FWPS_DISCARD_METADATA0;

typedef struct FWPS_INBOUND_FRAGMENT_METADATA0_ {
    UINT32 fragmentIdentification;
    UINT16 fragmentOffset;
    ULONG fragmentLength;
} FWPS_INBOUND_FRAGMENT_METADATA0;

// Bits of FWPS_INCOMING_METADATA_VALUES0.flags.
#define FWPS_INCOMING_FLAG_CACHE_SAFE (0x00000001)
#define FWPS_INCOMING_FLAG_ENFORCE_QUERY (0x00000002)
#define FWPS_INCOMING_FLAG_ABSORB (0x00000004)
#define FWPS_INCOMING_FLAG_CONNECTION_FAILING_INDICATION (0x00000008)
#define FWPS_INCOMING_FLAG_MID_STREAM_INSPECTION (0x00000010)
#define FWPS_INCOMING_FLAG_RECLASSIFY (0x00000020)
#define FWPS_INCOMING_FLAG_IS_LOOSE_SOURCE_FLOW (0x00000040)
#define FWPS_INCOMING_FLAG_IS_LOCAL_ONLY_FLOW (0x00000080)
#define FWPS_INCOMING_FLAG_RESERVED0 (0x00000100)

#define FWPS_L2_INCOMING_FLAG_IS_RAW_IPV4_FRAMING (0x00000001)
#define FWPS_L2_INCOMING_FLAG_IS_RAW_IPV6_FRAMING (0x00000002)
#define FWPS_L2_INCOMING_FLAG_RECLASSIFY_MULTI_DESTINATION (0x00000008)

#define FWPS_RIGHT_ACTION_WRITE (0x00000001)

#define FWPS_CLASSIFY_OUT_FLAG_ABSORB (0x00000001)
#define FWPS_CLASSIFY_OUT_FLAG_BUFFER_LIMIT_REACHED (0x00000002)
#define FWPS_CLASSIFY_OUT_FLAG_NO_MORE_DATA (0x00000004)
#define FWPS_CLASSIFY_OUT_FLAG_ALE_FAST_CACHE_CHECK (0x00000008)
#define FWPS_CLASSIFY_OUT_FLAG_ALE_FAST_CACHE_POSSIBLE (0x00000010)

// `actionType` may be changed only while `rights` has FWPS_RIGHT_ACTION_WRITE; a BLOCK without it is a veto.
typedef struct FWPS_CLASSIFY_OUT0_ {
    FWP_ACTION_TYPE actionType;
    UINT64 outContext;
    UINT64 filterId;
    UINT32 rights;
    UINT32 flags;
    UINT32 reserved;
} FWPS_CLASSIFY_OUT0;

typedef enum FWPS_CALLOUT_NOTIFY_TYPE_ {
    FWPS_CALLOUT_NOTIFY_ADD_FILTER = 0,
    FWPS_CALLOUT_NOTIFY_DELETE_FILTER = 1,
    FWPS_CALLOUT_NOTIFY_ADD_FILTER_POST_COMMIT = 2,
    FWPS_CALLOUT_NOTIFY_TYPE_MAX
} FWPS_CALLOUT_NOTIFY_TYPE;

// --- ALE endpoints ---

#define FWPS_ALE_ENDPOINT_FLAG_IPSEC_SECURED (0x00000001)

typedef struct FWPS_ALE_ENDPOINT_PROPERTIES0_ {
    UINT64 endpointId;
    FWP_IP_VERSION ipVersion;
    WFP_ANONYMOUS union {
        UINT32 localV4Address;
        UINT8 localV6Address[16];
    };
    WFP_ANONYMOUS union {
        UINT32 remoteV4Address;
        UINT8 remoteV6Address[16];
    };
    UINT8 ipProtocol;
    UINT16 localPort;
    UINT16 remotePort;
    UINT64 localTokenModifiedId;
    UINT64 mmSaId;
    UINT64 qmSaId;
    UINT32 ipsecStatus;
    UINT32 flags;
    FWP_BYTE_BLOB appId;
} FWPS_ALE_ENDPOINT_PROPERTIES0;

// FWP_EMPTY matches every endpoint.
typedef struct FWPS_ALE_ENDPOINT_ENUM_TEMPLATE0_ {
    FWP_CONDITION_VALUE0 localSubNet;
    FWP_CONDITION_VALUE0 remoteSubNet;
    FWP_CONDITION_VALUE0 ipProtocol;
    FWP_CONDITION_VALUE0 localPort;
    FWP_CONDITION_VALUE0 remotePort;
} FWPS_ALE_ENDPOINT_ENUM_TEMPLATE0;

#ifdef __cplusplus
}
#endif
