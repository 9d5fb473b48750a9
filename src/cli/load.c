#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/control.h"

// The file's name without ".so"; for free().
static char *make_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *start = slash ? slash + 1 : path;
    size_t length = strlen(start);
    if (length > 3 && strcmp(start + length - 3, ".so") == 0)
        length -= 3;
    return strndup(start, length);
}

static int check_parameters(const struct wall_arguments *arguments)
{
    struct wall_error err;
    for (size_t i = 1; i < arguments->positional_count; i++) {
        const char *equals = strchr(arguments->positional[i], '=');
        if (!equals || equals == arguments->positional[i]) {
            wall_error_set(&err, -EINVAL, "'%s' is not a parameter: use key=value", arguments->positional[i]);
            return wall_complain_usage(arguments, &err);
        }
    }
    return WALL_EXIT_OK;
}

static int load(const char *path, const char *name, const char *const *parameters)
{
    struct wall_control *control;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    uint32_t process_id;
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_load(control, path, name, parameters, &process_id, error);
    wall_control_close(control);
    if (r < 0)
        return wall_control_complain(r, error);
    printf("Driver %s is running: process %u.\n", name, process_id);
    return WALL_EXIT_OK;
}

static int run_load(const struct wall_arguments *arguments)
{
    int code = check_parameters(arguments);
    if (code != 0)
        return code;
    char *path = realpath(arguments->positional[0], NULL);
    if (!path) {
        int r = -errno;
        wall_complain("driver '%s' cannot be found: %m", arguments->positional[0]);
        return r == -EACCES ? WALL_EXIT_ACCESS_DENIED : WALL_EXIT_NOT_FOUND;
    }
    // The name is the one that was written, not where a link leads.
    const char *given = wall_argument(arguments, "name", 0);
    char *name = given ? strdup(given) : make_name(arguments->positional[0]);
    code = name ? load(path, name, arguments->positional + 1) : wall_complain_error(-ENOMEM, NULL);
    free(name);
    free(path);
    return code;
}

static const struct wall_option options[] = {
    { "name", "NAME", "What the driver is called (default: the file's name without .so).", false },
    { 0 },
};

const struct wall_command wall_command_load = {
    .name = "load",
    .summary = "Start a callout driver.",
    .usage = "DRIVER.so [KEY=VALUE]...",
    .description = "Returns when its DriverEntry has. Keys and values go to the driver's registry key\n"
                   "Parameters: numbers as REG_DWORD, anything else as REG_SZ.\n",
    .examples = "  ringwall load ./tutorial.so\n"
                "  ringwall load wall.so --name guard block_app=/curl block_remote=192.0.2.1,:25\n",
    .options = options,
    .positional_min = 1,
    .positional_max = SIZE_MAX,
    .run = run_load,
};
