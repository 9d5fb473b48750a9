#include "service/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char wall_options_help[] =
    "Usage: ringwalld [OPTION]...\n"
    "The Ringwall service: holds the policy, decides held connections, runs callout drivers.\n"
    "People start it with `ringwall start`; systemd with ringwalld.service.\n"
    "\n"
    "  --scope CGROUP       enforce only in this cgroup, a path below the cgroup v2 mount,\n"
    "                       created if missing (default: the whole machine)\n"
    "  --runtime-dir DIR    socket, lock and pins (default: $RINGWALL_RUNTIME_DIR, else /run/ringwall)\n"
    "  --state-dir DIR      stored policy (default: /var/lib/ringwall; with another runtime\n"
    "                       directory than the default: its subdirectory state)\n"
    "  --driver-host FILE   the program that runs a callout driver\n"
    "  --pend-age SECONDS   how long a driver may keep a connection waiting before it is blocked\n"
    "                       (default: 600)\n"
    "  --ready-fd N         write \"ready\" or one line of error to this descriptor\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage.\n";

enum option {
    OPTION_SCOPE, OPTION_RUNTIME, OPTION_STATE, OPTION_HOST, OPTION_AGE, OPTION_READY, OPTION_HELP, OPTION_VERSION,
};

static const char *const names[] = {"--scope", "--runtime-dir", "--state-dir", "--driver-host",
                                    "--pend-age", "--ready-fd", "--help", "--version"};

static int find_option(const char *word, const char **ret_value)
{
    for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(word, names[i], length) != 0 || (word[length] != '\0' && word[length] != '='))
            continue;
        *ret_value = word[length] == '=' ? word + length + 1 : NULL;
        return i;
    }
    return -1;
}

static int parse_number(const char *name, const char *text, long least, int *ret_number, struct wall_error *err)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < least || value > 1 << 20)
        return wall_error_set(err, -EINVAL, "%s %s: give a number from %ld to %d.", name, text, least, 1 << 20);
    *ret_number = (int)value;
    return 0;
}

int wall_options_parse(int argc, char **argv, struct wall_options *ret_options, struct wall_error *err)
{
    const char *environment = getenv("RINGWALL_RUNTIME_DIR");
    struct wall_options options = {
        .scope = "",
        .runtime_dir = environment && *environment ? environment : WALL_RUNTIME_DIR_DEFAULT,
        .ready_fd = -1,
    };
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        int option = find_option(argv[i], &value);
        if (option < 0)
            return wall_error_set(err, -EINVAL, "%s: unknown option. See ringwalld --help.", argv[i]);
        if (option >= OPTION_HELP) {
            options.help = options.help || option == OPTION_HELP;
            options.version = options.version || option == OPTION_VERSION;
            continue;
        }
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value)
            return wall_error_set(err, -EINVAL, "%s needs a value. See ringwalld --help.", names[option]);
        if (option == OPTION_SCOPE)
            options.scope = value;
        else if (option == OPTION_RUNTIME)
            options.runtime_dir = value;
        else if (option == OPTION_STATE)
            options.state_dir = value;
        else if (option == OPTION_HOST)
            options.driver_host = value;
        else if (parse_number(names[option], value, option == OPTION_AGE,
                              option == OPTION_AGE ? &options.pend_age_s : &options.ready_fd, err) < 0)
            return -EINVAL;
    }
    *ret_options = options;
    return 0;
}
