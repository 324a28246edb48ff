/*
 * core/alert and core/outbox over a disk that fails and a machine that crashes, at every write and
 * sync in turn: whoever was refused asks again, and the promises hold.
 */
#include "world.h"

#include "../state/fault_vfs.h"
#include "base/log.h"

#define STEPS 14
#define OPENING 50 /* operations until there is a file with its tables */
#ifdef TMON_SANITIZED
#define EVERY 9 /* operation */
#else
#define EVERY 3
#endif

static struct fault fault;
static int histories, hits;
static enum fault_survives survives;

static void one_step(struct world *world)
{
    static const int64_t times[] = {1, 1000, 5000, 30000, 400000};
    uint32_t dice = draw(world, 100);

    if (dice < 40) {
        world_put(world, (int)draw(world, 3), chance(world, 40), 0);
    } else if (dice < 60) {
        world_pass(world, times[draw(world, 5)]);
    } else if (dice < 95 && world->kit->n > 0) {
        answer_by_mood(world, draw(world, (uint32_t)world->kit->n));
    } else if (dice < 97) {
        draw_config(world);
        world_configure(world);
    } else {
        world->mood[draw(world, WORLD_SINKS)] = draw(world, MOODS);
    }
    world_note_failure(world);
}

static void history(uint64_t seed, void (*stuck)(struct kit *kit, int tries))
{
    struct world *world = world_open(seed, FAULT_VFS);

    world->kit->stuck = stuck;
    if (fault.kind != FAULT_CRASH) {
        fault_arm(&fault);
    }
    for (int i = 0; i < STEPS; i++) {
        one_step(world);
        look(world);
        (void)check_firing(world);
        (void)step_look(world, true);
    }
    histories++;
    hits += fault.kind == FAULT_CRASH ? world->kit->crashes : fault_hit();
    if (fault.kind != FAULT_CRASH) {
        fault_disarm();
    }
    world_end(world);
    world_close(world);
}

/* How many operations it has when nothing fails. */
static int operations(uint64_t seed)
{
    int n;

    fault = (struct fault){.kind = FAULT_IOERR};
    history(seed, NULL);
    n = fault_seen();
    assert_in_range(n, 20, 100000);
    return n;
}

/* ---- a disk that fails ---- */

static void relent(struct kit *kit, int tries)
{
    if (tries == 4) {
        fault_disarm();
    }
    assert_true(tries < 5000);
}

static void refuse_at_each(enum fault_kind kind, int times)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        int n = operations(seed);

        for (int first = 1; first <= n; first += EVERY) {
            fault = (struct fault){.kind = kind, .first = first, .times = times};
            history(seed, relent);
        }
    }
}

static void errors_once(void **state)
{
    refuse_at_each(FAULT_IOERR, 1);
}

static void errors_for_a_while(void **state)
{
    refuse_at_each(FAULT_IOERR, 0);
}

static void full_once(void **state)
{
    refuse_at_each(FAULT_FULL, 1);
}

static void full_for_a_while(void **state)
{
    refuse_at_each(FAULT_FULL, 0);
}

/* ---- a machine that crashes ---- */

/* The shim cannot open a file again that was closed in order. */
static void crash(struct kit *kit, int tries)
{
    static uint64_t dice;

    if (kit->crashes > 0) {
        return;
    }
    kit->crashes++;
    kit_end(kit);
    fault_crash(survives, ++dice);
    kit->vfs = NULL;
    kit->stuck = NULL;
    kit_begin(kit);
}

static void crash_at_each(enum fault_survives what)
{
    survives = what;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        int n = operations(seed);

        for (int first = 1; first <= n; first += EVERY) {
            fault = (struct fault){.kind = FAULT_CRASH, .first = first + OPENING};
            fault_arm(&fault);
            history(seed, crash);
            fault_disarm();
        }
    }
}

static void a_kill(void **state)
{
    crash_at_each(FAULT_KEEP_ALL);
}

static void no_power(void **state)
{
    crash_at_each(FAULT_LOSE_ALL);
}

static void no_power_and_torn_writes(void **state)
{
    crash_at_each(FAULT_MIX);
}

/* Nearly all of them met what was meant for them. */
static int tear_down(void **state)
{
    print_message("# %d histories, %d with a fault\n", histories, hits);
    return hits > histories / 2 ? 0 : -1;
}

static int set_up(void **state)
{
    fault_install();
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // thousands of errors that are meant
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_once),
        cmocka_unit_test(errors_for_a_while),
        cmocka_unit_test(full_once),
        cmocka_unit_test(full_for_a_while),
        cmocka_unit_test(a_kill),
        cmocka_unit_test(no_power),
        cmocka_unit_test(no_power_and_torn_writes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
