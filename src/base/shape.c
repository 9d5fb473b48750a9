#include "base/shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Every part of a copy starts at a multiple of this: the strictest alignment of any member (pointers, UINT64).
#define PART_ALIGNMENT 8u

// Copying and measuring are one walk: without a block only `used` grows.
struct copier {
    unsigned char *block;
    size_t used;
};

static bool copy_struct(struct copier *copier, const struct wall_shape *shape, const unsigned char *from,
                        unsigned char *to, unsigned depth);

// Adds a part of `size` bytes. *ret_part is NULL while measuring.
static bool add_part(struct copier *copier, size_t count, size_t size, unsigned char **ret_part)
{
    size_t start = (copier->used + PART_ALIGNMENT - 1) & ~(size_t)(PART_ALIGNMENT - 1);
    if (start < copier->used || (size != 0 && count > (SIZE_MAX - start) / size))
        return false;

    *ret_part = copier->block ? copier->block + start : NULL;
    copier->used = start + count * size;
    return true;
}

static const void *load_pointer(const unsigned char *at)
{
    const void *pointer;
    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

static void store_pointer(unsigned char *at, const void *pointer)
{
    if (at)
        memcpy(at, &pointer, sizeof(pointer));
}

uint32_t wall_shape_link(const struct wall_shape_field *field, const void *object)
{
    uint32_t link;
    memcpy(&link, (const unsigned char *)object + field->link_offset, sizeof(link));
    return link;
}

bool wall_shape_select(const struct wall_shape_field *field, const void *object, struct wall_shape_field *ret_field)
{
    uint32_t selector = wall_shape_link(field, object);
    if (field->link_mask)
        selector &= field->link_mask;

    for (uint32_t i = 0; i < field->case_count; i++) {
        const struct wall_shape_case *chosen = &field->cases[i];
        if (chosen->selector != selector)
            continue;
        *ret_field = (struct wall_shape_field){ .name = field->name, .kind = chosen->kind, .offset = field->offset,
                                                .size = chosen->size, .shape = chosen->shape };
        return true;
    }
    return false;
}

size_t wall_shape_sid_size(const void *sid)
{
    // Revision, SubAuthorityCount, IdentifierAuthority[6], SubAuthority[SubAuthorityCount] of 4 bytes.
    uint8_t parts = ((const uint8_t *)sid)[1];
    return parts <= WALL_SHAPE_SID_PARTS_MAX ? 8u + 4u * (size_t)parts : 0;
}

size_t wall_shape_text_length(const uint16_t *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

// Copies `count` plain bytes and stores where they went.
static bool copy_bytes(struct copier *copier, const void *from, size_t size, unsigned char *to)
{
    unsigned char *part;
    if (!add_part(copier, 1, size, &part))
        return false;
    if (part)
        memcpy(part, from, size);
    store_pointer(to, part);
    return true;
}

static bool copy_array(struct copier *copier, const struct wall_shape_field *field, const unsigned char *elements,
                       uint32_t count, unsigned char *to, unsigned depth)
{
    unsigned char *part;
    if (!add_part(copier, count, field->shape->size, &part))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        size_t offset = (size_t)i * field->shape->size;
        if (!copy_struct(copier, field->shape, elements + offset, part ? part + offset : NULL, depth + 1))
            return false;
    }
    store_pointer(to, part);
    return true;
}

static bool copy_pointers(struct copier *copier, const struct wall_shape_field *field, const unsigned char *elements,
                          uint32_t count, unsigned char *to, unsigned depth)
{
    unsigned char *part;
    if (!add_part(copier, count, sizeof(void *), &part))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const void *from = load_pointer(elements + (size_t)i * sizeof(void *));
        unsigned char *element;
        if (!from || !add_part(copier, 1, field->shape->size, &element))
            return false;
        if (!copy_struct(copier, field->shape, from, element, depth + 1))
            return false;
        store_pointer(part ? part + (size_t)i * sizeof(void *) : NULL, element);
    }
    store_pointer(to, part);
    return true;
}

// A member that is a pointer to `count` things.
static bool copy_counted(struct copier *copier, const struct wall_shape_field *field, const unsigned char *object,
                         const unsigned char *from, unsigned char *to, unsigned depth)
{
    uint32_t count = wall_shape_link(field, object);
    if (count == 0)
        return true;

    const void *pointer = load_pointer(from);
    if (!pointer)
        return false;

    if (field->kind == WALL_SHAPE_ARRAY)
        return copy_array(copier, field, pointer, count, to, depth);
    if (field->kind == WALL_SHAPE_POINTERS)
        return copy_pointers(copier, field, pointer, count, to, depth);
    return copy_bytes(copier, pointer, count, to);
}

// A member that is a pointer to one thing, or NULL.
static bool copy_pointed(struct copier *copier, const struct wall_shape_field *field, const unsigned char *from,
                         unsigned char *to, unsigned depth)
{
    const void *pointer = load_pointer(from);
    if (!pointer)
        return true;

    size_t size;
    switch (field->kind) {
    case WALL_SHAPE_TEXT:
        return copy_bytes(copier, pointer, (wall_shape_text_length(pointer) + 1) * sizeof(uint16_t), to);
    case WALL_SHAPE_TEXT8:
        return copy_bytes(copier, pointer, strlen(pointer) + 1, to);
    case WALL_SHAPE_SID:
        size = wall_shape_sid_size(pointer);
        return size != 0 && copy_bytes(copier, pointer, size, to);
    default:
        break;
    }

    unsigned char *part;
    if (!add_part(copier, 1, field->shape->size, &part))
        return false;
    store_pointer(to, part);
    return copy_struct(copier, field->shape, pointer, part, depth + 1);
}

static bool copy_field(struct copier *copier, const struct wall_shape_field *field, const unsigned char *object,
                       unsigned char *copy, unsigned depth)
{
    const unsigned char *from = object + field->offset;
    unsigned char *to = copy ? copy + field->offset : NULL;
    struct wall_shape_field chosen;

    switch (field->kind) {
    case WALL_SHAPE_U8:
    case WALL_SHAPE_U16:
    case WALL_SHAPE_U32:
    case WALL_SHAPE_U64:
    case WALL_SHAPE_BYTES:
        if (to)
            memcpy(to, from, wall_shape_inline_size(field));
        return true;
    case WALL_SHAPE_STRUCT:
        return copy_struct(copier, field->shape, from, to, depth + 1);
    case WALL_SHAPE_ARRAY:
    case WALL_SHAPE_POINTERS:
    case WALL_SHAPE_DATA:
        return copy_counted(copier, field, object, from, to, depth);
    case WALL_SHAPE_UNION:
        return wall_shape_select(field, object, &chosen) && copy_field(copier, &chosen, object, copy, depth);
    case WALL_SHAPE_TEXT:
    case WALL_SHAPE_TEXT8:
    case WALL_SHAPE_SID:
    case WALL_SHAPE_POINTER:
        return copy_pointed(copier, field, from, to, depth);
    }
    return false;
}

static bool copy_struct(struct copier *copier, const struct wall_shape *shape, const unsigned char *from,
                        unsigned char *to, unsigned depth)
{
    if (depth > WALL_SHAPE_DEPTH_MAX)
        return false;

    for (uint32_t i = 0; i < shape->field_count; i++)
        if (!copy_field(copier, &shape->fields[i], from, to, depth))
            return false;
    return true;
}

size_t wall_shape_inline_size(const struct wall_shape_field *field)
{
    switch (field->kind) {
    case WALL_SHAPE_U8:
        return 1;
    case WALL_SHAPE_U16:
        return 2;
    case WALL_SHAPE_U32:
        return 4;
    case WALL_SHAPE_U64:
        return 8;
    default:
        return field->size;
    }
}

size_t wall_shape_measure(const struct wall_shape *shape, const void *object)
{
    struct copier copier = { .used = shape->size };
    return copy_struct(&copier, shape, object, NULL, 1) ? copier.used : 0;
}

void *wall_shape_clone(const struct wall_shape *shape, const void *object)
{
    size_t size = wall_shape_measure(shape, object);
    if (size == 0) {
        errno = EINVAL;
        return NULL;
    }

    struct copier copier = { .block = calloc(1, size), .used = shape->size };
    if (!copier.block) {
        errno = ENOMEM;
        return NULL;
    }
    (void)copy_struct(&copier, shape, object, copier.block, 1);
    return copier.block;
}
