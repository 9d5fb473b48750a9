// IoCreateDeviceSecure, which Windows' kit has in a static library and mingw-w64 has not: makes the device, then gives
// it an access list before anybody can open it (the I/O manager admits openers when DriverEntry has returned).
//
// Of the descriptors that wdmsec.h names it knows the one that drivers/ uses; others are refused.
#include <ntifs.h>

#include <wdmsec.h>

const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_ALL = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");

// S-1-5-18 and S-1-5-32-544, the system and the administrators. A SID with two sub-authorities is longer than SID.
static struct {
    UCHAR revision, count, authority[6];
    ULONG parts[2];
} local_system = { 1, 1, { 0, 0, 0, 0, 0, 5 }, { 18, 0 } },
  administrators = { 1, 2, { 0, 0, 0, 0, 0, 5 }, { 32, 544 } };

static NTSTATUS fill_descriptor(SECURITY_DESCRIPTOR *descriptor, ACL *acl, ULONG acl_size)
{
    NTSTATUS status = RtlCreateAcl(acl, acl_size, ACL_REVISION);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, (PSID)&local_system);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, (PSID)&administrators);
    if (NT_SUCCESS(status))
        status = RtlCreateSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (NT_SUCCESS(status))
        status = RtlSetDaclSecurityDescriptor(descriptor, TRUE, acl, FALSE);
    return status;
}

static NTSTATUS secure_device(DEVICE_OBJECT *device)
{
    union {
        ACL acl;
        UCHAR bytes[128];
    } list;
    SECURITY_DESCRIPTOR descriptor;
    HANDLE handle;
    NTSTATUS status = fill_descriptor(&descriptor, &list.acl, sizeof(list));
    if (NT_SUCCESS(status))
        status = ObOpenObjectByPointer(device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode, &handle);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, &descriptor);
    ZwClose(handle);
    return status;
}

NTSTATUS WdmlibIoCreateDeviceSecure(PDRIVER_OBJECT driver, ULONG extension_size, PUNICODE_STRING name, DEVICE_TYPE type,
                                    ULONG characteristics, BOOLEAN exclusive, PCUNICODE_STRING sddl, LPCGUID class_guid,
                                    PDEVICE_OBJECT *ret_device)
{
    DEVICE_OBJECT *device;
    UNREFERENCED_PARAMETER(class_guid);
    if (sddl->Length != SDDL_DEVOBJ_SYS_ALL_ADM_ALL.Length ||
        RtlCompareMemory(sddl->Buffer, SDDL_DEVOBJ_SYS_ALL_ADM_ALL.Buffer, sddl->Length) != sddl->Length)
        return STATUS_NOT_SUPPORTED;
    NTSTATUS status = IoCreateDevice(driver, extension_size, name, type, characteristics | FILE_DEVICE_SECURE_OPEN,
                                     exclusive, &device);
    if (!NT_SUCCESS(status))
        return status;
    status = secure_device(device);
    if (NT_SUCCESS(status))
        *ret_device = device;
    else
        IoDeleteDevice(device);
    return status;
}
