// What drivers call instead of ntoskrnl's own: counting, checking and failing, then the real function.
#include <ntifs.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "csq.h"
#include "packet.h"

#define LINE_MAX 512  // DbgPrint of Windows delivers no more

#define SECURED_MAX 16

// The one handle ObOpenObjectByPointer() gives out: no real one has this value.
#define OBJECT_HANDLE ((HANDLE)(ULONG_PTR)0xBED00000)

static const void *secured[SECURED_MAX];
static const void *opened_object;

// --- Debug output ---

static ULONG print(const CHAR *format, va_list arguments)
{
    CHAR line[LINE_MAX];
    if (bed_irql() > PASSIVE_LEVEL && (strstr(format, "%S") || strstr(format, "%ws") || strstr(format, "%wZ")))
        bed_violation("DbgPrint converts wide characters at IRQL %u", bed_irql());
    int length = _vsnprintf(line, sizeof(line) - 1, format, arguments);
    line[length < 0 ? (int)sizeof(line) - 1 : length] = '\0';
    bed_lines_add(line);
    return STATUS_SUCCESS;
}

static ULONG __cdecl bed_DbgPrint(PCSTR format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ULONG status = print(format, arguments);
    va_end(arguments);
    return status;
}

static ULONG __cdecl bed_DbgPrintEx(ULONG component, ULONG level, PCSTR format, ...)
{
    va_list arguments;
    UNREFERENCED_PARAMETER(component);
    UNREFERENCED_PARAMETER(level);
    va_start(arguments, format);
    ULONG status = print(format, arguments);
    va_end(arguments);
    return status;
}

// --- Devices and names ---

static NTSTATUS NTAPI bed_IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, DEVICE_TYPE type,
                                         ULONG characteristics, BOOLEAN exclusive, DEVICE_OBJECT **device)
{
    bed_expect_irql("IoCreateDevice", APC_LEVEL);
    if (bed_fault("IoCreateDevice"))
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = IoCreateDevice(driver, extension, name, type, characteristics, exclusive, device);
    if (NT_SUCCESS(status))
        bed_count(BED_DEVICES, 1);
    return status;
}

static VOID NTAPI bed_IoDeleteDevice(DEVICE_OBJECT *device)
{
    bed_expect_irql("IoDeleteDevice", APC_LEVEL);
    bed_count(BED_DEVICES, -1);
    for (ULONG i = 0; i < SECURED_MAX; i++)
        if (secured[i] == device)
            secured[i] = NULL;
    IoDeleteDevice(device);
}

static NTSTATUS NTAPI bed_IoCreateSymbolicLink(UNICODE_STRING *link, UNICODE_STRING *device)
{
    bed_expect_irql("IoCreateSymbolicLink", PASSIVE_LEVEL);
    if (bed_fault("IoCreateSymbolicLink"))
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = IoCreateSymbolicLink(link, device);
    if (NT_SUCCESS(status))
        bed_count(BED_LINKS, 1);
    return status;
}

static NTSTATUS NTAPI bed_IoDeleteSymbolicLink(UNICODE_STRING *link)
{
    bed_expect_irql("IoDeleteSymbolicLink", PASSIVE_LEVEL);
    NTSTATUS status = IoDeleteSymbolicLink(link);
    if (NT_SUCCESS(status))
        bed_count(BED_LINKS, -1);
    return status;
}

// --- Security of devices: Wine's have none; the access list is checked and forgotten ---

bool bed_device_is_secured(const void *object)
{
    for (ULONG i = 0; object && i < SECURED_MAX; i++)
        if (secured[i] == object)
            return true;
    return false;
}

uint32_t bed_devices_secured(void)
{
    uint32_t count = 0;
    for (ULONG i = 0; i < SECURED_MAX; i++)
        count += secured[i] != NULL;
    return count;
}

static bool is_system_or_administrators(const SID *sid)
{
    static const UCHAR system[] = { 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0 };
    static const UCHAR administrators[] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0 };
    return RtlEqualMemory(sid, system, sizeof(system)) || RtlEqualMemory(sid, administrators, sizeof(administrators));
}

void bed_device_secured(const void *object, const void *acl, uint32_t size)
{
    const ACL *list = acl;
    ULONG place = 0;
    if (size < sizeof(*list) || list->AceCount == 0)
        bed_violation("a device's access list is empty");
    const ACE_HEADER *entry = (const void *)(list + 1);
    for (ULONG i = 0; i < list->AceCount; i++) {
        if (entry->AceType != ACCESS_ALLOWED_ACE_TYPE ||
            !is_system_or_administrators((const void *)&((const ACCESS_ALLOWED_ACE *)(const void *)entry)->SidStart))
            bed_violation("a device lets in others than the system and the administrators");
        entry = (const void *)((const UCHAR *)entry + entry->AceSize);
    }
    while (place < SECURED_MAX && secured[place])
        place++;
    if (place < SECURED_MAX)
        secured[place] = object;
}

static NTSTATUS NTAPI bed_ObOpenObjectByPointer(PVOID object, ULONG attributes, PACCESS_STATE state, ACCESS_MASK access,
                                                POBJECT_TYPE type, KPROCESSOR_MODE mode, PHANDLE handle)
{
    UNREFERENCED_PARAMETER(state);
    UNREFERENCED_PARAMETER(access);
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(mode);
    bed_expect_irql("ObOpenObjectByPointer", PASSIVE_LEVEL);
    if (!(attributes & OBJ_KERNEL_HANDLE))
        bed_violation("ObOpenObjectByPointer without OBJ_KERNEL_HANDLE");
    if (bed_fault("ObOpenObjectByPointer"))
        return STATUS_INSUFFICIENT_RESOURCES;
    bed_count(BED_HANDLES, 1);
    opened_object = object;
    *handle = OBJECT_HANDLE;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI bed_ZwSetSecurityObject(HANDLE handle, SECURITY_INFORMATION information,
                                              PSECURITY_DESCRIPTOR descriptor)
{
    BOOLEAN present = FALSE, defaulted;
    ACL *dacl = NULL;
    bed_expect_irql("ZwSetSecurityObject", PASSIVE_LEVEL);
    if (bed_fault("ZwSetSecurityObject"))
        return STATUS_ACCESS_DENIED;
    NTSTATUS status = RtlGetDaclSecurityDescriptor(descriptor, &present, &dacl, &defaulted);
    if (handle != OBJECT_HANDLE)
        bed_violation("ZwSetSecurityObject of a handle that is no device's");
    if (NT_SUCCESS(status) && (information & DACL_SECURITY_INFORMATION) && present && dacl)
        bed_device_secured(opened_object, dacl, dacl->AclSize);
    return status;
}

// --- Handles ---

static NTSTATUS NTAPI bed_ZwOpenKey(HANDLE *key, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes)
{
    bed_expect_irql("ZwOpenKey", PASSIVE_LEVEL);
    if (!(attributes->Attributes & OBJ_KERNEL_HANDLE))
        bed_violation("ZwOpenKey without OBJ_KERNEL_HANDLE");
    if (bed_fault("ZwOpenKey"))
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ZwOpenKey(key, access, attributes);
    if (NT_SUCCESS(status))
        bed_count(BED_HANDLES, 1);
    return status;
}

static NTSTATUS NTAPI bed_ZwQueryValueKey(HANDLE key, UNICODE_STRING *name, KEY_VALUE_INFORMATION_CLASS class,
                                          PVOID information, ULONG size, ULONG *needed)
{
    bed_expect_irql("ZwQueryValueKey", PASSIVE_LEVEL);
    if (bed_fault("ZwQueryValueKey"))
        return STATUS_INSUFFICIENT_RESOURCES;
    return ZwQueryValueKey(key, name, class, information, size, needed);
}

static NTSTATUS NTAPI bed_ZwClose(HANDLE handle)
{
    bed_expect_irql("ZwClose", PASSIVE_LEVEL);
    bed_count(BED_HANDLES, -1);
    return handle == OBJECT_HANDLE ? STATUS_SUCCESS : ZwClose(handle);
}

// --- Memory ---

static PVOID NTAPI bed_ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    bed_expect_irql("ExAllocatePoolWithTag", (type & 1) ? APC_LEVEL : DISPATCH_LEVEL);
    if (type == NonPagedPool)
        bed_violation("ExAllocatePoolWithTag(NonPagedPool): executable memory");
    if (bed_fault("ExAllocatePoolWithTag"))
        return NULL;
    PVOID memory = ExAllocatePoolWithTag(NonPagedPool, size, tag);
    if (memory)
        bed_count(BED_ALLOCATIONS, 1);
    return memory;
}

static VOID NTAPI bed_ExFreePoolWithTag(PVOID memory, ULONG tag)
{
    bed_expect_irql("ExFreePoolWithTag", DISPATCH_LEVEL);
    bed_count(BED_ALLOCATIONS, -1);
    ExFreePoolWithTag(memory, tag);
}

static VOID NTAPI bed_ExFreePool(PVOID memory)
{
    bed_count(BED_ALLOCATIONS, -1);
    ExFreePool(memory);
}

// --- Locks: Wine's spin locks know no IRQL ---

static KIRQL NTAPI bed_KeAcquireSpinLockRaiseToDpc(KSPIN_LOCK *lock)
{
    KIRQL before = bed_irql_set(DISPATCH_LEVEL);
    if (before > DISPATCH_LEVEL)
        bed_violation("spin lock taken at IRQL %u", before);
    KeAcquireSpinLockAtDpcLevel(lock);
    return before;
}

static VOID NTAPI bed_KeReleaseSpinLock(KSPIN_LOCK *lock, KIRQL irql)
{
    if (bed_irql() != DISPATCH_LEVEL)
        bed_violation("spin lock released at IRQL %u", bed_irql());
    KeReleaseSpinLockFromDpcLevel(lock);
    bed_irql_set(irql);
}

static KIRQL NTAPI bed_KeGetCurrentIrql(VOID)
{
    return bed_irql();
}

static KIRQL NTAPI bed_KfRaiseIrql(KIRQL irql)
{
    return bed_irql_set(irql);
}

static VOID NTAPI bed_KeLowerIrql(KIRQL irql)
{
    bed_irql_set(irql);
}

// --- Requests ---

static VOID FASTCALL bed_IofCompleteRequest(IRP *irp, CCHAR boost)
{
    bed_expect_irql("IoCompleteRequest", DISPATCH_LEVEL);
    // Completion is the host's: it knows no IRQL.
    UINT8 irql = bed_irql_set(PASSIVE_LEVEL);
    IofCompleteRequest(irp, boost);
    bed_irql_set(irql);
}

// --- Waiting and working ---

static NTSTATUS NTAPI bed_KeWaitForMultipleObjects(ULONG count, PVOID *objects, WAIT_TYPE type, KWAIT_REASON reason,
                                                   KPROCESSOR_MODE mode, BOOLEAN alertable, LARGE_INTEGER *timeout,
                                                   KWAIT_BLOCK *blocks)
{
    if (bed_irql() >= DISPATCH_LEVEL && !(timeout && timeout->QuadPart == 0))
        bed_violation("KeWaitForMultipleObjects() waits at IRQL %u", bed_irql());
    return KeWaitForMultipleObjects(count, objects, type, reason, mode, alertable, timeout, blocks);
}

static NTSTATUS NTAPI bed_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode,
                                                BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    if (bed_irql() >= DISPATCH_LEVEL && !(timeout && timeout->QuadPart == 0))
        bed_violation("KeWaitForSingleObject() waits at IRQL %u", bed_irql());
    return KeWaitForSingleObject(object, reason, mode, alertable, timeout);
}

static PIO_WORKITEM NTAPI bed_IoAllocateWorkItem(DEVICE_OBJECT *device)
{
    if (bed_fault("IoAllocateWorkItem"))
        return NULL;
    PIO_WORKITEM item = IoAllocateWorkItem(device);
    if (item)
        bed_count(BED_WORK_ITEMS, 1);
    return item;
}

static VOID NTAPI bed_IoFreeWorkItem(PIO_WORKITEM item)
{
    bed_count(BED_WORK_ITEMS, -1);
    IoFreeWorkItem(item);
}

static NTSTATUS NTAPI bed_PsCreateSystemThread(HANDLE *thread, ULONG access, OBJECT_ATTRIBUTES *attributes,
                                               HANDLE process, CLIENT_ID *client, PKSTART_ROUTINE routine,
                                               PVOID context)
{
    bed_expect_irql("PsCreateSystemThread", PASSIVE_LEVEL);
    if (bed_fault("PsCreateSystemThread"))
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = PsCreateSystemThread(thread, access, attributes, process, client, routine, context);
    if (NT_SUCCESS(status))
        bed_count(BED_HANDLES, 1);
    return status;
}

static NTSTATUS NTAPI bed_ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
                                                    KPROCESSOR_MODE mode, PVOID *object,
                                                    POBJECT_HANDLE_INFORMATION information)
{
    bed_expect_irql("ObReferenceObjectByHandle", PASSIVE_LEVEL);
    if (bed_fault("ObReferenceObjectByHandle"))
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ObReferenceObjectByHandle(handle, access, type, mode, object, information);
    if (NT_SUCCESS(status))
        bed_count(BED_HANDLES, 1);
    return status;
}

static LONG_PTR FASTCALL bed_ObfDereferenceObject(PVOID object)
{
    bed_count(BED_HANDLES, -1);
    return ObfDereferenceObject(object);
}

#define THUNK(name) { #name, (void *)bed_##name }

static const struct {
    const char *name;
    void *function;
} thunks[] = {
    THUNK(DbgPrint),
    THUNK(DbgPrintEx),
    THUNK(ExAllocatePoolWithTag),
    THUNK(ExFreePool),
    THUNK(ExFreePoolWithTag),
    THUNK(IoAllocateWorkItem),
    THUNK(IoCreateDevice),
    THUNK(IoCreateSymbolicLink),
    THUNK(IoCsqInitialize),
    THUNK(IoCsqInsertIrp),
    THUNK(IoCsqRemoveNextIrp),
    THUNK(IoDeleteDevice),
    THUNK(IoDeleteSymbolicLink),
    THUNK(IoFreeWorkItem),
    THUNK(IofCompleteRequest),
    THUNK(KeAcquireSpinLockRaiseToDpc),
    THUNK(KeGetCurrentIrql),
    THUNK(KeLowerIrql),
    THUNK(KeReleaseSpinLock),
    THUNK(KeWaitForMultipleObjects),
    THUNK(KeWaitForSingleObject),
    THUNK(KfRaiseIrql),
    THUNK(NdisAdvanceNetBufferListDataStart),
    THUNK(NdisRetreatNetBufferListDataStart),
    THUNK(ObOpenObjectByPointer),
    THUNK(ObReferenceObjectByHandle),
    THUNK(ObfDereferenceObject),
    THUNK(PsCreateSystemThread),
    THUNK(ZwClose),
    THUNK(ZwOpenKey),
    THUNK(ZwQueryValueKey),
    THUNK(ZwSetSecurityObject),
};

void *bed_thunk(const char *name)
{
    for (ULONG i = 0; i < sizeof(thunks) / sizeof(thunks[0]); i++)
        if (strcmp(thunks[i].name, name) == 0)
            return thunks[i].function;
    return NULL;
}
