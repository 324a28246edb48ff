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
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "state/schema.h"
#include "state/state.h"
#include "state/verify.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define CACHE_SIZE ("PRAGMA cache_size=-" STRING(LIMIT_STATE_CACHE_KIB))
#define LOG_LIMIT ("PRAGMA journal_size_limit=" STRING(LIMIT_STATE_WAL_BYTES))
#define FILE_FORMAT "PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA encoding='UTF-8'"

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

int file_run(sqlite3 *db, const char *sql)
{
    return file_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int file_number(sqlite3 *db, const char *sql, int64_t *ret_number)
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
        "PRAGMA locking_mode=EXCLUSIVE", // before anything looks into the log: see above
        FILE_FORMAT,
        CACHE_SIZE,
        "PRAGMA cell_size_check=ON", // damage is seen when a page is read, not when it was spread
        "PRAGMA secure_delete=OFF",  // the file is ours alone; Debian's SQLite would write zeros
        "PRAGMA temp_store=MEMORY",
        "PRAGMA trusted_schema=OFF",
    };
    int r = 0;

    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t i = 0; r == 0 && i < sizeof pragmas / sizeof pragmas[0]; i++) {
        r = file_run(db, pragmas[i]);
    }
    return r;
}

/* Writes, so not before it is known whose file it is. */
static int log_on(sqlite3 *db)
{
    static const char *const pragmas[] = {
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=0", // transaction.c does it
        LOG_LIMIT,
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof pragmas / sizeof pragmas[0]; i++) {
        r = file_run(db, pragmas[i]);
    }
    return r;
}

/* The steps up to a version, and its number. */
static int take_steps(sqlite3 *db, size_t from, size_t to)
{
    char pragmas[96];
    int r = 0;

    for (size_t i = from; r == 0 && i < to; i++) {
        r = file_run(db, state_schema[i]);
    }
    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%zu",
                   STATE_APPLICATION_ID, to);
    return r < 0 ? r : file_run(db, pragmas);
}

/* All steps are one transaction: a kill leaves the old version or the new one. */
static int migrate(sqlite3 *db, size_t version, struct marker *marker)
{
    struct mark mark = marker->last;
    int r;

    if (version == state_schema_version) {
        return 0;
    }
    if (version > 0) {
        // first: an older program must never think that it knows better
        mark.version = (uint32_t)state_schema_version;
        marker_write(marker, &mark);
    }
    r = file_run(db, "BEGIN IMMEDIATE");
    if (r == 0) {
        r = take_steps(db, version, state_schema_version);
    }
    if (r == 0) {
        r = file_run(db, "COMMIT");
    }
    if (r < 0 && !sqlite3_get_autocommit(db)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

static int open_db(const char *path, const char *vfs, sqlite3 **ret_db)
{
    int r = state_error(
        sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs));

    if (r == 0) {
        (void)sqlite3_busy_timeout(*ret_db, LIMIT_STATE_BUSY_MS);
        (void)sqlite3_extended_result_codes(*ret_db, 1);
    }
    return r;
}

int file_open(const struct state_paths *paths, const char *vfs, struct marker *marker,
              struct buf *why, sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    size_t version = 0;
    size_t said = why->len;
    int r = prepare_file(paths->db, why);

    if (r < 0) {
        return r;
    }
    r = open_db(paths->db, vfs, &db);
    if (r == 0) {
        r = behave(db);
    }
    if (r == 0) {
        r = verify_version(db, paths->db, &marker->last, why, &version);
    }
    if (r == 0) {
        r = log_on(db);
    }
    if (r == 0) {
        r = verify_content(db, paths->db, version, why);
    }
    if (r == 0) {
        r = migrate(db, version, marker);
    }
    if (r == 0 && version == 0) {
        // so that the file itself says whose it is, not only its log
        r = file_error(db,
                       sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
    }
    if (r == -EBUSY) {
        buf_printf(why, "%s is open in another program, maybe sqlite3; end that", paths->db);
    } else if (r < 0 && why->len == said) {
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

int file_create(const char *path, const char *vfs, size_t version, sqlite3 **ret_db)
{
    static const char *const pragmas[] = {
        FILE_FORMAT,
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA journal_mode=OFF", // nobody misses it before it is complete
        "PRAGMA synchronous=FULL",
        CACHE_SIZE,
    };
    sqlite3 *db = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = fd < 0 ? -errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (r == 0) {
        r = open_db(path, vfs, &db);
    }
    for (size_t i = 0; r == 0 && i < sizeof pragmas / sizeof pragmas[0]; i++) {
        r = file_run(db, pragmas[i]);
    }
    if (r == 0) {
        r = take_steps(db, 0, version);
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
