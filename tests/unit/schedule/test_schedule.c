/* core/schedule/schedule.c over a real loop, with intervals of milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "schedule/schedule.h"

#define ENTRIES 50

struct world {
    struct loop *loop;
    struct schedule *schedule;
    int runs, flushes, runs_at_flush[64];
    int stop_after;
};

struct entry {
    struct schedule_entry entry;
    struct world *world;
    int runs;
    int64_t first_at, last_at;
    int64_t hold_up_ns; /* the first run takes this long */
};

static void on_run(struct schedule_entry *scheduled, int64_t late_ns)
{
    struct entry *entry = scheduled->owner;

    assert_true(late_ns >= 0);
    entry->last_at = clock_mono_ns();
    if (entry->runs++ == 0) {
        entry->first_at = entry->last_at;
        while (clock_mono_ns() - entry->first_at < entry->hold_up_ns) {}
    }
    if (++entry->world->runs >= entry->world->stop_after) {
        loop_stop(entry->world->loop);
    }
}

static void on_flush(void *owner)
{
    struct world *world = owner;

    if (world->flushes < 64) {
        world->runs_at_flush[world->flushes] = world->runs;
    }
    world->flushes++;
}

static void world_init(struct world *world, int stop_after)
{
    const struct schedule_hooks hooks = {.flush = on_flush, .owner = world};

    *world = (struct world){.stop_after = stop_after};
    assert_int_equal(loop_create(&world->loop), 0);
    assert_int_equal(schedule_create(world->loop, &hooks, &world->schedule), 0);
}

static void world_finish(struct world *world)
{
    schedule_destroy(world->schedule);
    loop_destroy(world->loop);
}

static void add(struct world *world, struct entry *entry, const char *name, int64_t interval_ms,
                bool spread)
{
    entry->world = world;
    schedule_entry_init(&entry->entry, on_run, entry);
    assert_int_equal(schedule_add(world->schedule, &entry->entry, name, interval_ms, spread), 0);
}

static void test_aligned_run_together(void **state)
{
    static struct entry entries[ENTRIES];
    struct world world;

    world_init(&world, 3 * ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        entries[i] = (struct entry){0};
        add(&world, &entries[i], "name", 300, false);
    }
    assert_int_equal(loop_run(world.loop), 0);
    /* Round by round, each with one flush. */
    assert_int_equal(world.runs_at_flush[0], ENTRIES);
    assert_int_equal(world.runs_at_flush[1], 2 * ENTRIES);
    assert_int_equal(world.flushes, 3);
    for (int i = 0; i < ENTRIES; i++) {
        assert_int_equal(entries[i].runs, 3);
    }
    world_finish(&world);
}

static void test_spread_do_not_run_together(void **state)
{
    static struct entry entries[ENTRIES];
    struct world world;
    char name[16];

    world_init(&world, ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        entries[i] = (struct entry){0};
        (void)snprintf(name, sizeof name, "database%d", i);
        add(&world, &entries[i], name, 200, true);
    }
    assert_int_equal(loop_run(world.loop), 0);
    assert_true(world.flushes > ENTRIES / 3);
    world_finish(&world);
}

static void test_missed_runs_are_counted_not_made_up_for(void **state)
{
    struct entry entry = {.hold_up_ns = 55 * NS_PER_MS};
    struct world world;

    world_init(&world, 4);
    add(&world, &entry, "x", 10, true);
    assert_int_equal(loop_run(world.loop), 0);
    assert_in_range(entry.entry.missed, 4, 100);
    /* Three more runs after the hold-up, one interval apart each. */
    assert_true(entry.last_at - entry.first_at >= (55 + 10) * NS_PER_MS);
    world_finish(&world);
}

static void test_soon_keeps_the_rhythm(void **state)
{
    struct entry entry = {0};
    struct world world;
    int64_t due;

    world_init(&world, 1);
    add(&world, &entry, "x", 3600000, true);
    due = entry.entry.due_ns;
    assert_int_equal(schedule_soon(world.schedule, &entry.entry), 0);
    assert_int_equal(loop_run(world.loop), 0);
    assert_int_equal(entry.runs, 1);
    assert_true(entry.entry.due_ns == due);
    schedule_remove(world.schedule, &entry.entry);
    assert_int_not_equal(schedule_soon(world.schedule, &entry.entry), 0);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_run_together),
        cmocka_unit_test(test_spread_do_not_run_together),
        cmocka_unit_test(test_missed_runs_are_counted_not_made_up_for),
        cmocka_unit_test(test_soon_keeps_the_rhythm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
