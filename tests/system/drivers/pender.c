// A callout driver that breaks one rule of pending, for the tests. The registry value `mode` tells which:
// good, twice, never, inside, no-absorb, permit, no-verdict, crash, dispatch. What is pended is completed 300 ms later.
#include <initguid.h>

#include "callout.h"
#include "worker.h"

DEFINE_GUID(PENDER_CALLOUT, 0x7ad1c1f1, 0x5a3e, 0x4a51, 0x9b, 0x1e, 0x0c, 0x6d, 0x5d, 0x3f, 0x22, 0x01);

static WCHAR mode[32] = L"good";
static KEVENT never;
static HANDLE pended[64];
static volatile LONG pended_count;
static volatile LONG verdict_known;
static int *volatile nowhere;

static BOOLEAN is(PCWSTR name)
{
    return wcscmp(mode, name) == 0;
}

static VOID complete(HANDLE context)
{
    LARGE_INTEGER delay;
    delay.QuadPart = -3000000;
    (void)KeDelayExecutionThread(KernelMode, FALSE, &delay);
    if (is(L"crash"))
        *nowhere = 1;
    if (is(L"never"))
        return;
    if (!is(L"no-verdict"))
        InterlockedExchange(&verdict_known, 1);
    FwpsCompleteOperation0(context, NULL);
    if (is(L"twice"))
        FwpsCompleteOperation0(context, NULL);
}

static VOID complete_pended(VOID)
{
    static LONG done;
    while (done < pended_count)
        complete(pended[done++ % 64]);
}

static VOID NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                           void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(filter);
    UNREFERENCED_PARAMETER(flow_context);
    LARGE_INTEGER soon;
    HANDLE operation = NULL;
    KIRQL irql;
    UINT32 flags = values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS].value.uint32;
    if (is(L"dispatch")) {
        soon.QuadPart = -10000;
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        (void)KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, &soon);
        KeLowerIrql(irql);
        out->actionType = FWP_ACTION_PERMIT;
        return;
    }
    if ((flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE) && verdict_known) {
        out->actionType = FWP_ACTION_PERMIT;
        return;
    }
    // Without a verdict this driver pends once more, which is wrong at a reauthorization.
    NTSTATUS status = FwpsPendOperation0(metadata->completionHandle, &operation);
    out->actionType = is(L"permit") ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
    out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
    if (!is(L"no-absorb") && !is(L"permit"))
        out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    if (!NT_SUCCESS(status))
        return;
    if (is(L"inside")) {
        InterlockedExchange(&verdict_known, 1);
        FwpsCompleteOperation0(operation, NULL);
        return;
    }
    pended[pended_count % 64] = operation;
    InterlockedIncrement(&pended_count);
    worker_wake();
}

static const struct callout_table table = {
    .name = L"pender",
    .layers = { { &PENDER_CALLOUT, &FWPM_LAYER_ALE_AUTH_CONNECT_V4 } },
    .classify = classify,
    .action = FWP_ACTION_CALLOUT_TERMINATING,
};

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    worker_stop();
    if (callouts_stop() == STATUS_DEVICE_BUSY)
        DbgPrint("pender: the callout is busy\n");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    (void)parameter_read(registry_path, L"mode", REG_SZ, mode, sizeof(mode));
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    driver->DriverUnload = unload;
    NTSTATUS status = worker_start(complete_pended);
    if (NT_SUCCESS(status))
        status = callouts_start(driver, &table);
    if (!NT_SUCCESS(status))
        unload(driver);
    return status;
}
