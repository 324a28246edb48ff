/* core/alert/flap.c with a queue behind it: one notice, then silence, then how it ended. */
#include "kit.h"

#include "alert/private.h"
#include "base/log.h"

#define WINDOW_MS 600000

static const char *const to_chat[] = {"page"};

static const struct outbox_sink sinks[] = {
    {.name = "page", .one_alert = true, .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *wanted(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 1, to_chat, 1, true);

    routing->flap_changes = 4;
    routing->flap_window_ms = WINDOW_MS;
    routing->root.repeat_interval_ms = 7200000;
    return routing;
}

static struct routing *unwanted(struct kit *kit)
{
    struct routing *routing = wanted(kit);

    routing->flap_changes = 0;
    return routing;
}

static void answer_all(struct kit *kit)
{
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
}

/* What waits, notices with their summaries first; then it is delivered. */
static const char *heard(struct kit *kit)
{
    static char text[4096];
    char others[2048] = "";
    size_t len = 0, other = 0;

    text[0] = '\0';
    while (kit->n > 0) {
        struct tmon_notification *notification;
        const struct tmon_alert *alert;
        struct wire_reader reader;

        wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
        assert_int_equal(notification_decode(&reader, &notification), 0);
        alert = notification->alerts[0];
        if (strcmp(labels_get(alert->labels, alert->nlabels, "flapping"), "true") == 0) {
            assert_int_equal(alert->nlabels, 3);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s %s;",
                                    alert->firing ? "+" : "-", alert->summary);
        } else {
            other += (size_t)snprintf(others + other, sizeof others - other, "%s%s;",
                                      alert->firing ? "+" : "-", alert->name);
        }
        notification_destroy(notification);
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    (void)snprintf(text + len, sizeof text - len, "%s", others);
    return text;
}

/* A second and a half between two changes: a group is told of anew after one. */
static void fire(struct kit *kit, enum alerts_verdict verdict)
{
    assert_int_equal(kit_fire(kit, "A", "info"), verdict);
    kit_pass(kit, 1500);
}

static void resolve(struct kit *kit, enum alerts_verdict verdict)
{
    assert_int_equal(kit_resolve(kit, "A", "info"), verdict);
    kit_pass(kit, 1500);
}

static void begin(struct kit *kit)
{
    fire(kit, ALERTS_FIRING);
    assert_string_equal(heard(kit), "+A;");
    resolve(kit, ALERTS_RESOLVED);
    assert_string_equal(heard(kit), "-A;");
    fire(kit, ALERTS_FIRING);
    assert_string_equal(heard(kit), "+A;");
    resolve(kit, ALERTS_RESOLVED);
    assert_string_equal(heard(kit), "-A;");
    fire(kit, ALERTS_FIRING); /* the fourth change */
    assert_string_equal(heard(kit), "+ A flaps: 4 changes within 600 s;");
    for (int i = 0; i < 20; i++) {
        resolve(kit, ALERTS_RESOLVED);
        resolve(kit, ALERTS_NOT_FIRING);
        fire(kit, ALERTS_FIRING);
        fire(kit, ALERTS_UNCHANGED);
        assert_int_equal(kit->n, 0);
        if (i == 10) {
            kit_restart(kit);
        }
    }
}

/* It fires at last: the notice ends, and now it is told, as it was not before. */
static void ends_firing(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);

    begin(kit);
    kit_pass(kit, WINDOW_MS - 10000);
    assert_int_equal(kit->n, 0);
    kit_restart(kit);
    kit_pass(kit, 10000);
    assert_string_equal(heard(kit), "- A flaps no more: it fires now, after 44 changes;+A;");
    assert_int_equal(kit->alerts->flaps.by_identity.used, 0);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM flap"), "0");
    resolve(kit, ALERTS_RESOLVED);
    assert_string_equal(heard(kit), "-A;");
    kit_close(kit);
}

static void ends_resolved(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);

    begin(kit);
    resolve(kit, ALERTS_RESOLVED);
    kit_restart(kit);
    kit_pass(kit, WINDOW_MS);
    assert_string_equal(heard(kit), "- A flaps no more: it is resolved now, after 45 changes;");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit->alerts->by_episode.used, 0);
    kit_close(kit);
}

/* Told before it flapped: its end is told when it has settled.  The change that makes it flap is a
 * resolve here. */
static void its_end_is_owed(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);

    fire(kit, ALERTS_FIRING);
    resolve(kit, ALERTS_RESOLVED);
    kit_pass(kit, 400000);
    fire(kit, ALERTS_FIRING);
    kit_pass(kit, 300000); /* the first one is long ago by then */
    resolve(kit, ALERTS_RESOLVED);
    fire(kit, ALERTS_FIRING);
    (void)heard(kit);
    resolve(kit, ALERTS_RESOLVED);
    assert_string_equal(heard(kit), "+ A flaps: 4 changes within 600 s;");
    assert_int_equal(kit->alerts->counts.firing[0], 2);
    kit_pass(kit, WINDOW_MS);
    assert_string_equal(heard(kit), "- A flaps no more: it is resolved now, after 4 changes;-A;");
    kit_close(kit);
}

/* Ends by themselves are changes too. */
static void times_that_are_up(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);
    struct kit_put put = {.name = "A", .severity = "info", .ttl_ms = 2000};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
        answer_all(kit);
        kit_pass(kit, 4000);
        if (i < 2) {
            answer_all(kit);
        }
    }
    assert_int_equal(kit->n, 0); /* -, +, -, then the notice with the second firing after it */
    assert_int_equal(kit->alerts->counts.firing[0], 2);
    kit_pass(kit, WINDOW_MS);
    assert_string_equal(heard(kit), "- A flaps no more: it is resolved now, after 5 changes;");
    kit_close(kit);
}

static void nobody_wants_it_any_more(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);

    begin(kit);
    kit->make_routing = unwanted;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    kit_pass(kit, 2000);
    assert_string_equal(heard(kit), "- A flaps no more: it fires now, after 44 changes;+A;");
    for (int i = 0; i < 10; i++) {
        resolve(kit, ALERTS_RESOLVED);
        fire(kit, ALERTS_FIRING);
        answer_all(kit);
    }
    assert_int_equal(kit->alerts->flaps.by_identity.used, 0);
    kit_close(kit);
}

/* Its row is lost: the notice ends all the same. */
static void a_lost_row(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);

    begin(kit);
    (void)kit_sql(kit, "UPDATE flap SET sum = sum + 1");
    kit_restart(kit);
    kit_pass(kit, 2000);
    assert_string_equal(heard(kit), "- A flaps: 4 changes within 600 s;+A;");
    kit_close(kit);
}

/* As many as may be counted, and the oldest makes room. */
static void has_a_limit(void **state)
{
    struct kit *kit = kit_open(wanted, sinks, 1);
    char name[16];

    for (int i = 0; i < LIMIT_FLAPS + 10; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
        (void)kit_resolve(kit, name, "info");
        answer_all(kit);
        if (i % 500 == 0) {
            kit_pass(kit, 100);
        }
    }
    assert_int_equal(kit->alerts->flaps.by_identity.used, LIMIT_FLAPS);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM flap"), "0"); /* and cost nothing */
    kit_close(kit);
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_firing),
        cmocka_unit_test(ends_resolved),
        cmocka_unit_test(its_end_is_owed),
        cmocka_unit_test(times_that_are_up),
        cmocka_unit_test(nobody_wants_it_any_more),
        cmocka_unit_test(a_lost_row),
        cmocka_unit_test(has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
