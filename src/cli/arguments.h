// The command line of one subcommand: options described by a table, then the rest.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct wall_option {
    const char *name;   // without the dashes
    const char *value;  // what its value is called in the help; NULL: a switch
    const char *help;
    bool many;          // may be given more than once
};

struct wall_arguments;

struct wall_command {
    const char *name;
    const char *summary;      // one line, for the list of commands
    const char *usage;        // what follows the command's name, without the common options
    const char *description;  // may be NULL
    const char *examples;     // one per line
    const struct wall_option *options;  // may be NULL; ends with an option without a name
    size_t positional_min, positional_max;
    int (*run)(const struct wall_arguments *arguments);  // returns the exit code
};

// One command line has at most this many options; more are refused.
#define WALL_ARGUMENTS_OPTIONS_MAX 256

struct wall_arguments {
    const struct wall_command *command;
    struct {
        const struct wall_option *option;
        const char *value;  // "" for a switch
    } options[WALL_ARGUMENTS_OPTIONS_MAX];
    size_t option_count;
    const char **positional;  // owned array of borrowed texts
    size_t positional_count;
};

// Options every command has: --help, and what the platform adds (cli/platform.h).
extern const struct wall_option wall_common_options[];

// Reads what follows the command's name. `--name value`, `--name=value`; `--` ends the options; options and the rest
// may be mixed. With --help nothing is required of the rest.
// Returns 0, -EINVAL with `err` naming the word that is wrong, or -ENOMEM.
int wall_arguments_parse(const struct wall_command *command, int count, char *const *words,
                         struct wall_arguments *ret_arguments, struct wall_error *err);
void wall_arguments_done(struct wall_arguments *arguments);

// The value of the option's occurrence number `index` (from 0), "" for a switch; NULL when it is not there.
const char *wall_argument(const struct wall_arguments *arguments, const char *name, size_t index);
bool wall_argument_given(const struct wall_arguments *arguments, const char *name);
