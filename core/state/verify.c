/*
 * verify.c: see verify.h.  SQLite believes what its file says: with a flipped bit in the header it
 * takes the file for somebody else's, for a newer version's or for one that must not be written,
 * and with one in the schema it finds no rows through an index.  What must be there is known, so it
 * is compared.
 */
#include "state/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "state/bytes.h"
#include "state/cell.h"
#include "state/schema.h"
#include "state/state.h"

#define HEADER_BYTES 100
#define HEADER_MAGIC "SQLite format 3" /* and its NUL */

static int damaged(const char *path, const char *what, struct buf *why)
{
    buf_printf(why, "%s is damaged: %s", path, what);
    return -EUCLEAN;
}

static int foreign(const char *path, struct buf *why)
{
    buf_printf(why,
               "%s is not toiletmon's state but a file of another program; move it away, or set "
               "agent.state_dir",
               path);
    return -EMEDIUMTYPE;
}

static int newer(const char *path, long long version, struct buf *why)
{
    buf_printf(
        why,
        "%s was written by a newer toiletmon (its version is %lld, this one knows %zu); start "
        "that one again, or set agent.state_dir to an empty directory",
        path, version, state_schema_version);
    return -EPROTONOSUPPORT;
}

/* ---- before SQLite opens it ---- */

/* All that is the same in every file of ours. */
static bool header_is_sound(const unsigned char *header)
{
    static const struct {
        unsigned char offset, len, bytes[4];
    } fixed[] = {
        {16, 2, {PAGE_BYTES >> 8, PAGE_BYTES & 0xff}},
        {20, 4, {0, 64, 32, 32}}, /* reserved bytes, fractions */
        {44, 4, {0, 0, 0, 4}},    /* of the schema's format */
        {52, 4, {0, 0, 0, 0}},    /* no automatic vacuum */
        {56, 4, {0, 0, 0, 1}},    /* UTF-8 */
        {64, 4, {0, 0, 0, 0}},
        {68,
         4,
         {STATE_APPLICATION_ID >> 24, STATE_APPLICATION_ID >> 16 & 0xff,
          STATE_APPLICATION_ID >> 8 & 0xff, STATE_APPLICATION_ID & 0xff}},
        {72, 4, {0, 0, 0, 0}}, /* reserved */
        {76, 4, {0, 0, 0, 0}},
        {80, 4, {0, 0, 0, 0}},
        {84, 4, {0, 0, 0, 0}},
        {88, 4, {0, 0, 0, 0}},
    };

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (memcmp(header + fixed[i].offset, fixed[i].bytes, fixed[i].len) != 0) {
            return false;
        }
    }
    // 1: with a journal, 2: with a log; it is one while the file is made, then the other
    return memcmp(header, HEADER_MAGIC, sizeof HEADER_MAGIC) == 0 && header[18] == header[19] &&
           (header[18] == 1 || header[18] == 2);
}

static int verify_header(const char *path, const struct mark *mark, struct buf *why)
{
    unsigned char header[HEADER_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : pread(fd, header, sizeof header, 0);
    int r = n >= 0 || errno == ENOENT ? 0 : -errno;
    bool made = mark->valid && mark->version > 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (r < 0) {
        buf_printf(why, "%s cannot be read: %s", path, log_errno(r));
        return r;
    }
    if (n <= 0) {
        return made ? damaged(path, "it is empty", why) : 0;
    }
    if (n == HEADER_BYTES && (made || bytes_get32(header + 68) == STATE_APPLICATION_ID)) {
        return header_is_sound(header) ? 0 : damaged(path, "its header", why);
    }
    if (made) {
        return damaged(path, "it has no header", why);
    }
    // a mark without a version: we were making it, and SQLite knows what became of it
    return mark->valid ? 0 : foreign(path, why);
}

int verify_files(const struct state_paths *paths, const struct mark *mark, struct buf *why,
                 struct wal *ret_wal)
{
    struct wal wal = {.fd = -1};
    int r;

    if (mark->valid && mark->version > state_schema_version) {
        return newer(paths->db, mark->version, why);
    }
    r = verify_header(paths->db, mark, why);
    if (r < 0) {
        return r;
    }
    r = wal_read(paths->wal, PAGE_BYTES, mark, &wal);
    if (r < 0) {
        buf_printf(why, "%s cannot be read: %s", paths->wal, log_errno(r));
        return r;
    }
    wal_finish(&wal);
    if (wal.lost > 0) {
        return damaged(paths->wal, "commits at its end", why);
    }
    *ret_wal = wal;
    return 0;
}

/* ---- through SQLite ---- */

/* A checksum of what the schema says, what ANALYZE may have added left out.  -errno. */
static int schema_sum(sqlite3 *db, uint32_t *ret_sum)
{
    sqlite3_stmt *statement = NULL;
    uint32_t sum = STATE_SUM;
    int rc = sqlite3_prepare_v2(db,
                                "SELECT type, name, tbl_name, sql FROM sqlite_schema"
                                " WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name",
                                -1, &statement, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        for (int i = 0; rc == SQLITE_ROW && i < 4; i++) {
            const void *text = sqlite3_column_blob(statement, i);

            sum = state_sum_bytes(sum, text, (size_t)sqlite3_column_bytes(statement, i));
        }
    }
    (void)sqlite3_finalize(statement);
    *ret_sum = sum;
    return rc == SQLITE_DONE ? 0 : file_error(db, rc);
}

/* Whether the schema is the one of this version. */
static int schema_is(sqlite3 *db, size_t version, bool *ret_is)
{
    sqlite3 *model = NULL;
    uint32_t is = 0, must = 0;
    int r = schema_sum(db, &is);

    if (r == 0) {
        r = state_error(sqlite3_open(":memory:", &model));
    }
    for (size_t i = 0; r == 0 && i < version; i++) {
        r = file_run(model, state_schema[i]);
    }
    if (r == 0) {
        r = schema_sum(model, &must);
    }
    (void)sqlite3_close(model);
    if (r == 0) {
        *ret_is = is == must;
    }
    return r;
}

int verify_version(sqlite3 *db, const char *path, const struct mark *mark, struct buf *why,
                   size_t *ret_version)
{
    int64_t id = 0, version = 0, tables = 0;
    bool made = mark->valid && mark->version > 0, same = false;
    int r = file_number(db, "PRAGMA application_id", &id);

    if (r == 0) {
        r = file_number(db, "PRAGMA user_version", &version);
    }
    if (r == 0) {
        r = file_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (r < 0) {
        return r;
    }
    if (id != STATE_APPLICATION_ID && (made || id != 0 || version != 0 || tables != 0)) {
        return damaged(path, "its header", why);
    }
    if (version > (int64_t)state_schema_version || (version == 0 && tables > 0)) {
        // the number may be what is damaged
        if (made) {
            r = schema_is(db, mark->version, &same);
        }
        if (r < 0) {
            return r;
        }
        return same || version == 0 ? damaged(path, "the version in its header", why)
                                    : newer(path, (long long)version, why);
    }
    *ret_version = (size_t)version;
    return 0;
}

static int verify_everything(sqlite3 *db, const char *path, struct buf *why)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    int r;

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);

        r = text && strcmp(text, "ok") == 0 ? 0 : damaged(path, text ? text : "?", why);
    } else {
        r = file_error(db, rc);
    }
    (void)sqlite3_finalize(statement);
    return r;
}

int verify_content(sqlite3 *db, const char *path, size_t version, struct buf *why)
{
    int64_t pages = 0, wrong = 0;
    bool same = true;
    int r = schema_is(db, version, &same);

    if (r == 0 && !same) {
        return damaged(path, "its schema", why);
    }
    if (r == 0 && version > 0) {
        r = file_number(db,
                        "SELECT count(*) FROM sqlite_sequence WHERE typeof(seq) <> 'integer'"
                        " OR seq < 0 OR seq > 1 << 60",
                        &wrong);
    }
    if (r == 0 && wrong > 0) {
        return damaged(path, "the numbers that its tables have given", why);
    }
    if (r == 0) {
        r = file_number(db, "PRAGMA page_count", &pages);
    }
    if (r == 0 && pages * (int64_t)PAGE_BYTES <= LIMIT_STATE_CHECK_BYTES) {
        r = verify_everything(db, path, why);
    }
    return r;
}
