// Framework drivers and their registry.
#pragma once

#include "object.h"

typedef struct WDFDEVICE_INIT *PWDFDEVICE_INIT;

typedef NTSTATUS EVT_WDF_DRIVER_DEVICE_ADD(WDFDRIVER driver, PWDFDEVICE_INIT init);
typedef EVT_WDF_DRIVER_DEVICE_ADD *PFN_WDF_DRIVER_DEVICE_ADD;
typedef VOID EVT_WDF_DRIVER_UNLOAD(WDFDRIVER driver);
typedef EVT_WDF_DRIVER_UNLOAD *PFN_WDF_DRIVER_UNLOAD;

typedef enum _WDF_DRIVER_INIT_FLAGS {
    WdfDriverInitNonPnpDriver = 1,
    WdfDriverInitNoDispatchOverride = 2,
    WdfVerifyOn = 4,
    WdfVerifierOn = 8,
    WdfDriverInitCompanion = 16
} WDF_DRIVER_INIT_FLAGS;

typedef struct _WDF_DRIVER_CONFIG {
    ULONG Size;
    PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd;
    PFN_WDF_DRIVER_UNLOAD EvtDriverUnload;
    ULONG DriverInitFlags;
    ULONG DriverPoolTag;
} WDF_DRIVER_CONFIG, *PWDF_DRIVER_CONFIG;

FORCEINLINE VOID WDF_DRIVER_CONFIG_INIT(PWDF_DRIVER_CONFIG config, PFN_WDF_DRIVER_DEVICE_ADD add)
{
    RtlZeroMemory(config, sizeof(*config));
    config->Size = sizeof(*config);
    config->EvtDriverDeviceAdd = add;
}

NTOS_DECLARATIONS_BEGIN

// A driver with EvtDriverDeviceAdd is offered one device, as if it were enumerated at the root of the tree.
NTSTATUS WdfDriverCreate(PDRIVER_OBJECT driver_object, PCUNICODE_STRING registry_path,
                         PWDF_OBJECT_ATTRIBUTES attributes, PWDF_DRIVER_CONFIG config, WDFDRIVER *driver);
// The driver of the code that calls.
WDFDRIVER WdfGetDriver(VOID);
PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER driver);
WDFDRIVER WdfWdmDriverGetWdfDriverHandle(PDRIVER_OBJECT driver_object);
PWSTR WdfDriverGetRegistryPath(WDFDRIVER driver);

// --- Registry (PASSIVE_LEVEL) ---

NTSTATUS WdfDriverOpenParametersRegistryKey(WDFDRIVER driver, ACCESS_MASK access, PWDF_OBJECT_ATTRIBUTES attributes,
                                            WDFKEY *key);
NTSTATUS WdfRegistryOpenKey(WDFKEY parent, PCUNICODE_STRING name, ACCESS_MASK access,
                            PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *key);
NTSTATUS WdfRegistryCreateKey(WDFKEY parent, PCUNICODE_STRING name, ACCESS_MASK access, ULONG options,
                              PULONG disposition, PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *key);
VOID WdfRegistryClose(WDFKEY key);
HANDLE WdfRegistryWdmGetHandle(WDFKEY key);
NTSTATUS WdfRegistryQueryULong(WDFKEY key, PCUNICODE_STRING name, PULONG value);
NTSTATUS WdfRegistryQueryString(WDFKEY key, PCUNICODE_STRING name, WDFSTRING string);
NTSTATUS WdfRegistryQueryUnicodeString(WDFKEY key, PCUNICODE_STRING name, PUSHORT length, PUNICODE_STRING value);
NTSTATUS WdfRegistryQueryValue(WDFKEY key, PCUNICODE_STRING name, ULONG size, PVOID value, PULONG ret_size,
                               PULONG type);
NTSTATUS WdfRegistryAssignULong(WDFKEY key, PCUNICODE_STRING name, ULONG value);
NTSTATUS WdfRegistryAssignUnicodeString(WDFKEY key, PCUNICODE_STRING name, PCUNICODE_STRING value);
NTSTATUS WdfRegistryAssignValue(WDFKEY key, PCUNICODE_STRING name, ULONG type, ULONG size, PVOID value);
NTSTATUS WdfRegistryRemoveValue(WDFKEY key, PCUNICODE_STRING name);

NTSTATUS WdfStringCreate(PCUNICODE_STRING text, PWDF_OBJECT_ATTRIBUTES attributes, WDFSTRING *string);
// Borrowed until the string is deleted or assigned again.
VOID WdfStringGetUnicodeString(WDFSTRING string, PUNICODE_STRING text);

NTOS_DECLARATIONS_END
