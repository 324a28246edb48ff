/* core/alert/merge.c: what is said again as Alertmanager takes it, and what a restart makes of it.
 */
#include "../outbox/kit.h"

#include "alert/private.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *one_group(struct kit *kit)
{
    return kit_plain(sinks, 1, to_chat, 1, true);
}

#define DEFAULT INT64_MIN /* no end was given: five minutes */

struct said {
    int64_t starts, ends; /* ms from now */
    enum alerts_verdict verdict;
};

static int say_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    static const struct tmon_pair labels[] = {{"alertname", "A"}};
    struct said *said = arg;
    const struct alerts_input input = {
        .labels = labels,
        .nlabels = 1,
        .merge = true,
        .end_said = said->ends != DEFAULT,
        .starts_ms = kit->now.real_ms + said->starts,
        .ends_ms = kit->now.real_ms + (said->ends == DEFAULT ? 300000 : said->ends),
    };

    return alerts_put(kit->alerts, tx, &input, kit->now, &said->verdict);
}

static enum alerts_verdict say(struct kit *kit, int64_t starts, int64_t ends)
{
    struct said said = {.starts = starts, .ends = ends};

    assert_int_equal(kit_do(kit, say_job, &said), 0);
    return said.verdict;
}

struct seen {
    size_t n;
    int64_t starts, ends; /* Unix ms */
    char key[64];
};

static bool on_view(void *arg, const struct alerts_view *view)
{
    struct seen *seen = arg;

    seen->n++;
    seen->starts = view->starts_ms;
    seen->ends = view->ends_ms;
    (void)snprintf(seen->key, sizeof seen->key, "%s", view->key);
    return true;
}

static int look_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return alerts_visit_firing(kit->alerts, on_view, arg, kit->now);
}

static struct seen look(struct kit *kit)
{
    struct seen seen = {0};

    assert_int_equal(kit_do(kit, look_job, &seen), 0);
    return seen;
}

/* What is seen, in ms from now. */
static void expect(struct kit *kit, int64_t starts, int64_t ends)
{
    struct seen seen = look(kit);

    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.starts - kit->now.real_ms, starts);
    assert_int_equal(seen.ends - kit->now.real_ms, ends);
}

static void overlaps(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 1);

    assert_int_equal(say(kit, 0, DEFAULT), ALERTS_FIRING);
    expect(kit, 0, 300000);
    kit_pass(kit, 1000);
    assert_int_equal(say(kit, 0, DEFAULT), ALERTS_UNCHANGED); /* later: it began before */
    expect(kit, -1000, 300000);
    (void)say(kit, 0, 60000); /* an end that is given takes the place of a timeout */
    expect(kit, -1000, 60000);
    (void)say(kit, 0, 600000);
    (void)say(kit, 0, DEFAULT); /* and stays over one */
    expect(kit, -1000, 600000);
    (void)say(kit, 0, DEFAULT); /* which has made a timeout of it */
    expect(kit, -1000, 300000);
    (void)say(kit, -5000, 200000); /* another began earlier */
    expect(kit, -5000, 200000);
    (void)say(kit, 300000, 400000); /* what does not touch it takes its place */
    expect(kit, 300000, 400000);
    assert_int_equal(say(kit, -500, -400), ALERTS_RESOLVED);
    assert_int_equal(look(kit).n, 0);
    assert_int_equal(say(kit, -500, -400), ALERTS_NOT_FIRING);
    kit_close(kit);
}

static void it_ends_when_it_was_said(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 1);
    int64_t end = kit->now.real_ms + 60000;

    (void)say(kit, -1000, 60000);
    kit_pass(kit, 1000);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 58000);
    assert_int_equal(look(kit).ends, end);
    kit_pass(kit, 1500);
    assert_int_equal(look(kit).n, 0);
    kit_pass(kit, 300000);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    kit_close(kit);
}

/* The key stays although the start moved, also over a restart; ends count anew. */
static void it_survives(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 1);
    struct seen before, after;

    (void)say(kit, 0, 100000);
    (void)say(kit, -5000, 90000);
    before = look(kit);
    assert_int_equal(before.starts, kit->now.real_ms - 5000);
    kit_pass(kit, 10000);
    kit_restart(kit);
    after = look(kit);
    assert_int_equal(after.n, 1);
    assert_string_equal(after.key, before.key);
    assert_int_equal(after.starts, before.starts);
    assert_true(after.ends > before.ends);
    (void)say(kit, 0, DEFAULT); /* the end was given, and is not moved back by a timeout */
    assert_int_equal(look(kit).starts, before.starts);
    assert_string_equal(look(kit).key, before.key);
    kit_close(kit);
}

static bool on_group(void *arg, const struct alerts_group_view *view)
{
    struct buf *buf = arg;

    buf_printf(buf, "%s:", view->sink);
    for (size_t i = 0; i < view->nlabels; i++) {
        buf_printf(buf, "%s=%s ", view->labels[i].key, view->labels[i].value);
    }
    return true;
}

static int groups_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return alerts_visit_groups(kit->alerts, on_group, arg, kit->now);
}

static struct routing *by_all(struct kit *kit)
{
    static const char *const to[] = {"chat", "bell"};
    struct routing *routing = kit_plain(sinks, 1, to, 2, true);

    routing->root.group_by_all = true;
    return routing;
}

static void groups_in_order(void **state)
{
    struct kit *kit = kit_open(by_all, sinks, 1);
    struct buf buf;

    (void)kit_fire(kit, "B", "critical");
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "A", "critical");
    (void)say(kit, 0, DEFAULT);
    buf_init(&buf, 4096);
    assert_int_equal(kit_do(kit, groups_job, &buf), 0);
    assert_string_equal(buf_str(&buf), "chat:alertname=A chat:alertname=A severity=critical "
                                       "chat:alertname=A severity=info "
                                       "chat:alertname=B severity=critical ");
    buf_finish(&buf);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps),
        cmocka_unit_test(it_ends_when_it_was_said),
        cmocka_unit_test(it_survives),
        cmocka_unit_test(groups_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
