/* core/outbox/digest.c: storms. */
#include "kit.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .budget = 2, .budget_ms = 60000},
};

/* A group for each name. */
static struct routing *each(struct kit *kit)
{
    return kit_plain(sinks, 1, to_chat, 1, false);
}

static void fire_many(struct kit *kit, int from, int to)
{
    char name[16];

    for (int i = from; i < to; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
    }
}

static void answer_all(struct kit *kit)
{
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
}

static void a_storm_is_told_as_one(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 5);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: +A0");
    assert_string_equal(kit_text(kit, 1), "chat: +A1");
    answer_all(kit);
    kit_pass(kit, 59999);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_next(kit), 1);
    kit_pass(kit, 1);
    assert_int_equal(kit->n, 1);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A3 +A4");
    assert_string_equal(kit_sql(kit, "SELECT title FROM outbox WHERE state = 0"),
                        "Many alerts at once: 3 firing, 0 resolved");

    /* It is the delivery of each of them: their ends follow. */
    answer_all(kit);
    kit_pass(kit, 3000);
    (void)kit_resolve(kit, "A3", "info");
    assert_string_equal(kit_text(kit, 0), "chat: -A3");
    answer_all(kit);
    kit_pass(kit, 3000000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

static void what_ends_meanwhile_is_not_told(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 5);
    answer_all(kit);
    kit_pass(kit, 2000);
    (void)kit_resolve(kit, "A3", "info");
    kit_pass(kit, 58000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A4");
    answer_all(kit);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 60000);

    fire_many(kit, 10, 13);
    answer_all(kit);
    kit_pass(kit, 2000);
    (void)kit_resolve(kit, "A12", "info");
    assert_string_equal(kit_sql(kit, "SELECT state FROM outbox ORDER BY id DESC LIMIT 1"), "3");
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0); /* nothing is left of it */
    kit_close(kit);
}

/* Also when it is closed already and waits in the file. */
static void a_closed_one_is_changed_too(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 6);
    answer_all(kit);
    kit_restart(kit);
    kit_pass(kit, 1000);
    (void)kit_resolve(kit, "A3", "info");
    kit_pass(kit, 59000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A4 +A5");
    kit_close(kit);
}

static void a_crash_loses_nothing_of_it(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 5);
    answer_all(kit);
    kit_restart(kit);
    fire_many(kit, 5, 9); /* two by themselves, then a second one */
    answer_all(kit);
    kit_pass(kit, 60000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A3 +A4");
    answer_all(kit);
    kit_pass(kit, 3000);
    assert_int_equal(kit->n, 0);
    for (int i = 0; i < 9; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_resolve(kit, name, "info");
    }
    for (int i = 0; i < 10; i++) {
        answer_all(kit);
        kit_pass(kit, 60000);
    }
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox WHERE state = 0"), "0");
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "0");
    kit_close(kit);
}

/* A sink that is down has digests behind each other. */
static void storm_after_storm(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 4);
    answer_all(kit);
    kit_pass(kit, 60000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A3");
    fire_many(kit, 10, 14);
    assert_int_equal(kit->n, 3);
    kit_answer(kit, 1, OUTBOX_DELIVERED);
    kit_answer(kit, 1, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 1); /* in order */
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A3");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_string_equal(kit_text(kit, 0), "chat: +A12 +A13");
    kit_close(kit);
}

static void everything_is_counted(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);
    struct tmon_notification *notification;
    struct wire_reader reader;

    fire_many(kit, 0, 502);
    answer_all(kit);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 1);
    wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    assert_int_equal(notification->nalerts, 200);
    assert_int_equal(notification->ntruncated, 300);
    assert_string_equal(notification->title, "Many alerts at once: 500 firing, 0 resolved");
    notification_destroy(notification);
    answer_all(kit);
    assert_int_equal(kit->n, 0);

    /* Of what was only counted the end is told too. */
    kit_pass(kit, 60000);
    (void)kit_resolve(kit, "A501", "info");
    assert_string_equal(kit_text(kit, 0), "chat: -A501");
    kit_close(kit);
}

/* What follows something that waits is not put into a digest that would be heard first. */
static void an_end_does_not_overtake(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 2);
    kit_answer(kit, 0, OUTBOX_AMBIGUOUS); /* A0 may have been heard, and waits */
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 100);
    (void)kit_resolve(kit, "A1", "info");
    kit_pass(kit, 100);
    fire_many(kit, 2, 3); /* begins a digest */
    (void)kit_resolve(kit, "A0", "info");
    kit_pass(kit, 3000);
    assert_string_equal(kit_text(kit, 0), "chat: +A0");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_string_equal(kit_text(kit, 0), "chat: -A0");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 60000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 -A1");
    kit_close(kit);
}

/* A repeat in a digest, and then the end: not both in one, and not the end first. */
static void a_repeat_in_a_digest(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);
    bool ended[4] = {false};

    fire_many(kit, 0, 4);
    answer_all(kit);
    kit_pass(kit, 60000);
    answer_all(kit);
    kit_pass(kit, 3540000); /* two of them by themselves, two in a digest */
    assert_true(kit->n > 0);
    answer_all(kit);
    assert_string_equal(kit_sql(kit, "SELECT title FROM outbox WHERE state = 0"),
                        "Many alerts at once: 2 firing, 0 resolved");
    kit_pass(kit, 1000);
    for (int i = 0; i < 4; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_resolve(kit, name, "info");
    }
    for (int pass = 0; pass < 10; pass++) {
        while (kit->n > 0) {
            const char *text = kit_text(kit, 0);

            for (int i = 0; i < 4; i++) {
                char firing[16], resolved[16];

                (void)snprintf(firing, sizeof firing, "+A%d", i);
                (void)snprintf(resolved, sizeof resolved, "-A%d", i);
                assert_false(strstr(text, firing) && (ended[i] || strstr(text, resolved)));
                assert_false(strstr(text, resolved) && ended[i]);
                ended[i] = ended[i] || strstr(text, resolved);
            }
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
        kit_pass(kit, 60000);
    }
    assert_true(ended[0] && ended[1] && ended[2] && ended[3]);
    kit_close(kit);
}

/* Large alerts are in it as long as there is room, then counted, and each stays who it is. */
static int put_large(struct kit *kit, struct state_tx *tx, void *arg)
{
    static char text[65000];
    struct tmon_pair labels[] = {{"alertname", arg}};
    const struct tmon_pair annotations[] = {{"description", text}, {"summary", text}};
    const struct alerts_input input = {
        .labels = labels, .nlabels = 1, .annotations = annotations, .nannotations = 2};
    enum alerts_verdict verdict;

    memset(text, 'x', sizeof text - 1);
    return alerts_put(kit->alerts, tx, &input, kit->now, &verdict);
}

static void large_alerts(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);
    struct tmon_notification *notification;
    struct wire_reader reader;
    char name[32];

    fire_many(kit, 0, 3);
    answer_all(kit);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "Large%d", i);
        assert_int_equal(kit_do(kit, put_large, name), 0);
    }
    fire_many(kit, 3, 5);
    kit_restart(kit); /* now it is closed */
    kit_pass(kit, 1000);
    (void)kit_resolve(kit, "A3", "info");
    (void)kit_resolve(kit, "A2", "info");
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 1);
    wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    assert_string_equal(notification->title, "Many alerts at once: 41 firing, 0 resolved");
    assert_in_range(notification->nalerts, 20, 39); /* as many as a call takes */
    assert_int_equal(notification->nalerts + notification->ntruncated, 41);
    for (size_t i = 0; i < notification->nalerts; i++) {
        (void)snprintf(name, sizeof name, "Large%zu", i);
        assert_string_equal(notification->alerts[i]->name, name);
    }
    notification_destroy(notification);
    kit_close(kit);
}

/* What stands behind a digest that was rejected is not told either. */
static void a_rejected_digest(void **state)
{
    struct kit *kit = kit_open(each, sinks, 1);

    fire_many(kit, 0, 4);
    answer_all(kit);
    kit_pass(kit, 60000);
    assert_string_equal(kit_text(kit, 0), "chat: +A2 +A3");
    fire_many(kit, 10, 13); /* a second one is open, behind it */
    (void)kit_resolve(kit, "A2", "info");
    kit_pass(kit, 2000);
    while (strcmp(kit_text(kit, 0), "chat: +A2 +A3") != 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    kit_answer(kit, 0, OUTBOX_REJECTED);
    for (int i = 0; i < 10; i++) {
        while (kit->n > 0) {
            assert_null(strstr(kit_text(kit, 0), "A2"));
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
        kit_pass(kit, 60000);
    }
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_is_told_as_one),
        cmocka_unit_test(what_ends_meanwhile_is_not_told),
        cmocka_unit_test(a_closed_one_is_changed_too),
        cmocka_unit_test(a_crash_loses_nothing_of_it),
        cmocka_unit_test(storm_after_storm),
        cmocka_unit_test(everything_is_counted),
        cmocka_unit_test(an_end_does_not_overtake),
        cmocka_unit_test(a_repeat_in_a_digest),
        cmocka_unit_test(large_alerts),
        cmocka_unit_test(a_rejected_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
