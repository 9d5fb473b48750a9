// Files by name, in the driver's own data directory.
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wdm.h>

#include "base/utf16.h"
#include "ntos/driver.h"
#include "ntos/object.h"
#include "ntos/verify.h"

struct stream {
    int fd;
    off_t position;
    bool append_only;
};

static void destroy_stream(void *object)
{
    (void)close(((struct stream *)object)->fd);
}

struct _OBJECT_TYPE ntos_stream_type = { "File", destroy_stream };

static NTSTATUS status_from_errno(int error)
{
    switch (error) {
    case ENOENT: return STATUS_OBJECT_NAME_NOT_FOUND;
    case ENOTDIR: return STATUS_OBJECT_PATH_NOT_FOUND;
    case EEXIST: return STATUS_OBJECT_NAME_COLLISION;
    case EISDIR: return STATUS_FILE_IS_A_DIRECTORY;
    case ENOSPC:
    case EDQUOT: return STATUS_DISK_FULL;
    case ENAMETOOLONG: return STATUS_NAME_TOO_LONG;
    case EMFILE:
    case ENFILE: return STATUS_TOO_MANY_OPENED_FILES;
    case ENOMEM: return STATUS_INSUFFICIENT_RESOURCES;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV: return STATUS_ACCESS_DENIED;
    default: return STATUS_UNSUCCESSFUL;
    }
}

// The path below the data directory: in lower case, '/' between the parts, no drive's colon. For free().
static NTSTATUS relative_path(PCUNICODE_STRING name, char **ret_path)
{
    static const UNICODE_STRING prefixes[] = {
        RTL_CONSTANT_STRING(L"\\DosDevices\\"), RTL_CONSTANT_STRING(L"\\GLOBAL??\\"), RTL_CONSTANT_STRING(L"\\??\\"),
    };
    static const UNICODE_STRING root = RTL_CONSTANT_STRING(L"\\SystemRoot\\");
    UNICODE_STRING rest = {0};
    const char *start = "";
    for (size_t i = 0; i < 3; i++)
        if (RtlPrefixUnicodeString(&prefixes[i], name, TRUE))
            rest = (UNICODE_STRING){ (USHORT)(name->Length - prefixes[i].Length), 0,
                                     name->Buffer + prefixes[i].Length / sizeof(WCHAR) };
    if (RtlPrefixUnicodeString(&root, name, TRUE)) {
        rest = (UNICODE_STRING){ (USHORT)(name->Length - root.Length), 0, name->Buffer + root.Length / sizeof(WCHAR) };
        start = "c/windows/";
    }
    if (rest.Length == 0)
        return STATUS_OBJECT_PATH_NOT_FOUND;

    size_t units = rest.Length / sizeof(WCHAR);
    WCHAR *lower = calloc(units + 1, sizeof(WCHAR));
    if (!lower)
        return STATUS_INSUFFICIENT_RESOURCES;
    size_t used = 0;
    for (size_t i = 0; i < units; i++) {
        WCHAR unit = RtlDowncaseUnicodeChar(rest.Buffer[i]);
        if (unit == 0 || unit == '/') {
            free(lower);
            return STATUS_OBJECT_NAME_INVALID;
        }
        if (unit != ':')
            lower[used++] = unit == '\\' ? '/' : unit;
    }
    char *narrow = wall_utf16_new_utf8(lower);
    free(lower);
    char *path = NULL;
    if (narrow && asprintf(&path, "%s%s", start, narrow + strspn(narrow, "/")) < 0)
        path = NULL;
    free(narrow);
    *ret_path = path;
    return path ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

// Nothing outside of the directory can be reached: neither by "..", nor through symbolic links.
static int open_beneath(int directory, const char *path, int flags)
{
    struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC, .mode = flags & O_CREAT ? 0600 : 0,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

// Makes the directories that a drive stands for ("c", "c/windows", …) on the way to a file that is to be made.
static void make_drive(int directory, const char *path)
{
    static const char *const always[] = { "c", "c/windows", "c/windows/temp" };
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(always[i]);
        if (strncmp(path, always[i], length) == 0 && path[length] == '/')
            (void)mkdirat(directory, always[i], 0700);
    }
}

static NTSTATUS data_directory(const void *caller, int *ret_fd)
{
    struct ntos_driver *driver = ntos_driver_of(caller);
    if (!driver || !driver->data_directory)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    *ret_fd = open(driver->data_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? status_from_errno(errno) : STATUS_SUCCESS;
}

static NTSTATUS open_flags(ACCESS_MASK access, ULONG disposition, int *ret_flags)
{
    bool reads = access & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL | MAXIMUM_ALLOWED);
    bool writes = access & (FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE | GENERIC_ALL | MAXIMUM_ALLOWED);
    int flags = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
    switch (disposition) {
    case FILE_OPEN: break;
    case FILE_CREATE: flags |= O_CREAT | O_EXCL; break;
    case FILE_OPEN_IF: flags |= O_CREAT; break;
    case FILE_OVERWRITE: flags |= O_TRUNC; break;
    case FILE_SUPERSEDE:
    case FILE_OVERWRITE_IF: flags |= O_CREAT | O_TRUNC; break;
    default: return STATUS_INVALID_PARAMETER;
    }
    if ((flags & O_TRUNC) && !writes)
        flags = (flags & ~O_ACCMODE) | O_RDWR;
    *ret_flags = flags;
    return STATUS_SUCCESS;
}

static NTSTATUS open_in(int directory, const char *path, int flags, ULONG options, bool *ret_made, int *ret_fd)
{
    *ret_made = false;
    if (options & FILE_DIRECTORY_FILE) {
        if ((flags & O_CREAT) && mkdirat(directory, path, 0700) == 0)
            *ret_made = true;
        else if ((flags & O_CREAT) && (flags & O_EXCL))
            return status_from_errno(errno);
        *ret_fd = open_beneath(directory, path, O_RDONLY | O_DIRECTORY);
        return *ret_fd < 0 ? status_from_errno(errno) : STATUS_SUCCESS;
    }
    // First without making it, to tell the caller which of the two happened.
    int fd = flags & O_EXCL ? -1 : open_beneath(directory, path, flags & ~O_CREAT);
    if (fd < 0 && (flags & O_CREAT) && ((flags & O_EXCL) || errno == ENOENT)) {
        fd = open_beneath(directory, path, flags);
        *ret_made = fd >= 0;
    }
    if (fd < 0)
        return status_from_errno(errno);
    struct stat info;
    if (fstat(fd, &info) != 0 || (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) ||
        (S_ISDIR(info.st_mode) && (options & FILE_NON_DIRECTORY_FILE))) {
        (void)close(fd);
        return S_ISDIR(info.st_mode) ? STATUS_FILE_IS_A_DIRECTORY : STATUS_ACCESS_DENIED;
    }
    *ret_fd = fd;
    return STATUS_SUCCESS;
}

static NTSTATUS open_file(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK result,
                          ULONG disposition, ULONG options, const void *caller)
{
    *handle = NULL;
    int flags, directory, fd = -1;
    char *path = NULL;
    bool made;
    if (attributes->RootDirectory)
        return STATUS_NOT_SUPPORTED;
    NTSTATUS status = open_flags(access, disposition, &flags);
    if (NT_SUCCESS(status))
        status = relative_path(attributes->ObjectName, &path);
    if (!NT_SUCCESS(status))
        return status;
    status = data_directory(caller, &directory);
    if (NT_SUCCESS(status)) {
        if (flags & O_CREAT)
            make_drive(directory, path);
        status = open_in(directory, path, flags, options, &made, &fd);
        (void)close(directory);
    }
    free(path);
    if (!NT_SUCCESS(status))
        return status;

    struct stream *stream = ntos_object_new(&ntos_stream_type, sizeof(*stream));
    if (!stream) {
        (void)close(fd);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stream->fd = fd;
    stream->append_only = (access & FILE_APPEND_DATA) && !(access & (FILE_WRITE_DATA | GENERIC_WRITE | GENERIC_ALL));
    status = ntos_handle_new(stream, caller, handle);
    ObDereferenceObject(stream);
    result->Status = status;
    result->Information = made ? FILE_CREATED : flags & O_TRUNC ? FILE_OVERWRITTEN : FILE_OPENED;
    return status;
}

NTSTATUS ZwCreateFile(PHANDLE file, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK status,
                      PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                      PVOID ea, ULONG ea_length)
{
    if (!ntos_irql_at_most("ZwCreateFile", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return status->Status = open_file(file, access, attributes, status, disposition, options,
                                      __builtin_return_address(0));
}

NTSTATUS ZwOpenFile(PHANDLE file, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK status,
                    ULONG share, ULONG options)
{
    if (!ntos_irql_at_most("ZwOpenFile", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return status->Status = open_file(file, access, attributes, status, FILE_OPEN, options,
                                      __builtin_return_address(0));
}

NTSTATUS ZwDeleteFile(POBJECT_ATTRIBUTES attributes)
{
    if (!ntos_irql_at_most("ZwDeleteFile", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    char *path;
    NTSTATUS status = relative_path(attributes->ObjectName, &path);
    if (!NT_SUCCESS(status))
        return status;
    int directory;
    status = data_directory(__builtin_return_address(0), &directory);
    if (NT_SUCCESS(status)) {
        // The directory the file is in is opened safely, then the file deleted there.
        char *name = strrchr(path, '/');
        int parent = directory;
        if (name) {
            *name++ = '\0';
            parent = open_beneath(directory, path, O_PATH | O_DIRECTORY);
        } else {
            name = path;
        }
        if (parent < 0 || strcmp(name, "..") == 0 || unlinkat(parent, name, 0) != 0)
            status = status_from_errno(parent >= 0 && strcmp(name, "..") == 0 ? EACCES : errno);
        if (parent >= 0 && parent != directory)
            (void)close(parent);
        (void)close(directory);
    }
    free(path);
    return status;
}

static struct stream *enter(const char *function, HANDLE handle, NTSTATUS *ret_status)
{
    *ret_status = STATUS_UNSUCCESSFUL;
    if (!ntos_irql_at_most(function, PASSIVE_LEVEL))
        return NULL;
    struct stream *stream = ntos_handle_object(handle, &ntos_stream_type);
    if (!stream)
        *ret_status = STATUS_INVALID_HANDLE;
    return stream;
}

static bool own_position(PLARGE_INTEGER offset)
{
    return !offset || (offset->HighPart == -1 && offset->LowPart == FILE_USE_FILE_POINTER_POSITION);
}

static void leave(struct stream *stream, HANDLE event)
{
    ObDereferenceObject(stream);
    if (event)
        (void)ZwSetEvent(event, NULL);
}

NTSTATUS ZwReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID apc_context, PIO_STATUS_BLOCK result,
                    PVOID buffer, ULONG length, PLARGE_INTEGER offset, PULONG key)
{
    NTSTATUS status;
    struct stream *stream = enter("ZwReadFile", file, &status);
    if (!stream)
        return status;
    off_t at = own_position(offset) ? stream->position : (off_t)offset->QuadPart;
    ssize_t got = pread(stream->fd, buffer, length, at);
    status = got < 0 ? status_from_errno(errno) : got == 0 && length > 0 ? STATUS_END_OF_FILE : STATUS_SUCCESS;
    if (got > 0)
        stream->position = at + got;
    result->Status = status;
    result->Information = got > 0 ? (ULONG_PTR)got : 0;
    leave(stream, event);
    return status;
}

NTSTATUS ZwWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID apc_context, PIO_STATUS_BLOCK result,
                     PVOID buffer, ULONG length, PLARGE_INTEGER offset, PULONG key)
{
    NTSTATUS status;
    struct stream *stream = enter("ZwWriteFile", file, &status);
    if (!stream)
        return status;
    bool at_end = stream->append_only ||
                  (offset && offset->HighPart == -1 && offset->LowPart == FILE_WRITE_TO_END_OF_FILE);
    off_t at = at_end ? lseek(stream->fd, 0, SEEK_END) : own_position(offset) ? stream->position
                                                                               : (off_t)offset->QuadPart;
    ULONG done = 0;
    status = STATUS_SUCCESS;
    while (done < length && NT_SUCCESS(status)) {
        ssize_t put = pwrite(stream->fd, (const char *)buffer + done, length - done, at + done);
        if (put > 0)
            done += (ULONG)put;
        else if (put < 0 && errno != EINTR)
            status = status_from_errno(errno);
    }
    stream->position = at + done;
    result->Status = status;
    result->Information = done;
    leave(stream, event);
    return status;
}

NTSTATUS ZwFlushBuffersFile(HANDLE file, PIO_STATUS_BLOCK result)
{
    NTSTATUS status;
    struct stream *stream = enter("ZwFlushBuffersFile", file, &status);
    if (!stream)
        return status;
    status = fdatasync(stream->fd) == 0 ? STATUS_SUCCESS : status_from_errno(errno);
    result->Status = status;
    result->Information = 0;
    leave(stream, NULL);
    return status;
}

static NTSTATUS describe(struct stream *stream, PVOID information, ULONG length, FILE_INFORMATION_CLASS kind,
                         ULONG_PTR *ret_size)
{
    struct stat info;
    if (fstat(stream->fd, &info) != 0)
        return status_from_errno(errno);
    if (kind == FileStandardInformation && length >= sizeof(FILE_STANDARD_INFORMATION)) {
        PFILE_STANDARD_INFORMATION standard = information;
        *standard = (FILE_STANDARD_INFORMATION){ .AllocationSize.QuadPart = info.st_blocks * 512,
                                                 .EndOfFile.QuadPart = info.st_size,
                                                 .NumberOfLinks = (ULONG)info.st_nlink,
                                                 .Directory = S_ISDIR(info.st_mode) };
        *ret_size = sizeof(*standard);
        return STATUS_SUCCESS;
    }
    if (kind == FilePositionInformation && length >= sizeof(FILE_POSITION_INFORMATION)) {
        ((PFILE_POSITION_INFORMATION)information)->CurrentByteOffset.QuadPart = stream->position;
        *ret_size = sizeof(FILE_POSITION_INFORMATION);
        return STATUS_SUCCESS;
    }
    return kind == FileStandardInformation || kind == FilePositionInformation ? STATUS_INFO_LENGTH_MISMATCH
                                                                              : STATUS_INVALID_INFO_CLASS;
}

NTSTATUS ZwQueryInformationFile(HANDLE file, PIO_STATUS_BLOCK result, PVOID information, ULONG length,
                                FILE_INFORMATION_CLASS information_class)
{
    NTSTATUS status;
    struct stream *stream = enter("ZwQueryInformationFile", file, &status);
    if (!stream)
        return status;
    result->Information = 0;
    status = describe(stream, information, length, information_class, &result->Information);
    result->Status = status;
    leave(stream, NULL);
    return status;
}

NTSTATUS ZwSetInformationFile(HANDLE file, PIO_STATUS_BLOCK result, PVOID information, ULONG length,
                              FILE_INFORMATION_CLASS information_class)
{
    NTSTATUS status;
    struct stream *stream = enter("ZwSetInformationFile", file, &status);
    if (!stream)
        return status;
    LARGE_INTEGER value;
    status = STATUS_INVALID_INFO_CLASS;
    if (information_class == FilePositionInformation || information_class == FileEndOfFileInformation) {
        status = STATUS_INFO_LENGTH_MISMATCH;
        if (length >= sizeof(value)) {
            memcpy(&value, information, sizeof(value));
            status = STATUS_SUCCESS;
            if (value.QuadPart < 0)
                status = STATUS_INVALID_PARAMETER;
            else if (information_class == FilePositionInformation)
                stream->position = value.QuadPart;
            else if (ftruncate(stream->fd, value.QuadPart) != 0)
                status = status_from_errno(errno);
        }
    }
    result->Status = status;
    result->Information = 0;
    leave(stream, NULL);
    return status;
}
