#include "ntos/device.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/utf16.h"
#include "ntos/object.h"
#include "ntos/verify.h"

struct name {
    LIST_ENTRY entry;
    UNICODE_STRING path;
    PDEVICE_OBJECT device;   // of a device name, borrowed
    UNICODE_STRING target;   // of a symbolic link
    const void *owner;       // who made the link
};

// Behind DEVICE_OBJECT.DeviceObjectExtension.
struct extension {
    PDEVICE_OBJECT attached_to;
    bool exclusive;
    bool deleted;
    WCHAR *sddl;
    LIST_ENTRY packets;  // waiting for IoStartNextPacket
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_ENTRY names = { &names, &names };
static unsigned name_count;

static void destroy_device(void *object)
{
    PDEVICE_OBJECT device = object;
    struct extension *extension = device->DeviceObjectExtension;
    ntos_device_timer_free(device);
    if (extension)
        free(extension->sddl);
    free(extension);
    free(device->DeviceExtension);
    ObDereferenceObject(device->DriverObject);
}

struct _OBJECT_TYPE ntos_device_type = { "Device", destroy_device };

// --- Names ---

static bool set_string(PUNICODE_STRING string, const WCHAR *first, size_t first_units, PCUNICODE_STRING second,
                       size_t skip_units)
{
    size_t units = first_units + second->Length / sizeof(WCHAR) - skip_units;
    if (units * sizeof(WCHAR) > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR))
        return false;
    string->Buffer = malloc((units + 1) * sizeof(WCHAR));
    if (!string->Buffer)
        return false;
    if (first_units)
        memcpy(string->Buffer, first, first_units * sizeof(WCHAR));
    if (units > first_units)
        memcpy(string->Buffer + first_units, second->Buffer + skip_units, (units - first_units) * sizeof(WCHAR));
    string->Buffer[units] = 0;
    string->Length = (USHORT)(units * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
    return true;
}

// A copy in which all names of the link directory are the same: \??\Name.
static bool canonical(PCUNICODE_STRING name, PUNICODE_STRING ret_name)
{
    static const UNICODE_STRING aliases[] = {
        RTL_CONSTANT_STRING(L"\\DosDevices\\Global\\"), RTL_CONSTANT_STRING(L"\\DosDevices\\"),
        RTL_CONSTANT_STRING(L"\\GLOBAL??\\"), RTL_CONSTANT_STRING(L"\\??\\Global\\"), RTL_CONSTANT_STRING(L"\\??\\"),
    };
    static const WCHAR directory[] = L"\\??\\";
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (RtlPrefixUnicodeString(&aliases[i], name, TRUE))
            return set_string(ret_name, directory, 4, name, aliases[i].Length / sizeof(WCHAR));
    return set_string(ret_name, directory, 0, name, 0);
}

static struct name *find_name(PCUNICODE_STRING path)
{
    for (PLIST_ENTRY entry = names.Flink; entry != &names; entry = entry->Flink) {
        struct name *name = CONTAINING_RECORD(entry, struct name, entry);
        if (RtlEqualUnicodeString(&name->path, path, TRUE))
            return name;
    }
    return NULL;
}

static void free_name(struct name *name)
{
    free(name->path.Buffer);
    free(name->target.Buffer);
    free(name);
}

static void remove_name(struct name *name)
{
    RemoveEntryList(&name->entry);
    name_count--;
    free_name(name);
}

static NTSTATUS add_name(PCUNICODE_STRING path, PDEVICE_OBJECT device, PCUNICODE_STRING target, const void *owner)
{
    if (path->Length < 2 * sizeof(WCHAR) || path->Buffer[0] != '\\')
        return STATUS_OBJECT_NAME_INVALID;
    struct name *name = calloc(1, sizeof(*name));
    if (!name || !canonical(path, &name->path) || (target && !canonical(target, &name->target))) {
        if (name)
            free_name(name);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    name->device = device;
    name->owner = owner;
    NTSTATUS status = STATUS_SUCCESS;
    pthread_mutex_lock(&lock);
    if (find_name(&name->path)) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else if (name_count >= NTOS_NAMES_MAX) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        InsertTailList(&names, &name->entry);
        name_count++;
    }
    pthread_mutex_unlock(&lock);
    if (!NT_SUCCESS(status))
        free_name(name);
    return status;
}

// The longest name that is `path` or a directory above it.
static struct name *find_prefix(PCUNICODE_STRING path)
{
    UNICODE_STRING part = *path;
    for (;;) {
        struct name *name = find_name(&part);
        if (name)
            return name;
        do {
            if (part.Length < 2 * sizeof(WCHAR))
                return NULL;
            part.Length -= sizeof(WCHAR);
        } while (part.Buffer[part.Length / sizeof(WCHAR)] != '\\');
    }
}

// A link may lead to a link; a chain this long is a circle.
#define LINKS_MAX 8

PDEVICE_OBJECT ntos_device_find(PCUNICODE_STRING name, PUNICODE_STRING ret_rest)
{
    UNICODE_STRING path;
    if (!canonical(name, &path))
        return NULL;
    PDEVICE_OBJECT device = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < LINKS_MAX; i++) {
        struct name *found = find_prefix(&path);
        if (!found)
            break;
        if (found->device) {
            device = found->device;
            ObReferenceObject(device);
            UNICODE_STRING rest = { (USHORT)(path.Length - found->path.Length), 0,
                                    path.Buffer + found->path.Length / sizeof(WCHAR) };
            RtlCopyUnicodeString(ret_rest, &rest);
            break;
        }
        UNICODE_STRING next;
        bool joined = set_string(&next, found->target.Buffer, found->target.Length / sizeof(WCHAR), &path,
                                 found->path.Length / sizeof(WCHAR));
        if (!joined)
            break;
        free(path.Buffer);
        path = next;
    }
    pthread_mutex_unlock(&lock);
    free(path.Buffer);
    return device;
}

NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING link, PUNICODE_STRING device)
{
    if (!ntos_irql_at_most("IoCreateSymbolicLink", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return add_name(link, NULL, device, __builtin_return_address(0));
}

NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING link)
{
    if (!ntos_irql_at_most("IoDeleteSymbolicLink", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    UNICODE_STRING path;
    if (!canonical(link, &path))
        return STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&lock);
    struct name *name = find_name(&path);
    bool found = name && !name->device;
    if (found)
        remove_name(name);
    pthread_mutex_unlock(&lock);
    free(path.Buffer);
    return found ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

// --- Devices ---

static struct extension *extension_of(PDEVICE_OBJECT device)
{
    return device->DeviceObjectExtension;
}

static PDEVICE_OBJECT device_new(PDRIVER_OBJECT driver, ULONG extension_size, DEVICE_TYPE type, ULONG characteristics,
                                 BOOLEAN exclusive)
{
    PDEVICE_OBJECT device = ntos_object_new(&ntos_device_type, sizeof(DEVICE_OBJECT));
    struct extension *extension = calloc(1, sizeof(*extension));
    void *driver_extension = extension_size ? calloc(1, extension_size) : NULL;
    if (device) {
        ObReferenceObject(driver);
        device->DriverObject = driver;
        device->DeviceExtension = driver_extension;
        device->DeviceObjectExtension = extension;
    }
    if (!device || !extension || (extension_size && !driver_extension)) {
        if (device) {
            ObDereferenceObject(device);
        } else {
            free(extension);
            free(driver_extension);
        }
        return NULL;
    }
    device->Type = IO_TYPE_DEVICE;
    device->Size = (USHORT)(sizeof(DEVICE_OBJECT) + extension_size);
    device->Flags = DO_DEVICE_INITIALIZING | (exclusive ? DO_EXCLUSIVE : 0);
    device->Characteristics = characteristics;
    device->DeviceType = type;
    device->StackSize = 1;
    extension->exclusive = exclusive;
    InitializeListHead(&extension->packets);
    KeInitializeEvent(&device->DeviceLock, SynchronizationEvent, TRUE);
    return device;
}

static NTSTATUS create_device(const char *function, PDRIVER_OBJECT driver, ULONG extension_size, PUNICODE_STRING name,
                              DEVICE_TYPE type, ULONG characteristics, BOOLEAN exclusive, PCUNICODE_STRING sddl,
                              PDEVICE_OBJECT *ret_device)
{
    *ret_device = NULL;
    if (!ntos_irql_at_most(function, APC_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PDEVICE_OBJECT device = device_new(driver, extension_size, type, characteristics, exclusive);
    if (!device)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (name && name->Length > 0) {
        NTSTATUS status = add_name(name, device, NULL, NULL);
        if (!NT_SUCCESS(status)) {
            ObDereferenceObject(device);
            return status;
        }
        device->Flags |= DO_DEVICE_HAS_NAME;
    }
    UNICODE_STRING copy;
    if (sddl && set_string(&copy, NULL, 0, sddl, 0))
        extension_of(device)->sddl = copy.Buffer;
    pthread_mutex_lock(&lock);
    device->NextDevice = driver->DeviceObject;
    driver->DeviceObject = device;
    pthread_mutex_unlock(&lock);
    *ret_device = device;
    return STATUS_SUCCESS;
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT driver, ULONG extension_size, PUNICODE_STRING name, DEVICE_TYPE type,
                        ULONG characteristics, BOOLEAN exclusive, PDEVICE_OBJECT *device)
{
    return create_device("IoCreateDevice", driver, extension_size, name, type, characteristics, exclusive, NULL,
                         device);
}

NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT driver, ULONG extension_size, PUNICODE_STRING name, DEVICE_TYPE type,
                              ULONG characteristics, BOOLEAN exclusive, PCUNICODE_STRING sddl, LPCGUID class_guid,
                              PDEVICE_OBJECT *device)
{
    return create_device("IoCreateDeviceSecure", driver, extension_size, name, type, characteristics, exclusive, sddl,
                         device);
}

VOID IoDeleteDevice(PDEVICE_OBJECT device)
{
    if (!ntos_irql_at_most("IoDeleteDevice", APC_LEVEL))
        return;
    pthread_mutex_lock(&lock);
    bool again = extension_of(device)->deleted;
    extension_of(device)->deleted = true;
    for (PLIST_ENTRY entry = names.Flink; entry != &names && !again; entry = entry->Flink) {
        struct name *name = CONTAINING_RECORD(entry, struct name, entry);
        if (name->device != device)
            continue;
        remove_name(name);
        break;
    }
    for (PDEVICE_OBJECT *at = &device->DriverObject->DeviceObject; *at && !again; at = &(*at)->NextDevice) {
        if (*at != device)
            continue;
        *at = device->NextDevice;
        break;
    }
    pthread_mutex_unlock(&lock);
    if (again) {
        ntos_violation("IoDeleteDevice", "the device was deleted before");
        return;
    }
    ObDereferenceObject(device);
}

bool ntos_device_open(PDEVICE_OBJECT device)
{
    pthread_mutex_lock(&lock);
    struct extension *extension = extension_of(device);
    bool usable = !extension->deleted && !(device->Flags & DO_DEVICE_INITIALIZING) &&
                  !(extension->exclusive && device->ReferenceCount > 0);
    if (usable)
        device->ReferenceCount++;
    pthread_mutex_unlock(&lock);
    return usable;
}

void ntos_device_close(PDEVICE_OBJECT device)
{
    pthread_mutex_lock(&lock);
    device->ReferenceCount--;
    pthread_mutex_unlock(&lock);
}

unsigned ntos_devices_open(PDRIVER_OBJECT driver)
{
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (PDEVICE_OBJECT device = driver->DeviceObject; device; device = device->NextDevice)
        count += (unsigned)device->ReferenceCount;
    pthread_mutex_unlock(&lock);
    return count;
}

void ntos_devices_ready(PDRIVER_OBJECT driver)
{
    pthread_mutex_lock(&lock);
    for (PDEVICE_OBJECT device = driver->DeviceObject; device; device = device->NextDevice)
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    pthread_mutex_unlock(&lock);
}

static bool take_link(const void *start, const void *end, char **ret_text)
{
    pthread_mutex_lock(&lock);
    bool found = false;
    for (PLIST_ENTRY entry = names.Flink; entry != &names && !found; entry = entry->Flink) {
        struct name *name = CONTAINING_RECORD(entry, struct name, entry);
        if (name->device || (const char *)name->owner < (const char *)start ||
            (const char *)name->owner >= (const char *)end)
            continue;
        found = true;
        *ret_text = wall_utf16_new_utf8(name->path.Buffer);
        remove_name(name);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

unsigned ntos_devices_sweep(PDRIVER_OBJECT driver, const void *start, const void *end)
{
    unsigned count = 0;
    for (char *text; take_link(start, end, &text); count++) {
        ntos_leak("IoDeleteSymbolicLink", "the symbolic link %s was not deleted", text ? text : "?");
        free(text);
    }
    for (PDEVICE_OBJECT device; (device = driver->DeviceObject); count++) {
        ntos_leak("IoDeleteDevice", "a device of type 0x%x was not deleted", device->DeviceType);
        IoDeleteDevice(device);
    }
    return count;
}

// --- Device stacks ---

PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT device)
{
    pthread_mutex_lock(&lock);
    while (device->AttachedDevice)
        device = device->AttachedDevice;
    ObReferenceObject(device);
    pthread_mutex_unlock(&lock);
    return device;
}

PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT source, PDEVICE_OBJECT target)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(target);
    pthread_mutex_lock(&lock);
    top->AttachedDevice = source;
    source->StackSize = (CCHAR)(top->StackSize + 1);
    extension_of(source)->attached_to = top;
    pthread_mutex_unlock(&lock);
    ObDereferenceObject(top);
    return top;
}

NTSTATUS IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT source, PDEVICE_OBJECT target, PDEVICE_OBJECT *attached)
{
    *attached = IoAttachDeviceToDeviceStack(source, target);
    return *attached ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

VOID IoDetachDevice(PDEVICE_OBJECT target)
{
    pthread_mutex_lock(&lock);
    if (target->AttachedDevice)
        extension_of(target->AttachedDevice)->attached_to = NULL;
    target->AttachedDevice = NULL;
    pthread_mutex_unlock(&lock);
}

PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT file)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(file->DeviceObject);
    ObDereferenceObject(top);
    return top;
}

NTSTATUS IoRegisterShutdownNotification(PDEVICE_OBJECT device)
{
    device->Flags |= DO_SHUTDOWN_REGISTERED;
    return STATUS_SUCCESS;
}

VOID IoUnregisterShutdownNotification(PDEVICE_OBJECT device)
{
    device->Flags &= ~(ULONG)DO_SHUTDOWN_REGISTERED;
}

NTSTATUS ntos_invalid_request(PDEVICE_OBJECT device, PIRP irp)
{
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

// --- One request at a time: DriverStartIo ---

VOID IoStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel)
{
    if (cancel)
        (void)IoSetCancelRoutine(irp, cancel);
    pthread_mutex_lock(&lock);
    bool idle = !device->CurrentIrp;
    if (idle)
        device->CurrentIrp = irp;
    else
        InsertTailList(&extension_of(device)->packets, &irp->Tail.Overlay.ListEntry);
    pthread_mutex_unlock(&lock);
    if (!idle)
        return;
    KIRQL old_irql;
    KeRaiseIrql(DISPATCH_LEVEL, &old_irql);
    device->DriverObject->DriverStartIo(device, irp);
    KeLowerIrql(old_irql);
}

VOID IoStartNextPacket(PDEVICE_OBJECT device, BOOLEAN cancelable)
{
    pthread_mutex_lock(&lock);
    LIST_ENTRY *packets = &extension_of(device)->packets;
    PIRP irp = IsListEmpty(packets) ? NULL : CONTAINING_RECORD(RemoveHeadList(packets), IRP, Tail.Overlay.ListEntry);
    device->CurrentIrp = irp;
    pthread_mutex_unlock(&lock);
    if (irp)
        device->DriverObject->DriverStartIo(device, irp);
}
