#include "cli/command.h"
#include "cli/control.h"

static int run_stop(const struct wall_arguments *arguments)
{
    struct wall_control *control;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_stop(control, error);
    wall_control_close(control);
    if (r < 0)
        return wall_control_complain(r, error);
    puts("Ringwall has stopped.");
    return WALL_EXIT_OK;
}

const struct wall_command wall_command_stop = {
    .name = "stop",
    .summary = "Stop the service.",
    .usage = "",
    .description = "Drivers are unloaded, held connections refused, and everything is taken off the kernel.\n"
                   "What is stored stays for the next start.\n",
    .examples = "  ringwall stop\n",
    .run = run_stop,
};
