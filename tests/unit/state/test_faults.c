/* core/state over a disk that fails and a machine that crashes, at every write and sync in turn:
 * what was said to be durable is there, and what was refused is not there in part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "damage.h"
#include "fault_vfs.h"

#define STEPS 14

/* What a step did: a row that was added or removed, and what was said of it. */
struct step {
    struct kit_job job;
    int64_t removed; /* 0: it added */
};

struct history {
    struct step steps[STEPS];
    size_t n;
};

static const size_t lengths[] = {10, 300, 9000, 50, 20000, 1, 4000, 700};

/* Adds alone, adds in company, removals, and copies of the log into the database meanwhile. */
static void work(struct kit *kit, struct history *history)
{
    history->n = 0;
    for (size_t i = 0; i < STEPS; i++) {
        struct step *step = &history->steps[i];

        *step = (struct step){.job.len = lengths[i % 8], .job.job.grows = i % 2};
        if (i % 4 == 3 && history->steps[i - 3].job.result == 0) {
            step->removed = history->steps[i - 3].job.id;
            step->job.removes = true;
            step->job.id = step->removed;
        }
        kit_submit(kit, &step->job);
        history->n++;
        if (i < 5 || i % 3 == 0) {
            for (size_t k = 0; k <= i; k++) {
                (void)kit_wait(&history->steps[k].job);
            }
        }
    }
    for (size_t i = 0; i < STEPS; i++) {
        (void)kit_wait(&history->steps[i].job);
    }
}

static bool removed_later(const struct history *history, size_t i, bool *ret_sure)
{
    for (size_t k = i + 1; k < history->n; k++) {
        if (history->steps[k].removed != 0 &&
            history->steps[k].removed == history->steps[i].job.id) {
            *ret_sure = history->steps[k].job.result == 0;
            return true;
        }
    }
    return false;
}

/* The number of a row that was refused is free again, and may be another's by now. */
static bool reused(const struct history *history, size_t i)
{
    for (size_t k = 0; k < history->n; k++) {
        if (k != i && history->steps[k].removed == 0 && history->steps[k].job.result == 0 &&
            history->steps[k].job.id == history->steps[i].job.id) {
            return true;
        }
    }
    return false;
}

/* `crashed`: nobody was told of what failed at the end, so it may be there, as a whole. */
static void check(struct kit *kit, const struct history *history, bool crashed, int at)
{
    assert_int_equal(kit_open(kit), 0);
    if (kit_stats(kit).lost_rows != 0 || kit_stats(kit).salvages != 0) {
        fail_msg("at %d: parts of a job are there", at);
    }
    for (size_t i = 0; i < history->n; i++) {
        const struct kit_job *job = &history->steps[i].job;
        bool sure = false;

        if (history->steps[i].removed != 0 || job->result < 0) {
            continue;
        }
        if (removed_later(history, i, &sure)) {
            if (sure && kit_has(kit, job->id)) {
                fail_msg("at %d: row %d came back", at, (int)job->id);
            }
            if (!sure && !crashed && !kit_has(kit, job->id)) {
                fail_msg("at %d: row %d went although it was said that it did not", at,
                         (int)job->id);
            }
        } else if (!kit_has(kit, job->id)) {
            fail_msg("at %d: row %d is lost", at, (int)job->id);
        } else {
            assert_int_equal(kit_len(kit, job->id), job->len);
        }
    }
    // and it goes on
    assert_int_equal(kit_add(kit, 100, NULL), 0);
}

static void set_up(struct kit *kit)
{
    kit_init(kit);
    kit->options.vfs = FAULT_VFS;
    kit->options.retry_ms = 1;
    kit->options.reserve_retry_ms = 1;
    kit->options.wal_pages = 12;
}

/* Sanitized builds take every third point. */
static int stride(void)
{
    const char *sanitized = getenv("TMON_SANITIZED");

    return sanitized && strcmp(sanitized, "1") == 0 ? 3 : 1;
}

/* ---- errors ---- */

/* Every n-th operation fails; afterwards the same process must be right, and one that opens the
 * files anew. */
static void fail_everywhere(enum fault_kind kind, int times, const char *name)
{
    bool hit = true;
    int at;

    for (at = 1; hit; at += stride()) {
        struct kit kit;
        struct history history;
        int r;

        set_up(&kit);
        fault_arm(&(struct fault){.kind = kind, .first = at, .times = times});
        r = kit_open(&kit);
        if (r == 0) {
            work(&kit, &history);
            hit = fault_hit();
            fault_disarm();
            assert_true(kit_wait_condition(&kit, STATE_WELL));
            // what was refused is not there, what was taken is
            for (size_t i = 0; i < history.n; i++) {
                const struct kit_job *job = &history.steps[i].job;
                bool sure;

                if (history.steps[i].removed == 0 && !removed_later(&history, i, &sure) &&
                    !(job->result < 0 && reused(&history, i)) &&
                    (job->id != 0 && kit_has(&kit, job->id)) != (job->result == 0)) {
                    fail_msg("at %d: row %d, of which was said %d", at, (int)job->id, job->result);
                }
            }
            assert_int_equal(kit_stats(&kit).lost_rows, 0);
            kit_close(&kit);
        } else {
            assert_true(fault_hit());
            fault_disarm();
            history.n = 0;
        }
        kit.options.vfs = NULL;
        check(&kit, &history, false, at);
        kit_finish(&kit);
    }
    print_message("# %s: %d points\n", name, at - 1);
    assert_true(at > 60);
}

static void test_full_once(void **state)
{
    fail_everywhere(FAULT_FULL, 1, "full once");
}

static void test_full_for_a_while(void **state)
{
    fail_everywhere(FAULT_FULL, 40, "full for forty operations");
}

static void test_error_once(void **state)
{
    fail_everywhere(FAULT_IOERR, 1, "an error");
}

static void test_errors_for_a_while(void **state)
{
    fail_everywhere(FAULT_IOERR, 40, "forty errors");
}

static void test_errors_for_ever(void **state)
{
    fail_everywhere(FAULT_IOERR, 0, "errors for ever");
}

/* Sectors that are gone: what is read on another way is all there. */
static void test_unreadable(void **state)
{
    struct kit kit;
    struct kit_job broken = {.len = 10, .breaks = true};
    int64_t id;

    set_up(&kit);
    assert_int_equal(kit_open(&kit), 0);
    assert_int_equal(kit_add(&kit, 5000, &id), 0);
    kit.forget_cache = true;
    fault_arm(&(struct fault){.kind = FAULT_IOERR, .ops = FAULT_READ, .first = 1, .times = 6});
    assert_true(kit_run(&kit, &broken) < 0);
    for (int i = 0; i < 1000 && kit_stats(&kit).salvages == 0; i++) {
        (void)kit_has(&kit, id);
        (void)poll(NULL, 0, 1);
    }
    fault_disarm();
    assert_true(kit_wait_condition(&kit, STATE_WELL));
    assert_int_equal(kit_stats(&kit).salvages, 1);
    assert_true(kit_has(&kit, id));
    kit_finish(&kit);
}

/* ---- crashes ---- */

static void crash_everywhere(enum fault_survives survives, unsigned seeds, const char *name)
{
    bool hit = true;
    int at;

    for (at = 1; hit; at += stride()) {
        for (unsigned seed = 0; hit && seed < seeds; seed++) {
            struct kit kit;
            struct history history = {.n = 0};
            struct bytes mark = {0};
            char path[128];

            set_up(&kit);
            fault_arm(&(struct fault){.kind = FAULT_CRASH, .first = at});
            if (kit_open(&kit) == 0) {
                mark = damage_slurp(kit_path(&kit, "state.mark", path));
                work(&kit, &history);
                kit_close(&kit);
            }
            hit = fault_hit();
            fault_crash(survives, (uint64_t)at * 1000 + seed);
            if (mark.data && survives != FAULT_KEEP_ALL && seed % 2 == 0) {
                damage_spill(path, &mark); // it is not synced: an older one
            }
            free(mark.data);
            kit.options.vfs = NULL;
            check(&kit, &history, true, at);
            kit_finish(&kit);
        }
    }
    print_message("# %s: %d points\n", name, at - 1);
    assert_true(at > 60);
}

static void test_killed(void **state)
{
    crash_everywhere(FAULT_KEEP_ALL, 1, "killed");
}

static void test_power_lost(void **state)
{
    crash_everywhere(FAULT_LOSE_ALL, 1, "power lost, with all that was not synced");
}

static void test_power_lost_in_part(void **state)
{
    crash_everywhere(FAULT_MIX, 3, "power lost, with some of what was not synced");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_once),
        cmocka_unit_test(test_full_for_a_while),
        cmocka_unit_test(test_error_once),
        cmocka_unit_test(test_errors_for_a_while),
        cmocka_unit_test(test_errors_for_ever),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_power_lost),
        cmocka_unit_test(test_power_lost_in_part),
    };

    fault_install();
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // thousands of errors that are meant
    return cmocka_run_group_tests(tests, NULL, NULL);
}
