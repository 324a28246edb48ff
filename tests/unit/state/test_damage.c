/* core/state over files that are cut off, gone, swapped halfway, or damaged while it runs; and over
 * the logs that a kill leaves, which are not damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "damage.h"

/* ---- files that are cut off or gone ---- */

static void test_cut_off(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;
    size_t whole;
    int gone;

    kit->options.wal_pages = 100000;
    damage_fill(kit, &expected, false);
    files = damage_take(kit);
    kit_close(kit);

    // the log: what was committed is missed, however little it is
    whole = files.wal.len;
    for (size_t cut = 1; cut < whole; cut += whole / 23) {
        files.wal.len = whole - cut;
        damage_clear(kit);
        damage_put(kit, &files);
        gone = damage_open(kit, &expected, false, "a log cut off", files.wal.len);
        assert_true(gone <= ROWS);
    }
    files.wal.len = whole;

    // the database, of which the log has everything
    files.db.len = 0;
    damage_clear(kit);
    damage_put(kit, &files);
    assert_int_equal(damage_open(kit, &expected, false, "an empty database", 0), 0);
    damage_drop(&files);
}

static void test_log_that_is_gone_is_missed(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;

    kit->options.wal_pages = 100000;
    damage_fill(kit, &expected, false);
    files = damage_take(kit);
    kit_close(kit);
    damage_clear(kit);
    free(files.wal.data);
    files.wal = (struct bytes){0};
    damage_put(kit, &files);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 1);
    kit_close(kit);
    // told once
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 0);
    damage_drop(&files);
}

static void test_no_false_alarm_after_a_kill(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files, later;
    size_t whole;

    kit->options.wal_pages = 100000;
    damage_fill(kit, &expected, false);
    // another commit begins, and is written up to any point, but nobody was told of it
    files = damage_take(kit);
    assert_int_equal(kit_add(kit, 30000, NULL), 0);
    later = damage_take(kit);
    kit_close(kit);
    free(files.wal.data);
    whole = files.wal.len;
    files.wal = later.wal;
    later.wal.data = NULL;
    for (size_t len = whole; len <= later.wal.len; len += 977) {
        files.wal.len = len;
        damage_clear(kit);
        damage_put(kit, &files);
        assert_int_equal(kit_open(kit), 0);
        if (kit_stats(kit).salvages != 0 || damage_missing(kit, &expected) != 0) {
            fail_msg("a log of %zu bytes is taken for damaged", len);
        }
        kit_close(kit);
    }
    // or its last page has a head, and the bytes of what stood there before
    files.wal.len = later.wal.len;
    memset(files.wal.data + files.wal.len - 4096, 0, 4096);
    damage_clear(kit);
    damage_put(kit, &files);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 0);
    assert_int_equal(damage_missing(kit, &expected), 0);
    damage_drop(&later);
    damage_drop(&files);
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

    damage_fill(kit, &expected, false);
    kit_close(kit);
    for (size_t i = 0; i < 6; i++) {
        struct bytes db = damage_slurp(kit_path(kit, "state.db", path));

        db.data[20] ^= 1;
        damage_spill(path, &db);
        free(db.data);
        assert_int_equal(kit_open(kit), 0);
        assert_int_equal(kit_stats(kit).salvages, 1);
        assert_int_equal(damage_missing(kit, &expected), 0);
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

    damage_fill(kit, &expected, false);
    kit_close(kit);
    files = damage_take(kit);
    (void)kit_path(kit, "state.db", db);
    (void)kit_path(kit, "state.db-wal", wal);
    (void)kit_path(kit, "state.db.new", fresh);
    (void)kit_path(kit, "state.db.salvaged", salvaged);
    (void)kit_path(kit, "state.db.damaged-20250101T000000Z-wal", aside);
    for (int step = 0; step < 4; step++) {
        damage_clear(kit);
        damage_put(kit, &files);
        damage_spill(step == 0 ? fresh : salvaged, &files.db);
        if (step > 0) {
            struct bytes garbage = {.data = files.db.data, .len = 4096};

            // the old database and its log, which must not come back
            damage_spill(db, &garbage);
            damage_spill(step == 1 ? wal : aside, &garbage);
        }
        if (step == 3) {
            assert_int_equal(unlink(db), 0);
        }
        assert_int_equal(kit_open(kit), 0);
        assert_int_equal(damage_missing(kit, &expected), 0);
        assert_int_equal(kit_stats(kit).salvages, 0);
        assert_int_not_equal(access(fresh, F_OK), 0);
        assert_int_not_equal(access(salvaged, F_OK), 0);
        kit_close(kit);
    }
    damage_drop(&files);
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

    damage_fill(kit, &expected, false);
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
    gone = damage_missing(kit, &expected);
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
