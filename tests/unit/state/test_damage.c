/* core/state over damaged files: flipped bytes, torn and missing files.  One flipped byte costs one
 * row at most, whatever is lost is told, and it always opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "kit.h"

#define ROWS 150   /* of `alert`, through the kit */
#define OTHERS 120 /* of `alert_group` and `outbox`, written and checked here */

/* ---- files as bytes ---- */

struct bytes {
    unsigned char *data;
    size_t len;
};

static struct bytes slurp(const char *path)
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

static void spill(const char *path, const struct bytes *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->data, bytes->len), (ssize_t)bytes->len);
    (void)close(fd);
}

/* What a state directory holds. */
struct files {
    struct bytes db, wal, mark;
};

static struct files take(struct kit *kit)
{
    char path[128];

    return (struct files){.db = slurp(kit_path(kit, "state.db", path)),
                          .wal = slurp(kit_path(kit, "state.db-wal", path)),
                          .mark = slurp(kit_path(kit, "state.mark", path))};
}

static void put(struct kit *kit, const struct files *files)
{
    char path[128];

    spill(kit_path(kit, "state.db", path), &files->db);
    if (files->wal.data) {
        spill(kit_path(kit, "state.db-wal", path), &files->wal);
    }
    if (files->mark.data) {
        spill(kit_path(kit, "state.mark", path), &files->mark);
    }
}

static void drop(struct files *files)
{
    free(files->db.data);
    free(files->wal.data);
    free(files->mark.data);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
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

static const char *const other_tables[] = {"alert_group", "outbox"};

static void add_others(sqlite3 *db)
{
    static const char *const inserts[] = {
        "INSERT INTO alert_group VALUES (?1 * 3, randomblob(20 + ?1), 0)",
        "INSERT INTO outbox VALUES (?1, 'uid-' || ?1, 'sink' || ?1 % 3, ?1 % 7, 1, ?1 % 3, 0, ?1 * "
        "1000, ?1 * 999, ?1 * 1001, 0, '', 'Title ' || ?1, randomblob(10 + ?1 * 71 % 3000), 0)",
    };
    char sql[128];

    for (size_t t = 0; t < 2; t++) {
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
    for (size_t t = 0; t < 2; t++) {
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

struct expected {
    int64_t ids[ROWS];
    size_t n;
    int64_t last; /* the largest number ever given */
};

static void fill(struct kit *kit, struct expected *expected, bool others)
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
static int missing(struct kit *kit, const struct expected *expected)
{
    int n = 0;

    for (size_t i = 0; i < expected->n; i++) {
        n += !kit_has(kit, expected->ids[i]);
    }
    return n;
}

/* Opens what stands there; how many rows are gone.  Fails where that was not told. */
static int open_damaged(struct kit *kit, const struct expected *expected, bool others,
                        const char *what, size_t at)
{
    struct state_stats stats;
    struct kit_job job = {.len = 50};
    int gone;
    int r = kit_open(kit);

    if (r < 0) {
        fail_msg("%s, byte %zu: it does not open: %d", what, at, r);
    }
    gone = missing(kit, expected);
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

static void forget_kept(struct kit *kit)
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

/* `samples` bytes of one file, one at a time: a bit, all bits, or zero. */
static void flip(struct kit *kit, struct files *files, struct bytes *bytes,
                 const struct expected *expected, bool others, const char *what, size_t samples)
{
    uint64_t seed = 20260101;
    const char *all = getenv("TMON_FLIPS");
    size_t worst = 0, lossless = 0;

    if (all) {
        samples = (size_t)strtoul(all, NULL, 10);
    }
    for (size_t i = 0; i < samples; i++) {
        // the beginning has what all depends on
        size_t at = i % 3 == 0 && bytes->len > 4096 ? next_random(&seed) % 4096
                                                    : next_random(&seed) % bytes->len;
        unsigned char was = bytes->data[at];
        int gone;

        bytes->data[at] ^= i % 4 == 3 ? 0xff : (unsigned char)(1 << next_random(&seed) % 8);
        forget_kept(kit);
        put(kit, files);
        gone = open_damaged(kit, expected, others, what, at);
        if (gone > 1) {
            fail_msg("%s, byte %zu: %d rows are gone", what, at, gone);
        }
        worst = (size_t)gone > worst ? (size_t)gone : worst;
        lossless += gone == 0;
        bytes->data[at] = was;
    }
    print_message("# %s: %zu of %zu flipped bytes cost nothing, the others one row\n", what,
                  lossless, samples);
}

static size_t sampled(size_t n)
{
    const char *sanitized = getenv("TMON_SANITIZED");

    return sanitized && strcmp(sanitized, "1") == 0 ? n / 8 : n;
}

static void test_flips_in_the_database(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;

    fill(kit, &expected, true);
    kit_close(kit);
    files = take(kit);
    assert_null(files.wal.data);
    flip(kit, &files, &files.db, &expected, true, "state.db", sampled(600));
    drop(&files);
}

/* The files as they are when the process is killed. */
static void test_flips_in_the_log(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;

    kit->options.wal_pages = 100000;
    fill(kit, &expected, true);
    files = take(kit);
    kit_close(kit);
    assert_true(files.wal.len > 100 * 4096);
    flip(kit, &files, &files.wal, &expected, true, "state.db-wal", sampled(300));
    flip(kit, &files, &files.db, &expected, true, "state.db under a log", sampled(200));
    flip(kit, &files, &files.mark, &expected, true, "state.mark", sampled(40));
    drop(&files);
}

/* ---- files that are cut off or gone ---- */

static void test_cut_off(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;
    size_t whole;
    int gone;

    kit->options.wal_pages = 100000;
    fill(kit, &expected, false);
    files = take(kit);
    kit_close(kit);

    // the log: what was committed is missed, however little it is
    whole = files.wal.len;
    for (size_t cut = 1; cut < whole; cut += whole / 23) {
        files.wal.len = whole - cut;
        forget_kept(kit);
        put(kit, &files);
        gone = open_damaged(kit, &expected, false, "a log cut off", files.wal.len);
        assert_true(gone <= ROWS);
    }
    files.wal.len = whole;

    // the database, of which the log has everything
    files.db.len = 0;
    forget_kept(kit);
    put(kit, &files);
    assert_int_equal(open_damaged(kit, &expected, false, "an empty database", 0), 0);
    drop(&files);
}

static void test_log_that_is_gone_is_missed(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;

    kit->options.wal_pages = 100000;
    fill(kit, &expected, false);
    files = take(kit);
    kit_close(kit);
    forget_kept(kit);
    free(files.wal.data);
    files.wal = (struct bytes){0};
    put(kit, &files);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 1);
    kit_close(kit);
    // told once
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 0);
    drop(&files);
}

static void test_no_false_alarm_after_a_kill(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files, later;
    size_t whole;

    kit->options.wal_pages = 100000;
    fill(kit, &expected, false);
    // another commit begins, and is written up to any point, but nobody was told of it
    files = take(kit);
    assert_int_equal(kit_add(kit, 30000, NULL), 0);
    later = take(kit);
    kit_close(kit);
    free(files.wal.data);
    whole = files.wal.len;
    files.wal = later.wal;
    later.wal.data = NULL;
    for (size_t len = whole; len <= later.wal.len; len += 977) {
        files.wal.len = len;
        forget_kept(kit);
        put(kit, &files);
        assert_int_equal(kit_open(kit), 0);
        if (kit_stats(kit).salvages != 0 || missing(kit, &expected) != 0) {
            fail_msg("a log of %zu bytes is taken for damaged", len);
        }
        kit_close(kit);
    }
    // or its last page has a head, and the bytes of what stood there before
    files.wal.len = later.wal.len;
    memset(files.wal.data + files.wal.len - 4096, 0, 4096);
    forget_kept(kit);
    put(kit, &files);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 0);
    assert_int_equal(missing(kit, &expected), 0);
    drop(&later);
    drop(&files);
}

static void test_removed_database_is_made_anew(void **state)
{
    struct kit *kit = *state;
    char path[128];

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_add(kit, 10, NULL), 0);
    kit_close(kit);
    assert_int_equal(unlink(kit_path(kit, "state.db", path)), 0);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 0);
    assert_int_equal(kit->nrows, 0);
}

/* ---- keeping, swapping ---- */

static size_t kept(struct kit *kit)
{
    DIR *directory = opendir(kit->directory);
    struct dirent *entry;
    size_t n = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        n += strncmp(entry->d_name, "state.db.damaged-", 17) == 0 &&
             !strstr(entry->d_name + 17, "-wal");
    }
    (void)closedir(directory);
    return n;
}

static void test_few_are_kept(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    char path[128];

    fill(kit, &expected, false);
    kit_close(kit);
    for (size_t i = 0; i < 6; i++) {
        struct bytes db = slurp(kit_path(kit, "state.db", path));

        db.data[20] ^= 1;
        spill(path, &db);
        free(db.data);
        assert_int_equal(kit_open(kit), 0);
        assert_int_equal(kit_stats(kit).salvages, 1);
        assert_int_equal(missing(kit, &expected), 0);
        kit_close(kit);
        assert_int_equal(kept(kit), i < 3 ? i + 1 : 3);
    }
}

/* A crash between any two steps of the swap. */
static void test_broken_off_swap(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;
    char db[128], wal[128], fresh[128], salvaged[128], aside[128];

    fill(kit, &expected, false);
    kit_close(kit);
    files = take(kit);
    (void)kit_path(kit, "state.db", db);
    (void)kit_path(kit, "state.db-wal", wal);
    (void)kit_path(kit, "state.db.new", fresh);
    (void)kit_path(kit, "state.db.salvaged", salvaged);
    (void)kit_path(kit, "state.db.damaged-20250101T000000Z-wal", aside);
    for (int step = 0; step < 4; step++) {
        forget_kept(kit);
        put(kit, &files);
        spill(step == 0 ? fresh : salvaged, &files.db);
        if (step > 0) {
            struct bytes garbage = {.data = files.db.data, .len = 4096};

            // the old database and its log, which must not come back
            spill(db, &garbage);
            spill(step == 1 ? wal : aside, &garbage);
        }
        if (step == 3) {
            assert_int_equal(unlink(db), 0);
        }
        assert_int_equal(kit_open(kit), 0);
        assert_int_equal(missing(kit, &expected), 0);
        assert_int_equal(kit_stats(kit).salvages, 0);
        assert_int_not_equal(access(fresh, F_OK), 0);
        assert_int_not_equal(access(salvaged, F_OK), 0);
        kit_close(kit);
    }
    drop(&files);
}

/* ---- damage while it runs ---- */

static void test_damage_while_it_runs(void **state)
{
    struct kit *kit = *state;
    struct kit_job broken = {.len = 10, .breaks = true};
    struct expected expected;
    struct bytes zeros = {.len = 40960};
    char path[128];
    pid_t child;
    int status, gone;

    fill(kit, &expected, false);
    kit_close(kit);
    assert_int_equal(kit_open(kit), 0);
    // a child: POSIX would drop this process's lock with the descriptor
    zeros.data = calloc(1, zeros.len);
    (void)kit_path(kit, "state.db", path);
    child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        _exit(pwrite(fd, zeros.data, zeros.len, 81920) == (ssize_t)zeros.len ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    kit->forget_cache = true;
    assert_true(kit_run(kit, &broken) < 0); // memory is read anew, and finds it
    assert_true(kit_wait_condition(kit, STATE_WELL));
    for (int i = 0; i < 100 && kit_stats(kit).salvages == 0; i++) {
        (void)kit_has(kit, 1);
    }
    assert_int_equal(kit_stats(kit).salvages, 1);
    gone = missing(kit, &expected);
    assert_in_range(gone, 1, ROWS / 2);
    assert_int_equal(kit_add(kit, 20, NULL), 0);
    free(zeros.data);
}

static int set_up(void **state)
{
    struct kit *kit = malloc(sizeof *kit);

    kit_init(kit);
    *state = kit;
    return 0;
}

static int tear_down(void **state)
{
    kit_finish(*state);
    free(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_flips_in_the_database),
        CASE(test_flips_in_the_log),
        CASE(test_cut_off),
        CASE(test_log_that_is_gone_is_missed),
        CASE(test_no_false_alarm_after_a_kill),
        CASE(test_removed_database_is_made_anew),
        CASE(test_few_are_kept),
        CASE(test_broken_off_swap),
        CASE(test_damage_while_it_runs),
    };

    if (!getenv("TMON_VERBOSE")) {
        log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // hundreds that are meant
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
