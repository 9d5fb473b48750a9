#include "wire/codec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PART_ALIGNMENT 8u

static const void *load_pointer(const unsigned char *at)
{
    const void *pointer;
    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

static void store_pointer(unsigned char *at, const void *pointer)
{
    memcpy(at, &pointer, sizeof(pointer));
}

// --- Encoding ---

static int encode_struct(const struct wall_shape *shape, const unsigned char *object, struct wall_buffer *buffer,
                         unsigned depth);

static uint64_t load_number(const unsigned char *at, size_t size)
{
    uint8_t byte;
    uint16_t word;
    uint32_t half;
    uint64_t number;
    switch (size) {
    case 1:
        memcpy(&byte, at, sizeof(byte));
        return byte;
    case 2:
        memcpy(&word, at, sizeof(word));
        return word;
    case 4:
        memcpy(&half, at, sizeof(half));
        return half;
    default:
        memcpy(&number, at, sizeof(number));
        return number;
    }
}

static int put_number(struct wall_buffer *buffer, uint64_t number, size_t size)
{
    uint8_t *to;
    int r = wall_buffer_extend(buffer, size, &to);
    if (r < 0)
        return r;
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(number >> (8 * i));
    return 0;
}

static int put_units(struct wall_buffer *buffer, const uint16_t *units, size_t count)
{
    uint8_t *to;
    int r = wall_buffer_extend(buffer, count * sizeof(uint16_t), &to);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        to[2 * i] = (uint8_t)units[i];
        to[2 * i + 1] = (uint8_t)(units[i] >> 8);
    }
    return 0;
}

static int encode_text(const uint16_t *text, struct wall_buffer *buffer)
{
    size_t length = text ? wall_shape_text_length(text) + 1 : 0;
    if (length > UINT32_MAX)
        return -EINVAL;
    int r = put_number(buffer, length, sizeof(uint32_t));
    return r == 0 && text ? put_units(buffer, text, length - 1) : r;
}

static int encode_text8(const char *text, struct wall_buffer *buffer)
{
    size_t length = text ? strlen(text) + 1 : 0;
    if (length > UINT32_MAX)
        return -EINVAL;
    int r = put_number(buffer, length, sizeof(uint32_t));
    return r == 0 && text ? wall_buffer_append(buffer, text, length - 1) : r;
}

static int encode_sid(const unsigned char *sid, struct wall_buffer *buffer)
{
    size_t size = sid ? wall_shape_sid_size(sid) : 0;
    if (sid && size == 0)
        return -EINVAL;
    int r = put_number(buffer, sid != NULL, 1);
    if (r < 0 || !sid)
        return r;

    r = wall_buffer_append(buffer, sid, 8);
    for (size_t at = 8; at < size && r == 0; at += 4)
        r = put_number(buffer, load_number(sid + at, 4), 4);
    return r;
}

static int encode_elements(const struct wall_shape_field *field, const unsigned char *object, uint32_t count,
                           struct wall_buffer *buffer, unsigned depth)
{
    const unsigned char *elements = load_pointer(object + field->offset);
    if (count && !elements)
        return -EFAULT;
    if (field->kind == WALL_SHAPE_DATA)
        return wall_buffer_append(buffer, elements, count);

    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        const unsigned char *element = field->kind == WALL_SHAPE_ARRAY
                                           ? elements + (size_t)i * field->shape->size
                                           : load_pointer(elements + (size_t)i * sizeof(void *));
        r = element ? encode_struct(field->shape, element, buffer, depth + 1) : -EFAULT;
    }
    return r;
}

static int encode_plain(const struct wall_shape_field *field, const unsigned char *at, struct wall_buffer *buffer,
                        unsigned depth)
{
    const unsigned char *pointer;
    int r;
    switch (field->kind) {
    case WALL_SHAPE_BYTES:
        return wall_buffer_append(buffer, at, field->size);
    case WALL_SHAPE_STRUCT:
        return encode_struct(field->shape, at, buffer, depth + 1);
    case WALL_SHAPE_TEXT:
        return encode_text(load_pointer(at), buffer);
    case WALL_SHAPE_TEXT8:
        return encode_text8(load_pointer(at), buffer);
    case WALL_SHAPE_SID:
        return encode_sid(load_pointer(at), buffer);
    case WALL_SHAPE_POINTER:
        pointer = load_pointer(at);
        r = put_number(buffer, pointer != NULL, 1);
        return r == 0 && pointer ? encode_struct(field->shape, pointer, buffer, depth + 1) : r;
    default:
        return put_number(buffer, load_number(at, wall_shape_inline_size(field)), wall_shape_inline_size(field));
    }
}

static int encode_linked(const struct wall_shape *shape, uint32_t index, const unsigned char *object,
                         struct wall_buffer *buffer, unsigned depth)
{
    const struct wall_shape_field *field = &shape->fields[index];
    uint32_t link = wall_shape_link(field, object);
    int r = wall_shape_carries_link(shape, index) ? put_number(buffer, link, sizeof(link)) : 0;
    if (r < 0)
        return r;
    if (field->kind != WALL_SHAPE_UNION)
        return encode_elements(field, object, link, buffer, depth);

    struct wall_shape_field chosen;
    if (!wall_shape_select(field, link, &chosen))
        return -EINVAL;
    return encode_plain(&chosen, object + chosen.offset, buffer, depth);
}

static int encode_struct(const struct wall_shape *shape, const unsigned char *object, struct wall_buffer *buffer,
                         unsigned depth)
{
    if (depth > WALL_SHAPE_DEPTH_MAX)
        return -EINVAL;

    int r = 0;
    for (uint32_t i = 0; i < shape->field_count && r == 0; i++) {
        const struct wall_shape_field *field = &shape->fields[i];
        r = wall_shape_has_link(field) ? encode_linked(shape, i, object, buffer, depth)
                                       : encode_plain(field, object + field->offset, buffer, depth);
    }
    return r;
}

int wall_encode(const struct wall_shape *shape, const void *object, struct wall_buffer *buffer)
{
    size_t size = buffer->size;
    int r = encode_struct(shape, object, buffer, 1);
    if (r < 0)
        buffer->size = size;
    return r;
}

size_t wall_encoded_size(const struct wall_shape *shape, const void *object)
{
    struct wall_buffer buffer = { 0 };
    int r = wall_encode(shape, object, &buffer);
    size_t size = r == 0 ? buffer.size : 0;
    wall_buffer_done(&buffer);
    return size;
}

// --- Decoding: the same walk twice. The first, without a block, checks every byte and adds up the memory needed; the
// second fills the block and cannot fail. ---

struct decoder {
    const uint8_t *bytes;
    size_t size, at;
    unsigned char *block;
    size_t used;
    struct wall_error *err;
};

// The counts and selectors of one structure met so far.
struct links {
    uint32_t count;
    uint32_t offsets[WALL_SHAPE_LINKS_MAX];
    uint32_t values[WALL_SHAPE_LINKS_MAX];
};

static bool decode_struct(struct decoder *decoder, const struct wall_shape *shape, unsigned char *to, unsigned depth);

static bool refuse(struct decoder *decoder, const struct wall_shape_field *field, const char *why)
{
    wall_error_set(decoder->err, -EBADMSG, "%s: %s", field->name, why);
    return false;
}

static bool get_bytes(struct decoder *decoder, const struct wall_shape_field *field, size_t size,
                      const uint8_t **ret_bytes)
{
    if (size > decoder->size - decoder->at)
        return refuse(decoder, field, "the bytes end too early");
    *ret_bytes = decoder->bytes + decoder->at;
    decoder->at += size;
    return true;
}

static bool get_number(struct decoder *decoder, const struct wall_shape_field *field, size_t size,
                       uint64_t *ret_number)
{
    const uint8_t *bytes;
    if (!get_bytes(decoder, field, size, &bytes))
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    *ret_number = number;
    return true;
}

static void store_number(unsigned char *to, uint64_t number, size_t size)
{
    uint8_t byte = (uint8_t)number;
    uint16_t word = (uint16_t)number;
    uint32_t half = (uint32_t)number;
    if (size == sizeof(byte))
        memcpy(to, &byte, size);
    else if (size == sizeof(word))
        memcpy(to, &word, size);
    else if (size == sizeof(half))
        memcpy(to, &half, size);
    else
        memcpy(to, &number, size);
}

// Takes memory for `count` things of `size` bytes and points the member at it. *ret_part is NULL in the first walk.
static bool add_part(struct decoder *decoder, const struct wall_shape_field *field, size_t count, size_t size,
                     unsigned char *to, unsigned char **ret_part)
{
    size_t start = (decoder->used + PART_ALIGNMENT - 1) & ~(size_t)(PART_ALIGNMENT - 1);
    if (start > WALL_DECODED_SIZE_MAX || (size && count > (WALL_DECODED_SIZE_MAX - start) / size))
        return refuse(decoder, field, "takes too much memory");

    decoder->used = start + count * size;
    *ret_part = decoder->block ? decoder->block + start : NULL;
    if (to)
        store_pointer(to, *ret_part);
    return true;
}

static bool decode_text(struct decoder *decoder, const struct wall_shape_field *field, unsigned char *to)
{
    size_t unit = field->kind == WALL_SHAPE_TEXT ? sizeof(uint16_t) : 1;
    uint64_t length;
    if (!get_number(decoder, field, sizeof(uint32_t), &length))
        return false;
    if (length == 0)
        return true;

    // Checked before memory is taken: a few bytes cannot ask for gigabytes.
    if (length - 1 > (decoder->size - decoder->at) / unit)
        return refuse(decoder, field, "the text is longer than the bytes");
    unsigned char *part;
    if (!add_part(decoder, field, (size_t)length, unit, to, &part))
        return false;
    for (size_t i = 0; i < length - 1; i++) {
        uint64_t value;
        (void)get_number(decoder, field, unit, &value);
        if (value == 0)
            return refuse(decoder, field, "a NUL inside a text");
        if (part)
            store_number(part + i * unit, value, unit);
    }
    return true;
}

static bool decode_presence(struct decoder *decoder, const struct wall_shape_field *field, bool *ret_present)
{
    uint64_t present;
    if (!get_number(decoder, field, 1, &present))
        return false;
    if (present > 1)
        return refuse(decoder, field, "neither present nor absent");
    *ret_present = present;
    return true;
}

static bool decode_sid(struct decoder *decoder, const struct wall_shape_field *field, unsigned char *to)
{
    bool present;
    if (!decode_presence(decoder, field, &present))
        return false;
    if (!present)
        return true;

    const uint8_t *head;
    if (!get_bytes(decoder, field, 8, &head))
        return false;
    size_t size = wall_shape_sid_size(head);
    if (size == 0)
        return refuse(decoder, field, "a SID with too many parts");
    unsigned char *part;
    if (!add_part(decoder, field, 1, size, to, &part))
        return false;
    if (part)
        memcpy(part, head, 8);
    for (size_t at = 8; at < size; at += 4) {
        uint64_t number;
        if (!get_number(decoder, field, 4, &number))
            return false;
        if (part)
            store_number(part + at, number, 4);
    }
    return true;
}

static bool decode_pointer(struct decoder *decoder, const struct wall_shape_field *field, unsigned char *to,
                           unsigned depth)
{
    bool present;
    unsigned char *part;
    if (!decode_presence(decoder, field, &present))
        return false;
    if (!present)
        return true;
    return add_part(decoder, field, 1, field->shape->size, to, &part) &&
           decode_struct(decoder, field->shape, part, depth + 1);
}

static bool decode_plain(struct decoder *decoder, const struct wall_shape_field *field, unsigned char *to,
                         unsigned depth)
{
    const uint8_t *bytes;
    uint64_t number;
    switch (field->kind) {
    case WALL_SHAPE_BYTES:
        if (!get_bytes(decoder, field, field->size, &bytes))
            return false;
        if (to)
            memcpy(to, bytes, field->size);
        return true;
    case WALL_SHAPE_STRUCT:
        return decode_struct(decoder, field->shape, to, depth + 1);
    case WALL_SHAPE_TEXT:
    case WALL_SHAPE_TEXT8:
        return decode_text(decoder, field, to);
    case WALL_SHAPE_SID:
        return decode_sid(decoder, field, to);
    case WALL_SHAPE_POINTER:
        return decode_pointer(decoder, field, to, depth);
    default:
        if (!get_number(decoder, field, wall_shape_inline_size(field), &number))
            return false;
        if (to)
            store_number(to, number, wall_shape_inline_size(field));
        return true;
    }
}

static bool decode_data(struct decoder *decoder, const struct wall_shape_field *field, uint32_t count,
                        unsigned char *to)
{
    const uint8_t *bytes;
    unsigned char *part;
    if (!get_bytes(decoder, field, count, &bytes) || !add_part(decoder, field, count, 1, to, &part))
        return false;
    if (part)
        memcpy(part, bytes, count);
    return true;
}

static bool decode_array(struct decoder *decoder, const struct wall_shape_field *field, uint32_t count,
                         unsigned char *to, unsigned depth)
{
    bool pointers = field->kind == WALL_SHAPE_POINTERS;
    size_t size = pointers ? sizeof(void *) : field->shape->size;
    // Every structure takes at least one byte, so this bounds the loop before memory is taken.
    if (count > decoder->size - decoder->at)
        return refuse(decoder, field, "the count is larger than the bytes");
    unsigned char *part;
    if (!add_part(decoder, field, count, size, to, &part))
        return false;

    for (uint32_t i = 0; i < count; i++) {
        unsigned char *element = part ? part + i * size : NULL;
        if (pointers && !add_part(decoder, field, 1, field->shape->size, element, &element))
            return false;
        if (!decode_struct(decoder, field->shape, element, depth + 1))
            return false;
    }
    return true;
}

static bool get_link(struct decoder *decoder, const struct wall_shape_field *field, struct links *links,
                     unsigned char *object, uint32_t *ret_link)
{
    for (uint32_t i = 0; i < links->count; i++) {
        if (links->offsets[i] == field->link_offset) {
            *ret_link = links->values[i];
            return true;
        }
    }

    uint64_t link;
    if (links->count == WALL_SHAPE_LINKS_MAX)
        return refuse(decoder, field, "its structure has too many counts and selectors");
    if (!get_number(decoder, field, sizeof(uint32_t), &link))
        return false;
    links->offsets[links->count] = field->link_offset;
    links->values[links->count++] = (uint32_t)link;
    if (object)
        store_number(object + field->link_offset, link, sizeof(uint32_t));
    *ret_link = (uint32_t)link;
    return true;
}

static bool decode_linked(struct decoder *decoder, const struct wall_shape_field *field, struct links *links,
                          unsigned char *object, unsigned depth)
{
    unsigned char *to = object ? object + field->offset : NULL;
    struct wall_shape_field chosen;
    uint32_t link;
    if (!get_link(decoder, field, links, object, &link))
        return false;

    if (field->kind == WALL_SHAPE_UNION) {
        if (!wall_shape_select(field, link, &chosen))
            return refuse(decoder, field, "an unknown type");
        return decode_plain(decoder, &chosen, to, depth);
    }
    if (link == 0)
        return true;
    if (field->kind == WALL_SHAPE_DATA)
        return decode_data(decoder, field, link, to);
    return decode_array(decoder, field, link, to, depth);
}

static bool decode_struct(struct decoder *decoder, const struct wall_shape *shape, unsigned char *to, unsigned depth)
{
    if (depth > WALL_SHAPE_DEPTH_MAX) {
        wall_error_set(decoder->err, -EBADMSG, "%s: nested too deep", shape->name);
        return false;
    }

    struct links links = { .count = 0 };
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct wall_shape_field *field = &shape->fields[i];
        bool good = wall_shape_has_link(field)
                        ? decode_linked(decoder, field, &links, to, depth)
                        : decode_plain(decoder, field, to ? to + field->offset : NULL, depth);
        if (!good)
            return false;
    }
    return true;
}

int wall_decode(const struct wall_shape *shape, const void *bytes, size_t size, void **ret_object,
                struct wall_error *err)
{
    struct decoder decoder = { .bytes = bytes, .size = size, .used = shape->size, .err = err };
    if (!decode_struct(&decoder, shape, NULL, 1))
        return -EBADMSG;
    if (decoder.at != size)
        return wall_error_set(err, -EBADMSG, "%s: more bytes than the object takes", shape->name);

    unsigned char *block = calloc(1, decoder.used);
    if (!block)
        return wall_error_set(err, -ENOMEM, "out of memory");
    struct decoder filler = { .bytes = bytes, .size = size, .block = block, .used = shape->size };
    (void)decode_struct(&filler, shape, block, 1);
    *ret_object = block;
    return 0;
}
