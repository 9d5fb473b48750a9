#include "client/app_id.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "winerror.h"

#include "base/utf16.h"

static char directory[] = "/tmp/rw-wire-XXXXXX";

static uint32_t id_of(const char *path, FWP_BYTE_BLOB **ret_id)
{
    uint16_t *text = wall_utf16_new_from_path(path);
    uint32_t status = wall_app_id_from_file((const WCHAR *)text, ret_id);
    free(text);
    return status;
}

static void make_file(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void assert_id(const char *path, const char *expected)
{
    FWP_BYTE_BLOB *id;
    uint16_t *text = wall_utf16_new_from_path(expected);
    size_t size = 2 * (wall_utf16_length(text) + 1);
    assert_int_equal(id_of(path, &id), ERROR_SUCCESS);
    assert_int_equal(id->size, size);
    assert_memory_equal(id->data, text, size);
    free(id);
    free(text);
}

static void the_id_is_the_real_path(void **state)
{
    char path[PATH_MAX], link_path[PATH_MAX], dotted[PATH_MAX];
    make_file("Program", path);
    assert_id(path, path);  // the case is kept
    snprintf(link_path, sizeof(link_path), "%s/link", directory);
    assert_int_equal(symlink(path, link_path), 0);
    assert_id(link_path, path);
    snprintf(dotted, sizeof(dotted), "%s/../%s/./Program", directory, directory + strlen("/tmp/"));
    assert_id(dotted, path);
    unlink(link_path);
    unlink(path);
}

static void any_bytes_are_a_path(void **state)
{
    static const char *const names[] = { "na\xC3\xAFve \xF0\x9F\x98\x80", "latin1 \xE9\xFF", "a b" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[PATH_MAX];
        make_file(names[i], path);
        assert_id(path, path);
        unlink(path);
    }
}

static void files_must_exist(void **state)
{
    FWP_BYTE_BLOB *id = NULL;
    char path[PATH_MAX], below[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s/none", directory);
    assert_int_equal(id_of(path, &id), ERROR_FILE_NOT_FOUND);
    make_file("file", path);
    snprintf(below, sizeof(below), "%s/below", path);
    assert_int_equal(id_of(below, &id), ERROR_PATH_NOT_FOUND);
    unlink(path);
    assert_int_equal(id_of(directory, &id), ERROR_ACCESS_DENIED);
    assert_int_equal(id_of("", &id), ERROR_PATH_NOT_FOUND);
    assert_null(id);
}

static void wrong_arguments_are_refused(void **state)
{
    FWP_BYTE_BLOB *id = NULL;
    assert_int_equal(wall_app_id_from_file(NULL, &id), FWP_E_NULL_POINTER);
    assert_int_equal(wall_app_id_from_file(L"/bin/sh", NULL), FWP_E_NULL_POINTER);
    WCHAR stray[] = { '/', 0xD800, 0 };  // a surrogate that no path gives
    assert_int_equal(wall_app_id_from_file(stray, &id), ERROR_INVALID_NAME);
    WCHAR *endless = calloc(PATH_MAX + 2, sizeof(WCHAR));
    for (size_t i = 0; i <= PATH_MAX; i++)
        endless[i] = 'a';
    assert_int_equal(wall_app_id_from_file(endless, &id), ERROR_FILENAME_EXCED_RANGE);
    free(endless);
    assert_null(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_is_the_real_path),
        cmocka_unit_test(any_bytes_are_a_path),
        cmocka_unit_test(files_must_exist),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    if (!mkdtemp(directory))
        return 1;
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return r;
}
