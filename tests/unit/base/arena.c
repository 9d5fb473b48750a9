#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct wall_arena arena;
    wall_arena_init(&arena);

    unsigned char *before = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *piece = wall_arena_take(&arena, size);
        assert_non_null(piece);
        assert_ptr_not_equal(piece, before);
        assert_int_equal((uintptr_t)piece % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, size);
        before = piece;
    }
    assert_true(arena.used_bytes >= 3000u * 3000 / 14);
    wall_arena_done(&arena);
    assert_int_equal(arena.used_bytes, 0);
}

static void a_big_piece_leaves_the_current_block_usable(void **state)
{
    struct wall_arena arena;
    wall_arena_init(&arena);
    char *small = wall_arena_take(&arena, 16);
    memset(wall_arena_take(&arena, 1000000), 1, 1000000);
    char *next = wall_arena_take(&arena, 16);
    assert_ptr_equal(next, small + 16);
    wall_arena_done(&arena);

    memset(wall_arena_take(&arena, 1000000), 1, 1000000);
    assert_non_null(wall_arena_take(&arena, 16));
    wall_arena_done(&arena);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    struct wall_arena arena;
    wall_arena_init(&arena);
    assert_null(wall_arena_take(&arena, SIZE_MAX));
    assert_null(wall_arena_take_array(&arena, SIZE_MAX / 2, 4));
    assert_null(wall_arena_copy_text(&arena, "", SIZE_MAX));
    assert_non_null(wall_arena_take_array(&arena, 0, 8));
    wall_arena_done(&arena);
}

static void copies_are_copies(void **state)
{
    struct wall_arena arena;
    wall_arena_init(&arena);
    const char text[] = "wall";
    char *copy = wall_arena_copy(&arena, text, sizeof(text));
    assert_ptr_not_equal(copy, text);
    assert_string_equal(copy, "wall");
    assert_string_equal(wall_arena_copy_text(&arena, text, 2), "wa");
    assert_non_null(wall_arena_copy(&arena, NULL, 0));
    wall_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_big_piece_leaves_the_current_block_usable),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(copies_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
