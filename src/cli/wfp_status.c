#include "cli/wfp_status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "winerror.h"

#include "cli/command.h"
#include "cli/platform.h"

static const struct entry {
    uint32_t status;
    const char *name;
    enum wall_exit exit;
    const char *meaning;
} entries[] = {
#define STATUS(name, exit, meaning) { (uint32_t)name, #name, WALL_EXIT_##exit, meaning }
    STATUS(ERROR_SUCCESS, OK, "no error"),
    STATUS(ERROR_FILE_NOT_FOUND, NOT_FOUND, "there is no such file"),
    STATUS(ERROR_PATH_NOT_FOUND, NOT_FOUND, "there is no such directory"),
    STATUS(ERROR_ACCESS_DENIED, ACCESS_DENIED, wall_platform_access_denied),
    STATUS(ERROR_INVALID_HANDLE, FAILED, "the handle is not valid"),
    STATUS(ERROR_NOT_ENOUGH_MEMORY, FAILED, "no memory"),
    STATUS(ERROR_OUTOFMEMORY, FAILED, "no memory"),
    STATUS(ERROR_NOT_SUPPORTED, FAILED, wall_platform_not_supported),
    STATUS(ERROR_INVALID_PARAMETER, FAILED, "a parameter is not valid"),
    STATUS(ERROR_CALL_NOT_IMPLEMENTED, FAILED, "not implemented"),
    STATUS(ERROR_SERVICE_NOT_ACTIVE, NOT_RUNNING, wall_platform_not_running),
    STATUS(ERROR_CONNECTION_REFUSED, NOT_RUNNING, wall_platform_not_running),
    STATUS(RPC_S_SERVER_UNAVAILABLE, NOT_RUNNING, wall_platform_not_running),
    STATUS(EPT_S_NOT_REGISTERED, NOT_RUNNING, wall_platform_not_running),
    STATUS(RPC_S_CALL_FAILED, FAILED, "the service ended during the call; see its log"),
    STATUS(FWP_E_CALLOUT_NOT_FOUND, NOT_FOUND, "there is no such callout"),
    STATUS(FWP_E_CONDITION_NOT_FOUND, NOT_FOUND, "the layer does not have this condition's field"),
    STATUS(FWP_E_FILTER_NOT_FOUND, NOT_FOUND, "there is no such filter"),
    STATUS(FWP_E_LAYER_NOT_FOUND, NOT_FOUND, "there is no such layer"),
    STATUS(FWP_E_PROVIDER_NOT_FOUND, NOT_FOUND, "there is no such provider"),
    STATUS(FWP_E_PROVIDER_CONTEXT_NOT_FOUND, NOT_FOUND, "there is no such provider context"),
    STATUS(FWP_E_SUBLAYER_NOT_FOUND, NOT_FOUND, "there is no such sublayer"),
    STATUS(FWP_E_NOT_FOUND, NOT_FOUND, "there is no such object"),
    STATUS(FWP_E_ALREADY_EXISTS, EXISTS, "an object with this key exists already"),
    STATUS(FWP_E_IN_USE, FAILED, "other objects refer to it; delete those first"),
    STATUS(FWP_E_DYNAMIC_SESSION_IN_PROGRESS, FAILED, "a dynamic session may not do this"),
    STATUS(FWP_E_WRONG_SESSION, FAILED, "it belongs to another dynamic session"),
    STATUS(FWP_E_NO_TXN_IN_PROGRESS, FAILED, "there is no transaction"),
    STATUS(FWP_E_TXN_IN_PROGRESS, FAILED, "a transaction is in progress"),
    STATUS(FWP_E_TXN_ABORTED, FAILED, "the transaction took too long and was aborted"),
    STATUS(FWP_E_SESSION_ABORTED, FAILED, "the session was ended by the service"),
    STATUS(FWP_E_INCOMPATIBLE_TXN, FAILED, "the transaction is read-only"),
    STATUS(FWP_E_TIMEOUT, TIMEOUT, "another program's transaction did not end in time; try again"),
    STATUS(FWP_E_NET_EVENTS_DISABLED, FAILED, "net events are not collected"),
    STATUS(FWP_E_INCOMPATIBLE_LAYER, FAILED, "the layer does not support this"),
    STATUS(FWP_E_KM_CLIENTS_ONLY, FAILED, "only drivers may do this"),
    STATUS(FWP_E_LIFETIME_MISMATCH, FAILED, "it refers to an object that may go away earlier"),
    STATUS(FWP_E_BUILTIN_OBJECT, FAILED, "it is built in and stays"),
    STATUS(FWP_E_TOO_MANY_CALLOUTS, FAILED, "there are too many callouts or boot-time filters"),
    STATUS(FWP_E_NOTIFICATION_DROPPED, FAILED, "a notification was lost"),
    STATUS(FWP_E_NULL_POINTER, FAILED, "a required value is missing"),
    STATUS(FWP_E_INVALID_ENUMERATOR, FAILED, "an enumerated value is out of range"),
    STATUS(FWP_E_INVALID_FLAGS, FAILED, "the flags are not valid"),
    STATUS(FWP_E_INVALID_NET_MASK, FAILED, "the network mask is not valid"),
    STATUS(FWP_E_INVALID_RANGE, FAILED, "the range is empty"),
    STATUS(FWP_E_INVALID_INTERVAL, FAILED, "the time interval is not valid"),
    STATUS(FWP_E_ZERO_LENGTH_ARRAY, FAILED, "a required list is empty"),
    STATUS(FWP_E_NULL_DISPLAY_NAME, FAILED, "the object has no name"),
    STATUS(FWP_E_INVALID_ACTION_TYPE, FAILED, "the action is not one of a filter"),
    STATUS(FWP_E_INVALID_WEIGHT, FAILED, "the weight is not valid"),
    STATUS(FWP_E_MATCH_TYPE_MISMATCH, FAILED, "the comparison does not suit the value"),
    STATUS(FWP_E_TYPE_MISMATCH, FAILED, "the value is not of the field's type"),
    STATUS(FWP_E_OUT_OF_BOUNDS, FAILED, "a number is out of range"),
    STATUS(FWP_E_RESERVED, FAILED, "a reserved value is set"),
    STATUS(FWP_E_DUPLICATE_CONDITION, FAILED, "a field appears twice"),
    STATUS(FWP_E_ACTION_INCOMPATIBLE_WITH_LAYER, FAILED, "the action does not suit the layer"),
    STATUS(FWP_E_ACTION_INCOMPATIBLE_WITH_SUBLAYER, FAILED, "the action does not suit the sublayer"),
    STATUS(FWP_E_CONTEXT_INCOMPATIBLE_WITH_LAYER, FAILED, "the provider context does not suit the layer"),
    STATUS(FWP_E_CONTEXT_INCOMPATIBLE_WITH_CALLOUT, FAILED, "the provider context does not suit the callout"),
    STATUS(FWP_E_NEVER_MATCH, FAILED, "it could never match"),
    STATUS(FWP_E_PROVIDER_CONTEXT_MISMATCH, FAILED, "the provider context is of another type"),
    STATUS(FWP_E_INVALID_PARAMETER, FAILED, "a parameter is not valid"),
    STATUS(FWP_E_TOO_MANY_SUBLAYERS, FAILED, "there are too many sublayers"),
    STATUS(FWP_E_CALLOUT_NOTIFICATION_FAILED, FAILED, "the callout's driver refused the filter"),
    STATUS(FWP_E_CONNECTIONS_DISABLED, FAILED, "connections are not monitored"),
    STATUS(FWP_E_STILL_ON, FAILED, "the option is in use and cannot be turned off"),
#undef STATUS
};

static const struct entry *find_entry(uint32_t status)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].status == status)
            return &entries[i];
    return NULL;
}

const char *wall_status_name(uint32_t status)
{
    const struct entry *entry = find_entry(status);
    return entry ? entry->name : NULL;
}

const char *wall_status_meaning(uint32_t status)
{
    const struct entry *entry = find_entry(status);
    return entry ? entry->meaning : NULL;
}

int wall_status_exit(uint32_t status)
{
    const struct entry *entry = find_entry(status);
    return entry ? (int)entry->exit : WALL_EXIT_FAILED;
}

int wall_complain_status(uint32_t status, const char *what_format, ...)
{
    char *what = NULL;
    va_list arguments;
    va_start(arguments, what_format);
    int length = vasprintf(&what, what_format, arguments);
    va_end(arguments);
    const struct entry *entry = find_entry(status);
    if (entry && entry->exit == WALL_EXIT_NOT_RUNNING)
        wall_complain("%s", entry->meaning);
    else if (entry)
        wall_complain("cannot %s: %s (%s, 0x%08x)", length >= 0 ? what : "do it", entry->meaning, entry->name, status);
    else
        wall_complain("cannot %s: error 0x%08x", length >= 0 ? what : "do it", status);
    free(length >= 0 ? what : NULL);
    return wall_status_exit(status);
}
