#include "base/shape.h"

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
    WALL_FIELD_U8(struct leaf, small),
    WALL_FIELD_U64(struct leaf, big),
    WALL_FIELD_TEXT(struct leaf, text),
};
static WALL_SHAPE(leaf_shape, struct leaf, leaf_fields);

enum { HOLDS_NOTHING, HOLDS_NUMBER, HOLDS_LEAF, HOLDS_SID, HOLDS_INLINE };

struct choice {
    uint32_t type;
    union {
        uint16_t number;
        struct leaf *leaf;
        void *sid;
        struct leaf here;
    } value;
};

static const struct wall_shape_case choice_cases[] = {
    { HOLDS_NOTHING, WALL_SHAPE_BYTES, 0, NULL },
    { HOLDS_NUMBER, WALL_SHAPE_U16, 0, NULL },
    { HOLDS_LEAF, WALL_SHAPE_POINTER, 0, &leaf_shape },
    { HOLDS_SID, WALL_SHAPE_SID, 0, NULL },
    { HOLDS_INLINE, WALL_SHAPE_STRUCT, 0, &leaf_shape },
};
static const struct wall_shape_field choice_fields[] = {
    WALL_FIELD_UNION(struct choice, value, type, choice_cases),
};
static WALL_SHAPE(choice_shape, struct choice, choice_fields);

#define FLAG_KEY 0x8u

struct tree {
    uint8_t key[16];
    uint32_t flags;
    uint32_t leaf_count, pointer_count, data_count;
    struct leaf *leaves;
    struct leaf **pointers;
    uint8_t *data;
    char *name;
    struct choice choice;
    union {
        uint64_t number;
        uint8_t key[16];
    } context;
};

static const struct wall_shape_case context_cases[] = {
    { 0, WALL_SHAPE_U64, 0, NULL },
    { FLAG_KEY, WALL_SHAPE_BYTES, 16, NULL },
};
static const struct wall_shape_field tree_fields[] = {
    WALL_FIELD_BYTES(struct tree, key),
    WALL_FIELD_ARRAY(struct tree, leaves, leaf_count, &leaf_shape),
    WALL_FIELD_POINTERS(struct tree, pointers, pointer_count, &leaf_shape),
    WALL_FIELD_DATA(struct tree, data, data_count),
    WALL_FIELD_TEXT8(struct tree, name),
    WALL_FIELD_STRUCT(struct tree, choice, &choice_shape),
    WALL_FIELD_UNION_BITS(struct tree, context, flags, FLAG_KEY, context_cases),
};
static WALL_SHAPE(tree_shape, struct tree, tree_fields);

// A list, to nest as deep as wanted.
struct chain {
    uint32_t value;
    struct chain *next;
};

extern const struct wall_shape chain_shape;
static const struct wall_shape_field chain_fields[] = {
    WALL_FIELD_U32(struct chain, value),
    WALL_FIELD_POINTER(struct chain, next, &chain_shape),
};
WALL_SHAPE(chain_shape, struct chain, chain_fields);

static uint16_t word[] = { 'w', 'a', 'l', 'l', 0 };

static void clone_copies_everything(void **state)
{
    uint8_t data[] = { 1, 2, 3 };
    struct leaf leaves[2] = { { 1, 11, word }, { 2, 22, NULL } };
    struct leaf *pointers[] = { &leaves[1], &leaves[0] };
    struct tree tree = { .key = { 9, 8, 7 }, .flags = FLAG_KEY | 1, .leaf_count = 2, .pointer_count = 2,
                         .data_count = 3, .leaves = leaves, .pointers = pointers, .data = data, .name = (char *)"name",
                         .choice = { HOLDS_LEAF, { .leaf = &leaves[0] } }, .context = { .key = { 5, 4 } } };
    tree.context.key[15] = 77;

    struct tree *copy = wall_shape_clone(&tree_shape, &tree);
    assert_non_null(copy);
    assert_memory_equal(copy->key, tree.key, 16);
    assert_int_equal(copy->flags, FLAG_KEY | 1);
    assert_ptr_not_equal(copy->leaves, leaves);
    assert_int_equal(copy->leaves[0].big, 11);
    assert_ptr_not_equal(copy->leaves[0].text, word);
    assert_memory_equal(copy->leaves[0].text, word, sizeof(word));
    assert_int_equal(copy->leaves[1].small, 2);
    assert_null(copy->leaves[1].text);
    assert_int_equal(copy->pointers[0]->big, 22);
    assert_int_equal(copy->pointers[1]->big, 11);
    assert_memory_equal(copy->data, data, 3);
    assert_string_equal(copy->name, "name");
    assert_int_equal(copy->choice.value.leaf->big, 11);
    assert_memory_equal(copy->context.key, tree.context.key, 16);

    // Everything lies inside the one block.
    size_t size = wall_shape_measure(&tree_shape, &tree);
    const char *end = (const char *)copy + size;
    assert_true((const char *)copy->pointers > (const char *)copy && (const char *)copy->pointers < end);
    assert_true((const char *)copy->choice.value.leaf->text < end);
    free(copy);
}

static void clone_zeroes_what_is_not_described(void **state)
{
    struct leaf leaf;
    memset(&leaf, 0xEE, sizeof(leaf));
    leaf.text = NULL;
    struct leaf *copy = wall_shape_clone(&leaf_shape, &leaf);
    assert_non_null(copy);
    static const uint8_t zeros[7];
    assert_memory_equal((const uint8_t *)copy + 1, zeros, 7);
    assert_int_equal(copy->small, 0xEE);
    free(copy);
}

static void masked_selector_copies_only_its_case(void **state)
{
    struct tree tree = { .flags = 1, .context = { .key = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } } };
    struct tree *copy = wall_shape_clone(&tree_shape, &tree);
    assert_non_null(copy);
    assert_int_equal(copy->context.number, tree.context.number);
    assert_int_equal(copy->context.key[8], 0);
    free(copy);
}

static void empty_arrays_become_null(void **state)
{
    struct leaf leaf = { 0 };
    uint8_t data = 0;
    struct tree tree = { .leaves = &leaf, .data = &data };
    struct tree *copy = wall_shape_clone(&tree_shape, &tree);
    assert_non_null(copy);
    assert_null(copy->leaves);
    assert_null(copy->data);
    assert_int_equal(wall_shape_measure(&tree_shape, &tree), sizeof(struct tree));
    free(copy);
}

static void assert_refused(const struct wall_shape *shape, const void *object)
{
    errno = 0;
    assert_int_equal(wall_shape_measure(shape, object), 0);
    assert_null(wall_shape_clone(shape, object));
    assert_int_equal(errno, EINVAL);
}

static void null_with_a_count_is_refused(void **state)
{
    struct leaf *pointers[] = { NULL };
    assert_refused(&tree_shape, &(struct tree){ .leaf_count = 1 });
    assert_refused(&tree_shape, &(struct tree){ .data_count = 1 });
    assert_refused(&tree_shape, &(struct tree){ .pointer_count = 1 });
    assert_refused(&tree_shape, &(struct tree){ .pointer_count = 1, .pointers = pointers });
}

static void unknown_selector_is_refused(void **state)
{
    assert_refused(&choice_shape, &(struct choice){ .type = 99 });
}

static void every_union_case_is_copied(void **state)
{
    struct choice empty = { .type = HOLDS_NOTHING, .value = { .number = 7 } };
    struct choice *copy = wall_shape_clone(&choice_shape, &empty);
    assert_int_equal(copy->value.number, 0);
    free(copy);

    copy = wall_shape_clone(&choice_shape, &(struct choice){ HOLDS_NUMBER, { .number = 0xABCD } });
    assert_int_equal(copy->value.number, 0xABCD);
    free(copy);

    copy = wall_shape_clone(&choice_shape, &(struct choice){ HOLDS_INLINE, { .here = { 3, 4, word } } });
    assert_int_equal(copy->value.here.big, 4);
    assert_memory_equal(copy->value.here.text, word, sizeof(word));
    free(copy);

    uint8_t sid[] = { 1, 2, 0, 0, 0, 0, 0, 22, 1, 0, 0, 0, 0xE8, 3, 0, 0 };
    copy = wall_shape_clone(&choice_shape, &(struct choice){ HOLDS_SID, { .sid = sid } });
    assert_memory_equal(copy->value.sid, sid, sizeof(sid));
    free(copy);

    copy = wall_shape_clone(&choice_shape, &(struct choice){ HOLDS_LEAF, { .leaf = NULL } });
    assert_null(copy->value.leaf);
    free(copy);

    sid[1] = WALL_SHAPE_SID_PARTS_MAX + 1;
    assert_refused(&choice_shape, &(struct choice){ HOLDS_SID, { .sid = sid } });
}

static void depth_is_limited(void **state)
{
    struct chain links[WALL_SHAPE_DEPTH_MAX + 1] = { 0 };
    for (unsigned i = 0; i + 1 < WALL_SHAPE_DEPTH_MAX; i++)
        links[i].next = &links[i + 1];
    struct chain *copy = wall_shape_clone(&chain_shape, links);
    assert_non_null(copy);
    free(copy);

    links[WALL_SHAPE_DEPTH_MAX - 1].next = &links[WALL_SHAPE_DEPTH_MAX];
    assert_refused(&chain_shape, links);

    links[0].next = links;
    assert_refused(&chain_shape, links);
}

static void measure_aligns_parts(void **state)
{
    uint8_t data[] = { 1 };
    struct leaf leaf = { 0 };
    struct tree tree = { .data_count = 1, .data = data, .choice = { HOLDS_LEAF, { .leaf = &leaf } } };
    assert_int_equal(wall_shape_measure(&tree_shape, &tree), sizeof(struct tree) + 8 + sizeof(struct leaf));
    struct tree *copy = wall_shape_clone(&tree_shape, &tree);
    assert_int_equal((uintptr_t)copy->choice.value.leaf % 8, 0);
    free(copy);
}

// Two unions that one selector tells.
struct twins {
    uint32_t type;
    union { uint16_t number; struct leaf *leaf; } first, second;
};
static const struct wall_shape_case twin_cases[] = {
    { 0, WALL_SHAPE_U16, 0, NULL },
    { 1, WALL_SHAPE_POINTER, 0, &leaf_shape },
};
static const struct wall_shape_field twins_fields[] = {
    WALL_FIELD_UNION(struct twins, first, type, twin_cases),
    WALL_FIELD_UNION(struct twins, second, type, twin_cases),
};
static WALL_SHAPE(twins_shape, struct twins, twins_fields);

static void one_selector_may_tell_two_unions(void **state)
{
    struct leaf leaf = { 1, 2, NULL };
    struct twins *copy = wall_shape_clone(&twins_shape, &(struct twins){ 1, { .leaf = &leaf }, { .leaf = &leaf } });
    assert_non_null(copy);
    assert_int_equal(copy->type, 1);
    assert_int_equal(copy->first.leaf->big, 2);
    assert_int_equal(copy->second.leaf->big, 2);
    free(copy);
}

static void place_fills_the_callers_memory(void **state)
{
    struct leaf leaf = { 1, 2, word };
    size_t size = wall_shape_measure(&leaf_shape, &leaf);
    struct leaf *copy = calloc(1, size);
    wall_shape_place(&leaf_shape, &leaf, copy);
    assert_memory_equal(copy->text, word, sizeof(word));
    assert_ptr_equal(copy->text, copy + 1);
    free(copy);
}

static void sound_descriptions_have_no_flaw(void **state)
{
    const char *name = NULL;
    assert_null(wall_shape_flaw(&tree_shape, &name));
    assert_null(wall_shape_flaw(&chain_shape, &name));
    assert_null(wall_shape_flaw(&twins_shape, &name));
}

static void assert_flawed(const struct wall_shape *shape, const char *flaw, const char *name)
{
    const char *found_name = NULL;
    const char *found = wall_shape_flaw(shape, &found_name);
    assert_non_null(found);
    assert_string_equal(found, flaw);
    assert_string_equal(found_name, name);
}

static void flaws_are_found(void **state)
{
    static const struct wall_shape_field gap[] = { WALL_FIELD_U8(struct leaf, small),
                                                   WALL_FIELD_U64(struct leaf, big) };
    static WALL_SHAPE(gap_shape, struct leaf, gap);
    assert_flawed(&gap_shape, "a member is not described", "struct leaf");

    static const struct wall_shape_field twice[] = {
        WALL_FIELD_U8(struct leaf, small), WALL_FIELD_U64(struct leaf, big), WALL_FIELD_U64(struct leaf, big),
        WALL_FIELD_TEXT(struct leaf, text),
    };
    static WALL_SHAPE(twice_shape, struct leaf, twice);
    assert_flawed(&twice_shape, "two fields describe the same byte", "struct leaf");

    static const struct wall_shape_field wrong_kind[] = { WALL_FIELD_U32(struct leaf, big) };
    static WALL_SHAPE(wrong_kind_shape, struct leaf, wrong_kind);
    assert_flawed(&wrong_kind_shape, "the member's size does not fit its kind", "big");

    static const struct wall_shape_field selector_twice[] = {
        WALL_FIELD_U32(struct choice, type), WALL_FIELD_UNION(struct choice, value, type, choice_cases),
    };
    static WALL_SHAPE(selector_twice_shape, struct choice, selector_twice);
    assert_flawed(&selector_twice_shape, "two fields describe the same byte", "struct choice");

    static const struct wall_shape_case large[] = { { 0, WALL_SHAPE_STRUCT, 0, &tree_shape } };
    static const struct wall_shape_field large_fields[] = { WALL_FIELD_UNION(struct choice, value, type, large) };
    static WALL_SHAPE(large_shape, struct choice, large_fields);
    assert_flawed(&large_shape, "a case that is larger than its union", "value");

    static const struct wall_shape_field no_shape[] = { WALL_FIELD_POINTER(struct chain, next, NULL) };
    static WALL_SHAPE(no_shape_shape, struct chain, no_shape);
    assert_flawed(&no_shape_shape, "no shape", "next");

    static const struct wall_shape nothing = { "nothing", 0, NULL, 0 };
    assert_flawed(&nothing, "no fields", "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clone_copies_everything),
        cmocka_unit_test(clone_zeroes_what_is_not_described),
        cmocka_unit_test(masked_selector_copies_only_its_case),
        cmocka_unit_test(empty_arrays_become_null),
        cmocka_unit_test(null_with_a_count_is_refused),
        cmocka_unit_test(unknown_selector_is_refused),
        cmocka_unit_test(every_union_case_is_copied),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(measure_aligns_parts),
        cmocka_unit_test(one_selector_may_tell_two_unions),
        cmocka_unit_test(place_fills_the_callers_memory),
        cmocka_unit_test(sound_descriptions_have_no_flaw),
        cmocka_unit_test(flaws_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
