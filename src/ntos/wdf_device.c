#include <stdlib.h>

#include "ntos/framework.h"

struct WDFDEVICE_INIT {
    struct ntos_wdf_driver *driver;
    bool control, used;
    DEVICE_TYPE type;
    ULONG characteristics;
    BOOLEAN exclusive;
    WDF_DEVICE_IO_TYPE io_type;
    UNICODE_STRING name, sddl;
    WDF_FILEOBJECT_CONFIG file_config;
    WDF_OBJECT_ATTRIBUTES file_attributes, request_attributes;
    PFN_WDFDEVICE_WDM_IRP_PREPROCESS preprocess[IRP_MJ_MAXIMUM_FUNCTION + 1];
};

static NTSTATUS copy_string(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    WCHAR *copy = calloc(1, from->Length + sizeof(WCHAR));
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(copy, from->Buffer, from->Length);
    free(to->Buffer);
    *to = (UNICODE_STRING){ from->Length, (USHORT)(from->Length + sizeof(WCHAR)), copy };
    return STATUS_SUCCESS;
}

// --- Init structures ---

PWDFDEVICE_INIT ntos_wdf_init_new(struct ntos_wdf_driver *driver, bool control, const UNICODE_STRING *sddl)
{
    PWDFDEVICE_INIT init = calloc(1, sizeof(*init));
    if (!init)
        return NULL;
    init->driver = driver;
    init->control = control;
    init->type = FILE_DEVICE_UNKNOWN;
    init->characteristics = FILE_DEVICE_SECURE_OPEN;
    init->io_type = WdfDeviceIoBuffered;
    if (sddl && !NT_SUCCESS(copy_string(&init->sddl, sddl))) {
        free(init);
        return NULL;
    }
    return init;
}

static void init_free(PWDFDEVICE_INIT init)
{
    free(init->name.Buffer);
    free(init->sddl.Buffer);
    free(init);
}

void ntos_wdf_init_finish(PWDFDEVICE_INIT init)
{
    // WdfDeviceCreate marks it only: EvtDriverDeviceAdd has a copy of the pointer.
    init_free(init);
}

PWDFDEVICE_INIT WdfControlDeviceInitAllocate(WDFDRIVER handle, const UNICODE_STRING *sddl)
{
    struct ntos_wdf_driver *driver = ntos_wdf_of("WdfControlDeviceInitAllocate", handle, NTOS_WDF_DRIVER);
    if (!ntos_irql_at_most("WdfControlDeviceInitAllocate", PASSIVE_LEVEL))
        return NULL;
    return ntos_wdf_init_new(driver, true, sddl);
}

VOID WdfDeviceInitFree(PWDFDEVICE_INIT init)
{
    if (init && init->control)
        init_free(init);
}

VOID WdfControlDeviceInitSetShutdownNotification(PWDFDEVICE_INIT init, PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION notify,
                                                 UCHAR flags)
{
    // A driver host ends by unloading its driver: there is no other shutdown to tell of.
}

VOID WdfDeviceInitSetDeviceType(PWDFDEVICE_INIT init, DEVICE_TYPE type)
{
    init->type = type;
}

VOID WdfDeviceInitSetCharacteristics(PWDFDEVICE_INIT init, ULONG characteristics, BOOLEAN or_in)
{
    init->characteristics = or_in ? init->characteristics | characteristics : characteristics;
}

VOID WdfDeviceInitSetDeviceClass(PWDFDEVICE_INIT init, const GUID *device_class)
{
}

VOID WdfDeviceInitSetExclusive(PWDFDEVICE_INIT init, BOOLEAN exclusive)
{
    init->exclusive = exclusive;
}

VOID WdfDeviceInitSetIoType(PWDFDEVICE_INIT init, WDF_DEVICE_IO_TYPE type)
{
    init->io_type = type;
}

NTSTATUS WdfDeviceInitAssignName(PWDFDEVICE_INIT init, PCUNICODE_STRING name)
{
    return name ? copy_string(&init->name, name) : STATUS_SUCCESS;
}

NTSTATUS WdfDeviceInitAssignSDDLString(PWDFDEVICE_INIT init, PCUNICODE_STRING sddl)
{
    return sddl ? copy_string(&init->sddl, sddl) : STATUS_SUCCESS;
}

VOID WdfDeviceInitSetFileObjectConfig(PWDFDEVICE_INIT init, PWDF_FILEOBJECT_CONFIG config,
                                      PWDF_OBJECT_ATTRIBUTES attributes)
{
    init->file_config = *config;
    if (attributes)
        init->file_attributes = *attributes;
}

VOID WdfDeviceInitSetRequestAttributes(PWDFDEVICE_INIT init, PWDF_OBJECT_ATTRIBUTES attributes)
{
    init->request_attributes = *attributes;
}

NTSTATUS WdfDeviceInitAssignWdmIrpPreprocessCallback(PWDFDEVICE_INIT init, PFN_WDFDEVICE_WDM_IRP_PREPROCESS callback,
                                                     UCHAR major, PUCHAR minors, ULONG minor_count)
{
    if (major > IRP_MJ_MAXIMUM_FUNCTION)
        return STATUS_INVALID_PARAMETER;
    init->preprocess[major] = callback;
    return STATUS_SUCCESS;
}

// --- Devices ---

static struct ntos_wdf_device *device_of(PDEVICE_OBJECT device_object)
{
    return *(struct ntos_wdf_device **)device_object->DeviceExtension;
}

static void stop_device(struct ntos_wdf_object *object)
{
    struct ntos_wdf_device *device = (struct ntos_wdf_device *)object;
    if (device->link.Buffer)
        (void)IoDeleteSymbolicLink(&device->link);
    if (device->device_object)
        device->device_object->Flags |= DO_DEVICE_INITIALIZING;  // not to be opened any more
}

static void release_device(struct ntos_wdf_object *object)
{
    struct ntos_wdf_device *device = (struct ntos_wdf_device *)object;
    if (device->device_object)
        IoDeleteDevice(device->device_object);
    free(device->link.Buffer);
    free(device->name.Buffer);
}

NTSTATUS WdfDeviceCreate(PWDFDEVICE_INIT *init_of, PWDF_OBJECT_ATTRIBUTES attributes, WDFDEVICE *ret_device)
{
    PWDFDEVICE_INIT init = *init_of;
    if (!ntos_irql_at_most("WdfDeviceCreate", PASSIVE_LEVEL) || init->used)
        return STATUS_INVALID_DEVICE_STATE;
    struct ntos_wdf_device *device =
        ntos_wdf_new(NTOS_WDF_DEVICE, sizeof(*device), attributes, &init->driver->object);
    if (!device)
        return STATUS_INSUFFICIENT_RESOURCES;
    device->driver = init->driver;
    device->object.stop = stop_device;
    device->object.release = release_device;
    device->file_config = init->file_config;
    device->file_attributes = init->file_attributes;
    device->request_attributes = init->request_attributes;
    memcpy(device->preprocess, init->preprocess, sizeof(device->preprocess));
    InitializeListHead(&device->files);
    NTSTATUS status =
        IoCreateDeviceSecure(init->driver->driver_object, sizeof(device), init->name.Buffer ? &init->name : NULL,
                             init->type, init->characteristics, init->exclusive,
                             init->sddl.Buffer ? &init->sddl : NULL, NULL, &device->device_object);
    if (!NT_SUCCESS(status)) {
        ntos_wdf_delete(&device->object);
        return status;
    }
    *(struct ntos_wdf_device **)device->device_object->DeviceExtension = device;
    device->name = init->name;
    init->name = (UNICODE_STRING){0};
    if (init->io_type == WdfDeviceIoDirect)
        device->device_object->Flags |= DO_DIRECT_IO;
    else if (init->io_type != WdfDeviceIoNeither)
        device->device_object->Flags |= DO_BUFFERED_IO;
    if (init->control) {
        init_free(init);
    } else {
        init->used = true;
        device->device_object->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    *init_of = NULL;
    if (ret_device)
        *ret_device = (WDFDEVICE)device;
    return STATUS_SUCCESS;
}

VOID WdfControlFinishInitializing(WDFDEVICE handle)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfControlFinishInitializing", handle, NTOS_WDF_DEVICE);
    device->device_object->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE handle)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceWdmGetDeviceObject", handle, NTOS_WDF_DEVICE);
    return device->device_object;
}

WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(PDEVICE_OBJECT device_object)
{
    return (WDFDEVICE)device_of(device_object);
}

WDFDRIVER WdfDeviceGetDriver(WDFDEVICE handle)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceGetDriver", handle, NTOS_WDF_DEVICE);
    return (WDFDRIVER)device->driver;
}

WDFQUEUE WdfDeviceGetDefaultQueue(WDFDEVICE handle)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceGetDefaultQueue", handle, NTOS_WDF_DEVICE);
    return (WDFQUEUE)device->default_queue;
}

NTSTATUS WdfDeviceCreateSymbolicLink(WDFDEVICE handle, PCUNICODE_STRING name)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceCreateSymbolicLink", handle, NTOS_WDF_DEVICE);
    if (device->link.Buffer || !(device->device_object->Flags & DO_DEVICE_HAS_NAME))
        return STATUS_INVALID_DEVICE_STATE;
    NTSTATUS status = copy_string(&device->link, name);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&device->link, &device->name);
    if (!NT_SUCCESS(status)) {
        free(device->link.Buffer);
        device->link = (UNICODE_STRING){0};
    }
    return status;
}

// --- Files ---

static NTSTATUS complete_simple(PIRP irp, NTSTATUS status)
{
    return ntos_wdf_complete_irp(irp, status, 0);
}

struct ntos_wdf_file *ntos_wdf_file_of(struct ntos_wdf_device *device, PFILE_OBJECT file_object)
{
    struct ntos_wdf_file *found = NULL;
    KIRQL irql;
    KeAcquireSpinLock(&device->files_lock, &irql);
    for (PLIST_ENTRY entry = device->files.Flink; entry != &device->files && !found; entry = entry->Flink) {
        struct ntos_wdf_file *file = CONTAINING_RECORD(entry, struct ntos_wdf_file, entry);
        if (file->file_object == file_object)
            found = file;
    }
    KeReleaseSpinLock(&device->files_lock, irql);
    return found;
}

static void stop_file(struct ntos_wdf_object *object)
{
    struct ntos_wdf_file *file = (struct ntos_wdf_file *)object;
    KIRQL irql;
    KeAcquireSpinLock(&file->device->files_lock, &irql);
    RemoveEntryList(&file->entry);
    KeReleaseSpinLock(&file->device->files_lock, irql);
}

static NTSTATUS create_file(struct ntos_wdf_device *device, PIRP irp, PFILE_OBJECT file_object)
{
    const WDF_OBJECT_ATTRIBUTES *attributes = device->file_attributes.Size ? &device->file_attributes : NULL;
    struct ntos_wdf_file *file = ntos_wdf_new(NTOS_WDF_FILE, sizeof(*file), attributes, &device->object);
    if (!file)
        return complete_simple(irp, STATUS_INSUFFICIENT_RESOURCES);
    file->device = device;
    file->file_object = file_object;
    file->object.stop = stop_file;
    KIRQL irql;
    KeAcquireSpinLock(&device->files_lock, &irql);
    InsertTailList(&device->files, &file->entry);
    KeReleaseSpinLock(&device->files_lock, irql);
    if (!device->file_config.EvtDeviceFileCreate)
        return complete_simple(irp, STATUS_SUCCESS);
    struct ntos_wdf_request *request = ntos_wdf_request_new(device, irp);
    if (!request) {
        ntos_wdf_delete(&file->object);
        return complete_simple(irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    IoMarkIrpPending(irp);
    device->file_config.EvtDeviceFileCreate((WDFDEVICE)device, (WDFREQUEST)request, (WDFFILEOBJECT)file);
    return STATUS_PENDING;
}

static NTSTATUS close_file(struct ntos_wdf_device *device, PIRP irp, UCHAR major, PFILE_OBJECT file_object)
{
    struct ntos_wdf_file *file = ntos_wdf_file_of(device, file_object);
    if (file && major == IRP_MJ_CLEANUP && device->file_config.EvtFileCleanup)
        device->file_config.EvtFileCleanup((WDFFILEOBJECT)file);
    if (file && major == IRP_MJ_CLOSE && device->file_config.EvtFileClose)
        device->file_config.EvtFileClose((WDFFILEOBJECT)file);
    if (file && major == IRP_MJ_CLOSE)
        ntos_wdf_delete(&file->object);
    return complete_simple(irp, STATUS_SUCCESS);
}

WDFDEVICE WdfFileObjectGetDevice(WDFFILEOBJECT handle)
{
    struct ntos_wdf_file *file = ntos_wdf_of("WdfFileObjectGetDevice", handle, NTOS_WDF_FILE);
    return (WDFDEVICE)file->device;
}

PFILE_OBJECT WdfFileObjectWdmGetFileObject(WDFFILEOBJECT handle)
{
    struct ntos_wdf_file *file = ntos_wdf_of("WdfFileObjectWdmGetFileObject", handle, NTOS_WDF_FILE);
    return file->file_object;
}

PUNICODE_STRING WdfFileObjectGetFileName(WDFFILEOBJECT handle)
{
    struct ntos_wdf_file *file = ntos_wdf_of("WdfFileObjectGetFileName", handle, NTOS_WDF_FILE);
    return &file->file_object->FileName;
}

// --- Dispatch ---

static NTSTATUS dispatch(struct ntos_wdf_device *device, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    UCHAR major = stack->MajorFunction;
    if (major == IRP_MJ_CREATE && !device->queues[IRP_MJ_CREATE])
        return create_file(device, irp, stack->FileObject);
    if (major == IRP_MJ_CLEANUP || major == IRP_MJ_CLOSE)
        return close_file(device, irp, major, stack->FileObject);
    struct ntos_wdf_queue *queue = major <= IRP_MJ_MAXIMUM_FUNCTION && device->queues[major] ? device->queues[major]
                                                                                               : device->default_queue;
    bool for_queues = major == IRP_MJ_CREATE || major == IRP_MJ_READ || major == IRP_MJ_WRITE ||
                      major == IRP_MJ_DEVICE_CONTROL || major == IRP_MJ_INTERNAL_DEVICE_CONTROL;
    if (!for_queues || !queue)
        return complete_simple(irp, STATUS_INVALID_DEVICE_REQUEST);
    struct ntos_wdf_request *request = ntos_wdf_request_new(device, irp);
    if (!request)
        return complete_simple(irp, STATUS_INSUFFICIENT_RESOURCES);
    IoMarkIrpPending(irp);
    ntos_wdf_queue_insert(queue, request);
    return STATUS_PENDING;
}

NTSTATUS ntos_wdf_dispatch(PDEVICE_OBJECT device_object, PIRP irp)
{
    struct ntos_wdf_device *device = device_of(device_object);
    UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
    if (device->preprocess[major]) {
        // The callback gets the IRP as if from above: it forwards or completes it.
        IoGetCurrentIrpStackLocation(irp)->DeviceObject = device_object;
        return device->preprocess[major]((WDFDEVICE)device, irp);
    }
    return dispatch(device, irp);
}

NTSTATUS WdfDeviceWdmDispatchPreprocessedIrp(WDFDEVICE handle, PIRP irp)
{
    struct ntos_wdf_device *device = ntos_wdf_of("WdfDeviceWdmDispatchPreprocessedIrp", handle, NTOS_WDF_DEVICE);
    // The driver has skipped its stack location to hand the request back: it is used again.
    IoSetNextIrpStackLocation(irp);
    IoGetCurrentIrpStackLocation(irp)->DeviceObject = device->device_object;
    return dispatch(device, irp);
}
