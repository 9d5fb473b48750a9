// The service's command line.
#pragma once

#include <stdbool.h>

struct wall_error;

struct wall_options {
    const char *scope;        // below the cgroup v2 mount; "": the whole machine
    const char *runtime_dir;
    const char *state_dir;    // NULL: the default that goes with the runtime directory
    const char *driver_host;  // the driver host program; NULL: the installed one, or the one of the build tree
    int pend_age_s;           // how long a callout may pend a flow; 0: the default
    int ready_fd;             // told "ready\n", or one line of error, once; -1: none
    bool help, version;
};

#define WALL_RUNTIME_DIR_DEFAULT "/run/ringwall"
#define WALL_STATE_DIR_DEFAULT "/var/lib/ringwall"

// Strings in `ret_options` are borrowed from argv or the environment (RINGWALL_RUNTIME_DIR).
// Returns 0, or -EINVAL with the offending word in `err`.
int wall_options_parse(int argc, char **argv, struct wall_options *ret_options, struct wall_error *err);
extern const char wall_options_help[];
