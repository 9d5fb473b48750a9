// Application ids: how a program's file becomes what FWPM_CONDITION_ALE_APP_ID is compared with.
#pragma once

#include <stdint.h>

#include "fwptypes.h"

// The id of an executable that exists: its absolute path without symbolic links, as UTF-16 with the terminator counted
// (base/utf16.h has the mapping). Upper and lower case stay as they are: on Linux they tell files apart.
// Returns a user-mode status; *ret_id is one block.
uint32_t wall_app_id_from_file(const WCHAR *file_name, FWP_BYTE_BLOB **ret_id);
