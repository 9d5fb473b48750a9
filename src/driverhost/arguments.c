#include "driverhost/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char wall_host_help[] =
    "Usage: ringwall-driver-host --name NAME [OPTION]... DRIVER.so [NAME=VALUE]...\n"
    "Runs one callout driver. ringwalld starts it for `ringwall load`; by hand it is for debuggers.\n"
    "\n"
    "  --name NAME          the driver's name, as in its registry path\n"
    "  --fd N               control socket of ringwalld; without it, the host runs until SIGTERM or SIGINT\n"
    "  --data-dir DIR       where the driver's files go (default: below $RINGWALL_STATE_DIR)\n"
    "  --runtime-dir DIR    the instance to register callouts with (default: $RINGWALL_RUNTIME_DIR)\n"
    "  --help, --version\n"
    "\n"
    "NAME=VALUE are the values of the driver's key and its subkey Parameters: REG_DWORD for numbers, else REG_SZ.\n"
    "Debug output goes to standard error.\n";

static int parse_fd(const char *text, int *ret_fd)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < 0 || value > 1023)
        return -EINVAL;
    *ret_fd = (int)value;
    return 0;
}

static int parse_option(const char *option, const char *value, struct wall_host_arguments *arguments,
                        struct wall_error *err)
{
    if (strcmp(option, "--name") == 0)
        arguments->name = value;
    else if (strcmp(option, "--data-dir") == 0)
        arguments->data_directory = value;
    else if (strcmp(option, "--runtime-dir") == 0)
        arguments->runtime_directory = value;
    else if (strcmp(option, "--fd") != 0)
        return wall_error_set(err, -EINVAL, "unknown option %s; see --help", option);
    else if (!value || parse_fd(value, &arguments->control_fd) < 0)
        return wall_error_set(err, -EINVAL, "--fd needs the number of an open file");
    return value ? 0 : wall_error_set(err, -EINVAL, "%s needs a value", option);
}

int wall_host_arguments_parse(int argc, char **argv, struct wall_host_arguments *ret_arguments,
                              struct wall_error *err)
{
    struct wall_host_arguments arguments = { .control_fd = -1 };
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
            arguments.help = argv[i][2] == 'h';
            arguments.version = !arguments.help;
            *ret_arguments = arguments;
            return 0;
        }
        int result = parse_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, &arguments, err);
        if (result < 0)
            return result;
    }
    if (i >= argc)
        return wall_error_set(err, -EINVAL, "no driver given; see --help");
    if (!arguments.name)
        return wall_error_set(err, -EINVAL, "--name is missing; see --help");
    arguments.path = argv[i];
    arguments.parameters = (const char *const *)(argv + i + 1);
    *ret_arguments = arguments;
    return 0;
}
