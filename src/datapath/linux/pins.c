#include "datapath/linux/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

// The source of the mounts made here; a bpffs of somebody else is never unmounted.
#define MOUNT_SOURCE "ringwall"

static int make_folders(const char *path)
{
    char partial[256];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(partial, sizeof(partial), "%.*s", (int)(slash - path), path);
        if (mkdir(partial, 0755) && errno != EEXIST)
            return -errno;
    }
    return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int open_locked(const char *path, struct wall_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wall_error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return wall_error_set(err, r, r == -EBUSY ? "%s is in use by another instance; stop that one first"
                                                  : "%s cannot be locked", path);
    }
    return fd;
}

static bool is_bpffs(int fd)
{
    struct statfs about;
    return !fstatfs(fd, &about) && about.f_type == BPF_FS_MAGIC;
}

int wall_pins_open(const char *path, struct wall_pins *ret_pins, struct wall_error *err)
{
    if (path[0] != '/' || strlen(path) >= sizeof(ret_pins->path))
        return wall_error_set(err, -EINVAL, "the pin path '%s' is not absolute, or too long", path);
    int r = make_folders(path);
    if (r < 0)
        return wall_error_set(err, r, "%s cannot be made: %s", path, strerror(-r));

    // The folder below the mount is locked too while the mount is made, so that two instances never both mount.
    int fd = open_locked(path, err);
    if (fd < 0)
        return fd;
    if (!is_bpffs(fd)) {
        if (mount(MOUNT_SOURCE, path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
            r = -errno;
            close(fd);
            return wall_error_set(err, r, "a bpf file system cannot be mounted at %s: %s", path, strerror(-r));
        }
        int mounted_fd = open_locked(path, err);
        close(fd);
        if (mounted_fd < 0)
            return mounted_fd;
        fd = mounted_fd;
    }
    *ret_pins = (struct wall_pins){ .lock_fd = fd };
    memcpy(ret_pins->path, path, strlen(path) + 1);
    return 0;
}

void wall_pins_close(struct wall_pins *pins)
{
    if (pins->lock_fd >= 0)
        close(pins->lock_fd);
    pins->lock_fd = -1;
}

static bool is_own_mount(const char *path)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    if (!mounts)
        return false;
    char buffer[4096];
    struct mntent entry;
    bool own = false;
    while (getmntent_r(mounts, &entry, buffer, sizeof(buffer)))
        if (!strcmp(entry.mnt_dir, path))
            own = !strcmp(entry.mnt_fsname, MOUNT_SOURCE) && !strcmp(entry.mnt_type, "bpf");
    endmntent(mounts);
    return own;
}

int wall_pins_clear(const struct wall_pins *pins, const char *prefix)
{
    DIR *folder = opendir(pins->path);
    if (!folder)
        return -errno;
    int r = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        // A name with a dot is the kernel's own (maps.debug): a pin cannot have one.
        if (!strchr(entry->d_name, '.') && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
            unlinkat(dirfd(folder), entry->d_name, 0))
            r = -errno;
    closedir(folder);
    return r;
}

int wall_pins_remove(struct wall_pins *pins, struct wall_error *err)
{
    int r = wall_pins_clear(pins, "");
    if (r < 0)
        return wall_error_set(err, r, "the pins in %s cannot be removed: %s", pins->path, strerror(-r));
    bool own = is_own_mount(pins->path);
    wall_pins_close(pins);  // an open folder would keep the file system busy
    if (own && umount2(pins->path, MNT_DETACH))
        return wall_error_set(err, -errno, "%s cannot be unmounted: %s", pins->path, strerror(errno));
    if (rmdir(pins->path) && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY)
        return wall_error_set(err, -errno, "%s cannot be removed: %s", pins->path, strerror(errno));
    return 0;
}

const char *wall_pins_name(const struct wall_pins *pins, const char *name, char ret_path[WALL_PIN_PATH_BYTES])
{
    snprintf(ret_path, WALL_PIN_PATH_BYTES, "%s/%s", pins->path, name);
    return ret_path;
}

bool wall_pins_contain(const struct wall_pins *pins, const char *name)
{
    char path[WALL_PIN_PATH_BYTES];
    return !access(wall_pins_name(pins, name, path), F_OK);
}
