/* damage.c: see damage.h. */
#include "damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS 120 /* of each of the other tables, written and checked here */

/* ---- files as bytes ---- */

struct bytes damage_slurp(const char *path)
{
    struct bytes bytes = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return bytes;
    }
    assert_int_equal(fstat(fd, &st), 0);
    bytes.len = (size_t)st.st_size;
    bytes.data = malloc(bytes.len + 1);
    assert_int_equal(pread(fd, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    (void)close(fd);
    return bytes;
}

void damage_spill(const char *path, const struct bytes *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->data, bytes->len), (ssize_t)bytes->len);
    (void)close(fd);
}

struct files damage_take(struct kit *kit)
{
    char path[128];

    return (struct files){.db = damage_slurp(kit_path(kit, "state.db", path)),
                          .wal = damage_slurp(kit_path(kit, "state.db-wal", path)),
                          .mark = damage_slurp(kit_path(kit, "state.mark", path))};
}

void damage_put(struct kit *kit, const struct files *files)
{
    char path[128];

    damage_spill(kit_path(kit, "state.db", path), &files->db);
    if (files->wal.data) {
        damage_spill(kit_path(kit, "state.db-wal", path), &files->wal);
    }
    if (files->mark.data) {
        damage_spill(kit_path(kit, "state.mark", path), &files->mark);
    }
}

void damage_drop(struct files *files)
{
    free(files->db.data);
    free(files->wal.data);
    free(files->mark.data);
}

/* ---- the other tables ---- */

static uint32_t other_sum(sqlite3_stmt *row, int columns)
{
    uint32_t sum = STATE_SUM;

    for (int i = 0; i < columns - 1; i++) {
        const void *data = sqlite3_column_blob(row, i);

        sum = sqlite3_column_type(row, i) == SQLITE_INTEGER
                  ? state_sum_int(sum, sqlite3_column_int64(row, i))
                  : state_sum_bytes(sum, data, (size_t)sqlite3_column_bytes(row, i));
    }
    return sum;
}

static const char *const other_tables[] = {"alert_group", "outbox", "silence", "flap"};
#define TABLES (sizeof other_tables / sizeof other_tables[0])

static void add_others(sqlite3 *db)
{
    static const char *const inserts[] = {
        "INSERT INTO alert_group VALUES (?1 * 3, randomblob(20 + ?1), 0)",
        ("INSERT INTO outbox VALUES (?1, 'uid-' || ?1, 'sink' || ?1 % 3, ?1 % 7, 1, ?1 % 3, 0, ?1 "
         "* "
         "1000, ?1 * 999, ?1 * 1001, 0, '', 'Title ' || ?1, randomblob(10 + ?1 * 71 % 3000), 0)"),
        "INSERT INTO silence VALUES (?1 * 7919191919191, 'uid-' || ?1, randomblob(60 + ?1), 0)",
        "INSERT INTO flap VALUES (?1 * 5, randomblob(40 + ?1), 0)",
    };
    char sql[128];

    for (size_t t = 0; t < TABLES; t++) {
        sqlite3_stmt *insert, *select, *update;

        assert_int_equal(sqlite3_prepare_v2(db, inserts[t], -1, &insert, NULL), SQLITE_OK);
        for (int i = 1; i <= OTHERS; i++) {
            (void)sqlite3_bind_int(insert, 1, i);
            assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
            (void)sqlite3_reset(insert);
        }
        (void)sqlite3_finalize(insert);
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", other_tables[t]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
        (void)snprintf(sql, sizeof sql, "UPDATE %s SET sum = ? WHERE id = ?", other_tables[t]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &update, NULL), SQLITE_OK);
        while (sqlite3_step(select) == SQLITE_ROW) {
            (void)sqlite3_bind_int64(update, 1, other_sum(select, sqlite3_column_count(select)));
            (void)sqlite3_bind_int64(update, 2, sqlite3_column_int64(select, 0));
            assert_int_equal(sqlite3_step(update), SQLITE_DONE);
            (void)sqlite3_reset(update);
        }
        (void)sqlite3_finalize(select);
        (void)sqlite3_finalize(update);
    }
}

/* How many of the other tables' rows are not there, or not right. */
static int others_missing(struct kit *kit)
{
    char path[128], sql[128];
    sqlite3 *db;
    int missing = 0;

    assert_int_equal(sqlite3_open(kit_path(kit, "state.db", path), &db), SQLITE_OK);
    for (size_t t = 0; t < TABLES; t++) {
        sqlite3_stmt *select;
        int right = 0, columns;

        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", other_tables[t]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
        columns = sqlite3_column_count(select);
        while (sqlite3_step(select) == SQLITE_ROW) {
            right += sqlite3_column_int64(select, columns - 1) == other_sum(select, columns);
        }
        (void)sqlite3_finalize(select);
        missing += OTHERS - right;
    }
    (void)sqlite3_close(db);
    return missing;
}

/* ---- a state to damage ---- */

void damage_fill(struct kit *kit, struct expected *expected, bool others)
{
    static struct kit_job jobs[ROWS];
    char path[128];
    sqlite3 *db;

    expected->n = 0;
    assert_int_equal(kit_open(kit), 0);
    if (others) {
        kit_close(kit);
        assert_int_equal(sqlite3_open(kit_path(kit, "state.db", path), &db), SQLITE_OK);
        add_others(db);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        assert_int_equal(kit_open(kit), 0);
    }
    for (size_t i = 0; i < ROWS; i++) {
        jobs[i] = (struct kit_job){.len = i % 20 == 7 ? 5000 + 41 * i : 20 + i * 37 % 600};
        assert_int_equal(kit_run(kit, &jobs[i]), 0);
        expected->last = jobs[i].id;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 9 == 4 || i == ROWS - 1) {
            assert_int_equal(kit_remove(kit, jobs[i].id), 0);
        } else {
            expected->ids[expected->n++] = jobs[i].id;
        }
    }
}

/* How many of them memory does not have. */
int damage_missing(struct kit *kit, const struct expected *expected)
{
    int n = 0;

    for (size_t i = 0; i < expected->n; i++) {
        n += !kit_has(kit, expected->ids[i]);
    }
    return n;
}

/* Opens what stands there; how many rows are gone.  Fails where that was not told. */
int damage_open(struct kit *kit, const struct expected *expected, bool others, const char *what,
                size_t at)
{
    struct state_stats stats;
    struct kit_job job = {.len = 50};
    int gone;
    int r = kit_open(kit);

    if (r < 0) {
        fail_msg("%s, byte %zu: it does not open: %d", what, at, r);
    }
    gone = damage_missing(kit, expected);
    if (kit_run(kit, &job) < 0 || job.id <= expected->last) {
        fail_msg("%s, byte %zu: the number %d was given before", what, at, (int)job.id);
    }
    stats = kit_stats(kit);
    kit_close(kit);
    if (gone > 0 && stats.lost_rows == 0 && stats.salvages == 0) {
        fail_msg("%s, byte %zu: %d rows are gone in silence", what, at, gone);
    }
    if (others) {
        gone += others_missing(kit); // who would verify these is not in this room
    }
    // and that was that
    assert_int_equal(kit_open(kit), 0);
    if (kit_stats(kit).salvages != 0 || kit_stats(kit).lost_rows != 0) {
        fail_msg("%s, byte %zu: it is damaged again", what, at);
    }
    kit_close(kit);
    return gone;
}

void damage_clear(struct kit *kit)
{
    DIR *directory = opendir(kit->directory);
    struct dirent *entry;
    char path[512];

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", kit->directory, entry->d_name);
            (void)unlink(path);
        }
    }
    (void)closedir(directory);
}
