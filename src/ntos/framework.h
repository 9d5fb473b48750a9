// Framework objects from the inside. A handle is the address of a structure that begins with struct ntos_wdf_object.
#pragma once

#include <stdbool.h>

#include <wdf.h>

#include "ntos/verify.h"

enum ntos_wdf_type {
    NTOS_WDF_GENERAL = 1,
    NTOS_WDF_DRIVER,
    NTOS_WDF_DEVICE,
    NTOS_WDF_QUEUE,
    NTOS_WDF_REQUEST,
    NTOS_WDF_FILE,
    NTOS_WDF_MEMORY,
    NTOS_WDF_KEY,
    NTOS_WDF_STRING,
    NTOS_WDF_COLLECTION,
    NTOS_WDF_SPIN_LOCK,
    NTOS_WDF_WAIT_LOCK,
    NTOS_WDF_TIMER,
    NTOS_WDF_DPC,
    NTOS_WDF_WORK_ITEM,
};

struct ntos_wdf_context;

struct ntos_wdf_object {
    ULONG magic;
    enum ntos_wdf_type type;
    LONG references;
    bool deleted;
    struct ntos_wdf_object *parent;
    LIST_ENTRY children;  // of struct ntos_wdf_object, by `sibling`
    LIST_ENTRY sibling;
    struct ntos_wdf_context *contexts;
    PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup;
    PFN_WDF_OBJECT_CONTEXT_DESTROY destroy;
    // Of the type: stops what the object does (before cleanup), and frees what it owns (at the last reference).
    void (*stop)(struct ntos_wdf_object *object);
    void (*release)(struct ntos_wdf_object *object);
    KSPIN_LOCK lock;  // of WdfObjectAcquireLock
    KIRQL lock_irql;
};

struct ntos_wdf_driver {
    struct ntos_wdf_object object;
    PDRIVER_OBJECT driver_object;
    UNICODE_STRING registry_path;
    WDF_DRIVER_CONFIG config;
};

// A new object of `size` bytes below the parent of the attributes, else below `parent`, else below the
// driver. The caller
// fills it and sets stop and release. NULL: no memory.
void *ntos_wdf_new(enum ntos_wdf_type type, size_t size, const WDF_OBJECT_ATTRIBUTES *attributes,
                   struct ntos_wdf_object *parent);
// The object behind a handle; a bug check when it is not one of this type (0: any).
void *ntos_wdf_of(const char *function, WDFOBJECT handle, enum ntos_wdf_type type);
// Like WdfObjectDelete, for any thread at any IRQL, also of objects that drivers may not delete.
void ntos_wdf_delete(struct ntos_wdf_object *object);
// The nearest object of a type from `object` upwards, or NULL.
void *ntos_wdf_above(struct ntos_wdf_object *object, enum ntos_wdf_type type);

// The framework driver of a driver object, or NULL.
struct ntos_wdf_driver *ntos_wdf_driver_of(PDRIVER_OBJECT driver_object);
// Takes back what a DriverEntry made that failed after WdfDriverCreate.
void ntos_wdf_abandon(PDRIVER_OBJECT driver_object);

// The dispatch routine of all framework devices.
NTSTATUS ntos_wdf_dispatch(PDEVICE_OBJECT device, PIRP irp);
// What DriverExtension->AddDevice of a framework driver is; ntos_driver_load() calls it with no device.
NTSTATUS ntos_wdf_add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT device);
// The init structure for EvtDriverDeviceAdd.
PWDFDEVICE_INIT ntos_wdf_init_new(struct ntos_wdf_driver *driver, bool control, const UNICODE_STRING *sddl);
// After EvtDriverDeviceAdd, which may or may not have used it up.
void ntos_wdf_init_finish(PWDFDEVICE_INIT init);

// --- Devices, queues and requests to each other ---

struct ntos_wdf_queue;
struct ntos_wdf_file;

struct ntos_wdf_device {
    struct ntos_wdf_object object;
    struct ntos_wdf_driver *driver;
    PDEVICE_OBJECT device_object;
    UNICODE_STRING name, link;  // empty: none
    WDF_FILEOBJECT_CONFIG file_config;
    WDF_OBJECT_ATTRIBUTES file_attributes, request_attributes;  // Size 0: none
    struct ntos_wdf_queue *default_queue;
    struct ntos_wdf_queue *queues[IRP_MJ_MAXIMUM_FUNCTION + 1];  // by WDF_REQUEST_TYPE
    PFN_WDFDEVICE_WDM_IRP_PREPROCESS preprocess[IRP_MJ_MAXIMUM_FUNCTION + 1];
    LIST_ENTRY files;
    KSPIN_LOCK files_lock;
};

struct ntos_wdf_file {
    struct ntos_wdf_object object;
    struct ntos_wdf_device *device;
    PFILE_OBJECT file_object;
    LIST_ENTRY entry;
};

struct ntos_wdf_request {
    struct ntos_wdf_object object;
    struct ntos_wdf_device *device;
    struct ntos_wdf_queue *queue;  // whose driver's callback has it, or in which it waits
    struct ntos_wdf_file *file;
    PIRP irp;
    LIST_ENTRY entry;  // in the queue while it waits
    ULONG_PTR information;
    PFN_WDF_REQUEST_CANCEL cancel;
    struct ntos_wdf_object *input, *output;  // WDFMEMORY
    bool completed;
};

// A request object for an IRP that has just been sent to the device; NULL: no memory.
struct ntos_wdf_request *ntos_wdf_request_new(struct ntos_wdf_device *device, PIRP irp);
// Completes the IRP without a request object. Returns `status`.
NTSTATUS ntos_wdf_complete_irp(PIRP irp, NTSTATUS status, ULONG_PTR information);
// Gives a new request to a queue, which completes or delivers it.
void ntos_wdf_queue_insert(struct ntos_wdf_queue *queue, struct ntos_wdf_request *request);
// The driver is done with a request of this queue: the next one may come.
void ntos_wdf_queue_leave(struct ntos_wdf_queue *queue);
struct ntos_wdf_file *ntos_wdf_file_of(struct ntos_wdf_device *device, PFILE_OBJECT file_object);
