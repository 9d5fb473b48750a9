// Accounts: names of users, and whether the other end of a Unix socket may change the policy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Who is at the other end of a connected Unix socket, as the kernel recorded it at connect().
struct wall_peer {
    pid_t process_id;
    uid_t user_id;
    gid_t group_id;
    char user_name[64];  // the uid in decimal when the account has no name
    bool may_write;      // root, or a member of the group `ringwall`
};

#define WALL_ACCOUNT_GROUP "ringwall"

// Returns 0 or a negative errno; no permission is ever assumed on failure.
int wall_account_peer(int socket_fd, struct wall_peer *ret_peer);

// The name of a user, or its number in decimal. `size` counts bytes, the result is always terminated.
void wall_account_name(uid_t user_id, char *name, size_t size);
