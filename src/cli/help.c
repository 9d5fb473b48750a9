#include "cli/command.h"

static int run_help(const struct wall_arguments *arguments)
{
    if (arguments->positional_count == 0) {
        wall_command_print_list(stdout);
        return WALL_EXIT_OK;
    }
    const struct wall_command *command = wall_command_find(arguments->positional[0]);
    if (!command) {
        wall_complain("there is no command '%s'; ringwall help lists them", arguments->positional[0]);
        return WALL_EXIT_USAGE;
    }
    wall_command_print_help(command, stdout);
    return WALL_EXIT_OK;
}

const struct wall_command wall_command_help = {
    .name = "help",
    .summary = "List the commands, or tell about one.",
    .usage = "[COMMAND]",
    .examples = "  ringwall help\n"
                "  ringwall help block\n",
    .positional_max = 1,
    .run = run_help,
};
