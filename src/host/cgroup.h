// Control groups (cgroup v2): where the tree is mounted, and the group that Ringwall enforces in.
#pragma once

#include <stdbool.h>

struct wall_error;
struct wall_vector;

// Finds the cgroup v2 mount in the mount table. `ret_path` is from malloc().
// Returns 0, -ENOENT when there is none, or another negative errno.
int wall_cgroup_mount(char **ret_path, struct wall_error *err);

// Opens the way to the group `scope`, a path below the mount ("/" or "" is the whole machine), and creates the last
// component when it is missing. `ret_path` (malloc) is absolute; `ret_created` tells whether a directory was made.
// Returns 0; -EINVAL for "..", -ENOENT when a parent is missing, or another negative errno.
int wall_cgroup_ensure(const char *scope, char **ret_path, bool *ret_created, struct wall_error *err);

// Appends the ids (pid_t) of all processes in the group at the absolute path and in the groups below it. Returns 0,
// -ENOMEM, or what opening the group said; a group that vanishes meanwhile is skipped.
int wall_cgroup_processes(const char *path, struct wall_vector *processes);
