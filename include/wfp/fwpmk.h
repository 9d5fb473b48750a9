// Management of the filter engine from kernel mode. Functions return STATUS_SUCCESS or a STATUS_FWP_*; PASSIVE_LEVEL.
//
// The names are those of fwpmu.h, the results are not. On Linux both live in one library: there these declarations name
// the symbols Fwpmk* (FwpmkFilterAdd0), and a source file can use one of the two headers.

#ifndef GUID_DEFS_ONLY
#ifndef WFP_FWPMK_H
#define WFP_FWPMK_H

#ifdef WFP_FWPMU_H
#error "fwpmk.h (kernel mode) and fwpmu.h (user mode) declare the same names: a source file can use one of them"
#endif

#include "fwpmtypes.h"
#include "fwpvi.h"

#include "fwpmconstants.h"
#include "ntstatus.h"

#ifdef __ELF__
#define FWPM_KERNEL_NAME(name) __asm__("Fwpmk" #name)
#else
#define FWPM_KERNEL_NAME(name)
#endif

// What FwpmEngineOpen0 takes of rpcdce.h, which drivers do not include.
#ifndef RPC_C_AUTHN_WINNT
#define RPC_C_AUTHN_WINNT 10
#endif
#ifndef _WIN32
#undef RPC_C_AUTHN_DEFAULT
#define RPC_C_AUTHN_DEFAULT 0xFFFFFFFFu
#endif

struct _SEC_WINNT_AUTH_IDENTITY_W;

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif

// --- Memory: what the library returned; *p becomes NULL. An enumeration's array is one allocation. ---

void NTAPI FwpmFreeMemory0(void **p);

// --- State of the engine's service: Fwpm functions may be called while it runs ---

typedef void(CALLBACK *FWPM_SERVICE_STATE_CHANGE_CALLBACK0)(void *context, FWPM_SERVICE_STATE newState);
FWPM_SERVICE_STATE NTAPI FwpmBfeStateGet0(void);
// Not to be undone from within the callback.
NTSTATUS NTAPI FwpmBfeStateSubscribeChanges0(void *deviceObject, FWPM_SERVICE_STATE_CHANGE_CALLBACK0 callback,
                                             void *context, HANDLE *changeHandle);
NTSTATUS NTAPI FwpmBfeStateUnsubscribeChanges0(HANDLE changeHandle);

// --- Engine ---

NTSTATUS NTAPI FwpmEngineOpen0(const WCHAR *serverName, UINT32 authnService,
                               struct _SEC_WINNT_AUTH_IDENTITY_W *authIdentity, const FWPM_SESSION0 *session,
                               HANDLE *engineHandle) FWPM_KERNEL_NAME(EngineOpen0);
NTSTATUS NTAPI FwpmEngineClose0(HANDLE engineHandle) FWPM_KERNEL_NAME(EngineClose0);
NTSTATUS NTAPI FwpmEngineGetOption0(HANDLE engineHandle, FWPM_ENGINE_OPTION option,
                                    FWP_VALUE0 **value) FWPM_KERNEL_NAME(EngineGetOption0);
NTSTATUS NTAPI FwpmEngineSetOption0(HANDLE engineHandle, FWPM_ENGINE_OPTION option,
                                    const FWP_VALUE0 *newValue) FWPM_KERNEL_NAME(EngineSetOption0);
NTSTATUS NTAPI FwpmEngineGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                          PSID *sidGroup, PACL *dacl, PACL *sacl,
                                          PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(EngineGetSecurityInfo0);
NTSTATUS NTAPI FwpmEngineSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                          const SID *sidGroup, const ACL *dacl,
                                          const ACL *sacl) FWPM_KERNEL_NAME(EngineSetSecurityInfo0);
NTSTATUS NTAPI FwpmSessionCreateEnumHandle0(HANDLE engineHandle, const FWPM_SESSION_ENUM_TEMPLATE0 *enumTemplate,
                                            HANDLE *enumHandle) FWPM_KERNEL_NAME(SessionCreateEnumHandle0);
NTSTATUS NTAPI FwpmSessionEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                FWPM_SESSION0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(SessionEnum0);
NTSTATUS NTAPI FwpmSessionDestroyEnumHandle0(HANDLE engineHandle,
                                             HANDLE enumHandle) FWPM_KERNEL_NAME(SessionDestroyEnumHandle0);

// --- Transactions ---

#define FWPM_TXN_READ_ONLY (0x00000001)
NTSTATUS NTAPI FwpmTransactionBegin0(HANDLE engineHandle, UINT32 flags) FWPM_KERNEL_NAME(TransactionBegin0);
NTSTATUS NTAPI FwpmTransactionCommit0(HANDLE engineHandle) FWPM_KERNEL_NAME(TransactionCommit0);
NTSTATUS NTAPI FwpmTransactionAbort0(HANDLE engineHandle) FWPM_KERNEL_NAME(TransactionAbort0);

// --- Providers ---

NTSTATUS NTAPI FwpmProviderAdd0(HANDLE engineHandle, const FWPM_PROVIDER0 *provider,
                                PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(ProviderAdd0);
NTSTATUS NTAPI FwpmProviderDeleteByKey0(HANDLE engineHandle, const GUID *key) FWPM_KERNEL_NAME(ProviderDeleteByKey0);
NTSTATUS NTAPI FwpmProviderGetByKey0(HANDLE engineHandle, const GUID *key,
                                     FWPM_PROVIDER0 **provider) FWPM_KERNEL_NAME(ProviderGetByKey0);
NTSTATUS NTAPI FwpmProviderCreateEnumHandle0(HANDLE engineHandle, const FWPM_PROVIDER_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle) FWPM_KERNEL_NAME(ProviderCreateEnumHandle0);
NTSTATUS NTAPI FwpmProviderEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_PROVIDER0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ProviderEnum0);
NTSTATUS NTAPI FwpmProviderDestroyEnumHandle0(HANDLE engineHandle,
                                              HANDLE enumHandle) FWPM_KERNEL_NAME(ProviderDestroyEnumHandle0);
NTSTATUS NTAPI FwpmProviderGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                 SECURITY_INFORMATION securityInfo, PSID *sidOwner, PSID *sidGroup,
                                                 PACL *dacl, PACL *sacl,
                                                 PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(ProviderGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmProviderSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                 SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                 const SID *sidGroup, const ACL *dacl,
                                                 const ACL *sacl) FWPM_KERNEL_NAME(ProviderSetSecurityInfoByKey0);

// --- Provider contexts ---

NTSTATUS NTAPI FwpmProviderContextAdd0(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT0 *providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64 *id) FWPM_KERNEL_NAME(ProviderContextAdd0);
NTSTATUS NTAPI FwpmProviderContextAdd1(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT1 *providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64 *id) FWPM_KERNEL_NAME(ProviderContextAdd1);
NTSTATUS NTAPI FwpmProviderContextAdd2(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT2 *providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64 *id) FWPM_KERNEL_NAME(ProviderContextAdd2);
NTSTATUS NTAPI FwpmProviderContextAdd3(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT3 *providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64 *id) FWPM_KERNEL_NAME(ProviderContextAdd3);
NTSTATUS NTAPI FwpmProviderContextDeleteById0(HANDLE engineHandle,
                                              UINT64 id) FWPM_KERNEL_NAME(ProviderContextDeleteById0);
NTSTATUS NTAPI FwpmProviderContextDeleteByKey0(HANDLE engineHandle,
                                               const GUID *key) FWPM_KERNEL_NAME(ProviderContextDeleteByKey0);
NTSTATUS NTAPI FwpmProviderContextGetById0(HANDLE engineHandle, UINT64 id,
                                           FWPM_PROVIDER_CONTEXT0 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetById0);
NTSTATUS NTAPI FwpmProviderContextGetById1(HANDLE engineHandle, UINT64 id,
                                           FWPM_PROVIDER_CONTEXT1 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetById1);
NTSTATUS NTAPI FwpmProviderContextGetById2(HANDLE engineHandle, UINT64 id,
                                           FWPM_PROVIDER_CONTEXT2 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetById2);
NTSTATUS NTAPI FwpmProviderContextGetById3(HANDLE engineHandle, UINT64 id,
                                           FWPM_PROVIDER_CONTEXT3 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetById3);
NTSTATUS NTAPI FwpmProviderContextGetByKey0(HANDLE engineHandle, const GUID *key,
                                            FWPM_PROVIDER_CONTEXT0 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetByKey0);
NTSTATUS NTAPI FwpmProviderContextGetByKey1(HANDLE engineHandle, const GUID *key,
                                            FWPM_PROVIDER_CONTEXT1 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetByKey1);
NTSTATUS NTAPI FwpmProviderContextGetByKey2(HANDLE engineHandle, const GUID *key,
                                            FWPM_PROVIDER_CONTEXT2 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetByKey2);
NTSTATUS NTAPI FwpmProviderContextGetByKey3(HANDLE engineHandle, const GUID *key,
                                            FWPM_PROVIDER_CONTEXT3 **providerContext)
    FWPM_KERNEL_NAME(ProviderContextGetByKey3);
NTSTATUS NTAPI FwpmProviderContextCreateEnumHandle0(HANDLE engineHandle,
                                                    const FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 *enumTemplate,
                                                    HANDLE *enumHandle)
    FWPM_KERNEL_NAME(ProviderContextCreateEnumHandle0);
NTSTATUS NTAPI FwpmProviderContextEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                        FWPM_PROVIDER_CONTEXT0 ***entries,
                                        UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ProviderContextEnum0);
NTSTATUS NTAPI FwpmProviderContextEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                        FWPM_PROVIDER_CONTEXT1 ***entries,
                                        UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ProviderContextEnum1);
NTSTATUS NTAPI FwpmProviderContextEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                        FWPM_PROVIDER_CONTEXT2 ***entries,
                                        UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ProviderContextEnum2);
NTSTATUS NTAPI FwpmProviderContextEnum3(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                        FWPM_PROVIDER_CONTEXT3 ***entries,
                                        UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ProviderContextEnum3);
NTSTATUS NTAPI FwpmProviderContextDestroyEnumHandle0(HANDLE engineHandle,
                                                     HANDLE enumHandle)
    FWPM_KERNEL_NAME(ProviderContextDestroyEnumHandle0);
NTSTATUS NTAPI FwpmProviderContextGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                        SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                                        PSID *sidGroup, PACL *dacl, PACL *sacl,
                                                        PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(ProviderContextGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmProviderContextSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                        SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                        const SID *sidGroup, const ACL *dacl,
                                                        const ACL *sacl)
    FWPM_KERNEL_NAME(ProviderContextSetSecurityInfoByKey0);

// --- Sublayers ---

NTSTATUS NTAPI FwpmSubLayerAdd0(HANDLE engineHandle, const FWPM_SUBLAYER0 *subLayer,
                                PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(SubLayerAdd0);
NTSTATUS NTAPI FwpmSubLayerDeleteByKey0(HANDLE engineHandle, const GUID *key) FWPM_KERNEL_NAME(SubLayerDeleteByKey0);
NTSTATUS NTAPI FwpmSubLayerGetByKey0(HANDLE engineHandle, const GUID *key,
                                     FWPM_SUBLAYER0 **subLayer) FWPM_KERNEL_NAME(SubLayerGetByKey0);
NTSTATUS NTAPI FwpmSubLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_SUBLAYER_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle) FWPM_KERNEL_NAME(SubLayerCreateEnumHandle0);
NTSTATUS NTAPI FwpmSubLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_SUBLAYER0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(SubLayerEnum0);
NTSTATUS NTAPI FwpmSubLayerDestroyEnumHandle0(HANDLE engineHandle,
                                              HANDLE enumHandle) FWPM_KERNEL_NAME(SubLayerDestroyEnumHandle0);
NTSTATUS NTAPI FwpmSubLayerGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                 SECURITY_INFORMATION securityInfo, PSID *sidOwner, PSID *sidGroup,
                                                 PACL *dacl, PACL *sacl,
                                                 PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(SubLayerGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmSubLayerSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                 SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                 const SID *sidGroup, const ACL *dacl,
                                                 const ACL *sacl) FWPM_KERNEL_NAME(SubLayerSetSecurityInfoByKey0);

// --- Layers ---

NTSTATUS NTAPI FwpmLayerGetById0(HANDLE engineHandle, UINT16 id, FWPM_LAYER0 **layer) FWPM_KERNEL_NAME(LayerGetById0);
NTSTATUS NTAPI FwpmLayerGetByKey0(HANDLE engineHandle, const GUID *key,
                                  FWPM_LAYER0 **layer) FWPM_KERNEL_NAME(LayerGetByKey0);
NTSTATUS NTAPI FwpmLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_LAYER_ENUM_TEMPLATE0 *enumTemplate,
                                          HANDLE *enumHandle) FWPM_KERNEL_NAME(LayerCreateEnumHandle0);
NTSTATUS NTAPI FwpmLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                              FWPM_LAYER0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(LayerEnum0);
NTSTATUS NTAPI FwpmLayerDestroyEnumHandle0(HANDLE engineHandle,
                                           HANDLE enumHandle) FWPM_KERNEL_NAME(LayerDestroyEnumHandle0);
NTSTATUS NTAPI FwpmLayerGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                              PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                              PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(LayerGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmLayerSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                              const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                              const ACL *sacl) FWPM_KERNEL_NAME(LayerSetSecurityInfoByKey0);

// --- Callouts ---

NTSTATUS NTAPI FwpmCalloutAdd0(HANDLE engineHandle, const FWPM_CALLOUT0 *callout, PSECURITY_DESCRIPTOR sd,
                               UINT32 *id) FWPM_KERNEL_NAME(CalloutAdd0);
NTSTATUS NTAPI FwpmCalloutDeleteById0(HANDLE engineHandle, UINT32 id) FWPM_KERNEL_NAME(CalloutDeleteById0);
NTSTATUS NTAPI FwpmCalloutDeleteByKey0(HANDLE engineHandle, const GUID *key) FWPM_KERNEL_NAME(CalloutDeleteByKey0);
NTSTATUS NTAPI FwpmCalloutGetById0(HANDLE engineHandle, UINT32 id,
                                   FWPM_CALLOUT0 **callout) FWPM_KERNEL_NAME(CalloutGetById0);
NTSTATUS NTAPI FwpmCalloutGetByKey0(HANDLE engineHandle, const GUID *key,
                                    FWPM_CALLOUT0 **callout) FWPM_KERNEL_NAME(CalloutGetByKey0);
NTSTATUS NTAPI FwpmCalloutCreateEnumHandle0(HANDLE engineHandle, const FWPM_CALLOUT_ENUM_TEMPLATE0 *enumTemplate,
                                            HANDLE *enumHandle) FWPM_KERNEL_NAME(CalloutCreateEnumHandle0);
NTSTATUS NTAPI FwpmCalloutEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                FWPM_CALLOUT0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(CalloutEnum0);
NTSTATUS NTAPI FwpmCalloutDestroyEnumHandle0(HANDLE engineHandle,
                                             HANDLE enumHandle) FWPM_KERNEL_NAME(CalloutDestroyEnumHandle0);
NTSTATUS NTAPI FwpmCalloutGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                SECURITY_INFORMATION securityInfo, PSID *sidOwner, PSID *sidGroup,
                                                PACL *dacl, PACL *sacl,
                                                PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(CalloutGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmCalloutSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                const SID *sidGroup, const ACL *dacl,
                                                const ACL *sacl) FWPM_KERNEL_NAME(CalloutSetSecurityInfoByKey0);

// --- Filters ---

NTSTATUS NTAPI FwpmFilterAdd0(HANDLE engineHandle, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR sd,
                              UINT64 *id) FWPM_KERNEL_NAME(FilterAdd0);
NTSTATUS NTAPI FwpmFilterDeleteById0(HANDLE engineHandle, UINT64 id) FWPM_KERNEL_NAME(FilterDeleteById0);
NTSTATUS NTAPI FwpmFilterDeleteByKey0(HANDLE engineHandle, const GUID *key) FWPM_KERNEL_NAME(FilterDeleteByKey0);
NTSTATUS NTAPI FwpmFilterGetById0(HANDLE engineHandle, UINT64 id,
                                  FWPM_FILTER0 **filter) FWPM_KERNEL_NAME(FilterGetById0);
NTSTATUS NTAPI FwpmFilterGetByKey0(HANDLE engineHandle, const GUID *key,
                                   FWPM_FILTER0 **filter) FWPM_KERNEL_NAME(FilterGetByKey0);
NTSTATUS NTAPI FwpmFilterCreateEnumHandle0(HANDLE engineHandle, const FWPM_FILTER_ENUM_TEMPLATE0 *enumTemplate,
                                           HANDLE *enumHandle) FWPM_KERNEL_NAME(FilterCreateEnumHandle0);
NTSTATUS NTAPI FwpmFilterEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_FILTER0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(FilterEnum0);
NTSTATUS NTAPI FwpmFilterDestroyEnumHandle0(HANDLE engineHandle,
                                            HANDLE enumHandle) FWPM_KERNEL_NAME(FilterDestroyEnumHandle0);
NTSTATUS NTAPI FwpmFilterGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                               PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(FilterGetSecurityInfoByKey0);
NTSTATUS NTAPI FwpmFilterSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                               const ACL *sacl) FWPM_KERNEL_NAME(FilterSetSecurityInfoByKey0);

// --- Net events ---

NTSTATUS NTAPI FwpmNetEventCreateEnumHandle0(HANDLE engineHandle, const FWPM_NET_EVENT_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle) FWPM_KERNEL_NAME(NetEventCreateEnumHandle0);
NTSTATUS NTAPI FwpmNetEventEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT0 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum0);
NTSTATUS NTAPI FwpmNetEventEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT1 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum1);
NTSTATUS NTAPI FwpmNetEventEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT2 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum2);
NTSTATUS NTAPI FwpmNetEventEnum3(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT3 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum3);
NTSTATUS NTAPI FwpmNetEventEnum4(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT4 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum4);
NTSTATUS NTAPI FwpmNetEventEnum5(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_NET_EVENT5 ***entries,
                                 UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(NetEventEnum5);
NTSTATUS NTAPI FwpmNetEventDestroyEnumHandle0(HANDLE engineHandle,
                                              HANDLE enumHandle) FWPM_KERNEL_NAME(NetEventDestroyEnumHandle0);
NTSTATUS NTAPI FwpmNetEventsGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                             PSID *sidGroup, PACL *dacl, PACL *sacl,
                                             PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(NetEventsGetSecurityInfo0);
NTSTATUS NTAPI FwpmNetEventsSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                             const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                             const ACL *sacl) FWPM_KERNEL_NAME(NetEventsSetSecurityInfo0);

// --- Connections ---

NTSTATUS NTAPI FwpmConnectionGetById0(HANDLE engineHandle, UINT64 id,
                                      FWPM_CONNECTION0 **connection) FWPM_KERNEL_NAME(ConnectionGetById0);
NTSTATUS NTAPI FwpmConnectionCreateEnumHandle0(HANDLE engineHandle, const FWPM_CONNECTION_ENUM_TEMPLATE0 *enumTemplate,
                                               HANDLE *enumHandle) FWPM_KERNEL_NAME(ConnectionCreateEnumHandle0);
NTSTATUS NTAPI FwpmConnectionEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                   FWPM_CONNECTION0 ***entries,
                                   UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(ConnectionEnum0);
NTSTATUS NTAPI FwpmConnectionDestroyEnumHandle0(HANDLE engineHandle,
                                                HANDLE enumHandle) FWPM_KERNEL_NAME(ConnectionDestroyEnumHandle0);
NTSTATUS NTAPI FwpmConnectionGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                              PSID *sidGroup, PACL *dacl, PACL *sacl,
                                              PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(ConnectionGetSecurityInfo0);
NTSTATUS NTAPI FwpmConnectionSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                              const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                              const ACL *sacl) FWPM_KERNEL_NAME(ConnectionSetSecurityInfo0);

// --- Virtual switches ---

NTSTATUS NTAPI FwpmvSwitchEventsGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                                 PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                                 PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(vSwitchEventsGetSecurityInfo0);
NTSTATUS NTAPI FwpmvSwitchEventsSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                                 const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                                 const ACL *sacl) FWPM_KERNEL_NAME(vSwitchEventsSetSecurityInfo0);

// --- IPsec tunnels ---

#define FWPM_TUNNEL_FLAG_POINT_TO_POINT (0x00000001)
#define FWPM_TUNNEL_FLAG_ENABLE_VIRTUAL_IF_TUNNELING (0x00000002)
#define FWPM_TUNNEL_FLAG_RESERVED0 (0x00000004)
NTSTATUS NTAPI FwpmIPsecTunnelAdd0(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT0 *mainModePolicy,
                                   const FWPM_PROVIDER_CONTEXT0 *tunnelPolicy, UINT32 numFilterConditions,
                                   const FWPM_FILTER_CONDITION0 *filterConditions,
                                   PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(IPsecTunnelAdd0);
NTSTATUS NTAPI FwpmIPsecTunnelAdd1(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT1 *mainModePolicy,
                                   const FWPM_PROVIDER_CONTEXT1 *tunnelPolicy, UINT32 numFilterConditions,
                                   const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                   PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(IPsecTunnelAdd1);
NTSTATUS NTAPI FwpmIPsecTunnelAdd2(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT2 *mainModePolicy,
                                   const FWPM_PROVIDER_CONTEXT2 *tunnelPolicy, UINT32 numFilterConditions,
                                   const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                   PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(IPsecTunnelAdd2);
NTSTATUS NTAPI FwpmIPsecTunnelAdd3(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT3 *mainModePolicy,
                                   const FWPM_PROVIDER_CONTEXT3 *tunnelPolicy, UINT32 numFilterConditions,
                                   const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                   PSECURITY_DESCRIPTOR sd) FWPM_KERNEL_NAME(IPsecTunnelAdd3);
NTSTATUS NTAPI FwpmIPsecTunnelDeleteByKey0(HANDLE engineHandle,
                                           const GUID *key) FWPM_KERNEL_NAME(IPsecTunnelDeleteByKey0);

// --- IPsec security associations ---

NTSTATUS NTAPI IPsecGetStatistics0(HANDLE engineHandle,
                                   IPSEC_STATISTICS0 *ipsecStatistics) FWPM_KERNEL_NAME(IPsecGetStatistics0);
NTSTATUS NTAPI IPsecGetStatistics1(HANDLE engineHandle,
                                   IPSEC_STATISTICS1 *ipsecStatistics) FWPM_KERNEL_NAME(IPsecGetStatistics1);
NTSTATUS NTAPI IPsecSaContextCreate0(HANDLE engineHandle, const IPSEC_TRAFFIC0 *outboundTraffic,
                                     UINT64 *inboundFilterId, UINT64 *id) FWPM_KERNEL_NAME(IPsecSaContextCreate0);
NTSTATUS NTAPI IPsecSaContextCreate1(HANDLE engineHandle, const IPSEC_TRAFFIC1 *outboundTraffic,
                                     const IPSEC_VIRTUAL_IF_TUNNEL_INFO0 *virtualIfTunnelInfo, UINT64 *inboundFilterId,
                                     UINT64 *id) FWPM_KERNEL_NAME(IPsecSaContextCreate1);
NTSTATUS NTAPI IPsecSaContextDeleteById0(HANDLE engineHandle, UINT64 id) FWPM_KERNEL_NAME(IPsecSaContextDeleteById0);
NTSTATUS NTAPI IPsecSaContextGetById0(HANDLE engineHandle, UINT64 id,
                                      IPSEC_SA_CONTEXT0 **saContext) FWPM_KERNEL_NAME(IPsecSaContextGetById0);
NTSTATUS NTAPI IPsecSaContextGetById1(HANDLE engineHandle, UINT64 id,
                                      IPSEC_SA_CONTEXT1 **saContext) FWPM_KERNEL_NAME(IPsecSaContextGetById1);
NTSTATUS NTAPI IPsecSaContextGetSpi0(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI0 *getSpi,
                                     IPSEC_SA_SPI *inboundSpi) FWPM_KERNEL_NAME(IPsecSaContextGetSpi0);
NTSTATUS NTAPI IPsecSaContextGetSpi1(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI1 *getSpi,
                                     IPSEC_SA_SPI *inboundSpi) FWPM_KERNEL_NAME(IPsecSaContextGetSpi1);
NTSTATUS NTAPI IPsecSaContextSetSpi0(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI1 *getSpi,
                                     IPSEC_SA_SPI inboundSpi) FWPM_KERNEL_NAME(IPsecSaContextSetSpi0);
NTSTATUS NTAPI IPsecSaContextAddInbound0(HANDLE engineHandle, UINT64 id,
                                         const IPSEC_SA_BUNDLE0 *inboundBundle)
    FWPM_KERNEL_NAME(IPsecSaContextAddInbound0);
NTSTATUS NTAPI IPsecSaContextAddInbound1(HANDLE engineHandle, UINT64 id,
                                         const IPSEC_SA_BUNDLE1 *inboundBundle)
    FWPM_KERNEL_NAME(IPsecSaContextAddInbound1);
NTSTATUS NTAPI IPsecSaContextAddOutbound0(HANDLE engineHandle, UINT64 id,
                                          const IPSEC_SA_BUNDLE0 *outboundBundle)
    FWPM_KERNEL_NAME(IPsecSaContextAddOutbound0);
NTSTATUS NTAPI IPsecSaContextAddOutbound1(HANDLE engineHandle, UINT64 id,
                                          const IPSEC_SA_BUNDLE1 *outboundBundle)
    FWPM_KERNEL_NAME(IPsecSaContextAddOutbound1);
NTSTATUS NTAPI IPsecSaContextExpire0(HANDLE engineHandle, UINT64 id) FWPM_KERNEL_NAME(IPsecSaContextExpire0);
#define IPSEC_SA_DETAILS_UPDATE_TRAFFIC UINT64_C(0x01)
#define IPSEC_SA_DETAILS_UPDATE_UDP_ENCAPSULATION UINT64_C(0x02)
#define IPSEC_SA_BUNDLE_UPDATE_FLAGS UINT64_C(0x04)
#define IPSEC_SA_BUNDLE_UPDATE_NAP_CONTEXT UINT64_C(0x08)
#define IPSEC_SA_BUNDLE_UPDATE_KEY_MODULE_STATE UINT64_C(0x10)
#define IPSEC_SA_BUNDLE_UPDATE_PEER_V4_PRIVATE_ADDRESS UINT64_C(0x20)
#define IPSEC_SA_BUNDLE_UPDATE_MM_SA_ID UINT64_C(0x40)
NTSTATUS NTAPI IPsecSaContextUpdate0(HANDLE engineHandle, UINT64 flags,
                                     const IPSEC_SA_CONTEXT1 *newValues) FWPM_KERNEL_NAME(IPsecSaContextUpdate0);
NTSTATUS NTAPI IPsecSaContextCreateEnumHandle0(HANDLE engineHandle,
                                               const IPSEC_SA_CONTEXT_ENUM_TEMPLATE0 *enumTemplate,
                                               HANDLE *enumHandle) FWPM_KERNEL_NAME(IPsecSaContextCreateEnumHandle0);
NTSTATUS NTAPI IPsecSaContextEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                   IPSEC_SA_CONTEXT0 ***entries,
                                   UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IPsecSaContextEnum0);
NTSTATUS NTAPI IPsecSaContextEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                   IPSEC_SA_CONTEXT1 ***entries,
                                   UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IPsecSaContextEnum1);
NTSTATUS NTAPI IPsecSaContextDestroyEnumHandle0(HANDLE engineHandle,
                                                HANDLE enumHandle) FWPM_KERNEL_NAME(IPsecSaContextDestroyEnumHandle0);
NTSTATUS NTAPI IPsecSaCreateEnumHandle0(HANDLE engineHandle, const IPSEC_SA_ENUM_TEMPLATE0 *enumTemplate,
                                        HANDLE *enumHandle) FWPM_KERNEL_NAME(IPsecSaCreateEnumHandle0);
NTSTATUS NTAPI IPsecSaEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                            IPSEC_SA_DETAILS0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IPsecSaEnum0);
NTSTATUS NTAPI IPsecSaEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                            IPSEC_SA_DETAILS1 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IPsecSaEnum1);
NTSTATUS NTAPI IPsecSaDestroyEnumHandle0(HANDLE engineHandle,
                                         HANDLE enumHandle) FWPM_KERNEL_NAME(IPsecSaDestroyEnumHandle0);
NTSTATUS NTAPI IPsecSaDbGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                         PSID *sidGroup, PACL *dacl, PACL *sacl,
                                         PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(IPsecSaDbGetSecurityInfo0);
NTSTATUS NTAPI IPsecSaDbSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                         const SID *sidGroup, const ACL *dacl,
                                         const ACL *sacl) FWPM_KERNEL_NAME(IPsecSaDbSetSecurityInfo0);

// --- IPsec denial-of-service protection ---

NTSTATUS NTAPI IPsecDospGetStatistics0(HANDLE engineHandle,
                                       IPSEC_DOSP_STATISTICS0 *idpStatistics) FWPM_KERNEL_NAME(IPsecDospGetStatistics0);
NTSTATUS NTAPI IPsecDospStateCreateEnumHandle0(HANDLE engineHandle,
                                               const IPSEC_DOSP_STATE_ENUM_TEMPLATE0 *enumTemplate,
                                               HANDLE *enumHandle) FWPM_KERNEL_NAME(IPsecDospStateCreateEnumHandle0);
NTSTATUS NTAPI IPsecDospStateEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                   IPSEC_DOSP_STATE0 ***entries,
                                   UINT32 *numEntries) FWPM_KERNEL_NAME(IPsecDospStateEnum0);
NTSTATUS NTAPI IPsecDospStateDestroyEnumHandle0(HANDLE engineHandle,
                                                HANDLE enumHandle) FWPM_KERNEL_NAME(IPsecDospStateDestroyEnumHandle0);
NTSTATUS NTAPI IPsecDospGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                         PSID *sidGroup, PACL *dacl, PACL *sacl,
                                         PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(IPsecDospGetSecurityInfo0);
NTSTATUS NTAPI IPsecDospSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                         const SID *sidGroup, const ACL *dacl,
                                         const ACL *sacl) FWPM_KERNEL_NAME(IPsecDospSetSecurityInfo0);

// --- IKE and AuthIP ---

NTSTATUS NTAPI IkeextGetStatistics0(HANDLE engineHandle,
                                    IKEEXT_STATISTICS0 *ikeextStatistics) FWPM_KERNEL_NAME(IkeextGetStatistics0);
NTSTATUS NTAPI IkeextGetStatistics1(HANDLE engineHandle,
                                    IKEEXT_STATISTICS1 *ikeextStatistics) FWPM_KERNEL_NAME(IkeextGetStatistics1);
NTSTATUS NTAPI IkeextSaDeleteById0(HANDLE engineHandle, UINT64 id) FWPM_KERNEL_NAME(IkeextSaDeleteById0);
NTSTATUS NTAPI IkeextSaGetById0(HANDLE engineHandle, UINT64 id,
                                IKEEXT_SA_DETAILS0 **sa) FWPM_KERNEL_NAME(IkeextSaGetById0);
NTSTATUS NTAPI IkeextSaGetById1(HANDLE engineHandle, UINT64 id, GUID *saLookupContext,
                                IKEEXT_SA_DETAILS1 **sa) FWPM_KERNEL_NAME(IkeextSaGetById1);
NTSTATUS NTAPI IkeextSaGetById2(HANDLE engineHandle, UINT64 id, GUID *saLookupContext,
                                IKEEXT_SA_DETAILS2 **sa) FWPM_KERNEL_NAME(IkeextSaGetById2);
NTSTATUS NTAPI IkeextSaCreateEnumHandle0(HANDLE engineHandle, const IKEEXT_SA_ENUM_TEMPLATE0 *enumTemplate,
                                         HANDLE *enumHandle) FWPM_KERNEL_NAME(IkeextSaCreateEnumHandle0);
NTSTATUS NTAPI IkeextSaEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                             IKEEXT_SA_DETAILS0 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IkeextSaEnum0);
NTSTATUS NTAPI IkeextSaEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                             IKEEXT_SA_DETAILS1 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IkeextSaEnum1);
NTSTATUS NTAPI IkeextSaEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                             IKEEXT_SA_DETAILS2 ***entries, UINT32 *numEntriesReturned) FWPM_KERNEL_NAME(IkeextSaEnum2);
NTSTATUS NTAPI IkeextSaDestroyEnumHandle0(HANDLE engineHandle,
                                          HANDLE enumHandle) FWPM_KERNEL_NAME(IkeextSaDestroyEnumHandle0);
NTSTATUS NTAPI IkeextSaDbGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                          PSID *sidGroup, PACL *dacl, PACL *sacl,
                                          PSECURITY_DESCRIPTOR *securityDescriptor)
    FWPM_KERNEL_NAME(IkeextSaDbGetSecurityInfo0);
NTSTATUS NTAPI IkeextSaDbSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                          const SID *sidGroup, const ACL *dacl,
                                          const ACL *sacl) FWPM_KERNEL_NAME(IkeextSaDbSetSecurityInfo0);

#ifdef __ELF__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
#endif

#include "fwpmguids.h"
