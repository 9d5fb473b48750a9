// The store: what survives a restart. Persistent objects, settings, and the history's table, in one SQLite file.
//
// One process owns the file (a second one gets -EBUSY). Every commit is on the disk when it returns; a crash at any
// moment leaves the state before or after a commit, never something between. A file that is damaged, foreign or
// newer than this program is refused and left as it is. Single-threaded.
//
// All functions return 0 or a negative errno: -EIO, -ENOSPC, -EROFS, -EACCES, -ENOMEM from below, -EBADMSG when the
// file is damaged, and what is said at the function. `err` tells the path, what happened and what to do.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct wall_error;
struct wall_store;

// One object or setting. The largest object is a filter with an address list; engine and wire limits are lower.
#define WALL_STORE_VALUE_MAX (4u << 20)
// The whole file; a commit that would make it larger fails with -ENOSPC and changes nothing.
#define WALL_STORE_BYTES_MAX (1ull << 30)

// Opens the store at `path`, creating it (mode 0600) when there is no file or an empty one.
// Returns -ENOENT (no such directory), -EBUSY (in use), -EBADMSG (damaged, or not a store), -ENOTSUP (newer schema).
int wall_store_open(const char *path, struct wall_store **ret_store, struct wall_error *err);
// Drops an unfinished transaction. `store` may be NULL.
void wall_store_close(struct wall_store *store);

// The steps of struct wall_engine_events' store_* functions. Whatever fails takes the whole transaction back; begin
// also takes back what an earlier transaction without a commit left. Put and delete outside a transaction: -EINVAL.
int wall_store_begin(struct wall_store *store, struct wall_error *err);
// Adds the object or replaces it. `data` is its encoding and opaque here. -E2BIG above WALL_STORE_VALUE_MAX.
int wall_store_put(struct wall_store *store, enum wall_object_type type, const GUID *key, const void *data, size_t size,
                   struct wall_error *err);
// Deleting what is not there is no error.
int wall_store_delete(struct wall_store *store, enum wall_object_type type, const GUID *key, struct wall_error *err);
int wall_store_commit(struct wall_store *store, struct wall_error *err);

// `data` is borrowed during the call. A non-zero result ends the visit and becomes the result of wall_store_load().
typedef int (*wall_store_visit)(void *context, enum wall_object_type type, const GUID *key, const void *data,
                                size_t size);
// Visits every object in reference order: providers, provider contexts, sublayers, callouts, filters; within a type
// the one put first comes first, so that filters of equal weight keep their order. Must not be called inside a
// transaction (-EINVAL); `visit` must not use the store. -EBADMSG when an object does not have the bytes it was
// stored with.
int wall_store_load(struct wall_store *store, wall_store_visit visit, void *context, struct wall_error *err);

// Settings: UTF-8 text by name. Each call is a commit of its own, or part of the transaction that is open.
// Get: the caller frees *ret_value; -ENOENT when there is none. Set: NULL forgets it.
int wall_store_get_setting(struct wall_store *store, const char *name, char **ret_value, struct wall_error *err);
int wall_store_set_setting(struct wall_store *store, const char *name, const char *value, struct wall_error *err);
