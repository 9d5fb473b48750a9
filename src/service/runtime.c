#include "service/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// Connections waiting to be accepted; the kernel caps it at net.core.somaxconn.
#define LISTEN_BACKLOG 512

static int take_lock(struct wall_runtime *runtime, struct wall_error *err)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/lock", runtime->directory);
    runtime->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (runtime->lock_fd < 0)
        return wall_error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
    if (flock(runtime->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return wall_error_set(err, -EBUSY, "another Ringwall instance is running with the runtime directory %s. Stop "
                                           "it (ringwall stop), or give another --runtime-dir.", runtime->directory);
    return 0;
}

static int listen_there(struct wall_runtime *runtime, struct wall_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(runtime->socket_path) >= sizeof(address.sun_path))
        return wall_error_set(err, -ENAMETOOLONG, "%s: a socket's path has at most %zu bytes. Give a shorter "
                                                  "--runtime-dir.", runtime->socket_path,
                              sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, runtime->socket_path, strlen(runtime->socket_path));
    (void)unlink(runtime->socket_path);  // of an instance that died: we hold the lock
    runtime->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (runtime->listen_fd < 0 || bind(runtime->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        chmod(runtime->socket_path, 0666) < 0 || listen(runtime->listen_fd, LISTEN_BACKLOG) < 0)
        return wall_error_set(err, -errno, "cannot listen on %s: %s", runtime->socket_path, strerror(errno));
    return 0;
}

int wall_runtime_open(const char *directory, struct wall_runtime *ret_runtime, struct wall_error *err)
{
    struct wall_runtime runtime = {.lock_fd = -1, .listen_fd = -1};
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return wall_error_set(err, -errno, "cannot create the runtime directory %s: %s", directory, strerror(errno));
    runtime.directory = realpath(directory, NULL);
    if (!runtime.directory)
        return wall_error_set(err, -errno, "runtime directory %s: %s", directory, strerror(errno));
    int r = asprintf(&runtime.socket_path, "%s/api.sock", runtime.directory) < 0 ||
            asprintf(&runtime.pin_path, "%s/bpf", runtime.directory) < 0 ? -ENOMEM : 0;
    if (r == 0)
        r = take_lock(&runtime, err);
    if (r == 0)
        r = listen_there(&runtime, err);
    if (r < 0) {
        wall_runtime_close(&runtime, false);
        return r;
    }
    *ret_runtime = runtime;
    return 0;
}

static void remove_logs(const char *directory)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/drivers", directory);
    DIR *logs = opendir(path);
    if (!logs)
        return;
    const struct dirent *entry;
    while ((entry = readdir(logs)))
        (void)unlinkat(dirfd(logs), entry->d_name, 0);
    closedir(logs);
    (void)rmdir(path);
}

void wall_runtime_close(struct wall_runtime *runtime, bool remove)
{
    if (runtime->listen_fd >= 0)
        close(runtime->listen_fd);
    if (remove) {
        char path[4096];
        remove_logs(runtime->directory);
        (void)unlink(runtime->socket_path);
        (void)rmdir(runtime->pin_path);
        (void)snprintf(path, sizeof(path), "%s/lock", runtime->directory);
        (void)unlink(path);
        (void)rmdir(runtime->directory);  // stays when something of others is in it
    }
    if (runtime->lock_fd >= 0)
        close(runtime->lock_fd);
    free(runtime->directory);
    free(runtime->socket_path);
    free(runtime->pin_path);
    *runtime = (struct wall_runtime){.lock_fd = -1, .listen_fd = -1};
}
