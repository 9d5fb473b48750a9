#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    memcpy(folder, "/tmp/ringwall-store-XXXXXX", sizeof("/tmp/ringwall-store-XXXXXX"));
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/store", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char file[128];
        snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
    return rmdir(folder);
}

static GUID make_key(uint32_t number)
{
    GUID key = { 0 };
    key.Data1 = number;
    return key;
}

static struct wall_store *open_store(void)
{
    struct wall_store *store = NULL;
    struct wall_error err = { 0 };
    if (wall_store_open(path, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

static void put(struct wall_store *store, enum wall_object_type type, uint32_t number, const char *text)
{
    GUID key = make_key(number);
    assert_int_equal(wall_store_put(store, type, &key, text, strlen(text), NULL), 0);
}

// What a load shows, as text: "type:key=data " for each object.
struct listing {
    char text[512];
    int fail_with;
};

static int list_object(void *context, enum wall_object_type type, const GUID *key, const void *data, size_t size)
{
    struct listing *listing = context;
    size_t used = strlen(listing->text);
    snprintf(listing->text + used, sizeof(listing->text) - used, "%d:%u=%.*s ", (int)type, (unsigned)key->Data1,
             (int)size, (const char *)data);
    return listing->fail_with;
}

static void assert_listing(struct wall_store *store, const char *expected)
{
    struct listing listing = { 0 };
    struct wall_error err = { 0 };
    if (wall_store_load(store, list_object, &listing, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(listing.text, expected);
}

static void test_reference_order(void **state)
{
    struct wall_store *store = open_store();
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 9, "f9");
    put(store, WALL_OBJECT_FILTER, 1, "f1");
    put(store, WALL_OBJECT_CALLOUT, 1, "c");
    put(store, WALL_OBJECT_SUBLAYER, 1, "s");
    put(store, WALL_OBJECT_PROVIDER_CONTEXT, 1, "x");
    put(store, WALL_OBJECT_PROVIDER, 1, "");
    assert_int_equal(wall_store_commit(store, NULL), 0);
    wall_store_close(store);

    store = open_store();
    assert_listing(store, "0:1= 1:1=x 2:1=s 4:1=c 5:9=f9 5:1=f1 ");

    // What is put again becomes the youngest.
    GUID key = make_key(9);
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 9, "new");
    key = make_key(1);
    assert_int_equal(wall_store_delete(store, WALL_OBJECT_CALLOUT, &key, NULL), 0);
    assert_int_equal(wall_store_delete(store, WALL_OBJECT_CALLOUT, &key, NULL), 0);
    assert_int_equal(wall_store_commit(store, NULL), 0);
    assert_listing(store, "0:1= 1:1=x 2:1=s 5:1=f1 5:9=new ");
    wall_store_close(store);
}

static void test_unfinished_is_forgotten(void **state)
{
    struct wall_store *store = open_store();
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 1, "lost");
    assert_int_equal(wall_store_load(store, list_object, NULL, NULL), -EINVAL);
    // A begin without a commit before it: the engine gave up in between.
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 2, "kept");
    assert_int_equal(wall_store_commit(store, NULL), 0);
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 3, "lost");
    wall_store_close(store);

    store = open_store();
    assert_listing(store, "5:2=kept ");
    wall_store_close(store);
}

static void test_misuse(void **state)
{
    struct wall_store *store = open_store();
    struct wall_error err = { 0 };
    GUID key = make_key(1);
    assert_int_equal(wall_store_put(store, WALL_OBJECT_FILTER, &key, "x", 1, &err), -EINVAL);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(wall_store_delete(store, WALL_OBJECT_FILTER, &key, NULL), -EINVAL);
    assert_int_equal(wall_store_commit(store, NULL), -EINVAL);

    // A failed step takes the whole transaction back.
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 1, "lost");
    assert_int_equal(wall_store_put(store, WALL_OBJECT_LAYER, &key, "x", 1, NULL), -EINVAL);
    assert_int_equal(wall_store_commit(store, NULL), -EINVAL);

    char *large = calloc(1, WALL_STORE_VALUE_MAX + 1);
    assert_non_null(large);
    assert_int_equal(wall_store_begin(store, NULL), 0);
    assert_int_equal(wall_store_put(store, WALL_OBJECT_FILTER, &key, large, WALL_STORE_VALUE_MAX + 1, NULL), -E2BIG);
    assert_int_equal(wall_store_begin(store, NULL), 0);
    assert_int_equal(wall_store_put(store, WALL_OBJECT_FILTER, &key, large, WALL_STORE_VALUE_MAX, NULL), 0);
    assert_int_equal(wall_store_begin(store, NULL), 0);
    free(large);
    assert_int_equal(wall_store_commit(store, NULL), 0);
    assert_listing(store, "");
    wall_store_close(store);
}

static void test_visit_may_stop(void **state)
{
    struct wall_store *store = open_store();
    assert_int_equal(wall_store_begin(store, NULL), 0);
    put(store, WALL_OBJECT_FILTER, 1, "a");
    put(store, WALL_OBJECT_FILTER, 2, "b");
    assert_int_equal(wall_store_commit(store, NULL), 0);
    struct listing listing = { .fail_with = -ENOMEM };
    assert_int_equal(wall_store_load(store, list_object, &listing, NULL), -ENOMEM);
    assert_string_equal(listing.text, "5:1=a ");
    assert_listing(store, "5:1=a 5:2=b ");
    wall_store_close(store);
}

static void test_settings(void **state)
{
    struct wall_store *store = open_store();
    char *value = NULL;
    assert_int_equal(wall_store_get_setting(store, "mode", &value, NULL), -ENOENT);
    assert_null(value);
    assert_int_equal(wall_store_set_setting(store, "mode", "früh", NULL), 0);
    assert_int_equal(wall_store_set_setting(store, "empty", "", NULL), 0);
    wall_store_close(store);

    store = open_store();
    assert_int_equal(wall_store_get_setting(store, "mode", &value, NULL), 0);
    assert_string_equal(value, "früh");
    free(value);
    assert_int_equal(wall_store_get_setting(store, "empty", &value, NULL), 0);
    assert_string_equal(value, "");
    free(value);
    assert_int_equal(wall_store_set_setting(store, "mode", NULL, NULL), 0);
    assert_int_equal(wall_store_get_setting(store, "mode", &value, NULL), -ENOENT);
    wall_store_close(store);
}

static void test_one_owner(void **state)
{
    struct wall_store *store = open_store(), *second = NULL;
    struct wall_error err = { 0 };
    assert_int_equal(wall_store_open(path, &second, &err), -EBUSY);
    assert_null(second);
    assert_non_null(strstr(err.text, "ringwalld"));
    wall_store_close(store);
    wall_store_close(open_store());
}

static void test_private_file(void **state)
{
    wall_store_close(open_store());
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_no_folder(void **state)
{
    struct wall_store *store = NULL;
    struct wall_error err = { 0 };
    assert_int_equal(wall_store_open("/nonexistent-ringwall/store", &store, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent-ringwall/store"));
    assert_int_equal(wall_store_open("/dev/null", &store, NULL), -EINVAL);
}

// --- Damage ---

static char *read_file(size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void write_file(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void fill_store(void)
{
    struct wall_store *store = open_store();
    assert_int_equal(wall_store_begin(store, NULL), 0);
    for (uint32_t i = 0; i < 200; i++)
        put(store, WALL_OBJECT_FILTER, i, "a filter whose bytes are known to the test");
    assert_int_equal(wall_store_commit(store, NULL), 0);
    wall_store_close(store);
}

// Opens and loads; whatever the outcome, the file must not have changed.
static int open_and_load(struct wall_error *err)
{
    size_t size, size_after;
    char *before = read_file(&size);
    struct wall_store *store = NULL;
    struct listing listing = { 0 };
    int r = wall_store_open(path, &store, err);
    if (r == 0)
        r = wall_store_load(store, list_object, &listing, err);
    wall_store_close(store);
    char *after = read_file(&size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    return r;
}

static void test_not_a_store(void **state)
{
    struct wall_error err = { 0 };
    write_file("this is a text, and a long one, that somebody put where the store should be\n", 76);
    assert_int_equal(open_and_load(&err), -EBADMSG);
    assert_non_null(strstr(err.text, "left as it is"));
}

static void execute(const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void test_foreign_database(void **state)
{
    struct wall_error err = { 0 };
    execute("CREATE TABLE recipes(name TEXT)");
    assert_int_equal(open_and_load(&err), -EBADMSG);
    assert_non_null(strstr(err.text, "not one of Ringwall's"));
}

static void test_newer_schema(void **state)
{
    struct wall_error err = { 0 };
    fill_store();
    execute("PRAGMA user_version = 2");
    assert_int_equal(open_and_load(&err), -ENOTSUP);
    assert_non_null(strstr(err.text, "newer"));
}

// Our file without its tables, or with a type no object has.
static void test_wrong_content(void **state)
{
    struct wall_error err = { 0 };
    fill_store();
    execute("PRAGMA ignore_check_constraints = ON; UPDATE objects SET type = 77 WHERE sequence = 3");
    assert_int_equal(open_and_load(&err), -EBADMSG);
    execute("DROP TABLE objects");
    assert_int_equal(open_and_load(&err), -EBADMSG);
}

static void test_flipped_payload(void **state)
{
    struct wall_error err = { 0 };
    fill_store();
    size_t size;
    char *bytes = read_file(&size);
    char *found = memmem(bytes, size, "known to the test", 17);
    assert_non_null(found);
    found[3] = 'X';
    write_file(bytes, size);
    free(bytes);
    assert_int_equal(open_and_load(&err), -EBADMSG);
    assert_non_null(strstr(err.text, "differs"));
}

static void test_truncated(void **state)
{
    fill_store();
    size_t size;
    char *bytes = read_file(&size);
    assert_true(size > 4096 * 3);
    write_file(bytes, size - 4096);
    free(bytes);
    assert_int_equal(open_and_load(NULL), -EBADMSG);
}

// Every page overwritten in turn: always a refusal, never a different content.
static void test_overwritten_pages(void **state)
{
    fill_store();
    size_t size;
    char *bytes = read_file(&size);
    for (size_t page = 0; page < size / 4096; page++) {
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        memset(copy + page * 4096, 0xA5, 4096);
        write_file(copy, size);
        free(copy);
        int r = open_and_load(NULL);
        // Pages of the empty tables hold nothing that could be wrong, but their form is checked.
        assert_int_equal(r, -EBADMSG);
    }
    free(bytes);
}

// --- Crash ---

#define CRASH_OBJECTS 8

// Commits generation after generation, each writing all objects anew, and tells after each commit.
static void write_generations(int notify_fd)
{
    struct wall_store *store = NULL;
    if (wall_store_open(path, &store, NULL) < 0)
        _exit(2);
    for (uint32_t generation = 1;; generation++) {
        char data[2048];
        memset(data, (int)('a' + generation % 26), sizeof(data));
        memcpy(data, &generation, sizeof(generation));
        if (wall_store_begin(store, NULL) < 0)
            _exit(3);
        for (uint32_t i = 0; i < CRASH_OBJECTS; i++) {
            GUID key = make_key(i);
            if (wall_store_put(store, WALL_OBJECT_FILTER, &key, data, sizeof(data), NULL) < 0)
                _exit(4);
        }
        if (wall_store_commit(store, NULL) < 0)
            _exit(5);
        if (write(notify_fd, &generation, sizeof(generation)) != sizeof(generation))
            _exit(6);
    }
}

struct generations {
    uint32_t count, first;
    bool mixed;
};

static int see_generation(void *context, enum wall_object_type type, const GUID *key, const void *data, size_t size)
{
    struct generations *seen = context;
    uint32_t generation;
    assert_int_equal(size, 2048);
    memcpy(&generation, data, sizeof(generation));
    if (seen->count++ == 0)
        seen->first = generation;
    seen->mixed = seen->mixed || generation != seen->first;
    return 0;
}

static void test_killed_in_commits(void **state)
{
    unsigned seed = 20240601;
    for (int round = 0; round < 12; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(fds[0]);
            write_generations(fds[1]);
        }
        close(fds[1]);

        // At least one commit, then some more time, so that the kill falls anywhere.
        uint32_t reported = 0, next;
        assert_int_equal(read(fds[0], &reported, sizeof(reported)), sizeof(reported));
        struct timespec pause = { .tv_nsec = (long)(rand_r(&seed) % 30000) * 1000 };
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(fds[0], &next, sizeof(next)) == sizeof(next))
            reported = next;
        close(fds[0]);

        struct wall_store *store = open_store();
        struct generations seen = { 0 };
        assert_int_equal(wall_store_load(store, see_generation, &seen, NULL), 0);
        assert_int_equal(seen.count, CRASH_OBJECTS);
        assert_false(seen.mixed);
        // The commit that was cut off may have reached the disk.
        assert_in_range(seen.first, reported, reported + 1);
        wall_store_close(store);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_reference_order),
        IN_FOLDER(test_unfinished_is_forgotten),
        IN_FOLDER(test_misuse),
        IN_FOLDER(test_visit_may_stop),
        IN_FOLDER(test_settings),
        IN_FOLDER(test_one_owner),
        IN_FOLDER(test_private_file),
        IN_FOLDER(test_no_folder),
        IN_FOLDER(test_not_a_store),
        IN_FOLDER(test_foreign_database),
        IN_FOLDER(test_newer_schema),
        IN_FOLDER(test_wrong_content),
        IN_FOLDER(test_flipped_payload),
        IN_FOLDER(test_truncated),
        IN_FOLDER(test_overwritten_pages),
        IN_FOLDER(test_killed_in_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
