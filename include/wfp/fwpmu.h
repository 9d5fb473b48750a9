// Management of the filter engine from user mode. Functions return ERROR_SUCCESS, an FWP_E_* or a Win32 error.
//
// Functions without a digit (FwpmFilterAdd) are macros that fwpvi.h maps by NTDDI_VERSION. The kernel-mode functions of
// the same names are in fwpmk.h; a source file can use one of the two. GUID_DEFS_ONLY leaves only the GUIDs.

#ifndef GUID_DEFS_ONLY
#ifndef WFP_FWPMU_H
#define WFP_FWPMU_H

#ifdef WFP_FWPMK_H
#error "fwpmu.h (user mode) and fwpmk.h (kernel mode) declare the same names: a source file can use one of them"
#endif

#ifndef _WIN32
#include "windows.h"
#endif

#include "fwpmtypes.h"
#include "fwpvi.h"

#include "fwpmconstants.h"
#include "rpcdce.h"
#include "winerror.h"

struct _SEC_WINNT_AUTH_IDENTITY_W;

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif

// --- Memory: what the library returned; *p becomes NULL. An enumeration's array is one allocation. ---

void WINAPI FwpmFreeMemory0(void **p);

// --- Engine ---

DWORD WINAPI FwpmEngineOpen0(const WCHAR *serverName, UINT32 authnService,
                             struct _SEC_WINNT_AUTH_IDENTITY_W *authIdentity, const FWPM_SESSION0 *session,
                             HANDLE *engineHandle);
DWORD WINAPI FwpmEngineClose0(HANDLE engineHandle);
DWORD WINAPI FwpmEngineGetOption0(HANDLE engineHandle, FWPM_ENGINE_OPTION option, FWP_VALUE0 **value);
DWORD WINAPI FwpmEngineSetOption0(HANDLE engineHandle, FWPM_ENGINE_OPTION option, const FWP_VALUE0 *newValue);
DWORD WINAPI FwpmEngineGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                        PSID *sidGroup, PACL *dacl, PACL *sacl,
                                        PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmEngineSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                        const SID *sidGroup, const ACL *dacl, const ACL *sacl);
DWORD WINAPI FwpmSessionCreateEnumHandle0(HANDLE engineHandle, const FWPM_SESSION_ENUM_TEMPLATE0 *enumTemplate,
                                          HANDLE *enumHandle);
DWORD WINAPI FwpmSessionEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                              FWPM_SESSION0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmSessionDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);

// --- Transactions ---

#define FWPM_TXN_READ_ONLY (0x00000001)
DWORD WINAPI FwpmTransactionBegin0(HANDLE engineHandle, UINT32 flags);
DWORD WINAPI FwpmTransactionCommit0(HANDLE engineHandle);
DWORD WINAPI FwpmTransactionAbort0(HANDLE engineHandle);

// --- Providers ---

DWORD WINAPI FwpmProviderAdd0(HANDLE engineHandle, const FWPM_PROVIDER0 *provider, PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmProviderDeleteByKey0(HANDLE engineHandle, const GUID *key);
DWORD WINAPI FwpmProviderGetByKey0(HANDLE engineHandle, const GUID *key, FWPM_PROVIDER0 **provider);
DWORD WINAPI FwpmProviderCreateEnumHandle0(HANDLE engineHandle, const FWPM_PROVIDER_ENUM_TEMPLATE0 *enumTemplate,
                                           HANDLE *enumHandle);
DWORD WINAPI FwpmProviderEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_PROVIDER0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmProviderDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmProviderGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                               PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmProviderSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                               const ACL *sacl);
typedef void(CALLBACK *FWPM_PROVIDER_CHANGE_CALLBACK0)(void *context, const FWPM_PROVIDER_CHANGE0 *change);
DWORD WINAPI FwpmProviderSubscribeChanges0(HANDLE engineHandle, const FWPM_PROVIDER_SUBSCRIPTION0 *subscription,
                                           FWPM_PROVIDER_CHANGE_CALLBACK0 callback, void *context,
                                           HANDLE *changeHandle);
DWORD WINAPI FwpmProviderUnsubscribeChanges0(HANDLE engineHandle, HANDLE changeHandle);
DWORD WINAPI FwpmProviderSubscriptionsGet0(HANDLE engineHandle, FWPM_PROVIDER_SUBSCRIPTION0 ***entries,
                                           UINT32 *numEntries);

// --- Provider contexts ---

DWORD WINAPI FwpmProviderContextAdd0(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT0 *providerContext,
                                     PSECURITY_DESCRIPTOR sd, UINT64 *id);
DWORD WINAPI FwpmProviderContextAdd1(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT1 *providerContext,
                                     PSECURITY_DESCRIPTOR sd, UINT64 *id);
DWORD WINAPI FwpmProviderContextAdd2(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT2 *providerContext,
                                     PSECURITY_DESCRIPTOR sd, UINT64 *id);
DWORD WINAPI FwpmProviderContextAdd3(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT3 *providerContext,
                                     PSECURITY_DESCRIPTOR sd, UINT64 *id);
DWORD WINAPI FwpmProviderContextDeleteById0(HANDLE engineHandle, UINT64 id);
DWORD WINAPI FwpmProviderContextDeleteByKey0(HANDLE engineHandle, const GUID *key);
DWORD WINAPI FwpmProviderContextGetById0(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT0 **providerContext);
DWORD WINAPI FwpmProviderContextGetById1(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT1 **providerContext);
DWORD WINAPI FwpmProviderContextGetById2(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT2 **providerContext);
DWORD WINAPI FwpmProviderContextGetById3(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT3 **providerContext);
DWORD WINAPI FwpmProviderContextGetByKey0(HANDLE engineHandle, const GUID *key,
                                          FWPM_PROVIDER_CONTEXT0 **providerContext);
DWORD WINAPI FwpmProviderContextGetByKey1(HANDLE engineHandle, const GUID *key,
                                          FWPM_PROVIDER_CONTEXT1 **providerContext);
DWORD WINAPI FwpmProviderContextGetByKey2(HANDLE engineHandle, const GUID *key,
                                          FWPM_PROVIDER_CONTEXT2 **providerContext);
DWORD WINAPI FwpmProviderContextGetByKey3(HANDLE engineHandle, const GUID *key,
                                          FWPM_PROVIDER_CONTEXT3 **providerContext);
DWORD WINAPI FwpmProviderContextCreateEnumHandle0(HANDLE engineHandle,
                                                  const FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 *enumTemplate,
                                                  HANDLE *enumHandle);
DWORD WINAPI FwpmProviderContextEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                      FWPM_PROVIDER_CONTEXT0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmProviderContextEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                      FWPM_PROVIDER_CONTEXT1 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmProviderContextEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                      FWPM_PROVIDER_CONTEXT2 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmProviderContextEnum3(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                      FWPM_PROVIDER_CONTEXT3 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmProviderContextDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmProviderContextGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                      SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                                      PSID *sidGroup, PACL *dacl, PACL *sacl,
                                                      PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmProviderContextSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key,
                                                      SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                      const SID *sidGroup, const ACL *dacl, const ACL *sacl);
typedef void(CALLBACK *FWPM_PROVIDER_CONTEXT_CHANGE_CALLBACK0)(void *context,
                                                               const FWPM_PROVIDER_CONTEXT_CHANGE0 *change);
DWORD WINAPI FwpmProviderContextSubscribeChanges0(HANDLE engineHandle,
                                                  const FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0 *subscription,
                                                  FWPM_PROVIDER_CONTEXT_CHANGE_CALLBACK0 callback, void *context,
                                                  HANDLE *changeHandle);
DWORD WINAPI FwpmProviderContextUnsubscribeChanges0(HANDLE engineHandle, HANDLE changeHandle);
DWORD WINAPI FwpmProviderContextSubscriptionsGet0(HANDLE engineHandle, FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0 ***entries,
                                                  UINT32 *numEntries);

// --- Sublayers ---

DWORD WINAPI FwpmSubLayerAdd0(HANDLE engineHandle, const FWPM_SUBLAYER0 *subLayer, PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmSubLayerDeleteByKey0(HANDLE engineHandle, const GUID *key);
DWORD WINAPI FwpmSubLayerGetByKey0(HANDLE engineHandle, const GUID *key, FWPM_SUBLAYER0 **subLayer);
DWORD WINAPI FwpmSubLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_SUBLAYER_ENUM_TEMPLATE0 *enumTemplate,
                                           HANDLE *enumHandle);
DWORD WINAPI FwpmSubLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_SUBLAYER0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmSubLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmSubLayerGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                               PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmSubLayerSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                               const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                               const ACL *sacl);
typedef void(CALLBACK *FWPM_SUBLAYER_CHANGE_CALLBACK0)(void *context, const FWPM_SUBLAYER_CHANGE0 *change);
DWORD WINAPI FwpmSubLayerSubscribeChanges0(HANDLE engineHandle, const FWPM_SUBLAYER_SUBSCRIPTION0 *subscription,
                                           FWPM_SUBLAYER_CHANGE_CALLBACK0 callback, void *context,
                                           HANDLE *changeHandle);
DWORD WINAPI FwpmSubLayerUnsubscribeChanges0(HANDLE engineHandle, HANDLE changeHandle);
DWORD WINAPI FwpmSubLayerSubscriptionsGet0(HANDLE engineHandle, FWPM_SUBLAYER_SUBSCRIPTION0 ***entries,
                                           UINT32 *numEntries);

// --- Layers ---

DWORD WINAPI FwpmLayerGetById0(HANDLE engineHandle, UINT16 id, FWPM_LAYER0 **layer);
DWORD WINAPI FwpmLayerGetByKey0(HANDLE engineHandle, const GUID *key, FWPM_LAYER0 **layer);
DWORD WINAPI FwpmLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_LAYER_ENUM_TEMPLATE0 *enumTemplate,
                                        HANDLE *enumHandle);
DWORD WINAPI FwpmLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested, FWPM_LAYER0 ***entries,
                            UINT32 *numEntriesReturned);
DWORD WINAPI FwpmLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmLayerGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                            PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                            PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmLayerSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                            const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                            const ACL *sacl);

// --- Callouts ---

DWORD WINAPI FwpmCalloutAdd0(HANDLE engineHandle, const FWPM_CALLOUT0 *callout, PSECURITY_DESCRIPTOR sd, UINT32 *id);
DWORD WINAPI FwpmCalloutDeleteById0(HANDLE engineHandle, UINT32 id);
DWORD WINAPI FwpmCalloutDeleteByKey0(HANDLE engineHandle, const GUID *key);
DWORD WINAPI FwpmCalloutGetById0(HANDLE engineHandle, UINT32 id, FWPM_CALLOUT0 **callout);
DWORD WINAPI FwpmCalloutGetByKey0(HANDLE engineHandle, const GUID *key, FWPM_CALLOUT0 **callout);
DWORD WINAPI FwpmCalloutCreateEnumHandle0(HANDLE engineHandle, const FWPM_CALLOUT_ENUM_TEMPLATE0 *enumTemplate,
                                          HANDLE *enumHandle);
DWORD WINAPI FwpmCalloutEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                              FWPM_CALLOUT0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmCalloutDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmCalloutGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                              PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                              PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmCalloutSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                              const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                              const ACL *sacl);
typedef void(CALLBACK *FWPM_CALLOUT_CHANGE_CALLBACK0)(void *context, const FWPM_CALLOUT_CHANGE0 *change);
DWORD WINAPI FwpmCalloutSubscribeChanges0(HANDLE engineHandle, const FWPM_CALLOUT_SUBSCRIPTION0 *subscription,
                                          FWPM_CALLOUT_CHANGE_CALLBACK0 callback, void *context, HANDLE *changeHandle);
DWORD WINAPI FwpmCalloutUnsubscribeChanges0(HANDLE engineHandle, HANDLE changeHandle);
DWORD WINAPI FwpmCalloutSubscriptionsGet0(HANDLE engineHandle, FWPM_CALLOUT_SUBSCRIPTION0 ***entries,
                                          UINT32 *numEntries);

// --- Filters ---

DWORD WINAPI FwpmFilterAdd0(HANDLE engineHandle, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR sd, UINT64 *id);
DWORD WINAPI FwpmFilterDeleteById0(HANDLE engineHandle, UINT64 id);
DWORD WINAPI FwpmFilterDeleteByKey0(HANDLE engineHandle, const GUID *key);
DWORD WINAPI FwpmFilterGetById0(HANDLE engineHandle, UINT64 id, FWPM_FILTER0 **filter);
DWORD WINAPI FwpmFilterGetByKey0(HANDLE engineHandle, const GUID *key, FWPM_FILTER0 **filter);
DWORD WINAPI FwpmFilterCreateEnumHandle0(HANDLE engineHandle, const FWPM_FILTER_ENUM_TEMPLATE0 *enumTemplate,
                                         HANDLE *enumHandle);
DWORD WINAPI FwpmFilterEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                             FWPM_FILTER0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmFilterDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmFilterGetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                             PSID *sidOwner, PSID *sidGroup, PACL *dacl, PACL *sacl,
                                             PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmFilterSetSecurityInfoByKey0(HANDLE engineHandle, const GUID *key, SECURITY_INFORMATION securityInfo,
                                             const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                             const ACL *sacl);
typedef void(CALLBACK *FWPM_FILTER_CHANGE_CALLBACK0)(void *context, const FWPM_FILTER_CHANGE0 *change);
DWORD WINAPI FwpmFilterSubscribeChanges0(HANDLE engineHandle, const FWPM_FILTER_SUBSCRIPTION0 *subscription,
                                         FWPM_FILTER_CHANGE_CALLBACK0 callback, void *context, HANDLE *changeHandle);
DWORD WINAPI FwpmFilterUnsubscribeChanges0(HANDLE engineHandle, HANDLE changeHandle);
DWORD WINAPI FwpmFilterSubscriptionsGet0(HANDLE engineHandle, FWPM_FILTER_SUBSCRIPTION0 ***entries,
                                         UINT32 *numEntries);
// The application id of an executable that exists: what FWPM_CONDITION_ALE_APP_ID is compared with. No engine handle.
DWORD WINAPI FwpmGetAppIdFromFileName0(PCWSTR fileName, FWP_BYTE_BLOB **appId);

// --- Net events ---

DWORD WINAPI FwpmNetEventCreateEnumHandle0(HANDLE engineHandle, const FWPM_NET_EVENT_ENUM_TEMPLATE0 *enumTemplate,
                                           HANDLE *enumHandle);
DWORD WINAPI FwpmNetEventEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT1 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT2 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventEnum3(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT3 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventEnum4(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT4 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventEnum5(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_NET_EVENT5 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmNetEventDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmNetEventsGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                           PSID *sidGroup, PACL *dacl, PACL *sacl,
                                           PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmNetEventsSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                           const SID *sidGroup, const ACL *dacl, const ACL *sacl);
typedef void(CALLBACK *FWPM_NET_EVENT_CALLBACK0)(void *context, const FWPM_NET_EVENT1 *event);
typedef void(CALLBACK *FWPM_NET_EVENT_CALLBACK1)(void *context, const FWPM_NET_EVENT2 *event);
typedef void(CALLBACK *FWPM_NET_EVENT_CALLBACK2)(void *context, const FWPM_NET_EVENT3 *event);
typedef void(CALLBACK *FWPM_NET_EVENT_CALLBACK3)(void *context, const FWPM_NET_EVENT4 *event);
typedef void(CALLBACK *FWPM_NET_EVENT_CALLBACK4)(void *context, const FWPM_NET_EVENT5 *event);
DWORD WINAPI FwpmNetEventSubscribe0(HANDLE engineHandle, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,
                                    FWPM_NET_EVENT_CALLBACK0 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmNetEventSubscribe1(HANDLE engineHandle, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,
                                    FWPM_NET_EVENT_CALLBACK1 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmNetEventSubscribe2(HANDLE engineHandle, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,
                                    FWPM_NET_EVENT_CALLBACK2 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmNetEventSubscribe3(HANDLE engineHandle, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,
                                    FWPM_NET_EVENT_CALLBACK3 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmNetEventSubscribe4(HANDLE engineHandle, const FWPM_NET_EVENT_SUBSCRIPTION0 *subscription,
                                    FWPM_NET_EVENT_CALLBACK4 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmNetEventUnsubscribe0(HANDLE engineHandle, HANDLE eventsHandle);
DWORD WINAPI FwpmNetEventSubscriptionsGet0(HANDLE engineHandle, FWPM_NET_EVENT_SUBSCRIPTION0 ***entries,
                                           UINT32 *numEntries);

// --- Connections ---

DWORD WINAPI FwpmConnectionGetById0(HANDLE engineHandle, UINT64 id, FWPM_CONNECTION0 **connection);
DWORD WINAPI FwpmConnectionCreateEnumHandle0(HANDLE engineHandle, const FWPM_CONNECTION_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle);
DWORD WINAPI FwpmConnectionEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_CONNECTION0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI FwpmConnectionDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI FwpmConnectionGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                            PSID *sidGroup, PACL *dacl, PACL *sacl,
                                            PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmConnectionSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                            const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                            const ACL *sacl);
typedef void(CALLBACK *FWPM_CONNECTION_CALLBACK0)(void *context, FWPM_CONNECTION_EVENT_TYPE eventType,
                                                  const FWPM_CONNECTION0 *connection);
DWORD WINAPI FwpmConnectionSubscribe0(HANDLE engineHandle, const FWPM_CONNECTION_SUBSCRIPTION0 *subscription,
                                      FWPM_CONNECTION_CALLBACK0 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI FwpmConnectionUnsubscribe0(HANDLE engineHandle, HANDLE eventsHandle);
DWORD WINAPI FwpmConnectionSubscriptionsGet0(HANDLE engineHandle, FWPM_CONNECTION_SUBSCRIPTION0 ***entries,
                                             UINT32 *numEntries);
DWORD WINAPI FwpmConnectionPolicyAdd0(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT3 *connectionPolicy,
                                      FWP_IP_VERSION ipVersion, UINT64 weight, UINT32 numFilterConditions,
                                      const FWPM_FILTER_CONDITION0 *filterConditions, PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmConnectionPolicyDeleteByKey0(HANDLE engineHandle, const GUID *key);

// --- Virtual switches ---

typedef DWORD(CALLBACK *FWPM_VSWITCH_EVENT_CALLBACK0)(void *context, const FWPM_VSWITCH_EVENT0 *vSwitchEvent);
DWORD WINAPI FwpmvSwitchEventSubscribe0(HANDLE engineHandle, const FWPM_VSWITCH_EVENT_SUBSCRIPTION0 *subscription,
                                        FWPM_VSWITCH_EVENT_CALLBACK0 callback, void *context,
                                        HANDLE *subscriptionHandle);
DWORD WINAPI FwpmvSwitchEventUnsubscribe0(HANDLE engineHandle, HANDLE subscriptionHandle);
DWORD WINAPI FwpmvSwitchEventsGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                               PSID *sidGroup, PACL *dacl, PACL *sacl,
                                               PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI FwpmvSwitchEventsSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo,
                                               const SID *sidOwner, const SID *sidGroup, const ACL *dacl,
                                               const ACL *sacl);

// --- System ports and dynamic keywords ---

typedef void(CALLBACK *FWPM_SYSTEM_PORTS_CALLBACK0)(void *context, const FWPM_SYSTEM_PORTS0 *sysPorts);
DWORD WINAPI FwpmSystemPortsGet0(HANDLE engineHandle, FWPM_SYSTEM_PORTS0 **sysPorts);
DWORD WINAPI FwpmSystemPortsSubscribe0(HANDLE engineHandle, void *reserved, FWPM_SYSTEM_PORTS_CALLBACK0 callback,
                                       void *context, HANDLE *sysPortsHandle);
DWORD WINAPI FwpmSystemPortsUnsubscribe0(HANDLE engineHandle, HANDLE sysPortsHandle);
#define FWPM_NOTIFY_ADDRESSES_AUTO_RESOLVE UINT64_C(0x01)
#define FWPM_NOTIFY_ADDRESSES_NON_AUTO_RESOLVE UINT64_C(0x02)
#define FWPM_NOTIFY_ADDRESSES_ALL (FWPM_NOTIFY_ADDRESSES_AUTO_RESOLVE | FWPM_NOTIFY_ADDRESSES_NON_AUTO_RESOLVE)
#define FWPM_NOTIFY_GRANULAR UINT64_C(0x04)
typedef void(CALLBACK *FWPM_DYNAMIC_KEYWORD_CALLBACK0)(void *notification, void *context);
DWORD WINAPI FwpmDynamicKeywordSubscribe0(DWORD flags, FWPM_DYNAMIC_KEYWORD_CALLBACK0 callback, void *context,
                                          HANDLE *subscriptionHandle);
DWORD WINAPI FwpmDynamicKeywordUnsubscribe0(HANDLE subscriptionHandle);

// --- IPsec tunnels ---

#define FWPM_TUNNEL_FLAG_POINT_TO_POINT (0x00000001)
#define FWPM_TUNNEL_FLAG_ENABLE_VIRTUAL_IF_TUNNELING (0x00000002)
#define FWPM_TUNNEL_FLAG_RESERVED0 (0x00000004)
DWORD WINAPI FwpmIPsecTunnelAdd0(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT0 *mainModePolicy,
                                 const FWPM_PROVIDER_CONTEXT0 *tunnelPolicy, UINT32 numFilterConditions,
                                 const FWPM_FILTER_CONDITION0 *filterConditions, PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmIPsecTunnelAdd1(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT1 *mainModePolicy,
                                 const FWPM_PROVIDER_CONTEXT1 *tunnelPolicy, UINT32 numFilterConditions,
                                 const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                 PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmIPsecTunnelAdd2(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT2 *mainModePolicy,
                                 const FWPM_PROVIDER_CONTEXT2 *tunnelPolicy, UINT32 numFilterConditions,
                                 const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                 PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmIPsecTunnelAdd3(HANDLE engineHandle, UINT32 flags, const FWPM_PROVIDER_CONTEXT3 *mainModePolicy,
                                 const FWPM_PROVIDER_CONTEXT3 *tunnelPolicy, UINT32 numFilterConditions,
                                 const FWPM_FILTER_CONDITION0 *filterConditions, const GUID *keyModKey,
                                 PSECURITY_DESCRIPTOR sd);
DWORD WINAPI FwpmIPsecTunnelDeleteByKey0(HANDLE engineHandle, const GUID *key);

// --- IPsec security associations ---

DWORD WINAPI IPsecGetStatistics0(HANDLE engineHandle, IPSEC_STATISTICS0 *ipsecStatistics);
DWORD WINAPI IPsecGetStatistics1(HANDLE engineHandle, IPSEC_STATISTICS1 *ipsecStatistics);
DWORD WINAPI IPsecSaContextCreate0(HANDLE engineHandle, const IPSEC_TRAFFIC0 *outboundTraffic, UINT64 *inboundFilterId,
                                   UINT64 *id);
DWORD WINAPI IPsecSaContextCreate1(HANDLE engineHandle, const IPSEC_TRAFFIC1 *outboundTraffic,
                                   const IPSEC_VIRTUAL_IF_TUNNEL_INFO0 *virtualIfTunnelInfo, UINT64 *inboundFilterId,
                                   UINT64 *id);
DWORD WINAPI IPsecSaContextDeleteById0(HANDLE engineHandle, UINT64 id);
DWORD WINAPI IPsecSaContextGetById0(HANDLE engineHandle, UINT64 id, IPSEC_SA_CONTEXT0 **saContext);
DWORD WINAPI IPsecSaContextGetById1(HANDLE engineHandle, UINT64 id, IPSEC_SA_CONTEXT1 **saContext);
DWORD WINAPI IPsecSaContextGetSpi0(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI0 *getSpi,
                                   IPSEC_SA_SPI *inboundSpi);
DWORD WINAPI IPsecSaContextGetSpi1(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI1 *getSpi,
                                   IPSEC_SA_SPI *inboundSpi);
DWORD WINAPI IPsecSaContextSetSpi0(HANDLE engineHandle, UINT64 id, const IPSEC_GETSPI1 *getSpi,
                                   IPSEC_SA_SPI inboundSpi);
DWORD WINAPI IPsecSaContextAddInbound0(HANDLE engineHandle, UINT64 id, const IPSEC_SA_BUNDLE0 *inboundBundle);
DWORD WINAPI IPsecSaContextAddInbound1(HANDLE engineHandle, UINT64 id, const IPSEC_SA_BUNDLE1 *inboundBundle);
DWORD WINAPI IPsecSaContextAddOutbound0(HANDLE engineHandle, UINT64 id, const IPSEC_SA_BUNDLE0 *outboundBundle);
DWORD WINAPI IPsecSaContextAddOutbound1(HANDLE engineHandle, UINT64 id, const IPSEC_SA_BUNDLE1 *outboundBundle);
DWORD WINAPI IPsecSaContextExpire0(HANDLE engineHandle, UINT64 id);
#define IPSEC_SA_DETAILS_UPDATE_TRAFFIC UINT64_C(0x01)
#define IPSEC_SA_DETAILS_UPDATE_UDP_ENCAPSULATION UINT64_C(0x02)
#define IPSEC_SA_BUNDLE_UPDATE_FLAGS UINT64_C(0x04)
#define IPSEC_SA_BUNDLE_UPDATE_NAP_CONTEXT UINT64_C(0x08)
#define IPSEC_SA_BUNDLE_UPDATE_KEY_MODULE_STATE UINT64_C(0x10)
#define IPSEC_SA_BUNDLE_UPDATE_PEER_V4_PRIVATE_ADDRESS UINT64_C(0x20)
#define IPSEC_SA_BUNDLE_UPDATE_MM_SA_ID UINT64_C(0x40)
DWORD WINAPI IPsecSaContextUpdate0(HANDLE engineHandle, UINT64 flags, const IPSEC_SA_CONTEXT1 *newValues);
DWORD WINAPI IPsecSaContextCreateEnumHandle0(HANDLE engineHandle, const IPSEC_SA_CONTEXT_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle);
DWORD WINAPI IPsecSaContextEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 IPSEC_SA_CONTEXT0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IPsecSaContextEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 IPSEC_SA_CONTEXT1 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IPsecSaContextDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
typedef void(CALLBACK *IPSEC_SA_CONTEXT_CALLBACK0)(void *context, const IPSEC_SA_CONTEXT_CHANGE0 *change);
DWORD WINAPI IPsecSaContextSubscribe0(HANDLE engineHandle, const IPSEC_SA_CONTEXT_SUBSCRIPTION0 *subscription,
                                      IPSEC_SA_CONTEXT_CALLBACK0 callback, void *context, HANDLE *eventsHandle);
DWORD WINAPI IPsecSaContextUnsubscribe0(HANDLE engineHandle, HANDLE eventsHandle);
DWORD WINAPI IPsecSaContextSubscriptionsGet0(HANDLE engineHandle, IPSEC_SA_CONTEXT_SUBSCRIPTION0 ***entries,
                                             UINT32 *numEntries);
DWORD WINAPI IPsecSaCreateEnumHandle0(HANDLE engineHandle, const IPSEC_SA_ENUM_TEMPLATE0 *enumTemplate,
                                      HANDLE *enumHandle);
DWORD WINAPI IPsecSaEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                          IPSEC_SA_DETAILS0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IPsecSaEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                          IPSEC_SA_DETAILS1 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IPsecSaDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI IPsecSaDbGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                       PSID *sidGroup, PACL *dacl, PACL *sacl,
                                       PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI IPsecSaDbSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                       const SID *sidGroup, const ACL *dacl, const ACL *sacl);

// --- IPsec denial-of-service protection ---

DWORD WINAPI IPsecDospGetStatistics0(HANDLE engineHandle, IPSEC_DOSP_STATISTICS0 *idpStatistics);
DWORD WINAPI IPsecDospStateCreateEnumHandle0(HANDLE engineHandle, const IPSEC_DOSP_STATE_ENUM_TEMPLATE0 *enumTemplate,
                                             HANDLE *enumHandle);
DWORD WINAPI IPsecDospStateEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 IPSEC_DOSP_STATE0 ***entries, UINT32 *numEntries);
DWORD WINAPI IPsecDospStateDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI IPsecDospGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                       PSID *sidGroup, PACL *dacl, PACL *sacl,
                                       PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI IPsecDospSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                       const SID *sidGroup, const ACL *dacl, const ACL *sacl);

// --- IPsec key managers ---

typedef void(CALLBACK *IPSEC_KEY_MANAGER_KEY_DICTATION_CHECK0)(const IKEEXT_TRAFFIC0 *ikeTraffic,
                                                               BOOL *willDictateKey, UINT32 *weight);
typedef DWORD(CALLBACK *IPSEC_KEY_MANAGER_DICTATE_KEY0)(IPSEC_SA_DETAILS1 *inboundSaDetails,
                                                        IPSEC_SA_DETAILS1 *outboundSaDetails, BOOL *keyingModuleGenKey);
typedef void(CALLBACK *IPSEC_KEY_MANAGER_NOTIFY_KEY0)(const IPSEC_SA_DETAILS1 *inboundSa,
                                                      const IPSEC_SA_DETAILS1 *outboundSa);

typedef struct _IPSEC_KEY_MANAGER_CALLBACKS0 {
    GUID reserved;
    UINT32 flags;
    IPSEC_KEY_MANAGER_KEY_DICTATION_CHECK0 keyDictationCheck;
    IPSEC_KEY_MANAGER_DICTATE_KEY0 keyDictation;
    IPSEC_KEY_MANAGER_NOTIFY_KEY0 keyNotify;
} IPSEC_KEY_MANAGER_CALLBACKS0;

DWORD WINAPI IPsecKeyManagerAddAndRegister0(HANDLE engineHandle, const IPSEC_KEY_MANAGER0 *keyManager,
                                            const IPSEC_KEY_MANAGER_CALLBACKS0 *keyManagerCallbacks,
                                            HANDLE *keyMgmtHandle);
DWORD WINAPI IPsecKeyManagerUnregisterAndDelete0(HANDLE engineHandle, HANDLE keyMgmtHandle);
DWORD WINAPI IPsecKeyManagersGet0(HANDLE engineHandle, IPSEC_KEY_MANAGER0 ***entries, UINT32 *numEntries);
DWORD WINAPI IPsecKeyManagerGetSecurityInfoByKey0(HANDLE engineHandle, const void *reserved,
                                                  SECURITY_INFORMATION securityInfo, PSID *sidOwner, PSID *sidGroup,
                                                  PACL *dacl, PACL *sacl, PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI IPsecKeyManagerSetSecurityInfoByKey0(HANDLE engineHandle, const void *reserved,
                                                  SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                                  const SID *sidGroup, const ACL *dacl, const ACL *sacl);

// --- IKE and AuthIP ---

DWORD WINAPI IkeextGetStatistics0(HANDLE engineHandle, IKEEXT_STATISTICS0 *ikeextStatistics);
DWORD WINAPI IkeextGetStatistics1(HANDLE engineHandle, IKEEXT_STATISTICS1 *ikeextStatistics);
DWORD WINAPI IkeextSaDeleteById0(HANDLE engineHandle, UINT64 id);
DWORD WINAPI IkeextSaGetById0(HANDLE engineHandle, UINT64 id, IKEEXT_SA_DETAILS0 **sa);
DWORD WINAPI IkeextSaGetById1(HANDLE engineHandle, UINT64 id, GUID *saLookupContext, IKEEXT_SA_DETAILS1 **sa);
DWORD WINAPI IkeextSaGetById2(HANDLE engineHandle, UINT64 id, GUID *saLookupContext, IKEEXT_SA_DETAILS2 **sa);
DWORD WINAPI IkeextSaCreateEnumHandle0(HANDLE engineHandle, const IKEEXT_SA_ENUM_TEMPLATE0 *enumTemplate,
                                       HANDLE *enumHandle);
DWORD WINAPI IkeextSaEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                           IKEEXT_SA_DETAILS0 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IkeextSaEnum1(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                           IKEEXT_SA_DETAILS1 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IkeextSaEnum2(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                           IKEEXT_SA_DETAILS2 ***entries, UINT32 *numEntriesReturned);
DWORD WINAPI IkeextSaDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);
DWORD WINAPI IkeextSaDbGetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, PSID *sidOwner,
                                        PSID *sidGroup, PACL *dacl, PACL *sacl,
                                        PSECURITY_DESCRIPTOR *securityDescriptor);
DWORD WINAPI IkeextSaDbSetSecurityInfo0(HANDLE engineHandle, SECURITY_INFORMATION securityInfo, const SID *sidOwner,
                                        const SID *sidGroup, const ACL *dacl, const ACL *sacl);

#ifdef __ELF__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
#endif

#include "fwpmguids.h"
