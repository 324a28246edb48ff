/* core/alert/inhibit.c with a queue behind it: who is told of what others inhibit. */
#include "../outbox/kit.h"

#include "alert/private.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
};

static int64_t wait_ms;
static const char *rules[4][3]; /* source, target, equal */

static struct routing *make_routing(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 1, to_chat, 1, wait_ms == 0);

    routing->root.group_wait_ms = wait_ms;
    for (size_t i = 0; i < 4 && rules[i][0]; i++) {
        kit_inhibit(routing, rules[i][0], rules[i][1], rules[i][2]);
    }
    return routing;
}

static struct kit *start(const char *source, const char *target, const char *equal)
{
    wait_ms = 0;
    memset(rules, 0, sizeof rules);
    rules[0][0] = source;
    rules[0][1] = target;
    rules[0][2] = equal;
    return kit_open(make_routing, sinks, 1);
}

static void told(struct kit *kit, const char *what)
{
    assert_string_equal(kit_text(kit, 0), what);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
}

static void the_source_holds(void **state)
{
    struct kit *kit = start("severity=critical", "severity=info", "alertname");

    (void)kit_fire(kit, "A", "critical");
    told(kit, "chat: +A");
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info"); /* no source has its name */
    kit_pass(kit, 1000);
    told(kit, "chat: +B +A");
    kit_pass(kit, 10000);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 1);
    assert_non_null(strstr(kit_text(kit, 0), "-A"));
    assert_non_null(strstr(kit_text(kit, 0), "+A"));
    kit_close(kit);
}

/* What was told before is not repeated, and its end is told. */
static void too_late(void **state)
{
    struct kit *kit = start("severity=critical", "severity=info", NULL);

    (void)kit_fire(kit, "A", "info");
    told(kit, "chat: +A");
    kit_pass(kit, 1000);
    (void)kit_fire(kit, "C", "critical");
    kit_pass(kit, 1000);
    told(kit, "chat: +C"); /* A is not shown beside it */
    kit_pass(kit, 3600000);
    told(kit, "chat: +C");
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 1000);
    told(kit, "chat: -A +C");
    kit_close(kit);
}

/* The source comes while the target's group waits: nobody hears of that. */
static void while_it_waits(void **state)
{
    struct kit *kit = start("alertname=Down", "alertname=Slow", NULL);

    wait_ms = 30000;
    kit_restart(kit);
    (void)kit_fire(kit, "Slow", "info");
    kit_pass(kit, 20000);
    (void)kit_fire(kit, "Down", "info");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 20000);
    told(kit, "chat: +Down");
    kit_pass(kit, 1000000);
    (void)kit_resolve(kit, "Down", "info");
    kit_pass(kit, 0);
    told(kit, "chat: -Down"); /* what ends with it is not told */
    (void)kit_resolve(kit, "Slow", "info");
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

/* After a restart, and after another routing: at once, before anybody says anything. */
static void from_the_first_moment(void **state)
{
    struct kit *kit = start("alertname=Down", "alertname=Slow", NULL);

    (void)kit_fire(kit, "Down", "info");
    told(kit, "chat: +Down");
    (void)kit_fire(kit, "Slow", "info");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);
    for (int i = 0; i < 3; i++) {
        kit_restart(kit);
        kit_pass(kit, 1000);
        assert_int_equal(kit->n, 0);
        assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
        kit_pass(kit, 1000);
        assert_int_equal(kit->n, 0);
        kit->fails_in = 1;
        kit_pass(kit, 1000);
        assert_int_equal(kit->n, 0);
    }
    rules[0][0] = NULL; /* without the rule it is told */
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    told(kit, "chat: +Slow +Down");
    kit_close(kit);
}

/* As Alertmanager: what fits both sides is not inhibited by what fits both, itself included. */
static void both_sides(void **state)
{
    struct kit *kit = start("severity=~critical|warning", "severity=~warning|info", NULL);

    (void)kit_fire(kit, "A", "warning");
    told(kit, "chat: +A");
    (void)kit_fire(kit, "B", "warning");
    (void)kit_fire(kit, "I", "info");
    kit_pass(kit, 1000);
    told(kit, "chat: +B +A");
    (void)kit_fire(kit, "C", "critical");
    (void)kit_fire(kit, "D", "warning");
    kit_pass(kit, 1000);
    told(kit, "chat: +C");
    (void)kit_resolve(kit, "A", "warning");
    (void)kit_resolve(kit, "B", "warning");
    kit_pass(kit, 1000);
    told(kit, "chat: -A -B +C");
    (void)kit_resolve(kit, "C", "critical");
    kit_pass(kit, 1000);
    told(kit, "chat: +D -C"); /* by D, I is held on */
    (void)kit_resolve(kit, "D", "warning");
    kit_pass(kit, 1000);
    told(kit, "chat: -D +I");
    kit_close(kit);
}

struct seen {
    char text[256];
};

static bool note(void *arg, const struct alerts_view *view)
{
    struct seen *seen = arg;

    if (strcmp(labels_get(view->labels, view->nlabels, "alertname"), "T") == 0) {
        (void)snprintf(seen->text, sizeof seen->text, "%zu silences %zu sources %.4s",
                       view->nsilenced, view->ninhibited,
                       view->ninhibited ? view->inhibited_by[0] : "none");
    }
    return true;
}

static int view_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    alerts_visit(kit->alerts, note, arg, kit->now);
    return 0;
}

static int count_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    alerts_count(kit->alerts, arg);
    return 0;
}

static void it_is_shown_and_counted(void **state)
{
    struct kit *kit = start("severity=critical", "severity=info", NULL);
    struct alerts_counts counts;
    struct seen seen;
    char id[SILENCE_ID_SIZE];

    rules[1][0] = "alertname=B";
    rules[1][1] = "alertname=T";
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    (void)kit_fire(kit, "T", "info");
    assert_int_equal(kit_do(kit, view_job, &seen), 0);
    assert_string_equal(seen.text, "0 silences 0 sources none");
    (void)kit_fire(kit, "A", "critical");
    (void)kit_fire(kit, "B", "warning");
    assert_int_equal(kit_do(kit, view_job, &seen), 0);
    assert_memory_equal(seen.text, "0 silences 2 sources ", 21);
    kit_pass(kit, 1000);
    assert_int_equal(kit_do(kit, count_job, &counts), 0);
    assert_int_equal(counts.held[HOLD_INHIBITED], 1);
    (void)snprintf(id, sizeof id, "%s", kit_silence(kit, "alertname=~.", 60000));
    assert_int_equal(kit_do(kit, view_job, &seen), 0);
    assert_memory_equal(seen.text, "1 silences 2 sources ", 21);
    kit_pass(kit, 1000);
    assert_int_equal(kit_do(kit, count_job, &counts), 0);
    assert_int_equal(counts.held[HOLD_INHIBITED], 0);
    assert_int_equal(counts.held[HOLD_SILENCED], 3); /* a source that is silenced inhibits on */
    assert_int_equal(counts.silences[SILENCE_ACTIVE], 1);
    (void)kit_resolve(kit, "A", "critical");
    (void)kit_resolve(kit, "B", "warning");
    (void)kit_expire(kit, id);
    kit_pass(kit, 1000);
    assert_int_equal(kit_do(kit, count_job, &counts), 0);
    assert_int_equal(counts.held[HOLD_INHIBITED] + counts.held[HOLD_SILENCED], 0);
    assert_int_equal(counts.silences[SILENCE_EXPIRED], 1);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_holds), cmocka_unit_test(too_late),
        cmocka_unit_test(while_it_waits),   cmocka_unit_test(from_the_first_moment),
        cmocka_unit_test(both_sides),       cmocka_unit_test(it_is_shown_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
