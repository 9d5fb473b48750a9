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

bool wall_shape_has_link(const struct wall_shape_field *field)
{
    return field->kind == WALL_SHAPE_ARRAY || field->kind == WALL_SHAPE_POINTERS || field->kind == WALL_SHAPE_DATA ||
           field->kind == WALL_SHAPE_UNION;
}

uint32_t wall_shape_link(const struct wall_shape_field *field, const void *object)
{
    uint32_t link;
    memcpy(&link, (const unsigned char *)object + field->link_offset, sizeof(link));
    return link;
}

bool wall_shape_carries_link(const struct wall_shape *shape, uint32_t index)
{
    const struct wall_shape_field *field = &shape->fields[index];
    for (uint32_t i = 0; i < index; i++)
        if (wall_shape_has_link(&shape->fields[i]) && shape->fields[i].link_offset == field->link_offset)
            return false;
    return true;
}

bool wall_shape_select(const struct wall_shape_field *field, uint32_t link, struct wall_shape_field *ret_field)
{
    uint32_t selector = field->link_mask ? link & field->link_mask : link;
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

    if (copy && wall_shape_has_link(field))
        memcpy(copy + field->link_offset, object + field->link_offset, sizeof(uint32_t));

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
        return wall_shape_select(field, wall_shape_link(field, object), &chosen) &&
               copy_field(copier, &chosen, object, copy, depth);
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

    void *copy = calloc(1, size);
    if (!copy) {
        errno = ENOMEM;
        return NULL;
    }
    wall_shape_place(shape, object, copy);
    return copy;
}

void wall_shape_place(const struct wall_shape *shape, const void *object, void *ret_copy)
{
    struct copier copier = { .block = ret_copy, .used = shape->size };
    (void)copy_struct(&copier, shape, object, ret_copy, 1);
}

// --- Checking descriptions ---

static const char *find_flaw(const struct wall_shape *shape, unsigned depth, const char **ret_name);

static bool needs_shape(enum wall_shape_kind kind)
{
    return kind == WALL_SHAPE_STRUCT || kind == WALL_SHAPE_POINTER || kind == WALL_SHAPE_ARRAY ||
           kind == WALL_SHAPE_POINTERS;
}

// Bytes a member of this kind takes; 0: any number.
static size_t member_size(const struct wall_shape_field *field)
{
    switch (field->kind) {
    case WALL_SHAPE_U8:
    case WALL_SHAPE_U16:
    case WALL_SHAPE_U32:
    case WALL_SHAPE_U64:
        return wall_shape_inline_size(field);
    case WALL_SHAPE_STRUCT:
        return field->shape->size;
    case WALL_SHAPE_BYTES:
    case WALL_SHAPE_UNION:
        return 0;
    default:
        return sizeof(void *);
    }
}

static const char *find_case_flaw(const struct wall_shape_field *field, unsigned depth, const char **ret_name)
{
    for (uint32_t i = 0; i < field->case_count; i++) {
        struct wall_shape_field chosen;
        (void)wall_shape_select(field, field->cases[i].selector, &chosen);
        if (wall_shape_has_link(&chosen))
            return "a case that needs a count or selector";
        if (needs_shape(chosen.kind) && !chosen.shape)
            return "a case without a shape";
        size_t size = member_size(&chosen);
        if ((size ? size : chosen.size) > field->size)
            return "a case that is larger than its union";
        if (field->link_mask && (field->cases[i].selector & ~field->link_mask))
            return "a case that its mask hides";
        const char *flaw = chosen.shape ? find_flaw(chosen.shape, depth + 1, ret_name) : NULL;
        if (flaw)
            return flaw;
    }
    return field->case_count ? NULL : "a union without cases";
}

static const char *find_field_flaw(const struct wall_shape_field *field, unsigned depth, const char **ret_name)
{
    *ret_name = field->name;
    if (needs_shape(field->kind) && !field->shape)
        return "no shape";
    if (member_size(field) && member_size(field) != field->size)
        return "the member's size does not fit its kind";
    if (field->kind == WALL_SHAPE_UNION)
        return find_case_flaw(field, depth, ret_name);
    return field->shape ? find_flaw(field->shape, depth + 1, ret_name) : NULL;
}

// How many fields describe the byte at `offset`: as their member, or as the count or selector they carry.
static unsigned count_covering(const struct wall_shape *shape, uint32_t offset)
{
    unsigned covering = 0;
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct wall_shape_field *field = &shape->fields[i];
        covering += offset >= field->offset && offset - field->offset < field->size;
        covering += wall_shape_has_link(field) && wall_shape_carries_link(shape, i) &&
                    offset >= field->link_offset && offset - field->link_offset < sizeof(uint32_t);
    }
    return covering;
}

static const char *find_flaw(const struct wall_shape *shape, unsigned depth, const char **ret_name)
{
    if (depth > WALL_SHAPE_DEPTH_MAX)
        return NULL;

    uint32_t links = 0, gap = 0;
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const char *flaw = find_field_flaw(&shape->fields[i], depth, ret_name);
        if (flaw)
            return flaw;
        links += wall_shape_has_link(&shape->fields[i]) && wall_shape_carries_link(shape, i);
    }

    *ret_name = shape->name;
    if (shape->field_count == 0)
        return "no fields";
    if (links > WALL_SHAPE_LINKS_MAX)
        return "too many counts and selectors";
    for (uint32_t offset = 0; offset < shape->size; offset++) {
        unsigned covering = count_covering(shape, offset);
        gap = covering ? 0 : gap + 1;
        if (covering > 1)
            return "two fields describe the same byte";
        if (gap >= PART_ALIGNMENT)
            return "a member is not described";
    }
    return NULL;
}

const char *wall_shape_flaw(const struct wall_shape *shape, const char **ret_name)
{
    return find_flaw(shape, 1, ret_name);
}
