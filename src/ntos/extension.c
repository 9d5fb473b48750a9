// What hangs on driver and device objects: driver extensions, device timers, device DPCs.
#include <stdlib.h>

#include <wdm.h>

#include "ntos/device.h"
#include "ntos/dispatcher.h"
#include "ntos/driver.h"
#include "ntos/object.h"
#include "ntos/verify.h"

// --- Driver extensions: one for each client id, freed with the driver object ---

struct driver_extension {
    struct driver_extension *next;
    PVOID id;
    max_align_t data[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct driver_extension **extensions_of(PDRIVER_OBJECT driver)
{
    return (struct driver_extension **)&((struct ntos_driver *)driver->DriverSection)->extensions;
}

static struct driver_extension *find(PDRIVER_OBJECT driver, PVOID id)
{
    struct driver_extension *at = *extensions_of(driver);
    while (at && at->id != id)
        at = at->next;
    return at;
}

NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT driver, PVOID id, ULONG size, PVOID *extension)
{
    *extension = NULL;
    struct driver_extension *made = calloc(1, sizeof(*made) + size);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->id = id;
    pthread_mutex_lock(&lock);
    bool taken = find(driver, id) != NULL;
    if (!taken) {
        made->next = *extensions_of(driver);
        *extensions_of(driver) = made;
    }
    pthread_mutex_unlock(&lock);
    if (taken) {
        free(made);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *extension = made->data;
    return STATUS_SUCCESS;
}

PVOID IoGetDriverObjectExtension(PDRIVER_OBJECT driver, PVOID id)
{
    pthread_mutex_lock(&lock);
    struct driver_extension *found = find(driver, id);
    pthread_mutex_unlock(&lock);
    return found ? found->data : NULL;
}

void ntos_extensions_free(struct ntos_driver *driver)
{
    for (struct driver_extension *at = driver->extensions, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    driver->extensions = NULL;
}

// --- Device DPCs ---

static VOID run_device_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PDEVICE_OBJECT device = CONTAINING_RECORD(dpc, DEVICE_OBJECT, Dpc);
    (__extension__(PIO_DPC_ROUTINE) context)(dpc, device, argument1, argument2);
}

VOID IoInitializeDpcRequest(PDEVICE_OBJECT device, PIO_DPC_ROUTINE routine)
{
    KeInitializeDpc(&device->Dpc, run_device_dpc, __extension__(PVOID) routine);
}

// --- Device timers: once a second, at DISPATCH_LEVEL ---

#define DEVICE_TIMER_MS 1000

struct device_timer {
    KTIMER timer;
    KDPC dpc;
    PDEVICE_OBJECT device;
    PIO_TIMER_ROUTINE routine;
    PVOID context;
};

static VOID run_device_timer(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct device_timer *timer = context;
    timer->routine(timer->device, timer->context);
}

NTSTATUS IoInitializeTimer(PDEVICE_OBJECT device, PIO_TIMER_ROUTINE routine, PVOID context)
{
    if (device->Timer)
        return STATUS_UNSUCCESSFUL;
    struct device_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(&timer->timer);
    KeInitializeDpc(&timer->dpc, run_device_timer, timer);
    timer->device = device;
    timer->routine = routine;
    timer->context = context;
    device->Timer = timer;
    return STATUS_SUCCESS;
}

VOID IoStartTimer(PDEVICE_OBJECT device)
{
    struct device_timer *timer = device->Timer;
    LARGE_INTEGER due = { .QuadPart = -(LONGLONG)DEVICE_TIMER_MS * 10000 };
    (void)KeSetTimerEx(&timer->timer, due, DEVICE_TIMER_MS, &timer->dpc);
}

VOID IoStopTimer(PDEVICE_OBJECT device)
{
    struct device_timer *timer = device->Timer;
    (void)KeCancelTimer(&timer->timer);
}

void ntos_device_timer_free(PDEVICE_OBJECT device)
{
    struct device_timer *timer = device->Timer;
    if (!timer)
        return;
    (void)KeCancelTimer(&timer->timer);
    (void)KeRemoveQueueDpcEx(&timer->dpc, TRUE);
    free(timer);
    device->Timer = NULL;
}

// --- Devices by name ---

// The file object stands for an open that the caller ends with ObDereferenceObject.
NTSTATUS IoGetDeviceObjectPointer(PUNICODE_STRING name, ACCESS_MASK access, PFILE_OBJECT *file,
                                  PDEVICE_OBJECT *ret_device)
{
    if (!ntos_irql_at_most("IoGetDeviceObjectPointer", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    UNICODE_STRING rest = { 0, name->MaximumLength, malloc(name->MaximumLength ? name->MaximumLength : 1) };
    if (!rest.Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    PDEVICE_OBJECT device = ntos_device_find(name, &rest);
    PFILE_OBJECT object = device ? ntos_object_new(&ntos_file_type, sizeof(FILE_OBJECT)) : NULL;
    if (!object) {
        free(rest.Buffer);
        if (device)
            ObDereferenceObject(device);
        return device ? STATUS_INSUFFICIENT_RESOURCES : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    object->Type = IO_TYPE_FILE;
    object->Size = sizeof(FILE_OBJECT);
    object->DeviceObject = device;
    object->FileName = rest;
    *file = object;
    *ret_device = device;
    return STATUS_SUCCESS;
}
