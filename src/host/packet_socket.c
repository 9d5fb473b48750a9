#include "host/packet_socket.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/vector.h"
#include "host/proc.h"

#define SOCKETS_MAX 65536u  // of one network namespace; more are not looked at

// The packet sockets of one network namespace, by inode number.
struct namespace_sockets {
    char name[64];  // "net:[4026531840]"
    struct wall_vector inodes;
};

static bool read_name(pid_t process, char name[64])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)process);
    ssize_t size = readlink(path, name, 63);
    if (size <= 0)
        return false;
    name[size] = '\0';
    return true;
}

// Processes of one namespace mostly come one after another: its list is read again only when the namespace changes.
static bool load_namespace(struct namespace_sockets *sockets, pid_t process)
{
    char name[64], path[64], line[256];
    if (!read_name(process, name))
        return false;
    if (strcmp(name, sockets->name) == 0)
        return sockets->inodes.count > 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/net/packet", (int)process);
    FILE *file = fopen(path, "re");
    wall_vector_truncate(&sockets->inodes, 0);
    memcpy(sockets->name, name, sizeof(name));
    // sk RefCnt Type Proto Iface R Rmem User Inode
    while (file && fgets(line, sizeof(line), file)) {
        unsigned long inode = strtoul(wall_proc_word(line, 8), NULL, 10);
        if (inode)  // not the line of titles
            (void)wall_vector_add(&sockets->inodes, &inode);
    }
    if (file)
        (void)fclose(file);
    return sockets->inodes.count > 0;
}

static bool has_inode(const struct namespace_sockets *sockets, unsigned long inode)
{
    for (size_t i = 0; i < sockets->inodes.count; i++)
        if (*(const unsigned long *)wall_vector_at(&sockets->inodes, i) == inode)
            return true;
    return false;
}

static bool holds_one(const struct namespace_sockets *sockets, pid_t process)
{
    char path[64], link[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    DIR *folder = opendir(path);
    bool found = false;
    const struct dirent *entry;
    while (folder && !found && (entry = readdir(folder))) {
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
        if (size <= 0)
            continue;
        link[size] = '\0';
        found = !strncmp(link, "socket:[", 8) && has_inode(sockets, strtoul(link + 8, NULL, 10));
    }
    if (folder)
        closedir(folder);
    return found;
}

static void read_command(pid_t process, char command[32])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)process);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(command, 32, file))
        (void)snprintf(command, 32, "?");
    if (file)
        (void)fclose(file);
    command[strcspn(command, "\n")] = '\0';
}

size_t wall_packet_socket_holders(const struct wall_vector *processes, char *ret_text, size_t size)
{
    struct namespace_sockets sockets = { .name = "" };
    wall_vector_init(&sockets.inodes, sizeof(unsigned long), SOCKETS_MAX);
    size_t count = 0, named = 0, used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < processes->count; i++) {
        pid_t process = *(const pid_t *)wall_vector_at(processes, i);
        if (!load_namespace(&sockets, process) || !holds_one(&sockets, process))
            continue;
        char command[32], name[64];
        count++;
        read_command(process, command);
        int length = snprintf(name, sizeof(name), "%s%s [%d]", named ? ", " : "", command, (int)process);
        if (named + 1 == count && used + (size_t)length + sizeof(" and 4294967295 more") < size) {
            memcpy(ret_text + used, name, (size_t)length + 1);
            used += (size_t)length;
            named++;
        }
    }
    if (count > named)
        (void)snprintf(ret_text + used, size - used, " and %zu more", count - named);
    wall_vector_done(&sockets.inodes);
    return count;
}
