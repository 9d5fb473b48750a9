#include "support/random_object.h"

#include <string.h>

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

uint32_t random_below(struct random *random, uint32_t below)
{
    return (uint32_t)((random_next(random) >> 32) * below >> 32);
}

static void fill(struct random *random, struct wall_arena *arena, const struct wall_shape *shape, unsigned char *object,
                 unsigned depth);

static void fill_bytes(struct random *random, unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)random_next(random);
}

static void *make_text(struct random *random, struct wall_arena *arena, size_t unit)
{
    size_t length = random_below(random, 12);
    unsigned char *text = wall_arena_take(arena, (length + 1) * unit);
    for (size_t i = 0; i < length * unit; i++)
        text[i] = (unsigned char)(1 + random_below(random, 255));
    return text;
}

static void *make_sid(struct random *random, struct wall_arena *arena)
{
    uint8_t parts = (uint8_t)random_below(random, WALL_SHAPE_SID_PARTS_MAX + 1);
    unsigned char *sid = wall_arena_take(arena, 8 + 4 * (size_t)parts);
    fill_bytes(random, sid, 8 + 4 * (size_t)parts);
    sid[1] = parts;
    return sid;
}

static void *make_struct(struct random *random, struct wall_arena *arena, const struct wall_shape *shape,
                         unsigned depth)
{
    void *object = wall_arena_take(arena, shape->size);
    fill(random, arena, shape, object, depth + 1);
    return object;
}

static void *make_elements(struct random *random, struct wall_arena *arena, const struct wall_shape_field *field,
                           uint32_t count, unsigned depth)
{
    if (count == 0)
        return NULL;
    if (field->kind == WALL_SHAPE_DATA) {
        unsigned char *data = wall_arena_take(arena, count);
        fill_bytes(random, data, count);
        return data;
    }
    if (field->kind == WALL_SHAPE_POINTERS) {
        void **pointers = wall_arena_take(arena, count * sizeof(void *));
        for (uint32_t i = 0; i < count; i++)
            pointers[i] = make_struct(random, arena, field->shape, depth);
        return pointers;
    }
    unsigned char *elements = wall_arena_take(arena, (size_t)count * field->shape->size);
    for (uint32_t i = 0; i < count; i++)
        fill(random, arena, field->shape, elements + (size_t)i * field->shape->size, depth + 1);
    return elements;
}

static void fill_plain(struct random *random, struct wall_arena *arena, const struct wall_shape_field *field,
                       unsigned char *to, unsigned depth)
{
    void *pointer = NULL;
    bool absent = random_below(random, 4) == 0;
    switch (field->kind) {
    case WALL_SHAPE_STRUCT:
        fill(random, arena, field->shape, to, depth + 1);
        return;
    case WALL_SHAPE_TEXT:
        pointer = absent ? NULL : make_text(random, arena, sizeof(uint16_t));
        break;
    case WALL_SHAPE_TEXT8:
        pointer = absent ? NULL : make_text(random, arena, 1);
        break;
    case WALL_SHAPE_SID:
        pointer = absent ? NULL : make_sid(random, arena);
        break;
    case WALL_SHAPE_POINTER:
        pointer = absent || depth + 1 >= WALL_SHAPE_DEPTH_MAX ? NULL : make_struct(random, arena, field->shape, depth);
        break;
    default:
        fill_bytes(random, to, wall_shape_inline_size(field));
        return;
    }
    memcpy(to, &pointer, sizeof(pointer));
}

static uint32_t choose_link(struct random *random, const struct wall_shape_field *field)
{
    if (field->kind != WALL_SHAPE_UNION)
        return random_below(random, 4);
    uint32_t selector = field->cases[random_below(random, field->case_count)].selector;
    return field->link_mask ? selector | ((uint32_t)random_next(random) & ~field->link_mask) : selector;
}

static void fill_linked(struct random *random, struct wall_arena *arena, const struct wall_shape *shape, uint32_t index,
                        unsigned char *object, unsigned depth)
{
    const struct wall_shape_field *field = &shape->fields[index];
    uint32_t link = wall_shape_link(field, object);
    if (wall_shape_carries_link(shape, index)) {
        link = choose_link(random, field);
        memcpy(object + field->link_offset, &link, sizeof(link));
    }
    if (field->kind == WALL_SHAPE_UNION) {
        struct wall_shape_field chosen;
        if (wall_shape_select(field, link, &chosen))
            fill_plain(random, arena, &chosen, object + field->offset, depth);
        return;
    }
    void *elements = make_elements(random, arena, field, link, depth);
    memcpy(object + field->offset, &elements, sizeof(elements));
}

static void fill(struct random *random, struct wall_arena *arena, const struct wall_shape *shape, unsigned char *object,
                 unsigned depth)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        if (wall_shape_has_link(&shape->fields[i]))
            fill_linked(random, arena, shape, i, object, depth);
        else
            fill_plain(random, arena, &shape->fields[i], object + shape->fields[i].offset, depth);
    }
}

void *random_object(struct random *random, struct wall_arena *arena, const struct wall_shape *shape)
{
    return make_struct(random, arena, shape, 0);
}
