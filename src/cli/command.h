// The subcommands of `ringwall`, what they share, and how they end.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/arguments.h"

// Exit codes, documented in ringwall(1).
enum wall_exit {
    WALL_EXIT_OK = 0,
    WALL_EXIT_FAILED = 1,
    WALL_EXIT_USAGE = 2,
    WALL_EXIT_NOT_RUNNING = 3,
    WALL_EXIT_ACCESS_DENIED = 4,
    WALL_EXIT_NOT_FOUND = 5,
    WALL_EXIT_EXISTS = 6,
    WALL_EXIT_TIMEOUT = 7,
};

// All of them, NULL-terminated, in the order of the help.
extern const struct wall_command *const wall_commands[];

extern const struct wall_command wall_command_start, wall_command_stop, wall_command_status,
    wall_command_load, wall_command_unload, wall_command_drivers, wall_command_monitor, wall_command_ask,
    wall_command_block, wall_command_block_list, wall_command_permit, wall_command_list, wall_command_remove,
    wall_command_show, wall_command_version, wall_command_help;

const struct wall_command *wall_command_find(const char *name);  // NULL when there is none

// Runs `ringwall` with the words of its command line and returns the exit code.
int wall_command_main(int count, char **words);

// The list of commands, or all about one.
void wall_command_print_list(FILE *file);
void wall_command_print_help(const struct wall_command *command, FILE *file);

// One line on the standard error, "ringwall: " and the text, cleaned for a terminal.
void wall_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Says what `err` tells, or what the negative errno `code` means when it tells nothing. Returns the exit code for it.
int wall_complain_error(int code, const struct wall_error *err);
// A wrong command line: says so and where the help is. Returns WALL_EXIT_USAGE.
int wall_complain_usage(const struct wall_arguments *arguments, const struct wall_error *err);
