// `ringwall install`, `uninstall`, `start`, `stop` and `set`: driver services.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"

#include "commands.h"
#include "event.h"
#include "service.h"

#define PATH_MAX_CHARACTERS 1024

static int read_name(const struct wall_arguments *arguments, WCHAR ret_name[WALL_SERVICE_NAME_MAX])
{
    struct wall_error err;
    const char *text = arguments->positional_count > 0 ? arguments->positional[0] : "wall";
    if (wall_service_name(text, ret_name))
        return 0;
    wall_error_set(&err, -EINVAL, "'%s' is not a driver's name", text);
    return wall_complain_usage(arguments, &err);
}

// --- set ---

static int set_parameter(HKEY key, const char *parameter)
{
    const char *equals = strchr(parameter, '=');
    uint16_t *wide = NULL;
    int r = wall_utf16_new_from_utf8(parameter, &wide);
    if (r < 0)
        return wall_complain_error(r, NULL);
    WCHAR *name = wide, *value = name + (equals - parameter);
    *value++ = L'\0';  // the name is ASCII: as many characters as bytes
    LONG error = *value ? RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)value,
                                         (DWORD)((wcslen(value) + 1) * sizeof(WCHAR)))
                        : RegDeleteValueW(key, name);
    free(wide);
    if (error != ERROR_SUCCESS && error != ERROR_FILE_NOT_FOUND)
        return wall_complain_windows((DWORD)error, "set '%s'", parameter);
    return 0;
}

static int check_parameters(const struct wall_arguments *arguments, size_t first)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    struct wall_error err;
    for (size_t i = first; i < arguments->positional_count; i++) {
        const char *text = arguments->positional[i];
        size_t length = strspn(text, allowed);
        if (length == 0 || text[length] != '=') {
            wall_error_set(&err, -EINVAL, "'%s' is not a parameter: use key=value", text);
            return wall_complain_usage(arguments, &err);
        }
    }
    return 0;
}

static int set_parameters(const struct wall_arguments *arguments, const WCHAR *name)
{
    HKEY key;
    int code = check_parameters(arguments, 1);
    if (code == 0)
        code = wall_service_parameters(name, &key);
    if (code != 0)
        return code;
    for (size_t i = 1; code == 0 && i < arguments->positional_count; i++)
        code = set_parameter(key, arguments->positional[i]);
    RegCloseKey(key);
    return code;
}

static int run_set(const struct wall_arguments *arguments)
{
    WCHAR name[WALL_SERVICE_NAME_MAX];
    int code = read_name(arguments, name);
    if (code == 0)
        code = set_parameters(arguments, name);
    if (code == 0)
        printf("In force when the driver %ls is started the next time.\n", name);
    return code;
}

// --- install ---

// The driver's file: given, or <name>.sys beside this program.
static int find_file(const struct wall_arguments *arguments, const WCHAR *name, WCHAR ret_path[PATH_MAX_CHARACTERS])
{
    const char *given = wall_argument(arguments, "file", 0);
    if (given) {
        uint16_t *wide = NULL;
        int r = wall_utf16_new_from_utf8(given, &wide);
        if (r < 0)
            return wall_complain_error(r, NULL);
        DWORD length = GetFullPathNameW(wide, PATH_MAX_CHARACTERS, ret_path, NULL);
        free(wide);
        return length > 0 && length < PATH_MAX_CHARACTERS ? 0
                                                          : wall_complain_windows(GetLastError(), "use '%s'", given);
    }
    DWORD length = GetModuleFileNameW(NULL, ret_path, PATH_MAX_CHARACTERS - WALL_SERVICE_NAME_MAX - 8);
    WCHAR *slash = length > 0 ? wcsrchr(ret_path, L'\\') : NULL;
    if (!slash)
        return wall_complain_windows(GetLastError(), "find the folder of this program");
    _snwprintf(slash + 1, WALL_SERVICE_NAME_MAX + 8, L"%ls.sys", name);
    return 0;
}

static int run_install(const struct wall_arguments *arguments)
{
    WCHAR name[WALL_SERVICE_NAME_MAX], path[PATH_MAX_CHARACTERS];
    int code = read_name(arguments, name);
    if (code == 0)
        code = find_file(arguments, name, path);
    if (code == 0)
        code = wall_service_create(name, path, wall_argument_given(arguments, "boot"));
    if (code == 0)
        code = set_parameters(arguments, name);
    if (code != 0)
        return code;
    wall_event_register();
    wall_event_report(WALL_EVENT_DRIVER_INSTALLED, name);
    printf("Driver %ls is installed: %ls\n", name, path);
    return WALL_EXIT_OK;
}

static int run_uninstall(const struct wall_arguments *arguments)
{
    WCHAR name[WALL_SERVICE_NAME_MAX];
    int code = read_name(arguments, name);
    if (code == 0)
        code = wall_service_delete(name);
    if (code != 0)
        return code;
    wall_event_report(WALL_EVENT_DRIVER_REMOVED, name);
    printf("Driver %ls is removed; if it runs, it stays until it is stopped.\n", name);
    return WALL_EXIT_OK;
}

// --- start, stop ---

static int run_start(const struct wall_arguments *arguments)
{
    WCHAR name[WALL_SERVICE_NAME_MAX];
    int code = read_name(arguments, name);
    if (code != 0)
        return code;
    code = wall_service_start(name);
    wall_event_report(code == 0 ? WALL_EVENT_DRIVER_STARTED : WALL_EVENT_DRIVER_FAILED, name);
    if (code == 0)
        printf("Driver %ls is running.\n", name);
    return code;
}

static int run_stop(const struct wall_arguments *arguments)
{
    WCHAR name[WALL_SERVICE_NAME_MAX];
    int code = read_name(arguments, name);
    if (code == 0)
        code = wall_service_stop(name);
    if (code != 0)
        return code;
    wall_event_report(WALL_EVENT_DRIVER_STOPPED, name);
    printf("Driver %ls is stopped.\n", name);
    return WALL_EXIT_OK;
}

static const struct wall_option install_options[] = {
    { "file", "PATH", "The driver's file (default: NAME.sys beside this program).", false },
    { "boot", NULL, "Start it with the system from now on.", false },
    { 0 },
};

const struct wall_command wall_command_install = {
    .name = "install",
    .summary = "Install a callout driver as a service.",
    .usage = "[NAME [KEY=VALUE]...]",
    .description = "NAME is wall unless given. Keys and values go to the driver's registry key Parameters.\n",
    .examples = "  ringwall install\n"
                "  ringwall install wall block_app=curl.exe block_remote=192.0.2.1,:25\n"
                "  ringwall install ask --file C:\\drivers\\ask.sys\n",
    .options = install_options,
    .positional_max = SIZE_MAX,
    .run = run_install,
};

const struct wall_command wall_command_uninstall = {
    .name = "uninstall",
    .summary = "Remove a driver's service.",
    .usage = "[NAME]",
    .examples = "  ringwall uninstall wall\n",
    .positional_max = 1,
    .run = run_uninstall,
};

const struct wall_command wall_command_start = {
    .name = "start",
    .summary = "Start an installed driver.",
    .usage = "[NAME]",
    .examples = "  ringwall start wall\n",
    .positional_max = 1,
    .run = run_start,
};

const struct wall_command wall_command_stop = {
    .name = "stop",
    .summary = "Stop a driver.",
    .usage = "[NAME]",
    .description = "Windows unloads it when nobody reads its log any more.\n",
    .examples = "  ringwall stop wall\n",
    .positional_max = 1,
    .run = run_stop,
};

const struct wall_command wall_command_set = {
    .name = "set",
    .summary = "Change a driver's parameters.",
    .usage = "NAME KEY=[VALUE]...",
    .description = "Without a value the parameter is deleted. The driver reads them when it starts.\n",
    .examples = "  ringwall set wall block_app=curl.exe\n"
                "  ringwall set wall block_app= block_remote=:25\n",
    .positional_min = 2,
    .positional_max = SIZE_MAX,
    .run = run_set,
};
