// client/app_id.h on Windows: the file's NT device path in lower case, its terminator counted (wfp-reference 2.5).
#include "client/app_id.h"

#include <stdlib.h>
#include <string.h>

#include <windows.h>

#define PATH_MAX_CHARACTERS 1024

static uint32_t to_device_path(const WCHAR *full, WCHAR path[PATH_MAX_CHARACTERS])
{
    WCHAR drive[3] = { full[0], full[1], 0 };
    DWORD length = QueryDosDeviceW(drive, path, PATH_MAX_CHARACTERS / 2);
    if (length == 0)
        return GetLastError();
    length = (DWORD)wcslen(path);
    size_t rest = wcslen(full + 2);
    if (length + rest >= PATH_MAX_CHARACTERS)
        return ERROR_FILENAME_EXCED_RANGE;
    memcpy(path + length, full + 2, (rest + 1) * sizeof(WCHAR));
    CharLowerW(path);
    return ERROR_SUCCESS;
}

uint32_t wall_app_id_from_file(const WCHAR *file_name, FWP_BYTE_BLOB **ret_id)
{
    WCHAR full[PATH_MAX_CHARACTERS], path[PATH_MAX_CHARACTERS];
    if (!file_name || !ret_id)
        return (uint32_t)FWP_E_NULL_POINTER;
    HANDLE file = CreateFileW(file_name, FILE_READ_ATTRIBUTES, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(file);
    DWORD length = GetFullPathNameW(file_name, PATH_MAX_CHARACTERS, full, NULL);
    if (length == 0 || length >= PATH_MAX_CHARACTERS || full[1] != ':')
        return ERROR_FILENAME_EXCED_RANGE;
    uint32_t status = to_device_path(full, path);
    if (status != ERROR_SUCCESS)
        return status;

    size_t size = (wcslen(path) + 1) * sizeof(WCHAR);
    FWP_BYTE_BLOB *blob = malloc(sizeof(*blob) + size);
    if (!blob)
        return ERROR_NOT_ENOUGH_MEMORY;
    blob->size = (UINT32)size;
    blob->data = (UINT8 *)(blob + 1);
    memcpy(blob->data, path, size);
    *ret_id = blob;
    return ERROR_SUCCESS;
}
