// The command line of the driver host.
#pragma once

#include "base/error.h"

struct wall_host_arguments {
    const char *name;
    const char *path;                // of the driver
    const char *const *parameters;   // name=value …, NULL at the end
    const char *data_directory;      // NULL: below $RINGWALL_STATE_DIR, or none
    const char *runtime_directory;   // NULL: $RINGWALL_RUNTIME_DIR
    int control_fd;                  // -1: none
    int help, version;
};

extern const char wall_host_help[];

// Strings in `ret_arguments` are borrowed from argv. Returns 0 or -EINVAL with `err`.
int wall_host_arguments_parse(int argc, char **argv, struct wall_host_arguments *ret_arguments,
                              struct wall_error *err);
