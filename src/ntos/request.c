// Files and requests from outside: what the I/O manager does for a program that opens a device.
#include <errno.h>
#include <stdlib.h>

#include <wdm.h>

#include "base/utf16.h"
#include "ntos/device.h"
#include "ntos/dispatcher.h"
#include "ntos/irp.h"
#include "ntos/ntos.h"
#include "ntos/object.h"
#include "ntos/verify.h"

struct ntos_request {
    LIST_ENTRY entry;  // in the file's list, until complete
    LONG references;   // the caller's, and one until complete
    struct ntos_file *file;
    struct ntos_irp *packet;
    KEVENT complete;
    void (*done)(void *context, struct ntos_request *request);
    void *context;
    void *input;   // METHOD_NEITHER: the driver's Type3InputBuffer; of a write, its data
    void *output;  // what the driver's buffer is, or is copied to
    uint32_t output_size;
    uint32_t result_size;
    int32_t status;
};

struct ntos_file {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    LIST_ENTRY requests;
    unsigned request_count;
    bool closing;
    uint32_t process_id;
    PDEVICE_OBJECT device;
    PFILE_OBJECT object;
};

static void destroy_file(void *object)
{
    PFILE_OBJECT file = object;
    free(file->FileName.Buffer);
    ObDereferenceObject(file->DeviceObject);
}

struct _OBJECT_TYPE ntos_file_type = { "File", destroy_file };

// --- Synchronous IRPs: create, cleanup, close ---

static void finish_simple(struct ntos_irp *packet)
{
    (void)KeSetEvent(packet->irp.Overlay.AsynchronousParameters.UserApcContext, IO_NO_INCREMENT, FALSE);
}

static bool simple_is_complete(struct ntos_irp *packet)
{
    return KeReadStateEvent(packet->irp.Overlay.AsynchronousParameters.UserApcContext) != 0;
}

static NTSTATUS send_simple(struct ntos_file *file, UCHAR major, PIO_SECURITY_CONTEXT security)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(file->device);
    struct ntos_irp *packet = ntos_irp_new(top->StackSize);
    if (!packet) {
        ObDereferenceObject(top);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KEVENT complete;
    KeInitializeEvent(&complete, NotificationEvent, FALSE);
    packet->finish = finish_simple;
    packet->process_id = file->process_id;
    PIRP irp = &packet->irp;
    irp->Overlay.AsynchronousParameters.UserApcContext = &complete;
    irp->RequestorMode = UserMode;
    irp->Flags = IRP_SYNCHRONOUS_API;
    irp->Tail.Overlay.Thread = KeGetCurrentThread();
    irp->Tail.Overlay.OriginalFileObject = file->object;
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = major;
    stack->FileObject = file->object;
    if (security) {
        stack->Parameters.Create.SecurityContext = security;
        stack->Parameters.Create.Options = (ULONG)FILE_OPEN << 24;
        stack->Parameters.Create.ShareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE;
    }
    (void)ntos_irp_send(top, packet, simple_is_complete);
    PVOID object = &complete;
    (void)ntos_dispatcher_wait(1, &object, WaitAny, NULL);
    NTSTATUS status = irp->IoStatus.Status;
    ntos_irp_free(packet);
    ObDereferenceObject(top);
    return status;
}

// --- Opening and closing ---

// "Name" and "\\.\Name" are below \??\, as the Win32 API has it.
static NTSTATUS read_name(const char *name, PUNICODE_STRING ret_name)
{
    const char *prefix = "";
    if (strncmp(name, "\\\\.\\", 4) == 0) {
        name += 4;
        prefix = "\\??\\";
    } else if (name[0] != '\\') {
        prefix = "\\??\\";
    }
    size_t size = strlen(prefix) + strlen(name) + 1;
    char *full = malloc(size);
    if (!full)
        return STATUS_INSUFFICIENT_RESOURCES;
    (void)snprintf(full, size, "%s%s", prefix, name);
    uint16_t *text = NULL;
    int result = wall_utf16_new_from_utf8(full, &text);
    free(full);
    if (result < 0)
        return result == -ENOMEM ? STATUS_INSUFFICIENT_RESOURCES : STATUS_OBJECT_NAME_INVALID;
    NTSTATUS status = RtlInitUnicodeStringEx(ret_name, text);
    if (!NT_SUCCESS(status))
        free(text);
    return status;
}

static ULONG desired_access(uint32_t access)
{
    return (access & NTOS_ACCESS_READ ? FILE_GENERIC_READ : 0) | (access & NTOS_ACCESS_WRITE ? FILE_GENERIC_WRITE : 0);
}

static void free_file(struct ntos_file *file)
{
    if (file->object)
        ObDereferenceObject(file->object);
    pthread_cond_destroy(&file->idle);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

// Takes over the reference to `device` and the buffer of `rest`.
static struct ntos_file *file_new(PDEVICE_OBJECT device, PUNICODE_STRING rest, uint32_t access, uint32_t process_id)
{
    struct ntos_file *file = calloc(1, sizeof(*file));
    PFILE_OBJECT object = ntos_object_new(&ntos_file_type, sizeof(FILE_OBJECT));
    if (!file || !object) {
        free(file);
        free(rest->Buffer);
        ObDereferenceObject(device);
        if (object) {
            ObReferenceObject(device);
            object->DeviceObject = device;
            ObDereferenceObject(object);
        }
        return NULL;
    }
    object->Type = IO_TYPE_FILE;
    object->Size = sizeof(FILE_OBJECT);
    object->DeviceObject = device;
    object->FileName = *rest;
    object->ReadAccess = (access & NTOS_ACCESS_READ) != 0;
    object->WriteAccess = (access & NTOS_ACCESS_WRITE) != 0;
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->idle, NULL);
    InitializeListHead(&file->requests);
    file->process_id = process_id;
    file->device = device;
    file->object = object;
    return file;
}

int32_t ntos_file_open(const char *name, uint32_t access, uint32_t process_id, struct ntos_file **ret_file)
{
    UNICODE_STRING path;
    NTSTATUS status = read_name(name, &path);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING rest = { 0, path.MaximumLength, malloc(path.MaximumLength) };
    if (!rest.Buffer) {
        free(path.Buffer);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PDEVICE_OBJECT device = ntos_device_find(&path, &rest);
    free(path.Buffer);
    if (!device) {
        free(rest.Buffer);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (!ntos_device_open(device)) {
        free(rest.Buffer);
        status = device->Flags & DO_EXCLUSIVE && device->ReferenceCount ? STATUS_ACCESS_DENIED : STATUS_NO_SUCH_DEVICE;
        ObDereferenceObject(device);
        return status;
    }
    struct ntos_file *file = file_new(device, &rest, access, process_id);
    if (!file) {
        ntos_device_close(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IO_SECURITY_CONTEXT security = { .DesiredAccess = desired_access(access) };
    status = send_simple(file, IRP_MJ_CREATE, &security);
    if (!NT_SUCCESS(status)) {
        ntos_device_close(device);
        free_file(file);
        return status;
    }
    file->object->Flags |= FO_HANDLE_CREATED | FO_FILE_OPEN;
    *ret_file = file;
    return status;
}

// How long the driver may take to complete what was cancelled, before closing gives up on it.
#define CLOSE_LIMIT_UNITS (10 * 10000000ull)

static void cancel_all(struct ntos_file *file)
{
    struct ntos_request *pending[NTOS_REQUESTS_PER_FILE];
    unsigned count = 0;
    pthread_mutex_lock(&file->lock);
    file->closing = true;
    for (PLIST_ENTRY entry = file->requests.Flink; entry != &file->requests; entry = entry->Flink) {
        pending[count] = CONTAINING_RECORD(entry, struct ntos_request, entry);
        (void)InterlockedIncrement(&pending[count++]->references);
    }
    pthread_mutex_unlock(&file->lock);
    for (unsigned i = 0; i < count; i++) {
        ntos_request_cancel(pending[i]);
        ntos_request_free(pending[i]);
    }
}

void ntos_file_close(struct ntos_file *file)
{
    cancel_all(file);
    file->object->Flags |= FO_CLEANUP_COMPLETE;
    (void)send_simple(file, IRP_MJ_CLEANUP, NULL);

    struct timespec until = ntos_clock_timespec(ntos_clock_now() + CLOSE_LIMIT_UNITS);
    int error = 0;
    pthread_mutex_lock(&file->lock);
    while (file->request_count > 0 && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&file->idle, &file->lock, &until);
    unsigned left = file->request_count;
    pthread_mutex_unlock(&file->lock);
    if (left > 0) {
        // The driver still has them: the file stays, as it would on Windows, and keeps the driver from unloading.
        ntos_violation("IoCancelIrp",
                       "%u requests were neither completed nor could be cancelled when the file was closed", left);
        return;
    }
    (void)send_simple(file, IRP_MJ_CLOSE, NULL);
    ntos_device_close(file->device);
    free_file(file);
}

// --- Requests ---

static void unreference(struct ntos_request *request)
{
    if (InterlockedDecrement(&request->references) > 0)
        return;
    if (request->packet) {
        if (request->packet->irp.MdlAddress)
            IoFreeMdl(request->packet->irp.MdlAddress);
        if (request->packet->irp.Tail.Overlay.Thread)
            ObDereferenceObject(request->packet->irp.Tail.Overlay.Thread);
        ntos_irp_free(request->packet);
    }
    free(request->input);
    free(request->output);
    free(request);
}

static struct ntos_request *request_of(struct ntos_irp *packet)
{
    return packet->irp.Overlay.AsynchronousParameters.UserApcContext;
}

static bool request_is_complete(struct ntos_irp *packet)
{
    return KeReadStateEvent(&request_of(packet)->complete) != 0;
}

static void finish_request(struct ntos_irp *packet)
{
    struct ntos_request *request = request_of(packet);
    struct ntos_file *file = request->file;
    IO_STATUS_BLOCK result = packet->irp.IoStatus;
    request->status = result.Status;
    if (!NT_ERROR(result.Status)) {
        ULONG_PTR size = result.Information;
        if (size > request->output_size && request->output) {
            ntos_violation("IoCompleteRequest", "IoStatus.Information is %zu, the buffer has %u bytes", size,
                           request->output_size);
            size = request->output_size;
        }
        request->result_size = (uint32_t)(size > MAXULONG ? MAXULONG : size);
    }
    pthread_mutex_lock(&file->lock);
    RemoveEntryList(&request->entry);
    file->request_count--;
    (void)KeSetEvent(&request->complete, IO_NO_INCREMENT, FALSE);
    pthread_cond_broadcast(&file->idle);
    pthread_mutex_unlock(&file->lock);
    // The file may be gone from here on.
    if (request->done)
        request->done(request->context, request);
    unreference(request);
}

// Gives the driver its buffers. The output buffer is zeroed: what a driver counts but does not write is no one's
// memory.
static bool set_buffers(struct ntos_request *request, const struct ntos_request_options *options, ULONG method)
{
    PIRP irp = &request->packet->irp;
    uint32_t output_size = options->output_size;
    if (method == METHOD_BUFFERED && options->input_size > output_size)
        output_size = options->input_size;
    request->output = output_size ? calloc(1, output_size) : NULL;
    request->input = options->input_size && method != METHOD_BUFFERED ? malloc(options->input_size) : NULL;
    if ((output_size && !request->output) || (options->input_size && method != METHOD_BUFFERED && !request->input))
        return false;
    if (options->input_size > 0)
        memcpy(method == METHOD_BUFFERED ? request->output : request->input, options->input, options->input_size);
    switch (method) {
    case METHOD_BUFFERED:
        irp->AssociatedIrp.SystemBuffer = request->output;
        irp->Flags |= IRP_BUFFERED_IO;
        return true;
    case METHOD_NEITHER:
        irp->UserBuffer = request->output;
        return true;
    default:
        irp->AssociatedIrp.SystemBuffer = request->input;
        if (!request->output)
            return true;
        PMDL mdl = IoAllocateMdl(request->output, output_size, FALSE, FALSE, irp);
        if (mdl)
            MmBuildMdlForNonPagedPool(mdl);
        return mdl != NULL;
    }
}

static bool fill_control(struct ntos_request *request, const struct ntos_request_options *options)
{
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(&request->packet->irp);
    stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = options->code;
    stack->Parameters.DeviceIoControl.InputBufferLength = options->input_size;
    stack->Parameters.DeviceIoControl.OutputBufferLength = options->output_size;
    if (!set_buffers(request, options, METHOD_FROM_CTL_CODE(options->code)))
        return false;
    if (METHOD_FROM_CTL_CODE(options->code) == METHOD_NEITHER)
        stack->Parameters.DeviceIoControl.Type3InputBuffer = request->input;
    return true;
}

// Of a read the data comes back, of a write it goes in: one buffer, in the way the device's flags ask for.
static bool fill_transfer(struct ntos_request *request, const struct ntos_request_options *options, ULONG device_flags)
{
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(&request->packet->irp);
    bool reading = options->kind == NTOS_REQUEST_READ;
    uint32_t size = reading ? options->output_size : options->input_size;
    stack->MajorFunction = reading ? IRP_MJ_READ : IRP_MJ_WRITE;
    stack->Parameters.Read.Length = size;
    stack->Parameters.Read.ByteOffset.QuadPart = (LONGLONG)options->offset;
    request->output = calloc(1, size ? size : 1);
    if (!request->output)
        return false;
    if (!reading && size > 0)
        memcpy(request->output, options->input, size);
    PIRP irp = &request->packet->irp;
    if (device_flags & DO_BUFFERED_IO) {
        irp->AssociatedIrp.SystemBuffer = request->output;
    } else if (device_flags & DO_DIRECT_IO) {
        if (size == 0)
            return true;
        PMDL mdl = IoAllocateMdl(request->output, size, FALSE, FALSE, irp);
        if (!mdl)
            return false;
        MmBuildMdlForNonPagedPool(mdl);
    } else {
        irp->UserBuffer = request->output;
    }
    return true;
}

static ULONG access_needed(const struct ntos_request_options *options)
{
    switch (options->kind) {
    case NTOS_REQUEST_READ: return NTOS_ACCESS_READ;
    case NTOS_REQUEST_WRITE: return NTOS_ACCESS_WRITE;
    default: return (options->code >> 14) & (FILE_READ_ACCESS | FILE_WRITE_ACCESS);
    }
}

static int request_new(struct ntos_file *file, PDEVICE_OBJECT top, const struct ntos_request_options *options,
                       struct ntos_request **ret_request)
{
    struct ntos_request *request = calloc(1, sizeof(*request));
    if (!request)
        return -ENOMEM;
    request->references = 1;
    request->file = file;
    request->done = options->done;
    request->context = options->context;
    request->output_size = options->kind == NTOS_REQUEST_WRITE ? options->input_size : options->output_size;
    KeInitializeEvent(&request->complete, NotificationEvent, FALSE);
    request->packet = ntos_irp_new(top->StackSize);
    bool filled = false;
    if (request->packet) {
        PIRP irp = &request->packet->irp;
        request->packet->finish = finish_request;
        request->packet->process_id = file->process_id;
        irp->Overlay.AsynchronousParameters.UserApcContext = request;
        irp->RequestorMode = UserMode;
        irp->Tail.Overlay.Thread = KeGetCurrentThread();
        ObReferenceObject(irp->Tail.Overlay.Thread);
        irp->Tail.Overlay.OriginalFileObject = file->object;
        IoGetNextIrpStackLocation(irp)->FileObject = file->object;
        filled = options->kind == NTOS_REQUEST_CONTROL ? fill_control(request, options)
                                                       : fill_transfer(request, options, top->Flags);
    }
    if (!filled) {
        unreference(request);
        return -ENOMEM;
    }
    *ret_request = request;
    return 0;
}

int ntos_request_start(struct ntos_file *file, const struct ntos_request_options *options,
                       struct ntos_request **ret_request)
{
    if (options->input_size > NTOS_REQUEST_BYTES_MAX || options->output_size > NTOS_REQUEST_BYTES_MAX ||
        (options->input_size && !options->input))
        return -EINVAL;
    uint32_t granted = (file->object->ReadAccess ? NTOS_ACCESS_READ : 0) |
                       (file->object->WriteAccess ? NTOS_ACCESS_WRITE : 0);
    if (access_needed(options) & ~granted)
        return -EACCES;

    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(file->device);
    struct ntos_request *request = NULL;
    int result = request_new(file, top, options, &request);
    if (result == 0) {
        pthread_mutex_lock(&file->lock);
        if (file->closing)
            result = -EINVAL;
        else if (file->request_count >= NTOS_REQUESTS_PER_FILE)
            result = -ENOBUFS;
        if (result == 0) {
            InsertTailList(&file->requests, &request->entry);
            file->request_count++;
            request->references = 2;
        }
        pthread_mutex_unlock(&file->lock);
    }
    if (result == 0) {
        (void)ntos_irp_send(top, request->packet, request_is_complete);
        *ret_request = request;
    } else if (request) {
        unreference(request);
    }
    ObDereferenceObject(top);
    return result;
}

void ntos_request_cancel(struct ntos_request *request)
{
    if (!request_is_complete(request->packet))
        (void)IoCancelIrp(&request->packet->irp);
}

bool ntos_request_wait(struct ntos_request *request, uint32_t timeout_ms)
{
    LARGE_INTEGER timeout = { .QuadPart = -(LONGLONG)timeout_ms * 10000 };
    PVOID object = &request->complete;
    return ntos_dispatcher_wait(1, &object, WaitAny, timeout_ms == UINT32_MAX ? NULL : &timeout) == STATUS_WAIT_0;
}

int32_t ntos_request_result(const struct ntos_request *request, const void **ret_output, uint32_t *ret_size)
{
    if (ret_output)
        *ret_output = request->output;
    if (ret_size)
        *ret_size = request->result_size;
    return request->status;
}

void ntos_request_free(struct ntos_request *request)
{
    unreference(request);
}

int32_t ntos_file_control(struct ntos_file *file, uint32_t code, const void *input, uint32_t input_size, void *output,
                          uint32_t output_size, uint32_t timeout_ms, uint32_t *ret_size)
{
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = code, .input = input,
                                            .input_size = input_size, .output_size = output_size };
    struct ntos_request *request;
    int result = ntos_request_start(file, &options, &request);
    if (result < 0)
        return result == -EACCES   ? STATUS_ACCESS_DENIED
               : result == -EINVAL ? STATUS_INVALID_PARAMETER
                                   : STATUS_INSUFFICIENT_RESOURCES;
    if (!ntos_request_wait(request, timeout_ms)) {
        ntos_request_cancel(request);
        (void)ntos_request_wait(request, UINT32_MAX);
    }
    const void *data;
    uint32_t size;
    NTSTATUS status = ntos_request_result(request, &data, &size);
    if (size > output_size)
        size = output_size;
    if (size > 0)
        memcpy(output, data, size);
    if (ret_size)
        *ret_size = size;
    ntos_request_free(request);
    return status;
}
