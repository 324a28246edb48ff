/* core/state: jobs, batches, refusals, a failed batch, versions, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"
#include "state/schema.h"

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

static void test_rows_survive(void **state)
{
    struct kit *kit = *state;
    int64_t first, second;
    char path[128];
    struct stat st;

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_add(kit, 100, &first), 0);
    assert_int_equal(kit_add(kit, 9000, &second), 0);
    assert_int_equal(kit_remove(kit, first), 0);
    assert_true(kit_stats(kit).file_bytes > 0);
    kit_close(kit);
    assert_int_equal(stat(kit_path(kit, "state.db", path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_not_equal(stat(kit_path(kit, "state.db-wal", path), &st), 0);

    assert_int_equal(kit_open(kit), 0);
    assert_false(kit_has(kit, first));
    assert_true(kit_has(kit, second));
    assert_int_equal(kit_len(kit, second), 9000);
    assert_int_equal(kit_stats(kit).lost_rows, 0);
}

/* From one page to eighty in a commit. */
static void test_commits_of_all_sizes(void **state)
{
    struct kit *kit = *state;
    int64_t ids[80];

    assert_int_equal(kit_open(kit), 0);
    for (size_t i = 0; i < 80; i++) {
        assert_int_equal(kit_add(kit, (i + 1) * 4000, &ids[i]), 0);
    }
    kit_close(kit);
    assert_int_equal(kit_open(kit), 0);
    for (size_t i = 0; i < 80; i++) {
        assert_int_equal(kit_len(kit, ids[i]), (i + 1) * 4000);
    }
    assert_int_equal(kit_stats(kit).lost_rows, 0);
}

static void test_refusals_do_not_harm_others(void **state)
{
    struct kit *kit = *state;
    struct kit_job jobs[9] = {0};

    assert_int_equal(kit_open(kit), 0);
    for (int i = 0; i < 9; i++) {
        jobs[i].len = 50;
        jobs[i].refuse = i % 3 == 1 ? -EINVAL : 0;
        kit_submit(kit, &jobs[i]);
    }
    for (int i = 0; i < 9; i++) {
        assert_int_equal(kit_wait(&jobs[i]), i % 3 == 1 ? -EINVAL : 0);
        if (i % 3 != 1) {
            assert_true(kit_has(kit, jobs[i].id));
        }
    }
    assert_int_equal(kit_stats(kit).failed_batches, 0);
}

/* ---- many threads ---- */

#define THREADS 8
#define EACH 200

static void *submit_many(void *arg)
{
    struct kit_job *jobs = arg;

    for (int i = 0; i < EACH; i++) {
        jobs[i].len = 30;
        kit_submit(jobs[i].kit, &jobs[i]);
    }
    for (int i = 0; i < EACH; i++) {
        (void)kit_wait(&jobs[i]);
    }
    return NULL;
}

static void test_one_commit_serves_many(void **state)
{
    struct kit *kit = *state;
    struct kit_job *jobs = calloc((size_t)THREADS * EACH, sizeof *jobs);
    pthread_t threads[THREADS];
    struct state_stats stats;

    assert_int_equal(kit_open(kit), 0);
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t i = 0; i < EACH; i++) {
            jobs[t * EACH + i].kit = kit;
        }
        assert_int_equal(pthread_create(&threads[t], NULL, submit_many, jobs + t * EACH), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        (void)pthread_join(threads[t], NULL);
    }
    for (int i = 0; i < THREADS * EACH; i++) {
        assert_int_equal(jobs[i].result, 0);
    }
    stats = kit_stats(kit);
    assert_int_equal(stats.jobs, THREADS * EACH);
    assert_true(stats.batches < THREADS * EACH / 2);
    assert_int_equal(stats.waiting, 0);
    assert_true(stats.commit_seconds > 0);
    for (int i = 0; i < THREADS * EACH; i++) {
        assert_true(kit_has(kit, jobs[i].id));
    }
    free(jobs);
}

static void test_failed_batch_is_read_anew(void **state)
{
    struct kit *kit = *state;
    struct kit_job jobs[3] = {{.len = 40}, {.len = 40, .breaks = true}, {.len = 40}};
    int64_t before, after;
    int loads;

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_add(kit, 10, &before), 0);
    loads = kit->loads;
    assert_int_equal(kit_run(kit, &jobs[1]), -EINVAL);
    assert_int_equal(kit->loads, loads + 1);
    assert_int_equal(kit->condition, STATE_FAILING);
    // refused until a try of the state's own succeeds
    assert_true(kit_wait_condition(kit, STATE_WELL));
    assert_true(kit_has(kit, before));
    assert_false(kit_has(kit, jobs[1].id));
    assert_int_equal(kit_add(kit, 10, &after), 0);
    assert_int_equal(kit_stats(kit).failed_batches, 1);
}

static void test_failed_load_is_tried_again(void **state)
{
    struct kit *kit = *state;
    struct kit_job broken = {.len = 40, .breaks = true};
    int64_t id;

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_add(kit, 10, &id), 0);
    kit->fail_load = 4;
    assert_int_equal(kit_run(kit, &broken), -EINVAL);
    assert_true(kit_add(kit, 10, NULL) < 0);
    assert_true(kit_wait_condition(kit, STATE_WELL));
    assert_true(kit_has(kit, id));
    assert_int_equal(kit->fail_load, 0);
}

static void test_readers_do_not_write(void **state)
{
    struct kit *kit = *state;
    double seconds;

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_add(kit, 10, NULL), 0);
    seconds = kit_stats(kit).commit_seconds;
    for (int i = 0; i < 50; i++) {
        (void)kit_has(kit, i);
    }
    assert_true(kit_stats(kit).commit_seconds == seconds);
}

/* ---- closing ---- */

static void test_close_runs_what_waits(void **state)
{
    struct kit *kit = *state;
    struct kit_job jobs[500] = {0};

    assert_int_equal(kit_open(kit), 0);
    for (int i = 0; i < 500; i++) {
        jobs[i].len = 20;
        kit_submit(kit, &jobs[i]);
    }
    kit_close(kit);
    for (int i = 0; i < 500; i++) {
        assert_true(jobs[i].over);
        assert_int_equal(jobs[i].result, 0);
    }
    assert_int_equal(kit_open(kit), 0);
    for (int i = 0; i < 500; i++) {
        assert_true(kit_has(kit, jobs[i].id));
    }
}

/* ---- versions, strangers, places ---- */

static void change(struct kit *kit, const char *sql)
{
    char path[128];
    sqlite3 *db;

    assert_int_equal(sqlite3_open(kit_path(kit, "state.db", path), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void refused(struct kit *kit, int error, const char *word)
{
    struct buf why;

    buf_init(&why, 4096);
    assert_int_equal(kit_open_why(kit, &why), error);
    if (!strstr(buf_str(&why), word)) {
        fail_msg("\"%s\" does not say \"%s\"", buf_str(&why), word);
    }
    buf_finish(&why);
}

static void test_newer_version_is_refused(void **state)
{
    struct kit *kit = *state;

    assert_int_equal(kit_open(kit), 0);
    kit_close(kit);
    change(kit, "CREATE TABLE later (x); PRAGMA user_version = 99");
    refused(kit, -EPROTONOSUPPORT, "newer toiletmon");
}

static void test_foreign_file_is_refused(void **state)
{
    struct kit *kit = *state;

    change(kit, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    refused(kit, -EMEDIUMTYPE, "another program");
    change(kit, "INSERT INTO theirs VALUES (2)"); // it was left alone
}

static void test_text_is_refused(void **state)
{
    struct kit *kit = *state;
    char path[128], text[256];
    FILE *file = fopen(kit_path(kit, "state.db", path), "w");

    assert_non_null(file);
    memset(text, 'x', sizeof text);
    assert_int_equal(fwrite(text, 1, sizeof text, file), sizeof text);
    assert_int_equal(fclose(file), 0);
    for (int i = 0; i < 2; i++) { // also when it was tried before
        refused(kit, -EMEDIUMTYPE, "another program");
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(kit_open(kit), 0);
}

static void test_locked_elsewhere(void **state)
{
    struct kit *kit = *state;
    char path[128];
    sqlite3 *db;

    assert_int_equal(kit_open(kit), 0);
    kit_close(kit);
    assert_int_equal(sqlite3_open(kit_path(kit, "state.db", path), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM alert", NULL, NULL, NULL), SQLITE_OK);
    refused(kit, -EBUSY, "another program");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(kit_open(kit), 0);
}

static void test_places_that_cannot_be(void **state)
{
    struct kit *kit = *state;
    char path[128];

    kit->options.directory = "/nowhere/at/all";
    refused(kit, -ENOENT, "/nowhere/at/all");
    kit->options.directory = "/proc/self/status";
    refused(kit, -ENOTDIR, "agent.state_dir");
    kit->options.directory = kit->directory;
    assert_int_equal(mkdir(kit_path(kit, "state.db", path), 0700), 0);
    refused(kit, -EISDIR, "state.db");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    refused(kit, -ELOOP, "state.db");
    assert_int_equal(unlink(path), 0);
    if (geteuid() != 0) {
        assert_int_equal(chmod(kit->directory, 0500), 0);
        refused(kit, -EACCES, "give the directory to this user");
        assert_int_equal(chmod(kit->directory, 0700), 0);
    }
    assert_int_equal(kit_open(kit), 0);
}

/* ---- sums ---- */

static void test_sums_tell_values_apart(void **state)
{
    uint32_t base = STATE_SUM;

    assert_int_not_equal(state_sum_int(base, 0), base);
    assert_int_not_equal(state_sum_int(base, 0), state_sum_bytes(base, NULL, 0));
    assert_int_not_equal(state_sum_bytes(state_sum_bytes(base, "ab", 2), "c", 1),
                         state_sum_bytes(state_sum_bytes(base, "a", 1), "bc", 2));
    // stored in files: must stay what they are
    assert_int_equal(state_sum_int(base, -2), 0x9e0523ba);
    assert_int_equal(state_sum_bytes(base, "toilet", 6), 0x679b362);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rows_survive),
        CASE(test_commits_of_all_sizes),
        CASE(test_refusals_do_not_harm_others),
        CASE(test_one_commit_serves_many),
        CASE(test_failed_batch_is_read_anew),
        CASE(test_failed_load_is_tried_again),
        CASE(test_readers_do_not_write),
        CASE(test_close_runs_what_waits),
        CASE(test_newer_version_is_refused),
        CASE(test_foreign_file_is_refused),
        CASE(test_text_is_refused),
        CASE(test_locked_elsewhere),
        CASE(test_places_that_cannot_be),
        cmocka_unit_test(test_sums_tell_values_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
