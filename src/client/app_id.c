#include "client/app_id.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "winerror.h"

#include "base/utf16.h"
#include "engine/shapes.h"

static uint32_t status_of_path(int error)
{
    switch (error) {
    case ENOENT:
        return ERROR_FILE_NOT_FOUND;
    case ENOTDIR:
    case ELOOP:
        return ERROR_PATH_NOT_FOUND;
    case ENAMETOOLONG:
        return ERROR_FILENAME_EXCED_RANGE;
    case EACCES:
        return ERROR_ACCESS_DENIED;
    case ENOMEM:
        return ERROR_NOT_ENOUGH_MEMORY;
    default:
        return ERROR_GEN_FAILURE;
    }
}

static uint32_t resolve(const char *path, FWP_BYTE_BLOB **ret_id)
{
    char absolute[PATH_MAX];
    struct stat file;
    if (!realpath(path, absolute) || stat(absolute, &file) < 0)
        return status_of_path(errno);
    if (!S_ISREG(file.st_mode))
        return ERROR_ACCESS_DENIED;  // what opening a directory gives on Windows

    uint16_t *text = wall_utf16_new_from_path(absolute);
    if (!text)
        return ERROR_NOT_ENOUGH_MEMORY;
    size_t bytes = (wall_utf16_length(text) + 1) * sizeof(*text);
    FWP_BYTE_BLOB *id = wall_shape_clone(&wall_shape_blob, &(FWP_BYTE_BLOB){ (UINT32)bytes, (UINT8 *)text });
    free(text);
    if (!id)
        return ERROR_NOT_ENOUGH_MEMORY;
    *ret_id = id;
    return ERROR_SUCCESS;
}

uint32_t wall_app_id_from_file(const WCHAR *file_name, FWP_BYTE_BLOB **ret_id)
{
    if (!file_name || !ret_id)
        return FWP_E_NULL_POINTER;
    size_t length = wall_utf16_length(file_name), size;
    if (length == 0)
        return ERROR_PATH_NOT_FOUND;
    if (length > PATH_MAX)
        return ERROR_FILENAME_EXCED_RANGE;
    // One unit gives at most three bytes.
    char *path = malloc(3 * length + 1);
    if (!path)
        return ERROR_NOT_ENOUGH_MEMORY;
    uint32_t status = ERROR_INVALID_NAME;
    if (wall_utf16_to_path(file_name, length, path, 3 * length, &size)) {
        path[size] = '\0';
        status = resolve(path, ret_id);
    }
    free(path);
    return status;
}
