// Tokens: who a process runs as, as the value of the fields ALE_USER_ID, ALE_REMOTE_USER_ID and the like.
//
// On Windows the blob of an FWP_TOKEN_ACCESS_INFORMATION_TYPE value is opaque. Ours is, in host byte order:
//     uint32_t sid_count, restricted_count
//     sid_count SIDs, then restricted_count SIDs, one after another (their sizes are multiples of 4)
// The first SID is the user, S-1-22-1-<uid>; then the groups, S-1-22-2-<gid>, and S-1-1-0 (Everyone).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwptypes.h"

// Writes the token of a user with `group_count` groups. Returns its size; nothing is written when `capacity` is less.
size_t wall_token_build(uint32_t user_id, const uint32_t *group_ids, size_t group_count, void *buffer,
                        size_t capacity);

// True when the blob has the layout above, with nothing behind it.
bool wall_token_check(const FWP_BYTE_BLOB *token);

// True when `sd` is a self-relative security descriptor whose DACL can be judged: all parts inside the blob, and no
// access-control entry other than plain allow and deny (an ignored conditional deny would be a silent allow).
bool wall_descriptor_check(const FWP_BYTE_BLOB *sd);

// The access check of a filter condition: does `sd` grant FWP_ACTRL_MATCH_FILTER to `token`? Entries count in their
// order; no DACL grants everything, an empty one nothing. A token with restricted SIDs must pass with those alone, too.
// `sd` must have passed wall_descriptor_check(); a malformed token is granted nothing.
bool wall_descriptor_grants(const FWP_BYTE_BLOB *sd, const FWP_BYTE_BLOB *token);
// The same for the other form of a token.
bool wall_descriptor_grants_information(const FWP_BYTE_BLOB *sd, const FWP_TOKEN_INFORMATION *token);
// The same for somebody who has this one SID, and is part of Everyone.
bool wall_descriptor_grants_sid(const FWP_BYTE_BLOB *sd, const SID *sid);

// The entries of a descriptor's access-control list that bear on FWP_ACTRL_MATCH_FILTER, one after another: start with
// *cursor = 0. Returns false behind the last one. `ret_sid` is borrowed from `sd`, which has been checked as above.
// Whoever no entry names is granted nothing.
bool wall_descriptor_next(const FWP_BYTE_BLOB *sd, size_t *cursor, const SID **ret_sid, bool *ret_allow);
// True when there is no such list: everything is granted to everybody.
bool wall_descriptor_is_open(const FWP_BYTE_BLOB *sd);

struct wall_descriptor_user {
    uint32_t user_id;
    bool granted;
};

// Whom `sd` grants, when that depends on the user alone: each user it names, and whether all others are granted. `sd`
// must have passed wall_descriptor_check(). Returns false when it depends on groups, too, or names more than `capacity`
// users.
bool wall_descriptor_users(const FWP_BYTE_BLOB *sd, struct wall_descriptor_user *users, size_t capacity,
                           size_t *ret_count, bool *ret_others_granted);
