#include "client/handle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned destroyed;

static void destroy(struct wall_handle_object *object)
{
    destroyed++;
}

static struct wall_handle_object new_object(const struct wall_handle_object *owner)
{
    return (struct wall_handle_object){ .references = 1, .destroy = destroy, .owner = owner };
}

static void handles_find_their_object(void **state)
{
    struct wall_handle_object object = new_object(NULL);
    HANDLE handle;
    destroyed = 0;
    assert_int_equal(wall_handle_new(WALL_HANDLE_ENGINE, &object, &handle), 0);
    assert_non_null(handle);
    assert_int_equal((uintptr_t)handle % 4, 0);

    assert_ptr_equal(wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL), &object);
    assert_null(wall_handle_ref(handle, WALL_HANDLE_ENUMERATION, NULL));
    wall_handle_unref(&object);

    assert_ptr_equal(wall_handle_take(handle, WALL_HANDLE_ENGINE, NULL), &object);
    assert_null(wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL));
    assert_null(wall_handle_take(handle, WALL_HANDLE_ENGINE, NULL));
    assert_int_equal(destroyed, 0);
    wall_handle_unref(&object);
    assert_int_equal(destroyed, 1);
}

static void a_reference_outlives_the_handle(void **state)
{
    struct wall_handle_object object = new_object(NULL);
    HANDLE handle;
    destroyed = 0;
    assert_int_equal(wall_handle_new(WALL_HANDLE_ENGINE, &object, &handle), 0);
    void *used = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    wall_handle_unref(wall_handle_take(handle, WALL_HANDLE_ENGINE, NULL));
    assert_int_equal(destroyed, 0);
    wall_handle_object_ref(used);
    wall_handle_unref(used);
    wall_handle_unref(used);
    assert_int_equal(destroyed, 1);
    wall_handle_unref(NULL);
}

static void garbage_is_no_handle(void **state)
{
    struct wall_handle_object object = new_object(NULL);
    HANDLE handle;
    assert_int_equal(wall_handle_new(WALL_HANDLE_ENGINE, &object, &handle), 0);
    uintptr_t value = (uintptr_t)handle;
    const uintptr_t garbage[] = { 0,
                                  1,
                                  4096,
                                  value + 1,
                                  value + 2,
                                  value + 4,
                                  value | (uintptr_t)1 << 40,
                                  UINTPTR_MAX,
                                  UINTPTR_MAX - 3,
                                  (uintptr_t)&object,
                                  (uintptr_t)1 << 63 };
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
        assert_null(wall_handle_ref((HANDLE)garbage[i], WALL_HANDLE_ENGINE, NULL));
    wall_handle_unref(wall_handle_take(handle, WALL_HANDLE_ENGINE, NULL));
}

static void a_used_slot_has_a_new_handle(void **state)
{
    struct wall_handle_object object = new_object(NULL);
    HANDLE first, second;
    assert_int_equal(wall_handle_new(WALL_HANDLE_ENGINE, &object, &first), 0);
    (void)wall_handle_take(first, WALL_HANDLE_ENGINE, NULL);
    assert_int_equal(wall_handle_new(WALL_HANDLE_ENGINE, &object, &second), 0);
    assert_ptr_not_equal(first, second);
    assert_null(wall_handle_ref(first, WALL_HANDLE_ENGINE, NULL));
    assert_ptr_equal(wall_handle_take(second, WALL_HANDLE_ENGINE, NULL), &object);
}

static void owners_are_told_apart(void **state)
{
    struct wall_handle_object owner = new_object(NULL), other = new_object(NULL);
    struct wall_handle_object objects[3] = { new_object(&owner), new_object(&owner), new_object(&other) };
    HANDLE handles[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(wall_handle_new(WALL_HANDLE_ENUMERATION, &objects[i], &handles[i]), 0);
    assert_null(wall_handle_ref(handles[0], WALL_HANDLE_ENUMERATION, &other));
    assert_ptr_equal(wall_handle_ref(handles[0], WALL_HANDLE_ENUMERATION, &owner), &objects[0]);

    assert_non_null(wall_handle_take_owned(&owner));
    assert_non_null(wall_handle_take_owned(&owner));
    assert_null(wall_handle_take_owned(&owner));
    assert_ptr_equal(wall_handle_take(handles[2], WALL_HANDLE_ENUMERATION, &other), &objects[2]);
}

static void their_number_is_limited(void **state)
{
    struct wall_handle_object object = new_object(NULL);
    HANDLE *handles = calloc(WALL_HANDLES_MAX + 1, sizeof(HANDLE));
    uint32_t count = 0;
    while (wall_handle_new(WALL_HANDLE_STATE, &object, &handles[count]) == 0)
        count++;
    assert_int_equal(count, WALL_HANDLES_MAX);
    assert_int_equal(wall_handle_new(WALL_HANDLE_STATE, &object, &handles[count]), -EMFILE);
    for (uint32_t i = 0; i < count; i++)
        assert_ptr_equal(wall_handle_take(handles[i], WALL_HANDLE_STATE, NULL), &object);
    assert_int_equal(wall_handle_new(WALL_HANDLE_STATE, &object, &handles[0]), 0);
    (void)wall_handle_take(handles[0], WALL_HANDLE_STATE, NULL);
    free(handles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_find_their_object), cmocka_unit_test(a_reference_outlives_the_handle),
        cmocka_unit_test(garbage_is_no_handle),      cmocka_unit_test(a_used_slot_has_a_new_handle),
        cmocka_unit_test(owners_are_told_apart),     cmocka_unit_test(their_number_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
