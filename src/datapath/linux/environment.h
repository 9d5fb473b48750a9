// What the machine must offer before anything is loaded, each lack told in words.
#pragma once

struct wall_error;

// Checks for privileges and the kernel's type information. `btf_path` NULL: the kernel's own.
// Returns 0, -EPERM or -ENOENT.
int wall_environment_check(const char *btf_path, struct wall_error *err);

// Opens the directory of a cgroup. `*ret_fd` is the caller's to close.
// Returns 0, or -ENOENT: cgroup v2 is not mounted, or `path` is not one of its cgroups.
int wall_environment_open_cgroup(const char *path, int *ret_fd, struct wall_error *err);
