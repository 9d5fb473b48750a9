// What a callout is told besides the fields of the layer: metadata, the reasons of discards, and its functions' types.
//
// Shared by fwpsk.h (kernel mode, where callouts live) and fwpsu.h.
#pragma once

#include "fwpstypes.h"

#include "wfpnetwork.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Discard reasons of the transport module and of the network module ---

#ifndef _INET_DISCARD_REASON_DEFINE_
#define _INET_DISCARD_REASON_DEFINE_
typedef enum {
    InetDiscardSourceUnspecified = 0,
    InetDiscardDestinationMulticast = 1,
    InetDiscardHeaderInvalid = 2,
    InetDiscardChecksumInvalid = 3,
    InetDiscardEndpointNotFound = 4,
    InetDiscardConnectedPath = 5,
    InetDiscardSessionState = 6,
    InetDiscardReceiveInspection = 7,
    InetDiscardAckInvalid = 8,
    InetDiscardExpectedSyn = 9,
    InetDiscardRst = 10,
    InetDiscardSynRcvdSyn = 11,
    InetDiscardSimultaneousConnect = 12,
    InetDiscardPawsFailed = 13,
    InetDiscardLandAttack = 14,
    InetDiscardMissedReset = 15,
    InetDiscardOutsideWindow = 16,
    InetDiscardDuplicateSegment = 17,
    InetDiscardClosedWindow = 18,
    InetDiscardTcbRemoved = 19,
    InetDiscardFinWait2 = 20,
    InetDiscardReassemblyConflict = 21,
    InetDiscardFinReceived = 22,
    InetDiscardListenerInvalidFlags = 23,
    InetDiscardUrgentDeliveryAllocationFailure = 24,
    InetDiscardTcbNotInTcbTable = 25,
    InetDiscardTimeWaitTcbReceivedRstOutsideWindow = 26,
    InetDiscardTimeWaitTcbSynAndOtherFlags = 27,
    InetDiscardTimeWaitTcb = 28,
    InetDiscardSynAckWithFastopenCookieRequest = 29,
    InetDiscardPauseAccept = 30,
    InetDiscardSynAttack = 31,
    InetDiscardAcceptInspection = 32,
    InetDiscardAcceptRedirection = 33,
    InetDiscardReasonMaxEnumValue
} INET_DISCARD_REASON, *PINET_DISCARD_REASON;
#endif

#ifndef _IP_DISCARD_REASON_DEFINE_
#define _IP_DISCARD_REASON_DEFINE_
typedef enum {
    IpDiscardBadSourceAddress = 1,
    IpDiscardNotLocallyDestined = 2,
    IpDiscardProtocolUnreachable = 3,
    IpDiscardPortUnreachable = 4,
    IpDiscardBadLength = 5,
    IpDiscardMalformedHeader = 6,
    IpDiscardNoRoute = 7,
    IpDiscardBeyondScope = 8,
    IpDiscardInspectionDrop = 9,
    IpDiscardTooManyDecapsulations = 10,
    IpDiscardAdministrativelyProhibited = 11,
    IpDiscardBadChecksum = 12,
    IpDiscardFirstFragmentIncomplete = 13,
    IpDiscardHeaderNotContiguous = 14,
    IpDiscardHeaderNotAligned = 15,
    IpDiscardReceivePathMax = 127,
    IpDiscardHopLimitExceeded = 128,
    IpDiscardAddressUnreachable = 129,
    IpDiscardRscPacket = 130,
    IpDiscardSourceViolation = 131,
    IpDiscardForwardPathMax = 255,
    IpDiscardArbitrationUnhandled = 256,
    IpDiscardInspectionAbsorb = 257,
    IpDiscardDontFragmentMtuExceeded = 258,
    IpDiscardBufferLengthExceeded = 259,
    IpDiscardAddressResolutionTimeout = 260,
    IpDiscardAddressResolutionFailure = 261,
    IpDiscardIpsecFailure = 262,
    IpDiscardExtensionHeadersFailure = 263,
    IpDiscardAllocationFailure = 264,
    IpDiscardIpsnpiClientDrop = 265,
    IpDiscardUnsupportedOffload = 266,
    IpDiscardRoutingFailure = 267,
    IpDiscardAncillaryDataFailure = 268,
    IpDiscardRawDataFailure = 269,
    IpDiscardSessionStateFailure = 270,
    IpDiscardIpsnpiAllocationFailure = 271,
    IpDiscardIpsnpiModifiedButNotForwarded = 272,
    IpDiscardIpsnpiNoNextHop = 273,
    IpDiscardIpsnpiNoCompartment = 274,
    IpDiscardIpsnpiNoInterface = 275,
    IpDiscardIpsnpiNoSubInterface = 276,
    IpDiscardIpsnpiInterfaceDisabled = 277,
    IpDiscardIpsnpiSegmentationFailed = 278,
    IpDiscardIpsnpiNoEthernetHeader = 279,
    IpDiscardIpsnpiUnexpectedFragment = 280,
    IpDiscardIpsnpiUnsupportedInterfaceType = 281,
    IpDiscardIpsnpiInvalidLsoInfo = 282,
    IpDiscardIpsnpiInvalidUsoInfo = 283,
    IpDiscardInternalError = 284,
    IpDiscardAdministrativelyConfigured = 285,
    IpDiscardBadOption = 286,
    IpDiscardLoopbackDisallowed = 287,
    IpDiscardSmallerScope = 288,
    IpDiscardQueueFull = 289,
    IpDiscardInterfaceDisabled = 290,
    IpDiscardNlClientDiscard = 291,
    IpDiscardIpsnpiUroSegmentSizeExceedsMtu = 292,
    IpDiscardSwUsoFailure = 293,
    IpDiscardMax
} IP_DISCARD_REASON, *PIP_DISCARD_REASON;
#endif

// --- Metadata: a member is valid only while its bit is set in currentMetadataValues ---

#define FWPS_METADATA_FIELD_DISCARD_REASON 0x00000001
#define FWPS_METADATA_FIELD_FLOW_HANDLE 0x00000002
#define FWPS_METADATA_FIELD_IP_HEADER_SIZE 0x00000004
#define FWPS_METADATA_FIELD_PROCESS_PATH 0x00000008
#define FWPS_METADATA_FIELD_TOKEN 0x00000010
#define FWPS_METADATA_FIELD_PROCESS_ID 0x00000020
#define FWPS_METADATA_FIELD_SYSTEM_FLAGS 0x00000040
#define FWPS_METADATA_FIELD_RESERVED 0x00000080
#define FWPS_METADATA_FIELD_SOURCE_INTERFACE_INDEX 0x00000100
#define FWPS_METADATA_FIELD_DESTINATION_INTERFACE_INDEX 0x00000200
#define FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE 0x00000400
#define FWPS_METADATA_FIELD_COMPARTMENT_ID 0x00000800
#define FWPS_METADATA_FIELD_FRAGMENT_DATA 0x00001000
#define FWPS_METADATA_FIELD_PATH_MTU 0x00002000
#define FWPS_METADATA_FIELD_COMPLETION_HANDLE 0x00004000
#define FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE 0x00008000
#define FWPS_METADATA_FIELD_TRANSPORT_CONTROL_DATA 0x00010000
#define FWPS_METADATA_FIELD_REMOTE_SCOPE_ID 0x00020000
#define FWPS_METADATA_FIELD_PACKET_DIRECTION 0x00040000
#define FWPS_METADATA_FIELD_PACKET_SYSTEM_CRITICAL 0x00080000
#define FWPS_METADATA_FIELD_FORWARD_LAYER_OUTBOUND_PASS_THRU 0x00100000
#define FWPS_METADATA_FIELD_FORWARD_LAYER_INBOUND_PASS_THRU 0x00200000
#define FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED 0x00400000
#define FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER 0x00800000
#define FWPS_METADATA_FIELD_DESTINATION_PREFIX 0x01000000
#define FWPS_METADATA_FIELD_ETHER_FRAME_LENGTH 0x02000000
#define FWPS_METADATA_FIELD_PARENT_ENDPOINT_HANDLE 0x04000000
#define FWPS_METADATA_FIELD_ICMP_ID_AND_SEQUENCE 0x08000000
#define FWPS_METADATA_FIELD_LOCAL_REDIRECT_TARGET_PID 0x10000000
#define FWPS_METADATA_FIELD_ORIGINAL_DESTINATION 0x20000000
#define FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE 0x40000000
#define FWPS_METADATA_FIELD_SUB_PROCESS_TAG 0x80000000

#define FWPS_L2_METADATA_FIELD_ETHERNET_MAC_HEADER_SIZE 0x00000001
#define FWPS_L2_METADATA_FIELD_WIFI_OPERATION_MODE 0x00000002
#define FWPS_L2_METADATA_FIELD_VSWITCH_SOURCE_PORT_ID 0x00000004
#define FWPS_L2_METADATA_FIELD_VSWITCH_SOURCE_NIC_INDEX 0x00000008
#define FWPS_L2_METADATA_FIELD_VSWITCH_PACKET_CONTEXT 0x00000010
#define FWPS_L2_METADATA_FIELD_VSWITCH_DESTINATION_PORT_ID 0x00000020
#define FWPS_L2_METADATA_FIELD_RESERVED 0x80000000

typedef struct FWPS_INCOMING_METADATA_VALUES0_ {
    UINT32 currentMetadataValues;
    UINT32 flags;  // FWPS_INCOMING_FLAG_*
    UINT64 reserved;
    FWPS_DISCARD_METADATA0 discardMetadata;
    UINT64 flowHandle;
    UINT32 ipHeaderSize;
    UINT32 transportHeaderSize;
    FWP_BYTE_BLOB *processPath;  // UTF-16, the terminator counted
    UINT64 token;
    UINT64 processId;
    UINT32 sourceInterfaceIndex;
    UINT32 destinationInterfaceIndex;
    ULONG compartmentId;
    FWPS_INBOUND_FRAGMENT_METADATA0 fragmentMetadata;
    ULONG pathMtu;
    HANDLE completionHandle;  // for FwpsPendOperation
    UINT64 transportEndpointHandle;
    SCOPE_ID remoteScopeId;
    WSACMSGHDR *controlData;
    ULONG controlDataLength;
    FWP_DIRECTION packetDirection;  // of a reauthorization
    PVOID headerIncludeHeader;
    ULONG headerIncludeHeaderLength;
    IP_ADDRESS_PREFIX destinationPrefix;
    UINT16 frameLength;
    UINT64 parentEndpointHandle;
    UINT32 icmpIdAndSequence;
    DWORD localRedirectTargetPID;
    SOCKADDR *originalDestination;
    HANDLE redirectRecords;
    UINT32 currentL2MetadataValues;
    UINT32 l2Flags;
    UINT32 ethernetMacHeaderSize;
    UINT32 wiFiOperationMode;
    UINT32 vSwitchSourcePortId;
    UINT16 vSwitchSourceNicIndex;
    UINT32 vSwitchDestinationPortId;
    HANDLE vSwitchPacketContext;
    PVOID subProcessTag;
    UINT64 reserved1;
} FWPS_INCOMING_METADATA_VALUES0;

#define FWPS_IS_METADATA_FIELD_PRESENT(metadataValues, metadataField) \
    (((metadataValues)->currentMetadataValues & (metadataField)) == (metadataField))
#define FWPS_IS_L2_METADATA_FIELD_PRESENT(metadataValues, l2MetadataField) \
    (((metadataValues)->currentL2MetadataValues & (l2MetadataField)) == (l2MetadataField))

// --- Functions of a callout. Versions 1 to 3 add classifyContext and differ in the filter's provider context. ---

typedef void(NTAPI *FWPS_CALLOUT_CLASSIFY_FN0)(const FWPS_INCOMING_VALUES0 *inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0 *inMetaValues, void *layerData,
                                               const FWPS_FILTER0 *filter, UINT64 flowContext,
                                               FWPS_CLASSIFY_OUT0 *classifyOut);
typedef void(NTAPI *FWPS_CALLOUT_CLASSIFY_FN1)(const FWPS_INCOMING_VALUES0 *inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0 *inMetaValues, void *layerData,
                                               const void *classifyContext, const FWPS_FILTER1 *filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0 *classifyOut);
typedef void(NTAPI *FWPS_CALLOUT_CLASSIFY_FN2)(const FWPS_INCOMING_VALUES0 *inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0 *inMetaValues, void *layerData,
                                               const void *classifyContext, const FWPS_FILTER2 *filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0 *classifyOut);
typedef void(NTAPI *FWPS_CALLOUT_CLASSIFY_FN3)(const FWPS_INCOMING_VALUES0 *inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0 *inMetaValues, void *layerData,
                                               const void *classifyContext, const FWPS_FILTER3 *filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0 *classifyOut);

typedef NTSTATUS(NTAPI *FWPS_CALLOUT_NOTIFY_FN0)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID *filterKey,
                                                 FWPS_FILTER0 *filter);
typedef NTSTATUS(NTAPI *FWPS_CALLOUT_NOTIFY_FN1)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID *filterKey,
                                                 FWPS_FILTER1 *filter);
typedef NTSTATUS(NTAPI *FWPS_CALLOUT_NOTIFY_FN2)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID *filterKey,
                                                 FWPS_FILTER2 *filter);
typedef NTSTATUS(NTAPI *FWPS_CALLOUT_NOTIFY_FN3)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID *filterKey,
                                                 FWPS_FILTER3 *filter);

typedef void(NTAPI *FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0)(UINT16 layerId, UINT32 calloutId, UINT64 flowContext);
typedef void(NTAPI *FWPS_CALLOUT_BOOTTIME_CALLOUT_DELETE_NOTIFY_FN0)(UINT32 calloutId);

#ifdef __cplusplus
}
#endif
