// Functions of the management API for which there is nothing behind: they say so, and nothing else.
//
// docs/api-support.md says why. The functions are aliases of one for each answer, which looks at no parameter. Handles
// are not checked either: the answer is true for any.
#include <stdint.h>

#include "ntdef.h"

#include "minwindef.h"
#include "ntstatus.h"
#include "winerror.h"

#define ALIAS(result, name, function) result name(void) __attribute__((alias(function), visibility("default")))
#define NOT_IMPLEMENTED(name) ALIAS(DWORD, name, "not_implemented")
#define NOT_IMPLEMENTED_IN_KERNEL(name) ALIAS(NTSTATUS, name, "not_implemented_in_kernel")
#define IKE_NOT_RUNNING(name) ALIAS(DWORD, name, "ike_not_running")
#define IKE_NOT_RUNNING_IN_KERNEL(name) ALIAS(NTSTATUS, name, "ike_not_running_in_kernel")
#define CONNECTIONS_DISABLED(name) ALIAS(DWORD, name, "connections_disabled")
#define CONNECTIONS_DISABLED_IN_KERNEL(name) ALIAS(NTSTATUS, name, "connections_disabled_in_kernel")

static __attribute__((used)) DWORD not_implemented(void)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

static __attribute__((used)) NTSTATUS not_implemented_in_kernel(void)
{
    return STATUS_NOT_SUPPORTED;
}

static __attribute__((used)) DWORD ike_not_running(void)
{
    return FWP_E_IKEEXT_NOT_RUNNING;
}

static __attribute__((used)) NTSTATUS ike_not_running_in_kernel(void)
{
    return STATUS_FWP_IKEEXT_NOT_RUNNING;
}

static __attribute__((used)) DWORD connections_disabled(void)
{
    return FWP_E_CONNECTIONS_DISABLED;
}

static __attribute__((used)) NTSTATUS connections_disabled_in_kernel(void)
{
    return STATUS_FWP_CONNECTIONS_DISABLED;
}

// IPsec, virtual switches, system ports, dynamic keywords, tokens: not part of a Linux machine, or not yet here.

NOT_IMPLEMENTED(FwpmCalloutSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmConnectionGetSecurityInfo0);
NOT_IMPLEMENTED(FwpmConnectionPolicyAdd0);
NOT_IMPLEMENTED(FwpmConnectionPolicyDeleteByKey0);
NOT_IMPLEMENTED(FwpmConnectionSetSecurityInfo0);
NOT_IMPLEMENTED(FwpmDynamicKeywordSubscribe0);
NOT_IMPLEMENTED(FwpmDynamicKeywordUnsubscribe0);
NOT_IMPLEMENTED(FwpmFilterSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmIPsecTunnelAdd0);
NOT_IMPLEMENTED(FwpmIPsecTunnelAdd1);
NOT_IMPLEMENTED(FwpmIPsecTunnelAdd2);
NOT_IMPLEMENTED(FwpmIPsecTunnelAdd3);
NOT_IMPLEMENTED(FwpmIPsecTunnelDeleteByKey0);
NOT_IMPLEMENTED(FwpmNetEventSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmProviderContextSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmProviderSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmSubLayerSubscriptionsGet0);
NOT_IMPLEMENTED(FwpmSystemPortsGet0);
NOT_IMPLEMENTED(FwpmSystemPortsSubscribe0);
NOT_IMPLEMENTED(FwpmSystemPortsUnsubscribe0);
NOT_IMPLEMENTED(FwpmvSwitchEventSubscribe0);
NOT_IMPLEMENTED(FwpmvSwitchEventUnsubscribe0);
NOT_IMPLEMENTED(FwpmvSwitchEventsGetSecurityInfo0);
NOT_IMPLEMENTED(FwpmvSwitchEventsSetSecurityInfo0);
NOT_IMPLEMENTED(FwpsAleEndpointCreateEnumHandle0);
NOT_IMPLEMENTED(FwpsAleEndpointDestroyEnumHandle0);
NOT_IMPLEMENTED(FwpsAleEndpointEnum0);
NOT_IMPLEMENTED(FwpsAleEndpointGetById0);
NOT_IMPLEMENTED(FwpsAleEndpointGetSecurityInfo0);
NOT_IMPLEMENTED(FwpsAleEndpointSetSecurityInfo0);
NOT_IMPLEMENTED(FwpsOpenToken0);
NOT_IMPLEMENTED(IPsecDospGetSecurityInfo0);
NOT_IMPLEMENTED(IPsecDospGetStatistics0);
NOT_IMPLEMENTED(IPsecDospSetSecurityInfo0);
NOT_IMPLEMENTED(IPsecDospStateCreateEnumHandle0);
NOT_IMPLEMENTED(IPsecDospStateDestroyEnumHandle0);
NOT_IMPLEMENTED(IPsecDospStateEnum0);
NOT_IMPLEMENTED(IPsecGetStatistics0);
NOT_IMPLEMENTED(IPsecGetStatistics1);
NOT_IMPLEMENTED(IPsecKeyManagerAddAndRegister0);
NOT_IMPLEMENTED(IPsecKeyManagerGetSecurityInfoByKey0);
NOT_IMPLEMENTED(IPsecKeyManagerSetSecurityInfoByKey0);
NOT_IMPLEMENTED(IPsecKeyManagerUnregisterAndDelete0);
NOT_IMPLEMENTED(IPsecKeyManagersGet0);
NOT_IMPLEMENTED(IPsecSaContextAddInbound0);
NOT_IMPLEMENTED(IPsecSaContextAddInbound1);
NOT_IMPLEMENTED(IPsecSaContextAddOutbound0);
NOT_IMPLEMENTED(IPsecSaContextAddOutbound1);
NOT_IMPLEMENTED(IPsecSaContextCreate0);
NOT_IMPLEMENTED(IPsecSaContextCreate1);
NOT_IMPLEMENTED(IPsecSaContextCreateEnumHandle0);
NOT_IMPLEMENTED(IPsecSaContextDeleteById0);
NOT_IMPLEMENTED(IPsecSaContextDestroyEnumHandle0);
NOT_IMPLEMENTED(IPsecSaContextEnum0);
NOT_IMPLEMENTED(IPsecSaContextEnum1);
NOT_IMPLEMENTED(IPsecSaContextExpire0);
NOT_IMPLEMENTED(IPsecSaContextGetById0);
NOT_IMPLEMENTED(IPsecSaContextGetById1);
NOT_IMPLEMENTED(IPsecSaContextGetSpi0);
NOT_IMPLEMENTED(IPsecSaContextGetSpi1);
NOT_IMPLEMENTED(IPsecSaContextSetSpi0);
NOT_IMPLEMENTED(IPsecSaContextSubscribe0);
NOT_IMPLEMENTED(IPsecSaContextSubscriptionsGet0);
NOT_IMPLEMENTED(IPsecSaContextUnsubscribe0);
NOT_IMPLEMENTED(IPsecSaContextUpdate0);
NOT_IMPLEMENTED(IPsecSaCreateEnumHandle0);
NOT_IMPLEMENTED(IPsecSaDbGetSecurityInfo0);
NOT_IMPLEMENTED(IPsecSaDbSetSecurityInfo0);
NOT_IMPLEMENTED(IPsecSaDestroyEnumHandle0);
NOT_IMPLEMENTED(IPsecSaEnum0);
NOT_IMPLEMENTED(IPsecSaEnum1);

NOT_IMPLEMENTED_IN_KERNEL(FwpmkConnectionGetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkConnectionSetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospGetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospGetStatistics0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospSetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospStateCreateEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospStateDestroyEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecDospStateEnum0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecGetStatistics0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecGetStatistics1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextAddInbound0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextAddInbound1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextAddOutbound0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextAddOutbound1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextCreate0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextCreate1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextCreateEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextDeleteById0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextDestroyEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextEnum0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextEnum1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextExpire0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextGetById0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextGetById1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextGetSpi0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextGetSpi1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextSetSpi0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaContextUpdate0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaCreateEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaDbGetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaDbSetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaDestroyEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaEnum0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecSaEnum1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecTunnelAdd0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecTunnelAdd1);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecTunnelAdd2);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecTunnelAdd3);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkIPsecTunnelDeleteByKey0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkvSwitchEventsGetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpmkvSwitchEventsSetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointCreateEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointDestroyEnumHandle0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointEnum0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointGetById0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointGetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskAleEndpointSetSecurityInfo0);
NOT_IMPLEMENTED_IN_KERNEL(FwpskOpenToken0);

// There is no IKE module.

IKE_NOT_RUNNING(IkeextGetStatistics0);
IKE_NOT_RUNNING(IkeextGetStatistics1);
IKE_NOT_RUNNING(IkeextSaCreateEnumHandle0);
IKE_NOT_RUNNING(IkeextSaDbGetSecurityInfo0);
IKE_NOT_RUNNING(IkeextSaDbSetSecurityInfo0);
IKE_NOT_RUNNING(IkeextSaDeleteById0);
IKE_NOT_RUNNING(IkeextSaDestroyEnumHandle0);
IKE_NOT_RUNNING(IkeextSaEnum0);
IKE_NOT_RUNNING(IkeextSaEnum1);
IKE_NOT_RUNNING(IkeextSaEnum2);
IKE_NOT_RUNNING(IkeextSaGetById0);
IKE_NOT_RUNNING(IkeextSaGetById1);
IKE_NOT_RUNNING(IkeextSaGetById2);

IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextGetStatistics0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextGetStatistics1);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaCreateEnumHandle0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaDbGetSecurityInfo0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaDbSetSecurityInfo0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaDeleteById0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaDestroyEnumHandle0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaEnum0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaEnum1);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaEnum2);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaGetById0);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaGetById1);
IKE_NOT_RUNNING_IN_KERNEL(FwpmkIkeextSaGetById2);

// IPsec connections are not monitored: FWPM_ENGINE_MONITOR_IPSEC_CONNECTIONS is off.

CONNECTIONS_DISABLED(FwpmConnectionCreateEnumHandle0);
CONNECTIONS_DISABLED(FwpmConnectionDestroyEnumHandle0);
CONNECTIONS_DISABLED(FwpmConnectionEnum0);
CONNECTIONS_DISABLED(FwpmConnectionGetById0);
CONNECTIONS_DISABLED(FwpmConnectionSubscribe0);
CONNECTIONS_DISABLED(FwpmConnectionSubscriptionsGet0);
CONNECTIONS_DISABLED(FwpmConnectionUnsubscribe0);

CONNECTIONS_DISABLED_IN_KERNEL(FwpmkConnectionCreateEnumHandle0);
CONNECTIONS_DISABLED_IN_KERNEL(FwpmkConnectionDestroyEnumHandle0);
CONNECTIONS_DISABLED_IN_KERNEL(FwpmkConnectionEnum0);
CONNECTIONS_DISABLED_IN_KERNEL(FwpmkConnectionGetById0);
