// Objects and their index (private to the room).
//
// Every object has the generations between which it exists: [born, died). A commit makes one generation. A reader
// sees the objects of one generation; the one writer sees the committed ones plus its own changes, which have a
// pending birth or death. Objects are never changed, only added and deleted, so a view is consistent for free.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "engine/engine.h"

struct wall_callout_binding;
struct wall_filter_entry;
struct wall_object;

#define WALL_GENERATION_PENDING (UINT64_MAX - 1)
#define WALL_GENERATION_NEVER UINT64_MAX

// From longest to shortest life: an object refers only to objects that live at least as long (wfp-reference 1.5).
enum wall_lifetime {
    WALL_LIFETIME_BUILTIN,
    WALL_LIFETIME_BOOTTIME,
    WALL_LIFETIME_PERSISTENT,
    WALL_LIFETIME_STATIC,
    WALL_LIFETIME_DYNAMIC,
};

enum wall_reference {
    WALL_REFERENCE_PROVIDER,
    WALL_REFERENCE_SUBLAYER,
    WALL_REFERENCE_CALLOUT,
    WALL_REFERENCE_CONTEXT,
    WALL_REFERENCE_COUNT_
};

// Membership in one list; both NULL at the ends.
struct wall_object_link {
    struct wall_object *previous, *next;
};

struct wall_object_list {
    struct wall_object *first, *last;
    size_t count;
    size_t persistent_count;     // of changes: objects whose store must learn of them
    struct wall_object *behind;  // of changes: the one whose `ahead` is the next to be known
};

struct wall_object {
    // What a commit looks at of each object that changed, in one place.
    struct wall_object_link changed;  // in the transaction's added or deleted list, or in the graveyard
    const struct wall_object *ahead;  // a later one of that list, to be prefetched; it may be gone
    struct wall_filter_entry *entry;  // filters: their run-time form, which owns `data`
    enum wall_object_type type;
    enum wall_lifetime lifetime;
    uint64_t born, died;
    uint64_t id;  // 0 for providers and sublayers
    GUID key;

    const void *data;  // the FWPM_ structure with all it points to, in one block
    struct wall_object *references[WALL_REFERENCE_COUNT_];
    uint32_t reference_count;  // objects that refer to this one, in the writer's view
    uint32_t holder_count;     // what keeps the memory: the index, enumerations
    struct wall_object *older, *newer;  // versions with the same key, before and after

    struct wall_session *owner;       // a dynamic object's session
    struct wall_object_link owned;    // in the owner's list

    struct wall_callout_binding *binding;  // callouts: their run-time id
};

// What a reader sees.
struct wall_view {
    bool writer;
    uint64_t generation;
};

struct wall_index {
    struct wall_map by_key;  // newest version; the others hang on `older`
    struct wall_map by_id;   // filters and provider contexts, whose ids are never used twice
};

void wall_index_init(struct wall_index *index, const uint64_t seed[2]);  // empty
// Releases the maps; the objects must be gone.
void wall_index_done(struct wall_index *index);

// A new object of `type` with a copy of `data`. NULL: the data cannot be copied, or memory is short (see errno).
struct wall_object *wall_object_new(enum wall_object_type type, const void *data);
struct wall_object *wall_object_hold(struct wall_object *object);  // one more holder
// One holder less; the last one frees the object.
void wall_object_release(struct wall_object *object);

bool wall_object_is_visible(const struct wall_object *object, struct wall_view view);  // exists in that view
// The object of that key in that view, or NULL.
struct wall_object *wall_index_find(const struct wall_index *index, const GUID *key, struct wall_view view);
// The same by id.
struct wall_object *wall_index_find_id(const struct wall_index *index, uint64_t id, struct wall_view view);
// Takes over a holder of `object`. The writer must not see another object of this key or id. Returns 0 or -ENOMEM.
int wall_index_put(struct wall_index *index, struct wall_object *object);
// Takes `object` out, whatever view it belongs to, and releases it.
void wall_index_remove(struct wall_index *index, struct wall_object *object);
// Walks all versions of all objects, in order of insertion: start with *cursor = 0 and previous = NULL.
struct wall_object *wall_index_next(const struct wall_index *index, size_t *cursor, struct wall_object *previous);

// Whether the store keeps it.
bool wall_object_is_persistent(const struct wall_object *object);

// Lists by the `changed` link. Objects lie far apart: who walks such a list has `ahead` on its way meanwhile.
void wall_changes_add(struct wall_object_list *list, struct wall_object *object);
void wall_changes_remove(struct wall_object_list *list, struct wall_object *object);  // it must be in the list

// Lists by the `owned` link.
void wall_owned_add(struct wall_object_list *list, struct wall_object *object);
void wall_owned_remove(struct wall_object_list *list, struct wall_object *object);  // it must be in the list

// Counts `object` in what it refers to.
void wall_object_link(struct wall_object *object);
void wall_object_unlink(struct wall_object *object);  // the opposite
