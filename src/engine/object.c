#include "engine/object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/shape.h"
#include "engine/policy_build.h"
#include "engine/shapes.h"

#define AHEAD 8  // places from an object to the one it says to be ahead

void wall_index_init(struct wall_index *index, const uint64_t seed[2])
{
    wall_map_init(&index->by_key, seed);
    wall_map_init(&index->by_id, seed);
}

void wall_index_done(struct wall_index *index)
{
    wall_map_done(&index->by_key);
    wall_map_done(&index->by_id);
}

struct wall_object *wall_object_new(enum wall_object_type type, const void *data)
{
    struct wall_object *object = calloc(1, sizeof(*object));
    if (!object)
        return NULL;
    object->data = wall_shape_clone(wall_shape_of_object(type), data);
    if (!object->data) {
        int saved = errno;
        free(object);
        errno = saved;
        return NULL;
    }
    object->type = type;
    object->holder_count = 1;
    object->born = WALL_GENERATION_PENDING;
    object->died = WALL_GENERATION_NEVER;
    return object;
}

struct wall_object *wall_object_hold(struct wall_object *object)
{
    object->holder_count++;
    return object;
}

void wall_object_release(struct wall_object *object)
{
    if (!object || --object->holder_count > 0)
        return;
    if (object->entry)
        wall_filter_entry_unref(object->entry);
    else
        free((void *)object->data);
    free(object);
}

bool wall_object_is_visible(const struct wall_object *object, struct wall_view view)
{
    if (view.writer)
        return object->died == WALL_GENERATION_NEVER;
    return object->born <= view.generation && view.generation < object->died;
}

struct wall_object *wall_index_find(const struct wall_index *index, const GUID *key, struct wall_view view)
{
    // The versions of a key follow one another in time: the writer sees the newest or none, a reader that one which was
    // the newest then, or none.
    struct wall_object *object = wall_map_get(&index->by_key, key, sizeof(*key));
    while (object && !view.writer && object->born > view.generation)
        object = object->older;
    return object && wall_object_is_visible(object, view) ? object : NULL;
}

struct wall_object *wall_index_find_id(const struct wall_index *index, uint64_t id, struct wall_view view)
{
    struct wall_object *object = wall_map_get(&index->by_id, &id, sizeof(id));
    return object && wall_object_is_visible(object, view) ? object : NULL;
}

static bool has_unique_id(const struct wall_object *object)
{
    return object->type == WALL_OBJECT_FILTER || object->type == WALL_OBJECT_PROVIDER_CONTEXT;
}

int wall_index_put(struct wall_index *index, struct wall_object *object)
{
    int r;
    if (has_unique_id(object)) {
        r = wall_map_put(&index->by_id, &object->id, sizeof(object->id), object);
        if (r < 0)
            return r;
    }

    object->older = wall_map_get(&index->by_key, &object->key, sizeof(object->key));
    if (object->older) {
        assert(object->older->died != WALL_GENERATION_NEVER);
        object->older->newer = object;
        wall_map_replace(&index->by_key, &object->key, sizeof(object->key), object);
        return 0;
    }
    r = wall_map_put(&index->by_key, &object->key, sizeof(object->key), object);
    if (r < 0 && has_unique_id(object))
        wall_map_remove(&index->by_id, &object->id, sizeof(object->id));
    return r;
}

void wall_index_remove(struct wall_index *index, struct wall_object *object)
{
    if (has_unique_id(object))
        wall_map_remove(&index->by_id, &object->id, sizeof(object->id));

    if (object->older)
        object->older->newer = object->newer;
    if (object->newer) {
        object->newer->older = object->older;
    } else if (object->older) {
        wall_map_replace(&index->by_key, &object->older->key, sizeof(object->key), object->older);
    } else {
        wall_map_remove(&index->by_key, &object->key, sizeof(object->key));
    }
    object->older = object->newer = NULL;
    wall_object_release(object);
}

struct wall_object *wall_index_next(const struct wall_index *index, size_t *cursor, struct wall_object *previous)
{
    if (previous && previous->older)
        return previous->older;
    return wall_map_next(&index->by_key, cursor);
}

static struct wall_object_link *changed_link(struct wall_object *object)
{
    return &object->changed;
}

static struct wall_object_link *owned_link(struct wall_object *object)
{
    return &object->owned;
}

static void list_add(struct wall_object_list *list, struct wall_object *object,
                     struct wall_object_link *(*link)(struct wall_object *))
{
    *link(object) = (struct wall_object_link){ list->last, NULL };
    if (list->last)
        link(list->last)->next = object;
    else
        list->first = object;
    list->last = object;
    list->count++;
}

static void list_remove(struct wall_object_list *list, struct wall_object *object,
                        struct wall_object_link *(*link)(struct wall_object *))
{
    struct wall_object_link *own = link(object);
    if (own->previous)
        link(own->previous)->next = own->next;
    else
        list->first = own->next;
    if (own->next)
        link(own->next)->previous = own->previous;
    else
        list->last = own->previous;
    *own = (struct wall_object_link){ NULL, NULL };
    list->count--;
}

bool wall_object_is_persistent(const struct wall_object *object)
{
    return object->lifetime == WALL_LIFETIME_PERSISTENT || object->lifetime == WALL_LIFETIME_BOOTTIME;
}

void wall_changes_add(struct wall_object_list *list, struct wall_object *object)
{
    list_add(list, object, changed_link);
    if (list->behind)
        list->behind = list->behind->changed.next;
    else if (list->count == AHEAD)
        list->behind = list->first;
    if (list->behind)
        list->behind->ahead = object;
    list->persistent_count += wall_object_is_persistent(object);
}

void wall_changes_remove(struct wall_object_list *list, struct wall_object *object)
{
    if (list->behind == object)
        list->behind = object->changed.previous;
    list_remove(list, object, changed_link);
    list->persistent_count -= wall_object_is_persistent(object);
}

void wall_owned_add(struct wall_object_list *list, struct wall_object *object)
{
    list_add(list, object, owned_link);
}

void wall_owned_remove(struct wall_object_list *list, struct wall_object *object)
{
    list_remove(list, object, owned_link);
}

void wall_object_link(struct wall_object *object)
{
    for (int i = 0; i < WALL_REFERENCE_COUNT_; i++) {
        if (object->references[i])
            object->references[i]->reference_count++;
    }
}

void wall_object_unlink(struct wall_object *object)
{
    for (int i = 0; i < WALL_REFERENCE_COUNT_; i++) {
        if (object->references[i])
            object->references[i]->reference_count--;
    }
}
