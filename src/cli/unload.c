#include "cli/command.h"
#include "cli/control.h"

static int run_unload(const struct wall_arguments *arguments)
{
    struct wall_control *control;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_unload(control, arguments->positional[0], error);
    wall_control_close(control);
    if (r < 0)
        return wall_control_complain(r, error);
    printf("Driver %s is unloaded.\n", arguments->positional[0]);
    return WALL_EXIT_OK;
}

const struct wall_command wall_command_unload = {
    .name = "unload",
    .summary = "Stop a callout driver.",
    .usage = "NAME",
    .description = "Returns when its DriverUnload has, and forgets a driver that has failed.\n",
    .examples = "  ringwall unload wall\n",
    .positional_min = 1,
    .positional_max = 1,
    .run = run_unload,
};
