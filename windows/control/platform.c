// cli/platform.h on Windows.
#include "cli/platform.h"

#include <stdlib.h>

#include <winsock2.h>
#include <windows.h>

#include "fwpmu.h"

#include "base/utf16.h"
#include "cli/command.h"
#include "cli/wfp_status.h"

#include "commands.h"

const struct wall_command *const wall_commands[] = {
    &wall_command_install,
    &wall_command_uninstall,
    &wall_command_start,
    &wall_command_stop,
    &wall_command_set,
    &wall_command_log,
    &wall_command_block,
    &wall_command_permit,
    &wall_command_list,
    &wall_command_remove,
    &wall_command_show,
    &wall_command_version,
    &wall_command_help,
    NULL,
};

const struct wall_option wall_common_options[] = {
    { "help", NULL, "Show this text.", false },
    { 0 },
};

const char wall_platform_not_running[] = "the Base Filtering Engine is not running; start it with: sc start bfe";
const char wall_platform_access_denied[] = "access denied; run this as administrator";
const char wall_platform_not_supported[] = "not supported by this Windows";

int wall_platform_leading_option(int count, char **words, struct wall_error *err)
{
    (void)count;
    (void)words;
    (void)err;
    return 0;
}

int wall_platform_prepare(const struct wall_arguments *arguments)
{
    (void)arguments;
    return 0;
}

int wall_platform_app_id(const char *path, FWP_BYTE_BLOB **ret_app)
{
    uint16_t *wide = NULL;
    int r = wall_utf16_new_from_utf8(path, &wide);
    if (r < 0)
        return wall_complain_error(r, NULL);
    uint32_t status = FwpmGetAppIdFromFileName0(wide, ret_app);
    free(wide);
    return status == ERROR_SUCCESS ? 0 : wall_complain_status(status, "use the program '%s'", path);
}

static HANDLE interrupted;

static BOOL WINAPI on_control(DWORD type)
{
    (void)type;
    SetEvent(interrupted);
    return TRUE;
}

bool wall_platform_interrupted(unsigned timeout_ms)
{
    if (!interrupted) {
        interrupted = CreateEventW(NULL, TRUE, FALSE, NULL);
        SetConsoleCtrlHandler(on_control, TRUE);
    }
    return WaitForSingleObject(interrupted, timeout_ms) == WAIT_OBJECT_0;
}
