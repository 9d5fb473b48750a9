/*
 * A first WFP callout driver: print every outgoing IPv4 connection, block one program, let the rest pass.
 *
 *   cc -o tutorial.so tutorial.c $(pkg-config --cflags --libs libwfp-driver)
 *   ringwall load ./tutorial.so
 *   curl http://127.0.0.1/          # watch the line appear:  ringwall monitor
 *   ringwall unload tutorial
 *
 * The steps are the same for every callout driver:
 *   1. make a device object         (callouts belong to a device)
 *   2. open the filter engine
 *   3. register the callout         (FwpsCalloutRegister: the function, for the kernel)
 *   4. add the callout object       (FwpmCalloutAdd: its name, for filters to refer to)
 *   5. add a sublayer and a filter  (which traffic the function gets to see)
 * and the way back is the same list from the end.
 */
#include <initguid.h>
#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#define BLOCKED_PROGRAM L"/telnet"

// Every driver invents its own: uuidgen prints new ones.
DEFINE_GUID(TUTORIAL_CALLOUT, 0x6a1a9b47, 0x8d3c, 0x4ff0, 0x9b, 0x46, 0x3e, 0x71, 0x5e, 0xc2, 0x9a, 0x11);
DEFINE_GUID(TUTORIAL_SUBLAYER, 0x1d40c2b3, 0x0f52, 0x4c7e, 0xb0, 0x7b, 0x62, 0x29, 0x31, 0x6f, 0xd2, 0x75);

static PDEVICE_OBJECT Device;
static HANDLE Engine;
static UINT32 CalloutId;       // from step 3
static UINT64 FilterId;        // from step 5

static PCSTR ProtocolName(UINT8 Protocol)
{
    switch (Protocol) {
    case 1:  return "ICMP";
    case 6:  return "TCP";
    case 17: return "UDP";
    default: return "OTHER";
    }
}

// Called for every connection the filter matches. It may run at DISPATCH_LEVEL: no waiting, no paged memory. What
// the pointers lead to is gone once it returns.
static VOID NTAPI ConnectClassify(const FWPS_INCOMING_VALUES0 *Values, const FWPS_INCOMING_METADATA_VALUES0 *Meta,
                                  VOID *LayerData, const VOID *ClassifyContext, const FWPS_FILTER1 *Filter,
                                  UINT64 FlowContext, FWPS_CLASSIFY_OUT0 *Out)
{
    UNREFERENCED_PARAMETER(LayerData);
    UNREFERENCED_PARAMETER(ClassifyContext);
    UNREFERENCED_PARAMETER(Filter);
    UNREFERENCED_PARAMETER(FlowContext);

    UINT32 Local = Values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_ADDRESS].value.uint32;
    UINT32 Remote = Values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS].value.uint32;
    UINT16 LocalPort = Values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_PORT].value.uint16;
    UINT16 RemotePort = Values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value.uint16;
    UINT8 Protocol = Values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL].value.uint8;

    // A metadata field holds something only when its bit is set.
    PCWSTR Path = L"";
    if (FWPS_IS_METADATA_FIELD_PRESENT(Meta, FWPS_METADATA_FIELD_PROCESS_PATH))
        Path = (PCWSTR)Meta->processPath->data;
    UINT64 ProcessId = 0;
    if (FWPS_IS_METADATA_FIELD_PRESENT(Meta, FWPS_METADATA_FIELD_PROCESS_ID))
        ProcessId = Meta->processId;

    // DbgPrint converts wide text (%S) at PASSIVE_LEVEL only, and UDP is classified at DISPATCH_LEVEL.
    CHAR Narrow[256];
    ULONG Length = 0;
    for (; Path[Length] && Length + 1 < sizeof(Narrow); Length++)
        Narrow[Length] = Path[Length] >= ' ' && Path[Length] < 0x7F ? (CHAR)Path[Length] : '?';
    Narrow[Length] = 0;

    DbgPrint("[WFP]IRQL=%d;PID=%d;Path=%s;Local=%u.%u.%u.%u:%d;Remote=%u.%u.%u.%u:%d;Protocol=%s\n",
             KeGetCurrentIrql(), (int)ProcessId, Narrow,
             Local >> 24, Local >> 16 & 255, Local >> 8 & 255, Local & 255, LocalPort,
             Remote >> 24, Remote >> 16 & 255, Remote >> 8 & 255, Remote & 255, RemotePort, ProtocolName(Protocol));

    // Somebody above has decided for good.
    if (!(Out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;

    if (wcsstr(Path, BLOCKED_PROGRAM)) {
        Out->actionType = FWP_ACTION_BLOCK;
        Out->rights &= ~FWPS_RIGHT_ACTION_WRITE;  // nobody below may change it
    } else {
        Out->actionType = FWP_ACTION_PERMIT;
    }
}

static NTSTATUS NTAPI ConnectNotify(FWPS_CALLOUT_NOTIFY_TYPE Type, const GUID *FilterKey, FWPS_FILTER1 *Filter)
{
    UNREFERENCED_PARAMETER(Type);
    UNREFERENCED_PARAMETER(FilterKey);
    UNREFERENCED_PARAMETER(Filter);
    return STATUS_SUCCESS;
}

// Steps 3 to 5. The caller aborts the transaction when one fails.
static NTSTATUS AddEverything(void)
{
    FWPS_CALLOUT1 Callout = { 0 };
    Callout.calloutKey = TUTORIAL_CALLOUT;
    Callout.classifyFn = ConnectClassify;
    Callout.notifyFn = ConnectNotify;
    NTSTATUS Status = FwpsCalloutRegister1(Device, &Callout, &CalloutId);
    if (!NT_SUCCESS(Status))
        return Status;

    FWPM_CALLOUT0 Object = { 0 };
    Object.calloutKey = TUTORIAL_CALLOUT;
    Object.displayData.name = L"Tutorial: connect";
    Object.applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    Status = FwpmCalloutAdd0(Engine, &Object, NULL, NULL);
    if (!NT_SUCCESS(Status))
        return Status;

    FWPM_SUBLAYER0 SubLayer = { 0 };
    SubLayer.subLayerKey = TUTORIAL_SUBLAYER;
    SubLayer.displayData.name = L"Tutorial";
    SubLayer.weight = 65500;
    Status = FwpmSubLayerAdd0(Engine, &SubLayer, NULL);
    if (!NT_SUCCESS(Status))
        return Status;

    // No conditions: the filter matches every connection.
    FWPM_FILTER0 Filter = { 0 };
    Filter.displayData.name = L"Tutorial: every connection";
    Filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    Filter.subLayerKey = TUTORIAL_SUBLAYER;
    Filter.weight.type = FWP_EMPTY;
    Filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
    Filter.action.calloutKey = TUTORIAL_CALLOUT;
    return FwpmFilterAdd0(Engine, &Filter, NULL, &FilterId);
}

// Takes back whatever exists, last first.
static VOID NTAPI DriverUnload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\RingwallTutorial");

    if (FilterId) {
        FwpmFilterDeleteById0(Engine, FilterId);
        FwpmSubLayerDeleteByKey0(Engine, &TUTORIAL_SUBLAYER);
        FwpmCalloutDeleteByKey0(Engine, &TUTORIAL_CALLOUT);
    }
    if (CalloutId)
        FwpsCalloutUnregisterById0(CalloutId);
    if (Engine)
        FwpmEngineClose0(Engine);
    IoDeleteSymbolicLink(&Link);
    if (Device)
        IoDeleteDevice(Device);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\RingwallTutorial");
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\RingwallTutorial");

    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (NT_SUCCESS(Status))
        Status = IoCreateSymbolicLink(&Link, &Name);
    if (NT_SUCCESS(Status))
        Status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &Engine);
    if (NT_SUCCESS(Status))
        Status = FwpmTransactionBegin0(Engine, 0);
    if (NT_SUCCESS(Status)) {
        Status = AddEverything();
        if (NT_SUCCESS(Status))
            Status = FwpmTransactionCommit0(Engine);
        if (!NT_SUCCESS(Status)) {
            FwpmTransactionAbort0(Engine);
            FilterId = 0;  // the abort took the objects back
        }
    }
    if (!NT_SUCCESS(Status)) {
        DbgPrint("[WFP]The tutorial driver cannot start (0x%08X)\n", (unsigned)Status);
        DriverUnload(Driver);
        return Status;
    }

    Driver->DriverUnload = DriverUnload;
    return STATUS_SUCCESS;
}
