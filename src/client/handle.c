#include "client/handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

// A handle is (generation << 20 | index + 1) << 2: never NULL, never INVALID_HANDLE_VALUE, a multiple of 4 as on
// Windows. A slot's generation changes with every use, so that a closed handle does not find its slot's next object.
#define INDEX_BITS 20
#define INDEX_MASK ((1u << INDEX_BITS) - 1)

struct slot {
    enum wall_handle_kind kind;
    uint32_t generation;
    uint32_t next_free;  // index + 1; 0: the last
    struct wall_handle_object *object;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot *slots;
static uint32_t slot_count, slot_capacity;
static uint32_t first_free;  // index + 1

static HANDLE make_handle(uint32_t index)
{
    uintptr_t value = (uintptr_t)slots[index].generation << INDEX_BITS | (index + 1);
    return (HANDLE)(value << 2);
}

static struct slot *find_slot(HANDLE handle, enum wall_handle_kind kind, const void *owner)
{
    uintptr_t value = (uintptr_t)handle;
    uint32_t index = (uint32_t)(value >> 2) & INDEX_MASK;
    if (value & 3 || index == 0 || index > slot_count)
        return NULL;
    struct slot *slot = &slots[index - 1];
    if (slot->kind != kind || make_handle(index - 1) != handle || (owner && slot->object->owner != owner))
        return NULL;
    return slot;
}

// Returns index + 1, or 0 with *ret_error.
static uint32_t take_free_slot(int *ret_error)
{
    if (first_free) {
        uint32_t index = first_free;
        first_free = slots[index - 1].next_free;
        return index;
    }
    if (slot_count == WALL_HANDLES_MAX) {
        *ret_error = -EMFILE;
        return 0;
    }
    if (slot_count == slot_capacity) {
        uint32_t capacity = slot_capacity ? slot_capacity * 2 : 16;
        struct slot *larger = reallocarray(slots, capacity, sizeof(*slots));
        if (!larger) {
            *ret_error = -ENOMEM;
            return 0;
        }
        slots = larger;
        slot_capacity = capacity;
    }
    slots[slot_count] = (struct slot){ .generation = 0 };
    return ++slot_count;
}

static struct wall_handle_object *empty_slot(struct slot *slot)
{
    struct wall_handle_object *object = slot->object;
    slot->kind = WALL_HANDLE_FREE;
    slot->object = NULL;
    slot->generation++;
    slot->next_free = first_free;
    first_free = (uint32_t)(slot - slots) + 1;
    return object;
}

int wall_handle_new(enum wall_handle_kind kind, struct wall_handle_object *object, HANDLE *ret_handle)
{
    int r = 0;
    pthread_mutex_lock(&lock);
    uint32_t index = take_free_slot(&r);
    if (index) {
        slots[index - 1].kind = kind;
        slots[index - 1].object = object;
        *ret_handle = make_handle(index - 1);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

void *wall_handle_ref(HANDLE handle, enum wall_handle_kind kind, const void *owner)
{
    pthread_mutex_lock(&lock);
    struct slot *slot = find_slot(handle, kind, owner);
    struct wall_handle_object *object = slot ? slot->object : NULL;
    if (object)
        object->references++;
    pthread_mutex_unlock(&lock);
    return object;
}

void *wall_handle_take(HANDLE handle, enum wall_handle_kind kind, const void *owner)
{
    pthread_mutex_lock(&lock);
    struct slot *slot = find_slot(handle, kind, owner);
    struct wall_handle_object *object = slot ? empty_slot(slot) : NULL;
    pthread_mutex_unlock(&lock);
    return object;
}

void *wall_handle_take_owned(const void *owner)
{
    struct wall_handle_object *object = NULL;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < slot_count && !object; i++) {
        if (slots[i].kind == WALL_HANDLE_FREE || slots[i].object->owner != owner)
            continue;
        object = empty_slot(&slots[i]);
    }
    pthread_mutex_unlock(&lock);
    return object;
}

void wall_handle_object_ref(void *object)
{
    struct wall_handle_object *counted = object;
    pthread_mutex_lock(&lock);
    counted->references++;
    pthread_mutex_unlock(&lock);
}

void wall_handle_unref(void *object)
{
    struct wall_handle_object *counted = object;
    if (!counted)
        return;
    pthread_mutex_lock(&lock);
    bool last = --counted->references == 0;
    pthread_mutex_unlock(&lock);
    if (last)
        counted->destroy(counted);
}
