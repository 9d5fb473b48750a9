#include "client/status.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "minwindef.h"
#include "ntstatus.h"
#include "winerror.h"

// FWP_E_x is 0x8032nnnn and STATUS_FWP_x is 0xC022nnnn, with the same n (wfp-reference 1.1).
#define FWP_USER 0x80320000u
#define FWP_KERNEL 0xC0220000u
#define FWP_CODE 0x0000FFFFu

struct pair {
    uint32_t from, to;
};

static const struct pair from_errno[] = {
    { EACCES, ERROR_ACCESS_DENIED },
    { EPERM, ERROR_ACCESS_DENIED },
    { ENOMEM, ERROR_NOT_ENOUGH_MEMORY },
    { EINVAL, ERROR_INVALID_PARAMETER },
    { EMSGSIZE, ERROR_INSUFFICIENT_BUFFER },
    { ENOBUFS, ERROR_NO_SYSTEM_RESOURCES },
    { EMFILE, ERROR_TOO_MANY_OPEN_FILES },
    { ENFILE, ERROR_TOO_MANY_OPEN_FILES },
    { EAGAIN, ERROR_NO_SYSTEM_RESOURCES },
    // No service, no socket, or the service went away.
    { ENOENT, RPC_S_SERVER_UNAVAILABLE },
    { ECONNREFUSED, RPC_S_SERVER_UNAVAILABLE },
    { ECONNRESET, RPC_S_SERVER_UNAVAILABLE },
    { ENOTCONN, RPC_S_SERVER_UNAVAILABLE },
    { EPIPE, RPC_S_SERVER_UNAVAILABLE },
    // Another version of the service.
    { EPROTO, RPC_S_CALL_FAILED },
    { EBADMSG, RPC_S_CALL_FAILED },
};

static const struct pair to_kernel[] = {
    { ERROR_ACCESS_DENIED, (uint32_t)STATUS_ACCESS_DENIED },
    { ERROR_INVALID_HANDLE, (uint32_t)STATUS_INVALID_HANDLE },
    { ERROR_NOT_ENOUGH_MEMORY, (uint32_t)STATUS_INSUFFICIENT_RESOURCES },
    { ERROR_OUTOFMEMORY, (uint32_t)STATUS_INSUFFICIENT_RESOURCES },
    { ERROR_NO_SYSTEM_RESOURCES, (uint32_t)STATUS_INSUFFICIENT_RESOURCES },
    { ERROR_TOO_MANY_OPEN_FILES, (uint32_t)STATUS_INSUFFICIENT_RESOURCES },
    { ERROR_INVALID_PARAMETER, (uint32_t)STATUS_INVALID_PARAMETER },
    { ERROR_INSUFFICIENT_BUFFER, (uint32_t)STATUS_BUFFER_TOO_SMALL },
    { ERROR_FILE_NOT_FOUND, (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND },
    { ERROR_PATH_NOT_FOUND, (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND },
    { ERROR_CALL_NOT_IMPLEMENTED, (uint32_t)STATUS_NOT_SUPPORTED },
    { ERROR_NOT_SUPPORTED, (uint32_t)STATUS_NOT_SUPPORTED },
    { RPC_S_SERVER_UNAVAILABLE, (uint32_t)STATUS_DEVICE_NOT_CONNECTED },
    { RPC_S_CALL_FAILED, (uint32_t)STATUS_REVISION_MISMATCH },
};

uint32_t wall_status_from_errno(int error)
{
    if (error == 0)
        return ERROR_SUCCESS;
    for (size_t i = 0; i < sizeof(from_errno) / sizeof(from_errno[0]); i++)
        if (from_errno[i].from == (uint32_t)-error)
            return from_errno[i].to;
    return ERROR_GEN_FAILURE;
}

NTSTATUS wall_status_to_kernel(uint32_t status)
{
    if (status == ERROR_SUCCESS)
        return STATUS_SUCCESS;
    if ((status & ~FWP_CODE) == FWP_USER)
        return (NTSTATUS)(FWP_KERNEL | (status & FWP_CODE));
    for (size_t i = 0; i < sizeof(to_kernel) / sizeof(to_kernel[0]); i++)
        if (to_kernel[i].from == status)
            return (NTSTATUS)to_kernel[i].to;
    return STATUS_UNSUCCESSFUL;
}

NTSTATUS wall_status_of_reply(uint32_t status)
{
    bool is_kernel = (NTSTATUS)status < 0 && (status & ~FWP_CODE) != FWP_USER;
    return is_kernel ? (NTSTATUS)status : wall_status_to_kernel(status);
}
