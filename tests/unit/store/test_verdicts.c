/* The table of verdicts: what counts as failing, and what that means for the whole. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/verdicts.h"

static struct verdicts *table;

static int set_up(void **state)
{
    (void)state;
    return verdicts_create(&table);
}

static int tear_down(void **state)
{
    (void)state;
    verdicts_destroy(table);
    return 0;
}

static struct verdicts_entry *add(struct verdicts_spec spec)
{
    struct verdicts_entry *entry = NULL;

    assert_int_equal(verdicts_add(table, &spec, &entry), 0);
    return entry;
}

static struct verdicts_change put(struct verdicts_entry *entry, tmon_verdict status)
{
    struct verdicts_change change;

    verdicts_put(table, entry, verdict_create(status, NULL), 1, 2, &change);
    return change;
}

static enum health health(void)
{
    struct verdicts_summary summary;

    verdicts_summary(table, &summary);
    return summary.health;
}

static void the_whole_is_as_bad_as_what_affects_it(void **state)
{
    static const struct {
        enum verdicts_affects affects;
        tmon_verdict status;
        enum health health;
    } cases[] = {
        {AFFECTS_FAIL, TMON_PASS, HEALTH_HEALTHY},
        {AFFECTS_FAIL, TMON_WARN, HEALTH_DEGRADED},
        {AFFECTS_FAIL, TMON_FAIL, HEALTH_UNHEALTHY},
        {AFFECTS_DEGRADE, TMON_PASS, HEALTH_HEALTHY},
        {AFFECTS_DEGRADE, TMON_WARN, HEALTH_DEGRADED},
        {AFFECTS_DEGRADE, TMON_FAIL, HEALTH_DEGRADED},
        {AFFECTS_NOTHING, TMON_WARN, HEALTH_HEALTHY},
        {AFFECTS_NOTHING, TMON_FAIL, HEALTH_HEALTHY},
    };

    (void)state;
    put(add((struct verdicts_spec){.name = "good"}), TMON_PASS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verdicts_entry *entry =
            add((struct verdicts_spec){.name = "x", .affects = cases[i].affects});

        assert_int_equal(health(), HEALTH_HEALTHY); // without a verdict it says nothing
        put(entry, cases[i].status);
        assert_int_equal(health(), cases[i].health);
        verdicts_remove(table, entry);
    }
    assert_string_equal(health_name(HEALTH_DEGRADED), "degraded");
}

static void it_takes_some_in_a_row_to_turn(void **state)
{
    struct verdicts_entry *entry =
        add((struct verdicts_spec){.name = "x", .fail_after = 3, .pass_after = 2});
    struct verdicts_change change;

    (void)state;
    change = put(entry, TMON_PASS);
    assert_true(change.changed && change.first);
    assert_false(put(entry, TMON_FAIL).changed);
    assert_false(put(entry, TMON_FAIL).changed);
    assert_false(put(entry, TMON_PASS).changed); // the row is broken
    assert_false(put(entry, TMON_FAIL).changed);
    assert_false(put(entry, TMON_FAIL).changed);
    assert_int_equal(health(), HEALTH_HEALTHY);
    change = put(entry, TMON_FAIL);
    assert_true(change.changed && change.from == TMON_PASS && change.to == TMON_FAIL);
    assert_int_equal(health(), HEALTH_UNHEALTHY);
    assert_false(put(entry, TMON_WARN).changed);
    assert_int_equal(health(), HEALTH_UNHEALTHY);
    change = put(entry, TMON_PASS);
    assert_true(change.changed && change.from == TMON_FAIL && change.to == TMON_PASS);
    // Between pass and warn nothing has to be counted.
    assert_true(put(entry, TMON_WARN).changed);
    assert_int_equal(health(), HEALTH_DEGRADED);
}

static void the_first_verdict_counts_at_once(void **state)
{
    struct verdicts_entry *entry = add((struct verdicts_spec){.name = "x", .fail_after = 3});

    (void)state;
    assert_int_equal(put(entry, TMON_FAIL).to, TMON_FAIL);
    assert_int_equal(health(), HEALTH_UNHEALTHY);
}

static bool note_name(void *arg, const struct verdicts_view *view)
{
    char *names = arg;

    snprintf(names + strlen(names), 8, "%s", view->name);
    return strcmp(view->name, "c") != 0;
}

static void a_visit_goes_by_name_and_may_stop(void **state)
{
    char names[64] = "";
    struct verdicts_entry *entry = NULL;

    (void)state;
    add((struct verdicts_spec){.name = "c"});
    add((struct verdicts_spec){.name = "a"});
    add((struct verdicts_spec){.name = "d"});
    add((struct verdicts_spec){.name = "b"});
    assert_int_equal(verdicts_add(table, &(struct verdicts_spec){.name = "a"}, &entry), -EEXIST);
    verdicts_visit(table, note_name, names);
    assert_string_equal(names, "abc");
}

static bool look(void *arg, const struct verdicts_view *view)
{
    *(struct verdicts_view *)arg = *view;
    return true;
}

static void a_view_says_what_is_held_back(void **state)
{
    struct verdicts_entry *entry = add((struct verdicts_spec){.name = "x", .fail_after = 3});
    struct verdicts_view view;

    (void)state;
    verdicts_visit(table, look, &view);
    assert_null(view.verdict);
    put(entry, TMON_PASS);
    put(entry, TMON_FAIL);
    put(entry, TMON_FAIL);
    verdicts_visit(table, look, &view);
    assert_int_equal(view.status, TMON_PASS);
    assert_int_equal(view.verdict->status, TMON_FAIL);
    assert_int_equal(view.streak, 2);
    assert_int_equal(view.needed, 3);
    assert_int_equal(view.mono_ns, 1);
    assert_int_equal(view.real_ms, 2);
}

static void readiness_waits_for_what_is_named(void **state)
{
    struct verdicts_entry *entry = add((struct verdicts_spec){.name = "db", .ready = true});
    struct verdicts_summary summary;

    (void)state;
    add((struct verdicts_spec){.name = "other"});
    verdicts_summary(table, &summary);
    assert_int_equal(summary.entries, 2);
    assert_int_equal(summary.pending, 2);
    assert_int_equal(summary.not_ready, 1);
    assert_string_equal(summary.not_ready_name, "db");
    put(entry, TMON_FAIL);
    verdicts_summary(table, &summary);
    assert_int_equal(summary.not_ready, 1);
    put(entry, TMON_WARN);
    verdicts_summary(table, &summary);
    assert_int_equal(summary.not_ready, 0);
    assert_string_equal(summary.not_ready_name, "");
}

static void each_change_is_a_new_generation(void **state)
{
    uint64_t before = verdicts_generation(table);
    struct verdicts_entry *entry = add((struct verdicts_spec){.name = "x"});

    (void)state;
    assert_true(verdicts_generation(table) > before);
    before = verdicts_generation(table);
    put(entry, TMON_PASS);
    assert_true(verdicts_generation(table) > before);
    before = verdicts_generation(table);
    verdicts_change(table, entry, &(struct verdicts_spec){.affects = AFFECTS_NOTHING});
    assert_true(verdicts_generation(table) > before);
    before = verdicts_generation(table);
    verdicts_remove(table, entry);
    assert_true(verdicts_generation(table) > before);
}

#define CASE(fn_) cmocka_unit_test_setup_teardown(fn_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_whole_is_as_bad_as_what_affects_it), CASE(it_takes_some_in_a_row_to_turn),
        CASE(the_first_verdict_counts_at_once),       CASE(a_visit_goes_by_name_and_may_stop),
        CASE(a_view_says_what_is_held_back),          CASE(readiness_waits_for_what_is_named),
        CASE(each_change_is_a_new_generation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
