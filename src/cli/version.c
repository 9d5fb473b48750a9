#include "cli/command.h"

static int run_version(const struct wall_arguments *arguments)
{
    if (wall_argument_given(arguments, "json"))
        printf("{\"version\": \"%s\"}\n", RINGWALL_VERSION);
    else
        printf("ringwall %s\n", RINGWALL_VERSION);
    return WALL_EXIT_OK;
}

static const struct wall_option options[] = {
    { "json", NULL, "Print JSON.", false },
    { 0 },
};

const struct wall_command wall_command_version = {
    .name = "version",
    .summary = "Print the version of this program.",
    .usage = "",
    .examples = "  ringwall version\n"
                "  ringwall version --json\n",
    .options = options,
    .run = run_version,
};
