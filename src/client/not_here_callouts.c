// Functions of the callout API that are not here yet: streams, the layers below IP.
//
// docs/api-support.md says why. The functions are aliases of one for each answer, which looks at no parameter. No
// callout is ever given a stream or a handle that they could be called for, so what returns nothing does nothing.
#include "fwpsk.h"

#define ALIAS(result, name, function)                                                                                  \
    result name##_(void) __asm__(#name) __attribute__((alias(function), visibility("default")))
#define NOT_SUPPORTED(name) ALIAS(NTSTATUS, name, "not_supported")
#define NOTHING_TO_DO(name) ALIAS(void, name, "nothing_to_do")

static __attribute__((used)) NTSTATUS not_supported(void)
{
    return STATUS_NOT_SUPPORTED;
}

static __attribute__((used)) void nothing_to_do(void)
{
}

NOT_SUPPORTED(FwpsClassifyOptionSet0);
NOT_SUPPORTED(FwpsCloneStreamData0);
NOT_SUPPORTED(FwpsGetPacketListSecurityInformation0);
NOT_SUPPORTED(FwpsInjectForwardAsync0);
NOT_SUPPORTED(FwpsInjectMacReceiveAsync0);
NOT_SUPPORTED(FwpsInjectMacSendAsync0);
NOT_SUPPORTED(FwpsInjectvSwitchEthernetIngressAsync0);
NOT_SUPPORTED(FwpsNetBufferListAssociateContext0);
NOT_SUPPORTED(FwpsNetBufferListAssociateContext1);
NOT_SUPPORTED(FwpsNetBufferListRemoveContext0);
NOT_SUPPORTED(FwpsNetBufferListRetrieveContext0);
NOT_SUPPORTED(FwpsQueryConnectionSioFormatRedirectRecords0);
NOT_SUPPORTED(FwpsReassembleForwardFragmentGroup0);
NOT_SUPPORTED(FwpsStreamContinue0);
NOT_SUPPORTED(FwpsStreamInjectAsync0);
NOT_SUPPORTED(FwpsVirtualIfTunnelInfoGet0);
NOT_SUPPORTED(FwpsVirtualIfTunnelInfoSet0);
NOT_SUPPORTED(FwpsvSwitchEventsSubscribe0);

NOTHING_TO_DO(FwpsDereferencevSwitchPacketContext0);
NOTHING_TO_DO(FwpsDiscardClonedStreamData0);
NOTHING_TO_DO(FwpsReferencevSwitchPacketContext0);
NOTHING_TO_DO(FwpsvSwitchEventsUnsubscribe0);
NOTHING_TO_DO(FwpsvSwitchNotifyComplete0);

UINT64 FwpsNetBufferListGetTagForContext0(void)
{
    return 0;
}

void FwpsCopyStreamDataToBuffer0(const FWPS_STREAM_DATA0 *data, PVOID buffer, SIZE_T size, SIZE_T *ret_copied)
{
    *ret_copied = 0;
}
