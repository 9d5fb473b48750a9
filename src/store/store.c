#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

// "RWal": tells our files from other programs' databases.
#define APPLICATION_ID 0x5257616c
#define SCHEMA_VERSION 1
#define PAGE_BYTES 4096

struct wall_store {
    sqlite3 *database;
    char *path;
    sqlite3_stmt *begin, *commit, *rollback, *put, *delete, *load, *get_setting, *set_setting, *delete_setting;
};

// `sequence` grows with every put; AUTOINCREMENT keeps it from being reused, so it orders objects by age for ever.
// `checksum` finds damage inside a page, which SQLite does not look for.
// `history` holds one record per decision, newest last; its records are opaque here.
static const char schema[] =
    "CREATE TABLE objects("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " type INTEGER NOT NULL,"
    " key BLOB NOT NULL CHECK(length(key) = 16),"
    " data BLOB NOT NULL,"
    " checksum INTEGER NOT NULL,"
    " UNIQUE(type, key));"
    "CREATE TABLE settings(name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL, record BLOB NOT NULL);";

static int errno_from_sqlite(int code)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return -EBADMSG;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_TOOBIG:
        return -E2BIG;
    default:
        return -EIO;
    }
}

static const char *advice_for(int code)
{
    switch (code) {
    case -EBUSY:
        return "Another ringwalld is using it; stop that one first";
    case -EBADMSG:
        return "It was left as it is: move it away to start afresh, or put a copy back";
    case -ENOSPC:
        return "Nothing was changed; free space or delete objects";
    case -EROFS:
    case -EACCES:
        return "Check the file's and the directory's owner and mode";
    default:
        return "Nothing was changed";
    }
}

// Makes the result of a SQLite call into ours, with the text.
static int report(const struct wall_store *store, int sqlite_code, const char *what, struct wall_error *err)
{
    int code = errno_from_sqlite(sqlite_code);
    if (code == 0)
        return 0;
    const char *reason = store->database ? sqlite3_errmsg(store->database) : sqlite3_errstr(sqlite_code);
    return wall_error_set(err, code, "%s: cannot %s: %s. %s.", store->path, what, reason, advice_for(code));
}

// 64-bit FNV-1a over type, key and data: damage, not malice, is what it has to find.
static int64_t compute_checksum(enum wall_object_type type, const GUID *key, const void *data, size_t size)
{
    const uint64_t prime = 0x100000001b3u;
    uint64_t hash = 0xcbf29ce484222325u;
    hash = (hash ^ (uint64_t)type) * prime;
    const unsigned char *bytes = (const unsigned char *)key;
    for (size_t i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * prime;
    bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * prime;
    return (int64_t)hash;
}

static bool is_stored_type(int64_t type)
{
    return type == WALL_OBJECT_PROVIDER || type == WALL_OBJECT_PROVIDER_CONTEXT || type == WALL_OBJECT_SUBLAYER ||
           type == WALL_OBJECT_CALLOUT || type == WALL_OBJECT_FILTER;
}

// --- Open ---

static int execute(struct wall_store *store, const char *sql, const char *what, struct wall_error *err)
{
    return report(store, sqlite3_exec(store->database, sql, NULL, NULL, NULL), what, err);
}

static int read_number(struct wall_store *store, const char *sql, int64_t *ret_number, struct wall_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *ret_number = sqlite3_column_int64(statement, 0);
    }
    int r = report(store, code, "read it", err);
    sqlite3_finalize(statement);
    return r;
}

// SQLite would create the file readable for all.
static int create_file(const char *path, struct wall_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int code = -errno;
        return wall_error_set(err, code, "%s: cannot open: %m. Check that the directory exists and who may write it.",
                              path);
    }
    struct stat status;
    int code = fstat(fd, &status) < 0 ? -errno : 0;
    close(fd);
    if (code == 0 && !S_ISREG(status.st_mode))
        code = -EINVAL;
    if (code < 0)
        return wall_error_set(err, code, "%s: not a regular file. Name another path.", path);
    return 0;
}

// The main file's pages only; what a crash left in the write-ahead log has its own checksums.
static int check_pages(struct wall_store *store, struct wall_error *err)
{
    sqlite3_stmt *statement = NULL;
    int r;
    int code = sqlite3_prepare_v2(store->database, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        r = report(store, code == SQLITE_DONE ? SQLITE_CORRUPT : code, "check it", err);
    } else {
        const char *finding = (const char *)sqlite3_column_text(statement, 0);
        r = finding && strcmp(finding, "ok") == 0
                ? 0
                : wall_error_set(err, -EBADMSG, "%s: damaged: %s. %s.", store->path, finding ? finding : "?",
                                 advice_for(-EBADMSG));
    }
    sqlite3_finalize(statement);
    return r;
}

static int create_schema(struct wall_store *store, struct wall_error *err)
{
    char sql[sizeof(schema) + 160];
    sqlite3_snprintf(sizeof(sql), sql,
                     "BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;", schema,
                     APPLICATION_ID, SCHEMA_VERSION);
    return execute(store, sql, "create the tables", err);
}

// Looks before it touches: nothing is written unless the file is ours or empty.
static int check_schema(struct wall_store *store, bool *ret_empty, struct wall_error *err)
{
    int64_t table_count, application, version;
    int r = read_number(store, "SELECT count(*) FROM sqlite_schema", &table_count, err);
    if (r == 0)
        r = read_number(store, "PRAGMA application_id", &application, err);
    if (r == 0)
        r = read_number(store, "PRAGMA user_version", &version, err);
    if (r < 0)
        return r;

    *ret_empty = table_count == 0 && application == 0 && version == 0;
    if (*ret_empty)
        return 0;
    if (application != APPLICATION_ID)
        return wall_error_set(err, -EBADMSG, "%s: a database, but not one of Ringwall's. Name another path.",
                              store->path);
    if (version > SCHEMA_VERSION)
        return wall_error_set(err, -ENOTSUP,
                              "%s: written by a newer Ringwall (schema %" PRId64 ", this one knows %d). "
                              "Install that version, or move the file away to start afresh.",
                              store->path, version, SCHEMA_VERSION);
    if (version < 1)
        return wall_error_set(err, -EBADMSG, "%s: damaged: schema version %" PRId64 ". %s.", store->path, version,
                              advice_for(-EBADMSG));
    return check_pages(store, err);
}

static int prepare_all(struct wall_store *store, struct wall_error *err)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } list[] = {
        { &store->begin, "BEGIN IMMEDIATE" },
        { &store->commit, "COMMIT" },
        { &store->rollback, "ROLLBACK" },
        { &store->put, "INSERT OR REPLACE INTO objects(type, key, data, checksum) VALUES(?1, ?2, ?3, ?4)" },
        { &store->delete, "DELETE FROM objects WHERE type = ?1 AND key = ?2" },
        { &store->load, "SELECT type, key, data, checksum FROM objects ORDER BY type, sequence" },
        { &store->get_setting, "SELECT value FROM settings WHERE name = ?1" },
        { &store->set_setting, "INSERT OR REPLACE INTO settings(name, value) VALUES(?1, ?2)" },
        { &store->delete_setting, "DELETE FROM settings WHERE name = ?1" },
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        int code = sqlite3_prepare_v3(store->database, list[i].sql, -1, SQLITE_PREPARE_PERSISTENT, list[i].statement,
                                      NULL);
        if (code != SQLITE_OK)
            return report(store, code == SQLITE_ERROR ? SQLITE_CORRUPT : code, "use its tables", err);
    }
    return 0;
}

// With it, closing does not move what is left in the write-ahead log into the file: a refused file stays as it is.
static void keep_log_on_close(struct wall_store *store, int keep)
{
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

static int set_up(struct wall_store *store, struct wall_error *err)
{
    keep_log_on_close(store, 1);
    // Exclusive: the first read takes the file until close, and the write-ahead log needs no shared memory.
    int r = execute(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF", "lock it", err);
    bool empty = false;
    if (r == 0)
        r = check_schema(store, &empty, err);
    if (r == 0)
        keep_log_on_close(store, 0);
    if (r == 0)
        r = execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304",
                    "set it up", err);
    if (r == 0) {
        char sql[64];
        sqlite3_snprintf(sizeof(sql), sql, "PRAGMA max_page_count = %lld",
                         (long long)(WALL_STORE_BYTES_MAX / PAGE_BYTES));
        r = execute(store, sql, "set it up", err);
    }
    if (r == 0 && empty)
        r = create_schema(store, err);
    if (r == 0)
        r = prepare_all(store, err);
    return r;
}

int wall_store_open(const char *path, struct wall_store **ret_store, struct wall_error *err)
{
    int r = create_file(path, err);
    if (r < 0)
        return r;

    struct wall_store *store = calloc(1, sizeof(*store));
    if (store)
        store->path = strdup(path);
    if (!store || !store->path) {
        wall_store_close(store);
        return wall_error_set(err, -ENOMEM, "%s: no memory to open it.", path);
    }
    int code = sqlite3_open_v2(path, &store->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    r = report(store, code, "open it", err);
    if (r == 0) {
        (void)sqlite3_extended_result_codes(store->database, 1);
        (void)sqlite3_limit(store->database, SQLITE_LIMIT_LENGTH, (int)WALL_STORE_VALUE_MAX + 4096);
        r = set_up(store, err);
    }
    if (r < 0) {
        wall_store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

void wall_store_close(struct wall_store *store)
{
    if (!store)
        return;
    sqlite3_stmt *const statements[] = { store->begin,       store->commit, store->rollback,
                                         store->put,         store->delete, store->load,
                                         store->get_setting, store->set_setting, store->delete_setting };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        sqlite3_finalize(statements[i]);
    (void)sqlite3_close(store->database);
    free(store->path);
    free(store);
}

// --- Transactions ---

static int run(struct wall_store *store, sqlite3_stmt *statement, const char *what, struct wall_error *err)
{
    int code = sqlite3_step(statement);
    int r = report(store, code, what, err);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return r;
}

static bool in_transaction(const struct wall_store *store)
{
    return sqlite3_get_autocommit(store->database) == 0;
}

static void roll_back(struct wall_store *store)
{
    if (in_transaction(store))
        (void)run(store, store->rollback, "roll back", NULL);
}

// Runs one step of a transaction, taking all of it back on failure.
static int run_step(struct wall_store *store, sqlite3_stmt *statement, const char *what, struct wall_error *err)
{
    int r = run(store, statement, what, err);
    if (r < 0)
        roll_back(store);
    return r;
}

int wall_store_begin(struct wall_store *store, struct wall_error *err)
{
    roll_back(store);
    return run(store, store->begin, "begin a transaction", err);
}

static int check_step(struct wall_store *store, enum wall_object_type type, size_t size, struct wall_error *err)
{
    if (!in_transaction(store))
        return wall_error_set(err, -EINVAL, "%s: a change outside a transaction. Nothing was changed.", store->path);
    if (!is_stored_type(type)) {
        roll_back(store);
        return wall_error_set(err, -EINVAL, "%s: objects of type %d are not stored. Nothing was changed.", store->path,
                              (int)type);
    }
    if (size > WALL_STORE_VALUE_MAX) {
        roll_back(store);
        return wall_error_set(err, -E2BIG, "%s: an object of %zu bytes is too large (at most %u). Nothing was changed.",
                              store->path, size, WALL_STORE_VALUE_MAX);
    }
    return 0;
}

int wall_store_put(struct wall_store *store, enum wall_object_type type, const GUID *key, const void *data, size_t size,
                   struct wall_error *err)
{
    int r = check_step(store, type, size, err);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(store->put, 1, (int)type);
    (void)sqlite3_bind_blob(store->put, 2, key, sizeof(*key), SQLITE_STATIC);
    (void)sqlite3_bind_blob64(store->put, 3, size > 0 ? data : "", size, SQLITE_STATIC);
    (void)sqlite3_bind_int64(store->put, 4, compute_checksum(type, key, data, size));
    return run_step(store, store->put, "write an object", err);
}

int wall_store_delete(struct wall_store *store, enum wall_object_type type, const GUID *key, struct wall_error *err)
{
    int r = check_step(store, type, 0, err);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(store->delete, 1, (int)type);
    (void)sqlite3_bind_blob(store->delete, 2, key, sizeof(*key), SQLITE_STATIC);
    return run_step(store, store->delete, "delete an object", err);
}

int wall_store_commit(struct wall_store *store, struct wall_error *err)
{
    if (!in_transaction(store))
        return wall_error_set(err, -EINVAL, "%s: a commit outside a transaction. Nothing was changed.", store->path);
    return run_step(store, store->commit, "commit", err);
}

// --- Load ---

// The row the load statement stands on.
static int visit_row(struct wall_store *store, wall_store_visit visit, void *context, struct wall_error *err)
{
    int64_t type = sqlite3_column_int64(store->load, 0);
    const void *key_bytes = sqlite3_column_blob(store->load, 1);
    GUID key;
    if (!is_stored_type(type) || !key_bytes || sqlite3_column_bytes(store->load, 1) != (int)sizeof(key))
        return wall_error_set(err, -EBADMSG, "%s: damaged: an object without a valid type and key. %s.", store->path,
                              advice_for(-EBADMSG));
    memcpy(&key, key_bytes, sizeof(key));
    const void *data = sqlite3_column_blob(store->load, 2);
    size_t size = (size_t)sqlite3_column_bytes(store->load, 2);
    if (size > 0 && !data)
        return wall_error_set(err, -ENOMEM, "%s: no memory to read an object.", store->path);
    if (compute_checksum((enum wall_object_type)type, &key, data, size) != sqlite3_column_int64(store->load, 3))
        return wall_error_set(err, -EBADMSG, "%s: damaged: an object differs from what was stored. %s.", store->path,
                              advice_for(-EBADMSG));
    return visit(context, (enum wall_object_type)type, &key, data, size);
}

int wall_store_load(struct wall_store *store, wall_store_visit visit, void *context, struct wall_error *err)
{
    if (in_transaction(store))
        return wall_error_set(err, -EINVAL, "%s: cannot be loaded inside a transaction.", store->path);
    int r = 0, code;
    while ((code = sqlite3_step(store->load)) == SQLITE_ROW && r == 0)
        r = visit_row(store, visit, context, err);
    if (r == 0)
        r = report(store, code, "read its objects", err);
    (void)sqlite3_reset(store->load);
    return r;
}

// --- Settings ---

int wall_store_get_setting(struct wall_store *store, const char *name, char **ret_value, struct wall_error *err)
{
    (void)sqlite3_bind_text(store->get_setting, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(store->get_setting);
    int r = report(store, code, "read a setting", err);
    if (code == SQLITE_DONE)
        r = wall_error_set(err, -ENOENT, "%s: no setting named '%s'.", store->path, name);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(store->get_setting, 0);
        char *value = text ? strdup(text) : NULL;
        if (value)
            *ret_value = value;
        else
            r = wall_error_set(err, -ENOMEM, "%s: no memory to read a setting.", store->path);
    }
    (void)sqlite3_reset(store->get_setting);
    (void)sqlite3_clear_bindings(store->get_setting);
    return r;
}

int wall_store_set_setting(struct wall_store *store, const char *name, const char *value, struct wall_error *err)
{
    if (value && strlen(value) > WALL_STORE_VALUE_MAX)
        return wall_error_set(err, -E2BIG, "%s: setting '%s' is too large. Nothing was changed.", store->path, name);
    sqlite3_stmt *statement = value ? store->set_setting : store->delete_setting;
    (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (value)
        (void)sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
    return run_step(store, statement, "write a setting", err);
}
