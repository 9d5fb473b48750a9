#include "datapath/linux/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

int wall_environment_check(const char *btf_path, struct wall_error *err)
{
    if (geteuid() != 0)
        return wall_error_set(err, -EPERM, "loading the filter into the kernel needs root (user id here: %u)",
                              (unsigned)geteuid());
    const char *path = btf_path ? btf_path : KERNEL_BTF;
    if (access(path, R_OK))
        return wall_error_set(err, -ENOENT, "%s cannot be read: this kernel has no type information (BTF); "
                              "it needs CONFIG_DEBUG_INFO_BTF=y", path);
    return 0;
}

// Where cgroup v2 is mounted, for a message that tells what would work.
static bool find_cgroup_mount(char *ret_path, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    if (!mounts)
        return false;
    char buffer[4096];
    struct mntent entry;
    bool found = false;
    while (!found && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
        found = !strcmp(entry.mnt_type, "cgroup2");
        if (found)
            snprintf(ret_path, size, "%s", entry.mnt_dir);
    }
    endmntent(mounts);
    return found;
}

int wall_environment_open_cgroup(const char *path, int *ret_fd, struct wall_error *err)
{
    char mount_path[256];
    if (!find_cgroup_mount(mount_path, sizeof(mount_path)))
        return wall_error_set(err, -ENOENT, "no cgroup v2 hierarchy is mounted; "
                              "`mount -t cgroup2 none /sys/fs/cgroup` mounts one");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wall_error_set(err, -ENOENT, "cgroup %s: %s (cgroup v2 is mounted at %s)", path, strerror(errno),
                              mount_path);
    struct statfs about;
    if (fstatfs(fd, &about) || about.f_type != CGROUP2_SUPER_MAGIC) {
        close(fd);
        return wall_error_set(err, -ENOENT, "%s is not a cgroup of the v2 hierarchy, which is mounted at %s", path,
                              mount_path);
    }
    *ret_fd = fd;
    return 0;
}
