// Framework devices: control devices, and the one of EvtDriverDeviceAdd.
#pragma once

#include "driver.h"

typedef enum _WDF_DEVICE_IO_TYPE {
    WdfDeviceIoUndefined,
    WdfDeviceIoNeither,
    WdfDeviceIoBuffered,
    WdfDeviceIoDirect,
    WdfDeviceIoBufferedOrDirect,
    WdfDeviceIoMaximum
} WDF_DEVICE_IO_TYPE;

typedef enum _WDF_DEVICE_SHUTDOWN_FLAGS { WdfDeviceShutdown = 1, WdfDeviceLastChanceShutdown } WDF_DEVICE_SHUTDOWN_FLAGS;
typedef VOID EVT_WDF_DEVICE_SHUTDOWN_NOTIFICATION(WDFDEVICE device);
typedef EVT_WDF_DEVICE_SHUTDOWN_NOTIFICATION *PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION;

typedef VOID EVT_WDF_DEVICE_FILE_CREATE(WDFDEVICE device, WDFREQUEST request, WDFFILEOBJECT file);
typedef EVT_WDF_DEVICE_FILE_CREATE *PFN_WDF_DEVICE_FILE_CREATE;
typedef VOID EVT_WDF_FILE_CLOSE(WDFFILEOBJECT file);
typedef EVT_WDF_FILE_CLOSE *PFN_WDF_FILE_CLOSE;
typedef VOID EVT_WDF_FILE_CLEANUP(WDFFILEOBJECT file);
typedef EVT_WDF_FILE_CLEANUP *PFN_WDF_FILE_CLEANUP;
typedef NTSTATUS EVT_WDFDEVICE_WDM_IRP_PREPROCESS(WDFDEVICE device, PIRP irp);
typedef EVT_WDFDEVICE_WDM_IRP_PREPROCESS *PFN_WDFDEVICE_WDM_IRP_PREPROCESS;

typedef enum _WDF_FILEOBJECT_CLASS {
    WdfFileObjectInvalid,
    WdfFileObjectNotRequired,
    WdfFileObjectWdfCanUseFsContext,
    WdfFileObjectWdfCanUseFsContext2,
    WdfFileObjectWdfCannotUseFsContexts,
    WdfFileObjectCanBeOptional = (int)0x80000000
} WDF_FILEOBJECT_CLASS;

typedef struct _WDF_FILEOBJECT_CONFIG {
    ULONG Size;
    PFN_WDF_DEVICE_FILE_CREATE EvtDeviceFileCreate;
    PFN_WDF_FILE_CLOSE EvtFileClose;
    PFN_WDF_FILE_CLEANUP EvtFileCleanup;
    WDF_TRI_STATE AutoForwardCleanupClose;
    WDF_FILEOBJECT_CLASS FileObjectClass;
} WDF_FILEOBJECT_CONFIG, *PWDF_FILEOBJECT_CONFIG;

FORCEINLINE VOID WDF_FILEOBJECT_CONFIG_INIT(PWDF_FILEOBJECT_CONFIG config, PFN_WDF_DEVICE_FILE_CREATE create,
                                            PFN_WDF_FILE_CLOSE close_file, PFN_WDF_FILE_CLEANUP cleanup)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->EvtDeviceFileCreate = create;
    config->EvtFileClose = close_file;
    config->EvtFileCleanup = cleanup;
    config->FileObjectClass = WdfFileObjectWdfCanUseFsContext;
    config->AutoForwardCleanupClose = WdfUseDefault;
}

NTOS_DECLARATIONS_BEGIN

PWDFDEVICE_INIT WdfControlDeviceInitAllocate(WDFDRIVER driver, const UNICODE_STRING *sddl);
VOID WdfControlDeviceInitSetShutdownNotification(PWDFDEVICE_INIT init, PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION notify,
                                                 UCHAR flags);
// The control device may be opened from now on.
VOID WdfControlFinishInitializing(WDFDEVICE device);
VOID WdfDeviceInitFree(PWDFDEVICE_INIT init);
VOID WdfDeviceInitSetDeviceType(PWDFDEVICE_INIT init, DEVICE_TYPE type);
VOID WdfDeviceInitSetCharacteristics(PWDFDEVICE_INIT init, ULONG characteristics, BOOLEAN or_in);
VOID WdfDeviceInitSetDeviceClass(PWDFDEVICE_INIT init, const GUID *device_class);
VOID WdfDeviceInitSetExclusive(PWDFDEVICE_INIT init, BOOLEAN exclusive);
VOID WdfDeviceInitSetIoType(PWDFDEVICE_INIT init, WDF_DEVICE_IO_TYPE type);
NTSTATUS WdfDeviceInitAssignName(PWDFDEVICE_INIT init, PCUNICODE_STRING name);
NTSTATUS WdfDeviceInitAssignSDDLString(PWDFDEVICE_INIT init, PCUNICODE_STRING sddl);
VOID WdfDeviceInitSetFileObjectConfig(PWDFDEVICE_INIT init, PWDF_FILEOBJECT_CONFIG config,
                                      PWDF_OBJECT_ATTRIBUTES attributes);
VOID WdfDeviceInitSetRequestAttributes(PWDFDEVICE_INIT init, PWDF_OBJECT_ATTRIBUTES attributes);
NTSTATUS WdfDeviceInitAssignWdmIrpPreprocessCallback(PWDFDEVICE_INIT init, PFN_WDFDEVICE_WDM_IRP_PREPROCESS callback,
                                                     UCHAR major, PUCHAR minors, ULONG minor_count);

// Takes *init over and sets it to NULL on success.
NTSTATUS WdfDeviceCreate(PWDFDEVICE_INIT *init, PWDF_OBJECT_ATTRIBUTES attributes, WDFDEVICE *device);
PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE device);
WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(PDEVICE_OBJECT device_object);
NTSTATUS WdfDeviceWdmDispatchPreprocessedIrp(WDFDEVICE device, PIRP irp);
WDFDRIVER WdfDeviceGetDriver(WDFDEVICE device);
// The link goes with the device.
NTSTATUS WdfDeviceCreateSymbolicLink(WDFDEVICE device, PCUNICODE_STRING name);
WDFDEVICE WdfFileObjectGetDevice(WDFFILEOBJECT file);
PFILE_OBJECT WdfFileObjectWdmGetFileObject(WDFFILEOBJECT file);
PUNICODE_STRING WdfFileObjectGetFileName(WDFFILEOBJECT file);

NTOS_DECLARATIONS_END
