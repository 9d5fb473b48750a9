// A callout driver that gives each outgoing flow a context of its own, and counts how they end. It tells of every
// 100,000th, and of all when it unloads.
#include <initguid.h>

#include "callout.h"

DEFINE_GUID(CONTEXTS_CALLOUT, 0x5c1f0e42, 0x9d3b, 0x4a67, 0xb2, 0x08, 0x7e, 0x91, 0x3c, 0xd4, 0x60, 0x01);

#define CONTEXT_TAG 'xcRW'
#define ALIVE 0x65766c61636f6e74ull
#define ENDED 0x6465646e65636f6eull

struct flow {
    UINT64 state;  // ALIVE until its end has been told
    UINT64 handle;
};

static LONG64 classified, associated, refused, deleted, wrong;

static VOID report(VOID)
{
    DbgPrint("contexts: classified=%I64d associated=%I64d refused=%I64d deleted=%I64d wrong=%I64d\n", classified,
             associated, refused, deleted, wrong);
}

static VOID associate(UINT64 handle)
{
    struct flow *flow = (struct flow *)ExAllocatePoolWithTag(NonPagedPool, sizeof(*flow), CONTEXT_TAG);
    if (!flow) {
        InterlockedIncrement64(&refused);
        return;
    }
    flow->state = ALIVE;
    flow->handle = handle;
    NTSTATUS status = FwpsFlowAssociateContext0(handle, FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, callout_id(0),
                                                (UINT64)(ULONG_PTR)flow);
    if (!NT_SUCCESS(status)) {
        InterlockedIncrement64(&refused);
        ExFreePoolWithTag(flow, CONTEXT_TAG);
        return;
    }
    if (InterlockedIncrement64(&associated) % 100000 == 0)
        report();
}

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(values);
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);
    InterlockedIncrement64(&classified);
    if (FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_FLOW_HANDLE))
        associate(metadata->flowHandle);
    out->actionType = FWP_ACTION_CONTINUE;
}

static void NTAPI flow_delete(UINT16 layer_id, UINT32 id, UINT64 flow_context)
{
    struct flow *flow = (struct flow *)(ULONG_PTR)flow_context;
    if (layer_id != FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4 || id != callout_id(0) || flow->state != ALIVE) {
        InterlockedIncrement64(&wrong);
        return;
    }
    flow->state = ENDED;
    ExFreePoolWithTag(flow, CONTEXT_TAG);
    InterlockedIncrement64(&deleted);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (!NT_SUCCESS(callouts_stop()))
        DbgPrint("contexts: flows still have contexts\n");
    report();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    FWPM_FILTER_CONDITION0 outgoing = { 0 };
    outgoing.fieldKey = FWPM_CONDITION_DIRECTION;
    outgoing.matchType = FWP_MATCH_EQUAL;
    outgoing.conditionValue.type = FWP_UINT32;
    outgoing.conditionValue.uint32 = FWP_DIRECTION_OUTBOUND;
    const struct callout_table table = {
        .name = L"contexts",
        .layers = { { &CONTEXTS_CALLOUT, &FWPM_LAYER_ALE_FLOW_ESTABLISHED_V4 } },
        .classify = classify,
        .flow_delete = flow_delete,
        .action = FWP_ACTION_CALLOUT_INSPECTION,
        .condition = &outgoing,
    };
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload;
    NTSTATUS status = callouts_start(driver, &table);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
