// The test device (bed.h). Each opener is a session of the engine's user-mode side.
#include <ntddk.h>

#include <string.h>

#include "core.h"

DRIVER_INITIALIZE bed_start;
static DEVICE_OBJECT *device;

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI open(DEVICE_OBJECT *this_device, IRP *irp)
{
    UNREFERENCED_PARAMETER(this_device);
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    file->FsContext = bed_session_new((uint32_t)(ULONG_PTR)PsGetCurrentProcessId(), false);
    return complete(irp, file->FsContext ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES, 0);
}

static NTSTATUS NTAPI close(DEVICE_OBJECT *this_device, IRP *irp)
{
    UNREFERENCED_PARAMETER(this_device);
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    if (file->FsContext)
        bed_session_free(file->FsContext);
    file->FsContext = NULL;
    return complete(irp, STATUS_SUCCESS, 0);
}

static void get_state(struct bed_state *state)
{
    memset(state, 0, sizeof(*state));
    bed_lock();
    bed_engine_count(state);
    bed_verify_state(state);
    state->unsecured = state->devices - bed_devices_secured();
    state->registered = bed_callout_count();
    state->operations = bed_operation_count();
    bed_unlock();
}

// The sizes that a code needs at least.
static const struct {
    ULONG code, input, output;
} sizes[] = {
    { BED_INJECT, sizeof(struct bed_attempt), sizeof(struct bed_verdict) },
    { BED_RECLASSIFY, sizeof(struct bed_attempt), sizeof(struct bed_verdict) },
    { BED_OPERATION, sizeof(UINT64), sizeof(struct bed_verdict) },
    { BED_STATE, 0, sizeof(struct bed_state) },
    { BED_LINES, 0, 1 },
    { BED_FAULT, sizeof(UINT32), 0 },
    { BED_MESSAGE, 1, 1 },
    { BED_FORGIVE, 0, 0 },
};

static BOOLEAN sizes_fit(ULONG code, ULONG input, ULONG output)
{
    for (ULONG i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (sizes[i].code == code)
            return input >= sizes[i].input && output >= sizes[i].output;
    return FALSE;
}

static void inject(void *buffer, bool reauthorize)
{
    struct bed_attempt attempt;
    struct bed_verdict verdict;
    memcpy(&attempt, buffer, sizeof(attempt));
    attempt.path[BED_PATH_MAX - 1] = 0;
    bed_inject(&attempt, reauthorize, &verdict);
    memcpy(buffer, &verdict, sizeof(verdict));
}

static ULONG_PTR handle(ULONG code, void *buffer, ULONG input, ULONG output, struct bed_session *session)
{
    static UINT8 reply[BED_MESSAGE_MAX];
    UINT64 operation;
    UINT32 number;
    switch (code) {
    case BED_INJECT:
    case BED_RECLASSIFY:
        inject(buffer, code == BED_RECLASSIFY);
        return sizeof(struct bed_verdict);
    case BED_OPERATION:
        memcpy(&operation, buffer, sizeof(operation));
        bed_operation_get(operation, buffer);
        return sizeof(struct bed_verdict);
    case BED_STATE:
        get_state(buffer);
        return sizeof(struct bed_state);
    case BED_LINES:
        return bed_lines_take(buffer, output);
    case BED_FAULT:
        memcpy(&number, buffer, sizeof(number));
        bed_fault_arm(number);
        return 0;
    case BED_FORGIVE:
        bed_forgive();
        return 0;
    case BED_MESSAGE:
        number = bed_session_call(session, buffer, input, reply, output < sizeof(reply) ? output : sizeof(reply));
        memcpy(buffer, reply, number);
        return number;
    default:
        return 0;
    }
}

static NTSTATUS NTAPI control(DEVICE_OBJECT *this_device, IRP *irp)
{
    UNREFERENCED_PARAMETER(this_device);
    IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
    ULONG input = location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG output = location->Parameters.DeviceIoControl.OutputBufferLength;
    if (!sizes_fit(code, input, output))
        return complete(irp, STATUS_INVALID_PARAMETER, 0);
    return complete(irp, STATUS_SUCCESS, handle(code, irp->AssociatedIrp.SystemBuffer, input, output,
                                                location->FileObject->FsContext));
}

static void NTAPI unload(DRIVER_OBJECT *driver)
{
    UNREFERENCED_PARAMETER(driver);
    UNICODE_STRING link = RTL_CONSTANT_STRING(BED_LINK);
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(device);
}

// Called by bed.sys, which the service control manager loads.
NTSTATUS NTAPI bed_start(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(BED_DEVICE), link = RTL_CONSTANT_STRING(BED_LINK);
    UNREFERENCED_PARAMETER(registry_path);
    NTSTATUS status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status))
        return status;
    driver->MajorFunction[IRP_MJ_CREATE] = open;
    driver->MajorFunction[IRP_MJ_CLOSE] = close;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
    driver->DriverUnload = unload;
    bed_irql_start();
    bed_verify_start();
    struct bed_state state;
    get_state(&state);  // counts the built-in objects
    return STATUS_SUCCESS;
}
