#include "wire/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct leaf {
    uint8_t small;
    uint64_t big;
    uint16_t *text;
};
static const struct wall_shape_field leaf_fields[] = {
    WALL_FIELD_U8(struct leaf, small), WALL_FIELD_U64(struct leaf, big), WALL_FIELD_TEXT(struct leaf, text),
};
static WALL_SHAPE(leaf_shape, struct leaf, leaf_fields);

union any {
    uint16_t number;
    struct leaf *leaf;
    void *sid;
};
static const struct wall_shape_case any_cases[] = {
    { 0, WALL_SHAPE_BYTES, 0, NULL },
    { 1, WALL_SHAPE_U16, 0, NULL },
    { 2, WALL_SHAPE_POINTER, 0, &leaf_shape },
    { 3, WALL_SHAPE_SID, 0, NULL },
};

struct tree {
    uint8_t key[4];
    uint16_t word;
    uint32_t type, leaf_count, pointer_count, data_count;
    union any first, second;  // both told by `type`
    struct leaf *leaves;
    struct leaf **pointers;
    uint8_t *data;
    char *name;
    struct leaf inside;
    void *sid;
};
static const struct wall_shape_field tree_fields[] = {
    WALL_FIELD_BYTES(struct tree, key),
    WALL_FIELD_U16(struct tree, word),
    WALL_FIELD_UNION(struct tree, first, type, any_cases),
    WALL_FIELD_UNION(struct tree, second, type, any_cases),
    WALL_FIELD_ARRAY(struct tree, leaves, leaf_count, &leaf_shape),
    WALL_FIELD_POINTERS(struct tree, pointers, pointer_count, &leaf_shape),
    WALL_FIELD_DATA(struct tree, data, data_count),
    WALL_FIELD_TEXT8(struct tree, name),
    WALL_FIELD_STRUCT(struct tree, inside, &leaf_shape),
    WALL_FIELD_SID(struct tree, sid),
};
static WALL_SHAPE(tree_shape, struct tree, tree_fields);

struct chain {
    struct chain *next;
};
extern const struct wall_shape chain_shape;
static const struct wall_shape_field chain_fields[] = { WALL_FIELD_POINTER(struct chain, next, &chain_shape) };
WALL_SHAPE(chain_shape, struct chain, chain_fields);

static uint16_t word[] = { 'w', 0xD800, 0x1234, 0 };
static uint8_t sid[] = { 1, 1, 0, 0, 0, 0, 0, 22, 0xE8, 3, 0, 0 };

static void bytes_are_fixed(void **state)
{
    struct leaf leaf = { 7, 0x0102030405060708, word };
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_encode(&leaf_shape, &leaf, &buffer), 0);
    static const uint8_t expected[] = { 7, 8, 7, 6, 5, 4, 3, 2, 1, 4, 0, 0, 0, 'w', 0, 0, 0xD8, 0x34, 0x12 };
    assert_int_equal(buffer.size, sizeof(expected));
    assert_memory_equal(buffer.data, expected, sizeof(expected));
    wall_buffer_done(&buffer);
}

static void make_tree(struct tree *tree, struct leaf leaves[2], struct leaf *pointers[2], uint8_t data[3])
{
    leaves[0] = (struct leaf){ 1, 11, word };
    leaves[1] = (struct leaf){ 2, 22, NULL };
    pointers[0] = &leaves[1];
    pointers[1] = &leaves[0];
    memset(tree, 0xEE, sizeof(*tree));
    *tree = (struct tree){ .key = { 1, 2, 3, 4 }, .word = 0xABCD, .type = 2, .leaf_count = 2, .pointer_count = 2,
                           .data_count = 3, .first = { .leaf = leaves }, .second = { .leaf = NULL }, .leaves = leaves,
                           .pointers = pointers, .data = data, .name = (char *)"name", .inside = { 3, 33, NULL },
                           .sid = sid };
}

static void decode_gives_the_object_back(void **state)
{
    struct tree tree, *copy;
    struct leaf leaves[2], *pointers[2];
    uint8_t data[] = { 5, 6, 7 };
    make_tree(&tree, leaves, pointers, data);
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_encode(&tree_shape, &tree, &buffer), 0);
    assert_int_equal(wall_decode(&tree_shape, buffer.data, buffer.size, (void **)&copy, NULL), 0);

    assert_memory_equal(copy->key, tree.key, 4);
    assert_int_equal(copy->word, 0xABCD);
    assert_int_equal(copy->type, 2);
    assert_int_equal(copy->first.leaf->big, 11);
    assert_null(copy->second.leaf);
    assert_int_equal(copy->leaf_count, 2);
    assert_memory_equal(copy->leaves[0].text, word, sizeof(word));
    assert_null(copy->leaves[1].text);
    assert_int_equal(copy->pointer_count, 2);
    assert_int_equal(copy->pointers[0]->big, 22);
    assert_int_equal(copy->pointers[1]->big, 11);
    assert_int_equal(copy->data_count, 3);
    assert_memory_equal(copy->data, data, 3);
    assert_string_equal(copy->name, "name");
    assert_int_equal(copy->inside.big, 33);
    assert_memory_equal(copy->sid, sid, sizeof(sid));

    struct wall_buffer again = { 0 };
    assert_int_equal(wall_encode(&tree_shape, copy, &again), 0);
    assert_int_equal(again.size, buffer.size);
    assert_memory_equal(again.data, buffer.data, buffer.size);
    free(copy);
    wall_buffer_done(&again);
    wall_buffer_done(&buffer);
}

// What is decoded is what wall_shape_clone() makes: the two never disagree on sizes.
static void decode_and_clone_agree(void **state)
{
    struct tree tree, *copy;
    struct leaf leaves[2], *pointers[2];
    uint8_t data[] = { 5, 6, 7 };
    make_tree(&tree, leaves, pointers, data);
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_encode(&tree_shape, &tree, &buffer), 0);
    assert_int_equal(wall_decode(&tree_shape, buffer.data, buffer.size, (void **)&copy, NULL), 0);
    assert_int_equal(wall_shape_measure(&tree_shape, copy), wall_shape_measure(&tree_shape, &tree));
    free(copy);
    wall_buffer_done(&buffer);
}

static void every_cut_is_refused(void **state)
{
    struct tree tree;
    struct leaf leaves[2], *pointers[2];
    uint8_t data[] = { 5, 6, 7 };
    make_tree(&tree, leaves, pointers, data);
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_encode(&tree_shape, &tree, &buffer), 0);
    for (size_t size = 0; size < buffer.size; size++) {
        struct wall_error err = { 0 };
        void *copy = NULL;
        // A copy of the exact size, so that a sanitizer sees a read past its end.
        uint8_t *cut = malloc(size ? size : 1);
        memcpy(cut, buffer.data, size);
        assert_int_equal(wall_decode(&tree_shape, cut, size, &copy, &err), -EBADMSG);
        assert_null(copy);
        assert_int_not_equal(err.text[0], 0);
        free(cut);
    }
    wall_buffer_done(&buffer);
}

static void assert_bad(const struct wall_shape *shape, const void *bytes, size_t size, const char *text)
{
    struct wall_error err = { 0 };
    void *object = NULL;
    assert_int_equal(wall_decode(shape, bytes, size, &object, &err), -EBADMSG);
    assert_null(object);
    if (!strstr(err.text, text))
        fail_msg("got '%s' instead of '%s'", err.text, text);
}

static void hostile_bytes_are_refused(void **state)
{
    static const uint8_t too_many[] = { 7, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 99 };
    assert_bad(&leaf_shape, too_many, sizeof(too_many), "more bytes");
    static const uint8_t long_text[] = { 7, 8, 7, 6, 5, 4, 3, 2, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1 };
    assert_bad(&leaf_shape, long_text, sizeof(long_text), "text: the text is longer");
    static const uint8_t nul_text[] = { 7, 8, 7, 6, 5, 4, 3, 2, 1, 2, 0, 0, 0, 0, 0 };
    assert_bad(&leaf_shape, nul_text, sizeof(nul_text), "text: a NUL");
    static const uint8_t presence[] = { 2, 0 };
    assert_bad(&chain_shape, presence, sizeof(presence), "next: neither");

    static const uint8_t type[] = { 1, 2, 3, 4, 5, 6, 9, 0, 0, 0 };
    assert_bad(&tree_shape, type, sizeof(type), "first: an unknown type");
    static const uint8_t parts[] = { 1, 2, 3, 4, 5, 6, 3, 0, 0, 0, 1, 1, 16, 0, 0, 0, 0, 0, 0 };
    assert_bad(&tree_shape, parts, sizeof(parts), "first: a SID with too many parts");
    static const uint8_t count[] = { 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3 };
    assert_bad(&tree_shape, count, sizeof(count), "leaves: the count is larger");
}

static void depth_is_limited(void **state)
{
    uint8_t bytes[WALL_SHAPE_DEPTH_MAX + 1];
    memset(bytes, 1, sizeof(bytes));
    bytes[WALL_SHAPE_DEPTH_MAX - 1] = 0;
    void *object;
    assert_int_equal(wall_decode(&chain_shape, bytes, WALL_SHAPE_DEPTH_MAX, &object, NULL), 0);
    free(object);
    bytes[WALL_SHAPE_DEPTH_MAX - 1] = 1;
    bytes[WALL_SHAPE_DEPTH_MAX] = 0;
    assert_bad(&chain_shape, bytes, sizeof(bytes), "nested too deep");

    struct chain endless = { &endless };
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_encode(&chain_shape, &endless, &buffer), -EINVAL);
    assert_int_equal(buffer.size, 0);
    wall_buffer_done(&buffer);
}

struct list {
    uint32_t count;
    struct large {
        struct leaf *leaf;     // one byte on the wire
        uint8_t unused[4088];  // not described: nothing on the wire
    } *elements;
};
static const struct wall_shape_field large_fields[] = {
    WALL_FIELD_POINTER(struct large, leaf, &leaf_shape),
};
static WALL_SHAPE(large_shape, struct large, large_fields);
static const struct wall_shape_field list_fields[] = { WALL_FIELD_ARRAY(struct list, elements, count, &large_shape) };
static WALL_SHAPE(list_shape, struct list, list_fields);

static void memory_is_limited(void **state)
{
    // One byte per element of 4 KiB: 5000 of them would take 20 MiB.
    uint8_t bytes[4 + 5000] = { 5000 & 0xFF, 5000 >> 8 };
    assert_bad(&list_shape, bytes, sizeof(bytes), "elements: takes too much memory");
    bytes[1] = 0;
    bytes[0] = 200;
    void *object;
    assert_int_equal(wall_decode(&list_shape, bytes, 4 + 200, &object, NULL), 0);
    free(object);
}

static void unencodable_objects_are_refused(void **state)
{
    struct wall_buffer buffer = { 0 };
    assert_int_equal(wall_buffer_append(&buffer, "x", 1), 0);
    assert_int_equal(wall_encode(&tree_shape, &(struct tree){ .type = 9 }, &buffer), -EINVAL);
    assert_int_equal(wall_encode(&tree_shape, &(struct tree){ .data_count = 1 }, &buffer), -EFAULT);
    struct leaf *none[] = { NULL };
    assert_int_equal(wall_encode(&tree_shape, &(struct tree){ .pointer_count = 1, .pointers = none }, &buffer),
                     -EFAULT);
    uint8_t bad_sid[] = { 1, 16, 0, 0, 0, 0, 0, 22 };
    assert_int_equal(wall_encode(&tree_shape, &(struct tree){ .sid = bad_sid }, &buffer), -EINVAL);
    assert_int_equal(buffer.size, 1);

    buffer.limit = 20;
    assert_int_equal(wall_encode(&tree_shape, &(struct tree){ .type = 0 }, &buffer), -ENOBUFS);
    assert_int_equal(buffer.size, 1);
    wall_buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_fixed),
        cmocka_unit_test(decode_gives_the_object_back),
        cmocka_unit_test(decode_and_clone_agree),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(unencodable_objects_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
