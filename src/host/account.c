#include "host/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

// Supplementary groups the kernel keeps per process are at most 65,536 (NGROUPS_MAX).
#define PEER_GROUPS_MAX 65536u

static bool find_group(gid_t *ret_group)
{
    struct group record, *found = NULL;
    char buffer[16384];
    if (getgrnam_r(WALL_ACCOUNT_GROUP, &record, buffer, sizeof(buffer), &found) != 0 || !found)
        return false;
    *ret_group = found->gr_gid;
    return true;
}

static bool has_supplementary_group(int socket_fd, gid_t group)
{
    socklen_t bytes = 0;
    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0 || errno != ERANGE)
        return false;  // no supplementary groups, or not known: not a member
    if (bytes > PEER_GROUPS_MAX * sizeof(gid_t))
        return false;

    gid_t *groups = malloc(bytes);
    if (!groups)
        return false;
    bool member = false;
    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) == 0) {
        for (size_t i = 0; i < bytes / sizeof(gid_t); i++)
            member = member || groups[i] == group;
    }
    free(groups);
    return member;
}

int wall_account_peer(int socket_fd, struct wall_peer *ret_peer)
{
    struct ucred credentials;
    socklen_t bytes = sizeof(credentials);
    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) < 0)
        return -errno;

    struct wall_peer peer = {
        .process_id = credentials.pid,
        .user_id = credentials.uid,
        .group_id = credentials.gid,
        .may_write = credentials.uid == 0,
    };
    gid_t group;
    if (!peer.may_write && find_group(&group))
        peer.may_write = credentials.gid == group || has_supplementary_group(socket_fd, group);
    wall_account_name(credentials.uid, peer.user_name, sizeof(peer.user_name));
    *ret_peer = peer;
    return 0;
}

void wall_account_name(uid_t user_id, char *name, size_t size)
{
    struct passwd record, *found = NULL;
    char buffer[16384];
    if (getpwuid_r(user_id, &record, buffer, sizeof(buffer), &found) == 0 && found)
        (void)snprintf(name, size, "%s", found->pw_name);
    else
        (void)snprintf(name, size, "%u", (unsigned)user_id);
}
