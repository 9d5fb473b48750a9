#include "host/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/error.h"
#include "base/vector.h"

int wall_cgroup_mount(char **ret_path, struct wall_error *err)
{
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    if (!mounts)
        return wall_error_set(err, -errno, "cannot read the mount table /proc/self/mounts: %s. Mount /proc first.",
                              strerror(errno));

    char *path = NULL;
    const struct mntent *mount;
    while (!path && (mount = getmntent(mounts))) {
        if (strcmp(mount->mnt_type, "cgroup2") == 0)
            path = strdup(mount->mnt_dir);
    }
    endmntent(mounts);
    if (!path)
        return wall_error_set(err, -ENOENT, "no cgroup v2 tree is mounted. Mount one: "
                                            "mount -t cgroup2 none /sys/fs/cgroup/unified");
    *ret_path = path;
    return 0;
}

static bool has_parent_reference(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return false;
}

static int make_group(const char *path, bool *ret_created, struct wall_error *err)
{
    if (mkdir(path, 0755) == 0) {
        *ret_created = true;
        return 0;
    }
    int code = -errno;
    struct stat status;
    if (code == -EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        *ret_created = false;
        return 0;
    }
    if (code == -ENOENT)
        return wall_error_set(err, code, "cgroup %s: its parent does not exist. Create the parent first, or name a "
                                         "scope directly below an existing cgroup.", path);
    return wall_error_set(err, code, "cannot create cgroup %s: %s", path, strerror(-code));
}

int wall_cgroup_ensure(const char *scope, char **ret_path, bool *ret_created, struct wall_error *err)
{
    while (*scope == '/')
        scope++;
    if (has_parent_reference(scope))
        return wall_error_set(err, -EINVAL, "scope \"%s\": a path with \"..\" is not allowed; give a path below the "
                                            "cgroup v2 mount.", scope);

    char *mount = NULL, *path = NULL;
    int r = wall_cgroup_mount(&mount, err);
    if (r < 0)
        return r;
    if (*scope == '\0') {
        *ret_path = mount;
        *ret_created = false;
        return 0;
    }
    bool created = false;
    if (asprintf(&path, "%s/%s", mount, scope) < 0)
        path = NULL;
    free(mount);
    if (!path)
        return wall_error_set(err, -ENOMEM, "out of memory");
    r = make_group(path, &created, err);
    if (r < 0) {
        free(path);
        return r;
    }
    *ret_path = path;
    *ret_created = created;
    return 0;
}

#define DEPTH_MAX 64  // of groups in groups; the kernel's own limit is set by the machine's owner

static int add_processes(int folder, struct wall_vector *processes)
{
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!file) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    char line[32];
    int r = 0;
    while (r == 0 && fgets(line, sizeof(line), file)) {
        pid_t process = (pid_t)strtol(line, NULL, 10);
        r = wall_vector_add(processes, &process);
    }
    (void)fclose(file);
    return r;
}

static int add_group(int fd, unsigned depth, struct wall_vector *processes)
{
    int r = add_processes(fd, processes);
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return r;
    }
    const struct dirent *entry;
    while (r == 0 && depth < DEPTH_MAX && (entry = readdir(folder))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        int below = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (below >= 0)
            r = add_group(below, depth + 1, processes);
    }
    closedir(folder);
    return r;
}

int wall_cgroup_processes(const char *path, struct wall_vector *processes)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : add_group(fd, 0, processes);
}
