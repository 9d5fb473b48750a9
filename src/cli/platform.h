// What differs between the systems that ringwall runs on. The commands of each, wall_commands, and the options that all
// commands have, wall_common_options, are also the platform's.
#pragma once

#include <stdbool.h>

#include "fwptypes.h"

#include "base/error.h"
#include "cli/arguments.h"

// What some statuses mean here, for people.
extern const char wall_platform_not_running[], wall_platform_access_denied[], wall_platform_not_supported[];

// Options of all commands that stand before the command. Returns the words they take, or a negative errno with `err`.
int wall_platform_leading_option(int count, char **words, struct wall_error *err);
// Does what the common options say, before a command runs. Returns 0 or a negative errno.
int wall_platform_prepare(const struct wall_arguments *arguments);

// The app id of a program's file, for FwpmFreeMemory0(). Complains when there is none. Returns the exit code.
int wall_platform_app_id(const char *path, FWP_BYTE_BLOB **ret_app);

// Waits at most `timeout_ms` for somebody to end the command. Once called, that no longer ends the process by itself.
bool wall_platform_interrupted(unsigned timeout_ms);
