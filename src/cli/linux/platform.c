#include "cli/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fwpmu.h"

#include "base/utf16.h"
#include "cli/command.h"
#include "cli/wfp_status.h"

const struct wall_command *const wall_commands[] = {
    &wall_command_start,
    &wall_command_stop,
    &wall_command_status,
    &wall_command_load,
    &wall_command_unload,
    &wall_command_drivers,
    &wall_command_monitor,
    &wall_command_ask,
    &wall_command_block,
    &wall_command_block_list,
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
    { "runtime-dir", "DIR", "Where the service's sockets are (RINGWALL_RUNTIME_DIR; default /run/ringwall).", false },
    { 0 },
};

const char wall_platform_not_running[] = "the service is not running; start it with: ringwall start";
const char wall_platform_access_denied[] = "access denied; only root and the group ringwall may change the policy";
const char wall_platform_not_supported[] = "not supported on Linux";

int wall_platform_leading_option(int count, char **words, struct wall_error *err)
{
    static const char option[] = "--runtime-dir";
    size_t length = sizeof(option) - 1;
    if (count < 2 || strncmp(words[1], option, length) != 0)
        return 0;
    const char *value = NULL;
    if (words[1][length] == '=')
        value = words[1] + length + 1;
    else if (words[1][length] == '\0' && count > 2)
        value = words[2];
    if (!value || !value[0])
        return wall_error_set(err, -EINVAL, "option '%s' needs a value: %s DIR", words[1], option);
    if (setenv("RINGWALL_RUNTIME_DIR", value, 1) < 0)
        return wall_error_set(err, -errno, "no memory");
    return value == words[2] ? 2 : 1;
}

int wall_platform_prepare(const struct wall_arguments *arguments)
{
    // The client library finds the service by it, and so does what is started from here.
    const char *runtime_dir = wall_argument(arguments, "runtime-dir", 0);
    return runtime_dir && setenv("RINGWALL_RUNTIME_DIR", runtime_dir, 1) < 0 ? -errno : 0;
}

// A script's connections are its interpreter's: a filter on its path would never match, and nobody would notice.
static bool is_script(const char *path)
{
    char start[2] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool script = fd >= 0 && read(fd, start, 2) == 2 && start[0] == '#' && start[1] == '!';
    if (fd >= 0)
        close(fd);
    return script;
}

int wall_platform_app_id(const char *text, FWP_BYTE_BLOB **ret_app)
{
    char *path = realpath(text, NULL);
    if (!path) {
        int code = -errno;
        wall_complain("program '%s' cannot be found: %m", text);
        return code == -EACCES ? WALL_EXIT_ACCESS_DENIED : WALL_EXIT_NOT_FOUND;
    }
    if (is_script(path)) {
        wall_complain("'%s' is a script: its connections are made by its interpreter; name that program", path);
        free(path);
        return WALL_EXIT_FAILED;
    }
    uint16_t *wide = wall_utf16_new_from_path(path);
    uint32_t status = wide ? FwpmGetAppIdFromFileName0(wide, ret_app) : ERROR_NOT_ENOUGH_MEMORY;
    free(wide);
    int code = status == ERROR_SUCCESS ? 0 : wall_complain_status(status, "use the program '%s'", path);
    free(path);
    return code;
}

bool wall_platform_interrupted(unsigned timeout_ms)
{
    const struct timespec timeout = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000 };
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return sigtimedwait(&signals, NULL, &timeout) >= 0;
}
