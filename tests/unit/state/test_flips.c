/* core/state over flipped bytes, one at a time, all over its files: it opens, one row is gone at
 * most, and that is told.  TMON_FLIPS=14000 tries more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "damage.h"

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
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
        damage_clear(kit);
        damage_put(kit, files);
        gone = damage_open(kit, expected, others, what, at);
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

    damage_fill(kit, &expected, true);
    kit_close(kit);
    files = damage_take(kit);
    assert_null(files.wal.data);
    flip(kit, &files, &files.db, &expected, true, "state.db", sampled(600));
    damage_drop(&files);
}

/* The files as they are when the process is killed. */
static void test_flips_in_the_log(void **state)
{
    struct kit *kit = *state;
    struct expected expected;
    struct files files;

    kit->options.wal_pages = 100000;
    damage_fill(kit, &expected, true);
    files = damage_take(kit);
    kit_close(kit);
    assert_true(files.wal.len > 100 * 4096);
    flip(kit, &files, &files.wal, &expected, true, "state.db-wal", sampled(300));
    flip(kit, &files, &files.db, &expected, true, "state.db under a log", sampled(200));
    flip(kit, &files, &files.mark, &expected, true, "state.mark", sampled(40));
    damage_drop(&files);
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
    };

    if (!getenv("TMON_VERBOSE")) {
        log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // hundreds that are meant
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
