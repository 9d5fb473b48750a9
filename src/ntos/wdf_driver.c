#include <stdlib.h>

#include "ntos/driver.h"
#include "ntos/framework.h"

// The WDFDRIVER of a driver object is its extension with this id.
static char extension_id;

struct ntos_wdf_driver *ntos_wdf_driver_of(PDRIVER_OBJECT driver_object)
{
    struct ntos_wdf_driver **link = IoGetDriverObjectExtension(driver_object, &extension_id);
    return link ? *link : NULL;
}

static void release_driver(struct ntos_wdf_object *object)
{
    struct ntos_wdf_driver *driver = (struct ntos_wdf_driver *)object;
    free(driver->registry_path.Buffer);
    ObDereferenceObject(driver->driver_object);
}

// What DriverUnload of a framework driver is: the driver's own callback, then all its objects.
static VOID unload_driver(PDRIVER_OBJECT driver_object)
{
    struct ntos_wdf_driver **link = IoGetDriverObjectExtension(driver_object, &extension_id);
    struct ntos_wdf_driver *driver = link ? *link : NULL;
    if (!driver)
        return;
    if (driver->config.EvtDriverUnload)
        driver->config.EvtDriverUnload((WDFDRIVER)driver);
    *link = NULL;
    ntos_wdf_delete(&driver->object);
}

// A DriverEntry that fails after WdfDriverCreate does not get its unload routine called: its objects go here.
void ntos_wdf_abandon(PDRIVER_OBJECT driver_object)
{
    struct ntos_wdf_driver **link = IoGetDriverObjectExtension(driver_object, &extension_id);
    if (!link || !*link)
        return;
    struct ntos_wdf_driver *driver = *link;
    *link = NULL;
    ntos_wdf_delete(&driver->object);
}

static NTSTATUS attach(PDRIVER_OBJECT driver_object, struct ntos_wdf_driver *driver)
{
    PVOID link;
    NTSTATUS status = IoAllocateDriverObjectExtension(driver_object, &extension_id, sizeof(driver), &link);
    if (NT_SUCCESS(status))
        *(struct ntos_wdf_driver **)link = driver;
    return status;
}

NTSTATUS WdfDriverCreate(PDRIVER_OBJECT driver_object, PCUNICODE_STRING registry_path,
                         PWDF_OBJECT_ATTRIBUTES attributes, PWDF_DRIVER_CONFIG config, WDFDRIVER *ret_driver)
{
    if (!ntos_irql_at_most("WdfDriverCreate", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    bool non_pnp = config->DriverInitFlags & WdfDriverInitNonPnpDriver;
    if (config->Size != sizeof(*config) || (non_pnp && config->EvtDriverDeviceAdd)) {
        ntos_violation("WdfDriverCreate", "the configuration is not filled in, or asks for two kinds of driver");
        return STATUS_INVALID_PARAMETER;
    }
    struct ntos_wdf_driver *driver = ntos_wdf_new(NTOS_WDF_DRIVER, sizeof(*driver), attributes, NULL);
    if (!driver)
        return STATUS_INSUFFICIENT_RESOURCES;
    driver->driver_object = driver_object;
    driver->config = *config;
    ObReferenceObject(driver_object);
    driver->object.release = release_driver;
    driver->registry_path.Buffer = malloc(registry_path->Length + sizeof(WCHAR));
    driver->registry_path.MaximumLength = (USHORT)(registry_path->Length + sizeof(WCHAR));
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    if (driver->registry_path.Buffer) {
        RtlCopyUnicodeString(&driver->registry_path, registry_path);
        status = attach(driver_object, driver);
    }
    if (!NT_SUCCESS(status)) {
        ntos_wdf_delete(&driver->object);
        return status == STATUS_OBJECT_NAME_COLLISION ? STATUS_DRIVER_INTERNAL_ERROR : status;
    }
    // A non-PnP driver without EvtDriverUnload cannot be unloaded.
    if (!non_pnp || config->EvtDriverUnload)
        driver_object->DriverUnload = unload_driver;
    if (!(config->DriverInitFlags & WdfDriverInitNoDispatchOverride))
        for (size_t i = 0; i < ARRAYSIZE(driver_object->MajorFunction); i++)
            driver_object->MajorFunction[i] = ntos_wdf_dispatch;
    if (config->EvtDriverDeviceAdd)
        driver_object->DriverExtension->AddDevice = ntos_wdf_add_device;
    if (ret_driver)
        *ret_driver = (WDFDRIVER)driver;
    return STATUS_SUCCESS;
}

NTSTATUS ntos_wdf_add_device(PDRIVER_OBJECT driver_object, PDEVICE_OBJECT device)
{
    struct ntos_wdf_driver *driver = ntos_wdf_driver_of(driver_object);
    PWDFDEVICE_INIT init = ntos_wdf_init_new(driver, false, NULL);
    if (!init)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = driver->config.EvtDriverDeviceAdd((WDFDRIVER)driver, init);
    ntos_wdf_init_finish(init);
    return status;
}

WDFDRIVER WdfGetDriver(VOID)
{
    struct ntos_driver *loaded = ntos_driver_of(__builtin_return_address(0));
    return loaded ? (WDFDRIVER)ntos_wdf_driver_of(loaded->object) : NULL;
}

PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER handle)
{
    struct ntos_wdf_driver *driver = ntos_wdf_of("WdfDriverWdmGetDriverObject", handle, NTOS_WDF_DRIVER);
    return driver->driver_object;
}

WDFDRIVER WdfWdmDriverGetWdfDriverHandle(PDRIVER_OBJECT driver_object)
{
    return (WDFDRIVER)ntos_wdf_driver_of(driver_object);
}

PWSTR WdfDriverGetRegistryPath(WDFDRIVER handle)
{
    struct ntos_wdf_driver *driver = ntos_wdf_of("WdfDriverGetRegistryPath", handle, NTOS_WDF_DRIVER);
    return driver->registry_path.Buffer;
}
