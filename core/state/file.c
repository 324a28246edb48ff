/*
 * file.c: see file.h.
 *
 * The lock is held for good (locking_mode=EXCLUSIVE): SQLite then keeps the index of its log in
 * memory of its own, without a shared file, and asks for no lock at any transaction.  POSIX drops a
 * process's locks on a file when it closes any descriptor of it: nothing here opens state.db while
 * SQLite has it.
 */
#include "state/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "state/schema.h"
#include "state/state.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

int paths_init(struct state_paths *paths, const char *directory)
{
    // SQLite would take "file:..." for a URI
    const char *here = *directory == '/' ? "" : "./";

    *paths = (struct state_paths){0};
    if (asprintf(&paths->directory, "%s%s", here, directory) < 0) {
        paths->directory = NULL;
    }
    if (asprintf(&paths->db, "%s%s/state.db", here, directory) < 0) {
        paths->db = NULL;
    }
    if (asprintf(&paths->wal, "%s%s/state.db-wal", here, directory) < 0) {
        paths->wal = NULL;
    }
    if (asprintf(&paths->reserve, "%s%s/state.reserve", here, directory) < 0) {
        paths->reserve = NULL;
    }
    if (!paths->directory || !paths->db || !paths->wal || !paths->reserve) {
        paths_finish(paths);
        return -ENOMEM;
    }
    return 0;
}

void paths_finish(struct state_paths *paths)
{
    free(paths->directory);
    free(paths->db);
    free(paths->wal);
    free(paths->reserve);
    *paths = (struct state_paths){0};
}

int state_error(int sqlite_result)
{
    if (sqlite_result == SQLITE_IOERR_NOMEM) {
        return -ENOMEM;
    }
    switch (sqlite_result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return -EINVAL; /* mistakes of ours */
    default:
        return -EIO;
    }
}

int file_error(sqlite3 *db, int sqlite_result)
{
    int kind = sqlite_result & 0xff;
    int error = sqlite3_system_errno(db);

    if ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && (error == ENOSPC || error == EDQUOT)) {
        return -ENOSPC;
    }
    return state_error(sqlite_result);
}

int file_check_directory(const struct state_paths *paths, struct buf *why)
{
    struct stat st;
    int r = 0;

    if (stat(paths->directory, &st) < 0) {
        r = -errno;
    } else if (!S_ISDIR(st.st_mode)) {
        r = -ENOTDIR;
    } else if (access(paths->directory, R_OK | W_OK | X_OK) < 0) {
        r = -errno;
    }
    if (r < 0) {
        buf_printf(why,
                   "the state cannot be kept in %s: %s; give the directory to this user, or set "
                   "agent.state_dir",
                   paths->directory, log_errno(r));
    }
    return r;
}

/* It exists, is an ordinary file, and is for nobody else. */
static int prepare_file(const char *path, struct buf *why)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    int r = 0;

    if (fd < 0 || fstat(fd, &st) < 0) {
        r = -errno;
    } else if (!S_ISREG(st.st_mode)) {
        r = -EINVAL;
    } else if ((st.st_mode & 077) != 0 && fchmod(fd, 0600) < 0) {
        r = -errno;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (r < 0) {
        buf_printf(why, "%s cannot be opened: %s; it must be an ordinary file of this user", path,
                   log_errno(r));
    }
    return r;
}

static int run(sqlite3 *db, const char *sql)
{
    return file_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int one_number(sqlite3 *db, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        *ret_number = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -ENODATA : file_error(db, rc);
}

static int behave(sqlite3 *db)
{
    static const char *const pragmas[] = {
        "PRAGMA locking_mode=EXCLUSIVE", // first: see the head of this file
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=0", // transaction.c does it
        "PRAGMA journal_size_limit=" STRING(LIMIT_STATE_WAL_BYTES),
        "PRAGMA cache_size=-" STRING(LIMIT_STATE_CACHE_KIB),
        "PRAGMA cell_size_check=ON", // damage is seen when a page is read, not when it was spread
        "PRAGMA secure_delete=OFF",  // the file is ours alone; Debian's SQLite would write zeros
        "PRAGMA temp_store=MEMORY",
        "PRAGMA trusted_schema=OFF",
        "PRAGMA foreign_keys=OFF",
    };
    int r = 0;

    (void)sqlite3_busy_timeout(db, LIMIT_STATE_BUSY_MS);
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t i = 0; r == 0 && i < sizeof pragmas / sizeof pragmas[0]; i++) {
        r = run(db, pragmas[i]);
    }
    return r;
}

/* Ours, new, or refused. */
static int recognise(sqlite3 *db, const char *path, struct buf *why, int64_t *ret_version)
{
    int64_t id = 0, version = 0, tables = 0;
    int r = one_number(db, "PRAGMA application_id", &id);

    if (r == 0) {
        r = one_number(db, "PRAGMA user_version", &version);
    }
    if (r == 0) {
        r = one_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (r < 0) {
        return r;
    }
    if (id != STATE_APPLICATION_ID && (id != 0 || version != 0 || tables != 0)) {
        buf_printf(why,
                   "%s is a database of another program, not toiletmon's state; move it away, or "
                   "set agent.state_dir",
                   path);
        return -EMEDIUMTYPE;
    }
    if (version > (int64_t)state_schema_version) {
        buf_printf(why,
                   "%s was written by a newer toiletmon (its version is %lld, this one knows %zu); "
                   "start that one again, or set agent.state_dir to an empty directory",
                   path, (long long)version, state_schema_version);
        return -EPROTONOSUPPORT;
    }
    *ret_version = version;
    return 0;
}

/* All steps are one transaction: a kill leaves the old version or the new one. */
static int migrate(sqlite3 *db, int64_t version)
{
    char pragmas[96];
    int r;

    if (version == (int64_t)state_schema_version) {
        return 0;
    }
    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%zu",
                   STATE_APPLICATION_ID, state_schema_version);
    r = run(db, "BEGIN IMMEDIATE");
    for (size_t i = (size_t)version; r == 0 && i < state_schema_version; i++) {
        r = run(db, state_schema[i]);
    }
    if (r == 0) {
        r = run(db, pragmas);
    }
    if (r == 0) {
        r = run(db, "COMMIT");
    }
    if (r < 0 && !sqlite3_get_autocommit(db)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

int file_open(const struct state_paths *paths, const char *vfs, struct buf *why, sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    int64_t version;
    size_t said = why->len;
    int r = prepare_file(paths->db, why);

    if (r < 0) {
        return r;
    }
    r = state_error(
        sqlite3_open_v2(paths->db, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs));
    if (r == 0) {
        r = behave(db);
    }
    if (r == 0) {
        r = recognise(db, paths->db, why, &version);
    }
    if (r == 0) {
        r = migrate(db, version);
    }
    if (r < 0 && why->len == said) {
        buf_printf(why, "%s cannot be used: %s (%s)", paths->db,
                   db ? sqlite3_errmsg(db) : "no memory", log_errno(r));
    }
    if (r < 0) {
        file_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}

void file_close(sqlite3 *db)
{
    if (sqlite3_close(db) != SQLITE_OK) {
        log_error("a statement of the state was left open"); // a mistake of ours
    }
}
