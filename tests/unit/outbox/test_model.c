/*
 * core/alert and core/outbox against the promises, over random histories; world.h knows them.
 * TMON_SEED=n runs one history alone, TMON_TRACE=1 tells it.
 */
#include "world.h"

#include "base/log.h"

#include <sys/random.h>

#ifdef TMON_SANITIZED
#define HISTORIES 40
#else
#define HISTORIES 150
#endif
#define STEPS 120

/* In the place of the C library's: the same history each time.  Maps and identifiers are seeded by
 * it. */
ssize_t getrandom(void *data, size_t len, unsigned flags)
{
    static unsigned char next;

    memset(data, ++next, len);
    return (ssize_t)len;
}

static void one_step(struct world *world)
{
    static const int64_t ttls[] = {0, 0, 0, 30000, 120000};
    static const int64_t times[] = {1, 100, 1000, 2000, 5000, 10000, 30000, 60000, 400000};
    uint32_t dice = draw(world, 1000);

    if (dice < 250) {
        world_put(world, (int)draw(world, WORLD_NAMES), false, ttls[draw(world, 5)]);
    } else if (dice < 370) {
        world_put(world, (int)draw(world, WORLD_NAMES), true, 0);
    } else if (dice < 400) {
        world_put_many(world);
    } else if (dice < 430) {
        world_silence(world);
    } else if (dice < 445) {
        world_expire(world);
    } else if (dice < 620) {
        world_pass(world, times[draw(world, 9)]);
    } else if (dice < 900) {
        if (world->kit->n > 0) {
            answer_by_mood(world, draw(world, (uint32_t)world->kit->n));
        }
    } else if (dice < 925) {
        world_crash(world);
    } else if (dice < 945) {
        draw_config(world);
        world_configure(world);
    } else if (dice < 965) {
        world_operate(world);
    } else if (dice < 975) {
        world_settle(world);
        check_told(world);
    } else if (dice < 983) {
        world_ack(world);
    } else if (dice < 990) {
        world->kit->fails_in = 1 + (int)draw(world, 10);
        TRACE("a commit will fail");
    } else {
        int sink = (int)draw(world, WORLD_SINKS);

        world->mood[sink] = draw(world, MOODS);
        TRACE("%s is of mood %d", world_sinks[sink], world->mood[sink]);
    }
    world_note_failure(world);
    check_rest(world);
    (void)check_firing(world);
    (void)step_look(world, dice % 8 == 0);
}

static uint64_t running; /* the history; 0: none */

static void one_history(uint64_t seed)
{
    struct world *world = world_open(seed, NULL);

    for (int i = 0; i < STEPS; i++) {
        one_step(world);
    }
    world_end(world);
    world_close(world);
}

static void random_histories_keep_the_promises(void **state)
{
    const char *alone = getenv("TMON_SEED"), *many = getenv("TMON_HISTORIES");
    uint64_t first = alone ? strtoull(alone, NULL, 10) : 1;
    uint64_t n = alone ? 1 : many ? strtoull(many, NULL, 10) : HISTORIES;

    for (uint64_t seed = first; seed < first + n; seed++) {
        running = seed;
        one_history(seed);
    }
    running = 0;
}

static int name_the_seed(void **state)
{
    if (running != 0) {
        (void)fprintf(stderr, "# it was TMON_SEED=%llu\n", (unsigned long long)running);
    }
    return 0;
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // of commits that fail as they should
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_histories_keep_the_promises, name_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
