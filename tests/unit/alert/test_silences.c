/* core/alert/silences.c with a queue behind it: who is told of what is silenced, and when. */
#include "../outbox/kit.h"

#include "alert/private.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
    {.name = "page", .one_alert = true, .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *one_group(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, true);
}

static struct routing *one_alert(struct kit *kit)
{
    static const char *const to_page[] = {"page"};

    return kit_plain(sinks, 2, to_page, 1, true);
}

static struct routing *with_a_wait(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 2, to_chat, 1, true);

    routing->root.group_wait_ms = 30000;
    return routing;
}

static void nobody_waits(struct kit *kit, const char *what)
{
    assert_string_equal(kit_text(kit, 0), what);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
}

/* ---- what is held, and told later ---- */

static void nobody_is_told(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    char id[SILENCE_ID_SIZE];

    (void)snprintf(id, sizeof id, "%s", kit_silence(kit, "alertname=A", 3600000));
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: +B"); /* A is not shown beside it either */
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 5000);
    assert_int_equal(kit->n, 0); /* nobody had heard of it */
    (void)kit_fire(kit, "A", "info");
    kit_pass(kit, 5000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_expire(kit, id), 0);
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: +A +B");
    assert_int_equal(kit_expire(kit, id), -EALREADY);
    assert_int_equal(kit_expire(kit, "0189"), -ENOENT);
    kit_close(kit);
}

static void the_end_of_what_was_told_is_told(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    nobody_waits(kit, "chat: +A");
    (void)kit_silence(kit, "alertname=A", 3600000);
    kit_pass(kit, 1000);
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: -A");
    kit_close(kit);
}

static void it_ends_by_itself(void **state)
{
    struct kit *kit = kit_open(with_a_wait, sinks, 2);

    (void)kit_silence(kit, "alertname=A", 3600000);
    (void)kit_fire(kit, "A", "info");
    kit_pass(kit, 3599999);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    assert_int_equal(kit->n, 0); /* it may end at the same moment */
    kit_pass(kit, 29999);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    nobody_waits(kit, "chat: +A");
    kit_close(kit);
}

static void it_starts_by_itself(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    struct kit_silence later = {
        .matcher = "severity=~info|warning", .starts_ms = 60000, .for_ms = 60000};

    assert_int_equal(kit_do(kit, kit_silence_job, &later), 0);
    (void)kit_fire(kit, "A", "info");
    nobody_waits(kit, "chat: +A");
    kit_pass(kit, 60000);
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 59999);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    nobody_waits(kit, "chat: +B +A");
    kit_close(kit);
}

/* ---- repeats ---- */

static void not_repeated(struct routing *(*make)(struct kit *), const char *first,
                         const char *again)
{
    struct kit *kit = kit_open(make, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    nobody_waits(kit, first);
    (void)kit_silence(kit, "alertname=A", 2 * 3600000 + 1800000);
    for (int i = 0; i < 24; i++) {
        kit_pass(kit, 360000);
        assert_int_equal(kit->n, 0);
        assert_true(kit_next(kit) > 0); /* it does not run in circles */
    }
    kit_pass(kit, 360000);
    nobody_waits(kit, again); /* it was due long ago */
    kit_pass(kit, 3590000);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 10000);
    nobody_waits(kit, again);
    kit_close(kit);
}

static void groups_are_not_repeated(void **state)
{
    not_repeated(one_group, "chat: +A", "chat: +A");
}

static void alerts_are_not_repeated(void **state)
{
    not_repeated(one_alert, "page: +A", "page: +A");
}

/* The rest of the group is, at its time. */
static void others_are_repeated(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    nobody_waits(kit, "chat: +A");
    kit_pass(kit, 1000);
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: +B +A");
    (void)kit_silence(kit, "alertname=A", 3600000 + 1800000);
    kit_pass(kit, 3600000);
    nobody_waits(kit, "chat: +B");
    kit_pass(kit, 1800000);
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: +A +B");
    kit_close(kit);
}

/* ---- restarts, clocks ---- */

static void it_survives(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    char id[SILENCE_ID_SIZE];

    (void)snprintf(id, sizeof id, "%s", kit_silence(kit, "alertname=~A.*", 3600000));
    (void)kit_fire(kit, "A", "info");
    kit_restart(kit);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);
    kit->fails_in = 1; /* all of memory is read anew */
    assert_int_equal(kit_do(kit, NULL, NULL), 0);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_expire(kit, id), 0);
    nobody_waits(kit, "chat: +A");
    kit_restart(kit);
    assert_int_equal(kit_expire(kit, id), -EALREADY);
    kit_pass(kit, SILENCE_KEPT_MS - 1000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM silence"), "1");
    kit_pass(kit, 1000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM silence"), "0");
    assert_int_equal(kit_expire(kit, id), -ENOENT);
    kit_close(kit);
}

static void it_ends_by_the_wall_clock(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_silence(kit, "alertname=A", 3600000);
    (void)kit_fire(kit, "A", "info");
    kit->now.real_ms += 3500000;
    assert_true(kit_next(kit) <= 60000); /* somebody looks */
    kit_pass(kit, 60000);
    kit_pass(kit, 40000);
    nobody_waits(kit, "chat: +A");
    kit_close(kit);
}

/* ---- changes ---- */

struct seen {
    const char *id;
    struct silence_view view;
    char text[1024];
};

static bool note(void *arg, const struct silence_view *view)
{
    char *text = ((struct seen *)arg)->text;
    size_t len = strlen(text);

    (void)snprintf(text + len, 1024 - len, " %s:%s", silence_state_name(view->state),
                   view->matchers[0].value);
    return true;
}

static int list_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return alerts_silences_visit(kit->alerts, note, arg, kit->now);
}

static int get_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct seen *seen = arg;

    return alerts_silence_get(kit->alerts, seen->id, kit->now, &seen->view) ? 0 : -ENOENT;
}

static struct silence_view get(struct kit *kit, const char *id)
{
    struct seen seen = {.id = id};

    assert_int_equal(kit_do(kit, get_job, &seen), 0);
    return seen.view;
}

static void changed_in_place(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    struct kit_silence silence = {.matcher = "alertname=A", .for_ms = 60000};
    char first[SILENCE_ID_SIZE];
    int64_t started = kit->now.real_ms;

    assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0);
    (void)snprintf(first, sizeof first, "%s", silence.ret_id);
    silence.id = first;
    kit_pass(kit, 10000);
    silence.for_ms = 3600000;
    assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0);
    assert_string_equal(silence.ret_id, first);
    assert_int_equal(get(kit, first).starts_ms, started);
    assert_int_equal(get(kit, first).ends_ms, kit->now.real_ms + 3600000);
    assert_int_equal(get(kit, first).updated_ms, kit->now.real_ms);
    kit_restart(kit);
    assert_int_equal(get(kit, first).ends_ms, kit->now.real_ms + 3600000);
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 1000);
    nobody_waits(kit, "chat: +B");

    /* Other matchers: the old one ends, the new one is there at once. */
    silence.matcher = "alertname=~[AB]";
    assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0);
    assert_string_not_equal(silence.ret_id, first);
    assert_int_equal(get(kit, first).state, SILENCE_EXPIRED);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);                                 /* A was held all the time */
    assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0); /* what has ended comes again */
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM silence"), "3");
    silence.id = "00000000-0000-4000-8000-000000000000";
    assert_int_equal(kit_do(kit, kit_silence_job, &silence), -ENOENT);
    kit_close(kit);
}

static void in_order(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    static const struct {
        const char *matcher;
        int64_t starts_ms, for_ms;
    } all[] = {
        {"a=late", 0, 90000}, {"a=soon", 60000, 1},   {"a=old", 0, 1000},
        {"a=now", 0, 30000},  {"a=later", 70000, 10}, {"a=older", 0, 500},
    };
    struct seen seen = {.id = NULL};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct kit_silence silence = {
            .matcher = all[i].matcher, .starts_ms = all[i].starts_ms, .for_ms = all[i].for_ms};

        assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0);
    }
    kit_pass(kit, 2000);
    assert_int_equal(kit_do(kit, list_job, &seen), 0);
    assert_string_equal(seen.text, " active:now active:late pending:soon pending:later expired:old "
                                   "expired:older");
    kit_close(kit);
}

static void what_is_refused(void **state)
{
    struct matcher matcher, all;
    char why[256], text[LIMIT_SILENCE_TEXT_BYTES + 2];
    struct silence_input input = {.matchers = &matcher, .nmatchers = 1, .ends_ms = 2000};

    assert_int_equal(matcher_parse(&matcher, "a=b", why, sizeof why), 0);
    assert_int_equal(matcher_parse(&all, "a=~.*", why, sizeof why), 0);
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), 0);
    assert_int_equal(silence_input_check(&input, 2000, why, sizeof why), -EINVAL);
    assert_string_equal(why, "its end is in the past");
    input.starts_ms = 2000;
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    assert_string_equal(why, "it must start before it ends");
    input.ends_ms = INT64_MAX;
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    input.ends_ms = 3000;
    input.matchers = &all;
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    assert_non_null(strstr(why, "empty value"));
    input.nmatchers = 0;
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    input.matchers = &matcher;
    input.nmatchers = 1;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    input.comment = text;
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    input.comment = "\xff";
    assert_int_equal(silence_input_check(&input, 1000, why, sizeof why), -EINVAL);
    matcher_finish(&matcher);
    matcher_finish(&all);
}

/* ---- many ---- */

static int many_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    char matcher[64];
    int r = 0;

    for (int i = 0; i < *(int *)arg && r == 0; i++) {
        struct kit_silence silence = {.matcher = matcher, .for_ms = 60000 + 100 * i};

        (void)snprintf(matcher, sizeof matcher, i % 2 ? "severity=~info|%d" : "alertname=A%d",
                       i % 40);
        r = kit_silence_job(kit, tx, &silence);
    }
    return r;
}

/* More than are noted of one alert: the last one that ends lets it go. */
static void the_last_one_lets_go(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    int n = 200;

    assert_int_equal(kit_do(kit, many_job, &n), 0);
    (void)kit_fire(kit, "A6", "info");
    (void)kit_fire(kit, "A8", "critical"); /* by its name alone: those at 8, 48, ... 168 */
    kit_pass(kit, 2000);
    kit_pass(kit, 58000 + 16800 - 1);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    nobody_waits(kit, "chat: +A8");
    kit_pass(kit, 3099);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    nobody_waits(kit, "chat: +A6 +A8");
    kit_close(kit);
}

static void there_is_a_limit(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    int n = LIMIT_SILENCES + 1;

    assert_int_equal(kit_do(kit, many_job, &n), -EDQUOT);
    n = 1;
    assert_int_equal(kit_do(kit, many_job, &n), -EDQUOT);
    kit_pass(kit, 60000); /* one has ended, and makes room */
    assert_int_equal(kit_do(kit, many_job, &n), 0);
    assert_int_equal(kit_do(kit, many_job, &n), -EDQUOT);
    kit_restart(kit);
    kit_pass(kit, 2000000);
    n = LIMIT_SILENCES;
    assert_int_equal(kit_do(kit, many_job, &n), 0);
    kit_pass(kit, 2000000); /* of those that ended, the oldest are forgotten */
    kit_pass(kit, 0);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM silence"), "10000");
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told),
        cmocka_unit_test(the_end_of_what_was_told_is_told),
        cmocka_unit_test(it_ends_by_itself),
        cmocka_unit_test(it_starts_by_itself),
        cmocka_unit_test(groups_are_not_repeated),
        cmocka_unit_test(alerts_are_not_repeated),
        cmocka_unit_test(others_are_repeated),
        cmocka_unit_test(it_survives),
        cmocka_unit_test(it_ends_by_the_wall_clock),
        cmocka_unit_test(changed_in_place),
        cmocka_unit_test(in_order),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(the_last_one_lets_go),
        cmocka_unit_test(there_is_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
