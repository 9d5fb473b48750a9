// The callout API of the filter engine, for drivers.
//
// Unless noted a function may be called at IRQL <= DISPATCH_LEVEL. Functions without a digit are macros of fwpvi.h.
// NET_BUFFER_LIST, NET_BUFFER and MDL are only named here: ndis.h and wdm.h define them.
#pragma once

#ifdef WFP_FWPSU_H
#error "fwpsk.h (kernel mode) and fwpsu.h (user mode) declare the same names: a source file can use one of them"
#endif
#define WFP_FWPSK_H

#include "fwpsmetadata.h"
#include "fwpstypes.h"
#include "fwpvi.h"

#include "netiodef.h"
#include "ntstatus.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif

// The ALE endpoint functions exist in fwpsu.h with another result: on Linux their kernel twins are the symbols Fwpsk*.
#ifdef __ELF__
#define FWPS_KERNEL_NAME(name) __asm__("Fwpsk" #name)
#else
#define FWPS_KERNEL_NAME(name)
#endif

typedef struct _NET_BUFFER_LIST NET_BUFFER_LIST, *PNET_BUFFER_LIST;
typedef struct _NET_BUFFER NET_BUFFER, *PNET_BUFFER;
typedef struct _MDL MDL, *PMDL;

// --- Registering callouts (PASSIVE_LEVEL) ---

typedef struct FWPS_CALLOUT0_ {
    GUID calloutKey;
    UINT32 flags;  // FWP_CALLOUT_FLAG_*
    FWPS_CALLOUT_CLASSIFY_FN0 classifyFn;
    FWPS_CALLOUT_NOTIFY_FN0 notifyFn;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT0;

typedef struct FWPS_CALLOUT1_ {
    GUID calloutKey;
    UINT32 flags;  // FWP_CALLOUT_FLAG_*
    FWPS_CALLOUT_CLASSIFY_FN1 classifyFn;
    FWPS_CALLOUT_NOTIFY_FN1 notifyFn;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT1;

typedef struct FWPS_CALLOUT2_ {
    GUID calloutKey;
    UINT32 flags;  // FWP_CALLOUT_FLAG_*
    FWPS_CALLOUT_CLASSIFY_FN2 classifyFn;
    FWPS_CALLOUT_NOTIFY_FN2 notifyFn;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT2;

typedef struct FWPS_CALLOUT3_ {
    GUID calloutKey;
    UINT32 flags;  // FWP_CALLOUT_FLAG_*
    FWPS_CALLOUT_CLASSIFY_FN3 classifyFn;
    FWPS_CALLOUT_NOTIFY_FN3 notifyFn;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT3;

NTSTATUS NTAPI FwpsCalloutRegister0(void *deviceObject, const FWPS_CALLOUT0 *callout, UINT32 *calloutId);
NTSTATUS NTAPI FwpsCalloutRegister1(void *deviceObject, const FWPS_CALLOUT1 *callout, UINT32 *calloutId);
NTSTATUS NTAPI FwpsCalloutRegister2(void *deviceObject, const FWPS_CALLOUT2 *callout, UINT32 *calloutId);
NTSTATUS NTAPI FwpsCalloutRegister3(void *deviceObject, const FWPS_CALLOUT3 *callout, UINT32 *calloutId);
// STATUS_DEVICE_BUSY while flows still have contexts of the callout.
NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 calloutId);
NTSTATUS NTAPI FwpsCalloutUnregisterByKey0(const GUID *calloutKey);

// --- Flow contexts ---

// STATUS_OBJECT_NAME_EXISTS when the callout has a context for this flow and layer already.
NTSTATUS NTAPI FwpsFlowAssociateContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId, UINT64 flowContext);
// STATUS_PENDING: flowDeleteFn runs later, when the classification that is under way has returned.
NTSTATUS NTAPI FwpsFlowRemoveContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId);
NTSTATUS NTAPI FwpsFlowAbort0(UINT64 flowId);

// --- What IPsec and injection did with packets ---

typedef struct FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0_ {
    unsigned isSecure : 1;
    unsigned isTransportMode : 1;
    unsigned isTunnelMode : 1;
    unsigned isTransportModeVerified : 1;
    unsigned isTunnelModeVerified : 1;
    unsigned isDeTunneled : 1;
} FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0_ {
    unsigned isIPsecPolicyMatch : 1;
    unsigned isTransportPolicyMatch : 1;
    unsigned isTunnelPolicyMatch : 1;
    unsigned isTunnelIPinIP : 1;
} FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_IPSEC_INFORMATION0_ {
    WFP_ANONYMOUS union {
        FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0 inbound;
        FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0 outbound;
        UINT32 flags;
    };
} FWPS_PACKET_LIST_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_FWP_INFORMATION0_ {
    unsigned isReinjected : 1;
} FWPS_PACKET_LIST_FWP_INFORMATION0;

typedef struct FWPS_PACKET_LIST_INFORMATION0_ {
    FWPS_PACKET_LIST_IPSEC_INFORMATION0 ipsecInformation;
    FWPS_PACKET_LIST_FWP_INFORMATION0 fwpInformation;
} FWPS_PACKET_LIST_INFORMATION0;

#define FWPS_PACKET_LIST_INFORMATION_QUERY_INBOUND 0x00000001
#define FWPS_PACKET_LIST_INFORMATION_QUERY_OUTBOUND 0x00000002
#define FWPS_PACKET_LIST_INFORMATION_QUERY_IPSEC 0x00000004
#define FWPS_PACKET_LIST_INFORMATION_QUERY_FWP 0x00000008
#define FWPS_PACKET_LIST_INFORMATION_QUERY_ALL_INBOUND 0xfffffffd
#define FWPS_PACKET_LIST_INFORMATION_QUERY_ALL_OUTBOUND 0xfffffffe
#define FWPS_PACKET_LIST_INFORMATION_QUERY_INVALID_MASK 0x00000003

NTSTATUS NTAPI FwpsGetPacketListSecurityInformation0(NET_BUFFER_LIST *packetList, UINT32 queryFlags,
                                                     FWPS_PACKET_LIST_INFORMATION0 *packetInformation);

// --- Pending an authorization: bind, listen, connect, receive/accept ---

// completionHandle is the metadata's. STATUS_FWP_CANNOT_PEND: not at this layer, or a reauthorization. On success the
// callout answers BLOCK with FWPS_CLASSIFY_OUT_FLAG_ABSORB and completes exactly once, later, with no lock held.
NTSTATUS NTAPI FwpsPendOperation0(HANDLE completionHandle, HANDLE *completionContext);
void NTAPI FwpsCompleteOperation0(HANDLE completionContext, PNET_BUFFER_LIST netBufferList);

// --- Pending a classification, and changing what is classified: redirection ---

#define FWPS_CLASSIFY_FLAG_REAUTHORIZE_IF_MODIFIED_BY_OTHERS 0x00000001

NTSTATUS NTAPI FwpsAcquireClassifyHandle0(void *classifyContext, UINT32 flags, UINT64 *classifyHandle);
void NTAPI FwpsReleaseClassifyHandle0(UINT64 classifyHandle);
NTSTATUS NTAPI FwpsPendClassify0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                 FWPS_CLASSIFY_OUT0 *classifyOut);
// classifyOut NULL: classify again.
void NTAPI FwpsCompleteClassify0(UINT64 classifyHandle, UINT32 flags, const FWPS_CLASSIFY_OUT0 *classifyOut);
// Sets BLOCK and clears the right in classifyOut; FwpsApplyModifiedLayerData must follow.
NTSTATUS NTAPI FwpsAcquireWritableLayerDataPointer0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                                    PVOID *writableLayerData, FWPS_CLASSIFY_OUT0 *classifyOut);
void NTAPI FwpsApplyModifiedLayerData0(UINT64 classifyHandle, PVOID modifiedLayerData, UINT32 flags);

// The writable data of the ALE_CONNECT_REDIRECT layers; previousVersion chains the edits of other callouts.
typedef struct _FWPS_CONNECT_REQUEST0 {
    SOCKADDR_STORAGE localAddressAndPort;
    SOCKADDR_STORAGE remoteAddressAndPort;
    UINT64 portReservationToken;
    DWORD localRedirectTargetPID;
    struct _FWPS_CONNECT_REQUEST0 *previousVersion;
    UINT64 modifierFilterId;
    HANDLE localRedirectHandle;
    void *localRedirectContext;
    SIZE_T localRedirectContextSize;
} FWPS_CONNECT_REQUEST0;

// The writable data of the ALE_BIND_REDIRECT layers.
typedef struct _FWPS_BIND_REQUEST0 {
    SOCKADDR_STORAGE localAddressAndPort;
    UINT64 portReservationToken;
    struct _FWPS_BIND_REQUEST0 *previousVersion;
    UINT64 modifierFilterId;
} FWPS_BIND_REQUEST0;

typedef enum FWPS_CONNECTION_REDIRECT_STATE_ {
    FWPS_CONNECTION_NOT_REDIRECTED = 0,
    FWPS_CONNECTION_REDIRECTED_BY_SELF = 1,
    FWPS_CONNECTION_REDIRECTED_BY_OTHER = 2,
    FWPS_CONNECTION_PREVIOUSLY_REDIRECTED_BY_SELF = 3,
    FWPS_CONNECTION_REDIRECT_STATE_MAX
} FWPS_CONNECTION_REDIRECT_STATE;

// The next two: PASSIVE_LEVEL.
NTSTATUS NTAPI FwpsRedirectHandleCreate0(const GUID *providerGuid, UINT32 flags, HANDLE *redirectHandle);
void NTAPI FwpsRedirectHandleDestroy0(HANDLE redirectHandle);
FWPS_CONNECTION_REDIRECT_STATE NTAPI FwpsQueryConnectionRedirectState0(HANDLE redirectRecords, HANDLE redirectHandle,
                                                                       void **redirectContext);
NTSTATUS NTAPI FwpsQueryConnectionSioFormatRedirectRecords0(HANDLE RedirectRecords, PVOID OutputBuffer,
                                                            SIZE_T OutputBufferLength, PSIZE_T BytesTransferred);
NTSTATUS NTAPI FwpsClassifyOptionSet0(const FWPS_INCOMING_METADATA_VALUES0 *inMetadataValues,
                                      const FWP_CLASSIFY_OPTION_TYPE option, const FWP_VALUE0 *newValue);

// --- Packets: allocating, cloning, holding ---

NTSTATUS NTAPI FwpsAllocateNetBufferAndNetBufferList0(PVOID poolHandle, USHORT contextSize, USHORT contextBackFill,
                                                      MDL *mdlChain, ULONG dataOffset, SIZE_T dataLength,
                                                      NET_BUFFER_LIST **netBufferList);
void NTAPI FwpsFreeNetBufferList0(NET_BUFFER_LIST *netBufferList);
NTSTATUS NTAPI FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST *originalNetBufferList, PVOID netBufferListPoolHandle,
                                               PVOID netBufferPoolHandle, ULONG allocateCloneFlags,
                                               NET_BUFFER_LIST **netBufferList);
void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *netBufferList, ULONG freeCloneFlags);
NTSTATUS NTAPI FwpsReassembleForwardFragmentGroup0(ADDRESS_FAMILY addressFamily,
                                                   NET_BUFFER_LIST *fragmentGroupNblChain,
                                                   PVOID netBufferAndNetBufferListPoolHandle, ULONG dataBackFill,
                                                   ULONG flags, NET_BUFFER_LIST **reassembledNbl);
void NTAPI FwpsReferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN intendToModify);
void NTAPI FwpsDereferenceNetBufferList0(NET_BUFFER_LIST *netBufferList, BOOLEAN dispatchLevel);

// --- Injecting packets ---

#define FWPS_INJECTION_TYPE_STREAM 0x00000001
#define FWPS_INJECTION_TYPE_TRANSPORT 0x00000002
#define FWPS_INJECTION_TYPE_NETWORK 0x00000004
#define FWPS_INJECTION_TYPE_FORWARD 0x00000008
#define FWPS_INJECTION_TYPE_L2 0x00000010
#define FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT 0x00000020

#define FWPS_SEND_INJECT_PRESERVE_IPID 0x00000001

typedef struct FWPS_TRANSPORT_SEND_PARAMS0_ {
    UCHAR *remoteAddress;
    SCOPE_ID remoteScopeId;
    WSACMSGHDR *controlData;
    ULONG controlDataLength;
} FWPS_TRANSPORT_SEND_PARAMS0;

typedef struct FWPS_TRANSPORT_SEND_PARAMS1_ {
    UCHAR *remoteAddress;
    SCOPE_ID remoteScopeId;
    WSACMSGHDR *controlData;
    ULONG controlDataLength;
    UCHAR *headerIncludeHeader;
    ULONG headerIncludeHeaderLength;
} FWPS_TRANSPORT_SEND_PARAMS1;

// The next two: PASSIVE_LEVEL. Destroying waits for the injections under way.
NTSTATUS NTAPI FwpsInjectionHandleCreate0(ADDRESS_FAMILY addressFamily, UINT32 flags, HANDLE *injectionHandle);
NTSTATUS NTAPI FwpsInjectionHandleDestroy0(HANDLE injectionHandle);

// Called once for an injection that was accepted (STATUS_SUCCESS), never for one that failed. Until then the packet and
// all parameters stay valid.
typedef void(NTAPI *FWPS_INJECT_COMPLETE0)(void *context, NET_BUFFER_LIST *netBufferList, BOOLEAN dispatchLevel);

NTSTATUS NTAPI FwpsInjectNetworkSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                           COMPARTMENT_ID compartmentId, NET_BUFFER_LIST *netBufferList,
                                           FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectNetworkReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                              COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                              IF_INDEX subInterfaceIndex, NET_BUFFER_LIST *netBufferList,
                                              FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectForwardAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                       ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                       IF_INDEX interfaceIndex, NET_BUFFER_LIST *netBufferList,
                                       FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectTransportSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS0 *sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST *netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectTransportSendAsync1(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS1 *sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST *netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectTransportReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, PVOID reserved,
                                                UINT32 flags, ADDRESS_FAMILY addressFamily,
                                                COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                                IF_INDEX subInterfaceIndex, NET_BUFFER_LIST *netBufferList,
                                                FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectMacSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags, UINT16 layerId,
                                       IF_INDEX interfaceIndex, ULONG NdisPortNumber, NET_BUFFER_LIST *netBufferLists,
                                       FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectMacReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                          UINT16 layerId, IF_INDEX interfaceIndex, ULONG NdisPortNumber,
                                          NET_BUFFER_LIST *netBufferLists, FWPS_INJECT_COMPLETE0 completionFn,
                                          HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectvSwitchEthernetIngressAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                                      void *reserved, const FWP_BYTE_BLOB *vSwitchId,
                                                      UINT32 vSwitchSourcePortId, UINT16 vSwitchSourceNicIndex,
                                                      NET_BUFFER_LIST *netBufferLists,
                                                      FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
void NTAPI FwpsReferencevSwitchPacketContext0(HANDLE packetContext);
void NTAPI FwpsDereferencevSwitchPacketContext0(HANDLE packetContext);
NTSTATUS NTAPI FwpsConstructIpHeaderForTransportPacket0(NET_BUFFER_LIST *netBufferList,
                                                        ULONG headerIncludeHeaderLength, ADDRESS_FAMILY addressFamily,
                                                        const UCHAR *sourceAddress, const UCHAR *remoteAddress,
                                                        int nextProtocol, UINT64 endpointHandle,
                                                        const WSACMSGHDR *controlData, ULONG controlDataLength,
                                                        UINT32 flags, PVOID reserved, IF_INDEX interfaceIndex,
                                                        IF_INDEX subInterfaceIndex);

typedef enum FWPS_PACKET_INJECTION_STATE_ {
    FWPS_PACKET_NOT_INJECTED = 0,
    FWPS_PACKET_INJECTED_BY_SELF = 1,
    FWPS_PACKET_INJECTED_BY_OTHER = 2,
    FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF = 3,
    FWPS_PACKET_INJECTION_STATE_MAX
} FWPS_PACKET_INJECTION_STATE;

FWPS_PACKET_INJECTION_STATE NTAPI FwpsQueryPacketInjectionState0(HANDLE injectionHandle,
                                                                 const NET_BUFFER_LIST *netBufferList,
                                                                 HANDLE *injectionContext);

// --- Contexts of packets ---

typedef enum FWPS_NET_BUFFER_LIST_EVENT_TYPE0_ {
    FWPS_NET_BUFFER_LIST_ENTERED_NETIO = 0,
    FWPS_NET_BUFFER_LIST_CLONED_BY_NETIO = 1,
    FWPS_NET_BUFFER_LIST_CLONED_VIA_WFP_API = 2,
    FWPS_NET_BUFFER_LIST_DUPLICATED_BY_NETIO = 3,
    FWPS_NET_BUFFER_LIST_EXIT_NETIO = 4,
    FWPS_NET_BUFFER_LIST_CONTEXT_REMOVED = 5,
    FWPS_NET_BUFFER_LIST_NDIS_SEND_COMPLETE = 6,
    FWPS_NET_BUFFER_LIST_NDIS_RECV_COMPLETE = 7,
    FWPS_NET_BUFFER_LIST_NDIS_ETHERNET_SEND_COMPLETE = FWPS_NET_BUFFER_LIST_NDIS_SEND_COMPLETE,
    FWPS_NET_BUFFER_LIST_NDIS_ETHERNET_RECV_COMPLETE = FWPS_NET_BUFFER_LIST_NDIS_RECV_COMPLETE,
    FWPS_NET_BUFFER_LIST_NDIS_NATIVE_SEND_COMPLETE = 8,
    FWPS_NET_BUFFER_LIST_NDIS_NATIVE_RECV_COMPLETE = 9,
    FWPS_NET_BUFFER_LIST_NDIS_VSWITCH_INGRESS_COMPLETE = 10,
    FWPS_NET_BUFFER_LIST_NDIS_VSWITCH_EGRESS_COMPLETE = 11,
    FWPS_NET_BUFFER_LIST_CLONED_BY_NDIS = 12,
    FWPS_NET_BUFFER_LIST_REASSEMBLED_FRAGMENT = 13,
    FWPS_NET_BUFFER_LIST_REASSEMBLY_COMPLETE = 14
} FWPS_NET_BUFFER_LIST_EVENT_TYPE0;

#define FWPS_LAYER_NON_WFP 0xFFFF

typedef void(NTAPI *FWPS_NET_BUFFER_LIST_NOTIFY_FN0)(FWPS_NET_BUFFER_LIST_EVENT_TYPE0 eventType,
                                                     NET_BUFFER_LIST *netBufferList, NET_BUFFER_LIST *newNetBufferList,
                                                     UINT16 layerId, UINT64 context, UINT64 contextTag);
typedef NTSTATUS(NTAPI *FWPS_NET_BUFFER_LIST_NOTIFY_FN1)(FWPS_NET_BUFFER_LIST_EVENT_TYPE0 eventType,
                                                         NET_BUFFER_LIST *netBufferList,
                                                         NET_BUFFER_LIST *newNetBufferList, UINT16 layerId,
                                                         UINT64 context, UINT64 contextTag);

UINT64 NTAPI FwpsNetBufferListGetTagForContext0(void);
NTSTATUS NTAPI FwpsNetBufferListAssociateContext0(NET_BUFFER_LIST *netBufferList, UINT16 layerId, UINT64 context,
                                                  UINT64 contextTag, GUID *providerGuid, void *deviceObject,
                                                  FWPS_NET_BUFFER_LIST_NOTIFY_FN0 notifyFn, UINT32 flags);
NTSTATUS NTAPI FwpsNetBufferListAssociateContext1(NET_BUFFER_LIST *netBufferList, UINT16 layerId, UINT64 context,
                                                  UINT64 contextTag, GUID *providerGuid, void *deviceObject,
                                                  FWPS_NET_BUFFER_LIST_NOTIFY_FN1 notifyFn, UINT32 flags);
NTSTATUS NTAPI FwpsNetBufferListRetrieveContext0(NET_BUFFER_LIST *netBufferList, UINT64 contextTag,
                                                 BOOLEAN removeContext, UINT32 flags, UINT64 *context);
NTSTATUS NTAPI FwpsNetBufferListRemoveContext0(NET_BUFFER_LIST *netBufferList, UINT64 contextTag, UINT32 flags);

// --- Streams ---

// Where in a chain of packets a byte lies.
typedef struct FWPS_STREAM_DATA_OFFSET0_ {
    NET_BUFFER_LIST *netBufferList;
    NET_BUFFER *netBuffer;
    MDL *mdl;
    UINT32 mdlOffset;
    UINT32 netBufferOffset;
    SIZE_T streamDataOffset;
} FWPS_STREAM_DATA_OFFSET0;

#define FWPS_STREAM_FLAG_RECEIVE (0x00000001)
#define FWPS_STREAM_FLAG_RECEIVE_EXPEDITED (0x00000002)
#define FWPS_STREAM_FLAG_RECEIVE_DISCONNECT (0x00000004)
#define FWPS_STREAM_FLAG_RECEIVE_ABORT (0x00000008)
#define FWPS_STREAM_FLAG_RECEIVE_PUSH (0x00000010)
#define FWPS_STREAM_FLAG_SEND (0x00010000)
#define FWPS_STREAM_FLAG_SEND_EXPEDITED (0x00020000)
#define FWPS_STREAM_FLAG_SEND_NODELAY (0x00040000)
#define FWPS_STREAM_FLAG_SEND_DISCONNECT (0x00080000)
#define FWPS_STREAM_FLAG_SEND_ABORT (0x00100000)

typedef struct FWPS_STREAM_DATA0_ {
    UINT32 flags;
    FWPS_STREAM_DATA_OFFSET0 dataOffset;
    SIZE_T dataLength;
    NET_BUFFER_LIST *netBufferListChain;
} FWPS_STREAM_DATA0;

typedef enum FWPS_STREAM_ACTION_TYPE_ {
    FWPS_STREAM_ACTION_NONE = 0,
    FWPS_STREAM_ACTION_NEED_MORE_DATA = 1,
    FWPS_STREAM_ACTION_DROP_CONNECTION = 2,
    FWPS_STREAM_ACTION_DEFER = 3,
    FWPS_STREAM_ACTION_ALLOW_CONNECTION = 4,
    FWPS_STREAM_ACTION_TYPE_MAX
} FWPS_STREAM_ACTION_TYPE;

// layerData of the STREAM layers; the callout writes the last three.
typedef struct FWPS_STREAM_CALLOUT_IO_PACKET0_ {
    FWPS_STREAM_DATA0 *streamData;
    SIZE_T missedBytes;
    UINT32 countBytesRequired;
    SIZE_T countBytesEnforced;
    FWPS_STREAM_ACTION_TYPE streamAction;
} FWPS_STREAM_CALLOUT_IO_PACKET0;

NTSTATUS NTAPI FwpsStreamInjectAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags, UINT64 flowId,
                                      UINT32 calloutId, UINT16 layerId, UINT32 streamFlags,
                                      NET_BUFFER_LIST *netBufferList, SIZE_T dataLength,
                                      FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
// Not from within a classification, nor while an injection into the stream is under way.
NTSTATUS NTAPI FwpsStreamContinue0(UINT64 flowId, UINT32 calloutId, UINT16 layerId, UINT32 streamFlags);
void NTAPI FwpsCopyStreamDataToBuffer0(const FWPS_STREAM_DATA0 *calloutStreamData, PVOID buffer, SIZE_T bytesToCopy,
                                       SIZE_T *bytesCopied);
NTSTATUS NTAPI FwpsCloneStreamData0(FWPS_STREAM_DATA0 *calloutStreamData, PVOID netBufferListPoolHandle,
                                    PVOID netBufferPoolHandle, ULONG allocateCloneFlags,
                                    NET_BUFFER_LIST **netBufferListChain);
void NTAPI FwpsDiscardClonedStreamData0(NET_BUFFER_LIST *netBufferListChain, UINT32 allocateCloneFlags,
                                        BOOLEAN dispatchLevel);

// --- Virtual interfaces of tunnels ---

NTSTATUS NTAPI FwpsVirtualIfTunnelInfoGet0(const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                                           IPSEC_VIRTUAL_IF_TUNNEL_INFO0 *virtualIfTunnelInfo);
NTSTATUS NTAPI FwpsVirtualIfTunnelInfoSet0(NET_BUFFER_LIST *netBufferList,
                                           const IPSEC_VIRTUAL_IF_TUNNEL_INFO0 *virtualIfTunnelInfo);

// --- Virtual switches ---

typedef enum FWPS_VSWITCH_EVENT_TYPE_ {
    FWPS_VSWITCH_EVENT_VSWITCH_NONE = 0,
    FWPS_VSWITCH_EVENT_VSWITCH_CREATE = 1,
    FWPS_VSWITCH_EVENT_VSWITCH_DELETE = 2,
    FWPS_VSWITCH_EVENT_PORT_CREATE = 3,
    FWPS_VSWITCH_EVENT_PORT_DELETE = 4,
    FWPS_VSWITCH_EVENT_INTERFACE_CREATE = 5,
    FWPS_VSWITCH_EVENT_INTERFACE_DELETE = 6,
    FWPS_VSWITCH_EVENT_INTERFACE_CONNECT = 7,
    FWPS_VSWITCH_EVENT_INTERFACE_DISCONNECT = 8,
    FWPS_VSWITCH_EVENT_POLICY_ADD = 9,
    FWPS_VSWITCH_EVENT_POLICY_UPDATE = 10,
    FWPS_VSWITCH_EVENT_POLICY_DELETE = 11,
    FWPS_VSWITCH_EVENT_RUNTIME_STATE_SAVE = 12,
    FWPS_VSWITCH_EVENT_RUNTIME_STATE_RESTORE = 13
} FWPS_VSWITCH_EVENT_TYPE;

struct _NDIS_SWITCH_PARAMETERS;
struct _NDIS_SWITCH_PORT_ARRAY;
struct _NDIS_SWITCH_NIC_ARRAY;
struct _NDIS_SWITCH_PORT_PARAMETERS;
struct _NDIS_SWITCH_NIC_PARAMETERS;
struct _NDIS_SWITCH_PORT_PROPERTY_PARAMETERS;
struct _NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS;
struct _NDIS_ENUM_FILTERS;

typedef NTSTATUS(NTAPI *FWPS_VSWITCH_LIFETIME_EVENT_CALLBACK0)(
    void *notifyContext, FWPS_VSWITCH_EVENT_TYPE eventType, const struct _NDIS_SWITCH_PARAMETERS *vSwitch,
    const struct _NDIS_SWITCH_PORT_ARRAY *vSwitchPorts, const struct _NDIS_SWITCH_NIC_ARRAY *vSwitchInterfaces);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_PORT_EVENT_CALLBACK0)(
    void *notifyContext, void *completionContext, FWPS_VSWITCH_EVENT_TYPE eventType,
    const struct _NDIS_SWITCH_PARAMETERS *vSwitch, const struct _NDIS_SWITCH_PORT_PARAMETERS *vSwitchPort);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_INTERFACE_EVENT_CALLBACK0)(
    void *notifyContext, void *completionContext, FWPS_VSWITCH_EVENT_TYPE eventType,
    const struct _NDIS_SWITCH_PARAMETERS *vSwitch, const struct _NDIS_SWITCH_NIC_PARAMETERS *vSwitchNic);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_FILTER_ENGINE_REORDER_CALLBACK0)(
    void *notifyContext, void *completionContext, BOOLEAN isInRequiredPosition,
    const struct _NDIS_ENUM_FILTERS *vSwitchExtensionLwfList);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_POLICY_EVENT_CALLBACK0)(
    void *notifyContext, void *completionContext, FWPS_VSWITCH_EVENT_TYPE eventType,
    const struct _NDIS_SWITCH_PARAMETERS *vSwitch,
    const struct _NDIS_SWITCH_PORT_PROPERTY_PARAMETERS *vSwitchPortProperty,
    const struct _NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS *vSwitchPortPropertyDelete);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_RUNTIME_STATE_SAVE_CALLBACK0)(
    void *notifyContext, void *completionContext, FWPS_VSWITCH_EVENT_TYPE eventType,
    const struct _NDIS_SWITCH_PARAMETERS *vSwitch, UINT32 portId, void **runtimeState, SIZE_T *runtimeStateLength);
typedef NTSTATUS(NTAPI *FWPS_VSWITCH_RUNTIME_STATE_RESTORE_CALLBACK0)(
    void *notifyContext, void *completionContext, FWPS_VSWITCH_EVENT_TYPE eventType,
    const struct _NDIS_SWITCH_PARAMETERS *vSwitch, UINT32 portId, void *runtimeState, SIZE_T runtimeStateLength);

typedef struct FWPS_VSWITCH_EVENT_DISPATCH_TABLE0_ {
    FWPS_VSWITCH_LIFETIME_EVENT_CALLBACK0 vSwitchLifetimeNotifyFn;
    FWPS_VSWITCH_PORT_EVENT_CALLBACK0 vSwitchPortEventNotifyFn;
    FWPS_VSWITCH_INTERFACE_EVENT_CALLBACK0 vSwitchInterfaceEventNotifyFn;
    FWPS_VSWITCH_FILTER_ENGINE_REORDER_CALLBACK0 vSwitchFilterEngineReorderNotifyRn;
    FWPS_VSWITCH_POLICY_EVENT_CALLBACK0 vSwitchPolicyEventNotifyFn;
    FWPS_VSWITCH_RUNTIME_STATE_SAVE_CALLBACK0 vSwitchRuntimeStateSaveNotifyFn;
    FWPS_VSWITCH_RUNTIME_STATE_RESTORE_CALLBACK0 vSwitchRuntimeStateRestoreNotifyFn;
} FWPS_VSWITCH_EVENT_DISPATCH_TABLE0;

NTSTATUS NTAPI FwpsvSwitchEventsSubscribe0(const GUID *providerGuid, void *notifyContext, UINT32 flags, void *reserved,
                                           const FWPS_VSWITCH_EVENT_DISPATCH_TABLE0 *eventDispatchTable,
                                           UINT32 *subscriptionId);
void NTAPI FwpsvSwitchEventsUnsubscribe0(UINT32 subscriptionId, UINT32 flags, void *reserved);
void NTAPI FwpsvSwitchNotifyComplete0(void *completionContext, NTSTATUS status, UINT32 flags, void *reserved);

// --- ALE endpoints (PASSIVE_LEVEL) ---

NTSTATUS NTAPI FwpsOpenToken0(HANDLE engineHandle, LUID modifiedId, DWORD desiredAccess,
                              HANDLE *accessToken) FWPS_KERNEL_NAME(OpenToken0);
NTSTATUS NTAPI FwpsAleEndpointGetById0(HANDLE engineHandle, UINT64 endpointId,
                                       FWPS_ALE_ENDPOINT_PROPERTIES0 **properties)
    FWPS_KERNEL_NAME(AleEndpointGetById0);
NTSTATUS NTAPI FwpsAleEndpointCreateEnumHandle0(HANDLE engineHandle,
                                                const FWPS_ALE_ENDPOINT_ENUM_TEMPLATE0 *enumTemplate,
                                                HANDLE *enumHandle) FWPS_KERNEL_NAME(AleEndpointCreateEnumHandle0);
NTSTATUS NTAPI FwpsAleEndpointEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                    FWPS_ALE_ENDPOINT_PROPERTIES0 ***entries,
                                    UINT32 *numEntriesReturned) FWPS_KERNEL_NAME(AleEndpointEnum0);
NTSTATUS NTAPI FwpsAleEndpointDestroyEnumHandle0(HANDLE engineHandle,
                                                 HANDLE enumHandle) FWPS_KERNEL_NAME(AleEndpointDestroyEnumHandle0);
NTSTATUS NTAPI FwpsAleEndpointGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                               PSID *sidGroup, PACL *dacl, PACL *sacl,
                                               PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPS_KERNEL_NAME(AleEndpointGetSecurityInfo0);
NTSTATUS NTAPI FwpsAleEndpointSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                               const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                               const ACL *sacl) FWPS_KERNEL_NAME(AleEndpointSetSecurityInfo0);

#ifdef __ELF__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
