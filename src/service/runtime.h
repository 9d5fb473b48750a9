// The runtime directory of one instance: its lock, its socket, its pins, its logs.
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct wall_runtime {
    char *directory;    // absolute
    char *socket_path;  // DIRECTORY/api.sock
    char *pin_path;     // DIRECTORY/bpf
    int lock_fd;        // held for the life of the instance
    int listen_fd;
};

// Creates the directory when missing, locks it and listens. Returns 0; -EBUSY when another instance runs there, or
// another negative errno.
int wall_runtime_open(const char *directory, struct wall_runtime *ret_runtime, struct wall_error *err);
// `remove`: takes away all that Ringwall made in the directory, and the directory itself once it is empty.
void wall_runtime_close(struct wall_runtime *runtime, bool remove);
