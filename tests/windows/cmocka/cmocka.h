// The part of cmocka that the portable rooms' unit tests use, for their Windows build: Debian has no cmocka for
// mingw-w64. A failed assertion ends its test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
    int (*set_up)(void **state);
    int (*tear_down)(void **state);
};

#define cmocka_unit_test(function) { #function, function, NULL, NULL }
#define cmocka_unit_test_setup(function, set_up) { #function, function, set_up, NULL }
#define cmocka_unit_test_setup_teardown(function, set_up, tear_down) { #function, function, set_up, tear_down }

static jmp_buf cmocka_failure;

__attribute__((noreturn, format(gnu_printf, 3, 4), unused)) static void cmocka_fail(const char *file, int line,
                                                                                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    longjmp(cmocka_failure, 1);
}

#define CMOCKA_CHECK(condition, ...) ((condition) ? (void)0 : cmocka_fail(__FILE__, __LINE__, __VA_ARGS__))
#define CMOCKA_NUMBER(value) ((unsigned long long)(intmax_t)(value))

#define fail_msg(...) cmocka_fail(__FILE__, __LINE__, __VA_ARGS__)
#define assert_true(value) CMOCKA_CHECK((value), "%s is false", #value)
#define assert_false(value) CMOCKA_CHECK(!(value), "%s is true", #value)
#define assert_null(value) CMOCKA_CHECK(!(value), "%s is not NULL", #value)
#define assert_non_null(value) CMOCKA_CHECK((value), "%s is NULL", #value)

#define assert_int_equal(a, b)                                                                               \
    do {                                                                                                     \
        unsigned long long left_ = CMOCKA_NUMBER(a), right_ = CMOCKA_NUMBER(b);                              \
        CMOCKA_CHECK(left_ == right_, "%s is 0x%llx, expected %s = 0x%llx", #a, left_, #b, right_);          \
    } while (0)
#define assert_int_not_equal(a, b) CMOCKA_CHECK(CMOCKA_NUMBER(a) != CMOCKA_NUMBER(b), "%s is %s", #a, #b)
#define assert_in_range(value, low, high)                                                                    \
    CMOCKA_CHECK((value) >= (low) && (value) <= (high), "%s is out of range", #value)
#define assert_ptr_equal(a, b) CMOCKA_CHECK((const void *)(a) == (const void *)(b), "%s is not %s", #a, #b)
#define assert_ptr_not_equal(a, b) CMOCKA_CHECK((const void *)(a) != (const void *)(b), "%s is %s", #a, #b)
#define assert_string_equal(a, b) CMOCKA_CHECK(strcmp((a), (b)) == 0, "'%s' is not '%s'", (a), (b))
#define assert_memory_equal(a, b, size) CMOCKA_CHECK(memcmp((a), (b), (size)) == 0, "%s is not %s", #a, #b)
#define assert_memory_not_equal(a, b, size) CMOCKA_CHECK(memcmp((a), (b), (size)) != 0, "%s is %s", #a, #b)

static bool cmocka_run_one(const struct CMUnitTest *test)
{
    void *state = NULL;
    if (setjmp(cmocka_failure) != 0) {
        printf("FAILED %s\n", test->name);
        return false;
    }
    if (test->set_up && test->set_up(&state) != 0)
        fail_msg("set-up failed");
    test->run(&state);
    if (test->tear_down && test->tear_down(&state) != 0)
        fail_msg("tear-down failed");
    return true;
}

static int cmocka_run(const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += !cmocka_run_one(&tests[i]);
    printf("%zu tests, %d failed\n", count, failed);
    return failed;
}

// No test of a portable room has a set-up for its whole group.
#define cmocka_run_group_tests(tests, set_up, tear_down) cmocka_run((tests), sizeof(tests) / sizeof((tests)[0]))
